"""Words of Dutch chat: tokens with their place in the text, spelling undone, stems, labels as kinds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<label>\[(?:@[^\]\s]{1,80}|[A-Z][A-Z-]{1,24}(?:-\d+)?)\])"
    r"|(?P<link>https?://\S+|hxxps?://\S+|www\.\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:nl|com|example|org|net|be|eu|shop|info|io)\b(?:/\S*)?)"
    r"|(?P<mail>\b[\w.+-]+@[\w-]+\.\w[\w.]*)"
    r"|(?P<handle>@[\w.]{2,40}|\bu/[\w-]{2,40})"
    r"|(?P<iban>\b[A-Z]{2}\d{2} ?[A-Z]{4} ?(?:\d ?){10}\b)"
    r"|(?P<phone>(?:\+31|\b0031|\b0)[ -.]?(?:\d[ -.]?){8}\d\b)"
    r"|(?P<plate>\b(?:[A-Z]{1,3}|\d{1,3})-(?:[A-Z]{2,3}|\d{2,3})-(?:[A-Z]{1,2}|\d{1,2})\b)"
    r"|(?P<postcode>\b[1-9]\d{3} ?[A-Z]{2}\b)"
    r"|(?P<hotline>\b(?:112|0900[- ]?8844|0800[- ]?7000|0800[- ]?6070)\b)"
    r"|(?P<number>\d[\d.,:]*)"
    r"|(?P<word>(?:['’](?=[tmnksr]\b))?[^\W\d_]+(?:['’.-][^\W\d_]+)*)"
    r"|(?P<end>[.!?…\n]+)"
    r"|(?P<other>[^\w\s])"
)
_KINDS = {
    "PERSOON": "persoon", "PERSON": "persoon", "ADRES": "adres", "ADDRESS": "adres", "STRAAT": "adres",
    "TELEFOON": "telefoon", "PHONE": "telefoon", "KENTEKEN": "kenteken", "PLATE": "kenteken",
    "ACCOUNT": "account", "HANDLE": "account", "LINK": "link", "URL": "link", "IBAN": "iban", "REKENING": "iban",
    "BSN": "bsn", "POSTCODE": "adres", "GEBOORTEDATUM": "geboortedatum", "DOB": "geboortedatum",
    "E-MAIL": "mail", "EMAIL": "mail", "MAIL": "mail",
}  # fmt: skip
_SHAPES = {
    "link": "link", "mail": "mail", "handle": "account", "iban": "iban", "phone": "telefoon",
    "plate": "kenteken", "postcode": "adres",
}  # fmt: skip
_SPELLING = dict(
    line.split("=")
    for line in (files("coding.models") / "spelling.txt").read_text(encoding="utf-8").splitlines()
    if "=" in line and not line.startswith("#")
)


class Token(NamedTuple):  # built by the million: a tuple is twice as quick as a dataclass
    """
    One token: its normal form, its kind ("word", "label", "number", "end", "other") and place.

    A label or a thing that has the shape of one (`12-AB-34`, a link) has a form such as `<kenteken>`.
    """

    form: str
    kind: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of *text* in order, with half-open places in code points."""
    for found in _TOKEN.finditer(text):
        group = found.lastgroup or "other"
        form, kind = _form(found.group(), group)
        yield Token(form, kind, found.start(), found.end())


@lru_cache(maxsize=60_000)
def _form(raw: str, group: str) -> tuple[str, str]:
    if group == "label":
        if raw.startswith("[@"):
            return "<auteur>", "label"
        kind = _KINDS.get(re.sub(r"-\d+$", "", raw[1:-1]))
        return (f"<{kind}>", "label") if kind else (normal(raw[1:-1]), "word")
    if group in _SHAPES:
        return f"<{_SHAPES[group]}>", "label"
    if group == "hotline":
        return re.sub(r"\D", "", raw), "word"
    if group == "number":
        return _number(raw), "number"
    if group == "word":
        return normal(raw), "word"
    if group == "end":
        return _ending(raw), "end"
    return raw, "other"


def normal(word: str) -> str:
    """A word without case, accents, stretched letters and chat spelling."""
    low = word.lower().replace("’", "'")
    if not low.isascii():
        low = "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))
    low = re.sub(r"(.)\1{2,}", r"\1\1", low)
    return _SPELLING.get(low, low.strip("'") or low)


def _number(raw: str) -> str:
    digits = re.sub(r"\D", "", raw)
    if ":" in raw:
        return "#tijd"
    if len(digits) == 4 and digits[:2] in ("19", "20"):
        return "#jaar"
    return f"#{min(len(digits), 6)}" if len(digits) > 1 else f"#{digits}"


def _ending(raw: str) -> str:
    if "?" in raw:
        return "??" if raw.count("?") > 1 else "?"
    if "!" in raw:
        return "!!" if raw.count("!") > 1 else "!"
    return "..." if "…" in raw or raw.count(".") > 1 else "."


_ENDINGS = (
    "heden", "heid", "ingen", "ing", "tjes", "pjes", "etje", "tje", "pje", "jes", "je", "lijke", "lijk", "ige", "ig",
    "ers", "er", "sten", "ste", "den", "ten", "de", "te", "end", "en", "e", "s", "t", "d",
)  # fmt: skip


@lru_cache(maxsize=60_000)
def stem(form: str) -> str:
    """A rough Dutch stem: `gebeld`, `belden` and `bellen` meet; short words and labels stay as they are."""
    if len(form) < 5 or not form.isalpha():
        return form
    word = form
    if word.startswith("ge") and len(word) > 6 and word[-1] in "dtn":
        word = word[2:]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeou":
        word = word[:-1]
    word = re.sub(r"([aeou])\1", r"\1", word)
    return word[:-1] + {"v": "f", "z": "s"}.get(word[-1], word[-1])
