"""Evidence from the corpus or the case: names, handles and streets that are known, and are found wherever they occur."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from .found import Found
from .reading import Reading

TOKEN = re.compile(r"\w+(?:['.-]\w+)*")
CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Known:
    """
    Phrases in lower case -> type, by their first word.

    Make one with `Known.of`; `a | b` joins two.
    """

    phrases: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str] = (), handles: Iterable[str] = (), streets: Iterable[str] = ()) -> Self:
        """From names as people write them, handles with or without `@` or `u/`, and streets without number."""
        entries = (
            [(n, "PERSON") for n in names]
            + [(h, "HANDLE") for h in handles]
            + [(s, "ADDRESS") for s in streets]
        )
        phrases: dict[str, set[tuple[str, str]]] = {}
        for value, kind in entries:
            plain = value.strip().removeprefix("u/").lstrip("@~ ").lower()
            first = TOKEN.search(plain)
            if first is not None and len(plain) > 1:
                phrases.setdefault(first.group(), set()).add((plain, kind))
        return cls({k: tuple(sorted(v, key=lambda p: -len(p[0]))) for k, v in phrases.items()})

    def __or__(self, other: Known) -> Known:
        joined = dict(self.phrases)
        for first, values in other.phrases.items():
            joined[first] = tuple(sorted({*joined.get(first, ()), *values}, key=lambda p: -len(p[0])))
        return Known(joined)

    def find(self, text: Reading) -> Iterator[Found]:
        """Every place where a known phrase stands as words of its own."""
        if not self.phrases:
            return
        low = text.low
        for m in TOKEN.finditer(low):
            for phrase, kind in self.phrases.get(m.group(), ()):
                start = m.start() - (phrase.index(m.group()))
                end = start + len(phrase)
                if (
                    start >= 0
                    and low.startswith(phrase, start)
                    and not (end < len(low) and (low[end].isalnum() or low[end] == "_"))
                ):
                    yield Found(start, end, kind)
                    break
