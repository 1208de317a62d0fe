"""
The sample as a CSV table: a row a post, a column a code.

Written as UTF-8 with a byte order mark and semicolons, which is what a Dutch Excel opens with a double click.
Read in whatever encoding and with whatever separator a program made of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from . import Coded, ExchangeError, Task
from ._table import header, parsed, row

if TYPE_CHECKING:
    from ..codebook import Codebook


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write the tasks; returns how many. The codebook goes beside it, as `NAME-codebook.csv`."""
    from ._table import codebook_rows

    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(header(codebook))
        for task in tasks:
            out.writerow(row(task, codebook))
            count += 1
    with path.with_name(f"{path.stem}-codebook.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(codebook_rows(codebook))
    return count


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """What stands in the table at *path*, row by row. ExchangeError names row and column of a fault."""
    yield from parsed(cells(path), codebook, known, path.name)


def cells(path: Path) -> list[list[str]]:
    """The cells of a table in whatever encoding and with whatever separator a program gave it."""
    text = decoded(path.read_bytes(), path.name)
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep="):
        text = rest
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text, first)))
    except csv.Error:
        msg = f"{path.name}: is no table of separated values; save it as 'CSV UTF-8'"
        raise ExchangeError(msg) from None


def decoded(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows-1252, by its byte order mark, its zeros, or else by trial."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data[:200]:
        encodings = ["utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    msg = f"{name}: is no text in UTF-8, UTF-16 or Windows-1252; save it as 'CSV UTF-8'"
    raise ExchangeError(msg)


def _separator(text: str, first: str) -> str:
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4]
    heading = text.partition("\n")[0]
    return max(";,\t|", key=heading.count)
