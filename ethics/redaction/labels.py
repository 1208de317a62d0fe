"""What stands in the place of a find: one label for one value, as `[PERSOON-2]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .found import LABELS, Found
from .lexicon import plain

POSSESSIVE = re.compile(r"(?<=\w\w)'?s$")


def canonical(type_: str, value: str) -> str:
    """
    The form under which two ways of writing are one value: `06-12 34 56 78` and `+31 6 12345678`, `Jan` and `JAN`.

    Of a person only case, accents, spaces and a possessive s are levelled: whether `Jan` is `Jan de Vries` is not
    for a form to say.
    """
    low = plain(value)
    if type_ == "PHONE":
        digits = re.sub(r"\D", "", low.replace("(0)", ""))
        return re.sub(r"^(?:0031|31)0?(?=\d{9}$)", "0", digits)
    if type_ in {"IBAN", "PLATE", "POSTCODE", "BSN"}:
        return re.sub(r"[\W_]", "", low)
    if type_ == "PERSON":
        return POSSESSIVE.sub("", " ".join(low.split()))
    if type_ == "HANDLE":
        return low.removeprefix("/").removeprefix("u/").lstrip("@")
    return " ".join(low.split())


@dataclass(slots=True)
class Labels:
    """The labels given so far, numbered within each type from 1. Make one for a text or a thread."""

    given: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, type_: str, value: str) -> str:
        """The label of *value*, as `PERSOON-2`."""
        key = (type_, canonical(type_, value))
        label = self.given.get(key)
        if label is None:
            self.counts[type_] = self.counts.get(type_, 0) + 1
            label = self.given[key] = f"{LABELS[type_]}-{self.counts[type_]}"
        return label


def labelled(text: str, found: Sequence[Found], labels: Labels) -> tuple[str, list[str]]:
    """*text* with a label in the place of each find, and the labels in their order."""
    pieces, given, last = list[str](), list[str](), 0
    for f in found:
        label = labels.of(f.type, text[f.start : f.end])
        pieces += (text[last : f.start], "[", label, "]")
        given.append(label)
        last = f.end
    return "".join([*pieces, text[last:]]), given
