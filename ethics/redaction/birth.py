"""DOB: a date that is announced as somebody's birth, or stands right behind a name as one of its details."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .reading import BSN_MASK, MASKS, NAME_MASK, Reading, Recogniser

MONTH = (
    r"(?:jan(?:uari)?|feb(?:r(?:uari)?)?|mrt|maart|apr(?:il)?|mei|juni?|juli?|aug(?:ustus)?|sept?(?:ember)?|"
    r"okt(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
SHORT_YEAR = r"(?:(?:19|20)[0-9]{2}|'?[0-9]{2})"
DATE = re.compile(
    rf"(?<![\w/.,-])(?:(?:0?[1-9]|[12][0-9]|3[01])\s?[-/.]\s?(?:0?[1-9]|1[0-2])\s?[-/.]\s?{SHORT_YEAR}|"
    rf"(?:19|20)[0-9]{{2}}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12][0-9]|3[01])|"
    rf"(?:0?[1-9]|[12][0-9]|3[01])e?[\s-]{MONTH}\.?(?:[\s-]{SHORT_YEAR}(?![:.][0-9]|\suur))?)(?![\w/-]|[.,][0-9])"
)
SCREEN = re.compile(rf"[0-9](?:\s?[-/.]\s?[0-9]{{1,2}}\s?[-/.]\s?'?[0-9]|e?[\s-]{MONTH}|[0-9]{{5}})")
COMPACT = re.compile(r"(?<![\w/.,-])(?:[0-9]{6}|[0-9]{8})(?!\w)")
ANNOUNCED = re.compile(
    r"(?:\bgeb\b\.?|\bgeboren\b|\bgeboorte\w*|\bgebdat\w*|\bgbd|\bdob|\bverjaardag\w*|\bverjaart|(?<!-)\bjarig\w*|"
    r"\bbirthday|\bborn|[°🎂✝])[^\n0-9]{0,28}$|\bgeb(?:oorte)?\.?[ -]?datum\b[^\n0-9]{0,44}$"
)
TOLD_AFTER = re.compile(
    r"[^\n0-9]{0,12}(?:\bbij geboortedatum|\(?geboortedatum|\bgeboren|zou \w+ jarig)|[^\n.]{0,24}\sjarig\b"
)
OF = re.compile(
    r"\b(?:ik|hij|zij|ze|die|moeder|vader|man|vrouw|oma|opa|ma|pa) (?:ben|is|was|zou) van $|\bzou van $|\bis van $"
)
BORN = re.compile(
    r"(?:19[2-9][0-9]|200[0-9]|201[0-9])(?![0-9])|(?:'|^[0-9]{1,2}[-/.][0-9]{1,2}[-/.]|[a-z]\.?\s)[0-9]{2}$"
)
"""A date that has a year in which somebody alive may be born."""
KIN = r"(?:oma|opa|moeder|vader|broer|broertje|zus|zusje|zoon|dochter|ma|pa|neef|nicht)"
BESIDE = re.compile(
    rf"(?:[{NAME_MASK}{BSN_MASK}]'?s?\s?[,(:;=]\s?(?:[0-9]{{1,2}}(?: jaar)?\s?[,(]\s?)?|[{NAME_MASK}]\s(?:is |"
    rf"was )?(?:van )?|\b{KIN}\s?[(,]\s?"
    rf"|[{NAME_MASK}]\s[0-9]{{1,2}}\s?\(|[{NAME_MASK}] \(wordt [0-9]+, |\bwordt (?:[a-z]+ )?[0-9]{{1,3}} ?\()$"
)
DETAILS = re.compile(rf"\s?[,;(]\s?(?:bsn\s?)?[{MASKS}]")
ALONE = re.compile(r"^\s*$")


def find(text: Reading) -> Iterator[Found]:
    """DOB in *text*."""
    low = text.low
    for m in DATE.finditer(low):
        if _told(low, m.start(), m.end()) or (BORN.search(m.group()) and _beside(low, m.start(), m.end())):
            yield Found(m.start(), m.end(), "DOB")
    for m in COMPACT.finditer(low):
        if ANNOUNCED.search(low[max(0, m.start() - 20) : m.start()]):
            yield Found(m.start(), m.end(), "DOB")


def _told(low: str, start: int, end: int) -> bool:
    return bool(ANNOUNCED.search(low[max(0, start - 60) : start]) or TOLD_AFTER.match(low, end))


def _beside(low: str, start: int, end: int) -> bool:
    """Whether the date follows a name, a BSN or a kinship word, or says from when somebody is."""
    before = low[max(0, start - 40) : start]
    if BESIDE.search(before) or OF.search(before):
        return True
    return bool(BSN_MASK in before and DETAILS.match(low, end)) or (BSN_MASK in low[end : end + 12])


BIRTHS = Recogniser(find, lambda sheet: sheet.numbered(SCREEN))
