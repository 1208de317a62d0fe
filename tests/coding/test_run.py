"""Running a coder over the store: once, resumed, and with what came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from coding import load_codebook, load_coder
from coding.gold import gold_units, load_gold_file, shipped_gold
from coding.run import code_posts, coding_of
from storage import Annotation, Batch, Post, Store

RULES = load_coder("rules")
SETTINGS = RULES.Settings()


def posts() -> list[Post]:
    gold = load_gold_file(shipped_gold() / "dev" / "dev_neighbourhood-watch.jsonl")
    return [unit.post for unit in gold_units(gold)]


def store(path: Path, kept: list[Post]) -> Store:
    made = Store(path / "corpus.duckdb", None)
    made.add(Batch("neighbourhood-watch", "gold", tuple(kept)))
    return made


def marks(made: Store) -> list[Annotation]:
    given = made.annotations(coding_of("rules", RULES, load_codebook(), SETTINGS).id)
    return sorted(given, key=lambda m: (m.post, m.version, m.code, m.rule))


def finish(made: Store) -> int:
    return sum(c["posts"] for c in code_posts(made, "rules", load_codebook(), SETTINGS))


def test_a_second_run_codes_nothing(tmp_path: Path) -> None:
    """What a coding has seen it does not see again, and its marks stay as they are."""
    made = store(tmp_path, posts())
    assert finish(made) == 140
    first = marks(made)
    assert first
    assert finish(made) == 0
    assert marks(made) == first


def test_posts_that_come_later_are_coded_with_their_thread(tmp_path: Path) -> None:
    """Posts stored and coded in two goes get the marks they get in one: context is the thread, not the batch."""
    all_posts = posts()
    (tmp_path / "once").mkdir()
    (tmp_path / "twice").mkdir()
    once = store(tmp_path / "once", all_posts)
    finish(once)
    twice = store(tmp_path / "twice", all_posts[::2])
    finish(twice)
    twice.add(Batch("neighbourhood-watch", "gold", tuple(all_posts[1::2])))
    finish(twice)
    late = {p.id for p in all_posts[1::2]}
    assert [m for m in marks(twice) if m.post in late] == [m for m in marks(once) if m.post in late]


def test_an_edit_is_coded_again(tmp_path: Path) -> None:
    """A post whose text changed is coded in its new version, and only it."""
    made = store(tmp_path, posts())
    finish(made)
    edited = replace(posts()[0], text="Schaam je diep.", edited=posts()[0].created + timedelta(hours=1))
    made.add(Batch("neighbourhood-watch", "gold", (edited,)))
    assert finish(made) == 1
    assert {(m.code, m.version) for m in marks(made) if m.post == edited.id} == {("deviance.moral", 2)}


def test_another_codebook_is_another_coding() -> None:
    """The same coder with another codebook or other settings has a name of its own, and starts afresh."""
    book = load_codebook()
    other = book.model_copy(update={"version": "2"})
    ids = {
        coding_of("rules", RULES, book, SETTINGS).id,
        coding_of("rules", RULES, other, SETTINGS).id,
        coding_of("rules", RULES, book, RULES.Settings(thread=False)).id,
    }
    assert len(ids) == 3
