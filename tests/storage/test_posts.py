"""What comes in comes out: posts, their versions, their order."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Added, Batch, Post, Store, StoreError
from storage.posts import fingerprint

from .made import CASES, KEY, coding, filled, marks, post, posts


def in_order(some: list[Post]) -> list[Post]:
    return sorted(some, key=lambda p: (p.thread, p.created, p.id))


@pytest.mark.parametrize("key", [None, KEY])
def test_a_post_comes_out_as_it_went_in(tmp_path: Path, key: bytes | None) -> None:
    """Every field of every post survives the store, thread by thread and oldest first."""
    store = Store(tmp_path / "corpus.duckdb", key)
    kept = posts(0, 300)
    assert store.add(Batch("all", "made", kept)) == Added(stored=300)
    assert list(store.posts(batch=7)) == in_order(list(kept))
    assert [p.id for p in store.posts(CASES[1])] == [p.id for p in in_order(list(kept)) if p.case == CASES[1]]
    assert store.count() == 300
    assert store.count(CASES[0]) == 75


def test_a_moment_of_any_zone_is_kept_in_utc(tmp_path: Path) -> None:
    """Summer time in Amsterdam comes out as the same instant in UTC."""
    store = Store(tmp_path / "corpus.duckdb", None)
    local = datetime(2025, 7, 1, 12, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
    store.add(Batch("all", "made", (post(1, created=local),)))
    assert next(store.posts()).created == datetime(2025, 7, 1, 10, 0, tzinfo=UTC)


arrivals = st.lists(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc")), max_size=8), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals)
def test_an_edit_is_a_new_version_and_a_repetition_is_nothing(
    tmp_path_factory: pytest.TempPathFactory, arriving: list[list[tuple[int, str]]]
) -> None:
    """However posts arrive, each text that differs from the one before it is one version, and nothing else is."""
    store = Store(tmp_path_factory.mktemp("store") / "corpus.duckdb", None)
    history: dict[int, list[str]] = {}
    for batch in arriving:
        expected = {"stored": 0, "edited": 0, "duplicates": 0}
        for n, text in batch:
            told = history.setdefault(n, [])
            if told and told[-1] == text:
                expected["duplicates"] += 1
                continue
            expected["edited" if told else "stored"] += 1
            told.append(text)
        added = store.add(Batch("all", "made", tuple(post(n, text) for n, text in batch)))
        assert dataclasses.asdict(added) == expected
    versions = store.query("select id, list(text order by version), list(latest order by version) from post group by 1")
    assert {id_: texts for id_, texts, _ in versions} == {post(n).id: told for n, told in history.items() if told}
    assert all(latest == [False] * (len(latest) - 1) + [True] for _, _, latest in versions)
    assert {p.id: (p.text, p.version) for p in store.posts()} == {
        post(n).id: (told[-1], len(told)) for n, told in history.items() if told
    }


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_fingerprint_is_the_same_here_and_in_the_database(text: str) -> None:
    """Python and DuckDB agree on the fingerprint of any text."""
    with duckdb.connect() as db:
        assert db.execute("select md5_number_lower(?)", [text]).fetchall() == [(fingerprint(text),)]


def test_a_stream_holds_what_was_there_when_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts erased while a stream runs are left out, edited ones come as they are, later ones wait for the next."""
    monkeypatch.setattr("storage.posts.FETCH", 10)
    store = filled(tmp_path, 40)
    first, *rest = wanted = [p.id for p in store.posts()]
    stream = store.posts()
    assert next(stream).id == first
    with store.transaction() as db:
        db.execute("delete from post where id = ?", [wanted[30]])
    number = next(n for n in range(40) if post(n).id == wanted[35])
    store.add(Batch("all", "made", (post(number, "anders"), post(99))))
    left = list(stream)
    assert [p.id for p in left] == [i for i in rest if i != wanted[30]]
    assert next(p for p in left if p.id == wanted[35]).text == "anders"


def test_what_a_coding_has_seen_is_left_out(tmp_path: Path) -> None:
    """A coding meets each version of a post once, and its marks on old versions do not count."""
    store = filled(tmp_path, 60)
    store.begin_coding(coding())
    some = posts(0, 40)
    assert store.annotate("rules-1", [(p.id, 1) for p in some], marks("rules-1", some)) == 40
    assert store.annotate("rules-1", [(p.id, 1) for p in some], marks("rules-1", some)) == 0
    assert {p.id for p in store.posts(not_coded_by="rules-1")} == {p.id for p in posts(40, 60)}
    told = sorted(marks("rules-1", some), key=lambda a: (a.post, a.code))
    assert store.annotations("rules-1") == told
    store.add(Batch("all", "made", (post(0, "nieuwe woorden"),)))
    assert {p.id for p in store.posts(not_coded_by="rules-1")} == {p.id for p in (post(0), *posts(40, 60))}
    assert store.annotations("rules-1") == [a for a in told if a.post != post(0).id]


def test_nothing_of_a_failed_batch_stays(tmp_path: Path) -> None:
    """A batch whose end fails leaves neither its posts nor its cursor."""
    store = filled(tmp_path, 20)

    def fail() -> None:
        with store.transaction():
            store.add(Batch(CASES[0], "made", posts(20, 40), cursor=b"40"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.count() == 20
    assert store.cursor(CASES[0], "made") == b"20"


def test_an_error_of_the_database_tells_no_content(tmp_path: Path) -> None:
    """DuckDB quotes what it choked on; the store's error does not."""
    store = filled(tmp_path, 3)
    with pytest.raises(StoreError) as caught, store.transaction() as db:
        db.execute("select cast(? as integer)", ["Jan Jansen, 06-12345678"])
    assert "Jansen" not in str(caught.value)
    assert "corpus.duckdb" in str(caught.value)
    assert store.count() == 3


def test_another_key_does_not_open_the_store(tmp_path: Path) -> None:
    """A wrong key is refused in one line, and the right one still works."""
    filled(tmp_path, 5, KEY)
    for wrong in (b"w" * 32, None):
        with pytest.raises(StoreError, match="the key the one it was made with"):
            Store(tmp_path / "corpus.duckdb", wrong).count()
    assert Store(tmp_path / "corpus.duckdb", KEY).count() == 5


def test_nothing_readable_stands_in_the_files(tmp_path: Path) -> None:
    """No word of a post, no id and no code stands in any file that the store leaves."""
    store = filled(tmp_path, 200, KEY)
    store.add(Batch("all", "made", (post(900, "zonnebloemenveld " * 50),)))
    list(store.posts())
    held = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for word in (b"zonnebloemenveld", b"gestolen", post(3).id.encode(), b"neighbourhood"):
        assert word not in held


def test_a_rewrite_keeps_posts_known_by_the_words_that_came(tmp_path: Path) -> None:
    """A post that came with a digest is known again after a rewrite, though its kept text is another."""
    store = Store(tmp_path / "corpus.duckdb", None)
    came = post(1, "[PERSOON-1] zei iets", digest="abc")
    store.add(Batch(came.case, "s", (came,)))
    store.rewrite()
    assert store.add(Batch(came.case, "s", (dataclasses.replace(came, text="[@a1] zei iets"),))) == Added(duplicates=1)
    assert store.add(Batch(came.case, "s", (dataclasses.replace(came, digest="abd"),))) == Added(edited=1)
