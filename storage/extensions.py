"""Extensions of DuckDB, from the installed packages: nothing is downloaded."""

from __future__ import annotations

import duckdb


def load(db: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension ("httpfs" writes encrypted files, "fts" knows the stems of words)."""
    try:
        db.execute(f"load {extension}")
    except duckdb.Error:
        from duckdb_extensions import import_extension

        import_extension(extension)
        db.execute(f"load {extension}")
