"""Progress on a terminal, silence in a pipe: one null object, so that no step asks which."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Silent progress: takes what it is told and shows nothing."""

    def say(self, line: str) -> None:
        """One line worth knowing now."""

    def count(self, items: Iterable[T], what: str) -> Iterator[T]:
        """*items* again, counted on the way."""
        yield from items

    def done(self) -> None:
        """The step is over; clear what was drawn."""


class TerminalProgress(Progress):
    """Progress for a person: lines on stderr, and one counting line that is drawn over."""

    def __init__(self) -> None:
        self._last = 0.0

    def say(self, line: str) -> None:
        self.done()
        print(line, file=sys.stderr)

    def count(self, items: Iterable[T], what: str) -> Iterator[T]:
        for n, item in enumerate(items, 1):
            yield item
            if time.monotonic() - self._last > 0.2:
                self._last = time.monotonic()
                print(f"\r\033[K{what}: {n:,}", end="", file=sys.stderr, flush=True)
        self.done()

    def done(self) -> None:
        if self._last:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._last = 0.0


def progress() -> Progress:
    """What fits this process: something to see on a terminal, nothing in a pipe."""
    return TerminalProgress() if sys.stderr.isatty() else Progress()
