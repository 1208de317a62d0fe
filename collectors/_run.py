"""What every collection run of a live platform keeps count of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import Mark, RawPost, Window
from ._cursor import opened, sealed

__all__ = ["Run"]


@dataclass
class Run:
    """
    One run: its window, the state that becomes the cursor, and what was counted since the last mark.

    `sent` tells how many requests have gone out. The counts of a run add up to its completeness report:
    "asked" is what the platform announced, "received" what came of it, "deleted", "private" and "gap" what
    did not, "capped" how often the platform shows no further back, "requests" what it cost.
    """

    window: Window
    sent: Callable[[], int]
    state: dict[str, Any] = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)
    given: int = 0
    _sent: int = 0

    def __post_init__(self) -> None:
        self.state = opened(self.window.cursor)

    @property
    def full(self) -> bool:
        """Whether the window's limit is reached."""
        return self.window.limit is not None and self.given >= self.window.limit

    @property
    def since(self) -> float:
        """The window's beginning in seconds since the epoch; 0 when it has none."""
        return self.window.since.timestamp() if self.window.since else 0.0

    @property
    def until(self) -> float:
        """The window's end in seconds since the epoch; infinite when it has none."""
        return self.window.until.timestamp() if self.window.until else float("inf")

    def admit(self, post: RawPost) -> RawPost | None:
        """The post, counted, if the window holds it."""
        if not self.window.holds(post.created):
            return None
        self.given += 1
        return post

    def mark(self) -> Mark:
        """Where to go on, with what was counted since the last mark."""
        sent = self.sent()
        self.counts["requests"] += sent - self._sent
        self._sent = sent
        counts, self.counts = {k: n for k, n in self.counts.items() if n}, Counter()
        return Mark(sealed(self.state), counts)
