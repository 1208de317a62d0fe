"""
Discourse forums: categories, tags or the whole forum, every topic in full.

Topics are listed by their latest activity and worked through from the least recent, so that one
high-water mark says where to go on. Posts of a forum are numbered as they come: what a complete run
has seen is never fetched again, and in a topic that went on only what came after is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field

from . import Gone, Item, PlatformRefused, RawPost, Sealed, Window
from ._cursor import native
from ._http import Http, StatusRefused, host_of
from ._limits import Limit, Throttle
from ._run import Run
from ._shape import moment, shaped, sound
from ._text import joined, plain

VERSION = "discourse.v1"
ANONYMOUS = (Limit(200, 60.0), Limit(50, 10.0))
"""What a Discourse allows one address as it is shipped; behind a key 60 requests a minute."""
KEYED = (Limit(60, 60.0),)
CHUNK = 100
"""Posts asked for at once; a forum that gives fewer is asked again for the rest."""
MENTION = re.compile(r'class="mention"[^>]*>@([^<]+)<')
GONE = frozenset({401, 403, 404, 410})


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to collect from the forum at `url`: `categories` (slug or slug/id), `tags`, or all when neither is
    given. A key from DISCOURSE_API_KEY (with DISCOURSE_API_USERNAME) is used where there is one.
    """

    url: str = Field(pattern=r"^https?://\S+$")
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Every post of every topic that was active since the last run; a Mark after each topic.

    Raises PlatformRefused, RateLimited and PlatformUnreachable as `_http` does.
    """
    with _client(settings) as http:
        run = _Run(window, lambda: http.requests, settings=settings, http=http)
        for name, path in _lists(run):
            yield from _list(run, name, path)


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these posts, one request each; what was deleted or hidden is Gone."""
    with _client(settings) as http:
        for sealed_id in ids:
            try:
                post, _ = http.json(f"/posts/{quote(native(sealed_id), safe='')}.json")
            except StatusRefused as refusal:
                if refusal.status not in GONE:
                    raise
                yield Gone(sealed_id)
            else:
                with shaped("Discourse"):
                    gone = _reason(post)
                    there = None if gone else sound(_post(settings, post, post.get("topic_title") or "", {}))
                yield there or Gone(sealed_id)


@dataclass
class _Run(Run):
    """
    One run with its settings and client.

    The state holds for each list `high` (activity up to which every topic was read), `edge` (topics of that
    very moment), `from` (how far back was asked), `floor` (number of the last post before the last complete
    run), `start` (that of the run under way) and `part` (a topic of which a limited run read only the
    beginning).
    """

    settings: Settings = field(kw_only=True)
    http: Http = field(kw_only=True)


def _client(settings: Settings) -> Http:
    base = settings.url.rstrip("/")
    key, user = os.environ.get("DISCOURSE_API_KEY", ""), os.environ.get("DISCOURSE_API_USERNAME", "system")
    headers = {"Api-Key": key, "Api-Username": user} if key else {}
    throttle = Throttle(f"discourse {host_of(base)}", *(KEYED if key else ANONYMOUS))
    return Http("The forum", base, throttle, headers=headers)


def _lists(run: _Run) -> Iterator[tuple[str, str]]:
    """Name in the cursor and path of each list of topics."""
    wanted = run.settings.categories
    known = _categories(run) if any("/" not in c for c in wanted) else {}
    for category in wanted:
        slug, _, number = category.partition("/")
        number = number or known.get(slug, "")
        if not number:
            msg = "the forum has no category of this name (settings.categories), or does not show it"
            raise PlatformRefused(msg)
        yield f"c:{number}", f"/c/{quote(slug)}/{number}/l/latest.json"
    for tag in run.settings.tags:
        yield f"t:{tag}", f"/tag/{quote(tag, safe='')}/l/latest.json"
    if not (wanted or run.settings.tags):
        yield "all", "/latest.json"


def _categories(run: _Run) -> dict[str, str]:
    found, _ = run.http.json("/categories.json", {"include_subcategories": "true"})
    slugs: dict[str, str] = {}
    with shaped("Discourse"):
        queue = list(found["category_list"]["categories"])
        while queue:
            category = queue.pop(0)
            slugs.setdefault(category["slug"], str(category["id"]))
            queue.extend(category.get("subcategory_list") or [])
    return slugs


def _list(run: _Run, name: str, path: str) -> Iterator[Item]:
    """One list: the topics active since the mark, the least recent first."""
    state = _begin(run, name)
    topics = _active(run, path, max(state["high"], state["from"]))
    topics = [t for t in topics if t["at"] > state["high"] or t["id"] not in state["edge"]]
    yield run.mark()
    ceiling = max((t["at"] for t in topics[:30]), default=0.0)  # what moves up while we read waits for next time
    for topic in sorted(topics, key=lambda t: (t["at"], t["id"])):
        if run.full:
            return
        yield from _topic(run, topic, state)
        if run.full and "part" in state:
            yield run.mark()
            return
        _read(state, topic, ceiling)
        yield run.mark()
    state["floor"] = state.pop("start")
    yield run.mark()


def _begin(run: _Run, name: str) -> dict[str, Any]:
    """The list's state; when a run asks further back than before, it starts again from there."""
    blank: dict[str, Any] = {"high": 0.0, "edge": [], "from": run.since, "floor": 0}
    state: dict[str, Any] = run.state.setdefault(name, blank)
    if run.since < state["from"]:
        state.update(high=0.0, edge=[], floor=0, **{"from": run.since})
    if "start" not in state:
        state["start"] = _newest(run)
    return state


def _read(state: dict[str, Any], topic: dict[str, Any], ceiling: float) -> None:
    """A topic was read: move the mark up to its activity, and remember which topics were of that very moment."""
    at = min(topic["at"], ceiling)
    if at > state["high"]:
        state.update(high=at, edge=[])
    if at == state["high"]:
        state["edge"].append(topic["id"])


def _newest(run: _Run) -> int:
    """The number of the forum's newest post."""
    try:
        found, _ = run.http.json("/posts.json")
    except StatusRefused:
        return 0  # not shown here: everything counts as new
    with shaped("Discourse"):
        return max((int(p["id"]) for p in found["latest_posts"]), default=0)


def _active(run: _Run, path: str, floor: float) -> list[dict[str, Any]]:
    """The topics with activity at or after *floor*, most recent first; pinned ones stand out of order."""
    topics: dict[int, dict[str, Any]] = {}
    page = 0
    while True:
        found, _ = run.http.json(path, {"page": page, "no_definitions": "true"})
        with shaped("Discourse"):
            listing = found["topic_list"]
            fresh = [t for t in listing["topics"] if t["id"] not in topics]
            older = False
            for topic in fresh:
                at = moment(topic["bumped_at"]).timestamp()
                older = older or (at < floor and not topic.get("pinned"))
                if at >= floor:
                    kept = ("id", "title", "posts_count", "highest_post_number")
                    topics[topic["id"]] = {"at": at, **{k: topic.get(k) for k in kept}}
        if older or not fresh or not listing.get("more_topics_url"):
            return list(topics.values())
        page += 1


def _topic(run: _Run, topic: dict[str, Any], state: dict[str, Any]) -> Iterator[Item]:
    """The posts of a topic that are newer than the last complete run, in order."""
    try:
        posts = _posts(run, topic, state["floor"])
    except StatusRefused as refusal:
        if refusal.status not in GONE:
            raise
        run.counts["private" if refusal.status in {401, 403} else "deleted"] += 1
        state.pop("part", None)
        return
    part = state.get("part", [0, 0])
    done = part[1] if part[0] == topic["id"] else 0
    numbers = {p["post_number"]: p["id"] for p in posts}
    for post in posts:
        if post["id"] <= done or post["id"] <= state["floor"]:
            continue
        if run.full:
            return
        item = _item(run, topic, post, numbers)
        if item is not None:
            yield item
        state["part"] = [topic["id"], post["id"]]
    state.pop("part", None)


def _posts(run: _Run, topic: dict[str, Any], floor: int) -> list[dict[str, Any]]:
    """The topic's posts above *floor*, by number. Where something is known, the reading starts at the end."""
    near = f"/{topic['highest_post_number']}" if floor and topic.get("highest_post_number") else ""
    found, _ = run.http.json(f"/t/{topic['id']}{near}.json")
    with shaped("Discourse"):
        posts = {p["id"]: _checked(run, p) for p in found["post_stream"]["posts"]}
        wanted = [i for i in found["post_stream"]["stream"] if i > floor]
    run.counts["asked"] += len(wanted)
    missing = [i for i in wanted if i not in posts]
    while missing:
        more, _ = run.http.json(f"/t/{topic['id']}/posts.json", {"post_ids[]": missing[:CHUNK]})
        with shaped("Discourse"):
            came = {p["id"]: _checked(run, p) for p in more["post_stream"]["posts"]}
        if not came.keys() & set(missing):
            run.counts["deleted"] += len(missing[:CHUNK])
            missing = missing[CHUNK:]
        posts.update(came)
        missing = [i for i in missing if i not in posts]
    run.counts["received"] += sum(i in posts for i in wanted)
    return sorted(posts.values(), key=lambda p: int(p["id"]))


def _checked(run: _Run, post: dict[str, Any]) -> dict[str, Any]:
    """The post, if it is one; to be called within `shaped`."""
    sound(_post(run.settings, post, "", {}))
    if not (isinstance(post["id"], int) and isinstance(post["post_number"], int)):
        raise TypeError
    return post


def _item(run: _Run, topic: dict[str, Any], post: dict[str, Any], numbers: dict[int, int]) -> Item | None:
    """The post, or why it is skipped; None for one outside the window or known."""
    with shaped("Discourse"):
        reason = _reason(post)
        if reason:
            run.counts["deleted"] += reason == "deleted"
            return run.skip(str(post["id"]), reason)
        answered = post.get("reply_to_post_number")
        if answered and answered not in numbers:
            numbers[answered] = _id_of(run, topic["id"], answered)
        return run.admit(_post(run.settings, post, topic["title"] or "", numbers))


def _id_of(run: _Run, topic: int, number: int) -> int:
    """The id of an earlier post of the topic that a newer one answers; 0 when it is gone."""
    try:
        found, _ = run.http.json(f"/posts/by_number/{topic}/{number}.json")
    except StatusRefused:
        return 0
    return int(found["id"])


def _reason(post: dict[str, Any]) -> str | None:
    if post.get("user_deleted") or post.get("deleted_at") or post.get("hidden"):
        return "deleted"
    if post.get("post_type", 1) != 1:
        return "a notice of the forum"
    return None


def _post(settings: Settings, post: dict[str, Any], title: str, numbers: dict[int, int]) -> RawPost:
    """A post of the API as a RawPost; a topic's first post carries its title."""
    answered = numbers.get(post.get("reply_to_post_number") or 0)
    cooked = post["cooked"]
    path = f"/t/{post['topic_id']}/{post['post_number']}"
    return RawPost(
        platform="discourse",
        id=Sealed(str(post["id"])),
        author=Sealed(post["username"]),
        text=Sealed(joined(title if post["post_number"] == 1 else "", plain(cooked))),
        created=moment(post["created_at"]),
        thread=Sealed(f"t{post['topic_id']}"),
        reply_to=Sealed(str(answered)) if answered else None,
        aliases=tuple(Sealed(n) for n in (post.get("name"), post.get("display_username")) if n),
        mentions=tuple(Sealed(m) for m in dict.fromkeys(MENTION.findall(cooked))),
        edited=_edited(post),
        permalink=Sealed(settings.url.rstrip("/") + path),
        media=("photo",) if "<img" in cooked and 'class="emoji' not in cooked else (),
    )


def _edited(post: dict[str, Any]) -> datetime | None:
    """The first version is no edit; updated_at also moves when somebody only likes a post."""
    return moment(post["updated_at"]) if post.get("version", 1) > 1 else None
