"""`veldwerk redact`: JSON lines in, the same with labels and spans out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from ..errors import WrongUse

BATCH = 2000


@click.command("redact", help="Filter: find personal data in JSON lines.")
@click.option(
    "--setting",
    type=click.Choice(["careful", "readable"]),
    default="careful",
    show_default=True,
    help="careful covers more than needed rather than less; readable keeps more ordinary words.",
)
def command(setting: str) -> None:
    """
    Reads {"id", "text"} a line on stdin; other keys are dropped. Writes {"id", "text", "spans"}: the text with
    labels, and where in the given text each stood, in code points.
    """
    from ethics.redaction import Labels, labelled
    from ethics.redaction.pool import find_in_parallel

    out = sys.stdout.buffer
    held: list[list[dict[str, Any]]] = []

    def batches() -> Iterator[list[str]]:
        for records in _batches(sys.stdin.buffer):
            held.append(records)
            yield [r["text"] for r in records]

    for finds in find_in_parallel(batches(), "careful" if setting == "careful" else "readable"):
        for record, found in zip(held.pop(0), finds, strict=True):
            text, labels = labelled(record["text"], found, Labels())
            spans = [
                {"start": f.start, "end": f.end, "type": f.type, "label": label}
                for f, label in zip(found, labels, strict=True)
            ]
            out.write(_line({"id": record["id"], "text": text, "spans": spans}))
        out.flush()


def _batches(lines: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Records in batches; what came before a bad line is handed on before the error is."""
    batch: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            batch.append(_record(line))
        except ValueError:
            yield batch
            msg = f'line {number} of the input is no JSON object with "id" and a text "text"'
            raise WrongUse(msg) from None
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


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
