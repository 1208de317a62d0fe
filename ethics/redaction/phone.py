"""PHONE: all Dutch ways of writing, foreign ones with a country code, in words; no public service numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from .found import Found
from .reading import Reading, Recogniser

CANDIDATE = re.compile(r"(?<![\w.,-])(?<![^0-9]/)(?:\+\s?|00|\()?[o(]?\d(?:[\s().\-/]{0,3}\d){6,14}(?![\w]|[.,]\d)")
PUBLIC = re.compile(r"0?(?:800|900|906|909)\d+|112|116\d{3}|144|113|14\d{3}")
AREA = re.compile(
    r"0(?:6[1-9]\d{7}|6\d{8}|(?:10|13|15|20|23|24|26|30|33|35|36|38|40|43|45|46|50|53|55|58|7\d|8[4578])\d{7}|"
    r"(?:1[1-8]\d|2[2-9]\d|3[1-4]\d|41\d|4[78]\d|49\d|5[1-9]\d|91)\d{6}|4[5-9]\d{7})"
)
"""National numbers of the Netherlands, and the mobile ones of Belgium."""
CUE = re.compile(
    r"(?:\b(?:bel|belt|bellen|tel|telefoon\w*|nr|nummer\w*|app|appt?|appen|mobiel\w*|gsm|whatsapp|wa|signal|"
    r"sms)\b)[^\d\n]{0,24}$"
)
DATED = re.compile(r"[0-3]?[0-9][-./][01]?[0-9][-./](?:19|20)[0-9]{2}(?![0-9])")
NOT_PHONE = re.compile(
    r"\b(?:order\w*|bestel\w*|factuur\w*|zaak\w*|dossier\w*|kvk\w*|pakket\w*|track\w*|referentie\w*|ref|pv|aangifte\w*|"
    r"klant\w*|ticket\w*|btw\w*|bsn|iban|rekening\w*|artikel\w*|serie\w*|chassis\w*|imei|zaaknr|"
    r"polis\w*)\b[^\d\n]{0,16}$"
)
WORDS = [
    "nul",
    "een",
    "één",
    "twee",
    "drie",
    "vier",
    "vijf",
    "zes",
    "zeven",
    "acht",
    "negen",
    "tien",
    "elf",
    "twaalf",
    "dertien",
    "veertien",
    "vijftien",
    "zestien",
    "zeventien",
    "achttien",
    "negentien",
    "twintig",
    "dertig",
    "veertig",
    "vijftig",
    "zestig",
    "zeventig",
    "tachtig",
    "negentig",
]
VALUES = {w: str(v) for w, v in zip(WORDS, (0, 1, 1, *range(2, 21), 30, 40, 50, 60, 70, 80, 90), strict=True)}
TENS = "twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig"
UNITS = "een|één|twee|tweeë|drie|drieë|vier|vijf|zes|zeven|acht|negen"
NUMBER_WORD = rf"(?:(?:{UNITS})(?:en|ën)(?:{TENS})|{'|'.join(sorted(WORDS, key=len, reverse=True))})"
IN_WORDS = re.compile(rf"(?<!\w)(?:nul|0)[\s,-]*(?:zes|6)(?:[\s,.-]{{0,3}}(?:{NUMBER_WORD}(?!\w)|\d{{1,4}}))+(?!\w)")
SCREEN = re.compile(r"\d(?:[\s().\-/]{0,3}\d){6}")
WORDS_SCREEN = re.compile(r"nul[\s,-]*(?:zes|6)|0[\s,-]*(?:zes|6)[\s,.-]{0,3}(?:[^\W\d_]|\d)")
PART = re.compile(rf"{NUMBER_WORD}|\d+")


def find(text: Reading) -> Iterator[Found]:
    """PHONE in *text*."""
    at = 0
    while m := CANDIDATE.search(text.low, at):
        found = _number(text.low, m.start(), m.end())
        at = found.end if found else m.end()
        if found:
            yield found
    if "nul" in text.low or "zes" in text.low:
        for m in IN_WORDS.finditer(text.low):
            if len(_spelt(m.group())) >= 9:
                yield Found(m.start(), m.end(), "PHONE")


def _number(low: str, start: int, end: int) -> Found | None:
    written = low[start:end]
    if written[0] == "(" and ")" not in written:
        start, written = start + 1, written[1:]
    if DATED.match(written):
        return None
    digits = re.sub(r"\D", "", written.replace("(0)", "").replace("o", "0"))
    before = low[max(0, start - 40) : start]
    foreign = written.startswith(("+", "00")) and not digits.startswith(("31", "0031"))
    if _national(digits) and not NOT_PHONE.search(before):
        return Found(start, end, "PHONE")
    if foreign and _abroad(digits):
        return Found(start, end, "PHONE")
    if CUE.search(before) and 9 <= len(digits) <= 11 and digits.startswith("0") and not PUBLIC.match(digits):
        return Found(start, end, "PHONE")
    # A number and the next one may have run together: "06 12345678 2 stuks".
    shorter = max(written.rfind(" "), written.rfind("/"), written.rfind("("))
    if shorter > 8:
        cut = start + len(written[:shorter].rstrip(" /(-."))
        return _number(low, start, cut)
    return None


def _national(digits: str) -> bool:
    """Whether the digits are a Dutch number, with or without the country's code."""
    for prefix in ("0031", "31"):
        if digits.startswith(prefix) and len(digits) - len(prefix) in (9, 10):
            digits = "0" + digits[len(prefix) :].removeprefix("0")
            break
    return bool(AREA.fullmatch(digits)) and not PUBLIC.fullmatch(digits)


def _abroad(digits: str) -> bool:
    try:
        number = phonenumbers.parse("+" + digits.removeprefix("00"), None)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(number))


def _spelt(words: str) -> str:
    """The digits of a number written in words."""
    out = ""
    for part in PART.findall(words):
        if part.isdigit():
            out += part
        elif part in VALUES:
            out += VALUES[part]
        else:
            out += "00"
    return out


PHONES = Recogniser(find, lambda sheet: sheet.numbered(SCREEN) | sheet.holding(WORDS_SCREEN))
