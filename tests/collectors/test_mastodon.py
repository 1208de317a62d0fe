"""Laws of the Mastodon collector on single statuses and conversations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import RawPost, Window, mastodon
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http

from .playing import run

START = datetime(2025, 1, 1, tzinfo=UTC)


def status(n: int, **more: Any) -> dict[str, Any]:
    """The n-th status of the server, a minute after the one before; its number is its id."""
    stamp = (START + timedelta(minutes=n)).isoformat().replace("+00:00", "Z")
    account = {
        "acct": "anna",
        "username": "anna",
        "url": "https://dorp.example/@anna",
        "note": "",
        **more.pop("account", {}),
    }
    has = {"id": str(n), "created_at": stamp, "content": f"<p>toot {n}</p>", "visibility": "public", "replies_count": 0}
    return {**has, "account": account, "in_reply_to_id": None, "reblog": None, **more}


def timeline(*statuses: dict[str, Any], below: dict[str, list[dict[str, Any]]] | None = None) -> Any:
    """A server with these statuses under the hashtag and these conversations below some of them."""

    def answer(asked: Asked) -> Raw:
        if "/timelines/" in asked.path:
            low = int(asked.query["min_id"][0])
            return as_json([s for s in reversed(statuses) if int(s["id"]) > low][-40:])
        number = asked.path.split("/")[4]
        if asked.path.endswith("/context"):
            return as_json({"ancestors": [], "descendants": (below or {}).get(number, [])})
        found = [s for s in statuses if s["id"] == number]
        return as_json(found[0]) if found else http(404)

    return answer


def asked_for(server: Scripted) -> dict[str, Any]:
    return {"instance": server.url, "hashtags": ["buurt"]}


def test_a_status_is_read_with_all_that_people_wrote_in_it() -> None:
    """Warning, text and poll are text; the account has its host; edits, media, mentions and language are kept."""
    told = status(
        5,
        spoiler_text="geweld",
        poll={"options": [{"title": "ja"}, {"title": "nee"}]},
        edited_at="2025-01-02T00:00:00.000Z",
        language="nl",
        media_attachments=[{"type": "image"}, {"type": "gifv"}],
        mentions=[{"acct": "bert@stad.example"}, {"acct": "cor", "url": "https://dorp.example/@cor"}],
    )
    with Scripted(timeline(told)) as server, standing():
        found = mastodon.collect(mastodon.Settings(**asked_for(server)), Window())
        post = next(i for i in found if isinstance(i, RawPost))
    assert post.text.reveal() == "geweld\n\ntoot 5\n\n- ja\n- nee"
    assert post.author.reveal() == "anna@dorp.example"
    assert [m.reveal() for m in post.mentions] == ["bert@stad.example", "cor@dorp.example"]
    assert (post.media, post.language, post.edited) == (("photo", "video"), "nl", datetime(2025, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"account": {"noindex": True}}, "author asks not to be indexed"),
        ({"account": {"note": "<p>geen onderzoek #NoResearch</p>"}}, "author asks not to be indexed"),
        ({"account": {"note": '<p><a href="/t">#<span>nobots</span></a></p>'}}, "author asks not to be indexed"),
        ({"visibility": "private"}, "not public"),
        ({"visibility": "direct"}, "not public"),
        ({"reblog": {"id": "1"}}, "a boost, not a post"),
    ],
)
def test_what_is_not_for_us_is_a_skip(odd: dict[str, Any], reason: str) -> None:
    """People who opt out, what is not public and what is only passed on are left out, and counted."""
    with Scripted(timeline(status(1), status(2, **odd))) as server, standing():
        found = run("mastodon", asked_for(server))
    assert (found.ids, found.skipped) == (["1"], {reason: 1})


def test_a_conversation_cut_by_the_server_is_told() -> None:
    """Without a token a server shows sixty answers: that the sixtieth came is told as a cap."""
    answers = [status(n, in_reply_to_id="1") for n in range(2, 62)]
    with Scripted(timeline(status(1, replies_count=90), below={"1": answers})) as server, standing():
        found = run("mastodon", asked_for(server))
    assert (len(found.posts), found.counts["capped"]) == (61, 1)
    assert {p[3] for p in found.posts} == {"1"}


def test_a_young_conversation_is_looked_at_again() -> None:
    """An answer without the hashtag, written after the first run, comes in the second; old ones are let go."""
    below: dict[str, list[dict[str, Any]]] = {}
    hour = (START + timedelta(hours=1)).timestamp()
    with Scripted(timeline(status(1, replies_count=1), below=below)) as server, standing(hour) as clock:
        first = run("mastodon", asked_for(server))
        below["1"] = [status(9, in_reply_to_id="1")]
        second = run("mastodon", asked_for(server), Window(cursor=first.cursor))
        clock.moment += 86_400 * 30
        below["1"].append(status(10, in_reply_to_id="1"))
        third = run("mastodon", asked_for(server), Window(cursor=second.cursor))
    assert (first.ids, second.ids, third.ids) == (["1"], ["9"], [])


def test_pages_stand_still_while_people_post() -> None:
    """Statuses that come in while a hundred are read neither shift a page nor are lost."""
    statuses = [status(n) for n in range(1, 101)]
    serve = timeline()

    def answer(asked: Asked) -> Raw:
        nonlocal serve
        serve = timeline(*statuses)
        told = serve(asked)
        if len(statuses) < 110:
            statuses.append(status(len(statuses) + 1))
        return told

    with Scripted(answer) as server, standing():
        first = run("mastodon", asked_for(server))
        second = run("mastodon", asked_for(server), Window(cursor=first.cursor))
    assert [int(i) for i in first.ids + second.ids] == list(range(1, len(first.ids + second.ids) + 1))
    assert len(first.ids) >= 100


def test_a_run_begins_at_a_moment_without_reading_what_is_older() -> None:
    """Ids hold their time: `since` (and the days of follow before it) is where the first page begins."""
    with Scripted(timeline()) as server, standing():
        run("mastodon", {**asked_for(server), "follow_days": 0}, Window(since=START))
    assert server.asked[0].query["min_id"] == [str(int(START.timestamp() * 1000) << 16)]
