"""Which words of a post speak for a code: contributions of the linear model, laid back on the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import Mark
from ._features import Reading, read, runs
from ._linear import Array, Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOUD = 0.35
"""A neighbour belongs to the evidence when it speaks at least this share as loud as the loudest word."""
MANY = 60_000


class Evidence:
    """Finds evidence spans for the codes a model gives; keeps what each word form says."""

    def __init__(self, model: Linear) -> None:
        self._model = model
        self._words, self._letters, self._stems, self._classes = model.vocabulary.columns[:4]
        # How loud a feature is in the codes' own decision, with the usual length of a view taken out.
        self._loud = (model.weights[:, :-1] * model.vocabulary.idf[:, None]) * np.maximum(model.slope, 0.0)
        self._said: dict[str, Array] = {}

    def marks(self, text: str, codes: Sequence[int], scores: Array) -> Iterator[Mark]:
        """One mark for each of *codes* (columns of the model), with its loudest stretch of *text*."""
        if not codes:
            return
        reading = read(text)
        said = self.said(reading)
        for j in codes:
            start, end, why = self._stretch(reading, said[:, j], j) if len(said) else (None, None, "")
            yield Mark(self._model.codes[j], round(float(scores[j]), 4), start, end, why)

    def said(self, reading: Reading) -> Array:
        """What each token says for each code (tokens x codes)."""
        if not reading.tokens:
            return np.zeros((0, len(self._model.codes)), dtype=np.float32)
        table = np.array([self._word(f, s) for f, s in zip(reading.forms, reading.stems, strict=True)])
        for hit in reading.hits:
            column = self._classes.get(f"L:{hit.name}")
            if column is not None:
                table[hit.first : hit.last + 1] += self._loud[column] / (hit.last + 1 - hit.first)
        return table

    def _word(self, form: str, stem: str) -> Array:
        known = self._said.get(form)
        if known is None:
            if len(self._said) > MANY:
                self._said.clear()
            known = self._said[form] = self._sum(form, stem)
        return known

    def _sum(self, form: str, stem: str) -> Array:
        columns = [c for c in (self._words.get(form), self._stems.get(stem)) if c is not None]
        letters = [c for c in map(self._letters.get, runs(form)) if c is not None]
        whole: Array = self._loud[columns].sum(axis=0) + 0.3 * self._loud[letters].sum(axis=0)
        return whole.astype(np.float32)

    def _stretch(self, reading: Reading, loud: NDArray[np.float32], code: int) -> tuple[int | None, int | None, str]:
        top = int(loud.argmax())
        if loud[top] <= 0:
            return None, None, "the whole post"
        first = last = top
        while first > 0 and self._goes_on(reading, loud, first - 1, top):
            first -= 1
        while last + 1 < len(loud) and self._goes_on(reading, loud, last + 1, top):
            last += 1
        start, end = reading.tokens[first].start, reading.tokens[last].end
        return start, end, self._why(reading, first, last, code)

    def _goes_on(self, reading: Reading, loud: NDArray[np.float32], at: int, top: int) -> bool:
        return bool(loud[at] >= LOUD * loud[top]) and reading.tokens[at].kind != "end"

    def _why(self, reading: Reading, first: int, last: int, code: int) -> str:
        names = [f"class {h.name}" for h in reading.hits if first <= h.first and h.last <= last]
        columns = {n: self._classes.get(f"L:{n[6:]}") for n in names}
        heard = sorted({n for n, c in columns.items() if c is not None and self._loud[c, code] > 0})
        return "; ".join(["words", *heard]) if heard else "words"
