"""PERSON in hashtags: #JusticeForJordi, #gerechtigheidvoorjordi."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .lexicon import FIRST, FIRST_FAR, LAST, LAST_FAR, PLACE, shipped
from .reading import Reading, Recogniser

TAG = re.compile(r"#(\w{3,})")
PART = re.compile(r"[A-ZÀ-Þ]?[a-zß-ÿ]+|[A-ZÀ-Þ]+(?![a-z])")
FOR = re.compile(r"(?:voor|for|met|is|help|red|zoek|vind|rip)(?P<name>[^\W\d_]{3,})$")


def find(text: Reading) -> Iterator[Found]:
    """PERSON in the hashtags of *text*: a listed name that is no ordinary word, or any listed one behind "voor"."""
    for m in TAG.finditer(text.plain):
        parts = [p.span() for p in PART.finditer(m.group(1))]
        if len(parts) > 1:
            yield from _parts(text, m.start(1), parts)
        elif (told := FOR.search(text.low[m.start(1) : m.end(1)])) and _bits(told.group("name")) & (FIRST | FIRST_FAR):
            yield Found(m.start(1) + told.start("name"), m.end(1), "PERSON")


def _parts(text: Reading, start: int, parts: list[tuple[int, int]]) -> Iterator[Found]:
    before, named = "", False
    for a, b in parts:
        word = text.low[start + a : start + b]
        bits = _bits(word)
        told = before in {"voor", "for", "met"} and bool(bits & (FIRST | FIRST_FAR))
        first = told or (bool(bits & FIRST) and not bits & PLACE and not shipped().ordinary(word))
        named = first or (named and bool(bits & (LAST | LAST_FAR)))
        if named and len(word) > 2:
            yield Found(start + a, start + b, "PERSON")
        before = word


def _bits(word: str) -> int:
    return shipped().bits(word)


TAGS = Recogniser(find, lambda sheet: sheet.holding(TAG))
