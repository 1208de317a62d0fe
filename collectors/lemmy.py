"""Lemmy communities (feddit.nl and others): posts and comments, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field

from . import Gone, Item, RawPost, Sealed, Window
from ._cursor import native
from ._http import Http, StatusRefused, host_of
from ._limits import Limit, Throttle
from ._run import Run
from ._shape import moment, shaped, sound
from ._text import joined

VERSION = "lemmy.v1"
LIMITS = (Limit(60, 60.0),)
PAGE = 50


class Settings(BaseModel, extra="forbid", frozen=True):
    """The `communities` (name or name@host) to collect, as `instance` shows them."""

    instance: str = Field(pattern=r"^https?://[^/]+/?$")
    communities: tuple[str, ...] = Field(min_length=1)


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """Posts, then comments, of each community; a Mark after each page. Errors are those of `_http`."""
    with _client(settings) as http:
        run = Run(window, lambda: http.requests)
        for community in settings.communities:
            for kind in ("post", "comment"):
                yield from _pages(run, http, community, kind)


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these posts and comments, one request each; what was deleted is Gone."""
    with _client(settings) as http:
        for sealed_id in ids:
            kind, _, number = native(sealed_id).partition(":")
            try:
                found, _ = http.json(f"/api/v3/{kind}", {"id": number})
            except StatusRefused:
                yield Gone(sealed_id)
                continue
            with shaped("Lemmy"):
                post, gone = _read(kind, found[f"{kind}_view"])
            yield Gone(sealed_id) if gone else post


def _client(settings: Settings) -> Http:
    base = settings.instance.rstrip("/")
    return Http("Lemmy", base, Throttle(f"lemmy {host_of(base)}", *LIMITS))


def _pages(run: Run, http: Http, community: str, kind: str) -> Iterator[Item]:
    """One list, from a page before the last one read: it shifts where posts are deleted, and `Run` knows the rest."""
    place = f"{kind}:{community}"
    run.state[place] = max(1, run.state.get(place, 1) - 1)
    while not run.full:
        asked = {"community_name": community, "sort": "Old", "type_": "All", "limit": PAGE, "page": run.state[place]}
        found, _ = http.json(f"/api/v3/{kind}/list", asked)
        with shaped("Lemmy"):
            page = [_read(kind, view) for view in found[f"{kind}s"]]
        run.counts.update(asked=len(page), received=len(page), deleted=sum(gone for _, gone in page))
        for post, gone in page:
            if run.full or post.created.timestamp() >= run.until:
                yield run.mark()
                return
            item = run.skip(native(post.id), "deleted") if gone else run.admit(post)
            if item is not None:
                yield item
        run.state[place] += len(page) == PAGE
        yield run.mark()
        if len(page) < PAGE:
            return


def _read(kind: str, view: dict[str, Any]) -> tuple[RawPost, bool]:
    """A post or comment view as a RawPost, and whether it is gone. A comment's path names all that it stands below."""
    has, creator = view[kind], view["creator"]
    above = has.get("path", "0").split(".")[1:-1]
    thread = f"post:{has['post_id'] if kind == 'comment' else has['id']}"
    text = has["content"] if kind == "comment" else joined(has["name"], has.get("body") or "", has.get("url") or "")
    post = RawPost(
        platform="lemmy",
        id=Sealed(f"{kind}:{has['id']}"),
        author=Sealed(creator["actor_id"]),
        text=Sealed(text),
        created=moment(has["published"]),
        thread=Sealed(thread),
        reply_to=Sealed(f"comment:{above[-1]}" if above else thread) if kind == "comment" else None,
        aliases=tuple(Sealed(n) for n in (creator["name"], creator.get("display_name")) if n),
        edited=moment(has["updated"]) if has.get("updated") else None,
        permalink=Sealed(has["ap_id"]),
    )
    return sound(post), bool(has["deleted"] or has["removed"])
