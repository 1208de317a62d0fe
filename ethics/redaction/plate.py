"""PLATE: all Dutch side codes, with dashes, spaces or nothing between; others where announced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .reading import Reading, Recogniser

SIDE_CODES = (
    "XX-99-99", "99-99-XX", "99-XX-99", "XX-99-XX", "XX-XX-99", "99-XX-XX", "99-XXX-9", "9-XXX-99", "XX-999-X",
    "X-999-XX", "XXX-99-X", "X-99-XXX", "9-XX-999", "999-XX-9",
)  # fmt: skip


def _pattern(code: str, between: str) -> str:
    return between.join(f"[a-z]{{{len(p)}}}" if p[0] == "X" else rf"\d{{{len(p)}}}" for p in code.split("-"))


def _any(between: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w\-.,])(?:" + "|".join(_pattern(c, between) for c in SIDE_CODES) + r")(?!\w|-\w|[.,/]\d)")


DASHED = _any(r"(?:\s?-\s?|\.)")
SPACED = _any(r"\s")
JOINED = _any("")
MIXED = re.compile(r"[a-z]{1,3}[0-9]{2,3}[a-z]{1,3}|[0-9]{1,3}[a-z]{2,3}[0-9]{1,3}")
DASHES = re.compile(r"[a-z]\s?[-.]\s?[0-9]|[0-9]\s?[-.]\s?[a-z]")
SPACES = re.compile(r"[0-9]\s[a-z]{1,3}(?![a-z])|(?<![a-z])[a-z]{1,3}\s[0-9]")
GLUED = re.compile(r"[0-9][a-z]|[a-z][0-9]")
LOOSE = _any(r"[\s.\-]?")
FOREIGN = re.compile(
    r"(?<![\w\-])(?:[A-Z]{1,3}[\s-][A-Z]{0,2}\s?[0-9]{2,5}(?:\s[A-Z]{1,3})?|[A-Z]{1,2}\s[0-9]{2,5}(?:\s?[A-Z]{1,3})?"
    r"|[A-Z]{1,2}[0-9]{4,5}[A-Z]{0,2})(?!\w)"
)
LEADING = re.compile(r"(?:in|om|op|van|de|na|en|of|te|tot|voor|met|nl|is|er|ik|je|we|ze|a[0-9]+$|n[0-9]+$)\b")
BELGIAN = re.compile(r"(?<![\w\-])[1-9]-[A-Za-z]{3}-\d{3}(?!\w)")
GERMAN = re.compile(r"(?<![\w\-])[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{1,4}(?!\w)")
PARTIAL = re.compile(
    r"(?<![\w\-])(?:[A-Z]{1,3}-\d{1,3}|\d{1,3}-[A-Z]{1,3}|[A-Z]{2,3} ?\d{2,3}|"
    r"\d{2,3} ?[A-Z]{2,3})(?:-[A-Z0-9]{0,3})?(?![\w])"
)
BEHIND = re.compile(
    r"\b(?:kenteken|\w*plaat|nummerbord)(?:\s?[:,=]\s?|\s(?:is\s|was\s|met\s)?)(?P<plate>(?!.{0,3}\b(?:in|om|van|de|"
    r"na|en|of|te)\b)"
    r"(?:[a-z]{1,3}-[a-z]{1,2}\s[0-9]{1,4}|[a-z]{2,3}\s[0-9]{4,5}|[a-z]{1,2}\s[0-9]{2,4}\s[a-z]{2,3}|"
    r"[a-z]{1,3}-[0-9]{1,3}|[0-9]{1,3}-[a-z]{1,3}))"
    r"(?![\w-])"
)
CUE = re.compile(r"\b(?:kenteken\w*|\w*plaat|\w*platen|nummerbord\w*|nummerplaat|plaatje)\b[^\n]{0,45}$")
VEHICLE = re.compile(
    r"\b(?:auto\w*|bus\w*|bestel\w*|golf|polo|audi|bmw|opel|kia|seat|ford|transit|sprinter|caddy|transporter|"
    r"scooter|brommer|busje|"
    r"wagen\w*|volvo|fiat|peugeot|renault|toyota|mercedes|volkswagen|vw|twingo|clio|corsa|astra|tesla|skoda|vito|"
    r"motor|kenteken\w*|"
    r"plaat|suv|pick-?up|aanhanger|stationwagen|hatchback|mini|smart|citroen|berlingo|yaris|aygo|dacia|hyundai|"
    r"nissan|mazda)\b"
)
TOLD_SCREEN = re.compile(r"kenteken|plaat|nummerbord")
DASH = r"\s?[-.]\s?"
LAST = r"(?![a-z])"
SCREENS = (
    # Nothing between: a digit between letters or the other way round, or at the beginning or end of letters.
    re.compile(rf"\d(?:[a-z]{{2,3}}\d|[a-z]{{4}}{LAST}|\d\d\d[a-z]{{2}}{LAST}|(?<=[a-z]{{4}}\d)\d)"),
    re.compile(rf"\d(?<=[a-z]\d)(?:\d{{3}}|\d\d?[a-z]{{1,3}}{LAST})"),
    # Spaces between.
    re.compile(rf"\d\s(?:[a-z]{{2,3}}\s(?:\d|[a-z]{{2}}{LAST})|\d\d\s[a-z]{{2}}{LAST})"),
    re.compile(
        rf"\d(?<=[a-z]\s\d)(?:\d\s(?:(?<![a-z]{{3}}\s\d\d\s)\d\d|[a-z]{{1,2}}{LAST}|(?<![a-z]{{2}}\s\d\d\s)[a-z]{{3}}{LAST})"
        rf"|\d\d\s[a-z]{{1,2}}{LAST}|(?<=[a-z]{{2}}\s[a-z]{{2}}\s\d)(?<![a-z]{{3}}\s[a-z]{{2}}\s\d)\d(?!\d))"
    ),
    # Dashes or dots.
    re.compile(rf"\d{DASH}(?:[a-z]{{2,3}}{DASH}[0-9a-z]|\d\d{DASH}[a-z]{{2}}{LAST})"),
    re.compile(r"\d(?:(?<=[a-z][-.]\d)|(?<=[a-z]\s[-.]\d)|(?<=[a-z][-.]\s\d)|(?<=[a-z]\s[-.]\s\d))\d"),
    re.compile(r"\d(?:(?<=-[a-z] \d)|(?<=-[a-z]{2} \d))"),
)
"""Letters and digits stand beside each other as in one of the codes."""
VOWEL = re.compile(r"[aeiou]")


def find(text: Reading) -> Iterator[Found]:
    """PLATE in *text*."""
    low = text.low
    for m in DASHED.finditer(low) if DASHES.search(low) else ():
        yield Found(m.start(), m.end(), "PLATE")
    for m in SPACED.finditer(low) if SPACES.search(low) else ():
        clear = not VOWEL.search(m.group()) and (not _units(m.group()) or _near(low, m.start(), m.end()))
        if clear or _told(low, m.start()):
            yield Found(m.start(), m.end(), "PLATE")
    for m in JOINED.finditer(low) if GLUED.search(low) else ():
        mixed = text.plain[m.start() : m.end()].isupper() or MIXED.fullmatch(m.group()) or not VOWEL.search(m.group())
        if _told(low, m.start()) or (mixed and _near(low, m.start(), m.end())):
            yield Found(m.start(), m.end(), "PLATE")
    if "-" in low:
        for pattern in (BELGIAN, GERMAN):
            for m in pattern.finditer(text.plain):
                yield Found(m.start(), m.end(), "PLATE")
    yield from _announced(text)


def _announced(text: Reading) -> Iterator[Found]:
    """What stands behind "kenteken" or "plaat": any side code, foreign forms, and parts of a plate in capitals."""
    low = text.low
    if not ("kenteken" in low or "plaat" in low or "nummerbord" in low):
        return
    for m in BEHIND.finditer(low):
        yield Found(*m.span("plate"), "PLATE")
    for pattern, form in ((LOOSE, low), (FOREIGN, text.plain), (PARTIAL, text.plain)):
        for m in pattern.finditer(form):
            written = m.group()
            if _told(low, m.start()) and not LEADING.match(written.lower()) and any(map(str.isdigit, written)):
                yield Found(m.start(), m.end(), "PLATE")


def _told(low: str, start: int) -> bool:
    return bool(CUE.search(low[max(0, start - 60) : start]))


def _near(low: str, start: int, end: int) -> bool:
    return bool(VEHICLE.search(low[max(0, start - 50) : end + 30]))


def _units(written: str) -> bool:
    """Whether the letters are a unit or an abbreviation between numbers: "10 km 20"."""
    return bool(re.search(r"(?<![a-z])(?:km|cm|mm|kg|ml|gr|pct|mb|gb|tb|pk|kw|hp|st|nr|pp|vs|x)(?![a-z])", written))


PLATES = Recogniser(find, lambda sheet: sheet.holding(TOLD_SCREEN) | sheet.numbered(*SCREENS))
