"""Redaction of long streams on all cores; texts go to the workers through pipes and never to a disk."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice

from .found import Found
from .redactor import Redactor, Setting

_redactor: Redactor | None = None


def _prepare(setting: Setting) -> None:
    global _redactor  # noqa: PLW0603 (one redactor a worker process)
    _redactor = Redactor(setting)


def _find(texts: Sequence[str]) -> list[list[Found]]:
    assert _redactor is not None
    return _redactor.find_many(texts)


def find_in_parallel(
    batches: Iterable[Sequence[str]], setting: Setting, processes: int | None = None
) -> Iterator[list[list[Found]]]:
    """
    The finds of each batch, in order. At most three batches a worker are held at a time.

    With one core, or one batch, no worker is started.
    """
    workers = processes or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stream = iter(batches)
    first = list(islice(stream, 2))
    if workers < 2 or len(first) < 2:
        redactor = Redactor(setting)
        for batch in (*first, *stream):
            yield redactor.find_many(batch)
        return
    # A forked worker has the model at once; where that is not to be had, each loads its own.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    _prepare(setting)
    with ProcessPoolExecutor(workers, multiprocessing.get_context(method), _prepare, (setting,)) as pool:
        waiting: deque[Future[list[list[Found]]]] = deque()
        for batch in (*first, *stream):
            waiting.append(pool.submit(_find, batch))
            if len(waiting) >= 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
