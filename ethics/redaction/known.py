"""Evidence from the corpus or the case: names, handles and streets that are found wherever they occur."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from .found import Found
from .lexicon import BRAND, FIRST, FIRST_FAR, LAST, LAST_FAR, PLACE, shipped
from .reading import Reading, read

TOKEN = re.compile(r"\w+")
PART = re.compile(r"[A-ZÀ-Þ]?[a-zß-ÿ]+|[A-ZÀ-Þ]+(?![a-z])")


Phrase = tuple[str, str, int]
"""In lower case, its type, and how far in its first word begins (`+31 6`: 1)."""


@dataclass(frozen=True, slots=True)
class Known:
    """
    Phrases in lower case with their type, by their first word.

    Make one with `Known.of`; `a | b` joins two.
    """

    phrases: dict[str, tuple[Phrase, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: Iterable[str] = (),
        handles: Iterable[str] = (),
        streets: Iterable[str] = (),
        values: Iterable[tuple[str, str]] = (),
    ) -> Self:
        """
        From names as people write them, handles with or without `@` or `u/`, streets without number, and values of
        any type as (value, type).

        Of a name also each part is known that a list of names has and that is no ordinary word; of a handle
        (`JanDeVries_83`) each first name in it.
        """
        entries = {(n, "PERSON") for n in names} | {(h, "HANDLE") for h in handles} | {(s, "ADDRESS") for s in streets}
        parts = {(p, "PERSON") for value, kind in entries if kind != "ADDRESS" for p in _parts(value, kind)}
        entries |= set(values)
        phrases: dict[str, set[Phrase]] = {}
        for value, kind in entries | parts:
            low = read(value.strip().removeprefix("/").removeprefix("u/").lstrip("@~ ")).low
            first = TOKEN.search(low)
            if first is not None and len(low) > 2:
                phrases.setdefault(first.group(), set()).add((low, kind, first.start()))
        return cls({first: _longest_first(values) for first, values in phrases.items()})

    def __or__(self, other: Known) -> Known:
        if not self.phrases or not other.phrases:
            return other if not self.phrases else self
        joined = dict(self.phrases)
        for first, values in other.phrases.items():
            joined[first] = _longest_first({*joined.get(first, ()), *values})
        return Known(joined)

    def find(self, text: Reading) -> Iterator[Found]:
        """Every place where a known phrase stands as words of its own."""
        if not self.phrases:
            return
        low = text.low
        for m in TOKEN.finditer(low):
            for phrase, kind, before in self.phrases.get(m.group(), ()):
                start = m.start() - before
                end = start + len(phrase)
                if start >= 0 and low.startswith(phrase, start) and not _goes_on(low, end):
                    yield Found(start, end, kind)
                    break


def _goes_on(low: str, end: int) -> bool:
    """Whether the word goes on at *end*."""
    return low[end : end + 1].isalnum() or low[end : end + 1] == "_"


def _longest_first(values: Iterable[Phrase]) -> tuple[Phrase, ...]:
    return tuple(sorted(values, key=lambda v: (-len(v[0]), v)))


def _parts(value: str, kind: str) -> Iterator[str]:
    """Parts of a name or handle that are names by themselves."""
    wanted = FIRST | FIRST_FAR | LAST | LAST_FAR if kind == "PERSON" else FIRST
    for m in PART.finditer(value):
        bits = shipped().bits(m.group())
        if len(m.group()) > 2 and bits & wanted and not bits & (BRAND | PLACE) and not shipped().ordinary(m.group()):
            yield m.group()
