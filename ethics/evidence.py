"""What the corpus itself tells about names: the authors of a thread are known there, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .labels import ThreadLabels, parts_of
from .pseudonyms import TELEPHONE, plain_handle
from .redaction import Found, Known
from .redaction.lexicon import DOUBLE, FIRST, FIRST_FAR, shipped

WORD = re.compile(r"\w+(?:[.'’_-]\w+)*")
LONGEST = 4
"""Of how many words a display name may be that is still looked for."""


def telling(name: str) -> bool:
    """Whether *name* (in plain form) standing in a text means its bearer: not `ik`, `42` or `buurman`."""
    if len(name) < 3 or (name.isdigit() and len(name) < 7):
        return False
    if not name.isalpha():
        return True
    bits = shipped().bits(name)
    return not shipped().ordinary(name) or bool(bits & (FIRST | FIRST_FAR) and not bits & DOUBLE)


@dataclass(slots=True)
class Evidence:
    """The names under which a thread's authors are known so far. In memory only, for as long as a run lasts."""

    names: set[str] = field(default_factory=set)
    handles: set[str] = field(default_factory=set)
    _known: Known | None = None

    def add(self, names: Iterable[str]) -> list[str]:
        """Take an author's names in; returns them with the short forms that mean her as well (`jan@server`: `jan`)."""
        full = [plain for n in names if (plain := plain_handle(n))]
        short = [local for n in full if (local := n.partition("@")[0]) != n and len(local) > 2]
        for name in (*full, *short):
            place = self.names if " " in name and not TELEPHONE.fullmatch(name) else self.handles
            if telling(name) and name not in place:
                place.add(name)
                self.names.update(p for p in parts_of(name) if telling(p))
                self._known = None
        return [*full, *short]

    def known(self) -> Known:
        """As the redactor takes it."""
        if self._known is None:
            self._known = Known.of(names=self.names, handles=self.handles)
        return self._known


def recalled(text: str, labels: ThreadLabels) -> list[Found]:
    """Where an author stands whom an earlier run met in this thread: only digests are left of her names."""
    if not labels.has_authors:
        return []
    words = [m.span() for m in WORD.finditer(text)]
    return list(_recalled(text, words, labels))


def _recalled(text: str, words: list[tuple[int, int]], labels: ThreadLabels) -> Iterator[Found]:
    after = 0
    for i, (start, _) in enumerate(words):
        if start < after:
            continue
        for n in range(min(LONGEST, len(words) - i), 0, -1):
            end = words[i + n - 1][1]
            value = text[start:end]
            if telling(plain_handle(value)) and labels.author_named(value):
                yield Found(start, end, "PERSON")
                after = end
                break
