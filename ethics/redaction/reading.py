"""A text as the recognisers read it: look-alike characters made plain, and each label one character long."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from .found import LABELS, Found

LABEL = re.compile(rf"\[(?:(?P<word>{'|'.join(sorted(set(LABELS.values())))})(?:-\d{{1,9}})?|@a[a-z2-7]{{16}})\]")
"""A label that the gate has set: `[PERSOON-2]`, or `[@pseudonym]` for an author. Nothing is found in one."""

NAME_MASK, BSN_MASK, OTHER_MASK, PHRASE, EDGE, LINE = map(chr, range(0xE000, 0xE006))
MASKS = NAME_MASK + BSN_MASK + OTHER_MASK
"""What stands in a reading for a person or account, for a BSN, and for any other label.

`PHRASE` is put behind a word that stands in a phrase which is no person ("Albert Heijn"), `EDGE` between readings;
`LINE` stands for the end of a line. None is ever in a reading because it stood in the text."""

PLAIN = {
    **dict.fromkeys([0xA0, *range(0x2002, 0x200C), 0x202F, 0x2060, 0x3000, 0xFEFF], " "),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "’‘ʼ`´"), "'"),
    **{0xFF10 + d: str(d) for d in range(10)},
    **{0x0660 + d: str(d) for d in range(10)},
    **dict.fromkeys(map(ord, MASKS + PHRASE + EDGE + LINE), "□"),
    0xFF0B: "+", 0xFF20: "@", 0xFF0E: ".",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """
    `plain` has one kind of space, dash, quote and digit, and one character for each label; `low` is the same in
    lower case. `origin[i]` is where character i of `plain` begins in the text, `origin[len(plain)]` the text's
    length; None where both are of the same length.
    """

    plain: str
    low: str
    origin: list[int] | None = None

    def place(self, found: Found) -> Found:
        """A find in `plain` as a find in the text."""
        return found if self.origin is None else Found(self.origin[found.start], self.origin[found.end], found.type)

    def masked(self, found: Iterable[Found]) -> Reading:
        """The reading of the text in which labels stand in the places *found* (in order, in `plain`)."""
        return _cut(self, [(f.start, f.end, _mask(f.type)) for f in found])


TYPE_OF = {label: type_ for type_, label in LABELS.items()}


def _mask(type_: str) -> str:
    return NAME_MASK if type_ in {"PERSON", "HANDLE"} else BSN_MASK if type_ == "BSN" else OTHER_MASK


def read(text: str) -> Reading:
    """Prepare *text*; `Reading.place` leads back to its code points."""
    plain = text if text.isascii() else text.translate(PLAIN)
    low = plain.lower()
    if len(low) != len(plain):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)
    whole = Reading(plain, low)
    if "[" not in text:
        return whole
    labels = [(m.start(), m.end(), _mask(TYPE_OF.get(m.group("word"), "HANDLE"))) for m in LABEL.finditer(text)]
    return _cut(whole, labels)


def _cut(reading: Reading, spans: list[tuple[int, int, str]]) -> Reading:
    """One character for each span."""
    if not spans:
        return reading
    origin = reading.origin or range(len(reading.plain) + 1)
    plain, low, places, last = list[str](), list[str](), list[int](), 0
    for start, end, mask in spans:
        plain += (reading.plain[last:start], mask)
        low += (reading.low[last:start], mask)
        places += origin[last:start]
        places.append(origin[start])
        last = end
    places += origin[last:]
    return Reading("".join([*plain, reading.plain[last:]]), "".join([*low, reading.low[last:]]), places)


BEFORE = 16
NUMBERED = re.compile(rf"\d(?:[^\d{EDGE}]{{0,40}}\d)*[^\d{EDGE}]{{0,20}}")
"""Digits with what stands between and behind them; `BEFORE` characters more are read before them."""


class Sheet:
    """Readings side by side: one look over all of them tells which hold something."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.low = EDGE.join([r.low for r in readings])
        self.plain = EDGE.join([r.plain for r in readings])
        self.starts = list(accumulate((len(r.plain) + 1 for r in readings), initial=0))
        spans = [m.span() for m in NUMBERED.finditer(self.low)]
        parts = [self.low[max(0, a - BEFORE) : b] for a, b in spans]
        self._numbered = EDGE.join(parts)
        self._parts = list(accumulate((len(p) + 1 for p in parts), initial=0))
        self._owners = [bisect_right(self.starts, a) - 1 for a, _ in spans]

    def holding(self, *screens: re.Pattern[str], cased: bool = False) -> set[int]:
        """The numbers of the readings in which one of *screens* matches, in lower case or with *cased* as written."""
        text, starts = (self.plain if cased else self.low), self.starts
        return {bisect_right(starts, m.start()) - 1 for screen in screens for m in screen.finditer(text)}

    def numbered(self, *screens: re.Pattern[str]) -> set[int]:
        """
        As `holding` for screens that begin with a digit: only what stands around digits is read.

        They may look at `BEFORE` characters before it, have 40 between two digits and 20 behind the last one.
        """
        parts, owners = self._parts, self._owners
        spots = (m.start() for screen in screens for m in screen.finditer(self._numbered))
        return {owners[bisect_right(parts, spot) - 1] for spot in spots}


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`find` has the finds in a reading; `screen` tells which readings of a sheet can have any."""

    find: Callable[[Reading], Iterator[Found]]
    screen: Callable[[Sheet], set[int]]
