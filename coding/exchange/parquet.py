"""The sample as a Parquet table, for those who code or compute in R, Python or DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import Mark
from . import Coded, ExchangeError, Task

if TYPE_CHECKING:
    from ..codebook import Codebook

COLUMNS = ("position", "post", "version", "case", "platform", "date", "context", "text", "codes")


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write the tasks, with an empty list under `codes` unless codes are shown; returns how many."""
    import polars as pl

    rows = [
        (t.position, t.post, t.version, t.case, t.platform, t.date,
         [{"author": c.author, "text": c.text} for c in t.context], t.text, [m.code for m in t.marks] or None)
        for t in tasks
    ]  # fmt: skip
    texts = dict.fromkeys(("post", "case", "platform", "date", "text"), pl.String)
    context = pl.List(pl.Struct({"author": pl.String, "text": pl.String}))
    others = {"position": pl.Int32, "version": pl.Int32, "context": context, "codes": pl.List(pl.String)}
    schema: dict[str, Any] = {n: (texts | others)[n] for n in COLUMNS}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    return len(rows)


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """
    The rows whose `codes` is not null: a list of codes, or an empty list where none fits.

    `annotator` and `note` are read where they are there. ExchangeError when the columns are not.
    """
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        msg = f"{path.name}: is no Parquet file"
        raise ExchangeError(msg) from None
    if "post" not in table.columns or table.schema.get("codes") != pl.List(pl.String):
        msg = f"{path.name}: needs a column post and a column codes (a list of texts)"
        raise ExchangeError(msg)
    for number, row in enumerate(table.iter_rows(named=True), start=1):
        if row["codes"] is not None:
            marks = tuple(Mark(c) for c in dict.fromkeys(row["codes"]))
            who, note = str(row.get("annotator") or ""), str(row.get("note") or "")
            yield Coded(str(row["post"]), marks, note, who, row.get("version"), f"row {number}")
