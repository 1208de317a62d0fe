"""IBAN: with a right check sum, or with the form of a Dutch or announced account number that was mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban

from .found import Found
from .reading import Reading, Recogniser

DUTCH = re.compile(r"(?<![a-z0-9])nl[\s.-]?\d{2}[\s.-]?[a-z]{4}(?:[\s.-]?\d){6,10}(?!\w)")
FOREIGN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?:[\s.-]?[a-z0-9]{4}){2,7}(?:[\s.-]?[a-z0-9]{1,3})?(?!\w)")
SCREENS = (re.compile(r"\d(?:(?<=nl\d)|(?<=nl[\s.-]\d))"), re.compile(r"\d(?<=[a-z]{2}\d)\d[\s.-]?[a-z0-9]{4}"))
LENGTHS = {
    "be": 16, "de": 22, "fr": 27, "lt": 20, "lu": 20, "es": 24, "it": 27, "pl": 28, "ro": 24, "gb": 22, "ie": 22,
    "at": 20, "pt": 25, "bg": 22, "tr": 26, "hu": 28, "cz": 24, "sk": 24, "dk": 18, "se": 24, "no": 15, "fi": 18,
    "ch": 21, "ee": 20, "lv": 21, "mt": 31, "cy": 28, "gr": 27, "hr": 21, "si": 19,
}  # fmt: skip


def find(text: Reading) -> Iterator[Found]:
    """IBAN in *text*."""
    for m in DUTCH.finditer(text.low):
        yield Found(m.start(), m.end(), "IBAN")
    for m in FOREIGN.finditer(text.low):
        if end := _end(m.group()):
            yield Found(m.start(), m.start() + end, "IBAN")


def _end(written: str) -> int:
    """Where the account number ends in *written*; 0 when it is none. What follows it may have been taken along."""
    country = written[:2]
    if country not in LENGTHS or country == "nl":
        return 0
    count = 0
    for i, c in enumerate(written, 1):
        count += c.isalnum()
        if count == LENGTHS[country]:
            compact = "".join(filter(str.isalnum, written[:i]))
            digits = sum(map(str.isdigit, compact))
            return i if iban.is_valid(compact) or digits >= 0.6 * count else 0
    return 0


IBANS = Recogniser(find, lambda sheet: sheet.numbered(*SCREENS))
