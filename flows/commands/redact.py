"""`veldwerk redact`: JSON lines in, the same with labels and spans out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import click
from pydantic import BaseModel, Field, ValidationError

from ..errors import WrongUse

if TYPE_CHECKING:
    from ethics.redaction import Redactor

BATCH = 500


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

    chosen: Literal["careful", "readable"] = "careful" if setting == "careful" else "readable"
    out = sys.stdout.buffer
    for batch, (written, bad) in enumerate(in_parallel(protect_lines, _batches(sys.stdin.buffer), chosen)):
        out.write(written)
        out.flush()
        if bad:
            msg = f'line {batch * BATCH + bad} of the input is no JSON object with "id" and a text "text"'
            raise WrongUse(msg)


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        yield batch


def protect_lines(redactor: Redactor, lines: Sequence[bytes]) -> tuple[bytes, int]:
    """What is written for *lines*, up to the first that is bad; and which one that is, counted from 1, or 0."""
    from ethics.protect import protect_many

    records, bad = [], 0
    for number, line in enumerate(lines, 1):
        try:
            records += [_record(line)] if line.strip() else []
        except ValueError:
            bad = number
            break
    written = []
    for record, done in zip(records, protect_many([r["text"] for r in records], redactor), strict=True):
        spans = [{"start": s.start, "end": s.end, "type": s.type, "label": s.label.strip("[]")} for s in done.spans]
        written.append(_line({"id": record["id"], "text": done.text, "spans": spans}))
    return b"".join(written), bad


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
