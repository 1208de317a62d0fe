"""
REFI-QDA projects (.qdpx) and codebooks (.qdc): posts as texts to code in ATLAS.ti, MAXQDA, NVivo, QualCoder.

A code on a whole post stands on its whole text. A post where no code fits gets `(none)`; one without any is not coded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from .. import Mark
from . import NONE, Coded, ExchangeError, Task
from ._refi import ORIGIN, Project, QCode, QCoding, QSelection, QText, guid, parse, serialise, serialise_codebook

if TYPE_CHECKING:
    from ..codebook import Codebook

MOST_BYTES = 200_000_000
"""No text of a project is larger; what unpacks to more is no project."""


@dataclass(frozen=True, slots=True)
class CodedBy:
    """What one coder gave, to go with a project: her code name, when (UTC), and her marks per post."""

    coder: str
    when: datetime
    marks: Mapping[str, Sequence[Mark]]


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write a project to code in; returns how many posts. Marks to show beforehand are those of a user "shown"."""
    given = list(tasks)
    shown = {t.post: t.marks for t in given if t.marks}
    by = [CodedBy("shown", datetime.now(UTC), shown)] if shown else []
    return write_coded(path, given, codebook, by)


def write_coded(path: Path, tasks: Iterable[Task], codebook: Codebook, by: Sequence[CodedBy]) -> int:
    """Write a project with what each coder gave: selections with coder and date. Returns how many posts."""
    texts: list[tuple[str, str]] = []
    sources: list[QText] = []
    for task in tasks:
        name = f"{guid('text', task.post)}.txt"
        texts.append((name, task.text))
        sources.append(_source(task, name, codebook, by))
    users = tuple((guid("user", b.coder), b.coder) for b in by)
    now = _moment(datetime.now(UTC))
    attributes = (("creationDateTime", now), ("modifiedDateTime", now), ("origin", ORIGIN))
    project = Project(codebook.name, users, codes_of(codebook), tuple(sources), attributes=attributes)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("project.qde", serialise(project))
        for name, text in texts:
            archive.writestr(f"sources/{name}", text.encode("utf-8"))
    return len(sources)


def write_codebook(path: Path, codebook: Codebook) -> None:
    """Write the codebook alone as a `.qdc` file."""
    path.write_bytes(serialise_codebook(codes_of(codebook)))


def codes_of(codebook: Codebook) -> tuple[QCode, ...]:
    """The codebook as a tree: themes that are not given themselves, codes below them, and `(none)`."""
    themes = tuple(
        QCode(guid("theme", t.id), t.id, f"{t.label.nl}: {t.definition.nl}", codable=False, children=tuple(
            QCode(guid("code", c.id), c.id, _described(c.label.nl, c.definition.nl, c.include, c.exclude), c.color)
            for c in t.codes
        ))
        for t in codebook.themes
    )  # fmt: skip
    return (*themes, QCode(guid("code", NONE), NONE, "Geen code past. / No code fits.", "#808080"))


def _described(label: str, definition: str, include: Sequence[str], exclude: Sequence[str]) -> str:
    return "\n".join([f"{label}: {definition}", *(f"+ {x}" for x in include), *(f"- {x}" for x in exclude)])


def _source(task: Task, name: str, codebook: Codebook, by: Sequence[CodedBy]) -> QText:
    spans: dict[tuple[int, int], list[QCoding]] = {}
    for b in by:
        for m in b.marks.get(task.post, ()):
            place = (0, len(task.text)) if m.start is None or m.end is None else (m.start, m.end)
            id_ = guid("coding", b.coder, task.post, m.code, *map(str, place))
            coding = QCoding(id_, guid("code", m.code), guid("user", b.coder), _moment(b.when))
            spans.setdefault(place, []).append(coding)
    selections = tuple(
        QSelection(guid("selection", task.post, str(a), str(z)), a, z, tuple(codings))
        for (a, z), codings in sorted(spans.items())
    )
    attributes = (("plainTextPath", f"internal://{name}"),)
    return QText(guid("source", task.post), task.post, task.text, selections, attributes=attributes)


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ------------------------------------------------------------------------------------------------- reading
def read_project(path: Path) -> Project:
    """The project in a .qdpx file (or a bare .qde). ExchangeError names what is wrong with it."""
    if path.suffix.lower() == ".qde":
        return parse(path.read_bytes(), {}, path.name)
    try:
        with ZipFile(path) as archive:
            inner = [n for n in archive.namelist() if n.lower().endswith(".qde") and "/" not in n]
            if len(inner) != 1:
                msg = f"{path.name}: holds {len(inner)} project files (.qde) at its top, and needs one"
                raise ExchangeError(msg)
            if (
                sum(i.file_size for i in archive.infolist() if i.filename.lower().endswith((".txt", ".qde")))
                > MOST_BYTES
            ):
                msg = f"{path.name}: its texts unpack to more than {MOST_BYTES:,} bytes"
                raise ExchangeError(msg)
            texts = {
                n.rpartition("/")[2].casefold(): archive.read(n).decode("utf-8-sig")
                for n in archive.namelist()
                if n.lower().endswith(".txt")
            }
            return parse(archive.read(inner[0]), texts, path.name)
    except (BadZipFile, UnicodeDecodeError):
        msg = f"{path.name}: is no REFI-QDA project (.qdpx), or a text in it is not UTF-8"
        raise ExchangeError(msg) from None


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """
    The codings on posts in a project, one Coded a user and post. Texts of the coder's own are passed over.

    Users are told apart by their place in the project ("1", "2", ...), never by the names they have there.
    ExchangeError when a post's text was changed, or a code is not of the codebook.
    """
    project = read_project(path)
    names = {id_: code.name.rpartition("::")[2] for id_, code in project.all_codes().items()}
    themes = {t.id for t in codebook.themes}
    who = {id_: str(n) for n, (id_, _) in enumerate(project.users, start=1)}
    for source in project.texts:
        post = source.name.removesuffix(".txt")
        if post not in known:
            continue
        text = known[post][1].replace("\r\n", "\n")
        if source.text is not None and source.text != text:
            msg = f"{path.name}: source {source.guid}: its text was changed; selections would not fit the post"
            raise ExchangeError(msg)
        marks: dict[str, list[Mark]] = {}
        for coding, span in _codings(source):
            if names[coding.code] in themes:
                msg = f"{path.name}: coding {coding.guid} gives a theme; choose one of its codes"
                raise ExchangeError(msg)
            whole = span is None or span == (0, len(text))
            start, end = (None, None) if whole or span is None else span
            marks.setdefault(who.get(coding.user or "", ""), []).append(Mark(names[coding.code], 1.0, start, end))
        for user, given in marks.items():
            yield Coded(post, tuple(dict.fromkeys(given)), annotator=user, where=f"source {source.guid}")


def _codings(source: QText) -> Iterator[tuple[QCoding, tuple[int, int] | None]]:
    for coding in source.codings:
        yield coding, None
    for s in source.selections:
        for coding in s.codings:
            yield coding, (s.start, s.end)
