"""What is erased is gone from the bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import Batch, Store, StoreError
from storage.check import faults
from storage.rights import erase

from .made import CASES, coding, filled, marks, post, posts

SECRET = "zonnebloemenveld-achter-de-dijk"


def held(folder: Path) -> bytes:
    """Every byte of every file in a folder."""
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def plain(folder: Path, count: int = 400) -> Store:
    """A store whose file can be read as it is: no encryption, no compression; a secret word in some posts."""
    store = Store(folder / "corpus.duckdb", None)
    with store.transaction() as db:
        db.execute("set global force_compression = 'uncompressed'")
    some = [post(n, f"{SECRET} {n} " * 3 if n % 10 == 0 else None) for n in range(count)]
    store.add(Batch(CASES[0], "made", tuple(some)))
    store.begin_coding(coding())
    store.annotate("rules-1", [(p.id, 1) for p in some], marks("rules-1", tuple(some)))
    return store


def test_a_deleted_byte_is_gone_after_rewriting(tmp_path: Path) -> None:
    """Deleting alone leaves the words in the file; after rewriting no file beside the store holds them, nor the ids."""
    store = plain(tmp_path)
    gone = [post(n).id for n in range(0, 400, 10)]
    assert SECRET.encode() in held(tmp_path)
    erase(store, CASES[0], gone)
    assert SECRET.encode() in held(tmp_path), "DuckDB has learned to delete: rewriting may not be needed any more"
    store.rewrite()
    left = held(tmp_path)
    assert SECRET.encode() not in left
    assert [i for i in gone if i.encode() in left] == []
    assert post(1).text.encode() in left, "the file is not readable as it is: this test would prove nothing"
    assert store.count() == 360
    assert faults(store) == {}


def test_an_edited_text_is_gone_when_its_version_is_deleted(tmp_path: Path) -> None:
    """The words of an old version go too."""
    store = plain(tmp_path)
    store.add(Batch(CASES[0], "made", (post(0, "bewerkt"),)))
    with store.transaction() as db:
        db.execute("delete from post where contains(text, ?)", [SECRET])
    store.rewrite()
    assert SECRET.encode() not in held(tmp_path)
    assert next(p for p in store.posts() if p.id == post(0).id).text == "bewerkt"


def test_rewriting_changes_nothing_else(tmp_path: Path) -> None:
    """Every row of every table is the same before and after, and the schema with its views."""
    store = plain(tmp_path)
    tables = [t for (t,) in store.query("select table_name from duckdb_tables() where database_name = 'corpus'")]
    columns = (
        "select table_name, column_name, data_type, is_nullable from duckdb_columns() where database_name = 'corpus' "
        "order by all"
    )
    before = {t: sorted(store.query(f"from {t}"), key=str) for t in tables}
    schema = store.query(columns)
    store.rewrite()
    assert {t: sorted(store.query(f"from {t}"), key=str) for t in tables} == before
    assert store.query(columns) == schema
    assert store.add(Batch(CASES[0], "made", posts(400, 410))).stored == 10


def test_rewriting_knows_posts_again_whose_words_were_changed_in_place(tmp_path: Path) -> None:
    """When an erasure has changed a kept text in place, the words that came are still a duplicate, not an edit."""
    store = filled(tmp_path, 20)
    with store.transaction() as db:
        db.execute("update post set text = 'hoi [PERSOON]' where id = ?", [post(3).id])
    store.rewrite()
    assert faults(store) == {}
    assert store.add(Batch(CASES[0], "made", (post(3),))).duplicates == 1


def test_a_transaction_cannot_be_rewritten_from_within(tmp_path: Path) -> None:
    """Asking for it is an error, not a deadlock."""
    store = filled(tmp_path, 5)
    with pytest.raises(StoreError, match="in the middle of a transaction"), store.transaction():
        store.rewrite()
    assert store.count() == 5
