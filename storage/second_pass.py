"""What the second redaction made of texts, so that an export looks only at what is new to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from .store import Store

Outcome = tuple[str, int, bytes, str | None]
"""(post, version, mark of its text, the text as it may leave or None when it may leave as it is)."""
_ROW = {"post": pl.String, "version": pl.Int32, "mark": pl.Binary, "text": pl.String}


def outcomes(store: Store) -> dict[bytes, str | None]:
    """Everything that is remembered, by mark."""
    return {bytes(mark): text for mark, text in store.query("select mark, text from second_pass", [])}


def keep(store: Store, found: Sequence[Outcome]) -> None:
    """Remember *found*, in the place of what was remembered of the same versions of the posts."""
    rows = pl.DataFrame(found, schema=_ROW, orient="row")
    with store.transaction() as db:
        db.register("looked", rows.to_arrow())
        db.execute("delete from second_pass s using looked l where s.post = l.post and s.version = l.version")
        db.execute("insert into second_pass select post, version, mark, text from looked")
        db.unregister("looked")
