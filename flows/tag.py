"""Code texts that are not stored: through the redactor, so that they are coded as a stored post would be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError

from coding import Codebook, Mark, Unit, by_code, load_coder
from ethics.protect import Protected, protect_many
from ethics.redaction import Redactor
from storage import Post, Pseudonym

from .errors import WrongUse

BATCH = 2000


class Line(BaseModel, extra="ignore", frozen=True):
    """One line of input. `case` matters to rules that hold for one case; other fields are passed over."""

    id: str | int
    case: str = ""
    text: str


def tagged(
    lines: Iterable[str], redactor: Redactor, coder: str, codebook: Codebook, settings: BaseModel
) -> Iterator[dict[str, Any]]:
    """
    For each line of JSON its id and codes; evidence offsets are code points of the text that came in.

    WrongUse names the line that cannot be read; the lines before it have been answered.
    """
    numbered = enumerate(lines, 1)
    while batch := list(islice(numbered, BATCH)):
        told, fault = _parsed(batch)
        texts = protect_many([line.text for line in told], redactor)
        units = [Unit(_post(line, text.text)) for line, text in zip(told, texts, strict=True)]
        marks = load_coder(coder).code(iter(units), codebook, settings)
        for line, text, given in zip(told, texts, marks, strict=True):
            yield {"id": line.id, "codes": [_code(name, found, coder, text) for name, found in by_code(given).items()]}
        if fault:
            raise WrongUse(fault)


def _parsed(batch: list[tuple[int, str]]) -> tuple[list[Line], str]:
    """The lines up to the first that cannot be read, and what is wrong with that one."""
    told = []
    for number, text in batch:
        if not text.strip():
            continue
        try:
            told.append(Line.model_validate(json.loads(text)))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return told, f"standard input, line {number}: {'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}"
        except ValueError:
            return told, f'standard input, line {number}: not JSON; write {{"id": ..., "case": ..., "text": ...}}'
    return told, ""


def _post(line: Line, text: str) -> Post:
    here = Pseudonym(str(line.id))
    moment = datetime.fromtimestamp(0, UTC)
    return Post(here, line.case, "", "", Pseudonym(""), text, here, moment, moment)


def _code(code: str, marks: list[Mark], coder: str, text: Protected) -> dict[str, Any]:
    spans = sorted({text.to_input(m.start, m.end) for m in marks if m.start is not None and m.end is not None})
    score = max(m.score for m in marks)
    return {"code": code, "score": round(score, 4), "coder": coder, "evidence": [list(span) for span in spans]}
