"""The fieldwork set in the shapes of a Discourse forum: categories, lists of topics, topics, posts."""

from __future__ import annotations

import re
from datetime import UTC
from html import escape
from typing import Any

from .fieldwork import Row, native_id, native_thread, root_of, row_of, rows, threads

__all__ = ["answer"]

PLATFORM = "forum"
SHOWN = 4
"""Posts that a topic comes with (Discourse: 20); the others must be asked for by id."""


def answer(path: str, query: dict[str, list[str]]) -> Any | None:
    """What the forum would answer, or None for a path that it does not have here."""
    if path == "/categories.json":
        return {"category_list": {"categories": [{"id": n + 1, "slug": c} for n, c in enumerate(_cases())]}}
    if path == "/posts.json":
        newest = sorted(rows(platform=PLATFORM), key=lambda r: int(native_id(r)), reverse=True)[:10]
        return {"latest_posts": [_post(r) for r in newest]}
    if found := re.fullmatch(r"/c/([\w-]+)/(\d+)/l/latest\.json", path):
        return _topics(found[1]) if found[1] in _cases() else None
    if found := re.fullmatch(r"/t/(\d+)(?:/\d+)?\.json", path):
        return _topic(found[1], None)
    if found := re.fullmatch(r"/t/(\d+)/posts\.json", path):
        return _topic(found[1], set(query.get("post_ids[]", [])))
    if found := re.fullmatch(r"/posts/(\d+)\.json", path):
        return next((_post(r) for r in rows(platform=PLATFORM) if native_id(r) == found[1]), None)
    return None


def _cases() -> list[str]:
    return list(dict.fromkeys(r.case for r in rows(platform=PLATFORM)))


def _topics(case: str) -> dict[str, Any]:
    """The topics of a category, most recently active first."""
    topics = [
        {
            "id": int(native_thread(posts[0])[1:]),
            "title": _title(posts[0]),
            "posts_count": len(posts),
            "highest_post_number": len(posts),
            "bumped_at": _stamp(posts[-1]),
            "pinned": False,
        }
        for posts in threads(case, PLATFORM)
    ]
    return {"topic_list": {"topics": sorted(topics, key=lambda t: str(t["bumped_at"]), reverse=True)}}


def _topic(number: str, wanted: set[str] | None) -> dict[str, Any] | None:
    """A topic with its first posts, or only those wanted."""
    posts = next((t for t in threads(None, PLATFORM) if native_thread(t[0]) == f"t{number}"), None)
    if posts is None:
        return None
    shown = posts[:SHOWN] if wanted is None else [r for r in posts if native_id(r) in wanted]
    stream = {"posts": [_post(r) for r in shown], "stream": [int(native_id(r)) for r in posts]}
    return {"id": int(number), "title": _title(posts[0]), "posts_count": len(posts), "post_stream": stream}


def _post(row: Row) -> dict[str, Any]:
    return {
        "id": int(native_id(row)),
        "username": row.author,
        "name": "",
        "created_at": _stamp(row),
        "updated_at": _stamp(row),
        "cooked": _cooked(row.text),
        "post_number": _number(row),
        "post_type": 1,
        "reply_to_post_number": _number(row_of(row.reply_to)) if row.reply_to else None,
        "topic_id": int(native_thread(row)[1:]),
        "topic_title": _title(root_of(row.case, row.thread)),
        "version": 1,
        "hidden": False,
        "user_deleted": False,
    }


def _number(row: Row) -> int:
    """Its place in the topic, from 1."""
    posts = next(t for t in threads(row.case, PLATFORM) if row in t)
    return posts.index(row) + 1


def _stamp(row: Row) -> str:
    return row.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _title(row: Row) -> str:
    return re.split(r"(?<=[.!?])\s|\n", row.text, maxsplit=1)[0][:250]


def _cooked(text: str) -> str:
    linked = re.sub(r"@([\w-]+)", r'<a class="mention" href="/u/\1">@\1</a>', escape(text, quote=False))
    return "\n".join(f"<p>{p.replace(chr(10), '<br>' + chr(10))}</p>" for p in linked.split("\n\n"))
