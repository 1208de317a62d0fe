"""A text with labels in place of personal data, and the way back from its offsets to those of the input."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from storage import Pseudonym

from .labels import ThreadLabels
from .redaction import Found, Redactor
from .redaction.found import settle
from .redaction.lexicon import shipped

MADE_BY_US = re.compile(r"\[@[apt][a-z2-7]{16}\]")
LOOKS_MADE = re.compile(r"\[(?=@[0-9a-z-]+\])")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A stretch of the input (`start`, `end`, code points) of a type, and the label for it, with brackets."""

    start: int
    end: int
    type: str
    label: str


@dataclass(frozen=True, slots=True)
class Protected:
    """`text` with labels; `spans` of the input, in order and without overlap, that they stand for."""

    text: str
    spans: tuple[Replaced, ...]

    def to_input(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the input that a stretch of `text` came from; a label counts whole."""
        return self._back(start, last=False), self._back(end, last=True)

    def _back(self, at: int, *, last: bool) -> int:
        """The input offset of an offset in the text; inside a label its end when *last*, else its start."""
        starts, shift = [], 0
        for s in self.spans:
            starts.append(s.start + shift)
            shift += len(s.label) - (s.end - s.start)
        n = (bisect_right(starts, at) if not last else bisect_right(starts, at - 1)) - 1
        if n < 0:
            return at
        span, inside = self.spans[n], at - starts[n]
        if inside < len(span.label):
            return span.end if last and inside > 0 else span.start
        return span.end + inside - len(span.label)


def replace_found(text: str, found: Iterable[Found], label: Callable[[str, str], str]) -> Protected:
    """*text* with each find (in order, without overlap) replaced by `[label(type, value)]`."""
    pieces: list[str] = []
    spans: list[Replaced] = []
    at = 0
    for f in found:
        mark = f"[{label(f.type, text[f.start : f.end])}]"
        pieces += (text[at : f.start], mark)
        spans.append(Replaced(f.start, f.end, f.type, mark))
        at = f.end
    return Protected("".join((*pieces, text[at:])), tuple(spans))


def disarmed(text: str, *, ours: bool = False) -> str:
    """
    *text* in which no handle in brackets passes for a label of ours, with the same length, for reading only.

    A redactor leaves labels alone, and somebody may write `[@jan]`. With *ours* real labels may be there.
    """
    if "[@" not in text:
        return text
    return LOOKS_MADE.sub(lambda m: "[" if ours and MADE_BY_US.match(text, m.start()) else "(", text)


def spread(text: str, found: list[Found]) -> list[Found]:
    """*found*, and every other place where the same value stands as words of its own."""
    more: list[Found] = []
    for value, kind in dict.fromkeys((text[f.start : f.end], f.type) for f in found):
        if len(value) < 2 or text.count(value) == 1 == text.lower().count(value.lower()):
            continue
        same_case = len(value) < 4 or (value.isalpha() and shipped().ordinary(value))
        wanted = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", 0 if same_case else re.IGNORECASE)
        more += (Found(*m.span(), kind) for m in wanted.finditer(text))
    new = [m for m in more if not any(f.start <= m.start and m.end <= f.end for f in found)]
    return settle(text, [*found, *new]) if new else found


def protect_many(texts: Sequence[str], redactor: Redactor) -> list[Protected]:
    """Each text by itself, with labels numbered within it: as a stored post would read, without its thread."""
    readable = [disarmed(text, ours=True) for text in texts]
    return [
        replace_found(text, spread(read, found), ThreadLabels.of(Pseudonym(""), str).label)
        for text, read, found in zip(texts, readable, redactor.find_many(readable), strict=True)
    ]


def protect_text(text: str, redactor: Redactor) -> Protected:
    """As `protect_many` for one text."""
    return protect_many([text], redactor)[0]
