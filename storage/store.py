"""The one place that opens DuckDB: an encrypted file, held only as long as a short transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from .records import Added, Annotation, Batch, Coding, Disclosure, Label, Post, Pseudonym, Run

Rows = list[tuple[Any, ...]]


class StoreError(Exception):
    """The store cannot do what was asked; the message says what, where and the way out."""


POST_COLUMNS = (
    'id, version, "case", platform, source, author, text, thread, reply_to, mentions, created, edited, '
    "collected_at, language, kind, media, run"
)
POST_TYPES = {
    "id": pl.String, "version": pl.Int32, "case": pl.String, "platform": pl.String, "source": pl.String,
    "author": pl.String, "text": pl.String, "thread": pl.String, "reply_to": pl.String,
    "mentions": pl.List(pl.String), "created": pl.Datetime("us"), "edited": pl.Datetime("us"),
    "collected_at": pl.Datetime("us"), "language": pl.String, "kind": pl.String,
    "media": pl.List(pl.String), "run": pl.String,
}  # fmt: skip


class Store:
    """
    The research corpus in one encrypted DuckDB file.

    `key` is the store's own key (bytes), not the project key. The file is open only inside
    `transaction()`, under an inter-process lock that waits up to `patience` seconds, so that many
    processes can share it. Use as a context manager or not; it holds nothing between calls.
    """

    def __init__(self, path: Path | str, key: bytes | None, *, patience: float = 120.0) -> None:
        self.path = Path(path)
        self._key = key
        self._patience = patience
        self._ready = False
        self._db: duckdb.DuckDBPyConnection | None = None

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, t: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        return None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open database in one transaction: committed at the end, rolled back on any error. Nests."""
        if self._db is not None:
            yield self._db
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.lock", timeout=self._patience):
                self._db = self._open()
                try:
                    self._db.execute("begin")
                    yield self._db
                    self._db.execute("commit")
                finally:
                    self._db.close()
                    self._db = None
        except Timeout:
            msg = f"{self.path}: another process has held the store for over {self._patience:.0f} s; try again later"
            raise StoreError(msg) from None

    def _open(self) -> duckdb.DuckDBPyConnection:
        db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        try:
            if self._key is None:
                db.execute(f"attach '{_quoted(self.path)}' as corpus")
            else:
                _load_crypto(db)
                db.execute(f"attach '{_quoted(self.path)}' as corpus (encryption_key '{self._key.hex()}')")
        except duckdb.Error:
            db.close()
            msg = f"{self.path}: cannot be opened; is it this project's store, and the key the one it was made with?"
            raise StoreError(msg) from None
        db.execute("use corpus")
        if not self._ready:
            _migrate(db)
            self._ready = True
        return db

    def query(self, sql: str, values: Sequence[object] = ()) -> Rows:
        """All rows of one read-only question. For `storage` modules; others ask through their functions."""
        with self.transaction() as db:
            return db.execute(sql, list(values)).fetchall()

    # ------------------------------------------------------------------------------------------ posts
    def add(self, batch: Batch) -> Added:
        """Keep the posts, labels and cursor of *batch*, all or nothing; known posts only as new versions."""
        with self.transaction() as db:
            added = self._add_posts(db, batch.posts) if batch.posts else Added()
            if batch.labels:
                labels = pl.DataFrame(
                    [(batch.case, x.thread, x.digest, x.label) for x in batch.labels],
                    schema=["case", "thread", "digest", "label"], orient="row",
                )  # fmt: skip
                db.register("new_label", labels.to_arrow())
                db.execute(
                    'insert into label select distinct on ("case", thread, digest) n.* from new_label n '
                    'anti join label using ("case", thread, digest)'
                )
                db.unregister("new_label")
            if batch.cursor is not None:
                db.execute('delete from cursor where "case" = ? and source = ?', [batch.case, batch.source])
                values = [batch.case, batch.source, batch.cursor, _now()]
                db.execute("insert into cursor values (?, ?, ?, ?)", values)
            return added

    def _add_posts(self, db: duckdb.DuckDBPyConnection, posts: Sequence[Post]) -> Added:
        stored = edited = 0
        # A batch may hold the same post twice (two listings, an edit within one run): later ones go in later.
        for layer in _layers(posts):
            db.register("new_post", _frame(layer))
            known = dict(
                db.execute(
                    "select n.id, max_by((p.version, p.text), p.version) from new_post n join post p using (id) group by 1"
                ).fetchall()
            )
            db.unregister("new_post")
            fresh = []
            for post in layer:
                last = known.get(post.id)
                if last is None:
                    stored += 1
                    fresh.append(replace(post, version=1))
                elif last[1] != post.text:
                    edited += 1
                    fresh.append(replace(post, version=last[0] + 1))
            if fresh:
                self._append(db, fresh)
        return Added(stored, edited, len(posts) - stored - edited)

    def _append(self, db: duckdb.DuckDBPyConnection, posts: Sequence[Post]) -> None:
        db.register("new_post", _frame(posts))
        db.execute(f"insert into post select {POST_COLUMNS} from new_post")
        db.unregister("new_post")
        told = [(p.id, p.version, d.type, d.count) for p in posts for d in p.disclosures]
        if told:
            schema = {"post": pl.String, "version": pl.Int32, "type": pl.String, "count": pl.Int32}
            db.register("new_disclosure", pl.DataFrame(told, schema=schema, orient="row").to_arrow())
            db.execute("insert into disclosure select * from new_disclosure")
            db.unregister("new_disclosure")

    def posts(
        self, case: str | None = None, *, kind: str | None = None, not_coded_by: str | None = None, batch: int = 2000
    ) -> Iterator[Post]:
        """
        The current version of each post, thread by thread and oldest first within a thread.

        `not_coded_by` (a coding's id) leaves out posts this coding has seen in their current version. The
        file is open only while a batch is read, never while the caller works on it.
        """
        where, values = ["true"], list[object]()
        if case is not None:
            where.append('p."case" = ?')
            values.append(case)
        if kind is not None:
            where.append("p.kind = ?")
            values.append(kind)
        if not_coded_by is not None:
            where.append(
                "not exists (from coded c where c.coding = ? and c.post = p.id and c.version = p.version)"
            )
            values.append(not_coded_by)
        columns = ", ".join(f"p.{c.strip()}" for c in POST_COLUMNS.split(","))
        last: tuple[object, ...] = ("", datetime.min, "")
        while True:
            rows = self.query(
                f"select {columns}, (select list((d.type, d.count) order by d.type) from disclosure d "
                f"where d.post = p.id and d.version = p.version) from current_post p where {' and '.join(where)} "
                "and (p.thread, p.created, p.id) > (?, ?, ?) order by p.thread, p.created, p.id limit ?",
                [*values, *last, batch],
            )
            for row in rows:
                yield row_to_post(row)
            if len(rows) < batch:
                return
            last = (rows[-1][7], rows[-1][10], rows[-1][0])

    def count(self, case: str | None = None) -> int:
        """How many posts are kept, each counted once whatever its versions."""
        sql = "select count(distinct id) from post" + (' where "case" = ?' if case else "")
        return int(self.query(sql, [case] if case else [])[0][0])

    def labels(self, case: str, threads: Iterable[str]) -> list[Label]:
        """The labels given so far in these threads."""
        rows = self.query(
            'select thread, digest, label from label where "case" = ? and thread in (select unnest(?::text[]))',
            [case, list(threads)],
        )
        return [Label(Pseudonym(t), d, name) for t, d, name in rows]

    def cursor(self, case: str, source: str) -> bytes | None:
        """Where the last run of this source stopped, as `ethics` encrypted it."""
        rows = self.query('select state from cursor where "case" = ? and source = ?', [case, source])
        return bytes(rows[0][0]) if rows else None

    # ------------------------------------------------------------------------------------------- runs
    def begin_run(self, run: Run) -> None:
        """Write down that a collection begins."""
        with self.transaction() as db:
            values = [run.id, run.case, run.source, run.collector, run.version, run.settings, naive(run.started), None, "{}"]
            db.execute("insert into run values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def end_run(self, run: str, counts: dict[str, int]) -> None:
        """Write down how a collection ended: counts by outcome."""
        with self.transaction() as db:
            db.execute(
                "update run set ended = ?, counts = ? where id = ?", [_now(), json.dumps(counts), run]
            )

    # ----------------------------------------------------------------------------------------- codings
    def begin_coding(self, coding: Coding) -> None:
        """Register a coding; one with the same id is left as it is."""
        with self.transaction() as db:
            if not db.execute("select 1 from coding where id = ?", [coding.id]).fetchone():
                values = [naive(v) for v in (getattr(coding, f.name) for f in fields(coding))]
                db.execute("insert into coding values (?, ?, ?, ?, ?, ?, ?)", values)

    def codings(self) -> list[Coding]:
        """All codings, oldest first."""
        return [Coding(*map(aware, row)) for row in self.query("select * from coding order by started, id")]

    def annotate(self, coding: str, seen: Iterable[tuple[str, int]], annotations: Iterable[Annotation]) -> int:
        """
        Keep that *coding* has seen these (post, version) pairs and what it marked, in one transaction.

        Posts it has seen before are left as they were. Returns how many posts were new to it.
        """
        pairs = pl.DataFrame(list(seen), schema={"post": pl.String, "version": pl.Int32}, orient="row")
        marks = pl.DataFrame(
            [(a.post, a.version, a.code, a.score, a.start, a.end, a.rule) for a in annotations],
            schema={"post": pl.String, "version": pl.Int32, "code": pl.String, "score": pl.Float64,
                    "start": pl.Int32, "end": pl.Int32, "rule": pl.String},
            orient="row",
        )  # fmt: skip
        with self.transaction() as db:
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

    def annotations(self, coding: str, case: str | None = None) -> list[Annotation]:
        """What *coding* marked on the current versions of posts, in order of post and span."""
        rows = self.query(
            'select a.coding, a.post, a.code, a.score, a."start", a."end", a.rule, a.version '
            "from annotation a join current_post p on p.id = a.post and p.version = a.version "
            'where a.coding = ? and (? is null or p."case" = ?) order by a.post, a.code, a."start"',
            [coding, case, case],
        )
        return [Annotation(*row) for row in rows]


def naive(value: Any) -> Any:
    """A moment as the store keeps it: UTC without a zone. Other values pass."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def aware(value: Any) -> Any:
    """A stored moment as the rest of the house knows it: UTC with its zone. Other values pass."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _frame(posts: Sequence[Post]) -> Any:
    columns = {n: [naive(getattr(p, n)) for p in posts] for n in POST_TYPES}
    return pl.DataFrame(columns, schema=POST_TYPES).to_arrow()


def _layers(posts: Sequence[Post]) -> list[list[Post]]:
    layers: list[list[Post]] = []
    times: dict[str, int] = {}
    for post in posts:
        n = times.get(post.id, 0)
        times[post.id] = n + 1
        if n == len(layers):
            layers.append([])
        layers[n].append(post)
    return layers


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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _load_crypto(db: duckdb.DuckDBPyConnection) -> None:
    """The module that writes encrypted files, from the installed package: nothing is downloaded."""
    from duckdb_extensions import import_extension

    try:
        db.execute("load httpfs")
    except duckdb.Error:
        import_extension("httpfs")
        db.execute("load httpfs")


def _migrate(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("create table if not exists migration (name text not null, applied timestamp not null)")
    done = {name for (name,) in db.execute("select name from migration").fetchall()}
    for step in sorted(p.name for p in files("storage.migrations").iterdir() if p.name.endswith(".sql")):
        if step not in done:
            db.execute("begin")
            db.execute((files("storage.migrations") / step).read_text(encoding="utf-8"))
            db.execute("insert into migration values (?, ?)", [step, _now()])
            db.execute("commit")
