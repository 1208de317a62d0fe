"""What every collection run of a live platform keeps count of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any

from . import Mark, RawPost, Skip, Window
from ._cursor import native, opened, sealed

__all__ = ["Run"]

SKIPPED = "skipped."
REMEMBERED = 2000
"""Posts that a cursor remembers, so that the next run does not bring them again by another way."""


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
    _told: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = opened(self.window.cursor)
        self._told = {entry[:12]: entry[12:] for entry in self.state.pop("told", ())}

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

    def knows(self, number: str) -> bool:
        """Whether the post with this native id was given lately, in this run or before."""
        return _digest(number, 6) in self._told

    def admit(self, post: RawPost) -> RawPost | None:
        """The post, counted, if the window holds it and it was not given lately, word for word."""
        number, text = _digest(native(post.id), 6), _digest(native(post.text), 4)
        if not self.window.holds(post.created) or self._told.get(number) == text:
            return None
        self._remember(number, text)
        self.given += 1
        return post

    def skip(self, number: str, reason: str) -> Skip | None:
        """A Skip for the post with this native id, unless it was skipped lately."""
        key = _digest(number, 6)
        if self._told.get(key) == SKIPPED:
            return None
        self._remember(key, SKIPPED)
        return Skip(reason)

    def forget(self) -> None:
        """A run that asks further back reads all again: what it knows may stand in a thread only half read."""
        self._told.clear()

    def _remember(self, number: str, text: str) -> None:
        self._told.pop(number, None)
        self._told[number] = text
        if len(self._told) > 100 * REMEMBERED:
            self._told = dict(islice(self._told.items(), 50 * REMEMBERED, None))

    def mark(self) -> Mark:
        """Where to go on, with what was counted since the last mark."""
        sent = self.sent()
        self.counts["requests"] += sent - self._sent
        self._sent = sent
        counts, self.counts = {k: n for k, n in self.counts.items() if n}, Counter()
        lately = islice(self._told.items(), max(0, len(self._told) - REMEMBERED), None)
        return Mark(sealed({**self.state, "told": [n + t for n, t in lately]}), counts)


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
