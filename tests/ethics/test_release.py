"""What may leave: nothing that names, no small cell that can be worked out, no quote that can be looked up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethics import release
from ethics.release import (
    check_paraphrase,
    check_quote,
    cite,
    excerpt,
    release_stream,
    release_texts,
    strict_redactor,
    suppress_small,
    suppress_table,
)  # fmt: skip
from storage import Post, Pseudonym, Store, second_pass
from storage.quotes import Quote, approve, quotes, quotes_of

from .entrance import POLICY, START, Study, raw

LONG = "die grijze bestelbus stond er gisteren ook al weer de hele avond met draaiende motor"


def post(text: str, n: int = 1) -> Post:
    return Post(
        Pseudonym(f"p{n}"), "scam-fighters", "x", "s", Pseudonym("a1"), text, Pseudonym("t1"), START, START
    )  # fmt: skip


def test_the_second_pass_takes_what_the_first_left() -> None:
    """A name or number still in a text becomes a plain label; labels and posts without any stay as they are."""
    posts = [post("Bel [PERSOON-1] of Kees Pietersen op 06-12345678", 1), post("niets bijzonders", 2)]
    first, second = release_texts(posts, strict_redactor())
    assert first.text == "Bel [PERSOON-1] of [PERSOON] op [TELEFOON]"
    assert second == posts[1]


def test_what_has_left_leaves_again_unchanged() -> None:
    """The second pass has nothing to add to its own output."""
    once = list(release_texts([post("Bel Kees Pietersen, [@abcdefghijklmnopq] en [@jan_de_vries]")], strict_redactor()))
    assert "jan" not in once[0].text
    assert list(release_texts(once, strict_redactor())) == once


def test_many_cores_let_out_what_one_does() -> None:
    """Posts of a stream come out of the second pass in their order, as strict as one by one, on any number of cores."""
    texts = ("Bel Kees Pietersen op 06-12345678", "niets bijzonders", "mail jan@voorbeeld.nl of [PERSOON-1]", "")
    posts = [post(f"{texts[n % 4]} {n}", n) for n in range(23)]
    wanted = list(release_texts(posts, strict_redactor()))
    assert wanted != posts
    for batch, processes in product((5, 100), (1, 2)):
        assert list(release_stream(posts, batch, processes)) == wanted
    assert list(release_stream([])) == []


def test_beside_other_threads_the_cores_are_used_as_well() -> None:
    """In a process with threads, where a fork may never end, the same posts come out."""
    posts = [post(f"Bel Kees Pietersen {n}", n) for n in range(6)]
    done = threading.Event()
    beside = threading.Thread(target=done.wait)
    beside.start()
    try:
        assert list(release_stream(posts, 2, 2)) == list(release_texts(posts, strict_redactor()))
    finally:
        done.set()
        beside.join()


def test_a_second_export_says_the_same_and_looks_at_nothing_again(tmp_path: Path) -> None:
    """What the second pass made of a text is remembered, for posts left alone and posts changed alike."""
    store = Store(tmp_path / "corpus.duckdb", None)
    posts = [post("Bel Kees Pietersen op 06-12345678", 1), post("niets bijzonders", 2)]
    once = list(release_stream(posts, store=store))
    assert once == list(release_texts(posts, strict_redactor()))
    kept = store.query("select post, mark, text from second_pass order by post", [])
    assert [(p, text) for p, _, text in kept] == [("p1", once[0].text), ("p2", None)]
    assert list(release_stream(posts, store=store)) == once
    assert store.query("select post, mark, text from second_pass order by post", []) == kept


def test_a_remembered_outcome_holds_for_one_text_under_one_redactor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed text, or another redactor, is looked at anew, whatever is remembered of the post."""
    store = Store(tmp_path / "corpus.duckdb", None)
    list(release_stream([post("niets bijzonders", 1)], store=store))
    changed = post("niets bijzonders, zegt Kees Pietersen", 1)
    assert [p.text for p in release_stream([changed], store=store)] == ["niets bijzonders, zegt [PERSOON]"]
    # As if this redactor had once found nothing in it: that is believed, and only while it is this redactor.
    second_pass.keep(store, [("p1", 1, release._mark(changed.text), None)])
    assert list(release_stream([changed], store=store)) == [changed]
    monkeypatch.setattr(release, "redactor_digest", lambda: b"another redactor")
    assert [p.text for p in release_stream([changed], store=store)] == ["niets bijzonders, zegt [PERSOON]"]


CELLS = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 30), min_size=1)


@given(CELLS, st.integers(2, 10))
def test_no_small_cell_is_shown_or_can_be_worked_out(cells: dict[str, int], k: int) -> None:
    """No count from 1 to k-1 stands, and what is left out adds up to no less than k, or to all there is."""
    shown = suppress_small(cells, k)
    assert all(n is None or n == 0 or n >= k for n in shown.values())
    hidden = [cells[c] for c, n in shown.items() if n is None]
    if hidden:
        others = [n for c, n in cells.items() if shown[c] is not None and n > 0]
        assert (len(hidden) > 1 and sum(hidden) >= k) or not others


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4), st.integers(2, 6))
@settings(max_examples=80)
def test_no_margin_of_a_table_tells_a_small_cell(rows: list[list[int]], k: int) -> None:
    """In no row or column with its total is one cell alone left out, unless it is all there is."""
    table = {f"r{i}": dict(zip("xyz", row, strict=True)) for i, row in enumerate(rows)}
    shown = suppress_table(table, k)
    lines = [[(r, c) for c in "xyz"] for r in table] + [[(r, c) for r in table] for c in "xyz"]
    for line in lines:
        hidden = [table[r][c] for r, c in line if shown[r][c] is None]
        others = [table[r][c] for r, c in line if shown[r][c]]
        assert not hidden or len(hidden) > 1 or not others
    assert all(shown[r][c] is None for r, c in product(table, "xyz") if 0 < table[r][c] < k)


def test_long_runs_of_words_are_flagged() -> None:
    """More words in a row than the policy allows can be looked up; a label breaks the run."""
    assert check_quote(LONG, POLICY).traceable
    assert not check_quote("die grijze bestelbus stond er weer", POLICY).traceable
    assert not check_quote("die grijze bestelbus van [PERSOON-1] stond er gisteren ook al weer", POLICY).traceable


def test_a_paraphrase_is_judged_by_what_it_takes_over() -> None:
    """New words are fine, however many; a run taken over from the post is not."""
    assert not check_paraphrase(
        "ze zagen dat er avond na avond hetzelfde busje met lopende motor bleef staan", LONG, POLICY
    ).traceable
    assert check_paraphrase(f"volgens een bewoner: {LONG}", LONG, POLICY).traceable


@given(st.text("ab …[]-1.", max_size=120), st.integers(0, 119), st.integers(1, 40))
def test_an_excerpt_is_never_traceable(text: str, start: int, length: int) -> None:
    """Whatever the text and the evidence, an excerpt may be cited."""
    cut = excerpt(text, min(start, len(text)), min(start + length, len(text)), POLICY)
    assert not check_quote(cut, POLICY).traceable


def test_an_excerpt_shows_the_evidence() -> None:
    """The evidence stands in the excerpt, with its neighbours as far as allowed."""
    start = LONG.index("hele avond")
    cut = excerpt(LONG, start, start + len("hele avond"), POLICY)
    assert "hele avond" in cut
    assert cut.startswith("… ")
    assert excerpt("kort genoeg", 0, 4, POLICY) == "kort genoeg"


def test_the_register_says_who_approved_which_words(tmp_path: Path) -> None:
    """An approved quote stands whole, a paraphrase in its own words, and both with who approved it."""
    study = Study(tmp_path)
    study.take([raw(1, LONG), raw(2, LONG + " hoor")])
    first, second = study.posts()
    moment = datetime(2025, 5, 1, tzinfo=UTC)
    approve(study.store, Quote(first.id, 1, 0, len(LONG), "", "codeur A", moment))
    approve(study.store, Quote(second.id, 1, 0, len(second.text), "elke avond stond er een busje", "codeur B", moment))

    def register(post: str, version: int) -> list[tuple[int, int, str, str]]:
        return quotes_of(study.store, post, version)

    assert cite(first, 4, 10, POLICY, register).text == LONG
    told = cite(second, 4, 10, POLICY, register)
    assert (told.text, told.how, told.approved_by) == ("elke avond stond er een busje", "paraphrase", "codeur B")
    assert cite(first, None, None, POLICY, lambda p, v: []).how == "cut"
    assert [q.approved_by for q in quotes(study.store, study.case)] == ["codeur A", "codeur B"]
