"""Stores as earlier versions of the schema made them, with data in them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa

from storage import Post
from storage.extensions import load
from storage.migrate import steps
from storage.posts import POST_COLUMNS
from storage.times import naive, now

PACKAGE = "storage.migrations"


def made_with(count: int, path: Path, kept: tuple[Post, ...], key: bytes | None = None) -> Path:
    """A store at *path* with only the first *count* migrations, and *kept* written as the spine had it."""
    # The one other place that opens DuckDB: an old store cannot be made by today's class.
    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as db:
        secret = ""
        if key is not None:
            load(db, "httpfs")
            secret = f" (encryption_key '{key.hex()}')"
        db.execute(f"attach '{path}' as corpus{secret}")
        db.execute("use corpus")
        db.execute("create table migration (name text not null, applied timestamp not null)")
        for step in steps(PACKAGE)[:count]:
            db.execute((files(PACKAGE) / step).read_text(encoding="utf-8"))
            db.execute("insert into migration values (?, ?)", [step, now()])
            if step.startswith("001"):
                fill(db, kept)
        db.execute("use memory")
        db.execute("detach corpus")
    return path


def fill(db: duckdb.DuckDBPyConnection, kept: tuple[Post, ...]) -> None:
    """Posts, their disclosures, and a coding with its marks, in the columns of the first schema."""
    columns = [c.strip(' "') for c in POST_COLUMNS.split(",")]
    rows = {c: [naive(getattr(p, c)) for p in kept] for c in columns}
    told = [(p.id, p.version, d.type, d.count) for p in kept for d in p.disclosures]
    db.register("kept", pa.table(rows))
    db.execute(f"insert into post ({POST_COLUMNS}) select {POST_COLUMNS} from kept")
    db.unregister("kept")
    db.executemany("insert into disclosure values (?, ?, ?, ?)", told)
    db.execute("insert into coding values ('c1', 'rules', 'rules', '1', 'd', '{}', timestamp '2025-06-01')")
    db.execute("insert into coded select 'c1', id, version from post")
    db.execute("insert into annotation select 'c1', id, version, 'tools.osint', 1.0, 0, 3, 'r' from post")
    db.execute("insert into cursor values ('c', 's', 'state'::blob, timestamp '2025-06-01')")
    db.execute("insert into label values ('c', 't', 'd', '[PERSOON-1]')")
