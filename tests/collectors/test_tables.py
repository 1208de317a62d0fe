"""Laws of the importer of tables."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import UnreadableExport, detect, load_importer

from .reading import read

WHEN = datetime(2025, 3, 3, 11, 6, 40, tzinfo=UTC)
CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=30)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    written=st.lists(st.tuples(CELLS, CELLS.filter(lambda t: t.strip() != "")), min_size=1, max_size=20),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_table_gives_back_each_row(
    written: list[tuple[str, str]], delimiter: str, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in its cells, in any delimiter and encoding, each row is a post with its words."""
    path = tmp_path_factory.mktemp("t") / "berichten.csv"
    with path.open("w", encoding=encoding, newline="") as handle:
        table = csv.writer(handle, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        table.writerow(["id", "auteur", "tekst", "datum"])
        for n, (author, text) in enumerate(written):
            table.writerow([n, author, text, (WHEN + timedelta(minutes=n)).isoformat()])
    assert detect(path) == "csv"
    found = read(path)
    assert found.ids == [str(n) for n in range(len(written))]
    assert found.texts == [t.strip() for _, t in written]
    assert found.authors == [a.strip() or f"unknown {n}" for n, (a, _) in enumerate(written)]
    assert [p.created for p in found.posts] == [WHEN + timedelta(minutes=n) for n in range(len(written))]


DATES = [
    ("2025-03-03T12:06:40+01:00", {}),
    ("2025-03-03 12:06:40", {}),
    ("2025-03-03 11:06:40 UTC", {}),
    ("2025-03-03T11:06:40Z", {}),
    ("03-03-2025 12:06:40", {}),
    ("3/3/2025 12:06:40 PM", {}),
    ("03.03.2025, 12.06.40", {}),
    ("1741000000", {}),
    ("1741000000000", {}),
    ("Mon, 03 Mar 2025 12:06:40 +0100", {}),
    ("Mon Mar 03 11:06:40 +0000 2025", {}),
    ("45719.504629629628", {}),
    ("12u06:40 op 3-3-2025", {"date_format": "%Hu%M:%S op %d-%m-%Y"}),
    ("11:06:40 2025-03-03", {"date_format": "%H:%M:%S %Y-%m-%d", "timezone": "UTC"}),
]


@pytest.mark.parametrize(("written", "how"), DATES)
def test_dates_are_read_in_the_forms_that_people_write(written: str, how: dict[str, Any], tmp_path: Path) -> None:
    """ISO, Dutch, Excel's, epochs, mails' and Twitter's, and any other by its pattern, are one moment."""
    path = tmp_path / "a.csv"
    path.write_text(f'date;text\n"{written}";hoi\n')
    assert [p.created for p in read(path, **how).posts] == [WHEN]


def test_the_order_of_day_and_month_can_be_set(tmp_path: Path) -> None:
    """Day first by default, month first on request."""
    path = tmp_path / "a.csv"
    path.write_text("date,text\n04/03/2025,hoi\n")
    assert read(path).posts[0].created.month == 3
    assert read(path, date_order="mdy").posts[0].created.month == 4


def test_columns_of_any_name_are_mapped(tmp_path: Path) -> None:
    """The mapping in the case file decides over the usual names; an unknown column is told by its own name only."""
    path = tmp_path / "a.csv"
    path.write_text("Wie,Wat,Wanneer,text,Draad,Op\nAnn,geheim woord,2025-03-03,niet dit,d1,7\n")
    columns = {"author": "wie", "text": "Wat", "created": "Wanneer", "thread": "Draad", "reply_to": "Op"}
    found = read(path, "csv", columns=columns, platform="fok")
    assert (found.authors, found.texts, found.threads, found.replies) == (["Ann"], ["geheim woord"], ["d1"], ["7"])
    assert found.posts[0].platform == "fok"
    with pytest.raises(UnreadableExport, match=r"a\.csv: no column for created; .*settings\.columns"):
        read(path, "csv", columns={"text": "Wat"})
    with pytest.raises(UnreadableExport, match="no column for author, created") as caught:
        read(path, "csv", columns={"author": "Niet"})
    assert "geheim" not in str(caught.value)


def test_rows_without_an_id_get_the_same_one_again(tmp_path: Path) -> None:
    """Reading a table twice gives the same ids; equal rows are told apart."""
    path = tmp_path / "a.csv"
    path.write_text("author,text,date\n" + "Ann,hoi,2025-03-03\n" * 3)
    assert read(path).ids == read(path).ids
    assert len(set(read(path).ids)) == 3


def frame() -> polars.DataFrame:
    return polars.DataFrame(
        {"author": ["Ann", "Bo"], "text": ["één", "twee"], "date": [WHEN, WHEN + timedelta(hours=1)]}
    )


def test_workbooks_and_parquet_say_what_the_csv_says(tmp_path: Path) -> None:
    """The same table as CSV, Parquet and XLSX gives the same posts; a sheet can be named."""
    import openpyxl

    frame().write_csv(tmp_path / "a.csv")
    frame().write_parquet(tmp_path / "a.parquet")
    book = openpyxl.Workbook()
    book.active.title = "leeg"  # type: ignore[union-attr]
    sheet = book.create_sheet("posts")
    for row in [frame().columns, *frame().rows()]:
        sheet.append([c.replace(tzinfo=None) if isinstance(c, datetime) else c for c in row])
    book.save(tmp_path / "a.xlsx")
    how = {"a.csv": {}, "a.parquet": {}, "a.xlsx": {"sheet": "posts", "timezone": "UTC"}}
    told = []
    for name, more in how.items():
        assert detect(tmp_path / name) == "csv"
        found = read(tmp_path / name, **more)
        told.append((found.authors, found.texts, [p.created for p in found.posts], found.ids))
    assert told[0] == told[1] == told[2]
    assert told[0][1] == ["één", "twee"]


def test_what_a_row_lacks_is_its_reason(tmp_path: Path) -> None:
    """Rows without words or date, and broken rows, are counted; NULs do no harm."""
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"author,text,date\nAnn,,2025-03-03\nAnn,ho\0i,2025-03-03\nAnn,hoi,ooit\nAnn,kort\n\nA,b,2025-03-03,d\n"
    )
    found = read(path)
    assert found.texts == ["hoi"]
    assert found.skipped == {"empty message": 1, "no usable date": 1, "row with the wrong number of cells": 2}
    assert read(path, date="2025-01-01T00:00:00Z").texts == ["hoi", "hoi"]


def test_a_quote_that_is_never_closed_is_refused_before_the_first_row(tmp_path: Path) -> None:
    """A table that runs together from one quote on gives nothing, and the error names the line and the cure."""
    path = tmp_path / "a.csv"
    with path.open("w") as handle:
        handle.write('author,text,date\nAnn,hoi,2025-03-03\nAnn,"geheim')
        for _ in range(60):
            handle.write("x" * 100_000 + "\n")
    given_: list[Any] = []
    importer = load_importer("csv")
    with pytest.raises(UnreadableExport, match=r"a\.csv: the table breaks at line \d+.*quote") as caught:
        given_.extend(importer.read(path, importer.Settings()))
    assert not given_
    assert "geheim" not in str(caught.value)


def test_a_cell_of_any_length_is_passed_over(tmp_path: Path) -> None:
    """One line of megabytes is a skip; the rows around it are read."""
    path = tmp_path / "a.csv"
    with path.open("w") as handle:
        handle.write("author,text,date\nAnn,een,2025-03-03\nAnn,")
        for _ in range(12):
            handle.write("x" * 1_000_000)
        handle.write(",2025-03-03\nAnn,twee,2025-03-03\n")
    found = read(path)
    assert (found.texts, found.skipped) == (["een", "twee"], {"line too long": 1})


@pytest.mark.parametrize("entity", ["a" * 10, "&b;" * 10])
def test_entities_in_a_workbook_are_not_resolved(entity: str, tmp_path: Path) -> None:
    """A workbook whose XML declares entities is refused."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["text", "date"])  # type: ignore[union-attr]
    buffer = io.BytesIO()
    book.save(buffer)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(buffer) as whole, zipfile.ZipFile(path, "w") as broken:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "xl/workbook.xml":
                data = f'<!DOCTYPE x [<!ENTITY b "c"><!ENTITY a "{entity}">]>'.encode() + data.partition(b"?>")[2]
            broken.writestr(name, data)
    with pytest.raises(UnreadableExport, match=r"a\.xlsx: not a readable workbook"):
        read(path, "csv")


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 kapot", b"PK\x03\x04", b"hoi allemaal\nzonder kolommen\n", b"\0" * 999]
)
def test_what_is_no_table_is_refused_with_a_way_out(content: bytes, tmp_path: Path) -> None:
    """A foreign or damaged file is refused in our words."""
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    importer = load_importer("csv")
    with pytest.raises(UnreadableExport, match=r"^x\.csv.*(export|again|settings)"):
        list(importer.read(path, importer.Settings()))
