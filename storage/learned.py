"""What the redactor missed and was told: kept sealed, and replaced by labels in what is stored already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .rights import Column, text_columns
from .times import now

if TYPE_CHECKING:
    import duckdb

    from .store import Store

BATCH = 2000
Replacement = tuple[int, int, str, str]
"""(start, end, type, label) in a text, in order and without overlap."""
Finder = Callable[[str], list[Replacement]]


@dataclass(slots=True)
class Replaced:
    """How many texts changed, how many places in them, and the posts' texts as they were."""

    texts: int = 0
    places: int = 0
    before: list[str] = field(default_factory=list)


def remember(store: Store, case: str, values: Sequence[tuple[str, str, bytes]]) -> int:
    """Keep (proof, type, sealed value); those with a known proof are left as they are. Returns how many are new."""
    with store.transaction() as db:
        known = {p for (p,) in db.execute('select proof from learned where "case" = ?', [case]).fetchall()}
        fresh = {proof: (kind, value) for proof, kind, value in values if proof not in known}
        for proof, (kind, value) in fresh.items():
            db.execute("insert into learned values (?, ?, ?, ?, ?)", [case, proof, kind, value, now()])
        return len(fresh)


def learned(store: Store, case: str) -> list[tuple[str, bytes]]:
    """(type, sealed value) of everything that was learned in a case, oldest first."""
    rows = store.query('select type, value from learned where "case" = ? order by since, proof', [case])
    return [(kind, bytes(value)) for kind, value in rows]


def replace_in_texts(store: Store, case: str, find: Finder) -> Replaced:
    """
    Put labels where *find* says, in every version of every post of a case and in what was written about them.

    Spans in the posts move along, disclosures are counted anew for what was found. One transaction; the old
    bytes are in the file until `Store.rewrite`.
    """
    done = Replaced()
    with store.transaction() as db:
        moves: dict[tuple[str, int], list[Replacement]] = {}
        for rows in _batches(db, 'select id, version, text from post where "case" = ? order by id, version', [case]):
            found = {(id_, version): spots for id_, version, text in rows if (spots := find(text))}
            _write_posts(db, {key: text for *key_, text in rows if (key := (key_[0], key_[1])) in found}, found, done)
            moves |= found
        for table in _tables_with_spans(db) if moves else ():
            _move_spans(db, table, moves)
        for column in _about_posts(db):
            _write_column(db, column, case, find, done)
    return done


def _batches(db: duckdb.DuckDBPyConnection, sql: str, values: list[object]) -> Any:
    """Rows in batches, read page by page, since the same connection writes between them."""
    at = 0
    while rows := db.execute(f"{sql} limit {BATCH} offset {at}", values).fetchall():
        yield rows
        at += BATCH


def _write_posts(
    db: duckdb.DuckDBPyConnection,
    texts: dict[tuple[str, int], str],
    found: dict[tuple[str, int], list[Replacement]],
    done: Replaced,
) -> None:
    for (id_, version), text in texts.items():
        spots = found[id_, version]
        db.execute("update post set text = ? where id = ? and version = ?", [with_labels(text, spots), id_, version])
        for kind in {s[2] for s in spots}:
            n = sum(s[2] == kind for s in spots)
            told = [id_, version, kind]
            counted = db.execute(
                "update disclosure set count = count + ? where post = ? and version = ? and type = ? returning 1",
                [n, *told],
            ).fetchall()
            if not counted:
                db.execute("insert into disclosure values (?, ?, ?, ?)", [*told, n])
        done.texts += 1
        done.places += len(spots)
        done.before.append(text)


def with_labels(text: str, spots: Sequence[Replacement]) -> str:
    """*text* with the labels in their places."""
    pieces, at = list[str](), 0
    for start, end, _, label in spots:
        pieces += (text[at:start], label)
        at = end
    return "".join([*pieces, text[at:]])


def moved(at: int, spots: Sequence[Replacement], *, last: bool) -> int:
    """Where an offset comes to lie when the labels are in; inside a place, at the label's near edge."""
    shift = 0
    for start, end, _, label in spots:
        if end <= at:
            shift += len(label) - (end - start)
        elif start < at:
            return start + shift + (len(label) if last else 0)
    return at + shift


def _tables_with_spans(db: duckdb.DuckDBPyConnection) -> list[str]:
    rows = db.execute(
        "select table_name from duckdb_columns() where database_name = current_database() and table_name in "
        "(select table_name from duckdb_tables() where database_name = current_database()) group by 1 "
        "having list_has_all(list(column_name), ['post', 'version', 'start', 'end']) order by 1"
    ).fetchall()
    return [t for (t,) in rows]


def _move_spans(db: duckdb.DuckDBPyConnection, table: str, moves: dict[tuple[str, int], list[Replacement]]) -> None:
    rows = db.execute(
        f'select rowid, post, version, "start", "end" from {table} '
        'where "start" is not null and post in (select unnest(?::text[]))',
        [sorted({post for post, _ in moves})],
    ).fetchall()
    shifted = [
        (rowid, moved(start, spots, last=False), moved(end, spots, last=True))
        for rowid, post, version, start, end in rows
        if (spots := moves.get((post, version)))
    ]
    if shifted:
        ids, starts, ends = zip(*shifted, strict=True)
        db.register("shifted", pa.table({"id": ids, "a": starts, "b": ends}))
        db.execute(f'update {table} set "start" = s.a, "end" = s.b from shifted s where {table}.rowid = s.id')
        db.unregister("shifted")


def _about_posts(db: duckdb.DuckDBPyConnection) -> list[Column]:
    """Columns with words about a post (a quote, a reason), in tables that name the post."""
    tables = {
        t
        for (t,) in db.execute(
            "select table_name from duckdb_columns() where database_name = current_database() and column_name = 'post'"
        ).fetchall()
    }
    return [
        c for c in text_columns(db) if c.table in tables and c.name not in {"post", "code", "coding"} and not c.listed
    ]


def _write_column(db: duckdb.DuckDBPyConnection, column: Column, case: str, find: Finder, done: Replaced) -> None:
    rows = db.execute(
        f"select t.rowid, t.{column} from {column.table} t where t.{column} is not null "
        'and t.post in (select id from post where "case" = ?)',
        [case],
    ).fetchall()
    for rowid, text in rows:
        if spots := find(text):
            db.execute(f"update {column.table} set {column} = ? where rowid = ?", [with_labels(text, spots), rowid])
            done.texts += 1
            done.places += len(spots)
