"""
The model coder: a linear model over words, stems, word classes, labels and thread context, trained on gold.

A study that has trained its own model (`veldwerk train`) uses that; else the shipped one, which learnt
from texts authored for this project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from coding import Codebook, Mark, Unit
from coding._embeddings import embedder
from coding._evidence import Evidence
from coding._features import VIEWS
from coding._linear import Array, Linear
from coding.failures import ModelError
from coding.training import documents_of

VERSION = "model.v2"
BATCH = 512


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    `path` is a trained model's file, empty for the shipped one; `digest` says which training is meant, so that
    a model trained anew is another coding.

    `sure` gives a code only where its cross-validated precision was at least 0.85, and so leaves the band
    between that and the threshold to people. `thread` lets the model hear the post replied to and the
    opener. `embeddings` is the folder of the sentence model that a model trained with one needs.
    """

    path: str = ""
    digest: str = ""
    sure: bool = False
    thread: bool = True
    embeddings: str = ""


def code(units: Iterable[Unit], codebook: Codebook, settings: Settings) -> Iterator[tuple[Mark, ...]]:
    """
    One tuple of marks a unit, in order: a mark a code from its threshold up, its score a calibrated probability.

    A post that the model takes to have no code at all gets none (see `Linear`).

    Evidence is the stretch of words that speaks most for the code; `rule` names the classes in it.
    Codes that the codebook no longer has are left out.
    """
    model = _chosen(settings)
    evidence = _evidence(settings.path, _stamp(settings.path))
    known = {c.id for c in codebook.codes}
    limit = model.sure if settings.sure else model.threshold
    stream = iter(units)
    while batch := list(islice(stream, BATCH)):
        for unit, row, about in zip(batch, *_judged(model, batch, settings), strict=True):
            given = [int(j) for j in np.flatnonzero(about & (row >= limit)) if model.codes[j] in known]
            yield tuple(evidence.marks(unit.post.text, given, row))


def scores(units: Iterable[Unit], settings: Settings) -> Iterator[dict[str, float]]:
    """The calibrated probability of every code for each unit, in order: what uncertainty sampling asks for."""
    model = _chosen(settings)
    stream = iter(units)
    while batch := list(islice(stream, BATCH)):
        for row in _judged(model, batch, settings)[0]:
            yield dict(zip(model.codes, map(float, row), strict=True))


def _chosen(settings: Settings) -> Linear:
    """The model that the settings name; ModelError when it is another training, or lacks its sentence model."""
    model = load(settings.path)
    if settings.digest and settings.digest != model.card.get("digest"):
        msg = f"{settings.path or 'the shipped model'}: has been trained anew since these settings were made"
        raise ModelError(msg)
    if model.vocabulary.columns[VIEWS.index("meaning")] and not settings.embeddings:
        msg = "this model was trained with sentence embeddings; VELDWERK_EMBEDDINGS must name the same local model"
        raise ModelError(msg)
    return model


def _judged(model: Linear, units: Sequence[Unit], settings: Settings) -> tuple[Array, NDArray[np.bool_]]:
    heard = [unit if settings.thread else Unit(unit.post) for unit in units]
    embed = embedder(settings.embeddings) if model.vocabulary.columns[VIEWS.index("meaning")] else None
    return model.judged(documents_of(heard, embed))


def load(path: str = "") -> Linear:
    """The model at *path*, or the shipped one; ModelError when the file is no model. Kept until the file changes."""
    return _load(path, _stamp(path))


def _stamp(path: str) -> tuple[int, int]:
    """What tells a file from its successor at the same place."""
    try:
        found = Path(path).stat() if path else None
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size) if found else (0, 0)


@lru_cache(maxsize=2)
def _load(path: str, stamp: tuple[int, int]) -> Linear:
    return Linear.load(Path(path) if path else files("coding.models") / "model.npz")


@lru_cache(maxsize=2)
def _evidence(path: str, stamp: tuple[int, int]) -> Evidence:
    return Evidence(_load(path, stamp))
