"""Stretches of text between tools that count differently: code points here, UTF-16 units in Java and browsers."""

from __future__ import annotations

from collections.abc import Iterable

from .. import Mark


def to_utf16(text: str, place: int) -> int:
    """The number of UTF-16 units before code point *place*."""
    return place + sum(c > "\uffff" for c in text[:place])


def from_utf16(text: str, units: int) -> int | None:
    """The code point at which *units* UTF-16 units are passed; None inside a character or past the end."""
    seen = 0
    for place, c in enumerate(text):
        if seen == units:
            return place
        seen += 1 + (c > "\uffff")
    return len(text) if seen == units else None


def with_evidence(codes: Iterable[str], spans: Iterable[tuple[str, int, int]]) -> tuple[Mark, ...]:
    """One mark a span, and one on the whole post for each code that has no span."""
    marked = [Mark(code, 1.0, start, end) for code, start, end in spans]
    spanned = {m.code for m in marked}
    return (*(Mark(c) for c in dict.fromkeys(codes) if c not in spanned), *marked)
