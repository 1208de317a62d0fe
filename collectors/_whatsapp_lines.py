"""The lines of WhatsApp's text exports: where a message begins, in which style, and in which order its date stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

ORDERS = ("dmy", "mdy", "ymd", "ydm")
_INVISIBLE = "[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*"
_WS = "[ \u00a0\u2009\u202f]"
_DATE = rf"(?P<a>\d{{1,4}}){_WS}?(?P<sep>[./-]){_WS}?(?P<b>\d{{1,2}}){_WS}?(?P=sep){_WS}?(?P<c>\d{{1,4}})\.?"
_BEFORE = {"上午": 0, "下午": 12, "오전": 0, "오후": 12}
_AFTER = {"am": 0, "pm": 12, "vorm": 0, "nachm": 12, "öö": 0, "ös": 12, "πμ": 0, "μμ": 12, "ص": 0, "م": 12}
_HALF = rf"[AaPp]\.?{_WS}?[Mm]\.?|[Vv]orm\.?|[Nn]achm\.?|ÖÖ|ÖS|π\.?μ\.?|μ\.?μ\.?|ص|م"
_TIME = (
    rf"(?:(?P<before>{'|'.join(_BEFORE)}){_WS}?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})"
    rf"(?:[:.](?P<second>\d{{2}}))?(?:{_WS}?(?P<half>{_HALF}))?(?:{_WS}Uhr)?"
)
_HEADER = re.compile(
    rf"{_INVISIBLE}(?P<open>\[)?{_INVISIBLE}{_DATE}[,،]?{_WS}+(?:(?:at|um|om|à|alle|klo?\.?){_WS}+)?{_TIME}"
    rf"(?(open)\]{_WS}?|{_WS}[-–—]{_WS})"
)
_LONGEST_HEADER = 120


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before sender and text: the date as written, the time, and where the rest begins."""

    fields: tuple[str, str, str]
    style: tuple[bool, str]
    hour: int
    minute: int
    second: int
    capital_half: bool
    end: int

    def when(self, order: str) -> datetime | None:
        """The local time when the date is read in *order*; None when there is no such moment."""
        day = read_date(self.fields, order)
        if day is None or self.hour > 23 or self.minute > 59 or self.second > 59:
            return None
        return datetime(day.year, day.month, day.day, self.hour, self.minute, self.second)


def header(line: str) -> Header | None:
    """The header that *line* begins with, if it begins a message."""
    found = _HEADER.match(line, 0, min(len(line), _LONGEST_HEADER))
    if found is None:
        return None
    hour, half = int(found["hour"]), found["half"] or ""
    plus = _BEFORE.get(found["before"] or "")
    if plus is None and half:
        plus = _AFTER[re.sub(r"[.\s]", "", half).casefold()]
    if plus is not None and hour <= 12:
        hour = hour % 12 + plus
    return Header(
        (found["a"], found["b"], found["c"]),
        (found["open"] is not None, found["sep"]),
        hour,
        int(found["minute"]),
        int(found["second"] or 0),
        half.startswith(("A", "P")),
        found.end(),
    )


def read_date(fields: tuple[str, str, str], order: str) -> date | None:
    """The date in these *fields*; None when it does not exist or lies outside WhatsApp's life (2009-2060)."""
    at = {letter: fields[order.index(letter)] for letter in "ymd"}
    if len(at["d"]) > 2 or len(at["m"]) > 2 or len(at["y"]) not in (2, 4):
        return None
    year = int(at["y"]) + (2000 if len(at["y"]) == 2 else 0)
    if not 2009 <= year <= 2060:
        return None
    try:
        return date(year, int(at["m"]), int(at["d"]))
    except ValueError:
        return None


@dataclass(slots=True)
class _Reading:
    """How plausible a file's dates are in one order."""

    possible: int = 0
    backwards: int = 0
    last: int = 0
    span: tuple[int, int] | None = None

    def add(self, day: date | None) -> None:
        if day is None:
            return
        n = day.toordinal()
        self.possible += 1
        self.backwards += n < self.last - 1
        self.last = n
        low, high = self.span or (n, n)
        self.span = (min(low, n), max(high, n))

    @property
    def days(self) -> int:
        low, high = self.span or (0, 0)
        return high - low + 1


@dataclass(slots=True)
class _Survey:
    """What the headers of one style say about the order of their dates."""

    headers: int = 0
    capital_half: bool = False
    unpadded: bool = False
    fields: tuple[str, str, str] = ("", "", "")
    readings: dict[str, _Reading] = field(default_factory=lambda: {o: _Reading() for o in ORDERS})

    def add(self, found: Header) -> None:
        self.headers += 1
        self.capital_half |= found.capital_half
        if found.fields == self.fields:
            return
        self.fields = found.fields
        self.unpadded |= any(len(f) == 1 for f in found.fields)
        for order, reading in self.readings.items():
            reading.add(read_date(found.fields, order))


@dataclass(frozen=True, slots=True)
class Style:
    """How one export writes its headers. `assumed` says that its dates could be read otherwise just as well."""

    style: tuple[bool, str]
    order: str
    assumed: bool


def survey(lines: Iterable[str]) -> Style | None:
    """
    The style of the export in *lines*, learnt from the whole of it; None when no line begins a message.

    The commonest style counts, so that a pasted piece of another export stays the text it is. The order
    of the dates is the one under which most dates exist, then the chat spans no much longer time than
    under another, then the fewest run backwards; what that leaves open is decided by `_habit` and is `assumed`.
    """
    surveys: dict[tuple[bool, str], _Survey] = {}
    for line in lines:
        if (found := header(line)) is not None:
            surveys.setdefault(found.style, _Survey()).add(found)
    if not surveys:
        return None
    style, best = max(surveys.items(), key=lambda kv: kv[1].headers)
    order, assumed = _order(style[1], best)
    return Style(style, order, assumed)


def _order(separator: str, found: _Survey) -> tuple[str, bool]:
    most = max(r.possible for r in found.readings.values())
    left = {o: r for o, r in found.readings.items() if r.possible == most}
    shortest = min(r.days for r in left.values())
    left = {o: r for o, r in left.items() if r.days <= 5 * shortest}
    fewest = min(r.backwards for r in left.values())
    left = {o: r for o, r in left.items() if r.backwards == fewest}
    chosen = next(o for o in _habit(separator, found) if o in left)
    same = {read_date(found.fields, o) for o in left}
    return chosen, len(same) > 1


def _habit(separator: str, found: _Survey) -> tuple[str, ...]:
    """Which order to suppose first: month first for slashes with AM/PM or unpadded numbers (US), else day first."""
    american = separator == "/" and (found.capital_half or found.unpadded)
    return ("mdy", "dmy", "ymd", "ydm") if american else ("dmy", "mdy", "ymd", "ydm")
