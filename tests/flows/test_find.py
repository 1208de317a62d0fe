"""`veldwerk find`: what it prints, and what it says to wrong uses."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from flows.commands.find import AROUND, command, snippet
from flows.errors import WrongUse
from storage import Batch, Span, Store
from storage.search import Hit
from tests.storage.made import CASES, post

TEXTS = ("Wie zag de fietsen\nbij het station? " + "Lang verhaal. " * 30, "In de buurt is een fiets weg.", "niets")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study with three posts of one case."""
    from flows.home import Home

    monkeypatch.setenv("VELDWERK_KEY", secrets.token_hex(32))
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "fieldwork"))
    Home.open().store.add(Batch("all", "made", tuple(post(n * 4, text) for n, text in enumerate(TEXTS))))
    return tmp_path / "fieldwork"


def told(*words: str) -> str:
    return CliRunner().invoke(command, list(words), catch_exceptions=False).stdout


def test_json_holds_the_posts_and_where_the_words_stand(study: Path) -> None:
    """One document: the total, and per post its text, the spans in it, and a snippet on one line."""
    found = json.loads(told("fiets", "--json"))
    assert found["total"] == 2
    assert [[h["text"][a:b] for a, b in h["spans"]] for h in found["hits"]] == [["fiets"], ["fietsen"]]
    assert found["hits"][1]["snippet"].startswith("Wie zag de fietsen bij het station?")
    assert {h["case"] for h in found["hits"]} == {CASES[0]}


def test_a_quoted_argument_is_a_phrase(study: Path) -> None:
    """The shell takes the quotes away; several words in one argument still mean the phrase."""
    assert json.loads(told("de buurt in", "fiets", "--json"))["total"] == 0
    assert json.loads(told("in de buurt", "fiets", "--json"))["total"] == 1
    assert json.loads(told('"in de buurt" fiets', "--json"))["total"] == 1
    assert json.loads(told("buurt fiets", "--json"))["total"] == 1


def test_a_person_reads_where_and_what(study: Path) -> None:
    """Per post a line with day, case, platform and id, a snippet, and at the end how many there are."""
    lines = told("fiets", "--limit", "1").splitlines()
    assert lines[0].split()[1:] == [CASES[0], "telegram" if post(4).platform == "telegram" else "reddit", post(4).id]
    assert lines[1].strip() == "In de buurt is een fiets weg."
    assert lines[2] == "2 posts, the best 1 are shown"


def test_wrong_uses_are_told(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No word, an unknown case, and a home without a store, which is not made by asking."""
    for words, said in ((["?!"], "at least one word"), (["x", "--case", "nowhere"], "no case 'nowhere'")):
        with pytest.raises(WrongUse, match=said):
            CliRunner().invoke(command, words, catch_exceptions=False)
    monkeypatch.setenv("VELDWERK_HOME", str(study.with_name("empty")))
    with pytest.raises(WrongUse, match="nothing is stored here yet"):
        CliRunner().invoke(command, ["x"], catch_exceptions=False)
    assert not study.with_name("empty").exists()
    assert Store(study / "absent.duckdb", None).path.exists() is False


@given(st.text(max_size=600), st.integers(0, 599), st.integers(1, 40))
def test_a_snippet_is_one_line_that_holds_the_first_hit(text: str, start: int, length: int) -> None:
    """However long the text: the hit stands in the snippet where its span says, and it stays short."""
    if start >= len(text):
        return
    hit = Hit(post(1, text), 1.0, (Span(start, min(len(text), start + length)),))
    line, spans = snippet(hit)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 4 * AROUND + len(text[start : start + length]) + 4
    for a, b in spans:
        assert "".join(line[a:b].split()) == "".join(text[start : start + length].split())
