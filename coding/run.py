"""Run a coder over stored posts: what it has not seen yet, with its context, kept in batches so that it resumes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pydantic import BaseModel

from storage import Annotation, Coding, Store
from storage.posts import wanted

from . import Coder, Mark, Unit, in_threads, load_coder
from .codebook import Codebook

BATCH = 500


def coding_of(name: str, coder: Coder, codebook: Codebook, settings: BaseModel) -> Coding:
    """The provenance of such a run: the same coder, version, codebook and settings are one coding."""
    told = settings.model_dump_json()
    digest = hashlib.sha256("\0".join((name, coder.VERSION, codebook.digest, told)).encode()).hexdigest()[:16]
    return Coding(f"{name}-{digest}", name, name, coder.VERSION, codebook.digest, told, datetime.now(UTC))


def code_posts(
    store: Store,
    name: str,
    codebook: Codebook,
    settings: BaseModel | None = None,
    case: str | None = None,
    **beside: Any,
) -> Iterator[Counter[str]]:
    """
    Code the posts of *case* (or of all) that this coding has not seen in their current version.

    Yields counts after each kept batch: "posts" coded, "coded" with at least one code, "annotations". What is
    kept stays kept: a run that was stopped goes on where it was. `beside` goes to the coder as it is, such as the
    tally of a language model.
    """
    coder = load_coder(name)
    code: Any = coder.code
    filled = settings or coder.Settings()
    coding = coding_of(name, coder, codebook, filled)
    store.begin_coding(coding)
    unseen = set(wanted(store, case, None, coding.id)["id"].to_pylist())
    if not unseen:
        return
    units = (unit for unit in in_threads(store.posts(case)) if unit.post.id in unseen)
    while batch := list(islice(units, BATCH)):
        marks = list(code(iter(batch), codebook, filled, **beside))
        seen = [(unit.post.id, unit.post.version) for unit in batch]
        new = store.annotate(coding.id, seen, _annotations(coding.id, batch, marks))
        yield Counter(posts=new, coded=sum(map(bool, marks)), annotations=sum(map(len, marks)))


def _annotations(coding: str, units: Iterable[Unit], marks: Iterable[tuple[Mark, ...]]) -> Iterator[Annotation]:
    for unit, given in zip(units, marks, strict=True):
        for m in given:
            yield Annotation(coding, unit.post.id, m.code, m.score, m.start, m.end, m.rule, unit.post.version)
