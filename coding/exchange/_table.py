"""The sheet that CSV and XLSX share: its columns, its rows, and how it is read after people had it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import Mark
from . import Coded, ExchangeError, Task
from ._cells import escaped, printable, same_text, skeleton, thread_text, ticked, unescaped

if TYPE_CHECKING:
    from ..codebook import Codebook

LEAD = ("nr", "post", "case", "platform", "date", "context", "text")
DONE, NOTE = "done", "note"


def header(codebook: Codebook) -> list[str]:
    """The column names: what is known of the post, one column a code, whether it is done, a remark."""
    return [*LEAD, *(c.id for c in codebook.codes), DONE, NOTE]


def row(task: Task, codebook: Codebook) -> list[str]:
    """One post as cells."""
    shown = {m.code for m in task.marks}
    lead = [str(task.position), task.post, task.case, task.platform, task.date, thread_text(task), task.text]
    cells = [escaped(printable(x)) for x in lead]
    return [*cells, *("x" if c.id in shown else "" for c in codebook.codes), "", ""]


def codebook_rows(codebook: Codebook) -> Iterator[list[str]]:
    """The codebook as a table, a row a code."""
    yield ["code", "theme", "label", "definition", "include", "exclude", "examples"]
    for theme in codebook.themes:
        for code in theme.codes:
            words = [code.id, theme.label.nl, code.label.nl, code.definition.nl]
            lists = ["\n".join(x) for x in (code.include, code.exclude, code.examples)]
            yield [escaped(printable(x)) for x in (*words, *lists)]


# --------------------------------------------------------------------------------------------- reading back
def parsed(
    lines: Sequence[Sequence[Any]], codebook: Codebook, known: Mapping[str, tuple[int, str]], file: str
) -> Iterator[Coded]:
    """
    What a sheet says, from its cells; the first filled row is the header.

    Rows may come in any order, columns too, and columns of the coder's own are passed over. A row with no
    code and no tick under `done` was not coded. ExchangeError names the row and column of what cannot be right.
    """
    top = next((n for n, line in enumerate(lines) if any(_text(c) for c in line)), None)
    if top is None:
        msg = f"{file}: is empty"
        raise ExchangeError(msg)
    columns = _columns([_text(c) for c in lines[top]], codebook, file)
    rows = _Rows(columns, codebook, known, file)
    for number, line in enumerate(lines[top + 1 :], start=top + 2):
        if any(_text(c) for c in line):
            coded = rows.coded(number, list(line))
            if coded is not None:
                yield coded


def _columns(names: Sequence[str], codebook: Codebook, file: str) -> dict[str, int]:
    """Where each column is; refuses what would lose codes: missing, doubled or misspelt code columns."""
    columns: dict[str, int] = {}
    ids = {c.id for c in codebook.codes}
    themes = tuple(f"{t.id}." for t in codebook.themes)
    for n, name in enumerate(names):
        name = name.strip().strip("'").casefold()
        if name in columns and (name in ids or name in ("post", "codes", DONE)):
            msg = f"{file}: column {_letter(n)}: the column {name} stands there twice"
            raise ExchangeError(msg)
        if name.startswith(themes) and name not in ids:
            msg = f"{file}: column {_letter(n)}: its name looks like a code, but the codebook has no such code"
            raise ExchangeError(msg)
        columns.setdefault(name, n)
    if "post" not in columns:
        msg = f"{file}: there is no column 'post'; without it no row can be told apart"
        raise ExchangeError(msg)
    if (missing := sorted(ids - columns.keys())) and "codes" not in columns:
        msg = f"{file}: the column {missing[0]} is missing; put it back, or its codes would be lost"
        raise ExchangeError(msg)
    return columns


class _Rows:
    """Rows read one by one against the posts that may come back."""

    def __init__(
        self, columns: dict[str, int], codebook: Codebook, known: Mapping[str, tuple[int, str]], file: str
    ) -> None:
        self._columns = columns
        self._codes = [c.id for c in codebook.codes]
        self._known = known
        self._file = file
        self._folded = {p.casefold(): p for p in known}
        self._by_text: dict[str, str | None] = {}
        for post, (_, text) in known.items():
            key = skeleton(text)
            # Two posts with the same words cannot be told apart by them.
            self._by_text[key] = None if key in self._by_text else post

    def coded(self, number: int, line: list[Any]) -> Coded | None:
        """What row *number* says; None when its post was not coded."""
        post = self._post(number, line)
        self._same_text(number, line, post)
        codes = self._listed(line) if not set(self._codes) & self._columns.keys() else self._ticks(number, line)
        done = self._tick(number, line, DONE) if DONE in self._columns else "codes" in self._columns
        if not codes and not done:
            return None
        marks = tuple(Mark(c) for c in codes)
        note = unescaped(_text(self._cell(line, NOTE))) if NOTE in self._columns else ""
        return Coded(post, marks, note.strip(), where=f"row {number}")

    def _post(self, number: int, line: list[Any]) -> str:
        name = unescaped(_text(self._cell(line, "post"))).strip()
        if found := self._folded.get(name.casefold()):
            return found
        # A program may have made a number of the id; the words still say which post it is.
        by_text = self._by_text.get(skeleton(unescaped(_text(self._cell(line, "text")))))
        if by_text is not None and "text" in self._columns and _numeric(name):
            return by_text
        msg = f"{self._file}: row {number}, column post: no such post was sampled, or it has been erased"
        raise ExchangeError(msg)

    def _same_text(self, number: int, line: list[Any], post: str) -> None:
        if "text" not in self._columns:
            return
        cell = self._cell(line, "text")
        here = skeleton(unescaped(_text(cell)))
        other = self._by_text.get(here)
        if (other not in (None, post) and here != skeleton(self._known[post][1])) or not (
            not _text(cell) or same_text(cell, self._known[post][1])
        ):
            msg = (
                f"{self._file}: row {number}, column text: the text of another post stands beside this id; "
                "were columns sorted apart from each other?"
            )
            raise ExchangeError(msg)

    def _ticks(self, number: int, line: list[Any]) -> list[str]:
        return [c for c in self._codes if self._tick(number, line, c)]

    def _listed(self, line: list[Any]) -> list[str]:
        words = _text(self._cell(line, "codes")).replace(";", " ").replace(",", " ").replace("|", " ").split()
        return list(dict.fromkeys(w.casefold() for w in words))

    def _tick(self, number: int, line: list[Any], column: str) -> bool:
        said = ticked(_text(self._cell(line, column)))
        if said is None:
            msg = f"{self._file}: row {number}, column {column}: neither a tick (x) nor empty"
            raise ExchangeError(msg)
        return said

    def _cell(self, line: list[Any], column: str) -> Any:
        place = self._columns.get(column, len(line))
        return line[place] if place < len(line) else None


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _numeric(name: str) -> bool:
    return name.replace(",", "").replace(".", "").casefold().replace("e+", "").replace("e", "").isdigit()


def _letter(n: int) -> str:
    """The name that spreadsheet programs give to column *n* (from 0)."""
    return (_letter(n // 26 - 1) if n >= 26 else "") + chr(ord("A") + n % 26)
