"""
Label Studio: tasks as JSON to import, the labelling interface as XML beside it, and its JSON export back.

Blind coding needs one project a coder: in one project coders see each other's work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from . import Coded, ExchangeError, Task
from ._spans import from_utf16, with_evidence

if TYPE_CHECKING:
    from .. import Mark
    from ..codebook import Codebook


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write the tasks to *path* and the interface to the same name with `.xml`; returns how many tasks."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for task in tasks:
            file.write(",\n" if count else "\n")
            json.dump(_task(task), file, ensure_ascii=False)
            count += 1
        file.write("\n]\n")
    path.with_suffix(".xml").write_text(interface(codebook), encoding="utf-8")
    return count


def interface(codebook: Codebook) -> str:
    """The labelling interface: the thread, the text with evidence to mark, one tick a code with its definition."""
    labels = "".join(f"\n    <Label value={quoteattr(c.id)} background={quoteattr(c.color)}/>" for c in codebook.codes)
    choices = "".join(
        f"\n    <Choice value={quoteattr(c.id)} hint={quoteattr(f'{c.label.nl}: {c.definition.nl}')}/>"
        for c in codebook.codes
    )
    return f"""<View>
  <Header value="$case"/>
  <Paragraphs name="ctx" value="$context" layout="dialogue" nameKey="author" textKey="text"/>
  <Labels name="evidence" toName="text">{labels}
  </Labels>
  <Text name="text" value="$text"/>
  <Choices name="codes" toName="text" choice="multiple" showInline="false">{choices}
  </Choices>
  <TextArea name="note" toName="text" rows="2" maxSubmissions="1" editable="true"/>
</View>
"""


def _task(task: Task) -> dict[str, Any]:
    context = [{"author": t.author, "text": t.text} for t in task.context]
    data = {
        "text": task.text, "case": task.case, "post_id": task.post, "version": task.version,
        "position": task.position, "platform": task.platform, "date": task.date, "context": context,
    }  # fmt: skip
    shown = [{"model_version": "shown", "score": _least(task.marks), "result": _result(task)}] if task.marks else []
    return {"data": data, "meta": {}, "predictions": shown}


def _least(marks: Iterable[Mark]) -> float:
    return min(m.score for m in marks)


def _result(task: Task) -> list[dict[str, Any]]:
    codes = list(dict.fromkeys(m.code for m in task.marks))
    found: list[dict[str, Any]] = [
        {"id": "c", "from_name": "codes", "to_name": "text", "type": "choices", "value": {"choices": codes}}
    ]
    for n, m in enumerate(task.marks):
        if m.start is not None and m.end is not None:
            value = {"start": m.start, "end": m.end, "text": task.text[m.start : m.end], "labels": [m.code]}
            found.append({"id": f"s{n}", "from_name": "evidence", "to_name": "text", "type": "labels", "value": value})
    return found


# --------------------------------------------------------------------------------------------- reading back
def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """
    The annotations in a JSON export, the last one of each annotator and task; skipped tasks are passed over.

    ExchangeError when the file is none, or a marked text is not what stands there.
    """
    tasks = _loaded(path)
    for number, task in enumerate(tasks, start=1):
        where = f"task {task.get('id', number)}"
        try:
            post = str(task["data"]["post_id"])
            version = task["data"].get("version")
            given = [a for a in task.get("annotations", ()) if not a.get("was_cancelled")]
            last = {_who(a): a for a in sorted(given, key=lambda a: str(a.get("created_at") or ""))}
        except (KeyError, TypeError, AttributeError):
            msg = f"{path.name}: {where}: has no data.post_id, or annotations of another kind; export as JSON"
            raise ExchangeError(msg) from None
        for who, annotation in last.items():
            text = known[post][1] if post in known else ""
            yield _coded(annotation, post, who, version, text, f"{path.name}: {where}", where)


def _loaded(path: Path) -> list[Any]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        tasks = None
    if not isinstance(tasks, list) or not all(isinstance(t, dict) for t in tasks):
        msg = f"{path.name}: is no JSON export of Label Studio (a list of tasks)"
        raise ExchangeError(msg)
    return tasks


def _who(annotation: Mapping[str, Any]) -> str:
    """The annotator's number; never the e-mail address that some exports carry with it."""
    by = annotation.get("completed_by", "")
    return str(by.get("id", "") if isinstance(by, dict) else by)


def _coded(
    annotation: Mapping[str, Any], post: str, who: str, version: int | None, text: str, place: str, where: str
) -> Coded:
    codes: list[str] = []
    spans: list[tuple[str, int, int]] = []
    note = ""
    for result in annotation.get("result", ()):
        value = result.get("value", {})
        if result.get("type") == "choices":
            codes += [str(c) for c in value.get("choices", ())]
        elif result.get("type") == "labels":
            start, end = _span(value, text.replace("\r\n", "\n"), place)
            spans += [(str(label), start, end) for label in value.get("labels", ())]
        elif result.get("type") == "textarea":
            note = " ".join(map(str, value.get("text", ())))
    return Coded(post, with_evidence(codes, spans), note, who, version, where)


def _span(value: Mapping[str, Any], text: str, place: str) -> tuple[int, int]:
    """Start and end in code points; the marked words decide where a browser counted UTF-16 units."""
    try:
        start, end, words = int(value["start"]), int(value["end"]), str(value.get("text") or "")
    except (KeyError, TypeError, ValueError):
        msg = f"{place}: a mark without start and end"
        raise ExchangeError(msg) from None
    if not words or text[start:end] == words:
        return start, end
    as_points = from_utf16(text, start), from_utf16(text, end)
    if as_points[0] is not None and as_points[1] is not None and text[as_points[0] : as_points[1]] == words:
        return as_points[0], as_points[1]
    msg = f"{place}: the words marked at {start}..{end} do not stand there in the post"
    raise ExchangeError(msg)
