"""Apply the retention periods of the case files, and keep out whom an erasure keeps out."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ethics.retention import due
from ethics.rights import obey_suppressions, remove_posts

from .case import Case
from .errors import WorkFailed
from .home import Home
from .receipt import Receipt


def retain_case(home: Home, case: Case, *, dry_run: bool = False, now: datetime | None = None) -> Receipt:
    """
    Remove the posts of one case whose time is over; with *dry_run* only count them.

    The counts hold the posts by rule: `case` for the case's own days, else the platform. WorkFailed when
    something of them is still found afterwards.
    """
    start = time.monotonic()
    found = due(home.holdings, case.id, case.policy, now or datetime.now(UTC))
    counts = {f"over: {rule}": len(posts) for rule, posts in found.items()}
    posts = [p for group in found.values() for p in group]
    if posts and not dry_run:
        removed = remove_posts(home.holdings, case.id, posts, why="retention")
        if not removed.proven:
            msg = f"{case.id}: removed posts are still found in {', '.join(removed.left)}"
            raise WorkFailed(msg)
        counts["removed"] = removed.posts
    return Receipt("retain", case.id, "", counts, time.monotonic() - start)


def keep_out(home: Home) -> Receipt:
    """Erase again what came in during an erasure or came back with a backup."""
    start = time.monotonic()
    n = obey_suppressions(home.holdings)
    return Receipt("keep out", counts={"erased again": n} if n else {}, seconds=time.monotonic() - start)
