"""Laws on recorded traffic: real answers of the platforms, served again to the unmodified clients."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import CollectorError, Window
from tests.loopback.clock import standing
from tests.loopback.recorded import Exchange, exchanges
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http
from tests.real import FOLDER, real

from .playing import Collected, run
from .test_wrong_answers import SETTINGS, TOKEN


def recordings(folder: str) -> list[Path]:
    """All recordings of a platform, or none where they are not on this machine."""
    found = [p for p in sorted((FOLDER / folder).rglob("*")) if p.suffix in {".json", ".yml", ".yaml"}]
    return found or [FOLDER / folder / "absent"]


def serve(collector: str, answer: Callable[[Asked], Raw], window: Window | None = None, **more: Any) -> Collected:
    """Run a collector against *answer*, logged in."""

    def logged_in(asked: Asked) -> Raw:
        return as_json(TOKEN) if asked.path.endswith("access_token") else answer(asked)

    with Scripted(logged_in) as server, standing():
        return run(collector, {**SETTINGS[collector](server.url), **more}, window or Window(limit=300))


@pytest.mark.parametrize(
    "path", recordings("reddit") + recordings("mastodon") + recordings("bluesky/bskyr"), ids=lambda p: p.name
)
def test_every_recorded_answer_to_any_question_is_taken_or_refused(path: Path) -> None:
    """Whatever a platform was recorded to answer, as the answer to everything: posts, or one error of ours."""
    if not path.exists():
        real(str(path.relative_to(FOLDER)))
    collector = path.relative_to(FOLDER).parts[0]
    for exchange in {(e.status, e.body): e for e in exchanges(path)}.values():
        try:
            serve(collector, lambda _, e=exchange: e.raw)
        except CollectorError as error:
            assert "{" not in str(error)  # noqa: PT017 (many raise nothing)


def test_a_recorded_thread_comes_in_full() -> None:
    """A real submission with hundreds of comments behind stubs: every comment of the recording comes, once."""
    played = list(exchanges(real("reddit/praw/TestCommentForest.test_replace__all.json")))
    thread = next(e for e in played if e.path.startswith("/comments/3hahrw"))
    stubs = {tuple(e.form.get("children", [])): e for e in played if "morechildren" in e.path}
    broken_off = {e.path: e for e in played if "/_/" in e.path}
    listing = _unpacked(thread)[0]

    def answer(asked: Asked) -> Raw:
        if asked.path.startswith("/r/"):
            return as_json(listing if "after" not in asked.query else _EMPTY)
        if "morechildren" in asked.path:
            found = stubs.get(tuple(asked.query.get("children", [])))
            return found.raw if found else as_json({"json": {"errors": [], "data": {"things": []}}})
        return broken_off.get(asked.path, thread).raw

    found = serve("reddit", answer, Window())
    recorded = {name for e in played for name in _comments(_unpacked(e))}
    assert set(found.ids) - {"t3_3hahrw"} | _left_out(played) == recorded
    assert len(found.ids) == len(set(found.ids))
    assert len(recorded) > 400


_EMPTY = {"kind": "Listing", "data": {"children": [], "after": None}}


def _unpacked(exchange: Exchange) -> Any:
    body = exchange.body
    return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("kind") == "t1":
            yield value["data"]
        for inside in value.values():
            yield from _walk(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _walk(inside)


def _comments(value: Any) -> set[str]:
    return {data["name"] for data in _walk(value)}


def _left_out(played: list[Exchange]) -> set[str]:
    """Comments whose text is gone: they come as skips."""
    gone = {"[deleted]", "[removed]"}
    return {d["name"] for e in played for d in _walk(_unpacked(e)) if d["body"] in gone}


def test_a_recorded_listing_comes_in_full() -> None:
    """A real page of r/askreddit: each of its submissions comes, once, as it was."""
    page = next(e for e in exchanges(real("reddit/praw/TestSubredditListings.test_new.json")) if "/new" in e.path)
    told = {c["data"]["name"]: c["data"]["title"] for c in _unpacked(page)["data"]["children"]}

    def answer(asked: Asked) -> Raw:
        return page.raw if "after" not in asked.query else as_json(_EMPTY)

    found = serve("reddit", answer, Window(), comments=False)
    assert set(found.ids) == set(told)
    assert all(told[p[0]] in p[2] for p in found.posts)


def test_a_recorded_timeline_comes_in_full() -> None:
    """Every public status of every recorded hashtag timeline comes, once; boosts and private ones do not."""
    folder = real("mastodon")
    pages = [
        e
        for path in sorted(folder.rglob("*.y*ml"))
        for e in exchanges(path)
        if "/timelines/tag/" in e.path and e.status == 200 and e.body.startswith(b"[{")
    ]
    assert len(pages) > 5
    for page in pages:
        wanted = {s["id"] for s in page.json() if not s["reblog"] and s["visibility"] in {"public", "unlisted"}}
        served = iter([page.raw])
        found = serve("mastodon", lambda _, s=served: next(s, as_json([])), Window(), accounts=[], threads=False)
        assert set(found.ids) == wanted


def test_a_recorded_conversation_keeps_its_replies() -> None:
    """A real context: each status stands in the thread of its first, below the one that it answers."""
    context = next(exchanges(real("mastodon/rtoot/get_context_default.yml")))
    every = context.json()["ancestors"] + context.json()["descendants"]
    root, *others = sorted(every, key=lambda s: int(s["id"]))

    def answer(asked: Asked) -> Raw:
        if asked.path.endswith("/context"):
            return as_json({"ancestors": [], "descendants": others})
        return as_json([{**root, "replies_count": 3}] if asked.query.get("min_id") == ["0"] else [])

    found = serve("mastodon", answer, Window(), accounts=[])
    replies = {s["id"]: s["in_reply_to_id"] for s in every}
    assert {p[0]: p[4] for p in found.posts} == replies
    assert {p[3] for p in found.posts} == {root["id"]}


def test_a_recorded_author_feed_comes_in_full() -> None:
    """A real feed of an account: its posts, without what it only reposted."""
    feed = next(exchanges(real("bluesky/bskyr/f_autfeed.yml")))
    told = json.loads(feed.body)
    wanted = {e["post"]["uri"] for e in told["feed"] if not e.get("reason")}
    served = iter([as_json({**told, "cursor": None})])
    found = serve(
        "bluesky", lambda _: next(served, as_json({"feed": []})), Window(), queries=[], accounts=["x"], threads=False
    )
    assert set(found.ids) == wanted


def test_a_recorded_topic_comes_in_full() -> None:
    """A real topic: every post of its stream that people wrote, in the topic's thread."""
    topic = json.loads(real("discourse/perceval/discourse_posts.json").read_bytes())
    stamp = {"bumped_at": "2016-05-25T02:01:00.000Z", "id": topic["id"], "title": topic["title"], "posts_count": 4}
    listing = {"topic_list": {"topics": [{**stamp, "highest_post_number": 4}]}}

    def answer(asked: Asked) -> Raw:
        match asked.path:
            case "/posts.json":
                return as_json({"latest_posts": [{"id": 10**6}]})
            case p if p.endswith("latest.json"):
                return as_json(listing)
            case p if p.startswith("/t/"):
                return as_json(topic)
        return http(404)

    found = serve("discourse", answer, Window(), categories=["x/1"])
    posts = topic["post_stream"]["posts"]
    assert set(found.ids) == {str(p["id"]) for p in posts if p["post_type"] == 1}
    assert {p[3] for p in found.posts} == {f"t{topic['id']}"}
    assert {p[1] for p in found.posts} <= {p["username"] for p in posts}


def test_every_recorded_forum_answer_is_taken_or_refused() -> None:
    """Whatever a forum was recorded to answer, as the answer to everything."""
    for path in sorted(real("discourse").rglob("*.json")):
        body = path.read_bytes()
        try:
            serve("discourse", lambda _, b=body: http(200, b, {"Content-Type": "application/json"}), categories=["x/1"])
        except CollectorError as error:
            assert "{" not in str(error)  # noqa: PT017
