"""Replacing the store's file whole: how deleted bytes go, and how a file appears complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import StoreError, explain, explain_os

if TYPE_CHECKING:
    import duckdb


def fresh_name(path: Path) -> Path:
    """The name under which the next file is written."""
    return path.with_name(f"{path.name}.fresh")


def temp_folder(path: Path) -> Path:
    """Where DuckDB puts what does not fit in memory."""
    return path.with_name(f"{path.name}.tmp")


def clear_leftovers(path: Path) -> None:
    """Remove what a crash left of a file half-written, and of temporary files. Only for who has the turn."""
    try:
        fresh, temp = fresh_name(path), temp_folder(path)
        if fresh.exists():
            fresh.unlink(missing_ok=True)
            _log(fresh).unlink(missing_ok=True)
        # The folder itself stays: processes that wait have made sure of it once and count on it.
        for file in temp.iterdir() if temp.exists() else ():
            file.unlink(missing_ok=True)
    except OSError as error:
        raise explain_os(error, path) from None


def swap(db: duckdb.DuckDBPyConnection, path: Path, attach: Callable[[Path, str], str]) -> None:
    """Copy *path* into a new file by COPY FROM DATABASE and put that in its place. The file must be detached."""
    import duckdb

    fresh = fresh_name(path)
    try:
        db.execute(attach(path, "corpus"))
        db.execute(attach(fresh, "fresh"))
        db.execute("copy from database corpus to fresh")
        db.execute("detach fresh")
        db.execute("detach corpus")
    except duckdb.Error as error:
        _discard(fresh)
        raise explain(error, path) from None
    if _log(fresh).exists() or _log(path).exists():
        _discard(fresh)
        msg = f"{path}: could not be rewritten, its log was not folded in; nothing was changed. Run it again"
        raise StoreError(msg)
    put_in_place(fresh, path)


def put_in_place(fresh: Path, path: Path) -> None:
    """Give a file that is complete its name, durably: after a crash it is the old one or the new one."""
    try:
        _sync(fresh)
        os.replace(fresh, path)
        _sync(path.parent)
    except OSError as error:
        _discard(fresh)
        raise explain_os(error, path) from None


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
        _log(path).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
