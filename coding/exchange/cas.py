"""
UIMA CAS JSON 0.4, one document a post in a zip, for INCEpTION and other UIMA tools.

Evidence is `veldwerk.Code` with a feature `code`; a code on the whole post spans the whole text. Positions are UTF-16
units, as in Java. A post where no code fits gets `(none)`; one without any is not coded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from .. import Mark
from . import Coded, ExchangeError, Task
from ._spans import from_utf16, to_utf16

if TYPE_CHECKING:
    from ..codebook import Codebook

CODE, META = "veldwerk.Code", "veldwerk.Post"
TEXT_FEATURES = {CODE: ("code",), META: ("post", "case", "platform", "date", "context")}
TYPES = {
    name: {"%NAME": name, "%SUPER_TYPE": "uima.tcas.Annotation"}
    | {f: {"%NAME": f, "%RANGE": "uima.cas.String"} for f in features}
    for name, features in TEXT_FEATURES.items()
}


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write a zip with one document a post, and the codes as `tagset.json`; returns how many posts."""
    count = 0
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        tags = [{"tag_name": c.id, "tag_description": c.definition.nl} for c in codebook.codes]
        archive.writestr("tagset.json", json.dumps({"name": codebook.name, "tags": tags}, ensure_ascii=False))
        for task in tasks:
            archive.writestr(f"{task.post}.json", json.dumps(document(task), ensure_ascii=False))
            count += 1
    return count


def document(task: Task) -> dict[str, Any]:
    """One post as a CAS in JSON."""
    from ._cells import thread_text

    end = to_utf16(task.text, len(task.text))
    fixed: list[dict[str, Any]] = [
        {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView", "mimeType": "text",
         "sofaString": task.text},
        {"%ID": 2, "%TYPE": "uima.tcas.DocumentAnnotation", "@sofa": 1, "begin": 0, "end": end, "language": "nl"},
        {"%ID": 3, "%TYPE": META, "@sofa": 1, "begin": 0, "end": end, "post": task.post, "case": task.case,
         "platform": task.platform, "date": task.date, "context": thread_text(task)},
    ]  # fmt: skip
    marks = [
        {"%ID": n, "%TYPE": CODE, "@sofa": 1, "begin": to_utf16(task.text, m.start or 0),
         "end": end if m.end is None else to_utf16(task.text, m.end), "code": m.code}
        for n, m in enumerate(task.marks, start=4)
    ]  # fmt: skip
    members = [fs["%ID"] for fs in (*fixed[1:], *marks)]
    views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": members}}
    return {"%TYPES": TYPES, "%FEATURE_STRUCTURES": [*fixed, *marks], "%VIEWS": views}


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """The codes in a zip of CAS documents, or in one document. ExchangeError names document and fault."""
    for name, text in _documents(path):
        try:
            structures = json.loads(text)["%FEATURE_STRUCTURES"]
            sofa = next(fs["sofaString"] for fs in structures if fs["%TYPE"] == "uima.cas.Sofa")
            post = next((fs["post"] for fs in structures if fs["%TYPE"] == META), Path(name).stem)
            found = [fs for fs in structures if fs["%TYPE"] == CODE and fs.get("code")]
            marks = tuple(_mark(fs, sofa) for fs in found)
        except (json.JSONDecodeError, KeyError, TypeError, StopIteration, UnicodeDecodeError):
            msg = f"{path.name}: {name}: is no CAS in JSON, or a mark in it lies outside its text"
            raise ExchangeError(msg) from None
        if post in known and sofa != known[post][1].replace("\r\n", "\n"):
            msg = f"{path.name}: {name}: the text was changed; marks on it would not fit the post"
            raise ExchangeError(msg)
        if marks:
            yield Coded(post, marks, where=name)


def _mark(fs: Mapping[str, Any], sofa: str) -> Mark:
    start, end = from_utf16(sofa, fs["begin"]), from_utf16(sofa, fs["end"])
    if start is None or end is None:
        raise KeyError
    whole = (start, end) == (0, len(sofa)) or start == end
    return Mark(fs["code"]) if whole else Mark(fs["code"], 1.0, start, end)


def _documents(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.suffix.lower() == ".json":
            yield path.name, path.read_text(encoding="utf-8")
            return
        with ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if n.endswith(".json") and Path(n).name != "tagset.json"):
                yield name, archive.read(name).decode("utf-8")
    except (BadZipFile, UnicodeDecodeError):
        msg = f"{path.name}: is no zip of CAS documents"
        raise ExchangeError(msg) from None
