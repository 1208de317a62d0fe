"""The audit trail: every way of tampering is found, at its line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ethics
from ethics.audit import Trail

KEY = b"k" * 32


def trail(folder: Path, n: int = 6) -> Trail:
    made = Trail(folder / "audit.jsonl", KEY)
    for i in range(n):
        made.append("collect", case="scam-fighters", counts={"stored": i})
    return made


def test_a_trail_is_whole_as_written(tmp_path: Path) -> None:
    """What was appended is read back, and the trail is whole; an empty one is too."""
    made = trail(tmp_path)
    assert made.verify().whole
    assert made.verify().entries == 6
    assert [e.facts["counts"]["stored"] for e in made.entries()] == list(range(6))
    assert Trail(tmp_path / "none.jsonl", KEY).verify().whole


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever byte is changed, the verdict names its line."""
    made = trail(tmp_path_factory.mktemp("trail"), 4)
    content = bytearray(made.path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 2))
    to = data.draw(st.integers(32, 126).filter(lambda b: b != content[at]))
    if content[at] == 10:
        return
    line = bytes(content[:at]).count(b"\n") + 1
    content[at] = to
    made.path.write_bytes(content)
    assert made.verify().line == line


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (lambda x: x[:2] + x[3:], 3),
        (lambda x: [x[1], x[0], *x[2:]], 1),
        (lambda x: [*x[:3], x[2], *x[3:]], 4),
        (lambda x: x[:-2], 5),
        (lambda x: [], 1),
        (lambda x: [*x, x[-1]], 7),
        (lambda x: x[1:], 1),
    ],
    ids=["removed", "reordered", "copied", "cut off", "emptied", "appended", "first removed"],
)
def test_lines_hold_each_other(tmp_path: Path, tamper, line: int) -> None:
    """A removed, moved, copied or cut-off line is found where it is missed."""
    made = trail(tmp_path)
    lines = made.path.read_text().splitlines(keepends=True)
    made.path.write_text("".join(tamper(lines)))
    assert made.verify().line == line


def test_the_head_cannot_be_forged_to_hide_a_cut(tmp_path: Path) -> None:
    """Without the key no head fits a shortened trail, and a missing one is a fault."""
    made = trail(tmp_path)
    head = made.path.with_name("audit.jsonl.head")
    shorter = made.path.read_text().splitlines(keepends=True)[:3]
    made.path.write_text("".join(shorter))
    head.write_text(head.read_text().replace('"lines": 6', '"lines": 3'))
    assert not made.verify().whole
    head.unlink()
    assert not made.verify().whole


def test_going_on_after_tampering_hides_nothing(tmp_path: Path) -> None:
    """Lines appended later do not heal what was changed before."""
    made = trail(tmp_path)
    lines = made.path.read_text().splitlines(keepends=True)
    made.path.write_text("".join(lines[:2] + lines[3:]))
    made.append("erase", posts=1)
    assert made.verify().line == 3
    made.path.write_text("".join(lines[:3]))
    made.append("erase", posts=1)
    assert not made.verify().whole


def test_an_interrupted_line_is_written_again(tmp_path: Path) -> None:
    """Half a line left by a crash is dropped by the next append, and the trail is whole."""
    made = trail(tmp_path)
    with made.path.open("a") as file:
        file.write('{"n": 7, "at": "20')
    made.append("collect", case="a")
    assert (made.verify().whole, made.verify().entries) == (True, 7)


def test_another_key_sees_a_broken_trail(tmp_path: Path) -> None:
    """Who has not the project key can neither verify nor extend the trail."""
    made = trail(tmp_path)
    assert Trail(made.path, b"x" * 32).verify().line == 1


APPEND = """
import sys; from pathlib import Path; from ethics.audit import Trail
for _ in range(10): Trail(Path(sys.argv[1]), b"k" * 32).append("collect", case="a")
"""


def test_many_processes_write_one_trail(tmp_path: Path) -> None:
    """Lines of several processes make one chain."""
    path = tmp_path / "audit.jsonl"
    workers = [
        subprocess.Popen([sys.executable, "-c", APPEND, path], cwd=Path(ethics.__path__[0]).parent) for _ in range(3)
    ]
    assert [w.wait(60) for w in workers] == [0, 0, 0]
    verdict = Trail(path, KEY).verify()
    assert (verdict.whole, verdict.entries) == (True, 30)
