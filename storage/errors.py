"""What can go wrong with the store, in words of our own: DuckDB's messages may quote what it choked on."""

from __future__ import annotations

from pathlib import Path

import duckdb


class StoreError(Exception):
    """The store cannot do what was asked; the message says what, where and the way out."""


FULL = ("no space left", "file too large", "quota exceeded", "failed to allocate", "could not allocate")
CLOSED = ("permission denied", "read-only file system", "operation not permitted", "read-only mode")
OURS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
"""Faults of our own SQL: their text quotes the question, in which values are always bound, never an answer."""


def explain(error: duckdb.Error, path: Path) -> StoreError:
    """The one seam where an error of DuckDB becomes one of ours."""
    if isinstance(error, OURS):
        return StoreError(f"{path}: {str(error).splitlines()[0]}")
    told = str(error).lower()
    if isinstance(error, duckdb.OutOfMemoryException) and "space" not in told:
        return StoreError(f"{path}: too little memory for this; nothing was changed. Set VELDWERK_MEMORY higher")
    if any(words in told for words in FULL):
        return StoreError(f"{path}: the disk is full; nothing was changed. Make room and run the same command again")
    if any(words in told for words in CLOSED):
        return StoreError(f"{path}: may not be written; nothing was changed. Give this user write access to its folder")
    return StoreError(f"{path}: the database refused ({type(error).__name__}); nothing was changed")


def explain_opening(error: duckdb.Error, path: Path) -> StoreError:
    """Why a store's file could not be opened."""
    told = str(error).lower()
    if "conflicting lock" in told or "already open" in told:
        return StoreError(f"{path}: another program has the file open (not this one); close it there and try again")
    if any(words in told for words in (*FULL, *CLOSED)):
        return explain(error, path)
    return StoreError(f"{path}: cannot be opened; is it this project's store, and the key the one it was made with?")


def explain_os(error: OSError, path: Path) -> StoreError:
    """Why the operating system would not let us."""
    reason = error.strerror or type(error).__name__
    return StoreError(
        f"{path}: {reason.lower()}; nothing was changed. The store needs a folder to write in, and room on the disk"
    )
