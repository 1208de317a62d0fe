"""
Rate limits and waiting times, kept in files, so that runs of one platform share them and remember them.

A platform publishes so many requests per so many seconds. `Throttle` counts requests in a hundred
slots of that time and lets one through only while the whole window, with a little to spare for the road
(2 %, a second at least), holds fewer than allowed: a fixed or sliding window on the other side is never
tripped, and a long run reaches 97 % of the published rate. What the platform itself says (remaining,
reset, retry-after) is kept beside it and goes first.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from . import RateLimited, _clock

__all__ = ["PATIENCE", "Limit", "Throttle", "folder"]

PATIENCE = 900.0
"""Seconds that a run waits for a platform; a longer wait ends the run, and the next goes on from there."""

FORGET = 14 * 86_400.0
SLOTS = 100
SPARE = 0.02
ROAD = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests (or units of quota) per so many seconds, as the platform publishes it."""

    requests: int
    seconds: float

    @property
    def span(self) -> float:
        """Seconds that a request counts: answers travel, so that theirs and our stretches of time differ."""
        return self.seconds + max(SPARE * self.seconds, ROAD)


@dataclass(slots=True)
class _State:
    """What is kept of one throttle; times are seconds since the epoch."""

    counted: dict[str, dict[int, int]] = field(default_factory=dict)
    blocked: float = 0.0
    remaining: float | None = None
    reset: float = 0.0


class Throttle:
    """
    The gate in front of one platform (`name`: platform and host), shared by all processes of this home.

    `take` lets one request through, after waiting where needed, or raises RateLimited when that would
    take longer than `patience` seconds. `heed` and `block` take in what the platform says.
    """

    def __init__(self, name: str, *limits: Limit, patience: float = PATIENCE) -> None:
        self.name = name
        self.limits = limits
        self.patience = patience
        self._path = folder() / (re.sub(r"[^a-z0-9.-]+", "_", name.lower()) + ".json")
        self._lock = FileLock(f"{self._path}.lock")

    def take(self, units: int = 1) -> None:
        """Wait until *units* requests may go out, and count them; RateLimited when the wait is too long."""
        while True:
            with self._lock:
                state = self._read()
                ready = self._ready(state, units)
                wait = ready - _clock.seconds()
                if wait <= 0:
                    self._count(state, units)
                    self._write(state)
                    return
            if wait > self.patience:
                raise self._refusal(ready)
            _clock.sleep(wait)

    def heed(self, remaining: float, reset: float) -> None:
        """The platform says that *remaining* requests are left until *reset* (seconds since the epoch)."""
        with self._lock:
            state = self._read()
            same = state.remaining is not None and abs(state.reset - reset) <= 2.0
            state.remaining = min(remaining, state.remaining or 0.0) if same else remaining
            state.reset = reset
            self._write(state)

    def block(self, until: float) -> None:
        """The platform refuses requests up to *until* (epoch seconds); RateLimited where that is too long."""
        refusal = self.close(until)
        if until - _clock.seconds() > self.patience:
            raise refusal

    def close(self, until: float) -> RateLimited:
        """Let nothing through up to *until*; returns the error that says so, for the caller to raise."""
        with self._lock:
            state = self._read()
            state.blocked = max(state.blocked, until)
            self._write(state)
        return self._refusal(until)

    def _refusal(self, until: float) -> RateLimited:
        resume = datetime.fromtimestamp(until, UTC)
        msg = f"{self.name} allows no request before {resume:%Y-%m-%d %H:%M} UTC; run again then to go on"
        return RateLimited(msg, resume)

    def _ready(self, state: _State, units: int) -> float:
        """The moment from which *units* requests may go out."""
        moment = _clock.seconds()
        ready = max(moment, state.blocked)
        if state.remaining is not None and state.remaining < units and state.reset > moment:
            ready = max(ready, state.reset)
        return max(
            [
                ready,
                *(_free(limit, state.counted.get(_key(limit), {}), units, moment) for limit in self.limits),
            ]
        )

    def _count(self, state: _State, units: int) -> None:
        moment = _clock.seconds()
        for limit in self.limits:
            width = limit.seconds / SLOTS
            slots = state.counted.setdefault(_key(limit), {})
            slots[int(moment // width)] = slots.get(int(moment // width), 0) + units
            oldest = int((moment - limit.span) // width)
            state.counted[_key(limit)] = {slot: n for slot, n in slots.items() if slot >= oldest}
        if state.remaining is not None:
            state.remaining = state.remaining - units if state.reset > moment else None

    def _read(self) -> _State:
        try:
            found = json.loads(self._path.read_text())
            counted = {k: {int(s): int(n) for s, n in slots.items()} for k, slots in found.pop("counted").items()}
            return _State(counted, **found)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return _State()  # none yet, or cut short: what the platform says will set it right

    def _write(self, state: _State) -> None:
        text = json.dumps({n: getattr(state, n) for n in ("counted", "blocked", "remaining", "reset")})
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, text.encode(), 0)  # in place: cutting the file to nothing first costs a flush
            os.ftruncate(file, len(text))
        finally:
            os.close(file)


def _key(limit: Limit) -> str:
    return f"{limit.requests}/{limit.seconds:g}"


def _free(limit: Limit, slots: dict[int, int], units: int, moment: float) -> float:
    """When the window of *limit* has room for *units* more: slots leave it whole, oldest first."""
    width = limit.seconds / SLOTS
    span = limit.span
    held = {slot: n for slot, n in slots.items() if (slot + 1) * width + span > moment}
    total, ready = sum(held.values()), moment
    for slot in sorted(held):
        if total + units <= limit.requests:
            break
        total -= held[slot]
        ready = (slot + 1) * width + span
    return ready


def folder() -> Path:
    """Where the limits of this home are kept; they name platforms and times, nobody and nothing else."""
    home = Path(os.environ.get("VELDWERK_HOME") or "fieldwork")
    place = home / "limits"
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():  # no limit reaches that far back
        if time.time() - old.stat().st_mtime > FORGET:
            old.unlink(missing_ok=True)
    return place
