"""Rows of delimited text, with the delimiter found and every length bounded."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from . import Skip, UnreadableExport
from ._files import Entry, TooLong, encoding_of, guess_encoding, head, lines

FIELD = 4 * 1024 * 1024
"""The largest cell, in characters."""
DELIMITERS = ",;\t|"


@dataclass(slots=True)
class _Lines:
    """The lines of a file for the csv module, which wants their ends; counts them, and notes one that is too long."""

    source: Iterator[str]
    number: int = 0
    too_long: bool = False

    def __iter__(self) -> Iterator[str]:
        for line in self.source:
            self.number += 1
            self.too_long |= isinstance(line, TooLong)
            yield line.replace("\0", "") + "\n"


def delimiter_of(text: str) -> str:
    """The delimiter of a table that begins with *text*: the one that cuts the heading into most columns."""
    first = text.lstrip("\ufeff\r\n").partition("\n")[0]
    return max(DELIMITERS, key=lambda d: len(_cut(first, d)))


def _cut(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def heading(entry: Entry) -> list[str]:
    """The names of the columns, as they stand in the first line; empty when it is no table."""
    data = head(entry)
    if not data or (data.count(0) > len(data) // 4 and not data.startswith((b"\xff\xfe", b"\xfe\xff"))):
        return []
    text = data.decode(guess_encoding(data), "replace").lstrip("\ufeff\r\n")
    return [c.strip() for c in _cut(text.partition("\n")[0].rstrip("\r"), delimiter_of(text))]


def rows(entry: Entry, delimiter: str = "") -> Iterator[dict[str, str] | Skip]:
    """
    The rows below the heading, by column; one of too few or too many cells is a Skip, an empty one nothing.

    Raises UnreadableExport, before the first row, naming the line where the table breaks, for instance by a
    quote that is never closed.
    """
    for _ in _rows(entry, delimiter):
        pass
    yield from _rows(entry, delimiter)


def _rows(entry: Entry, delimiter: str) -> Iterator[dict[str, str] | Skip]:
    encoding = encoding_of(entry)
    data = head(entry)
    delimiter = delimiter or delimiter_of(data.decode(encoding, "replace"))
    source = _Lines(lines(entry, FIELD, encoding))
    csv.field_size_limit(FIELD)
    table = csv.reader(source, delimiter=delimiter)
    names: list[str] = []
    try:
        for cells in table:
            if not names:
                names = [c.strip().removeprefix("\ufeff") for c in cells]
            elif any(c.strip() for c in cells):
                yield _row(names, cells, source)
    except csv.Error:
        msg = (
            f"{entry}: the table breaks at line {source.number}, perhaps by a quote that is not closed; mend that line"
        )
        raise UnreadableExport(msg) from None


def _row(names: list[str], cells: list[str], source: _Lines) -> dict[str, str] | Skip:
    if source.too_long:
        source.too_long = False
        return Skip("line too long")
    if (len(cells) != len(names) and any(c.strip() for c in cells[len(names) :])) or len(cells) < len(names):
        return Skip("row with the wrong number of cells")
    return dict(zip(names, cells, strict=False))
