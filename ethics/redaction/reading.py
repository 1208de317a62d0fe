"""A text as the recognisers read it: the same length, with look-alike characters made plain."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .found import LABELS

LABEL = re.compile(
    rf"\[(?:{'|'.join(sorted(set(LABELS.values())))})(?:-\d+)?\]|\[@[0-9a-z]+(?:-[0-9a-z]+)*\]"
)
"""A label that the gate has set: `[PERSOON-2]`, or `[@pseudonym]` for an author. Nothing is found in one."""

PLAIN = {
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\u2002\u2003\u3000\u2005\u2006\u2008"), " "),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "’‘ʼ`´"), "'"),
    **{0xFF10 + d: str(d) for d in range(10)},
    **{0x0660 + d: str(d) for d in range(10)},
    0xFF0B: "+", 0xFF20: "@", 0xFF0E: ".",
}  # fmt: skip

MASK = "\ufffc"


@dataclass(frozen=True, slots=True)
class Reading:
    """`raw` as it came; `plain` with one kind of space, dash, quote and digit; `low` is `plain` in lower case."""

    raw: str
    plain: str
    low: str
    digits: bool
    labels: tuple[tuple[int, int], ...]


def read(text: str) -> Reading:
    """Prepare *text*: all three forms have the same length, so that offsets hold in each."""
    labels: tuple[tuple[int, int], ...] = ()
    plain = text if text.isascii() else text.translate(PLAIN)
    if "[" in text:
        labels = tuple(m.span() for m in LABEL.finditer(text))
        for a, b in labels:
            plain = plain[:a] + MASK * (b - a) + plain[b:]
    low = plain.lower()
    if len(low) != len(plain):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)
    return Reading(text, plain, low, any(map(low.__contains__, "0123456789")), labels)
