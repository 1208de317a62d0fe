"""`veldwerk redact`: JSON lines in, the same with labels and spans out."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal

import click
from pydantic import BaseModel, Field, ValidationError

from ..errors import WrongUse

if TYPE_CHECKING:
    from ethics.protect import Protected
    from ethics.redaction import Redactor

BATCH = 2000


@click.command(
    "redact",
    help="""Filter: find personal data in JSON lines.

    Reads {"id", "text"} a line on stdin; other keys are dropped. Writes {"id", "text", "spans"}: the text with
    labels, and where in the given text each stood, in code points.
    """,
    short_help="Filter: find personal data in JSON lines.",
)
@click.option(
    "--setting",
    type=click.Choice(["careful", "readable"]),
    default="careful",
    show_default=True,
    help="careful covers more than needed rather than less; readable keeps more ordinary words.",
)
@click.option(
    "--learn",
    "learning",
    is_flag=True,
    help='Lines are {"case", "text", "type"}: a value that was missed. It is taken out of all that is stored.',
)
def command(setting: str, learning: bool) -> None:
    if learning:
        _learn()
        return
    from ethics.redaction.pool import in_parallel

    lines = _Lines(sys.stdin.buffer)
    out = sys.stdout.buffer
    for protected in in_parallel(_protect, lines.texts(), "careful" if setting == "careful" else "readable"):
        for record, done in zip(lines.held.popleft(), protected, strict=True):
            spans = [{"start": s.start, "end": s.end, "type": s.type, "label": s.label.strip("[]")} for s in done.spans]
            out.write(_line({"id": record["id"], "text": done.text, "spans": spans}))
        out.flush()
    if lines.bad:
        msg = f'line {lines.bad} of the input is no JSON object with "id" and a text "text"'
        raise WrongUse(msg)


def _protect(redactor: Redactor, texts: Sequence[str]) -> list[Protected]:
    from ethics.protect import protect_many

    return protect_many(texts, redactor)


class _Missed(BaseModel, extra="forbid", frozen=True):
    """A value that the redactor missed in a case."""

    case: str
    text: str = Field(min_length=3)
    type: Literal[
        "PERSON", "HANDLE", "PHONE", "EMAIL", "IBAN", "BSN", "ADDRESS", "POSTCODE", "PLATE", "URL", "DOB"
    ]  # fmt: skip


def _learn() -> None:
    from collectors import Sealed
    from ethics.redaction.learned import learn

    from ..home import Home

    home = Home.open()
    missed: dict[str, list[tuple[str, Sealed]]] = {}
    for number, line in enumerate(sys.stdin.buffer, 1):
        if line.strip():
            one = _parsed(line, number)
            missed.setdefault(home.case(one.case).id, []).append((one.type, Sealed(one.text)))
    for case, values in missed.items():
        told = learn(home.holdings, home.learned_seal, case, values).as_dict()
        click.echo(json.dumps({"case": case, **told}))


def _parsed(line: bytes, number: int) -> _Missed:
    try:
        return _Missed.model_validate_json(line)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, e["loc"])) or "the line" for e in error.errors()}))
        msg = f'line {number} of the input is no {{"case", "text", "type"}}: look at {where}'
        raise WrongUse(msg) from None


class _Lines:
    """The input in batches. `held` are batches handed out and not yet written; `bad` is the line that ended it."""

    def __init__(self, lines: IO[bytes]) -> None:
        self.lines = lines
        self.held: deque[list[dict[str, Any]]] = deque()
        self.bad = 0

    def texts(self) -> Iterator[list[str]]:
        """The texts of each batch. Ends before a bad line, so that what stands before it is still written."""
        batch: list[dict[str, Any]] = []
        for number, line in enumerate(self.lines, 1):
            try:
                batch += [_record(line)] if line.strip() else []
            except ValueError:
                self.bad = number
                break
            if len(batch) == BATCH:
                yield self._hold(batch)
                batch = []
        if batch:
            yield self._hold(batch)

    def _hold(self, batch: list[dict[str, Any]]) -> list[str]:
        self.held.append(batch)
        return [r["text"] for r in batch]


def _record(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "id" not in record:
        msg = "no record"
        raise ValueError(msg)
    return record


def _line(record: dict[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot say
        return json.dumps(record).encode() + b"\n"
