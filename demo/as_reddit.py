"""The fieldwork set in the shapes of Reddit's API: listings by page, comment trees with stubs, lookups."""

from __future__ import annotations

import re
from typing import Any

from .fieldwork import Row, native_id, parent_of, root_of, rows, threads

__all__ = ["answer", "subreddit"]

PAGE = 2
"""Submissions a page; far fewer than Reddit's hundred, so that a small set has pages too."""
SHOWN = 3
"""Top-level comments that a submission comes with; the others hide behind a stub, as in a busy thread."""
DEEP = 2
"""Below this many levels Reddit says "continue this thread"."""


def subreddit(case: str) -> str:
    """The subreddit that stands for a case."""
    return case.replace("-", "_")


def answer(method: str, path: str, query: dict[str, str]) -> Any | None:
    """What Reddit would answer, or None for a path that it does not have here."""
    path = path.rstrip("/")
    if (method, path) == ("POST", "/api/v1/access_token"):
        return {"access_token": "loopback", "token_type": "bearer", "expires_in": 86400, "scope": "*"}
    if (method, path) == ("POST", "/api/morechildren"):
        return {"json": {"errors": [], "data": {"things": _more_children(query)}}}
    if path == "/api/info":
        return _listing([_thing(r) for r in _named(query.get("id", ""))])
    if found := re.fullmatch(r"/r/(\w+)/(new|hot|top|rising|search)", path):
        return _submissions(found[1], query)
    if found := re.fullmatch(r"/comments/(\w+)(?:/_/(\w+))?", path):
        return _comments(found[1], found[2])
    return None


def _submissions(name: str, query: dict[str, str]) -> dict[str, Any] | None:
    """A page of submissions, newest first, with the name of its last where more follow."""
    case = next((r.case for r in rows(platform="reddit") if subreddit(r.case) == name), None)
    if case is None:
        return None
    newest = sorted((t[0] for t in threads(case, "reddit")), key=lambda r: r.created, reverse=True)
    names = [native_id(r) for r in newest]
    start = names.index(query["after"]) + 1 if query.get("after") in names else 0
    end = start + min(PAGE, int(query.get("limit", 25)))
    after = names[end - 1] if end < len(names) else None
    return _listing([_thing(r) for r in newest[start:end]], after)


def _named(wanted: str) -> list[Row]:
    names = set(wanted.split(","))
    return [r for r in rows(platform="reddit") if native_id(r) in names]


def _comments(submission: str, comment: str | None) -> list[Any] | None:
    """A submission with its tree, or with the tree below one comment."""
    found = _named(f"t3_{submission}")
    if not found:
        return None
    if comment:
        return [_listing([_thing(found[0])]), _listing([_branch(r, 0) for r in _named(f"t1_{comment}")])]
    top = _children(found[0])
    shown = [_branch(r, 0) for r in top[:SHOWN]]
    hidden = top[SHOWN:]
    return [_listing([_thing(found[0])]), _listing(shown + ([_stub(found[0], hidden)] if hidden else []))]


def _children(row: Row) -> list[Row]:
    return [r for r in rows(row.case, row.platform) if r.thread == row.thread and parent_of(r) is row]


def _below(row: Row) -> list[Row]:
    return [row, *(deeper for child in _children(row) for deeper in _below(child))]


def _branch(row: Row, depth: int) -> dict[str, Any]:
    """A comment with its answers, down to where Reddit breaks a thread off."""
    thing, children = _thing(row), _children(row)
    if children and depth + 1 >= DEEP:
        thing["data"]["replies"] = _listing([_stub(row, [])])
    elif children:
        thing["data"]["replies"] = _listing([_branch(c, depth + 1) for c in children])
    return thing


def _stub(parent: Row, hidden: list[Row]) -> dict[str, Any]:
    """A "more" object: for the comments named, or for "continue this thread" when none is."""
    ids = [native_id(r)[3:] for r in hidden]
    count = sum(len(_below(r)) for r in hidden)
    first = ids[0] if ids else "_"
    data = {"count": count, "children": ids, "id": first, "name": f"t1_{first}", "depth": 1}
    return {"kind": "more", "data": {**data, "parent_id": native_id(parent)}}


def _more_children(query: dict[str, str]) -> list[dict[str, Any]]:
    """The comments that a stub named and all below them, in one flat list."""
    named = _named(",".join(f"t1_{c}" for c in query.get("children", "").split(",")))
    return [_thing(row) for row in dict.fromkeys(deeper for top in named for deeper in _below(top))]


def _listing(children: list[Any], after: str | None = None) -> dict[str, Any]:
    return {
        "kind": "Listing",
        "data": {"after": after, "before": None, "dist": len(children), "children": children},
    }


def _thing(row: Row) -> dict[str, Any]:
    """A post as a t3 or t1 object."""
    parent, root, name = parent_of(row), root_of(row.case, row.thread), native_id(row)
    shared = {
        "id": name[3:],
        "name": name,
        "author": row.author,
        "created_utc": float(int(row.created.timestamp())),
        "edited": False,
        "subreddit": subreddit(row.case),
        "permalink": f"/r/{subreddit(row.case)}/comments/{native_id(root)[3:]}/_/{name[3:]}/",
    }
    if parent is None:
        size = sum(r.thread == row.thread for r in rows(row.case, row.platform)) - 1
        data = {"title": _title(row.text), "selftext": row.text, "is_self": True, "num_comments": size}
        return {"kind": "t3", "data": {**shared, **data, "url": "", "stickied": False}}
    data = {"body": row.text, "link_id": native_id(root), "parent_id": native_id(parent), "replies": ""}
    return {"kind": "t1", "data": {**shared, **data, "is_submitter": row.author == root.author}}


def _title(text: str) -> str:
    """The first sentence, as people who must give a title do."""
    return re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0][:300]
