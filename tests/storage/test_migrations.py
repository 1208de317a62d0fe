"""Every store of an earlier schema opens today with all that was in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storage import Batch, Label, Store, StoreError
from storage.check import faults
from storage.migrate import steps

from .earlier import PACKAGE, made_with
from .made import KEY, post, posts


@pytest.mark.parametrize("count", range(1, len(steps(PACKAGE)) + 1))
def test_a_store_of_any_earlier_schema_opens_with_all_that_was_in_it(tmp_path: Path, count: int) -> None:
    """Posts with their versions, codings, marks, cursors and labels survive each upgrade, and work goes on."""
    edited = replace(post(0, "later words"), version=2)
    path = made_with(count, tmp_path / "corpus.duckdb", (*posts(0, 50), edited))
    store = Store(path, None)
    now = {p.id: p for p in posts(0, 50)} | {edited.id: edited}
    assert {p.id: p for p in store.posts()} == now
    assert store.query("select name from migration order by 1") == [(s,) for s in steps(PACKAGE)]
    assert len(store.annotations("c1")) == 50
    assert [c.id for c in store.codings()] == ["c1"]
    assert store.cursor("c", "s") == b"state"
    assert store.labels("c", ["t"]) == [Label("t", "d", "[PERSOON-1]")]  # type: ignore[arg-type]
    added = store.add(Batch("c", "s", (post(0, "later words"), post(1, "newer words"), post(60))))
    assert (added.duplicates, added.edited, added.stored) == (1, 1, 1)
    assert faults(store) == {}


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """A file that a newer program has made is not touched by an older one."""
    store = Store(tmp_path / "corpus.duckdb", KEY)
    with store.transaction() as db:
        db.execute("insert into migration values ('999_future.sql', now()::timestamp)")
    with pytest.raises(StoreError, match=r"made by a newer version of veldwerk \(999_future\.sql\)"):
        Store(store.path, KEY).count()
