"""Posts in and out: batches as Arrow tables, known posts only as new versions, streams in the order of threads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from .records import Added, Disclosure, Post
from .times import aware

if TYPE_CHECKING:
    import duckdb

    from .store import Store

POST_COLUMNS = (
    'id, version, "case", platform, source, author, text, thread, reply_to, mentions, created, edited, '
    "collected_at, language, kind, media, run"
)
_TEXT, _MOMENT = pa.string(), pa.timestamp("us", tz="UTC")
_FIELDS = {
    "id": _TEXT, "version": pa.int32(), "case": _TEXT, "platform": _TEXT, "source": _TEXT, "author": _TEXT,
    "text": _TEXT, "thread": _TEXT, "reply_to": _TEXT, "mentions": pa.list_(_TEXT), "created": _MOMENT,
    "edited": _MOMENT, "collected_at": _MOMENT, "language": _TEXT, "kind": _TEXT, "media": pa.list_(_TEXT),
    "run": _TEXT,
}  # fmt: skip
FETCH = 10_000
"""Posts that a stream fetches in one transaction: each looks once through the whole column of ids."""


# ----------------------------------------------------------------------------------------------------- in
def add(db: duckdb.DuckDBPyConnection, posts: Sequence[Post]) -> Added:
    """
    Keep what is new in *posts*, in their order: unknown posts, and known ones whose words have changed.

    A batch may hold the same post several times (two listings, an edit within one run). What tells an edit is
    the digest of the words as they came: the kept text changes with what the redactor knows, and by erasures.
    """
    known = _known(db, posts)
    fresh: list[Post] = []
    prints: list[int] = []
    for post in posts:
        version, before = known.get(post.id, (0, None))
        now = fingerprint(post.digest or post.text)
        if now != before:
            known[post.id] = version + 1, now
            fresh.append(post if post.version == version + 1 else replace(post, version=version + 1))
            prints.append(now)
    if fresh:
        _append(db, fresh, prints, [known[p.id][0] == p.version for p in fresh])
    edited = sum(p.version > 1 for p in fresh)
    return Added(len(fresh) - edited, edited, len(posts) - len(fresh))


def fingerprint(text: str) -> int:
    """64 bits of a text's MD5, as DuckDB's `md5_number_lower` gives them: tells an edit from a repetition."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "little")


def _known(db: duckdb.DuckDBPyConnection, posts: Sequence[Post]) -> dict[str, tuple[int, int | None]]:
    """Of the posts that are in the store already: the current version and the fingerprint of its words."""
    db.register("incoming", pa.table({"id": pa.array([p.id for p in posts], _TEXT)}))
    rows = db.execute(
        "select p.id, p.version, p.fingerprint from post p semi join incoming using (id) where p.latest"
    ).fetchall()
    db.unregister("incoming")
    return {id_: (version, words) for id_, version, words in rows}


def _append(
    db: duckdb.DuckDBPyConnection, posts: Sequence[Post], prints: Sequence[int], latest: Sequence[bool]
) -> None:
    db.register("fresh", _table(posts, prints, latest))
    if any(p.version > 1 for p in posts):
        db.execute("update post set latest = false where latest and id in (select id from fresh where version > 1)")
    db.execute(f"insert into post ({_STORED}) select {_STORED} from fresh")
    db.unregister("fresh")
    told = [(p.id, p.version, d.type, d.count) for p in posts for d in p.disclosures]
    if told:
        names = ("post", "version", "type", "count")
        db.register("told", pa.table(dict(zip(names, map(list, zip(*told, strict=True)), strict=True))))
        db.execute("insert into disclosure select * from told")
        db.unregister("told")


_STORED = f"{POST_COLUMNS}, fingerprint, latest"


def _table(posts: Sequence[Post], prints: Sequence[int], latest: Sequence[bool]) -> pa.Table:
    columns = {n: pa.array([getattr(p, n) for p in posts], type=t) for n, t in _FIELDS.items()}
    for name in ("created", "edited", "collected_at"):
        columns[name] = columns[name].cast(pa.timestamp("us"))
    return pa.table({**columns, "fingerprint": pa.array(prints, pa.uint64()), "latest": pa.array(latest, pa.bool_())})


# ---------------------------------------------------------------------------------------------------- out
def count(store: Store, case: str | None) -> int:
    """How many posts are kept, each counted once whatever its versions."""
    rows = store.query('select count(*) from post where latest and (? is null or "case" = ?)', [case, case])
    return int(rows[0][0])


def stream(store: Store, case: str | None, kind: str | None, not_coded_by: str | None, batch: int) -> Iterator[Post]:
    """The posts whose ids were there at the start, as they are when they are fetched."""
    ids = wanted(store, case, kind, not_coded_by)
    for start in range(0, len(ids), FETCH):
        fetched = fetch(store, ids.slice(start, FETCH))
        for place in range(0, len(fetched), batch):
            yield from as_posts(fetched.slice(place, batch))


def wanted(store: Store, case: str | None, kind: str | None, not_coded_by: str | None) -> pa.Table:
    """The ids to stream in their order, one column `id`: some 30 bytes a post, all that is held throughout."""
    where, values = ["p.latest"], list[object]()
    for column, value in (('"case"', case), ("kind", kind)):
        if value is not None:
            where.append(f"p.{column} = ?")
            values.append(value)
    if not_coded_by is not None:
        where.append("not exists (from coded c where c.coding = ? and c.post = p.id and c.version = p.version)")
        values.append(not_coded_by)
    with store.transaction() as db:
        return db.execute(
            f"select p.id from post p where {' and '.join(where)} order by p.thread, p.created, p.id", values
        ).to_arrow_table()


def fetch(store: Store, ids: pa.Table) -> pa.Table:
    """The current versions of the posts in *ids* (a column `id`), in that order; those that are gone are left out."""
    columns = ", ".join(f"p.{c.strip()}" for c in POST_COLUMNS.split(","))
    wanted = ids.append_column("place", pa.array(np.arange(len(ids), dtype=np.int32)))
    with store.transaction() as db:
        db.register("wanted", wanted)
        return db.execute(
            "with told as (select post, version, list({'type': type, 'count': count} order by type) as told "
            "from disclosure semi join wanted w on w.id = post group by all) "
            f"select {columns}, t.told from post p join wanted w using (id) "
            "left join told t on t.post = p.id and t.version = p.version where p.latest order by w.place"
        ).to_arrow_table()


def as_posts(table: pa.Table) -> Iterator[Post]:
    """The posts in a table with POST_COLUMNS and their disclosures."""
    # Polars turns columns into Python values some ten times faster than Arrow does.
    frame = pl.DataFrame(table)
    for row in zip(*(frame[name].to_list() for name in frame.columns), strict=True):
        yield row_to_post((*row[:-1], [(d["type"], d["count"]) for d in row[-1] or ()]))


def row_to_post(row: tuple[Any, ...]) -> Post:
    """The post in a row of POST_COLUMNS and its disclosures."""
    (id_, version, case, platform, source, author, text, thread, reply_to, mentions, created, edited, collected_at,
     language, kind, media, run, told) = row  # fmt: skip
    return Post(
        id=id_, case=case, platform=platform, source=source, author=author, text=text, thread=thread,
        created=aware(created), collected_at=aware(collected_at), reply_to=reply_to, mentions=tuple(mentions),
        edited=aware(edited), language=language, kind=kind, media=tuple(media), run=run, version=version,
        disclosures=tuple(Disclosure(t, n) for t, n in told or ()),
    )  # fmt: skip
