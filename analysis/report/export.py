"""
The pseudonymised corpus as a table: a row a post, a column a code, with a data dictionary beside it.

Codes are columns (1 given, 0 not given, empty: the coder has not read the post), because that is what R,
SPSS and Polars count and cross without reshaping. SQLite holds the long table `code` as well.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coding.exchange._cells import escaped

if TYPE_CHECKING:
    from coding.codebook import Codebook
    from storage import Post

Coded = tuple["Post", "frozenset[str] | None"]
Row = tuple[Any, ...]
ROWS = 5000
"""Rows that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the table: its name, its type, what it means (nl, en)."""

    name: str
    type: str
    nl: str
    en: str


FIELDS: tuple[tuple[Variable, Callable[[Post], Any]], ...] = (
    (Variable("post", "text", "Pseudoniem van het bericht", "Pseudonym of the post"), lambda p: p.id),
    (Variable("version", "integer", "Versie; 1 is onbewerkt", "Version; 1 is unedited"), lambda p: p.version),
    (Variable("case", "text", "Casus", "Case"), lambda p: p.case),
    (Variable("kind", "text", "post, interview of document", "post, interview or document"), lambda p: p.kind),
    (Variable("platform", "text", "Platform", "Platform"), lambda p: p.platform),
    (Variable("source", "text", "Bron in het casusbestand", "Source in the case file"), lambda p: p.source),
    (Variable("thread", "text", "Pseudoniem van het gesprek", "Pseudonym of the thread"), lambda p: p.thread),
    (
        Variable("author", "text", "Pseudoniem van de auteur, per casus een ander",
                 "Pseudonym of the author, another one in each case"),
        lambda p: p.author,
    ),
    (
        Variable("reply_to", "text", "Bericht waarop dit een antwoord is", "Post that this one answers"),
        lambda p: p.reply_to,
    ),
    (
        Variable("mentions", "text", "Genoemde auteurs (pseudoniemen)", "Authors mentioned (pseudonyms)"),
        lambda p: " ".join(p.mentions),
    ),
    (Variable("created", "moment", "Geplaatst (UTC)", "Posted (UTC)"), lambda p: p.created),
    (Variable("edited", "moment", "Laatst bewerkt (UTC)", "Last edited (UTC)"), lambda p: p.edited),
    (Variable("collected_at", "moment", "Verzameld (UTC)", "Collected (UTC)"), lambda p: p.collected_at),
    (
        Variable("language", "text", "Taal volgens het platform", "Language according to the platform"),
        lambda p: p.language,
    ),
    (Variable("media", "text", "Soorten bijlagen", "Kinds of attachments"), lambda p: " ".join(p.media)),
    (
        Variable("personal_data", "text", "Welke soorten persoonsgegevens er stonden, en hoe vaak",
                 "Which kinds of personal data stood there, and how often"),
        lambda p: "; ".join(f"{d.type} {d.count}" for d in p.disclosures),
    ),
    (
        Variable("text", "text", "Tekst, met labels waar persoonsgegevens stonden",
                 "Text, with labels where personal data stood"),
        lambda p: p.text,
    ),
)  # fmt: skip


def variables(codebook: Codebook) -> list[Variable]:
    """All columns of the table, in order: the data dictionary."""
    codes = [
        Variable(c.id, "0/1", f"{c.label.nl}: {c.definition.nl}", f"{c.label.en}: {c.definition.en}")
        for theme in codebook.themes
        for c in theme.codes
    ]
    return [variable for variable, _ in FIELDS] + codes


def write(path: Path, posts: Iterable[Coded], codebook: Codebook, about: dict[str, str]) -> int:
    """
    Write the corpus to *path*, in the format of its ending (.parquet, .csv or .sqlite); how many posts it holds.

    *about* (coder, codebook digest, moment) and the data dictionary go into a SQLite file and a Parquet file's
    metadata, and beside Parquet and CSV as `NAME-dictionary.csv`. The file appears complete or not at all.
    """
    writers = {".parquet": _write_parquet, ".csv": _write_csv, ".sqlite": _write_sqlite}
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    columns = variables(codebook)
    codes = [v.name for v in columns[len(FIELDS) :]]
    try:
        count = writers[path.suffix](part, _rows(posts, codes), columns, about)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if path.suffix != ".sqlite":
        _write_dictionary(path.with_name(f"{path.stem}-dictionary.csv"), columns, about)
    return count


FORMATS = (".parquet", ".csv", ".sqlite")


def _rows(posts: Iterable[Coded], codes: Sequence[str]) -> Iterator[Row]:
    getters = [get for _, get in FIELDS]
    # Few sets of codes are given to many posts.
    known: dict[frozenset[str] | None, Row] = {None: (None,) * len(codes)}
    for post, given in posts:
        marks = known.get(given)
        if marks is None:
            marks = known[given] = tuple(int(code in given) for code in codes) if given is not None else ()
        yield (*[get(post) for get in getters], *marks)


def _write_parquet(path: Path, rows: Iterator[Row], columns: Sequence[Variable], about: dict[str, str]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "integer": pa.int32(), "0/1": pa.int8(), "moment": pa.timestamp("us", tz="UTC")}
    told = {"dictionary": json.dumps([[v.name, v.type, v.nl, v.en] for v in columns], ensure_ascii=False)}
    schema = pa.schema([pa.field(v.name, kinds[v.type]) for v in columns], metadata={**about, **told})
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for batch in _batches(rows):
            values = zip(*batch, strict=True)
            arrays = [pa.array(list(v), type=f.type) for v, f in zip(values, schema, strict=True)]
            out.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


def _write_csv(path: Path, rows: Iterator[Row], columns: Sequence[Variable], about: dict[str, str]) -> int:
    """Commas, UTF-8 with a byte order mark; a text that begins like a formula has an apostrophe before it."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([v.name for v in columns])
        for batch in _batches(rows):
            out.writerows([_cell(value) for value in row] for row in batch)
            count += len(batch)
    return count


def _cell(value: Any) -> Any:
    return escaped(value) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _write_sqlite(path: Path, rows: Iterator[Row], columns: Sequence[Variable], about: dict[str, str]) -> int:
    kinds = {"text": "text", "integer": "integer", "0/1": "integer", "moment": "text"}
    fields = ", ".join(f'"{v.name}" {kinds[v.type]}' for v in columns)
    insert = f"insert into post values ({', '.join('?' for _ in columns)})"
    codes = [(n, v.name) for n, v in enumerate(columns) if v.type == "0/1"]
    count = 0
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"create table post ({fields})")
        db.execute("create table code (post text, code text)")
        db.execute("create table dictionary (variable text, type text, nl text, en text)")
        db.execute("create table about (name text, value text)")
        db.executemany("insert into dictionary values (?, ?, ?, ?)", [(v.name, v.type, v.nl, v.en) for v in columns])
        db.executemany("insert into about values (?, ?)", about.items())
        for batch in _batches(rows):
            db.executemany(insert, [tuple(map(_plain, row)) for row in batch])
            db.executemany("insert into code values (?, ?)", [(r[0], c) for r in batch for n, c in codes if r[n]])
            count += len(batch)
        db.execute("create index code_of_post on code (post)")
    return count


def _write_dictionary(path: Path, columns: Sequence[Variable], about: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(("variable", "type", "nl", "en"))
        out.writerows([escaped(cell) for cell in (v.name, v.type, v.nl, v.en)] for v in columns)
        out.writerows(("", name, escaped(value), escaped(value)) for name, value in about.items())


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, ROWS)):
        yield batch
