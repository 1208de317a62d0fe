"""DOB: a date that is announced as somebody's birth, or stands right behind a name as its only detail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .reading import Reading

MONTH = r"(?:jan(?:uari)?|feb(?:r(?:uari)?)?|mrt|maart|apr(?:il)?|mei|juni?|juli?|aug(?:ustus)?|sept?(?:ember)?|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
YEAR = r"(?:(?:19|20)\d{2}|'\d{2})"
SHORT_YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})"
DATE = re.compile(
    rf"(?<![\w/.,-])(?:(?:0?[1-9]|[12]\d|3[01])\s?[-/.]\s?(?:0?[1-9]|1[0-2])\s?[-/.]\s?{SHORT_YEAR}|"
    rf"(?:19|20)\d{{2}}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|"
    rf"(?:0?[1-9]|[12]\d|3[01])e?[\s-]{MONTH}\.?(?:[\s-]{SHORT_YEAR})?)(?![\w/-]|[.,]\d)"
)
COMPACT = re.compile(r"(?<![\w/.,-])\d{6}(?:\d{2})?(?!\w)")
ANNOUNCED = re.compile(
    r"(?:\bgeb\w*\.?|\bgbd|\bdob|\bverjaardag\w*|\bverjaart|\bjarig|\bjarige|geboortedag|\bbirthday|\bborn|°|✝|🎂)[^\n\d]{0,28}$"
)
TOLD_AFTER = re.compile(r"^[^\n\d]{0,12}(?:\bbij geboortedatum|\(?geboortedatum|\bgeboren)")
OF = re.compile(r"\b(?:ik|hij|zij|ze|die|moeder|vader|man|vrouw|\w+) (?:ben|is|was) van $")
FULL_YEAR = re.compile(r"(?:19[2-9]\d|200\d|201[0-5])(?!\d)|'\d{2}$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}$")
NAMED = re.compile(r"(?:[A-Z][\w'-]+|[a-z][\w'-]+)(?:,|\s?\(|:)\s?$")


def find(text: Reading) -> Iterator[Found]:
    """DOB in *text* as far as it is announced; `beside` adds those that stand behind a name."""
    if not text.digits:
        return
    low = text.low
    for m in DATE.finditer(low):
        if _told(low, m.start(), m.end()) or (
            OF.search(low[: m.start()][-40:]) and FULL_YEAR.search(m.group())
        ):
            yield Found(m.start(), m.end(), "DOB")
    for m in COMPACT.finditer(low):
        if ANNOUNCED.search(low[max(0, m.start() - 20) : m.start()]):
            yield Found(m.start(), m.end(), "DOB")


def beside(text: Reading, found: list[Found]) -> Iterator[Found]:
    """Dates with a year of birth right behind a name, or in a row with other details of a person."""
    if not text.digits or not found:
        return
    for m in DATE.finditer(text.low):
        if not FULL_YEAR.search(m.group()):
            continue
        for other in found:
            gap = (
                text.low[other.end : m.start()]
                if other.end <= m.start()
                else text.low[m.end() : other.start]
                if m.end() <= other.start
                else None
            )
            close = gap is not None and re.fullmatch(r"\s?[,(:;]\s?|\s", gap)
            if close and other.type in {"PERSON", "BSN"} and (other.end <= m.start() or other.type == "BSN"):
                yield Found(m.start(), m.end(), "DOB")
                break


def _told(low: str, start: int, end: int) -> bool:
    return bool(ANNOUNCED.search(low[max(0, start - 44) : start]) or TOLD_AFTER.search(low[end : end + 30]))
