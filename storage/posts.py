"""Posts in and out: batches as Arrow tables, known posts only as new versions, streams in the order of threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

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
    "id": _TEXT, "case": _TEXT, "platform": _TEXT, "source": _TEXT, "author": _TEXT, "text": _TEXT,
    "thread": _TEXT, "reply_to": _TEXT, "mentions": pa.list_(_TEXT), "created": _MOMENT, "edited": _MOMENT,
    "collected_at": _MOMENT, "language": _TEXT, "kind": _TEXT, "media": pa.list_(_TEXT), "run": _TEXT,
}  # fmt: skip
FETCH = 10_000
"""How many posts are fetched in one transaction of a stream: each looks once through the whole column of ids."""


# ----------------------------------------------------------------------------------------------------- in
def add(db: duckdb.DuckDBPyConnection, posts: Sequence[Post]) -> Added:
    """
    Keep what is new in *posts*, in their order: unknown posts, and known ones whose words have changed.

    A batch may hold the same post several times (two listings, an edit within one run).
    """
    db.register("incoming", _table(posts))
    db.execute(_FRESH)
    stored, edited = db.execute(
        "select count(*) filter (number = 1), count(*) filter (number > 1) from fresh"
    ).fetchall()[0]
    if stored or edited:
        _append(db, posts, edited=bool(edited))
    db.execute("drop table fresh")
    db.unregister("incoming")
    return Added(stored, edited, len(posts) - stored - edited)


_FRESH = """
    create temp table fresh as
    with told as (select place, id, md5_number_lower(text) as fingerprint from incoming),
    known as (select p.id, p.version, p.fingerprint from post p semi join told using (id) where p.latest),
    said as (
        select t.place, t.id, t.fingerprint, k.version as base,
               coalesce(lag(t.fingerprint) over w, k.fingerprint) as before
        from told t left join known k using (id) window w as (partition by t.id order by t.place))
    select place, id, fingerprint,
           (coalesce(base, 0) + row_number() over (partition by id order by place))::integer as number,
           place = max(place) over (partition by id) as latest
    from said where before is distinct from fingerprint
"""


def _append(db: duckdb.DuckDBPyConnection, posts: Sequence[Post], *, edited: bool) -> None:
    if edited:
        db.execute("update post set latest = false where latest and id in (select id from fresh where number > 1)")
    columns = ", ".join(f"i.{c.strip()}" for c in POST_COLUMNS.split(",")).replace("i.version", "f.number")
    db.execute(
        f"insert into post ({POST_COLUMNS}, latest, fingerprint) select {columns}, f.latest, f.fingerprint "
        "from fresh f join incoming i using (place) order by i.thread, i.created, i.id, f.number"
    )
    told = [(n, d.type, d.count) for n, p in enumerate(posts) for d in p.disclosures]
    if told:
        places, types, counts = zip(*told, strict=True)
        db.register("disclosed", pa.table({"place": places, "type": types, "count": counts}))
        db.execute(
            "insert into disclosure select f.id, f.number, d.type, d.count from disclosed d join fresh f using (place)"
        )
        db.unregister("disclosed")


def _table(posts: Sequence[Post]) -> pa.Table:
    columns = {n: pa.array([getattr(p, n) for p in posts], type=t) for n, t in _FIELDS.items()}
    for name in ("created", "edited", "collected_at"):
        columns[name] = columns[name].cast(pa.timestamp("us"))
    return pa.table({"place": pa.array(range(len(posts)), pa.int32()), **columns})


# ---------------------------------------------------------------------------------------------------- out
def count(store: Store, case: str | None) -> int:
    """How many posts are kept, each counted once whatever its versions."""
    rows = store.query('select count(*) from post where latest and (? is null or "case" = ?)', [case, case])
    return int(rows[0][0])


def stream(
    store: Store, case: str | None, kind: str | None, not_coded_by: str | None, batch: int
) -> Iterator[Post]:
    """The posts whose ids were there at the start, as they are when they are fetched."""
    ids = _wanted(store, case, kind, not_coded_by)
    for start in range(0, len(ids), FETCH):
        fetched = fetch(store, ids.slice(start, FETCH))
        for place in range(0, len(fetched), batch):
            yield from as_posts(fetched.slice(place, batch))


def _wanted(store: Store, case: str | None, kind: str | None, not_coded_by: str | None) -> pa.Table:
    """The ids to stream in their order, one column `id`: some 30 bytes a post, the only thing held throughout."""
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
    wanted = ids.append_column("place", pa.array(range(len(ids)), pa.int32()))
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
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        yield row_to_post(row[:-1] + (tuple((d["type"], d["count"]) for d in row[-1] or ()),))


def row_to_post(row: tuple[Any, ...]) -> Post:
    """The post in a row of POST_COLUMNS and its disclosures."""
    (id_, version, case, platform, source, author, text, thread, reply_to, mentions, created, edited, collected_at,
     language, kind, media, run, told) = row  # fmt: skip
    return Post(
        id=id_, case=case, platform=platform, source=source, author=author, text=text, thread=thread,
        created=aware(created), collected_at=aware(collected_at), reply_to=reply_to, mentions=tuple(mentions), edited=aware(edited),
        language=language, kind=kind, media=tuple(media), run=run, version=version,
        disclosures=tuple(Disclosure(t, n) for t, n in told or ()),
    )  # fmt: skip
