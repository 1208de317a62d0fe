"""Redaction of long streams on all cores; texts go to the workers through pipes and never to a disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

from .redactor import Redactor, Setting

Result = TypeVar("Result")
Item = TypeVar("Item")
Work = Callable[[Redactor, Sequence[Item]], Result]
HELD = 3
"""How many batches a worker may have waiting, so that memory stays bounded however long the stream is."""

_redactor: Redactor | None = None


def _prepare(setting: Setting) -> None:
    global _redactor  # noqa: PLW0603 (one redactor a worker process)
    _redactor = Redactor(setting)


def _run(work: Work[Item, Result], texts: Sequence[Item]) -> Result:
    assert _redactor is not None
    return work(_redactor, texts)


def in_parallel(
    work: Work[Item, Result], batches: Iterable[Sequence[Item]], setting: Setting, processes: int | None = None
) -> Iterator[Result]:
    """
    What *work* (a function of a module) makes of a redactor and each batch, in order.

    With one core, or a single batch, no worker process is started.
    """
    workers = processes or _cores()
    stream = iter(batches)
    first = list(islice(stream, 2))
    if workers < 2 or len(first) < 2:
        redactor = Redactor(setting)
        for batch in (*first, *stream):
            yield work(redactor, batch)
        return
    # A forked worker has the model at once; else each loads its own. Beside other threads (those of a scheduled run,
    # say) a fork may copy a lock that nobody will ever let go.
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    method = "fork" if alone else "spawn"
    _prepare(setting)
    with ProcessPoolExecutor(workers, multiprocessing.get_context(method), _prepare, (setting,)) as pool:
        waiting: deque[Future[Result]] = deque()
        for batch in (*first, *stream):
            waiting.append(pool.submit(_run, work, batch))
            if len(waiting) >= HELD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
