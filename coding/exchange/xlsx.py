"""
The sample as an Excel workbook: the sheet to fill in with drop-down lists, the codebook, and how to code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from . import Coded, ExchangeError, Task
from ._table import LEAD, NOTE, codebook_rows, header, parsed, row

if TYPE_CHECKING:
    from ..codebook import Codebook

SHEET = "coding"
WIDTHS = {"nr": 5, "post": 14, "case": 12, "platform": 10, "date": 11, "context": 45, "text": 70, NOTE: 40}
HOW = (
    "Hoe u codeert / How to code",
    "1. Lees op het blad 'coding' de tekst; onder 'context' staan eerdere berichten uit hetzelfde gesprek.",
    "2. Zet een x onder elke code die de tekst zelf draagt (klik op de cel en kies x). Geen of meer codes mag.",
    "3. Zet een x onder 'done' als u klaar bent met het bericht, ook als er geen enkele code past.",
    "4. Onder 'note' mag u een opmerking zetten. Noem daarin geen personen.",
    "5. Sorteren, filteren en eigen kolommen zijn geen bezwaar. Verander de kolommen 'post' en 'text' niet.",
    "6. Bewaar het bestand (Ctrl+S) en stuur het terug. Overleg niet met de andere codeur voordat u klaar bent.",
    "Definities staan op het blad 'codebook', en als opmerking bij elke kolomkop.",
)


def write(path: Path, tasks: Iterable[Task], codebook: Codebook) -> int:
    """Write the workbook; returns how many posts it holds. All cells are texts: none is ever computed."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    _fill(sheet, [header(codebook)])
    count = _fill(sheet, (row(task, codebook) for task in tasks), first=2)
    _dress(sheet, codebook, count)
    _fill(book.create_sheet("codebook"), codebook_rows(codebook))
    _fill(book.create_sheet("instructions"), ([line] for line in HOW))
    _columns(book["codebook"], [22, 14, 24, 60, 40, 40, 60])
    _columns(book["instructions"], [120])
    book.save(path)
    return count


def read(path: Path, codebook: Codebook, known: Mapping[str, tuple[int, str]]) -> Iterator[Coded]:
    """What stands on the coding sheet (or the first sheet). ExchangeError names row and column of a fault."""
    yield from parsed(cells(path), codebook, known, path.name)


def cells(path: Path) -> list[list[Any]]:
    """The cells of the sheet `coding`, or of the first sheet."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError):
        msg = f"{path.name}: is no Excel workbook (.xlsx); save it as one, or as 'CSV UTF-8'"
        raise ExchangeError(msg) from None
    try:
        sheet = book[SHEET] if SHEET in book.sheetnames else book[book.sheetnames[0]]
        return [list(line) for line in sheet.iter_rows(values_only=True)]
    finally:
        book.close()


def write_choices(path: Path, rows: Iterable[list[str]], choices: Mapping[str, str], widths: list[int]) -> int:
    """A plain sheet of texts under a header row, with a drop-down list in the columns of *choices* ("yes,no")."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    count = _fill(sheet, rows)
    for cell in sheet[1]:
        if (name := str(cell.value)) in choices:
            choice = DataValidation(type="list", formula1=f'"{choices[name]}"', allow_blank=True)
            letter = get_column_letter(cell.column or 1)
            choice.add(f"{letter}2:{letter}{max(count, 2)}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "A2"
    _columns(sheet, widths)
    book.save(path)
    return count - 1


def _fill(sheet: Any, rows: Iterable[list[str]], first: int = 1) -> int:
    from openpyxl.styles import Alignment

    top = Alignment(wrap_text=True, vertical="top")
    count = 0
    for count, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells, start=1):
            if text:
                cell = sheet.cell(first + count - 1, column)
                cell.value = text
                # Said outright, so that no text is ever taken for a formula.
                cell.data_type = "s"
                cell.alignment = top
                cell.quotePrefix = text.startswith("'")
    return count


def _dress(sheet: Any, codebook: Codebook, count: int) -> None:
    """Freeze the header, offer a drop-down in every code cell, and hang each definition on its column."""
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    first, last = len(LEAD) + 1, len(LEAD) + len(codebook.codes) + 1
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(last + 1)}{count + 1}"
    choice = DataValidation(type="list", formula1='"x"', allow_blank=True, showErrorMessage=True)
    choice.error, choice.errorTitle = (
        "Kies x, of laat de cel leeg. / Choose x, or leave it empty.",
        "Veldwerk",
    )
    choice.add(f"{get_column_letter(first)}2:{get_column_letter(last)}{count + 1}")
    sheet.add_data_validation(choice)
    for column, code in enumerate(codebook.codes, start=first):
        cell = sheet.cell(1, column)
        cell.comment = Comment(f"{code.label.nl}: {code.definition.nl}", "Veldwerk", width=320, height=160)
        cell.fill = PatternFill("solid", fgColor="FF" + code.color.lstrip("#").upper().ljust(6, "0")[:6])
        cell.alignment = Alignment(text_rotation=60, vertical="bottom")
    for name, cell in zip(header(codebook), sheet[1], strict=True):
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = WIDTHS.get(name, 5)


def _columns(sheet: Any, widths: list[int]) -> None:
    from openpyxl.utils import get_column_letter

    for n, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(n)].width = width
