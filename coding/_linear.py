"""A linear multi-label model over named features: scored with numpy alone, kept in one file without pickle."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._features import VIEWS, Bag, runs
from .failures import ModelError

Array = NDArray[np.float32]
FORMAT = 2
KEPT = 60_000
"""How many word forms are kept taken apart."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features a model knows: name -> column, one dictionary a view; `idf` weighs a column."""

    columns: tuple[dict[str, int], ...]
    idf: Array
    _runs: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.idf)

    @classmethod
    def of(cls, documents: Sequence[tuple[Bag, ...]], *, least: int = 2) -> Vocabulary:
        """The features that at least *least* documents have, in an order of their own names."""
        columns: list[dict[str, int]] = []
        idf: list[float] = []
        for view, name in enumerate(VIEWS):
            seen: Counter[str] = Counter()
            for document in documents:
                bag = document[view]
                seen.update({run for form in bag for run in runs(form)} if name == "letters" else bag.keys())
            kept = sorted(f for f, n in seen.items() if n >= least)
            columns.append({f: len(idf) + i for i, f in enumerate(kept)})
            flat = name in ("classes", "meaning")
            idf += [1.0 if flat else math.log((1 + len(documents)) / (1 + seen[f])) + 1 for f in kept]
        return cls(tuple(columns), np.array(idf, dtype=np.float32))

    def matrix(self, documents: Sequence[tuple[Bag, ...]]) -> Any:
        """A CSR matrix (documents x features): (1 + ln count) x idf, of length 1 in each view of a document."""
        places, counts, starts = list[int](), list[float](), [0]
        for document in documents:
            for view, name in enumerate(VIEWS):
                if name == "letters":
                    self._spelt(document[view], places, counts)
                    continue
                get = self.columns[view].get
                found = [(i, n) for f, n in document[view].items() if (i := get(f)) is not None]
                places += [i for i, _ in found]
                counts += [n for _, n in found]
            starts.append(len(places))
        shape = (len(documents), len(self))
        x = sparse.csr_matrix((np.array(counts, dtype=np.float64), places, starts), shape=shape)
        x.sum_duplicates()
        return self._weighed(x)

    def _spelt(self, forms: Bag, places: list[int], counts: list[float]) -> None:
        """Add the letter runs of *forms*; what a form is made of is kept."""
        columns = self.columns[VIEWS.index("letters")]
        for form, n in forms.items():
            known = self._runs.get(form)
            if known is None:
                if len(self._runs) > KEPT:
                    self._runs.clear()
                known = self._runs[form] = tuple(columns[r] for r in runs(form) if r in columns)
            places += known
            counts += [n] * len(known)

    def _weighed(self, x: Any) -> Any:
        views = np.repeat(np.arange(len(VIEWS)), [len(c) for c in self.columns])[x.indices]
        # A count is dampened; the number of a vector is taken as it is.
        raw = views == VIEWS.index("meaning")
        values = np.where(raw, x.data, 1.0 + np.log(np.where(raw, 1.0, x.data))) * self.idf[x.indices]
        part = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr)) * len(VIEWS) + views
        length = np.sqrt(np.bincount(part, weights=values**2, minlength=1))
        x.data = values / np.where(length > 0, length, 1.0)[part]
        return x.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Linear:
    """
    A trained model.

    Decisions are `x @ weights + bias`: a column a code, and a last one that says whether the post has any code.
    `slope` and `shift` turn those of the codes into log-odds, fitted on decisions for unseen writers, whose
    logistic is the score. A code is given from `threshold` up, unless the last decision is below 0: then the post
    has nothing to do with the subject, and gets none. `sure` is the score from which a code's cross-validated
    precision was at least 0.85. `card` holds what the model card tells.
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
        """Raw decisions, a row a document and a column a code; the last column: any code at all."""
        return np.asarray(self.vocabulary.matrix(documents) @ self.weights + self.bias, dtype=np.float32)

    def scores(self, documents: Sequence[tuple[Bag, ...]]) -> Array:
        """Calibrated probabilities, a row a document and a column a code."""
        return self.judged(documents)[0]

    def judged(self, documents: Sequence[tuple[Bag, ...]]) -> tuple[Array, NDArray[np.bool_]]:
        """The scores of *documents*, and whether each has to do with the subject at all."""
        decisions = self.decisions(documents)
        return logistic(decisions[:, :-1] * self.slope + self.shift), decisions[:, -1] >= 0

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
        if len(names) != len(idf) or weights.shape != (len(idf), len(meta["codes"]) + 1):
            raise ValueError("parts do not fit")
        rest = {n: parts[n].astype(np.float32) for n in ("bias", "slope", "shift", "threshold", "sure")}
        return cls(tuple(meta["codes"]), Vocabulary(tuple(columns), idf), weights, card=meta["card"], **rest)


def logistic(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))), dtype=np.float32)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
