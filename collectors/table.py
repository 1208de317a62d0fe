"""
Any table with a message a row: CSV and its kin, XLSX, Parquet.

Which column is what stands in the case file (`columns`); the usual names, Dutch, English and German, are
known without. A message needs a text and a date; without an author it stays a person of its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AwareDatetime, BaseModel, field_validator

from . import RawPost, Sealed, Skip, UnreadableExport
from ._dates import moment_of
from ._files import Entry, entries, head
from ._rows import heading, rows
from ._stream import text_of
from ._text import joined

NAME = "csv"
VERSION = "1"
GENERAL = 1
_ROWS = 2000
_USUAL = {
    "id": "id post_id message_id comment_id bericht_id tweet_id",
    "author": "author user username user_name screen_name from sender auteur gebruiker gebruikersnaam naam afzender"
    " name autor nutzer benutzer absender",
    "text": "text body message content comment caption tekst bericht inhoud reactie opmerking nachricht"
    " kommentar inhalt",
    "created": "created created_at date datetime timestamp time published published_at posted_at datum tijd tijdstip"
    " datum_tijd aangemaakt gepubliceerd zeit zeitpunkt",
    "thread": "thread thread_id conversation_id topic topic_id discussie draad gesprek",
    "reply_to": "reply_to in_reply_to in_reply_to_id parent_id parent antwoord_op",
    "title": "title subject titel onderwerp betreff",
    "language": "language lang taal sprache",
    "mentions": "mentions mentioned vermeldingen",
    "permalink": "permalink url link",
}


class Columns(BaseModel, extra="forbid", frozen=True):
    """Which column holds what; an empty name leaves it to the usual names."""

    id: str = ""
    author: str = ""
    text: str = ""
    created: str = ""
    thread: str = ""
    reply_to: str = ""
    title: str = ""
    language: str = ""
    mentions: str = ""
    permalink: str = ""


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    How to read a table.

    `platform` is where its messages were written. `date_format` is a pattern of strptime; without it the
    usual forms are known, day first unless `date_order` says otherwise. A time without a zone is in
    `timezone`; a row without a date gets `date`, where that is given. `delimiter` and `sheet` are found.
    """

    columns: Columns = Columns()
    platform: str = "table"
    timezone: str = "Europe/Amsterdam"
    date_format: str = ""
    date_order: Literal["dmy", "mdy"] = "dmy"
    date: AwareDatetime | None = None
    delimiter: str = ""
    sheet: str = ""
    kind: Literal["post", "interview", "document"] = "post"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            msg = "no such time zone; write it like Europe/Amsterdam"
            raise ValueError(msg)
        return name


def sniff(path: Path) -> bool:
    """Whether *path* is a table that tells a text and a date by the usual names, or an XLSX or Parquet file."""
    try:
        return any(_shape(e) for e in _tables(path)[:50])
    except (UnreadableExport, OSError):
        return False


def _shape(entry: Entry) -> str:
    """ "xlsx", "parquet", "text" or empty."""
    first = head(entry, 4)
    if first == b"PAR1":
        return "parquet"
    if first == b"PK\x03\x04" and not entry.member:
        return "xlsx" if any(e.member == "xl/workbook.xml" for e in entries(entry.path)) else ""
    if first.startswith((b"{", b"[", b"<", b"%PDF", b"PK")):
        return ""
    names = _find(heading(entry), Columns())
    return "text" if "text" in names and len(names) > 1 else ""


def _tables(path: Path) -> list[Entry]:
    """The tables at *path*; a workbook is a zip of its own kind and stays one file."""
    found = entries(path)
    if any(e.member == "xl/workbook.xml" for e in found) and path.is_file():
        return [Entry(path)]
    return [
        e for e in found if not e.member or e.name.casefold().endswith((".csv", ".tsv", ".tab", ".parquet", ".txt"))
    ]


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The rows of the table (or tables) at *path*, each a RawPost or a Skip.

    Raises UnreadableExport when it is no table, or when no column for the text or the date is known.
    """
    reader = _Reader(settings)
    tables = _tables(path)
    if not tables:
        msg = f"{path.name}: holds no table; export it as CSV, XLSX or Parquet"
        raise UnreadableExport(msg)
    for entry in tables:
        for row in _rows(entry, settings):
            yield row if isinstance(row, Skip) else reader.item(row, entry)


def _rows(entry: Entry, settings: Settings) -> Iterator[dict[str, Any] | Skip]:
    first = head(entry, 4)
    if first == b"PAR1":
        yield from _parquet(entry)
    elif first == b"PK\x03\x04":
        yield from _xlsx(entry, settings.sheet)
    elif not heading(entry):
        msg = f"{entry}: line 1 is no heading of a table; export it as CSV, XLSX or Parquet"
        raise UnreadableExport(msg)
    else:
        yield from rows(entry, settings.delimiter)


def _parquet(entry: Entry) -> Iterator[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    if entry.member and entry.path.is_file():
        msg = f"{entry}: take the Parquet file out of its archive first"
        raise UnreadableExport(msg)
    try:
        with parquet.ParquetFile(entry.path / entry.member if entry.member else entry.path) as table:
            for batch in table.iter_batches(batch_size=_ROWS):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        msg = f"{entry}: not a readable Parquet file ({type(error).__name__}); export it again"
        raise UnreadableExport(msg) from None


def _xlsx(entry: Entry, sheet: str) -> Iterator[dict[str, Any] | Skip]:
    """The rows of one sheet: the named one, else the first. Formulas give the values that Excel last showed."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(entry.path, read_only=True, data_only=True)
        yield from _cells(entry, book, sheet)
        book.close()
    except UnreadableExport:
        raise
    except Exception as error:  # noqa: BLE001 (openpyxl lets through whatever its XML and zip readers raise)
        msg = f"{entry}: not a readable workbook ({type(error).__name__}); save it again as .xlsx or .csv"
        raise UnreadableExport(msg) from None


def _cells(entry: Entry, book: Any, sheet: str) -> Iterator[dict[str, Any]]:
    if not book.worksheets or (sheet and sheet not in book.sheetnames):
        msg = f"{entry}: has no sheet of that name; check settings.sheet"
        raise UnreadableExport(msg)
    found = book[sheet] if sheet else book.worksheets[0]
    names: list[str] = []
    for cells in found.iter_rows(values_only=True):
        if not names:
            names = [str(c or "").strip() for c in cells]
        elif any(c not in (None, "") for c in cells):
            yield dict(zip(names, cells, strict=False))


def _find(names: list[str], columns: Columns) -> dict[str, str]:
    """What each needed thing's column is called in this table: as the settings say, else by the usual names."""
    plain = {n.casefold().strip().replace(" ", "_").replace("-", "_"): n for n in reversed(names) if n}
    found = {}
    for what, usual in _USUAL.items():
        wanted = getattr(columns, what)
        options = (wanted.casefold().replace(" ", "_").replace("-", "_"),) if wanted else usual.split()
        if (name := next((plain[o] for o in options if o in plain), None)) is not None:
            found[what] = name
    return found


class _Reader:
    """A table while it is read: its columns, and how often the same row came."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._zone = settings, ZoneInfo(settings.timezone)
        self._columns: dict[str, str] = {}
        self._names: list[str] = []
        self._times: Counter[str] = Counter()

    def item(self, row: dict[str, Any], entry: Entry) -> RawPost | Skip:
        """The post in one row, or why there is none."""
        if list(row) != self._names:
            self._names = list(row)
            self._columns = self._checked(entry)
        text = joined(self._text(row, "title"), self._text(row, "text"))
        created = self._created(row) or self._settings.date
        if not text.strip():
            return Skip("empty message")
        if created is None:
            return Skip("no usable date")
        return self._post(row, text, created)

    def _checked(self, entry: Entry) -> dict[str, str]:
        found = _find(self._names, self._settings.columns)
        given = self._settings.columns.model_dump()
        absent = [what for what, name in given.items() if name and what not in found]
        needed = [w for w in ("text", "created") if w not in found and not (w == "created" and self._settings.date)]
        if absent or needed:
            lacks = ", ".join(dict.fromkeys(absent + needed))
            msg = f"{entry}: no column for {lacks}; name it in the case file under settings.columns"
            raise UnreadableExport(msg)
        return found

    def _text(self, row: dict[str, Any], what: str) -> str:
        value = row.get(self._columns.get(what, ""))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None else text_of(str(value)).replace("\0", "").strip()

    def _created(self, row: dict[str, Any]) -> datetime | None:
        value = row.get(self._columns.get("created", ""))
        return moment_of(value, self._zone, self._settings.date_order, self._settings.date_format)

    def _post(self, row: dict[str, Any], text: str, created: datetime) -> RawPost:
        author = self._text(row, "author")
        native = self._text(row, "id") or self._digest(author, text, created.isoformat())
        thread, answered = self._text(row, "thread"), self._text(row, "reply_to")
        mentions = (m.strip().removeprefix("@") for m in self._text(row, "mentions").split(","))
        link = self._text(row, "permalink")
        return RawPost(
            platform=self._settings.platform,
            id=Sealed(native),
            author=Sealed(author or f"unknown {native}"),
            text=Sealed(text),
            created=created,
            thread=Sealed(thread or answered or native),
            reply_to=Sealed(answered) if answered and answered != native else None,
            mentions=tuple(Sealed(m) for m in mentions if m),
            permalink=Sealed(link) if link else None,
            language=self._text(row, "language")[:8] or None,
            kind=self._settings.kind,
        )

    def _digest(self, *parts: str) -> str:
        """An id for a row without one: of its author, words and time, and of how often these came before."""
        same = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._times[same] += 1
        return same if self._times[same] == 1 else f"{same}-{self._times[same]}"
