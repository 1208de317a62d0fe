"""The fieldwork set in the shapes of Mastodon's API: a hashtag's timeline by page, conversations, statuses."""

from __future__ import annotations

import re
from datetime import UTC
from html import escape
from typing import Any

from .fieldwork import Row, native_id, parent_of, rows, whole

__all__ = ["answer", "hashtag"]

PAGE = 2
"""Statuses a page; Mastodon's own forty would leave the set without a second page."""
LINK = re.compile(r"https?://[^\s<]+|@[\w.-]+(?:@[\w.-]*\w)?")


def hashtag(case: str) -> str:
    """The hashtag that stands for a case."""
    return case.replace("-", "")


def answer(path: str, query: dict[str, str], base: str) -> tuple[Any, dict[str, str]] | None:
    """What Mastodon would answer, with its headers, or None for a path that it does not have here."""
    if found := re.fullmatch(r"/api/v1/timelines/tag/(\w+)", path):
        return _timeline(found[1], query, f"{base}{path}")
    if found := re.fullmatch(r"/api/v1/statuses/(\d+)(/context)?", path):
        row = next((r for r in rows(platform="mastodon") if native_id(r) == found[1]), None)
        if row is None:
            return None
        return (_context(row) if found[2] else _status(row)), {}
    return None


def _timeline(tag: str, query: dict[str, str], address: str) -> tuple[Any, dict[str, str]] | None:
    """
    A page of the statuses that carry the tag: the openings of threads and every third answer.

    People leave the tag out when they answer, so the others are found by conversation only.
    """
    tagged = [
        r
        for n, r in enumerate(rows(platform="mastodon"))
        if hashtag(r.case) == tag and (not parent_of(r) or n % 3 == 0)
    ]
    if not tagged:
        return None
    tagged.sort(key=lambda r: int(native_id(r)))
    size = min(PAGE, int(query.get("limit", 20)))
    if "min_id" in query:
        page = [r for r in tagged if int(native_id(r)) > int(query["min_id"])][:size]
    else:
        page = [r for r in tagged if int(native_id(r)) < int(query.get("max_id", 2**80))][-size:]
    if not page:
        return [], {}
    low, high = native_id(page[0]), native_id(page[-1])
    link = f'<{address}?limit={size}&max_id={low}>; rel="next", <{address}?limit={size}&min_id={high}>; rel="prev"'
    return [_status(r) for r in reversed(page)], {"Link": link}


def _context(row: Row) -> dict[str, Any]:
    above: list[Row] = []
    parent = parent_of(row)
    while parent:
        above.insert(0, parent)
        parent = parent_of(parent)
    return {"ancestors": [_status(r) for r in above], "descendants": [_status(r) for r in _below(row)[1:]]}


def _below(row: Row) -> list[Row]:
    children = [r for r in rows(row.case, row.platform) if r.thread == row.thread and parent_of(r) is row]
    return [row, *(deeper for child in children for deeper in _below(child))]


def _status(row: Row) -> dict[str, Any]:
    parent = parent_of(row)
    created = row.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answers = [r for r in rows(row.case, row.platform) if r.thread == row.thread and parent_of(r) is row]
    return {
        "id": native_id(row),
        "created_at": created,
        "in_reply_to_id": native_id(parent) if parent else None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "nl",
        "uri": f"{_page(row.author)}/{native_id(row)}",
        "url": f"{_page(row.author)}/{native_id(row)}",
        "replies_count": len(answers),
        "edited_at": None,
        "content": _markup(row.text),
        "reblog": None,
        "account": _account(row.author),
        "media_attachments": [],
        "mentions": _mentions(row),
        "tags": [],
        "poll": None,
    }


def _page(author: str) -> str:
    """The address of an account's page; an author without a host lives on the server itself."""
    name, host = whole(author).split("@")
    return f"https://{host}/@{name}"


def _account(author: str) -> dict[str, Any]:
    name = author.split("@", maxsplit=1)[0]
    return {
        "acct": author,
        "username": name,
        "display_name": name,
        "url": _page(author),
        "note": "",
        "noindex": False,
    }


def _mentions(row: Row) -> list[dict[str, Any]]:
    """Accounts of this case that the text addresses, by their short or whole name."""
    authors = dict.fromkeys(r.author for r in rows(row.case, row.platform))
    named = {m.lstrip("@").rstrip(".") for m in re.findall(r"@[\w.@-]+", row.text)}
    return [_account(a) for a in authors if {a, a.split("@")[0]} & named]


def _markup(text: str) -> str:
    """The text as Mastodon ships it: paragraphs, breaks, shortened links, mention cards."""
    paragraphs = [p.replace("\n", "<br />") for p in LINK.sub(_linked, escape(text, quote=False)).split("\n\n")]
    return "".join(f"<p>{p}</p>" for p in paragraphs)


def _linked(match: re.Match[str]) -> str:
    found = match[0]
    if found.startswith("@"):
        return f'<span class="h-card"><a href="#" class="u-url mention">@<span>{found[1:]}</span></a></span>'
    scheme, rest = re.fullmatch(r"(https?://(?:www\.)?)(.*)", found, re.DOTALL).groups()  # type: ignore[union-attr]
    shown, hidden = (
        f'<span class="ellipsis">{rest[:30]}</span>',
        f'<span class="invisible">{rest[30:]}</span>',
    )
    return f'<a href="{found}" rel="nofollow"><span class="invisible">{scheme}</span>{shown}{hidden}</a>'
