"""What a recogniser finds, and how overlapping finds become one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

LABELS = {
    "PERSON": "PERSOON", "HANDLE": "ACCOUNT", "PHONE": "TELEFOON", "EMAIL": "EMAIL", "IBAN": "IBAN", "BSN": "BSN",
    "ADDRESS": "ADRES", "POSTCODE": "POSTCODE", "PLATE": "KENTEKEN", "URL": "LINK", "DOB": "GEBOORTEDATUM",
}  # fmt: skip
"""Type of personal data -> the word that stands in the redacted text, as in `[PERSOON-2]`."""

PRECEDENCE = (
    "EMAIL", "URL", "IBAN", "HANDLE", "PHONE", "DOB", "BSN", "POSTCODE", "PLATE", "ADDRESS", "PERSON",
)  # fmt: skip


WHOLE = frozenset({"IBAN", "PHONE", "DOB", "BSN", "POSTCODE", "PLATE"})
"""Types of which a part says nothing: where a stronger find takes some of it, the rest was no such thing."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a text that is personal data: half-open, in code points."""

    start: int
    end: int
    type: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.type not in LABELS:
            msg = f"no such find: {self.start}..{self.end} {self.type}"
            raise ValueError(msg)


def settle(text: str, found: Iterable[Found]) -> list[Found]:
    """
    The finds in order and without overlap; together they cover what the given ones cover.

    The more certain type wins (`PRECEDENCE`); of a weaker find the rest stays, where it holds a letter or digit.
    """
    given = sorted(found, key=lambda f: f.start)
    if all(a.end <= b.start for a, b in pairwise(given)):
        return given
    given.sort(key=lambda f: (PRECEDENCE.index(f.type), f.start, -f.end))
    taken: list[Found] = []
    for one in given:
        taken += _rest(text, one, taken)
    return sorted(taken, key=lambda f: f.start)


def _rest(text: str, one: Found, taken: list[Found]) -> list[Found]:
    """What of *one* no span of *taken* covers."""
    out, at = [], one.start
    for other in sorted((t for t in taken if t.start < one.end and one.start < t.end), key=lambda f: f.start):
        if other.start > at:
            out.append((at, other.start))
        at = max(at, other.end)
    if at < one.end:
        out.append((at, one.end))
    if out == [(one.start, one.end)]:
        return [one]
    if one.type in WHOLE:
        return []
    trimmed = (_trim(text, a, b) for a, b in out)
    return [Found(a, b, one.type) for a, b in trimmed if a < b]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without marks and spaces at its ends."""
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end
