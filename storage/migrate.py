"""The schema, step by step: each file in `migrations` is applied once, whole or not at all, and written down."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import StoreError
from .times import now

if TYPE_CHECKING:
    import duckdb


def steps(package: str) -> list[str]:
    """The names of all steps in *package*, in order."""
    return sorted(p.name for p in files(package).iterdir() if p.name.endswith(".sql"))


def migrate(db: duckdb.DuckDBPyConnection, package: str, path: Path) -> None:
    """Apply what is missing. StoreError when the file was made by a newer version than this one."""
    db.execute("create table if not exists migration (name text not null, applied timestamp not null)")
    done = {name for (name,) in db.execute("select name from migration").fetchall()}
    known = steps(package)
    if newer := sorted(done - set(known)):
        msg = f"{path}: was made by a newer version of veldwerk ({newer[-1]}); install that version to open it"
        raise StoreError(msg)
    for step in known:
        if step not in done:
            _apply(db, step, (files(package) / step).read_text(encoding="utf-8"))


def _apply(db: duckdb.DuckDBPyConnection, step: str, sql: str) -> None:
    db.execute("begin")
    db.execute(sql)
    db.execute("insert into migration values (?, ?)", [step, now()])
    db.execute("commit")
