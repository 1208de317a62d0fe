"""The rows of the fieldwork set, and how each platform would number them. Everything in it is invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from zlib import crc32

__all__ = ["API_PLATFORMS", "COLLECTORS", "Row", "native_author", "native_id", "native_thread", "rows"]

COLLECTORS = {"reddit": "reddit", "mastodon": "mastodon", "bluesky": "bluesky", "forum": "discourse"}
"""The platforms of the set that have an API, and the collector for each; the others come as exports."""
API_PLATFORMS = tuple(COLLECTORS)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
ATPROTO = "234567abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Row:
    """One post of the set, as its JSON line says; `reply_to` and `thread` are ids of the set."""

    id: str
    case: str
    platform: str
    thread: str
    reply_to: str | None
    author: str
    created: datetime
    text: str


@cache
def _all() -> tuple[Row, ...]:
    found = []
    for path in sorted((files("demo") / "gold" / "dev").iterdir(), key=lambda p: p.name):
        for line in path.read_text(encoding="utf-8").splitlines():
            r = json.loads(line)
            created = datetime.fromisoformat(r["created_at"])
            told = (r["id"], r["case"], r["platform"], r["thread"], r["reply_to"], r["author"])
            found.append(Row(*told, created, r["text"]))
    return tuple(found)


def rows(case: str | None = None, platform: str | None = None) -> list[Row]:
    """The posts of a case on a platform, or of all, in the order of the set."""
    return [r for r in _all() if case in (None, r.case) and platform in (None, r.platform)]


def threads(case: str | None, platform: str) -> Iterator[list[Row]]:
    """The posts by thread, each thread from its first post on."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows(case, platform):
        grouped.setdefault((row.case, row.thread), []).append(row)
    yield from (sorted(group, key=lambda r: r.created) for group in grouped.values())


@cache
def root_of(case: str, thread: str) -> Row:
    """The first post of a thread."""
    return min((r for r in rows(case) if r.thread == thread), key=lambda r: r.created)


@cache
def row_of(row_id: str) -> Row:
    """The post with this id of the set."""
    return next(r for r in _all() if r.id == row_id)


def parent_of(row: Row) -> Row | None:
    """
    What a post answers on its platform: None for a thread's first post.

    A later post that answers nobody stands, where the platform knows no such thing, below the first.
    """
    if row.reply_to:
        return row_of(row.reply_to)
    root = root_of(row.case, row.thread)
    return None if row is root or row.platform == "forum" else root


def native_id(row: Row) -> str:
    """The id under which the collector of its platform yields this post (API platforms only)."""
    number = crc32(row.id.encode())
    match row.platform:
        case "reddit":
            return f"{'t1' if parent_of(row) else 't3'}_{_base(number, DIGITS)}"
        case "mastodon":
            return str((int(row.created.timestamp() * 1000) << 16) + number % 65536)
        case "bluesky":
            return f"at://{did(row.author)}/app.bsky.feed.post/{_base(number, ATPROTO).rjust(13, '3')}"
        case "forum":
            return str(number)
    msg = f"{row.platform} has no API here; its posts come as exports"
    raise LookupError(msg)


def native_thread(row: Row) -> str:
    """The native id of the thread that this post stands in."""
    root = root_of(row.case, row.thread)
    return f"t{native_id(root)}" if row.platform == "forum" else native_id(root)


def native_author(row: Row) -> str:
    """The author as the collector of the platform names them."""
    match row.platform:
        case "mastodon":
            return whole(row.author)
        case "bluesky":
            return did(row.author)
    return row.author


def whole(account: str) -> str:
    """A Mastodon account with its host; those of the set's own server carry none."""
    return account if "@" in account else f"{account}@dorpsplein.example"


def did(handle: str) -> str:
    """The invented permanent id behind a Bluesky handle."""
    return f"did:plc:{_base(crc32(handle.encode()) * 7919 * crc32(handle[::-1].encode()), ATPROTO)[:24].rjust(24, '2')}"


def _base(number: int, digits: str) -> str:
    text = ""
    while number:
        number, rest = divmod(number, len(digits))
        text = digits[rest] + text
    return text or digits[0]
