"""Labels and offsets hold for every text, whatever a redactor finds in it."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collectors import RawPost
from ethics.labels import ThreadLabels, parts_of, plain_value
from ethics.protect import Protected, disarmed, protect_many, protect_text, replace_found, spread
from ethics.redaction import LABELS, Found, Redactor
from storage import Label, Pseudonym

from .entrance import NAMES, Study, raw

THREAD = Pseudonym("t" + "a" * 16)
AUTHOR = Pseudonym("a" + "b" * 16)
ANY = st.text(st.characters(codec=None), max_size=60)
"""Any Unicode: halves of pairs, marks that combine, right to left, letters outside the basic plane."""
NAMELIKE = st.text("abcdefghijklmnopqrstuvwxyzéëü", min_size=3, max_size=9).map(str.title)


def digest(text: str) -> str:
    return NAMES.digest("t", text)


@st.composite
def found_in(draw: st.DrawFn) -> tuple[str, list[Found]]:
    """A text, and finds in it: in order, without overlap."""
    text = draw(ANY)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return text, [Found(a, b, draw(st.sampled_from(sorted(LABELS)))) for a, b in pairs]


@given(found_in())
def test_everything_but_the_finds_stays(given_: tuple[str, list[Found]]) -> None:
    """The text outside finds is untouched, and each find is one label of its type."""
    text, found = given_
    out = replace_found(text, found, ThreadLabels.of(THREAD, digest).label)
    rebuilt, at = "", 0
    for span in out.spans:
        rebuilt += text[at : span.start] + span.label
        at = span.end
        assert re.fullmatch(rf"\[{LABELS[span.type]}-[0-9]+\]", span.label)
    assert out.text == rebuilt + text[at:]


@given(found_in(), st.data())
def test_offsets_find_their_way_back(given_: tuple[str, list[Found]], data: st.DataObject) -> None:
    """A stretch of the new text leads back to the stretch of the input it came from; a label counts whole."""
    text, found = given_
    out = replace_found(text, found, ThreadLabels.of(THREAD, digest).label)
    a = data.draw(st.integers(0, len(out.text)))
    b = data.draw(st.integers(a, len(out.text)))
    start, end = out.to_input(a, b)
    assert 0 <= start <= end <= len(text) or a == b
    if b > a:
        assert labelled(out, text, start, end) == cover(out, a, b)


def labelled(out: Protected, text: str, start: int, end: int) -> str:
    """The input from start to end, with the labels that stand for what lies in it."""
    pieces, at = "", start
    for span in out.spans:
        if start <= span.start and span.end <= end:
            pieces += text[at : span.start] + span.label
            at = span.end
    return pieces + text[at:end]


def cover(out: Protected, a: int, b: int) -> str:
    """The stretch of the new text, widened so that it cuts through no label."""
    shift = 0
    for span in out.spans:
        start = span.start + shift
        end = start + len(span.label)
        a = start if start < a < end else a
        b = end if start < b < end else b
        shift += len(span.label) - (span.end - span.start)
    return out.text[a:b]


@given(st.lists(st.tuples(st.sampled_from(sorted(LABELS)), st.text(min_size=1, max_size=12)), max_size=12))
def test_one_value_one_label_and_no_label_for_two(values: list[tuple[str, str]]) -> None:
    """Values of one plain form share a label; those of another form do not, unless one is part of a name."""
    labels = ThreadLabels.of(THREAD, digest)
    given_labels = [(kind, plain_value(kind, v), labels.label(kind, v)) for kind, v in values]
    by_value: dict[tuple[str, str], set[str]] = {}
    for kind, plain, label in given_labels:
        by_value.setdefault((kind, plain), set()).add(label)
    for (kind, _), found in by_value.items():
        assert len(found) == 1 or kind == "PERSON"
    others = [next(iter(v)) for (kind, _), v in by_value.items() if kind != "PERSON"]
    assert len(set(others)) == len(others)


@given(st.lists(st.tuples(NAMELIKE, NAMELIKE), min_size=1, max_size=6, unique=True), st.data())
def test_labels_go_on_from_what_was_kept(people: list[tuple[str, str]], data: st.DataObject) -> None:
    """Broken off at any point and gone on from the stored labels, the labels are those of one go."""
    said = [" ".join(p) for p in people] + [p[0] for p in people] + [p[1] for p in people]
    cut = data.draw(st.integers(0, len(said)))
    whole = ThreadLabels.of(THREAD, digest)
    expected = [whole.label("PERSON", name) for name in said]
    first = ThreadLabels.of(THREAD, digest)
    given_labels = [first.label("PERSON", name) for name in said[:cut]]
    second = ThreadLabels.of(THREAD, digest, first.new)
    assert given_labels + [second.label("PERSON", name) for name in said[cut:]] == expected
    assert all(isinstance(x, Label) and "\0" not in x.label for x in whole.new)


def test_a_part_that_two_people_share_means_neither() -> None:
    """First name and surname mean their bearer until somebody else has them too."""
    labels = ThreadLabels.of(THREAD, digest)
    assert labels.label("PERSON", "Jan de Vries") == "PERSOON-1"
    assert [labels.label("PERSON", n) for n in ("Jan", "de Vries", "vries", "JAN’s")] == ["PERSOON-1"] * 4
    labels.add_author(AUTHOR, ["Piet de Vries"])
    assert labels.label("PERSON", "Piet") == f"@{AUTHOR}"
    assert labels.label("PERSON", "De Vries") == "PERSOON-2"
    assert parts_of("ali ben yusuf") == ("ali", "ben yusuf", "yusuf")


REDACTOR = Redactor("careful")
SPRINKLED = st.lists(
    st.one_of(
        st.sampled_from([
            "Jan de Vries", "06-12345678", "mail jan@voorbeeld.nl", "NL91ABNA0417164300", "@piet_77", "[@piet_77]",
            "[PERSOON-1]", "1234 AB", "kenteken 12-ABC-3", "\u200e", "\U0001f600", "e\u0301", "\n\n", "İ", "ﬁ",
        ]),
        ANY,
    ),
    max_size=6,
).map(" ".join)  # fmt: skip


@given(SPRINKLED)
@settings(max_examples=150, deadline=None)
def test_a_protected_text_holds_nothing_that_was_found(text: str) -> None:
    """No value that was found stands in the output as words of its own, and protecting it again changes nothing."""
    out = protect_text(text, REDACTOR)
    for span in out.spans:
        value = text[span.start : span.end]
        outside = re.sub(r"\[[^\]]*\]", "\0", out.text)
        assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", outside) or value.isspace()
    assert protect_text(out.text, REDACTOR).text == out.text
    assert protect_many([text, out.text], REDACTOR) == [out, protect_text(out.text, REDACTOR)]


@given(st.lists(st.tuples(SPRINKLED, st.sampled_from(["a_1", "b_2", "Jan de Vries"])), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_gate_takes_any_text(texts: list[tuple[str, str]]) -> None:
    """Whatever people write goes through the gate: counted, storable, and without a handle of the thread."""
    posts: list[RawPost] = [raw(n, text, who, mentions=("piet_77",)) for n, (text, who) in enumerate(texts)]
    study = Study.__new__(Study)
    study.case, study.names, study.redactor, study.seal = "c", NAMES, REDACTOR, lambda cursor: b""
    (admission,) = study.admit(posts, labels=lambda threads: [], suppressed=())
    assert len(admission.batch.posts) + sum(admission.skipped.values()) == len(posts)
    for post in admission.batch.posts:
        post.text.encode("utf-8")
        assert "\0" not in post.text
        assert not re.search(r"(?<!\w)piet_77(?!\w)", post.text)
        assert not re.search(r"(?<!\w)Jan de Vries(?!\w)", post.text)


@given(ANY)
def test_disarming_keeps_the_length(text: str) -> None:
    """Only brackets before an @ change, so that offsets hold."""
    shown = disarmed(text + "[@jan] [@abcdefghijklmnopq]")
    assert len(shown) == len(text) + len("[@jan] [@abcdefghijklmnopq]")
    assert "[@jan]" not in shown
    assert "[@abcdefghijklmnopq]" in disarmed("[@abcdefghijklmnopq]", ours=True)


@given(found_in())
def test_spreading_only_adds(given_: tuple[str, list[Found]]) -> None:
    """What was found stays found, and what is added is the same value elsewhere."""
    text, found = given_
    assume(all(text[f.start : f.end].strip() for f in found))
    more = spread(text, found)
    covered = {i for f in more for i in range(f.start, f.end)}
    assert {i for f in found for i in range(f.start, f.end) if text[i].isalnum()} <= covered


def test_the_name_within_a_handle_means_its_author() -> None:
    """Of a handle dressed up with signs the name in it means its author too; its ornaments do not."""
    assert parts_of("xx_snuffie_xx") == ("snuffie",)
    assert parts_of("snuffie") == ()
