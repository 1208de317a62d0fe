"""
REFI-QDA 1.0: projects of ATLAS.ti, MAXQDA, NVivo and others, as a tree of our own and back.

What a project holds beside codes and texts (pictures, recordings, memos, graphs) is carried along untouched.
The schema lets dangling references and positions past the text pass; they are checked here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from defusedxml.ElementTree import fromstring

from . import ExchangeError

PROJECT, CODEBOOK = "urn:QDA-XML:project:1.0", "urn:QDA-XML:codebook:1.0"
ORIGIN = "Veldwerk"
AFTER_SOURCES = ("Notes", "Links", "Sets", "Graphs", "Description", "NoteRef")


def guid(*parts: str) -> str:
    """The same GUID for the same names, so that two exports of one study fit together."""
    return str(uuid5(NAMESPACE_URL, "veldwerk:" + "/".join(parts))).upper()


@dataclass(frozen=True, slots=True)
class QCode:
    """A code with its place in the tree: `children` are narrower codes."""

    guid: str
    name: str
    description: str = ""
    color: str | None = None
    codable: bool = True
    children: tuple[QCode, ...] = ()
    rest: tuple[str, ...] = ()

    def walk(self) -> Iterator[QCode]:
        """This code and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class QCoding:
    """That a user gave a code, at a moment (ISO 8601); to a selection, or to a whole source."""

    guid: str
    code: str
    user: str | None = None
    created: str | None = None
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QSelection:
    """A stretch of a text: half-open, in code points, with the codings on it. It may have none."""

    guid: str
    start: int
    end: int
    codings: tuple[QCoding, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QText:
    """A text source. `text` is None where the project only refers to a file that is not there."""

    guid: str
    name: str
    text: str | None
    selections: tuple[QSelection, ...] = ()
    codings: tuple[QCoding, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    before: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A project. `other_sources` and `rest` are XML that is carried along as it came."""

    name: str
    users: tuple[tuple[str, str], ...] = ()
    codes: tuple[QCode, ...] = ()
    texts: tuple[QText, ...] = ()
    other_sources: tuple[str, ...] = ()
    rest: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, str], ...] = field(default=())

    def all_codes(self) -> dict[str, QCode]:
        """Every code of the tree, by GUID."""
        return {c.guid: c for top in self.codes for c in top.walk()}


# ------------------------------------------------------------------------------------------------- reading
def parse(data: bytes, files: dict[str, str], name: str) -> Project:
    """
    The project in this XML. *files* gives the texts of `internal://` paths by file name.

    ExchangeError when it is no project, refers to a code that it does not have, or marks text past the end.
    """
    try:
        root = fromstring(data)
    except (ET.ParseError, ValueError):
        msg = f"{name}: is no well-formed XML"
        raise ExchangeError(msg) from None
    if root.tag != f"{{{PROJECT}}}Project":
        msg = f"{name}: is no REFI-QDA project"
        raise ExchangeError(msg)
    sources = root.find(_q("Sources"))
    found = Project(
        root.get("name", ""),
        tuple((u.get("guid", ""), u.get("name", "")) for u in root.iterfind(f"{_q('Users')}/{_q('User')}")),
        tuple(_code(c) for c in root.iterfind(f"{_q('CodeBook')}/{_q('Codes')}/{_q('Code')}")),
        tuple(_text(s, files) for s in (sources if sources is not None else ()) if s.tag == _q("TextSource")),
        tuple(_raw(s) for s in (sources if sources is not None else ()) if s.tag != _q("TextSource")),
        tuple((_local(e), _raw(e)) for e in root if _local(e) not in ("Users", "CodeBook", "Sources")),
        _others(root, "name", "basePath"),
    )
    check_project(found, name)
    return found


def check_project(project: Project, name: str) -> None:
    """What the schema lets pass: references to codes and users that are not there, and positions past the text."""
    codes = project.all_codes()
    users = {guid for guid, _ in project.users}
    for source in project.texts:
        for coding in (*source.codings, *(c for s in source.selections for c in s.codings)):
            if coding.code not in codes:
                msg = f"{name}: coding {coding.guid} refers to a code that the project does not have"
                raise ExchangeError(msg)
            if coding.user is not None and coding.user not in users:
                msg = f"{name}: coding {coding.guid} refers to a user that the project does not have"
                raise ExchangeError(msg)
        for s in source.selections:
            if s.start < 0 or s.end < s.start or (source.text is not None and s.end > len(source.text)):
                msg = f"{name}: selection {s.guid} stands at {s.start}..{s.end}, outside its text"
                raise ExchangeError(msg)


def _code(element: ET.Element) -> QCode:
    parts = {"Description", "Code"}
    return QCode(
        element.get("guid", ""), element.get("name", ""), element.findtext(_q("Description"), ""),
        element.get("color"), element.get("isCodable", "true") in ("true", "1"),
        tuple(_code(c) for c in element.iterfind(_q("Code"))),
        tuple(_raw(e) for e in element if _local(e) not in parts),
    )  # fmt: skip


def _text(element: ET.Element, files: dict[str, str]) -> QText:
    content = element.findtext(_q("PlainTextContent"))
    if content is None:
        content = files.get(element.get("plainTextPath", "").rpartition("/")[2].casefold())
    text = None if content is None else content.replace("\r\n", "\n").replace("\r", "\n")
    ours = {"PlainTextContent", "PlainTextSelection", "Coding", "Description"}
    return QText(
        element.get("guid", ""), element.get("name", ""), text,
        tuple(_selection(s) for s in element.iterfind(_q("PlainTextSelection"))),
        tuple(_coding(c) for c in element.iterfind(_q("Coding"))),
        _others(element, "guid", "name"), tuple(_raw(e) for e in element.iterfind(_q("Description"))),
        tuple(_raw(e) for e in element if _local(e) not in ours),
    )  # fmt: skip


def _selection(element: ET.Element) -> QSelection:
    return QSelection(
        element.get("guid", ""), int(element.get("startPosition", "-1")), int(element.get("endPosition", "-1")),
        tuple(_coding(c) for c in element.iterfind(_q("Coding"))),
        _others(element, "guid", "startPosition", "endPosition"),
        tuple(_raw(e) for e in element if _local(e) != "Coding"),
    )  # fmt: skip


def _coding(element: ET.Element) -> QCoding:
    code = element.find(_q("CodeRef"))
    rest = tuple(_raw(e) for e in element if _local(e) != "CodeRef")
    target = "" if code is None else code.get("targetGUID", "")
    return QCoding(element.get("guid", ""), target, element.get("creatingUser"), element.get("creationDateTime"), rest)


def _others(element: ET.Element, *ours: str) -> tuple[tuple[str, str], ...]:
    """The attributes that we carry along. `basePath` never is: it tells a person's name and folders."""
    return tuple(sorted((k, v) for k, v in element.attrib.items() if k not in ours and "}" not in k))


def _raw(element: ET.Element) -> str:
    """The element alone, in one fixed spelling, every blank in it kept."""
    ET.register_namespace("", PROJECT)
    text = ET.tostring(element, encoding="unicode")
    return ET.canonicalize(text[: text.rindex(">") + 1])


def _q(tag: str) -> str:
    return f"{{{PROJECT}}}{tag}"


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


# ------------------------------------------------------------------------------------------------- writing
def serialise(project: Project) -> bytes:
    """The project as XML, elements in the order of the schema."""
    check_project(project, project.name)
    ET.register_namespace("", PROJECT)
    root = ET.Element(_q("Project"), dict(project.attributes) | {"name": project.name})
    rest = {kind: [xml for k, xml in project.rest if k == kind] for kind, _ in project.rest}
    if project.users:
        users = ET.SubElement(root, _q("Users"))
        for guid_, name in project.users:
            ET.SubElement(users, _q("User"), guid=guid_, name=name)
    if project.codes:
        codes = ET.SubElement(ET.SubElement(root, _q("CodeBook")), _q("Codes"))
        for code in project.codes:
            _add_code(codes, code, PROJECT)
    for kind in ("Variables", "Cases"):
        _add_raw(root, rest.get(kind, ()))
    if project.texts or project.other_sources:
        sources = ET.SubElement(root, _q("Sources"))
        for text in project.texts:
            _add_text(sources, text)
        _add_raw(sources, project.other_sources)
    for kind in AFTER_SOURCES:
        _add_raw(root, rest.get(kind, ()))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def serialise_codebook(codes: Iterable[QCode]) -> bytes:
    """The codes alone, as a `.qdc` file."""
    ET.register_namespace("", CODEBOOK)
    root = ET.Element(f"{{{CODEBOOK}}}CodeBook", origin=ORIGIN)
    parent = ET.SubElement(root, f"{{{CODEBOOK}}}Codes")
    for code in codes:
        _add_code(parent, code, CODEBOOK)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _add_code(parent: ET.Element, code: QCode, space: str) -> None:
    attributes = {"guid": code.guid, "name": code.name, "isCodable": str(code.codable).lower()}
    if code.color:
        attributes["color"] = code.color
    element = ET.SubElement(parent, f"{{{space}}}Code", attributes)
    if code.description:
        ET.SubElement(element, f"{{{space}}}Description").text = code.description
    if space == PROJECT:
        _add_raw(element, code.rest)
    for child in code.children:
        _add_code(element, child, space)


def _add_text(parent: ET.Element, source: QText) -> None:
    element = ET.SubElement(
        parent, _q("TextSource"), {"guid": source.guid, "name": source.name} | dict(source.attributes)
    )
    _add_raw(element, source.before)
    if "plainTextPath" not in dict(source.attributes):
        ET.SubElement(element, _q("PlainTextContent")).text = source.text or ""
    for s in source.selections:
        places = {"guid": s.guid, "startPosition": str(s.start), "endPosition": str(s.end)}
        selection = ET.SubElement(element, _q("PlainTextSelection"), places | dict(s.attributes))
        _add_raw(selection, (xml for xml in s.rest if _is_description(xml)))
        for coding in s.codings:
            _add_coding(selection, coding)
        _add_raw(selection, (xml for xml in s.rest if not _is_description(xml)))
    for coding in source.codings:
        _add_coding(element, coding)
    _add_raw(element, source.rest)


def _is_description(xml: str) -> bool:
    return _local(fromstring(xml)) == "Description"


def _add_coding(parent: ET.Element, coding: QCoding) -> None:
    told = {"creatingUser": coding.user, "creationDateTime": coding.created}
    element = ET.SubElement(parent, _q("Coding"), {"guid": coding.guid} | {k: v for k, v in told.items() if v})
    ET.SubElement(element, _q("CodeRef"), targetGUID=coding.code)
    _add_raw(element, coding.rest)


def _add_raw(parent: ET.Element, raw: Iterable[str]) -> None:
    for xml in raw:
        parent.append(fromstring(xml))
