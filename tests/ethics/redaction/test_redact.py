"""`veldwerk redact`: lines in, lines out, and nothing of a bad line in the error."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from ethics.redaction import Redactor
from flows.commands.redact import protect_lines


def run(lines: list[str], *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "flows", "redact", *options]
    return subprocess.run(
        command,
        input="".join(x + "\n" for x in lines).encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=False,
    )


def records(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_comes_back_with_labels_and_code_points() -> None:
    """Spans are code points of the input, also behind an emoji; one value has one label."""
    text = "😀😀 bel 06-12345678, ja 0612345678, of mail jan@example.nl"
    (got,) = records(run([json.dumps({"id": "a", "text": text})]))
    assert got["id"] == "a"
    assert got["text"] == "😀😀 bel [TELEFOON-1], ja [TELEFOON-1], of mail [EMAIL-1]"
    assert [(text[s["start"] : s["end"]], s["type"], s["label"]) for s in got["spans"]] == [
        ("06-12345678", "PHONE", "TELEFOON-1"),
        ("0612345678", "PHONE", "TELEFOON-1"),
        ("jan@example.nl", "EMAIL", "EMAIL-1"),
    ]


def test_many_lines_keep_their_order_on_all_cores() -> None:
    """Several batches come back complete and in order, with the finds of a single one."""
    lines = [json.dumps({"id": n, "text": f"nr {n}: bel 06-1234{n:04d} of Jan de Vries"}) for n in range(5000)]
    got = records(run(lines, "--setting", "readable"))
    assert [g["id"] for g in got] == list(range(5000))
    assert all(g["text"] == f"nr {g['id']}: bel [TELEFOON-1] of [PERSOON-1]" for g in got)


def test_a_bad_line_is_named_by_its_number_alone() -> None:
    """Exit code 2, the number of the line, nothing of its content; the lines before it come out."""
    done = run([json.dumps({"id": 0, "text": "goed"}), "", "{Geheim"])
    assert done.returncode == 2
    assert b"line 3" in done.stderr
    assert b"Geheim" not in done.stderr
    assert [g["id"] for g in records(done)] == [0]


@pytest.mark.parametrize(
    "bad", [b'{"id": 1}', b'["Geheim"]', b'{"id": 1, "text": 7}', b"\xff", b'{"text": "x"}', b"null"]
)
def test_only_records_with_id_and_text_pass(bad: bytes) -> None:
    """Each other kind of line ends the input at its number, behind what stood before it."""
    good = b'{"id": 0, "text": "goed", "spans": []}\n'
    assert protect_lines(Redactor(), [good, bad, good]) == (good, 2)


def test_a_bad_line_deep_in_the_input_is_counted_right() -> None:
    """In a later batch the number is that of the whole input; everything before it comes out, nothing behind it."""
    lines = [json.dumps({"id": n, "text": "goed"}) for n in range(1700)]
    done = run([*lines[:1234], "", "null", *lines[1234:]])
    assert b"line 1236 " in done.stderr
    assert [g["id"] for g in records(done)] == list(range(1234))


def test_half_a_surrogate_pair_passes() -> None:
    """A text that UTF-8 cannot say comes back as JSON can say it."""
    (got,) = records(run(['{"id": 1, "text": "a \\ud83d b"}']))
    assert got["text"] == "a \ud83d b"


def test_nothing_in_nothing_out() -> None:
    """An empty input is no error."""
    done = run([])
    assert (done.returncode, done.stdout) == (0, b"")
