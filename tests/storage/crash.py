"""
A process that works on a store until it is killed.

Run as a module it waits with everything imported; each line "work path" makes a forked child that says its
process id, opens the store, says "go" and works on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from storage import Store
from storage.rights import erase

from .made import CASES, KEY, batches, coding, marks

LAST = 10**6


def open_store(path: Path) -> Store:
    return Store(path, KEY, patience=60)


def import_(store: Store) -> None:
    """Go on from the cursor, as an import does, batch by batch."""
    store.count()
    go()
    for batch in batches(int(store.cursor(CASES[0], "made") or 0), LAST, 40):
        store.add(batch)


def code(store: Store) -> None:
    """Code what has not been seen, thirty posts in one transaction."""
    store.begin_coding(coding())
    go()
    some = []
    for post in store.posts(not_coded_by="rules-1"):
        some.append(post)
        if len(some) == 30:
            store.annotate("rules-1", [(p.id, p.version) for p in some], marks("rules-1", tuple(some)))
            some.clear()


def erase_(store: Store) -> None:
    """Erase five posts and rewrite, again and again."""
    ids = [p.id for p in store.posts()]
    go()
    for n in range(0, len(ids), 5):
        erase(store, CASES[0], ids[n : n + 5], suppressing=ids[n : n + 5])
        store.rewrite()


def migrate(store: Store) -> None:
    """Open a store of an earlier schema."""
    go()
    store.count()


def compact(store: Store) -> None:
    """Rewrite, again and again."""
    store.count()
    go()
    while True:
        store.rewrite()


WORK: dict[str, Callable[[Store], None]] = {
    "import": import_, "code": code, "erase": erase_, "migrate": migrate, "compact": compact,
}  # fmt: skip


def go() -> None:
    print("go", flush=True)


def _lines() -> Iterator[tuple[str, Path]]:
    for line in sys.stdin:
        work, path = line.rstrip("\n").split(" ", 1)
        yield work, Path(path)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for work, path in _lines():
        if os.fork() == 0:
            print(os.getpid(), flush=True)
            WORK[work](open_store(path))
            os._exit(0)


if __name__ == "__main__":
    main()
