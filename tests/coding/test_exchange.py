"""What goes out in any format comes back as it was: posts, codes, evidence, coders."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from coding import Mark
from coding.exchange import (
    NONE,
    Coded,
    ExchangeError,
    Task,
    Turn,
    available,
    cas,
    check,
    doccano,
    format_of,
    label_studio,
    load_format,
    qdpx,
    tasks_of,
)
from coding.exchange._refi import Project, QCode, QCoding, QSelection, QText, guid, parse, serialise
from coding.exchange._spans import from_utf16, to_utf16
from coding.sampling import Plan, draw_sample
from tests.coding.field import CODES, codebook, gold_store
from tests.real import real

SPANNED = ("label-studio", "qdpx", "cas")
LISTED = ("csv", "xlsx", "doccano", "parquet")
ENDING = {"label-studio": ".json", "doccano": ".jsonl", "cas": ".zip"}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("😀é\n"), min_size=1, max_size=60)


@st.composite
def coded_tasks(draw: st.DrawFn) -> list[Task]:
    """A few posts, each with at least one code, some with evidence."""
    tasks = []
    for n in range(draw(st.integers(1, 4))):
        text = draw(TEXT)
        marks = []
        for code in draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True)):
            start = draw(st.integers(0, len(text) - 1))
            end = draw(st.integers(start + 1, len(text)))
            whole = draw(st.booleans()) or (start, end) == (0, len(text))
            marks.append(Mark(code) if whole else Mark(code, 1.0, start, end))
        turns = tuple(Turn("A", t) for t in draw(st.lists(TEXT, max_size=2)))
        tasks.append(Task(f"post-{n}", 1, n + 1, "c", "p", "2025-01-02", text, "B", turns, tuple(marks)))
    return tasks


def known_of(tasks: list[Task]) -> dict[str, tuple[int, str]]:
    return {t.post: (t.version, t.text) for t in tasks}


def as_if_coded(path: Path) -> Path:
    """Label Studio gives shown codes back as an annotation once the coder submits them."""
    tasks = json.loads(path.read_text())
    for n, task in enumerate(tasks):
        shown = task.pop("predictions")
        task |= {"id": n + 1, "annotations": [{"completed_by": 1, "result": shown[0]["result"]}] if shown else []}
    path.write_text(json.dumps(tasks))
    return path


def back(name: str, path: Path, tasks: list[Task]) -> list[Coded]:
    coded = load_format(name).read(path, codebook(), known_of(tasks))
    return check(list(coded), known_of(tasks), CODES, path.name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(coded_tasks())
def test_every_format_gives_back_what_went_out(tmp_path: Path, tasks: list[Task]) -> None:
    """Posts and codes survive every format; evidence survives those that have it, to the code point."""
    assert set(SPANNED) | set(LISTED) == set(available())
    for name in available():
        path = tmp_path / f"t{ENDING.get(name, '.' + name)}"
        assert load_format(name).write(path, tasks, codebook()) == len(tasks)
        got = {c.post: c.marks for c in back(name, as_if_coded(path) if name == "label-studio" else path, tasks)}
        if name in SPANNED:
            assert {p: set(m) for p, m in got.items()} == {t.post: set(t.marks) for t in tasks}, name
        else:
            assert {p: {m.code for m in marks} for p, marks in got.items()} == {
                t.post: {m.code for m in t.marks} for t in tasks
            }, name


@pytest.mark.parametrize("name", available())
def test_an_uncoded_sample_comes_back_empty(tmp_path: Path, name: str) -> None:
    """Nobody coded, so nothing is read: no format takes an untouched post for one without codes."""
    tasks = [Task(f"p{n}", 1, n, "c", "p", "2025-01-01", "tekst van een bericht", "A") for n in range(3)]
    path = tmp_path / f"t{ENDING.get(name, '.' + name)}"
    load_format(name).write(path, tasks, codebook())
    assert back(name, path, tasks) == []


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("😀🚓"), max_size=30), st.integers(0, 40))
def test_utf16_positions_go_there_and_back(text: str, place: int) -> None:
    """Every code point has one UTF-16 position, and no position inside a character is taken."""
    place = min(place, len(text))
    units = to_utf16(text, place)
    assert units == len(text[:place].encode("utf-16-le")) // 2
    assert from_utf16(text, units) == place
    assert from_utf16(text, len(text.encode("utf-16-le")) // 2 + 1) is None


def test_a_sample_of_gold_goes_out_and_comes_back(tmp_path: Path) -> None:
    """From the store through each format: the same posts, texts and order."""
    store = gold_store(tmp_path)
    sample = draw_sample(store, Plan(25, seed=3))
    tasks = list(tasks_of(store, sample.id, shown=lambda post: [Mark(NONE)]))
    assert [t.position for t in tasks] == list(range(1, 26))
    for name in ("qdpx", "cas", "doccano", "parquet"):
        path = tmp_path / f"t{ENDING.get(name, '.' + name)}"
        load_format(name).write(path, tasks, codebook())
        got = back(name, path, tasks)
        assert sorted(c.post for c in got) == sorted(t.post for t in tasks)
        assert all(c.marks == () for c in got)


def test_spans_return_to_the_text_as_stored() -> None:
    """Tools count a Windows newline as one character; the stored span counts it as the two it is."""
    stored = "een\r\ntwee\r\ndrie"
    plain = stored.replace("\r\n", "\n")
    start = plain.index("twee")
    coded = Coded("p", (Mark("norms.doxing", 1.0, start, start + 4),), where="x")
    (one,) = check([coded], {"p": (1, stored)}, CODES, "f")
    assert stored[one.marks[0].start : one.marks[0].end] == "twee"


def test_spans_on_a_text_redacted_once_more_return_to_the_text_as_stored() -> None:
    """A label that was put in on the way out stands for the words it replaced; what follows it is found again."""
    stored = "gisteren sprak kareltje over de auto van de buren"
    shown = "gisteren sprak [PERSOON] over de auto van de buren"
    for words, wanted in (("auto van", "auto van"), ("[PERSOON] over", "kareltje over"), ("sprak", "sprak")):
        start = shown.index(words)
        coded = Coded("p", (Mark("norms.doxing", 1.0, start, start + len(words)),), where="x")
        (one,) = check([coded], {"p": (1, shown)}, CODES, "f", {"p": stored})
        assert stored[one.marks[0].start : one.marks[0].end] == wanted


@pytest.mark.parametrize(
    ("coded", "told"),
    [
        (Coded("nope", where="row 3"), "f: row 3: this post was never sampled"),
        (Coded("p", (Mark("norms.nope"),), where="row 3"), "f: row 3: a code that the codebook does not have"),
        (Coded("p", (Mark("norms.doxing", 1.0, 2, 99),), where="row 3"), "characters 2..99 of a text of 5"),
        (Coded("p", (Mark("norms.doxing", 1.0, 3, 3),), where="row 3"), "characters 3..3"),
        (Coded("p", version=2, where="row 3"), "codes version 2 of the post, and version 1 was sampled"),
        (Coded("p", (Mark(NONE), Mark("norms.doxing")), where="row 3"), "stands beside a code"),
    ],
)
def test_what_cannot_be_right_is_refused(coded: Coded, told: str) -> None:
    """The message says where and what, without what stands there."""
    with pytest.raises(ExchangeError, match=told.replace("(", r"\(")):
        check([coded], {"p": (1, "tekst")}, CODES, "f")


# -------------------------------------------------------------------------------------------- Label Studio
def export(*annotations: dict[str, Any], text: str = "tekst 😀 hier") -> tuple[str, dict[str, tuple[int, str]]]:
    data = {"post_id": "p", "version": 1, "text": text}
    return json.dumps([{"id": 7, "data": data, "annotations": list(annotations)}]), {"p": (1, text)}


def choose(*codes: str, **more: Any) -> dict[str, Any]:
    return {"completed_by": 1, "result": [{"type": "choices", "value": {"choices": list(codes)}}]} | more


def from_label_studio(path: Path, text: str, known: dict[str, tuple[int, str]]) -> list[Coded]:
    path.write_text(text)
    return list(label_studio.read(path, codebook(), known))


def test_the_last_annotation_of_each_annotator_counts_and_skipped_ones_do_not(tmp_path: Path) -> None:
    """One person may appear twice in a task; two people are told apart; skipping is not coding."""
    text, known = export(
        choose("norms.doxing", created_at="2025-01-02"),
        choose("police.request", created_at="2025-01-01"),
        choose("deviance.crime", completed_by={"id": 2, "email": "someone@example.org"}),
        choose(completed_by=3, was_cancelled=True),
        choose(completed_by=4),
    )
    coded = from_label_studio(tmp_path / "x.json", text, known)
    assert {c.annotator: [m.code for m in c.marks] for c in coded} == {
        "1": ["norms.doxing"], "2": ["deviance.crime"], "4": [],
    }  # fmt: skip


def test_marked_words_decide_between_code_points_and_utf16(tmp_path: Path) -> None:
    """A browser that counted an emoji as two is put right; words that stand nowhere are refused."""
    mark = {"start": 9, "end": 13, "text": "hier", "labels": ["norms.doxing"]}
    text, known = export({"completed_by": 1, "result": [{"type": "labels", "value": mark}]})
    (one,) = from_label_studio(tmp_path / "x.json", text, known)
    assert one.marks == (Mark("norms.doxing", 1.0, 8, 12),)
    text, known = export({"completed_by": 1, "result": [{"type": "labels", "value": mark | {"text": "daar"}}]})
    with pytest.raises(ExchangeError, match=r"task 7: the words marked at 9\.\.13 do not stand there"):
        from_label_studio(tmp_path / "x.json", text, known)


def test_a_foreign_export_is_refused_in_words(tmp_path: Path) -> None:
    """Real exports of other projects, and files that are none, end in one sentence."""
    for name in ("csv_test.json", "data.json"):
        with pytest.raises(ExchangeError, match=name):
            list(label_studio.read(real(f"qda/label-studio/{name}"), codebook(), {}))
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(ExchangeError, match="no JSON export"):
        list(label_studio.read(tmp_path / "x.json", codebook(), {}))


def test_the_interface_names_every_code_once_as_tick_and_as_evidence() -> None:
    """The XML holds each code twice, and reads its data from keys that every task has."""
    root = etree.fromstring(label_studio.interface(codebook()))
    for tag in ("Choice", "Label"):
        assert [e.get("value") for e in root.iter(tag)] == list(CODES)
    task = label_studio._task(Task("p", 1, 1, "c", "p", "2025-01-01", "t"))
    assert {e.get("value")[1:] for e in root.iter() if (e.get("value") or "").startswith("$")} <= task["data"].keys()


# ------------------------------------------------------------------------------------------------- doccano
def test_a_zip_holds_one_annotator_a_file_and_merged_ones_are_refused(tmp_path: Path) -> None:
    """`anna.jsonl` and `bram.jsonl` are two annotators; `all.jsonl` has lost them."""
    line = json.dumps({"text": "tekst", "post_id": "p", "label": ["norms.doxing"], "Comments": []})
    path = tmp_path / "x.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("anna.jsonl", line)
        archive.writestr("bram.jsonl", line.replace("norms.doxing", NONE))
    coded = check(list(doccano.read(path, codebook(), {"p": (1, "tekst")})), {"p": (1, "tekst")}, CODES, "x")
    assert {c.annotator: c.marks for c in coded} == {"anna": (Mark("norms.doxing"),), "bram": ()}
    with ZipFile(path, "w") as archive:
        archive.writestr("all.jsonl", line)
    with pytest.raises(ExchangeError, match="annotators were merged"):
        list(doccano.read(path, codebook(), {}))


def test_entities_keep_their_span_only_where_both_ways_of_counting_agree(tmp_path: Path) -> None:
    """After an emoji the two ways differ, and the export does not say which it is: the code stays, the span goes."""
    row = {"post_id": "p", "cats": [], "entities": [[0, 5, "norms.doxing"], [8, 12, "police.request"]]}
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row))
    (one,) = doccano.read(path, codebook(), {"p": (1, "tekst 😀 hier")})
    assert set(one.marks) == {Mark("norms.doxing", 1.0, 0, 5), Mark("police.request")}


# ------------------------------------------------------------------------------------------------ REFI-QDA
def schema(name: str) -> etree.XMLSchema:
    text = real(f"qda/refi-xsd/{name}").read_text(encoding="utf-8")
    mended = {"\u2010": "-", '"type=': '" type=', '"minOccurs': '" minOccurs'}
    mended |= {f"{tag}name=": f"{tag} name=" for tag in ("element", "complexType", "simpleType", "attribute")}
    mended |= {"restrictionbase": "restriction base", "patternvalue": "pattern value"}
    for wrong, right in mended.items():
        text = text.replace(wrong, right)
    return etree.XMLSchema(etree.fromstring(text.encode()))


def two_coders() -> tuple[list[Task], list[qdpx.CodedBy]]:
    tasks = [Task(f"p{n}", 1, n, "c", "p", "2025-01-01", f"bericht {n} met 😀 en tekst", "A") for n in range(3)]
    when = datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC)
    anna = qdpx.CodedBy("anna", when, {"p0": [Mark("norms.doxing", 1.0, 14, 20), Mark("police.request")]})
    bram = qdpx.CodedBy("bram", when, {"p0": [Mark("norms.doxing", 1.0, 14, 20)], "p1": [Mark(NONE)]})
    return tasks, [anna, bram]


@pytest.mark.parametrize("xsd", ["Project_skyloom.xsd", "Project-mrt2019.xsd"])
def test_our_project_is_valid_and_keeps_coders_dates_and_places(tmp_path: Path, xsd: str) -> None:
    """The schema accepts it, and it reads back as who gave what where and when."""
    tasks, by = two_coders()
    assert qdpx.write_coded(tmp_path / "x.qdpx", tasks, codebook(), by) == 3
    with ZipFile(tmp_path / "x.qdpx") as archive:
        schema(xsd).assertValid(etree.fromstring(archive.read("project.qde")))
        assert sorted(archive.namelist())[0] == "project.qde"
    project = qdpx.read_project(tmp_path / "x.qdpx")
    assert [name for _, name in project.users] == ["anna", "bram"]
    assert {t.name: t.text for t in project.texts} == {t.post: t.text for t in tasks}
    (span, _) = sorted(project.texts[0].selections, key=lambda s: -s.start)
    assert (span.start, span.end, len(span.codings)) == (14, 20, 2)
    assert {c.created for c in span.codings} == {"2025-02-03T04:05:06Z"}
    known = known_of(tasks)
    coded = check(list(qdpx.read(tmp_path / "x.qdpx", codebook(), known)), known, CODES, "x")
    assert {(c.annotator, c.post): set(c.marks) for c in coded} == {
        ("1", "p0"): {Mark("norms.doxing", 1.0, 14, 20), Mark("police.request")},
        ("2", "p0"): {Mark("norms.doxing", 1.0, 14, 20)},
        ("2", "p1"): set(),
    }


def test_our_codebook_is_valid(tmp_path: Path) -> None:
    """The .qdc holds every code with definition and colour, and the schema accepts it."""
    qdpx.write_codebook(tmp_path / "x.qdc", codebook())
    root = etree.parse(tmp_path / "x.qdc").getroot()
    schema("Codebook.xsd").assertValid(root)
    names = [e.get("name") for e in root.iter("{*}Code")]
    assert [n for n in names if "." in n] == list(CODES)
    assert all(e.find("{*}Description").text for e in root.iter("{*}Code"))


def test_the_real_project_of_atlas_ti_goes_round(tmp_path: Path) -> None:
    """Read, written and read again it is the same project, valid, without the path that names a person."""
    for path in (real("qda/sky-loom-refi-qda/Project.qde"), real("qda/sky-loom-refi-qda/TestProject.qdpx")):
        project = qdpx.read_project(path)
        assert len(project.all_codes()) == 14
        assert len(project.texts) >= 6
        assert sum(len(s.codings) for t in project.texts for s in t.selections) > 5
        assert any(not s.codings for t in project.texts for s in t.selections)
        assert project.other_sources
        again = serialise(project)
        schema("Project_skyloom.xsd").assertValid(etree.fromstring(again))
        assert parse(again, {}, "again") == project
        assert b"basePath" not in again
    raw = etree.parse(real("qda/sky-loom-refi-qda/Project.qde"))
    tags = [etree.QName(e).localname for e in raw.iter() if isinstance(e.tag, str)]
    ours = [etree.QName(e).localname for e in etree.fromstring(serialise(qdpx.read_project(
        real("qda/sky-loom-refi-qda/Project.qde")))).iter()]  # fmt: skip
    assert sorted(ours) == sorted(tags)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (QText("t", "p", "kort", codings=(QCoding("c", "gone"),)), "refers to a code"),
        (QText("t", "p", "kort", codings=(QCoding("c", "k", "gone"),)), "refers to a user"),
        (QText("t", "p", "kort", selections=(QSelection("s", 1, 9),)), r"stands at 1\.\.9, outside"),
        (QText("t", "p", "kort", selections=(QSelection("s", -1, 2),)), "outside"),
        (QText("t", "p", "kort", selections=(QSelection("s", 3, 2),)), "outside"),
    ],
)
def test_what_the_schema_lets_pass_is_caught(source: QText, told: str) -> None:
    """Dangling references and positions past the text are refused on the way in and on the way out."""
    code = QCode("k", "code")
    with pytest.raises(ExchangeError, match=told):
        serialise(Project("x", codes=(code,), texts=(source,)))


def test_a_changed_text_or_a_theme_given_as_code_is_refused(tmp_path: Path) -> None:
    """Selections on other words would not fit the post; a theme says too little."""
    tasks, by = two_coders()
    qdpx.write_coded(tmp_path / "x.qdpx", tasks, codebook(), by)
    with pytest.raises(ExchangeError, match="its text was changed"):
        list(qdpx.read(tmp_path / "x.qdpx", codebook(), {"p0": (1, "andere tekst")}))
    theme = QText("t", "p0", tasks[0].text, codings=(QCoding("c", guid("theme", "norms")),))
    bare = serialise(Project("x", codes=qdpx.codes_of(codebook()), texts=(theme,)))
    (tmp_path / "x.qde").write_bytes(bare)
    with pytest.raises(ExchangeError, match="gives a theme"):
        list(qdpx.read(tmp_path / "x.qde", codebook(), known_of(tasks)))


def test_a_cas_on_other_words_or_past_them_is_refused(tmp_path: Path) -> None:
    """A document whose text was changed, or with a mark outside it, is named and not taken in."""
    task = Task("p0", 1, 1, "c", "p", "2025-01-01", "korte tekst", "A", (), (Mark("norms.doxing", 1.0, 0, 5),))
    path = tmp_path / "x.json"
    path.write_text(json.dumps(cas.document(task)))
    assert [c.marks for c in cas.read(path, codebook(), known_of([task]))] == [task.marks]
    with pytest.raises(ExchangeError, match="the text was changed"):
        list(cas.read(path, codebook(), {"p0": (1, "andere tekst")}))
    broken = cas.document(task)
    broken["%FEATURE_STRUCTURES"][-1]["end"] = 99
    path.write_text(json.dumps(broken))
    with pytest.raises(ExchangeError, match="lies outside its text"):
        list(cas.read(path, codebook(), known_of([task])))


@pytest.mark.parametrize(
    "bad", [b"no zip", b"<a>", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"<Project/>"], ids=repr
)
def test_what_is_no_project_is_refused(tmp_path: Path, bad: bytes) -> None:
    """Neither damage nor an entity bomb gets past the door."""
    (tmp_path / "x.qdpx").write_bytes(bad)
    with pytest.raises(ExchangeError):
        qdpx.read_project(tmp_path / "x.qdpx")
    with ZipFile(tmp_path / "y.qdpx", "w") as archive:
        archive.writestr("Whatever.qde", bad)
    with pytest.raises(ExchangeError):
        qdpx.read_project(tmp_path / "y.qdpx")


def test_a_format_is_known_by_its_file_or_said(tmp_path: Path) -> None:
    """The ending promises the format; without one the message lists them."""
    assert format_of(Path("a.QDPX")) == "qdpx"
    assert format_of(Path("a.zip")) == "doccano"
    with pytest.raises(ExchangeError, match="--format cas"):
        format_of(Path("a.bin"))
    with pytest.raises(ExchangeError, match="there are: cas, csv"):
        load_format("spss")
