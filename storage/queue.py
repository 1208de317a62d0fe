"""
A fair queue before a file: processes and threads take their turn in the order in which they came.

Each waiter draws a ticket, a small file in the queue's folder that it keeps locked while it lives. The
lowest living ticket has the turn. A process that dies loses its lock with its life, whoever stands behind
it clears the ticket away, and nobody is passed over. A ticket says which process and command it is; never
what the command works on.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import StoreError, explain_os

PROGRAMS = frozenset({"veldwerk", "__main__.py"})
LONGEST_NAP = 0.01
"""Seconds: how much later than at once a waiter may see that it has the turn."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody's place in the queue."""

    number: int
    path: Path
    file: int


class Queue:
    """The queue that stands before *target*; `turn()` waits up to `patience` seconds for one's turn."""

    def __init__(self, target: Path, patience: float) -> None:
        self._target = target
        self._folder = target.with_name(f"{target.name}.queue")
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[float]:
        """One's turn, and after how many seconds it came; StoreError saying who has it when it does not come."""
        start = time.monotonic()
        ticket = self._draw(start + self._patience)
        try:
            self._wait(ticket, start + self._patience)
            yield time.monotonic() - start
        finally:
            _tear(ticket)

    def waiting(self) -> int:
        """How many hold a ticket now, dead ones included."""
        return len(self._numbers())

    def _draw(self, deadline: float) -> Ticket:
        """A ticket with the next number, locked before anybody else can draw."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            door = os.open(self._folder / "door", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explain_os(error, self._folder) from None
        try:
            _lock_by(door, deadline, f"{self._folder}: the door of the queue stays shut; is the disk reachable?")
            return self._next_ticket()
        except OSError as error:
            raise explain_os(error, self._folder) from None
        finally:
            os.close(door)

    def _next_ticket(self) -> Ticket:
        number = max(self._numbers(), default=0) + 1
        path = self._folder / f"{number:012d}"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        ticket = Ticket(number, path, file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(file, json.dumps(_whoami()).encode())
        except OSError:
            _tear(ticket)
            raise
        return ticket

    def _wait(self, ticket: Ticket, deadline: float) -> None:
        """Until no living ticket is lower. Lower numbers are never drawn again while this one lives."""
        nap = 0.0005
        while lower := [n for n in self._numbers() if n < ticket.number]:
            if self._gone(lower[-1]):
                nap = 0.0005
                continue
            if time.monotonic() > deadline:
                raise StoreError(self._who_holds(lower))
            time.sleep(nap)
            nap = min(nap * 1.5, LONGEST_NAP)

    def _gone(self, number: int) -> bool:
        """Whether this ticket's owner is done or dead; a dead one's ticket is cleared away."""
        path = self._folder / f"{number:012d}"
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            with suppress(FileNotFoundError):
                path.unlink()
            return True
        finally:
            os.close(file)

    def _numbers(self) -> list[int]:
        return sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())

    def _who_holds(self, lower: list[int]) -> str:
        try:
            told = json.loads((self._folder / f"{lower[0]:012d}").read_text())
            who = f"`{told['command']}` (process {told['process']}, since {told['since']})"
        except (OSError, ValueError, KeyError):
            who = "a process that has just left"
        others = f", {len(lower) - 1} more waited before this one" if len(lower) > 1 else ""
        return (
            f"{self._target}: waited {self._patience:.0f} s for the store; {who} has it{others}. "
            "Wait until it is done, or stop it, and run the same command again"
        )


def _lock_by(file: int, deadline: float, otherwise: str) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreError(otherwise) from None
            time.sleep(0.001)
        else:
            return


def _tear(ticket: Ticket) -> None:
    """Leave the queue. The lock is given up by name: a forked child may still hold the same file."""
    with suppress(FileNotFoundError):
        ticket.path.unlink()
    fcntl.flock(ticket.file, fcntl.LOCK_UN)
    os.close(ticket.file)


def _whoami() -> dict[str, object]:
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return {"process": os.getpid(), "command": _command(sys.argv), "since": since}


def _command(argv: list[str]) -> str:
    """The program and, of our own, the subcommand: no other argument, for it may name a person."""
    program = Path(argv[0]).name if argv else "python"
    if program not in PROGRAMS:
        return program or "python"
    verb = next((word for word in argv[1:] if re.fullmatch(r"[a-z]{2,16}", word)), "")
    return f"veldwerk {verb}".strip()
