"""
Bluesky: searches, hashtags and accounts, with whole threads.

Results come newest first. A run goes down from now to where the last one began, page by page, and its
cursor says how far down it came; so a broken run goes on below, and the next run above. Search ends near
10,000 results: below that it is asked again with an earlier `until`. The author of a post sets its time
(the year 1 occurs), so a time that cannot be is replaced by the moment the network first saw the post.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field, model_validator

from . import Gone, Item, PlatformRefused, RawPost, Sealed, Window, _clock
from ._cursor import native
from ._http import Http, StatusRefused, host_of
from ._limits import Limit, Throttle
from ._run import Run
from ._shape import moment, shaped, sound

VERSION = "bluesky.v1"
LIMITS = (Limit(3000, 300.0),)
PAGE = 100
DEPTH = 9_000
"""Search shows about 10,000 results; after this many it is asked anew."""
OVERLAP = 600.0
"""Seconds below the last run's beginning that are read again: posts reach the network late."""
BEGAN = datetime(2022, 11, 1, tzinfo=UTC)
"""No post of the network is older."""
HIDDEN = "!no-unauthenticated"
EMBEDS = {
    "images": "photo",
    "video": "video",
    "external": "link",
    "record": "quote",
    "recordWithMedia": "photo",
}


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to collect: `queries` (Bluesky's search syntax), `hashtags` (without #) or `accounts` (handle or did).

    With `threads` the whole thread around each post comes too, and is looked at again for `follow_days`.
    Search wants an account: BLUESKY_HANDLE and BLUESKY_APP_PASSWORD.
    """

    queries: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    language: str | None = None
    threads: bool = True
    follow_days: float = Field(default=2.0, ge=0)
    service: str | None = None

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not (self.queries or self.hashtags or self.accounts):
            msg = "give queries, hashtags or accounts"
            raise ValueError(msg)
        return self


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Posts of every search and account, newest first, each with its thread; a Mark after each.

    Raises PlatformRefused, RateLimited and PlatformUnreachable as `_http` does.
    """
    with _client(settings) as http:
        run = _Run(window, lambda: http.requests, settings=settings, http=http)
        for name, method, params in _searches(settings):
            yield from _search(run, name, method, params)
        yield from _follow(run)


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these posts, 25 a request; what is not there any more is Gone."""
    with _client(settings) as http:
        for start in range(0, len(ids), 25):
            batch = {native(i): i for i in ids[start : start + 25]}
            found, _ = http.json("/xrpc/app.bsky.feed.getPosts", {"uris": list(batch)})
            with shaped("Bluesky"):
                there = {p["uri"]: sound(_post(p)) for p in found["posts"]}
            for uri, sealed_id in batch.items():
                yield there.get(uri) or Gone(sealed_id)


@dataclass
class _Run(Run):
    """
    One run with its settings and client; `met` holds the roots of the threads it has read.

    The state holds for each search `top` (moment from which the last complete run went down), `low` and
    `rise` (how far down a run came that did not end, and from where), `from` (how far back was asked), and
    for all `open` (root of a followed thread -> its time) and `part` (a thread of which a limited run read
    only the beginning).
    """

    settings: Settings = field(kw_only=True)
    http: Http = field(kw_only=True)
    met: set[str] = field(default_factory=set)


def _client(settings: Settings) -> Http:
    handle, password = os.environ.get("BLUESKY_HANDLE", ""), os.environ.get("BLUESKY_APP_PASSWORD", "")
    base = settings.service or os.environ.get("VELDWERK_BLUESKY_URL")
    base = base or ("https://bsky.social" if handle else "https://public.api.bsky.app")
    http = Http("Bluesky", base, Throttle(f"bluesky {host_of(base)}", *LIMITS))
    if handle and not settings.service:
        try:
            session = http.post("/xrpc/com.atproto.server.createSession", {"identifier": handle, "password": password})
        except StatusRefused:
            msg = "Bluesky does not accept the keys; check BLUESKY_HANDLE and BLUESKY_APP_PASSWORD"
            raise PlatformRefused(msg) from None
        with shaped("Bluesky"):
            http.authorise(f"Bearer {session['accessJwt']}")
    return http


def _searches(settings: Settings) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name in the cursor, method and parameters of each search."""
    language = {"lang": settings.language} if settings.language else {}
    for query in settings.queries:
        yield f"q:{query}", "searchPosts", {"q": query, "sort": "latest", **language}
    for tag in settings.hashtags:
        yield f"#{tag}", "searchPosts", {"q": f"#{tag}", "tag": tag, "sort": "latest", **language}
    for account in settings.accounts:
        yield f"@{account}", "getAuthorFeed", {"actor": account, "filter": "posts_with_replies"}


def _search(run: _Run, name: str, method: str, params: dict[str, Any]) -> Iterator[Item]:
    """One search downwards: first the rest of a run that broke off, then what is new since it began."""
    # What was written since may answer something older, by which alone it is found.
    since = max(0.0, run.since - (run.settings.follow_days * 86_400 if run.settings.threads else 0.0))
    state = run.state.setdefault(name, {"top": 0.0, "from": since})
    if since < state["from"]:
        run.forget()
        state.update(top=0.0, **{"from": since})
    while not run.full:
        rest = "low" in state
        state.setdefault("rise", min(_clock.seconds(), run.until))
        state.setdefault("low", state["rise"])
        yield from _down(run, method, params, state)
        if run.full:
            return
        state["top"] = state.pop("rise")
        del state["low"]
        yield run.mark()
        if not rest:
            return


def _down(run: _Run, method: str, params: dict[str, Any], state: dict[str, Any]) -> Iterator[Item]:
    """From `low` down to the top of the last complete run, a page at a time."""
    floor = max(state["top"] - OVERLAP, state["from"])
    below, cursor = state["low"], None
    seen: set[str] = set()
    while True:
        page, cursor = _page(run, method, {**params, **_bounds(method, below, floor)}, cursor)
        fresh = [p for p in page if p["uri"] not in seen]
        seen.update(p["uri"] for p in fresh)
        for post in fresh:
            if run.full:
                return
            if floor <= _sorted_at(post) <= below + 1:
                yield from _with_thread(run, post)
                if run.full and "part" in run.state:
                    yield run.mark()
                    return
                state["low"] = min(state["low"], _sorted_at(post))
                yield run.mark()
        if not fresh or min(map(_sorted_at, fresh)) < floor:
            return
        if cursor is None or (method == "searchPosts" and len(seen) >= DEPTH):
            if method != "searchPosts" or len(seen) < DEPTH:
                return
            below, cursor, seen = state["low"], None, {p["uri"] for p in page}


def _bounds(method: str, below: float, floor: float) -> dict[str, str]:
    """The window of a search; a feed knows none."""
    if method != "searchPosts":
        return {}
    return {"until": _stamp(below + 1), **({"since": _stamp(floor)} if floor > 0 else {})}


def _page(
    run: _Run, method: str, params: dict[str, Any], cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of posts, newest first, and the server's cursor below it."""
    asked = {**params, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
    found, _ = run.http.json(f"/xrpc/app.bsky.feed.{method}", asked)
    with shaped("Bluesky"):
        posts = found.get("posts")
        if posts is None:
            posts = [entry["post"] for entry in found["feed"] if not entry.get("reason")]  # a reason: a repost
        for post in posts:
            _checked(post)
        run.counts["asked"] += len(posts)
        run.counts["received"] += len(posts)
        return posts, found.get("cursor")


def _with_thread(run: _Run, post: dict[str, Any]) -> Iterator[Item]:
    """A post with the thread that it stands in, unless an earlier one of this run brought it."""
    if run.knows(post["uri"]) and run.state.get("part", [""])[0] != post["uri"]:
        return
    root = _root(post)
    posts = [post]
    if run.settings.threads and (post.get("replyCount") or root != post["uri"]):
        around = _thread(run, root)
        posts = around if any(p["uri"] == post["uri"] for p in around) else [*around, post]
    run.met.add(root)
    run.state.setdefault("open", {})[root] = _sorted_at(post)
    yield from _tell(run, post["uri"], posts)


def _thread(run: _Run, root: str) -> list[dict[str, Any]]:
    """The posts of a thread, as far as they are shown; the others are counted."""
    try:
        found, _ = run.http.json("/xrpc/app.bsky.feed.getPostThread", {"uri": root, "depth": 1000, "parentHeight": 0})
    except StatusRefused as refusal:
        if refusal.status not in {400, 401, 403, 404}:
            raise
        run.counts["deleted"] += 1
        return []
    posts = []
    with shaped("Bluesky"):
        queue = [found["thread"]]
        while queue:
            node = queue.pop()
            if "post" in node:
                posts.append(_checked(node["post"]))
                queue.extend(node.get("replies") or ())
            else:
                run.counts["private" if node.get("blocked") else "deleted"] += 1
    run.counts["asked"] += len(posts)
    run.counts["received"] += len(posts)
    return posts


def _tell(run: _Run, key: str, posts: list[dict[str, Any]]) -> Iterator[Item]:
    """These posts by age, from where a limited run stopped among them."""
    part = run.state.get("part", ["", 0.0, ""])
    done = (part[1], part[2]) if part[0] == key else (0.0, "")
    for post in sorted(posts, key=_age):
        if _age(post) <= done:
            continue
        if run.full:
            return
        item = _item(run, post)
        if item is not None:
            yield item
        run.state["part"] = [key, *_age(post)]
    run.state.pop("part", None)


def _item(run: _Run, post: dict[str, Any]) -> Item | None:
    """The post, or why it is skipped; None for one outside the window or known."""
    if _hidden(post):
        return run.skip(post["uri"], "author asks not to be shown to outsiders")
    return run.admit(_post(post))


def _follow(run: _Run) -> Iterator[Item]:
    """Look again at the younger threads that this run has not met."""
    followed = run.state.get("open", {})
    oldest = (_clock.now() - timedelta(days=run.settings.follow_days)).timestamp()
    for root, at in list(followed.items()):
        if run.full:
            return
        if at < oldest or not run.settings.threads:
            del followed[root]
        elif root not in run.met:
            yield from _tell(run, root, _thread(run, root))
            yield run.mark()
    yield run.mark()


def _checked(post: dict[str, Any]) -> dict[str, Any]:
    """The post view, if it is one; to be called within `shaped`."""
    sound(_post(post))
    _hidden(post)
    return post


def _hidden(post: dict[str, Any]) -> bool:
    return any(label["val"] == HIDDEN for label in post["author"].get("labels") or ())


def _root(post: dict[str, Any]) -> str:
    reply = post["record"].get("reply") or {}
    return str(reply.get("root", {}).get("uri") or post["uri"])


def _age(post: dict[str, Any]) -> tuple[float, str]:
    return _sorted_at(post), post["uri"]


def _sorted_at(post: dict[str, Any]) -> float:
    return _created(post).timestamp()


def _created(post: dict[str, Any]) -> datetime:
    """When it was written, as its author's device says, unless that cannot be."""
    indexed = moment(post["indexedAt"])
    try:
        told = moment(post["record"]["createdAt"])
    except ValueError:
        return indexed
    return told if BEGAN <= told <= indexed + timedelta(minutes=5) else indexed


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _post(post: dict[str, Any]) -> RawPost:
    """A post view of the API as a RawPost; the author is the permanent did, the handle an alias."""
    record, author = post["record"], post["author"]
    reply = record.get("reply") or {}
    facets = [(f["index"], feature) for f in record.get("facets") or () for feature in f["features"]]
    langs = record.get("langs") or [None]
    return RawPost(
        platform="bluesky",
        id=Sealed(post["uri"]),
        author=Sealed(author["did"]),
        text=Sealed(_text(record["text"], facets)),
        created=_created(post),
        thread=Sealed(_root(post)),
        reply_to=Sealed(reply["parent"]["uri"]) if reply else None,
        aliases=tuple(Sealed(n) for n in (author["handle"], author.get("displayName")) if n),
        mentions=tuple(Sealed(f["did"]) for _, f in facets if "did" in f),
        permalink=Sealed(f"https://bsky.app/profile/{author['did']}/post/{post['uri'].rsplit('/', 1)[-1]}"),
        language=langs[0],
        media=_media(record.get("embed") or {}),
    )


def _text(text: str, facets: list[tuple[dict[str, int], dict[str, Any]]]) -> str:
    """The text with shortened links written out. Facets count UTF-8 bytes, and may be wrong: then it stays."""
    raw = text.encode("utf-8", "surrogatepass")
    for index, feature in sorted(facets, key=lambda f: -f[0]["byteStart"]):
        shown = raw[index["byteStart"] : index["byteEnd"]].decode("utf-8", "replace")
        if "uri" in feature and shown.endswith(("...", "\N{HORIZONTAL ELLIPSIS}")):
            raw = raw[: index["byteStart"]] + feature["uri"].encode() + raw[index["byteEnd"] :]
    return raw.decode("utf-8", "replace")


def _media(embed: dict[str, Any]) -> tuple[str, ...]:
    kind = str(embed.get("$type", "")).removeprefix("app.bsky.embed.")
    return (EMBEDS.get(kind, "file"),) if kind else ()
