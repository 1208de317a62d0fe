"""Laws that hold for every text: offsets, no value left over, nothing found twice."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ethics.protect import replace_found
from ethics.redaction import LABELS, Found, Known, Redactor
from ethics.redaction.reading import LABEL, MASKS, Sheet, read
from ethics.redaction.redactor import RECOGNISERS

CAREFUL, READABLE = Redactor("careful"), Redactor("readable")


@cache
def gold() -> tuple[str, ...]:
    folder = files("demo") / "gold" / "dev"
    return tuple(
        json.loads(line)["text"]
        for path in sorted(folder.iterdir(), key=str)
        if path.name.endswith(".jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    )


VALUES = (
    "06-12345678|Jan|de Vries|jan@x.nl|NL91ABNA0417164300|123456782|K-417-VB|1234AB|geb. 3-3-97|Kerkstraat 12|@jan|"
    "u/jan|[PERSOON-1]|[@aabcdefghabcdefgh]|[ADRES-12]|[TELEFOON]|bsn|postcode|kenteken|#VoorJan|nul zes|een twee|İ|ß|ǅ"
)


def pieces() -> st.SearchStrategy[str]:
    """Words of posts, values of every kind, labels, and anything at all."""
    words = sorted({w for text in gold() for w in re.findall(r"\S+|\s+", text)})
    values = st.sampled_from(VALUES.split("|"))
    return st.one_of(
        st.sampled_from(words), values, st.text(max_size=6), st.sampled_from([" ", "\n", ", ", "(", ")", ". ", "'"])
    )


TEXTS = st.lists(pieces(), max_size=30).map("".join) | st.lists(pieces(), max_size=30).map(" ".join)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_offsets_are_right_for_any_text(text: str) -> None:
    """Finds lie within the text, in order, without overlap, each with a letter or digit, and none inside a label."""
    for redactor in (CAREFUL, READABLE):
        found = redactor.find(text)
        assert all(0 <= f.start < f.end <= len(text) for f in found)
        assert all(a.end <= b.start for a, b in pairwise(found))
        labels = [m.span() for m in LABEL.finditer(text)]
        assert not any(a < f.end and f.start < b for a, b in labels for f in found)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_redacted_text_holds_nothing_to_redact(text: str) -> None:
    """Redacting twice is redacting once, whatever the numbers in the labels."""
    for redactor in (CAREFUL, READABLE):
        once = replace_found(text, redactor.find(text), lambda kind, _: f"{LABELS[kind]}-99").text
        assert redactor.find(once) == []


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_no_value_is_left_over(text: str) -> None:
    """What was found in one place stands nowhere else in the result as words of its own."""
    found = CAREFUL.find(text)
    rest = LABEL.sub(" \0 ", replace_found(text, found, lambda kind, _: LABELS[kind]).text)
    for f in found:
        value = re.escape(text[f.start : f.end])
        assert not re.search(rf"(?<![^\W_]){value}(?![^\W_])", rest)


@given(st.lists(TEXTS, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_batch_finds_what_each_text_alone_would(texts: list[str]) -> None:
    """The other texts of a batch change nothing."""
    assert CAREFUL.find_many(texts) == [CAREFUL.find(t) for t in texts]


@given(st.lists(TEXTS, max_size=12))
@settings(max_examples=100, deadline=None)
def test_a_screen_passes_every_text_with_a_find(texts: list[str]) -> None:
    """A recogniser finds nothing in a reading that its quick look at a whole batch has ruled out."""
    readings = [read(t) for t in texts]
    sheet = Sheet(readings)
    for recogniser in RECOGNISERS:
        assert {i for i, r in enumerate(readings) if any(recogniser.find(r))} <= recogniser.screen(sheet)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_reading_leads_back_to_the_text(text: str) -> None:
    """Every character of a reading that is no mask stands at its place in the text, in plain form."""
    reading = read(text)
    assert len(reading.plain) == len(reading.low)
    for i, c in enumerate(reading.plain):
        where = reading.place(Found(i, i + 1, "PERSON"))
        original = text[where.start : where.end]
        assert LABEL.fullmatch(original) if c in MASKS else len(original) == 1


def test_known_evidence_is_always_found() -> None:
    """Names, handles, streets and the names inside handles are found wherever they stand, however unlike a name."""
    known = Known.of(
        names=["Zwarte Kip", "Rosalinde de Wit"], handles=["@boze_buur", "u/KevinVanZuid"], streets=["Achterom"]
    )
    text = "de zwarte kip zat op achterom bij boze_buur en kevin, zei rosalinde"
    values = {text[f.start : f.end] for f in Redactor("readable", known).find(text)}
    assert {"zwarte kip", "achterom", "boze_buur", "kevin", "rosalinde"} <= values


def test_evidence_of_one_text_is_not_used_for_another() -> None:
    """`context` holds for its own text alone."""
    known = Known.of(names=["Zwarte Kip"])
    first, second = READABLE.find_many(["een zwarte kip", "een zwarte kip"], [known, None])
    assert [(f.start, f.end) for f in first] == [(4, 14)]
    assert second == []
