"""A linear multi-label model over named features: scored with numpy alone, kept in one file without pickle."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._features import VIEWS, Bag
from .failures import ModelError

Array = NDArray[np.float32]
FORMAT = 1


@dataclass(frozen=True)
class Vocabulary:
    """The features a model knows: name -> column, one dictionary a view; `idf` weighs a column."""

    columns: tuple[dict[str, int], ...]
    idf: Array

    def __len__(self) -> int:
        return len(self.idf)

    @cached_property
    def _weights(self) -> list[float]:
        """The idf as plain numbers: taking one from an array costs ten times as much."""
        return [float(x) for x in self.idf]

    @classmethod
    def of(cls, documents: Sequence[tuple[Bag, ...]], *, least: int = 2) -> Vocabulary:
        """The features that at least *least* documents have, in an order of their own names."""
        columns: list[dict[str, int]] = []
        idf: list[float] = []
        for view, name in enumerate(VIEWS):
            seen: dict[str, int] = {}
            for document in documents:
                for feature in document[view]:
                    seen[feature] = seen.get(feature, 0) + 1
            kept = sorted(f for f, n in seen.items() if n >= least)
            columns.append({f: len(idf) + i for i, f in enumerate(kept)})
            flat = name in ("classes", "meaning")
            idf += [1.0 if flat else math.log((1 + len(documents)) / (1 + seen[f])) + 1 for f in kept]
        return cls(tuple(columns), np.array(idf, dtype=np.float32))

    def matrix(self, documents: Sequence[tuple[Bag, ...]], only: Sequence[str] = VIEWS) -> Any:
        """
        A CSR matrix (documents x features): (1 + ln count) x idf, of length 1 in each view of a document.

        `only` names the views that are filled; the others stay empty.
        """
        starts, places, values = [0], list[int](), list[float]()
        wanted = [VIEWS.index(name) for name in only]
        for document in documents:
            for view in wanted:
                self._view(document[view], self.columns[view], VIEWS[view] == "meaning", places, values)
            starts.append(len(places))
        shape = (len(documents), len(self))
        return sparse.csr_matrix((np.array(values, dtype=np.float32), places, starts), shape=shape)

    def _view(self, bag: Bag, columns: dict[str, int], raw: bool, places: list[int], values: list[float]) -> None:
        idf = self._weights
        found = [(columns[f], n) for f, n in bag.items() if f in columns]
        weighed = [n if raw else (1.0 + math.log(n) if n > 1 else 1.0) * idf[i] for i, n in found]
        length = math.sqrt(sum(w * w for w in weighed)) or 1.0
        places += [i for i, _ in found]
        values += [w / length for w in weighed]


@dataclass(frozen=True, slots=True)
class Linear:
    """
    A trained model.

    Decisions are `x @ weights + bias` (a column a code); `slope` and `shift` turn them into log-odds, fitted
    on decisions for unseen writers, whose logistic is the score. A code is given from `threshold` up; `sure`
    is the score from which its cross-validated precision was at least 0.85. `card` holds what the model card
    tells.
    """

    codes: tuple[str, ...]
    vocabulary: Vocabulary
    weights: Array
    bias: Array
    slope: Array
    shift: Array
    threshold: Array
    sure: Array
    card: dict[str, Any] = field(default_factory=dict)

    def decisions(self, documents: Sequence[tuple[Bag, ...]]) -> Array:
        """Raw decisions, a row a document and a column a code."""
        return np.asarray(self.vocabulary.matrix(documents) @ self.weights + self.bias, dtype=np.float32)

    def scores(self, documents: Sequence[tuple[Bag, ...]]) -> Array:
        """Calibrated probabilities, a row a document and a column a code."""
        return logistic(self.decisions(documents) * self.slope + self.shift)

    def save(self, path: Path) -> None:
        """Write the model to *path*: arrays and text only, weights in half precision."""
        names = "\n".join(f for columns in self.vocabulary.columns for f in columns)
        meta = {"format": FORMAT, "codes": self.codes, "sizes": [len(c) for c in self.vocabulary.columns],
                "views": VIEWS, "card": self.card}  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            np.savez_compressed(
                out, names=_bytes(names), meta=_bytes(json.dumps(meta)), weights=self.weights.astype(np.float16),
                idf=self.vocabulary.idf.astype(np.float16), bias=self.bias, slope=self.slope, shift=self.shift,
                threshold=self.threshold, sure=self.sure,
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path | Traversable) -> Linear:
        """The model at *path*; ModelError when the file is not one. Nothing in the file can run."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                parts = {name: stored[name] for name in stored.files}
            meta = json.loads(parts["meta"].tobytes())
            return cls._of(parts, meta)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            msg = f"{path}: not a model of this version ({type(error).__name__}); train it again: veldwerk train"
            raise ModelError(msg) from None

    @classmethod
    def _of(cls, parts: dict[str, Any], meta: dict[str, Any]) -> Linear:
        if meta["format"] != FORMAT or tuple(meta["views"]) != VIEWS:
            raise ValueError("another format")
        names = parts["names"].tobytes().decode().split("\n")
        columns, start = [], 0
        for size in meta["sizes"]:
            columns.append({name: start + i for i, name in enumerate(names[start : start + size])})
            start += size
        idf = parts["idf"].astype(np.float32)
        weights = parts["weights"].astype(np.float32)
        if len(names) != len(idf) or weights.shape != (len(idf), len(meta["codes"])):
            raise ValueError("parts do not fit")
        rest = {n: parts[n].astype(np.float32) for n in ("bias", "slope", "shift", "threshold", "sure")}
        return cls(tuple(meta["codes"]), Vocabulary(tuple(columns), idf), weights, card=meta["card"], **rest)


def logistic(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))), dtype=np.float32)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
