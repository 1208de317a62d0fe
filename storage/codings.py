"""Codings and their annotations: append-only, a post coded once by a coding in each of its versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

import polars as pl

from .records import Annotation, Coding
from .times import aware, naive

if TYPE_CHECKING:
    from .store import Store

_MARK = {
    "post": pl.String, "version": pl.Int32, "code": pl.String, "score": pl.Float64,
    "start": pl.Int32, "end": pl.Int32, "rule": pl.String,
}  # fmt: skip
_SLICE = 20_000
"""How many annotations of a stream are objects in memory at a time."""


def begin(store: Store, coding: Coding) -> None:
    """Register a coding; one with the same id is left as it is."""
    with store.transaction() as db:
        if not db.execute("select 1 from coding where id = ?", [coding.id]).fetchone():
            values = [naive(getattr(coding, f.name)) for f in fields(coding)]
            db.execute("insert into coding values (?, ?, ?, ?, ?, ?, ?)", values)


def every(store: Store) -> list[Coding]:
    """All codings, oldest first."""
    return [Coding(*map(aware, row)) for row in store.query("select * from coding order by started, id")]


def annotate(store: Store, coding: str, seen: Iterable[tuple[str, int]], annotations: Iterable[Annotation]) -> int:
    """Keep what *coding* has seen and marked, in one transaction; returns how many posts were new to it."""
    pairs = pl.DataFrame(list(seen), schema={"post": pl.String, "version": pl.Int32}, orient="row")
    given = list(annotations)
    marks = pl.DataFrame({n: [getattr(a, n) for a in given] for n in _MARK}, schema=_MARK)
    with store.transaction() as db:
        db.register("pairs", pairs.to_arrow())
        db.register("marks", marks.to_arrow())
        db.execute(
            "create temp table fresh as select distinct p.post, p.version from pairs p "
            "where not exists (from coded c where c.coding = ? and c.post = p.post and c.version = p.version)",
            [coding],
        )
        db.execute(
            'insert into annotation select ?, m.post, m.version, m.code, m.score, m."start", m."end", m.rule '
            "from marks m join fresh using (post, version)",
            [coding],
        )
        new = db.execute("insert into coded select ?, post, version from fresh", [coding]).fetchall()[0][0]
        db.execute("drop table fresh")
        db.unregister("pairs")
        db.unregister("marks")
        return int(new)


def stream(store: Store, coding: str, case: str | None = None) -> Iterator[Annotation]:
    """What *coding* marked on the current versions of posts, in order of post, code and span."""
    with store.transaction() as db:
        told = db.execute(
            'select a.coding, a.post, a.code, a.score, a."start", a."end", a.rule, a.version '
            "from annotation a join post p on p.id = a.post and p.version = a.version and p.latest "
            'where a.coding = ? and (? is null or p."case" = ?) order by a.post, a.code, a."start", a."end"',
            [coding, case, case],
        ).to_arrow_table()
    for start in range(0, len(told), _SLICE):
        columns = [column.to_pylist() for column in told.slice(start, _SLICE).columns]
        for row in zip(*columns, strict=True):
            yield Annotation(*row)
