"""The one place that opens DuckDB: an encrypted file, held only as long as a short transaction."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

import duckdb

from . import codings, cursors, extensions, migrate, posts, rewrite
from .errors import StoreError, explain, explain_opening, explain_os
from .posts import POST_COLUMNS, row_to_post
from .queue import Queue
from .records import Added, Annotation, Batch, Coding, Label, Post, Run
from .times import aware, naive

__all__ = ["POST_COLUMNS", "Database", "Rows", "Store", "StoreError", "aware", "naive", "row_to_post"]

Rows = list[tuple[Any, ...]]
ROW_GROUP = 4_096
"""Rows that a file packs together: each transaction packs its last, unfinished group again, so they are small."""


class Database:
    """
    One encrypted DuckDB file that many processes and threads share.

    The file is open only inside `transaction()`, by whoever has the turn in a fair queue; to wait longer
    than `patience` seconds is a StoreError that says who has it. Nothing is held between transactions but
    an empty DuckDB in memory, so that opening costs a millisecond or two. `key` is the file's own key, not
    the project key; None leaves it unencrypted, for tests. `steps` names the package of its migrations.
    """

    steps = "storage.migrations"

    def __init__(self, path: Path | str, key: bytes | None, *, patience: float = 120.0) -> None:
        self.path = Path(path)
        self._key = key
        self._where = Path(os.path.abspath(self.path))
        self._queue = Queue(self._where, patience)
        self._ready = False
        self._kept: _Engine | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, t: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        return None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """
        The open database in one transaction: committed at the end, rolled back on any error.

        Nests within a thread. StoreError when the turn does not come, the file cannot be opened, or the
        database refuses; the file is then as it was.
        """
        held = _held.connections.get(self._where)
        if held is not None:
            yield held
            return
        # Started before the turn comes: it takes a tenth of a second, for which nobody else need wait.
        self._started()
        with self._queue.turn(), self._attached() as db:
            _held.connections[self._where] = db
            try:
                db.execute("begin")
                yield db
                db.execute("commit")
            except duckdb.Error as error:
                raise explain(error, self.path) from None
            finally:
                del _held.connections[self._where]

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The file's turn without opening it, for who copies or replaces it whole. Does not nest."""
        if self._where in _held.connections:
            msg = f"{self.path}: cannot be replaced in the middle of a transaction"
            raise StoreError(msg)
        with self._queue.turn():
            yield

    def settle(self) -> None:
        """Bring the file to rest: its log folded in, its schema today's. Nothing where there is no file yet."""
        if self._where.exists():
            with self.transaction():
                pass

    def query(self, sql: str, values: Sequence[object] = ()) -> Rows:
        """All rows of one read-only question. For `storage` modules; others ask through their functions."""
        with self.transaction() as db:
            return db.execute(sql, list(values)).fetchall()

    def rewrite(self) -> None:
        """
        Write everything that is kept into a new file and put it in the old one's place.

        A deleted row leaves its bytes in a DuckDB file; after this none is left in the file, its log, its
        temporary folder or anything else that the store keeps beside it. StoreError leaves the old file.
        """
        self.settle()
        with self.turn():
            rewrite.clear_leftovers(self._where)
            with self._engine() as db:
                rewrite.swap(db, self._where, self._attach_clause)

    # ------------------------------------------------------------------------------------- the open file
    @contextmanager
    def _attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file as the catalogue `corpus`, made and migrated when need be. Only for who has the turn."""
        rewrite.clear_leftovers(self._where)
        try:
            new = not self._where.exists()
        except OSError as error:
            raise explain_os(error, self.path) from None
        if new:
            self._make()
        with self._engine() as db:
            self._attach(db, self._where)
            if not self._ready:
                self._migrate(db)
                self._ready = True
            yield db

    @contextmanager
    def _engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to this process's DuckDB; when it is done every file is let go."""
        engine = self._started()
        db = engine.connection.cursor()
        try:
            yield db
        finally:
            if not _let_go(db):
                # A database that broke off in the middle keeps its file open: end it, the next turn starts anew.
                _engines.pop(engine.name, None)
                self._kept = None
                engine.connection.close()

    def _started(self) -> _Engine:
        engine = self._kept
        if engine is None or engine.process != os.getpid():
            engine = self._kept = _engine_for(self._where, encrypted=self._key is not None)
        return engine

    def _attach_clause(self, path: Path, name: str) -> str:
        key = "" if self._key is None else f", encryption_key '{self._key.hex()}'"
        where = str(path).replace("'", "''")
        return f"attach '{where}' as {name} (row_group_size {ROW_GROUP}{key})"

    def _attach(self, db: duckdb.DuckDBPyConnection, path: Path) -> None:
        try:
            db.execute(self._attach_clause(path, "corpus"))
            db.execute("use corpus")
        except duckdb.Error as error:
            raise explain_opening(error, self.path) from None

    def _make(self) -> None:
        """A new file, complete before it gets its name: a crash leaves none rather than half a one."""
        fresh = rewrite.fresh_name(self._where)
        with self._engine() as db:
            self._attach(db, fresh)
            self._migrate(db)
        rewrite.put_in_place(fresh, self._where)

    def _migrate(self, db: duckdb.DuckDBPyConnection) -> None:
        try:
            migrate.migrate(db, self.steps, self.path)
        except duckdb.Error as error:
            raise explain(error, self.path) from None


class Store(Database):
    """The research corpus: posts, provenance, codings. Its parts' SQL lies in the modules of `storage`."""

    # ------------------------------------------------------------------------------------------ posts
    def add(self, batch: Batch) -> Added:
        """Keep the posts, labels and cursor of *batch*, all or nothing; known posts only as new versions."""
        with self.transaction() as db:
            added = posts.add(db, batch.posts) if batch.posts else Added()
            cursors.add_labels(db, batch.case, batch.labels)
            if batch.cursor is not None:
                cursors.keep(db, batch.case, batch.source, batch.cursor)
            return added

    def posts(
        self, case: str | None = None, *, kind: str | None = None, not_coded_by: str | None = None, batch: int = 2000
    ) -> Iterator[Post]:
        """
        The current version of each post, thread by thread and oldest first within a thread.

        `not_coded_by` (a coding's id) leaves out posts this coding has seen in their current version. Which
        posts come is settled at the start; one erased since is left out, one edited since comes as it is by
        then. The file is open only while posts are fetched, never while the caller works on them; `batch`
        is how many are objects in memory at a time.
        """
        return posts.stream(self, case, kind, not_coded_by, batch)

    def count(self, case: str | None = None) -> int:
        """How many posts are kept, each counted once whatever its versions."""
        return posts.count(self, case)

    def labels(self, case: str, threads: Iterable[str]) -> list[Label]:
        """The labels given so far in these threads."""
        return cursors.labels(self, case, threads)

    def cursor(self, case: str, source: str) -> bytes | None:
        """Where the last run of this source stopped, as `ethics` encrypted it."""
        return cursors.read(self, case, source)

    def suppressed(self, case: str) -> frozenset[str]:
        """The digests of whom and what must stay out of this case."""
        return cursors.suppressed(self, case)

    # ------------------------------------------------------------------------------------------- runs
    def begin_run(self, run: Run) -> None:
        """Write down that a collection begins."""
        cursors.begin_run(self, run)

    def end_run(self, run: str, counts: dict[str, int]) -> None:
        """Write down how a collection ended: counts by outcome."""
        cursors.end_run(self, run, counts)

    # ----------------------------------------------------------------------------------------- codings
    def begin_coding(self, coding: Coding) -> None:
        """Register a coding; one with the same id is left as it is."""
        codings.begin(self, coding)

    def codings(self) -> list[Coding]:
        """All codings, oldest first."""
        return codings.every(self)

    def annotate(self, coding: str, seen: Iterable[tuple[str, int]], annotations: Iterable[Annotation]) -> int:
        """
        Keep that *coding* has seen these (post, version) pairs and what it marked, in one transaction.

        Posts it has seen before are left as they were. Returns how many posts were new to it.
        """
        return codings.annotate(self, coding, seen, annotations)

    def annotations(self, coding: str, case: str | None = None) -> list[Annotation]:
        """What *coding* marked on the current versions of posts, in order of post, code and span."""
        return list(self.annotation_stream(coding, case))

    def annotation_stream(self, coding: str, case: str | None = None) -> Iterator[Annotation]:
        """The same one by one, in little memory; the file is not held while the caller works on them."""
        return codings.stream(self, coding, case)


# ------------------------------------------------------------------------------------------------ DuckDB
class _Engine:
    """An empty DuckDB in memory with what opens encrypted files, kept by those who use it in this process."""

    def __init__(self, name: tuple[int, Path, bool], temp: Path, *, encrypted: bool) -> None:
        self.name = name
        self.process = os.getpid()
        self.connection = duckdb.connect(":memory:", config=_config(temp, encrypted=encrypted))
        if encrypted:
            extensions.load(self.connection, "httpfs")


def _config(temp: Path, *, encrypted: bool) -> dict[str, str | bool | int | float | list[str]]:
    """Nothing is fetched from the network; what does not fit in memory goes beside the store, encrypted."""
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": os.environ.get("VELDWERK_MEMORY", "1GB"),
        "threads": str(min(4, os.cpu_count() or 1)),
        "temp_directory": str(temp),
        "temp_file_encryption": "true" if encrypted else "false",
    }


_engines: WeakValueDictionary[tuple[int, Path, bool], _Engine] = WeakValueDictionary()
_engines_lock = threading.Lock()
_orphans: list[_Engine] = []
"""A forked child's copies of its parent's engines: their threads are not there, so they may not even be ended."""


def _after_fork() -> None:
    global _engines_lock  # noqa: PLW0603 (the parent may have held it when it forked)
    _engines_lock = threading.Lock()
    _orphans.extend(_engines.values())
    _engines.clear()


os.register_at_fork(after_in_child=_after_fork)


def _engine_for(path: Path, *, encrypted: bool) -> _Engine:
    name = (os.getpid(), path, encrypted)
    with _engines_lock:
        engine = _engines.get(name)
        if engine is None:
            try:
                engine = _Engine(name, rewrite.temp_folder(path), encrypted=encrypted)
            except duckdb.Error as error:
                raise explain_opening(error, path) from None
            _engines[name] = engine
        return engine


class _Held(threading.local):
    """What this thread has open: a second Store on the same file joins its transaction."""

    def __init__(self) -> None:
        self.connections: dict[Path, duckdb.DuckDBPyConnection] = {}


_held = _Held()


def _let_go(db: duckdb.DuckDBPyConnection) -> bool:
    """End what is open on *db* and detach its files; False when DuckDB could not."""
    with suppress(duckdb.Error):
        db.execute("rollback")
    try:
        db.execute("use memory")
        attached = db.execute("select database_name from duckdb_databases() where not internal").fetchall()
        for (name,) in attached:
            if name != "memory":
                db.execute(f'detach "{name}"')
    except duckdb.Error:
        return False
    finally:
        db.close()
    return True
