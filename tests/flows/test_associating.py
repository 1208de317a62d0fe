"""Laws of `veldwerk estimate --associate`."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analysis.association import Coded, co_occurrence
from flows.associating import tellable
from flows.commands.estimate import command
from flows.errors import WrongUse
from flows.home import Home
from storage import Annotation, Batch, Store
from storage.codings import annotate, begin
from tests.storage.made import CASES, NOW, coding, name, post

THREADS, LENGTH = 60, 4
TOOL, NORM, RARE = "tools.osint", "norms.doxing", "norms.restraint"


def codes(thread: int, place: int) -> set[str]:
    """A search opens two threads of three, and in most of those a detail follows; three posts have a rare pair."""
    if place == 0 and thread % 3:
        return {TOOL, RARE} if thread < 5 else {TOOL}
    return {NORM} if place == 1 and thread % 3 and thread < 50 else set()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A study of one case: threads of four posts, seven minutes apart."""
    monkeypatch.setenv("VELDWERK_KEY", secrets.token_hex(32))
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "fieldwork"))
    kept = Home.open().store
    posts = {
        (t, n): post(
            t * LENGTH + n, case=CASES[0], thread=name("t", t), created=NOW + timedelta(minutes=t * 60 + n * 7),
            author=name("a", t * LENGTH + n),
        )
        for t in range(THREADS) for n in range(LENGTH)
    }  # fmt: skip
    kept.add(Batch(CASES[0], "made", tuple(posts.values())))
    begin(kept, coding())
    given = [Annotation("rules-1", p.id, code) for place, p in posts.items() for code in codes(*place)]
    annotate(kept, "rules-1", [(p.id, 1) for p in posts.values()], given)
    return kept


def told(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False, standalone_mode=False)
    if done.exception:
        raise done.exception
    return dict(json.loads(done.stdout))


def test_a_planted_sequence_is_found(store: Store) -> None:
    """A code that follows another after seven minutes is told with its counts, a sure interval, time and month."""
    found = told("--associate", TOOL, "--with", NORM)
    row = next(r for r in found["following"] if r["then"] == NORM)
    openers = [t for t in range(THREADS) if codes(t, 0)]
    followed = [t for t in openers if codes(t, 1)]
    assert (row["case"], row["both"], row["given_only"]) == (CASES[0], len(followed), len(openers) - len(followed))
    assert row["minutes"] == 7
    assert row["low"] > 0
    assert row["rate"] < 0.05
    month = {"month": "2025-06", "given": TOOL, "then": NORM, "posts": len(openers), "with": 0}
    assert found["months"] == [month]
    assert "after 7 min" in CliRunner().invoke(command, ["--associate", "tools", "--with", "norms"]).stdout


def test_no_figure_speaks_of_a_few_posts(store: Store) -> None:
    """A pair that fewer posts than the smallest cell have is nowhere; it is counted as left out."""
    found = told("--associate", TOOL, "--with", RARE)
    assert found["together"] == []
    assert found["months"] == []
    assert found["hidden"] >= 1
    assert all(not 0 < r[c] < 5 for r in found["following"] for c in ("both", "given_only", "then_only", "neither"))


@pytest.mark.parametrize(("second", "told"), [((6, 6, 6, 9), True), ((2, 6, 6, 9), False)])
def test_no_left_out_case_can_be_worked_out_from_all(second: tuple[int, ...], told: bool) -> None:
    """A pair of all cases is told only where no case's small table is what remains of it."""
    kinds = ({TOOL, NORM}, {TOOL}, {NORM}, set[str]())
    posts = [
        Coded(f"{case}{i}.{n}", case, f"{case}t{i}.{n}", f"{case}a{i}.{n}", NOW, frozenset(kinds[i]))
        for case, counts in (("a", (9, 8, 7, 20)), ("b", second))
        for i, count in enumerate(counts)
        for n in range(count)
    ]
    shown = tellable({c: co_occurrence(posts, [TOOL], [NORM], c) for c in ("", "a", "b")}, 5)
    assert {c: len(rows) for c, rows in shown.items()} == {"": told, "a": 1, "b": told}


def test_other_themes_are_meant_when_none_is_named(store: Store) -> None:
    """Without --with, every code of every other theme is looked at, and none of the code's own."""
    found = told("--associate", TOOL)
    pairs = len({r["then"] for kind in ("together", "following") for r in found[kind]})
    assert found["hidden"] + len(found["together"]) + len(found["following"]) == 2 * 17
    assert pairs >= 1
    assert not [r for kind in ("together", "following") for r in found[kind] if r["then"].startswith("tools.")]


def test_a_wrong_code_is_told(store: Store) -> None:
    """A code that is in no codebook, and a coder that coded nothing, are wrong uses."""
    with pytest.raises(WrongUse, match="no code or theme"):
        told("--associate", "tools.hammer")
    with pytest.raises(WrongUse, match="has coded nothing yet"):
        told("--associate", TOOL, "--coder", "llm")
