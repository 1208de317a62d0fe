"""Laws of the importers of transcripts and documents."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import UnreadableExport, detect, load_importer
from collectors._speech import Turn, spoken
from demo.make import transcripts, turns

from .reading import Reading, read

WORDS = st.text("abcdefghij éë.,?", min_size=1, max_size=60).map(str.strip).filter(bool)
TALK = st.lists(WORDS, min_size=4, max_size=12)


def said(found: Reading) -> list[tuple[str, int, str]]:
    """Who, how many seconds in, and what."""
    return [
        (p.author.reveal().rpartition(":")[2], int(p.created.timestamp()) % 86_400, p.text.reveal())
        for p in found.posts
    ]


FORMS = {
    "[{clock}] {who}: {text}\n": True,
    "({clock}) {who}:\t{text}\n\n": True,
    "{clock} {who}: {text}\n": True,
    "{who} [{clock}]: {text}\n": True,
    "{who}: [{clock}] {text}\n": True,
    "{who}  {clock}\n{text}\n\n": True,
    "{clock} {who}\n{text}\n\n": True,
    "{who}: {text}\n": False,
    "{who}:\n{text}\n\n": False,
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    talk=TALK, names=st.sampled_from([("I", "R"), ("Interviewer", "Respondent 2"), ("Ann de Wit", "Bo"), ("V", "A")])
)
def test_turns_come_back_in_every_layout(
    form: str, talk: list[str], names: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However labels and clock times are laid out, each turn comes back with speaker, moment and words."""
    path = tmp_path_factory.mktemp("t") / "gesprek.txt"
    wanted = [(names[n % 2], n * 61, text) for n, text in enumerate(talk)]
    clock = "0{}".format
    path.write_text(
        "".join(form.format(clock=clock(timedelta(seconds=s)), who=who, text=text) for who, s, text in wanted),
        encoding="utf-8",
    )
    assert detect(path) == "transcripts"
    found = read(path, date="2025-03-03", timezone="UTC")
    assert said(found) == [(who, s if FORMS[form] else 0, text) for who, s, text in wanted]
    assert {p.kind for p in found.posts} == {"interview"}
    assert found.replies == [None, *found.ids[:-1]]


def test_the_interviews_of_the_fieldwork_set_keep_their_moments(tmp_path: Path) -> None:
    """Captions, Word and text give back where in the interview each turn began."""
    for name, path in transcripts(tmp_path).items():
        assert detect(path) == "transcripts", path.suffix
        found = read(path, date="2025-07-03")
        begin = datetime(2025, 7, 2, 22, tzinfo=UTC)
        clocks = [str(timedelta(seconds=(p.created - begin).total_seconds())).rjust(8, "0") for p in found.posts]
        assert clocks == [t.start for t in turns(name)], path.suffix


def test_captions_of_one_speaker_are_one_turn(tmp_path: Path) -> None:
    """Cues that go on are joined; notes, styles, tags and entities are not words."""
    path = tmp_path / "a.vtt"
    path.write_text(
        "WEBVTT\n\nNOTE geheim\n\nSTYLE\n::cue {color: red}\n\n"
        "1\n00:01.000 --> 00:02.000 align:left\n<v Ann>Hoi <c.x>daar</c>\n\n"
        "00:02.000 --> 00:03.000\n<v Ann>R&amp;D &lt;hier&gt;</v>\n\n00:03.000 --> 00:04.000\nBo: Ja\nen nee\n\n"
        "01:00:04.000 --> 01:00:05.000\nnog iets\n"
    )
    found = read(path, date="2025-03-03", timezone="UTC")
    assert said(found) == [("Ann", 1, "Hoi daar R&D <hier>"), ("Bo", 3, "Ja\nen nee nog iets")]
    assert [a.reveal() for a in found.posts[0].aliases] == ["Ann"]


def test_captions_without_names_have_one_speaker(tmp_path: Path) -> None:
    """SubRip that names nobody is one person's talk."""
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHoi\n\n2\n00:00:02,000 --> 00:00:03,000\n<i>daar</i>\n")
    assert said(read(path, timezone="UTC")) == [("speaker", 1, "Hoi daar")]


def test_a_table_of_turns_in_word_is_read(tmp_path: Path) -> None:
    """Speakers in the first column of a table, their words in the last."""
    document = docx.Document()
    table = document.add_table(rows=0, cols=2)
    for n in range(6):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = ("Int", "Resp")[n % 2], f"zin {n}"
    document.save(str(tmp_path / "a.docx"))
    found = read(tmp_path / "a.docx", "transcripts", date="2025-03-03")
    assert [w for _, _, w in said(found)] == [f"zin {n}" for n in range(6)]


def test_a_word_with_a_colon_is_no_speaker() -> None:
    """What comes before a colon once, and is no usual label, is part of what was said."""
    lines = ["I: Hoe ging dat?", "R: Nou", "Kijk: zo ging het", "I: Ja?", "R: Ja."]
    assert list(spoken(lines)) == [
        Turn("I", None, "Hoe ging dat?"),
        Turn("R", None, "Nou\nKijk: zo ging het"),
        Turn("I", None, "Ja?"),
        Turn("R", None, "Ja."),
    ]


def test_two_interviews_in_files_of_one_name_stay_two(tmp_path: Path) -> None:
    """A name such as transcript.txt does not make two interviews one; the same file twice is one."""
    ids: list[list[str]] = []
    for folder, first in (("r1", "Hoe heet je?"), ("r2", "Wat zag je?"), ("r3", "Wat zag je?")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "transcript.txt"
        path.write_text(f"I: {first}\nR: tja\nI: en?\nR: nee\n")
        ids.append(read(path, "transcripts").ids)
    assert not set(ids[0]) & set(ids[1])
    assert ids[1] == ids[2]


@pytest.mark.parametrize("content", [b"", b"zomaar een tekst\nzonder\n", b"PK\x03\x04", b"\xff\xfe\x00", b"WEBVTT\n"])
@pytest.mark.parametrize("suffix", [".txt", ".docx", ".vtt"])
def test_a_text_in_which_nobody_speaks_is_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    """Without turns there is no interview, and the error says how to mark them."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    importer = load_importer("transcripts")
    importer.sniff(path)
    with pytest.raises(UnreadableExport, match=r"^x\.\w+.*(label|again|\.docx)"):
        list(importer.read(path, importer.Settings()))


PARAGRAPHS = [
    "Inleiding",
    "Burgers en politie werken in de wijk samen, en daarover gaat dit stuk, dat meer dan acht woorden telt.",
    "Een tweede alinea, die ook meer dan acht woorden telt en dus alleen staat, zonder kop erboven.",
]


def write_document(path: Path) -> None:
    match path.suffix:
        case ".docx":
            document = docx.Document()
            document.add_heading(PARAGRAPHS[0])
            for text in PARAGRAPHS[1:]:
                document.add_paragraph(text)
            document.save(str(path))
        case ".html":
            body = f"<h1>{PARAGRAPHS[0]}</h1>" + "".join(f"<p>{t}</p>" for t in PARAGRAPHS[1:])
            path.write_text(f"<!DOCTYPE html><html><head><style>p {{}}</style></head><body>{body}</body></html>")
        case _:
            path.write_text("\n\n".join(PARAGRAPHS) + "\n", encoding="utf-8")


@pytest.mark.parametrize("suffix", [".docx", ".html", ".md", ".txt"])
def test_a_document_gives_its_paragraphs(suffix: str, tmp_path: Path) -> None:
    """In every format the same paragraphs come out, a heading with what follows it."""
    path = tmp_path / f"beleid{suffix}"
    write_document(path)
    assert detect(path) == "documents"
    found = read(path, date="2024-01-01", author="gemeente")
    assert found.texts == ["\n".join(PARAGRAPHS[:2]), PARAGRAPHS[2]]
    assert ({p.kind for p in found.posts}, set(found.authors)) == ({"document"}, {"gemeente"})
    assert len(set(found.threads)) == 1
    assert found.posts[0].created == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_text_with_one_line_a_paragraph_is_divided_too(tmp_path: Path) -> None:
    """Long lines are paragraphs without blank lines between them; short ones belong together."""
    long = [f"{n} " + "woord " * 60 for n in range(3)]
    (tmp_path / "a.txt").write_text("\n".join(long))
    assert read(tmp_path / "a.txt", "documents").texts == [t.strip() for t in long]
    wrapped = "Deze alinea is door haar schrijver\nmet de hand afgebroken over\ndrie regels.\n"
    (tmp_path / "b.txt").write_text(f"{wrapped}\n{wrapped}")
    assert read(tmp_path / "b.txt", "documents").texts == [wrapped.strip()] * 2


def test_entities_in_a_word_document_are_not_resolved(tmp_path: Path) -> None:
    """A document that declares entities gives no text of theirs and takes no memory for them."""
    plain = tmp_path / "plain.docx"
    write_document(plain)
    path = tmp_path / "a.docx"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "' + "&a;" * 50 + '"><!ENTITY c "' + "&b;" * 50 + '">]>'
    with zipfile.ZipFile(plain) as whole, zipfile.ZipFile(path, "w") as changed:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "word/document.xml":
                head, _, rest = data.partition(b"?>")
                data = head + b"?>" + bomb.encode() + rest.replace(b"Inleiding", b"&c;")
            changed.writestr(name, data)
    try:
        texts = read(path, "documents").texts
    except UnreadableExport:
        return
    assert "aaaa" not in "".join(texts)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"PK\x03\x04", b"%PDF-1.4 kapot"])
@pytest.mark.parametrize("suffix", [".txt", ".docx", ".pdf"])
def test_a_document_without_words_is_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    """An empty or damaged document is refused in our words."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    importer = load_importer("documents")
    importer.sniff(path)
    given_: list[Any] = []
    with pytest.raises(UnreadableExport, match=r"^x\.\w+"):
        given_.extend(importer.read(path, importer.Settings()))
    assert not given_
