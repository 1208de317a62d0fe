"""The clock that waiting and limits go by: the real one, unless a test keeps another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Clock", "keeping", "now", "sleep"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the epoch, and how to let some pass."""

    seconds: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


_current: ContextVar[Clock] = ContextVar("clock")
_SYSTEM = Clock()


def seconds() -> float:
    """Seconds since the epoch by the clock in force."""
    return _current.get(_SYSTEM).seconds()


def now() -> datetime:
    """This moment, UTC, by the clock in force."""
    return datetime.fromtimestamp(seconds(), UTC)


def sleep(pause: float) -> None:
    """Let *pause* seconds pass on the clock in force."""
    if pause > 0:
        _current.get(_SYSTEM).sleep(pause)


@contextmanager
def keeping(clock: Clock) -> Iterator[Clock]:
    """Go by another clock inside the block."""
    token = _current.set(clock)
    try:
        yield clock
    finally:
        _current.reset(token)
