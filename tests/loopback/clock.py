"""A clock that stands still until somebody sleeps: tests wait for nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collectors._clock import Clock, keeping


@dataclass
class Standing:
    """`moment` in epoch seconds; `slept` holds each pause."""

    moment: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, pause: float) -> None:
        with self._lock:
            self.slept.append(pause)
            self.moment += pause


@contextmanager
def standing(moment: float | None = None) -> Iterator[Standing]:
    """Let the collectors go by a standing clock inside the block."""
    clock = Standing() if moment is None else Standing(moment)
    with keeping(Clock(lambda: clock.moment, clock.sleep)):
        yield clock
