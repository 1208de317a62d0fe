"""
doccano: one JSON line a post to import, the labels beside it, and its export per annotator back.

doccano cannot tell a post without codes from one not yet coded: coders give the label `(none)` where no code fits.
Import into one project a coder, with `collaborative_annotation` off, or the annotators are lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from . import NONE, Coded, ExchangeError, Task
from ._cells import thread_text
from ._spans import from_utf16, with_evidence

if TYPE_CHECKING:
    from ..codebook import Codebook


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write the posts to *path* and the labels to `NAME-labels.json`; returns how many posts."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for task in tasks:
            # Every line has every key: doccano refuses a whole file for one key that is missing once.
            line = {
                "text": task.text, "label": list(dict.fromkeys(m.code for m in task.marks)), "post_id": task.post,
                "version": task.version, "position": task.position, "case": task.case, "platform": task.platform,
                "date": task.date, "context": thread_text(task),
            }  # fmt: skip
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    path.with_name(f"{path.stem}-labels.json").write_text(json.dumps(labels(codebook), indent=1), encoding="utf-8")
    return count


def labels(codebook: Codebook) -> list[dict[str, str]]:
    """The labels of a project, as doccano imports them; the last one says that no code fits."""
    colours = [(c.id, c.color) for c in codebook.codes] + [(NONE, "#808080")]
    return [{"text": id_, "background_color": colour, "text_color": "#ffffff"} for id_, colour in colours]


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """
    The labels in an export: one .jsonl, or a zip with one .jsonl an annotator; posts without a label are passed over.

    ExchangeError names file and line of a fault, and refuses `all.jsonl`, in which annotators are lost.
    """
    for name, lines in _files(path):
        if Path(name).stem == "all" and path.suffix.lower() == ".zip":
            msg = f"{path.name}: {name}: annotators were merged; export a project without collaborative annotation"
            raise ExchangeError(msg)
        who = Path(name).stem if path.suffix.lower() == ".zip" else ""
        for number, line in enumerate(lines, start=1):
            where = f"{name} line {number}" if who else f"line {number}"
            if line.strip() and (one := _coded(line, who, known, f"{path.name}: {where}", where)):
                yield one


def _files(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        if path.suffix.lower() != ".zip":
            yield path.name, path.read_text(encoding="utf-8-sig").splitlines()
            return
        with ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if n.endswith(".jsonl")):
                yield name, archive.read(name).decode("utf-8-sig").split("\n")
    except (BadZipFile, UnicodeDecodeError):
        msg = f"{path.name}: is no export of doccano (JSONL, or a zip of JSONL)"
        raise ExchangeError(msg) from None


def _coded(line: str, who: str, known: Mapping[str, tuple[int, str]], place: str, where: str) -> Coded | None:
    try:
        row: dict[str, Any] = json.loads(line)
        post = str(row["post_id"])
        codes = [str(c) for c in row.get("label", row.get("cats", ())) or ()]
        entities = [(str(code), int(start), int(end)) for start, end, code in row.get("entities") or ()]
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        msg = f"{place}: is no JSON line with post_id and label"
        raise ExchangeError(msg) from None
    if not codes and not entities:
        return None
    text = known[post][1].replace("\r\n", "\n") if post in known else ""
    spans = [s for s in (_span(e, text) for e in entities) if s]
    spanned = {code for code, _, _ in spans}
    codes += [code for code, _, _ in entities if code not in spanned]
    note = " ".join(str(c) for c in row.get("Comments") or ())
    return Coded(post, with_evidence(codes, spans), note, who, row.get("version"), where)


def _span(entity: tuple[str, int, int], text: str) -> tuple[str, int, int] | None:
    """
    The span in code points; None where the two ways of counting give different words.

    The editor counts UTF-16 units, the programming interface code points, and the export does not say which.
    """
    _code, start, end = entity
    if all(c <= "\uffff" for c in text[:end]):
        return entity
    units = from_utf16(text, start), from_utf16(text, end)
    return entity if units == (start, end) else None
