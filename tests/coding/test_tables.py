"""Tables survive what people and their programs do to them, and what would corrupt the codes is refused."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from coding import Mark
from coding.exchange import Coded, ExchangeError, Task, Turn, check
from coding.exchange import csv as csv_table
from coding.exchange import xlsx as xlsx_table
from coding.exchange._cells import escaped, ticked, unescaped
from coding.exchange._table import header
from tests.coding.field import CODES, codebook

TEXTS = (
    "Wie herkent deze man? '=1+1' €5 café",
    '=HYPERLINK("http://evil","klik")',
    '@anna +31 of -1; "aanhaling", komma; punt',
    "één regel\nen nog een",
    "2025-03-12",
    "112",
    "Bel de wijkagent, niet zelf gaan kijken",
)
TASKS = tuple(
    Task(f"p{n}", 1, n, "scam-fighters", "forum", "2025-03-12", t, "B", (Turn("A", "-eerder bericht"),))
    for n, t in enumerate(TEXTS, 1)
)
KNOWN = {t.post: (t.version, t.text) for t in TASKS}
SAID = {"p1": ["tools.osint"], "p2": [], "p3": ["norms.doxing", "police.request"], "p5": ["norms.restraint"]}


def sheet() -> list[list[str]]:
    """The written table with the codes of SAID filled in; p2 is ticked as done, p4, p6 and p7 are not coded."""
    from coding.exchange._table import row

    names = header(codebook())
    rows = [row(t, codebook()) for t in TASKS]
    for cells in rows:
        for code in SAID.get(cells[1], ()):
            cells[names.index(code)] = "x"
    rows[1][names.index("done")] = "x"
    return [names, *rows]


def saved(rows: list[list[Any]], path: Path, encoding: str = "utf-8-sig", delimiter: str = ";") -> Path:
    with path.open("w", encoding=encoding, newline="", errors="replace") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def codes_of(coded: list[Coded]) -> dict[str, list[str]]:
    return {c.post: [m.code for m in c.marks] for c in check(coded, KNOWN, CODES, "file")}


def read(path: Path) -> dict[str, list[str]]:
    module = xlsx_table if path.suffix == ".xlsx" else csv_table
    return codes_of(list(module.read(path, codebook(), KNOWN)))


@given(st.text(max_size=40))
def test_escaping_is_undone_exactly_and_leaves_no_formula(text: str) -> None:
    """Any text comes back as it was, and no written cell begins as a formula does."""
    cell = escaped(text)
    assert unescaped(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_any_encoding_and_separator_comes_back(tmp_path: Path, encoding: str, delimiter: str, ends: str) -> None:
    """What Excel, LibreOffice or Numbers save as CSV, in whatever country, reads as what was filled in."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=ends).writerows(sheet())
    path = tmp_path / "t.csv"
    path.write_bytes(out.getvalue().encode(encoding, errors="replace"))
    assert read(path) == SAID


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_rows_and_columns_in_any_order_with_others_between_come_back(
    tmp_path: Path, rng: random.Random, as_xlsx: bool
) -> None:
    """Sorting rows, moving columns, adding columns and empty rows changes nothing."""
    names, *rows = sheet()
    rng.shuffle(rows)
    table = [[*names, "mijn kolom", ""], *[[*r, "iets", "7"] for r in rows]]
    order = rng.sample(range(len(table[0])), len(table[0]))
    table = [[line[i] for i in order] for line in table]
    table.insert(rng.randrange(1, len(table)), [""] * len(order))
    if as_xlsx:
        path = tmp_path / "t.xlsx"
        book = Workbook()
        for line in table:
            book.active.append([c if not c.startswith("=") else "'" + c for c in line])
        book.save(path)
    else:
        path = saved(table, tmp_path / "t.csv")
    assert read(path) == SAID


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.data())
def test_what_is_written_is_read_back(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever text a post holds, its row in either table comes back as that post with the codes shown."""
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=200)
    codes = st.lists(st.sampled_from(CODES), unique=True, max_size=4)
    tasks = [
        Task(
            f"post-{n}",
            1,
            n,
            "c",
            "p",
            "2025-01-01",
            data.draw(text),
            "A",
            (),
            tuple(map(Mark, data.draw(codes))),
        )
        for n in range(3)
    ]
    known = {t.post: (1, t.text) for t in tasks}
    wanted = {t.post: sorted((m.code for m in t.marks), key=CODES.index) for t in tasks if t.marks}
    for module, name in ((csv_table, "t.csv"), (xlsx_table, "t.xlsx")):
        path = tmp_path / name
        assert module.write(path, tasks, codebook()) == 3
        got = {c.post: [m.code for m in c.marks] for c in module.read(path, codebook(), known)}
        assert got == wanted


def test_the_workbook_computes_nothing_and_offers_lists(tmp_path: Path) -> None:
    """Every cell is a text; each code cell has a drop-down; the codebook and the way to code lie beside it."""
    path = tmp_path / "t.xlsx"
    xlsx_table.write(path, TASKS, codebook())
    book = load_workbook(path)
    assert book.sheetnames == ["coding", "codebook", "instructions"]
    for page in book:
        for cells in page.iter_rows():
            assert {c.data_type for c in cells if c.value is not None} <= {"s"}
            assert not any(str(c.value or "").startswith(("=", "+", "-", "@")) for c in cells)
    (choice,) = book["coding"].data_validations.dataValidation
    names = header(codebook())
    first, last = names.index(CODES[0]), names.index("done")
    from openpyxl.utils import get_column_letter as letter

    assert str(choice.sqref) == f"{letter(first + 1)}2:{letter(last + 1)}{len(TASKS) + 1}"
    assert (choice.type, choice.formula1) == ("list", '"x"')
    assert [c[0].value for c in book["codebook"].iter_rows(min_row=2)] == list(CODES)
    assert book["coding"].cell(1, first + 1).comment.text == "tools.osint: Definitie 0."


def test_dates_and_numbers_that_excel_made_do_no_harm(tmp_path: Path) -> None:
    """Dates become dates or serial numbers, ticks become 1.0 or TRUE, texts that look like numbers numbers."""
    from datetime import datetime

    names, *rows = sheet()
    table: list[list[Any]] = [list(names), *[list(r) for r in rows]]
    date, text, nr = names.index("date"), names.index("text"), names.index("nr")
    for n, line in enumerate(table[1:]):
        line[date] = datetime(2025, 3, 12) if n % 2 else 45728
        line[nr] = float(line[nr])
        line[names.index("tools.osint")] = {"x": 1.0, "": 0}[line[names.index("tools.osint")]]
        line[names.index("norms.doxing")] = line[names.index("norms.doxing")] == "x"
    table[5][text], table[6][text] = datetime(2025, 3, 12), 112
    book = Workbook()
    for line in table:
        book.active.append(line)
    for cells in book.active.iter_rows():
        for cell in cells:
            if cell.data_type == "f":
                cell.data_type = "s"
    book.save(tmp_path / "t.xlsx")
    said = SAID | {p: SAID.get(p, []) for p in SAID}
    assert {p: c for p, c in read(tmp_path / "t.xlsx").items() if p in said} == said


def test_an_id_that_became_a_number_is_known_by_its_text(tmp_path: Path) -> None:
    """Excel turns an id like 12e45 into a number; the row's own words still say which post it is."""
    known = {"12e45": (1, "een bericht met genoeg woorden"), "12e46": (1, "een heel ander bericht hier")}
    names = header(codebook())
    line = [""] * len(names)
    line[1], line[6], line[7] = "1,2E+46", "een bericht met genoeg woorden", "x"
    path = saved([names, line], tmp_path / "t.csv")
    (one,) = csv_table.read(path, codebook(), known)
    assert (one.post, [m.code for m in one.marks]) == ("12e45", ["tools.osint"])


def broken(change: Any) -> list[list[str]]:
    rows = sheet()
    return change(rows) or rows


def put(row: int, column: str, value: str) -> Any:
    def change(rows: list[list[str]]) -> None:
        rows[row][rows[0].index(column)] = value

    return change


def rename(column: str, name: str) -> Any:
    return put(0, column, name)


def sort_apart(rows: list[list[str]]) -> None:
    ids = [r[1] for r in rows[1:]]
    for line, id_ in zip(rows[1:], reversed(ids), strict=True):
        line[1] = id_


def drop(column: str) -> Any:
    return lambda rows: [[c for n, c in enumerate(r) if n != rows[0].index(column)] for r in rows]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put(2, "norms.doxing", "geheim woord"), "row 3, column norms.doxing: neither a tick"),
        (put(2, "post", "geheim woord"), "row 3, column post: no such post"),
        (
            put(1, "text", "geheim woord dat hier niet hoort te staan"),
            "row 2, column text: the text of another post",
        ),
        (sort_apart, "row 2, column text: the text of another post"),
        (rename("norms.doxing", "norms.doxng"), "column U: its name looks like a code"),
        (
            rename("norms.doxing", "norms.antidoxing"),
            "column V: the column norms.antidoxing stands there twice",
        ),
        (drop("norms.doxing"), "the column norms.doxing is missing"),
        (drop("post"), "no column 'post'"),
        (lambda rows: [[""]], "is empty"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_would_corrupt_is_refused_by_row_and_column(tmp_path: Path, change: Any, told: str, suffix: str) -> None:
    """The message says where, and never what stands there."""
    rows = broken(change)
    path = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        saved(rows, path)
    else:
        book = Workbook()
        for line in rows:
            book.active.append(["'" + c if c.startswith("=") else c for c in line])
        book.save(path)
    with pytest.raises(ExchangeError, match=told) as caught:
        read(path)
    assert "geheim" not in str(caught.value)


def test_a_post_in_two_rows_with_different_codes_is_refused(tmp_path: Path) -> None:
    """Copied rows do no harm while they say the same; when they differ, both rows are named."""
    rows = sheet()
    assert read(saved([*rows, rows[1]], tmp_path / "t.csv")) == SAID
    other = list(rows[1])
    other[rows[0].index("norms.doxing")] = "x"
    with pytest.raises(ExchangeError, match="row 9: the post of row 2 again"):
        read(saved([*rows, other], tmp_path / "t.csv"))


def test_a_plain_list_of_codes_is_read_too(tmp_path: Path) -> None:
    """A table of two columns, post and codes, is enough; an empty cell means that no code fits."""
    path = tmp_path / "t.csv"
    path.write_text("post,codes\np1,tools.osint\np2,\np3,norms.doxing; police.request\np5,norms.restraint\n")
    assert read(path) == SAID
    path.write_text("post,codes\np1,geheim\n")
    with pytest.raises(ExchangeError, match="row 2: a code that the codebook does not have"):
        read(path)


@pytest.mark.parametrize("data", [b"\x81\x8d\x8f\x90\x9d" * 9, b"PK\x03\x04broken"])
def test_a_file_that_is_no_table_is_refused_with_the_way_out(tmp_path: Path, data: bytes) -> None:
    """Neither a damaged text nor a damaged workbook ends in a stack trace."""
    for name in ("t.csv", "t.xlsx"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ExchangeError):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [("X", True), (" ja ", True), (True, True), (1.0, True), ("WAAR", True), ("", False), (None, False), (0, False),
     ("nee", False), (False, False), ("misschien", None), ("2", None)],
)  # fmt: skip
def test_ticks_in_two_languages(cell: Any, wanted: bool | None) -> None:
    """A tick is a tick in Dutch, English and Excel's own words; anything else is neither yes nor no."""
    assert ticked(cell) is wanted
