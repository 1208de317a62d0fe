"""Extensions of DuckDB, from the installed packages: nothing is downloaded."""

from __future__ import annotations

import duckdb

from .errors import StoreError


def load(db: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension ("httpfs" writes encrypted files, "fts" knows the stems of words)."""
    # Asked rather than tried: a failing `load` would break off the transaction it may stand in.
    asked = "select installed from duckdb_extensions() where extension_name = ?"
    if db.execute(asked, [extension]).fetchone() != (True,):
        from duckdb_extensions import import_extension

        try:
            import_extension(extension)
        except OSError as error:
            msg = f"DuckDB's {extension} could not be put into ~/.duckdb ({error.strerror}); set HOME to another folder"
            raise StoreError(msg) from None
    db.execute(f"load {extension}")
