"""What a collection needs to go on: runs, cursors, the labels of its threads, and who must stay out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from .records import Label, Pseudonym, Run
from .times import naive, now

if TYPE_CHECKING:
    import duckdb

    from .store import Store


def add_labels(db: duckdb.DuckDBPyConnection, case: str, labels: Sequence[Label]) -> None:
    """Keep labels that are new to their threads; a known name keeps the label it has."""
    if not labels:
        return
    frame = pl.DataFrame(
        {"thread": [x.thread for x in labels], "digest": [x.digest for x in labels], "label": [x.label for x in labels]}
    )
    db.register("new_label", frame.to_arrow())
    db.execute(
        "insert into label select distinct on (thread, digest) ?, n.thread, n.digest, n.label from new_label n "
        'where not exists (from label l where l."case" = ? and l.thread = n.thread and l.digest = n.digest)',
        [case, case],
    )
    db.unregister("new_label")


def labels(store: Store, case: str, threads: Iterable[str]) -> list[Label]:
    """The labels given so far in these threads."""
    rows = store.query(
        'select thread, digest, label from label where "case" = ? and thread in (select unnest(?::text[]))',
        [case, list(threads)],
    )
    return [Label(Pseudonym(t), d, name) for t, d, name in rows]


def keep(db: duckdb.DuckDBPyConnection, case: str, source: str, state: bytes) -> None:
    """Where this source goes on next time."""
    db.execute('delete from cursor where "case" = ? and source = ?', [case, source])
    db.execute("insert into cursor values (?, ?, ?, ?)", [case, source, state, now()])


def read(store: Store, case: str, source: str) -> bytes | None:
    """Where the last run of this source stopped, as `ethics` encrypted it."""
    rows = store.query('select state from cursor where "case" = ? and source = ?', [case, source])
    return bytes(rows[0][0]) if rows else None


def suppressed(store: Store, case: str) -> frozenset[str]:
    """The digests of whom and what must stay out of this case."""
    return frozenset(d for (d,) in store.query('select digest from suppressed where "case" = ?', [case]))


def begin_run(store: Store, run: Run) -> None:
    """Write down that a collection begins."""
    values = [run.id, run.case, run.source, run.collector, run.version, run.settings, naive(run.started), None, "{}"]
    with store.transaction() as db:
        db.execute("insert into run values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def end_run(store: Store, run: str, counts: dict[str, int]) -> None:
    """Write down how a collection ended: counts by outcome."""
    with store.transaction() as db:
        db.execute("update run set ended = ?, counts = ? where id = ?", [now(), json.dumps(counts), run])
