"""The fieldwork set in the shapes of Bluesky's API: a search by page, threads, posts by address."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from .fieldwork import Row, did, native_id, parent_of, root_of, rows

__all__ = ["answer", "query"]

PLATFORM = "bluesky"
PAGE = 3
"""Posts a page; Bluesky's hundred would leave the set without a second page."""
LINK = re.compile(r"https?://[^\s]+")
MENTION = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")


def query(case: str) -> str:
    """The search that stands for a case."""
    return case.replace("-", " ")


def answer(method: str, asked: dict[str, list[str]]) -> Any | None:
    """What Bluesky would answer, or None for what it does not have here."""
    match method:
        case "app.bsky.feed.searchPosts":
            return _search({name: values[-1] for name, values in asked.items()})
        case "app.bsky.feed.getPostThread":
            found = _named(asked.get("uri", []))
            return {"thread": _node(found[0])} if found else None
        case "app.bsky.feed.getPosts":
            return {"posts": [_view(r) for r in _named(asked.get("uris", []))]}
    return None


def _named(uris: list[str]) -> list[Row]:
    return [r for r in rows(platform=PLATFORM) if native_id(r) in uris]


def _search(asked: dict[str, str]) -> dict[str, Any]:
    """
    A page of results, newest first: the openings of threads and every third answer.

    Answers seldom repeat the word that was searched for; the others are found by thread only.
    """
    every = enumerate(rows(platform=PLATFORM))
    hits = [r for n, r in every if query(r.case) == asked.get("q") and (not parent_of(r) or n % 3 == 0)]
    since, until = _moment(asked.get("since")), _moment(asked.get("until"))
    hits = [r for r in hits if (not since or r.created >= since) and (not until or r.created < until)]
    hits.sort(key=lambda r: r.created, reverse=True)
    start = int(asked.get("cursor", 0))
    end = start + min(PAGE, int(asked.get("limit", 25)))
    return {"posts": [_view(r) for r in hits[start:end]], **({"cursor": str(end)} if end < len(hits) else {})}


def _moment(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None


def _children(row: Row) -> list[Row]:
    return [r for r in rows(row.case, row.platform) if r.thread == row.thread and parent_of(r) is row]


def _node(row: Row) -> dict[str, Any]:
    kind = "app.bsky.feed.defs#threadViewPost"
    return {"$type": kind, "post": _view(row), "replies": [_node(child) for child in _children(row)]}


def _view(row: Row) -> dict[str, Any]:
    parent, created = parent_of(row), row.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    text, facets = _record_text(row)
    record: dict[str, Any] = {"text": text, "facets": facets, "createdAt": created, "langs": ["nl"]}
    if parent:
        root = root_of(row.case, row.thread)
        record["reply"] = {"root": {"uri": native_id(root)}, "parent": {"uri": native_id(parent)}}
    return {
        "uri": native_id(row),
        "author": {"did": did(row.author), "handle": row.author, "displayName": "", "labels": []},
        "record": {"$type": "app.bsky.feed.post", **record},
        "replyCount": len(_children(row)),
        "indexedAt": created,
    }


def _record_text(row: Row) -> tuple[str, list[dict[str, Any]]]:
    """The text with its links shortened, and the facets that say where links and mentions stand, in bytes."""
    authors = {r.author for r in rows(row.case, PLATFORM)}
    facets: list[dict[str, Any]] = []
    text, last = "", 0
    for found in sorted([*LINK.finditer(row.text), *MENTION.finditer(row.text)], key=lambda m: m.start()):
        handle = found[0][1:].rstrip(".")
        if found.start() < last or (found.re is MENTION and handle not in authors):
            continue
        text += row.text[last : found.start()]
        shown = found[0].split("//", 1)[1][:24] + "..." if found.re is LINK else "@" + handle
        feature = {"uri": found[0]} if found.re is LINK else {"did": did(handle)}
        start = len(text.encode())
        text += shown
        facets.append({"index": {"byteStart": start, "byteEnd": len(text.encode())}, "features": [feature]})
        last = found.end() if found.re is LINK else found.start() + len(handle) + 1
    return text + row.text[last:], facets
