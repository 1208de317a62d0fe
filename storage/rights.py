"""
Erasing and renaming across the whole schema, whatever tables it has.

The schema itself says where a person can be: a column named `post` holds ids of posts, a column of texts may hold
`[@pseudonym]`. So a table that comes with a later migration is covered on the day it comes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .times import naive, now

if TYPE_CHECKING:
    import duckdb

    from .store import Database, Store

NAME = re.compile(r"\b[apt][a-z2-7]{16}\b")
PLAIN = "[PERSOON]"
"""What stands where an erased author was addressed."""


NATIVE = {("locator", "native"), ("locator", "thread")}
"""Columns with the platforms' own ids: no pseudonym stands there, though one may look like it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table that holds text, or a list of texts."""

    table: str
    name: str
    listed: bool

    def __str__(self) -> str:
        return f'"{self.name}"'


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took out: rows by table, and mentions of the erased authors made plain elsewhere."""

    rows: dict[str, int] = field(default_factory=dict)
    mentions: int = 0

    @property
    def posts(self) -> int:
        """Rows of posts, versions counted each."""
        return self.rows.get("post", 0)


def text_columns(db: duckdb.DuckDBPyConnection) -> list[Column]:
    """All columns of all tables that hold text or lists of texts."""
    rows = db.execute(
        "select c.table_name, c.column_name, c.data_type = 'VARCHAR[]' from duckdb_columns() c join duckdb_tables() t "
        "using (database_name, schema_name, table_name) where c.database_name = current_database() "
        "and c.data_type in ('VARCHAR', 'VARCHAR[]') order by 1, 2"
    ).fetchall()
    return [Column(*row) for row in rows if (row[0], row[1]) not in NATIVE]


# ---------------------------------------------------------------------------------------------------- who and what
def posts_of_author(store: Store, author: str) -> list[str]:
    """The posts of an author."""
    return [p for (p,) in store.query("select distinct id from post where author = ? order by 1", [author])]


def authors_called(store: Store, case: str, digest: str) -> list[str]:
    """The authors of a case who bear the name with this keyed digest, anywhere in it."""
    sql = "select distinct thread from label where \"case\" = ? and digest = ? and label = '@' || thread order by 1"
    return [a for (a,) in store.query(sql, [case, digest])]


def case_of_post(store: Store, post: str) -> str | None:
    """The case a post belongs to; None when it is not kept."""
    rows = store.query('select distinct "case" from post where id = ?', [post])
    return str(rows[0][0]) if rows else None


def platforms(store: Store) -> set[str]:
    """The platforms from which posts are kept."""
    return {p for (p,) in store.query("select distinct platform from post")}


def older_than(store: Store, case: str, moment: datetime, platform: str | None = None) -> list[str]:
    """The posts of a case (of one platform) that were collected before *moment*, each version counted by the last."""
    rows = store.query(
        'select id from post where "case" = ? and (? is null or platform = ?) group by id having max(collected_at) < ? '
        "order by id",
        [case, platform, platform, naive(moment)],
    )
    return [p for (p,) in rows]


def texts_of(store: Store, posts: Collection[str]) -> list[str]:
    """The texts of these posts, in all their versions."""
    return [
        t
        for (t,) in store.query("select distinct text from post where id in (select unnest(?::text[]))", [list(posts)])
    ]


def suppressed(store: Store) -> dict[str, frozenset[str]]:
    """By case, whom and what must stay out."""
    rows = store.query('select "case", list(digest) from suppressed group by 1')
    return {case: frozenset(digests) for case, digests in rows}


def names_that(store: Store, hold: Callable[[str, str], bool]) -> list[tuple[str, str]]:
    """Case and pseudonym of every post, author and person addressed of whom *hold(case, name)* is true."""
    with store.transaction() as db:
        asked = db.execute(
            'select distinct "case", id from post union select distinct "case", author from post '
            'union select "case", unnest(mentions) from post order by 1, 2'
        )
        found: list[tuple[str, str]] = []
        while rows := asked.fetchmany(10_000):
            found += [(case, name) for case, name in rows if hold(case, name)]
    return found


def suppress(db: duckdb.DuckDBPyConnection, case: str, digests: Iterable[str]) -> None:
    """Keep these pseudonyms out of a case from now on."""
    db.execute(
        "insert into suppressed select ?, d, ? from (select unnest(?::text[]) as d) where not exists "
        '(from suppressed s where s."case" = ? and s.digest = d)',
        [case, now(), list(digests), case],
    )


# ---------------------------------------------------------------------------------------------------- erasing
def erase(
    store: Store, case: str, posts: Collection[str], authors: Collection[str] = (), *, suppressing: Collection[str] = ()
) -> Erased:
    """
    Take posts out with all that hangs on them, and make mentions of *authors* plain, in one transaction.

    Replies to erased posts stay and lose what they replied to. *suppressing* are the pseudonyms to keep out
    from now on. The bytes are still in the file until `Store.rewrite`.
    """
    with store.transaction() as db:
        suppress(db, case, suppressing)
        rows = _erase_posts(db, posts) if posts else {}
        mentions = _forget_authors(db, authors) if authors else 0
    return Erased(rows, mentions)


def _erase_posts(db: duckdb.DuckDBPyConnection, posts: Collection[str]) -> dict[str, int]:
    db.register("gone", pa.table({"value": pa.array(list(posts), type=pa.string())}))
    db.execute("update post set reply_to = null where reply_to in (from gone)")
    rows = _drop_rows_about(db, posts, spared=("reply_to",))
    db.execute(
        "delete from label where thread not in (select thread from post) and thread not in (select author from post)"
    )
    db.unregister("gone")
    return rows


def _forget_authors(db: duckdb.DuckDBPyConnection, authors: Collection[str]) -> int:
    db.register("gone", pa.table({"value": pa.array(list(authors), type=pa.string())}))
    db.execute("delete from label where label in (select '@' || value from gone)")
    _drop_rows_about(db, authors)
    db.unregister("gone")
    marks = {f"[@{a}]" for a in authors}
    mentions = _shift_spans(db, marks)
    for column in text_columns(db):
        for mark in marks if not column.listed else ():
            db.execute(
                f"update {column.table} set {column} = replace({column}, ?, ?) where contains({column}, ?)",
                [mark, PLAIN, mark],
            )
    return mentions


def _drop_rows_about(
    db: duckdb.DuckDBPyConnection, gone: Collection[str], spared: Collection[str] = ()
) -> dict[str, int]:
    """Delete every row that is about one of `gone`, whatever its column is called; lists only lose the value."""
    rows: dict[str, int] = {}
    for column in text_columns(db):
        if column.table == "suppressed" or column.name in spared:
            continue
        if column.listed:
            db.execute(
                f"update {column.table} set {column} = list_filter({column}, x -> not list_contains(?::text[], x)) "
                f"where list_has_any({column}, ?::text[])",
                [list(gone), list(gone)],
            )
        else:
            told = db.execute(f"delete from {column.table} where {column} in (from gone)").fetchall()
            rows[column.table] = rows.get(column.table, 0) + int(told[0][0])
    return {table: n for table, n in rows.items() if n}


def _shift_spans(db: duckdb.DuckDBPyConnection, marks: Collection[str]) -> int:
    """Move the spans in posts whose text is about to become shorter; how many mentions there are."""
    found = db.execute(
        "select id, version, text from post "
        "where exists (select 1 from (select unnest(?::text[]) as m) where contains(text, m))",
        [list(marks)],
    ).fetchall()
    wanted = re.compile("|".join(map(re.escape, sorted(marks))))
    shifts = {(id_, version): [m.span() for m in wanted.finditer(text)] for id_, version, text in found}
    for table in _tables_with_spans(db) if shifts else ():
        _shift_table(db, table, shifts)
    return sum(map(len, shifts.values()))


def _tables_with_spans(db: duckdb.DuckDBPyConnection) -> list[str]:
    rows = db.execute(
        "select table_name from duckdb_columns() where database_name = current_database() and table_name in "
        "(select table_name from duckdb_tables() where database_name = current_database()) group by 1 "
        "having list_has_all(list(column_name), ['post', 'version', 'start', 'end']) order by 1"
    ).fetchall()
    return [t for (t,) in rows]


def _shift_table(
    db: duckdb.DuckDBPyConnection, table: str, shifts: dict[tuple[str, int], list[tuple[int, int]]]
) -> None:
    ids = [post for post, _ in shifts]
    rows = db.execute(
        f'select rowid, post, version, "start", "end" from {table} '
        'where "start" is not null and post in (select unnest(?::text[]))',
        [ids],
    ).fetchall()
    moved = [
        (rowid, moved_offset(start, spans, last=False), moved_offset(end, spans, last=True))
        for rowid, post, version, start, end in rows
        if (spans := shifts.get((post, version)))
    ]
    if moved:
        ids_, starts, ends = zip(*moved, strict=True)
        db.register("moved", pa.table({"id": ids_, "a": starts, "b": ends}))
        db.execute(f'update {table} set "start" = m.a, "end" = m.b from moved m where {table}.rowid = m.id')
        db.unregister("moved")


def moved_offset(at: int, spans: Sequence[tuple[int, int]], *, last: bool) -> int:
    """Where an offset comes to lie when each span (in order) becomes `[PERSOON]`; inside one, at its near edge."""
    shift = 0
    for start, end in spans:
        if end <= at:
            shift += end - start - len(PLAIN)
        elif start < at:
            return start - shift + (len(PLAIN) if last else 0)
    return at - shift


def left_of(database: Database, names: Collection[str], addressed: Collection[str] = ()) -> dict[str, int]:
    """In how many rows of which table one of *names* stands, or one of *addressed* within a text; lists of who is
    suppressed hold them by design."""
    left: Counter[str] = Counter()
    marks = [f"@{name}" for name in addressed]
    with database.transaction() as db:
        db.register("gone", pa.table({"value": pa.array(list(names), type=pa.string())}))
        for column in text_columns(db):
            if column.table == "suppressed":
                continue
            held = (
                f"list_has_any({column}, (select list(value) from gone))"
                if column.listed
                else f"{column} in (from gone)"
            )
            sql = f"select count(*) from {column.table} where {held}"
            left[column.table] += int(db.execute(sql).fetchall()[0][0])
            for mark in marks if not column.listed else ():
                sql = f"select count(*) from {column.table} where contains({column}, ?)"
                left[column.table] += int(db.execute(sql, [mark]).fetchall()[0][0])
        db.unregister("gone")
    return {table: n for table, n in left.items() if n}


def forget_collecting(store: Store, case: str) -> None:
    """Delete what only collecting needs: where the sources of a case stopped, and names learned to be redacted."""
    with store.transaction() as db:
        for table in ("cursor", "learned"):
            db.execute(f'delete from {table} where "case" = ?', [case])


# ---------------------------------------------------------------------------------------------------- renaming
def rotations(database: Database, case: str) -> int:
    """How often the pseudonyms of a case have been made anew in this file."""
    rows = database.query('select max(number) from rotation where "case" = ?', [case])
    return int(rows[0][0] or 0)


def rename(database: Database, case: str, number: int, renamed: Callable[[list[str]], list[str]]) -> int:
    """
    Give everything of a case new pseudonyms, in one transaction, and write down that rotation *number* is done.

    *renamed* gives the new names of old ones. Which names belong to the case is read from the rows of the case;
    they are then replaced wherever a value or a text holds them. Returns how many there were.
    """
    with database.transaction() as db:
        columns = text_columns(db)
        old = sorted(_names_of_case(db, columns, case))
        names = dict(zip(old, renamed(old), strict=True))
        db.register("names", pa.table({"old": list(names), "new": list(names.values())}))
        for column in columns:
            if not column.listed:
                db.execute(f"update {column.table} set {column} = n.new from names n where {column} = n.old")
            _rename_within(db, column, names)
        db.unregister("names")
        db.execute("insert into rotation values (?, ?, ?)", [case, number, now()])
    return len(names)


def _names_of_case(db: duckdb.DuckDBPyConnection, columns: Sequence[Column], case: str) -> set[str]:
    """Every pseudonym, and every digest of a label, that stands in a row of the case."""
    names: set[str] = set()
    with_case = {c.table for c in columns if c.name == "case"}
    for column in columns:
        if column.table not in with_case:
            continue
        held = f"unnest({column})" if column.listed else str(column)
        within = f"regexp_extract_all(held, '{NAME.pattern}')"
        if (column.table, column.name) == ("label", "digest"):
            within = "[held]"
        sql = f'select distinct unnest({within}) from (select {held} as held from {column.table} where "case" = ?)'
        names.update(v for (v,) in db.execute(sql, [case]).fetchall())
    return names


def _rename_within(db: duckdb.DuckDBPyConnection, column: Column, names: dict[str, str], batch: int = 5000) -> None:
    """Replace old names that stand within texts (`[@name]`) or lists of one column, some rows at a time."""
    kind = pa.list_(pa.string()) if column.listed else pa.string()
    held = f"array_to_string({column}, ' ')" if column.listed else str(column)
    last = -1
    while True:
        rows = db.execute(
            f"select rowid, {column} from {column.table} where rowid > ? and regexp_matches({held}, '{NAME.pattern}') "
            f"and ({column.listed} or length({held}) > 17) order by rowid limit {batch}",
            [last],
        ).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        changed = [(rowid, new) for rowid, value in rows if (new := _renamed(value, names)) != value]
        if changed:
            ids, values = zip(*changed, strict=True)
            db.register("renamed", pa.table({"id": ids, "value": pa.array(values, type=kind)}))
            db.execute(f"update {column.table} set {column} = r.value from renamed r where {column.table}.rowid = r.id")
            db.unregister("renamed")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [names.get(v, v) for v in value]
    return NAME.sub(lambda m: names.get(m.group(), m.group()), value)
