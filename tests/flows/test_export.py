"""What leaves is what was stored, once more redacted, with its codes, in formats that others open."""

from __future__ import annotations

import csv
import json
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pyarrow.parquet as pq
import pytest

from coding import load_codebook
from coding.exchange._cells import RISKY, unescaped
from flows.errors import WrongUse
from flows.export import export
from flows.home import Home
from flows.progress import Progress
from storage import Annotation, Batch, Coding
from tests.storage.made import CASES, coding, post

CODES = [c.id for theme in load_codebook().themes for c in theme.codes]
RISKY_TEXTS = ["=1+1", "+31", "-2", "@ 10", "\tx", "'al", '=SOM("x";"y")', 'huis, fiets en "quote"\nregel']
TEXTS = [*RISKY_TEXTS, "de fiets is weg", "bel Jan de Vries op 06-12345678"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A study with ten posts; the first five coded, one of them twice by the same coder."""
    monkeypatch.setenv("VELDWERK_KEY", secrets.token_hex(32))
    home = Home(tmp_path / "fieldwork")
    some = tuple(post(n * 4, text) for n, text in enumerate(TEXTS))
    home.store.add(Batch("all", "made", some))
    home.store.begin_coding(coding("rules-1"))
    home.store.annotate(
        "rules-1", [(p.id, 1) for p in some[:5]], [Annotation("rules-1", p.id, CODES[0]) for p in some[:5]]
    )
    home.store.begin_coding(Coding("rules-2", "rules", "rules", "2", "d", "{}", datetime(2025, 7, 1, tzinfo=UTC)))
    home.store.annotate("rules-2", [(some[0].id, 1)], [Annotation("rules-2", some[0].id, CODES[1])])
    return home


def rows_of(path: Path) -> list[dict[str, object]]:
    """The table in a file, all values as Python has them, by post."""
    if path.suffix == ".parquet":
        rows = pl.read_parquet(path).to_dicts()
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{k: unescaped(v) if v else None for k, v in row.items()} for row in csv.DictReader(file)]
    else:
        with sqlite3.connect(path) as db:
            db.row_factory = sqlite3.Row
            rows = [dict(row) for row in db.execute("select * from post")]
    return sorted(rows, key=lambda row: str(row["post"]))


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".sqlite"])
def test_every_post_leaves_with_its_codes(home: Home, tmp_path: Path, ending: str) -> None:
    """One row a post; 1 and 0 where the coder's last reading says so, empty where it has not read."""
    out = tmp_path / f"corpus{ending}"
    assert export(home, None, out, "rules", Progress()).counts == {"posts": 10}
    rows = rows_of(out)
    kept = sorted(home.store.posts(), key=lambda p: p.id)
    assert [(r["post"], r["author"], r["thread"], r["case"]) for r in rows] == [
        (p.id, p.author, p.thread, p.case) for p in kept
    ]
    told = {str(r["post"]): [None if r[c] is None else int(str(r[c])) for c in CODES[:2]] for r in rows}
    first = [post(n * 4).id for n in range(10)]
    assert told == {
        first[0]: [0, 1],
        **{i: [1, 0] for i in first[1:5]},
        **{i: [None, None] for i in first[5:]},
    }
    texts = {str(r["post"]): r["text"] for r in rows}
    assert [texts[i] for i in first[:8]] == RISKY_TEXTS
    assert [p.name for p in tmp_path.glob("*.part")] == []


def test_the_text_that_leaves_is_redacted_once_more(home: Home, tmp_path: Path) -> None:
    """A name and a number that got through the gate do not get out."""
    for ending in (".parquet", ".csv", ".sqlite", ".qdpx"):
        out = tmp_path / f"corpus{ending}"
        export(home, CASES[0], out, None, Progress())
        if ending == ".qdpx":
            with ZipFile(out) as archive:
                data = b"".join(archive.read(n) for n in archive.namelist())
        else:
            data = str(rows_of(out)).encode()
        assert b"[TELEFOON]" in data
        assert b"12345678" not in data
        assert b"Vries" not in data


def test_no_cell_of_a_csv_is_a_formula(home: Home, tmp_path: Path) -> None:
    """No cell of the table or its dictionary begins as a formula does, except behind an apostrophe."""
    export(home, None, tmp_path / "corpus.csv", None, Progress())
    for name in ("corpus.csv", "corpus-dictionary.csv"):
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert [c for c in cells if c.startswith(RISKY) and not c.startswith("'")] == []
        assert len(cells) > 40


def test_the_dictionary_explains_every_column(home: Home, tmp_path: Path) -> None:
    """Beside Parquet and CSV, inside SQLite and Parquet: every column, in its order, in two languages."""
    for ending in (".parquet", ".csv", ".sqlite"):
        export(home, None, tmp_path / f"corpus{ending}", None, Progress())
    names = pl.read_parquet(tmp_path / "corpus.parquet").columns
    with (tmp_path / "corpus-dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        told = [row for row in csv.reader(file) if row[0]][1:]
    with sqlite3.connect(tmp_path / "corpus.sqlite") as db:
        inside = [list(row) for row in db.execute("select variable, type, nl, en from dictionary")]
        codes = db.execute("select count(*) from code").fetchone()
        about = dict(db.execute("select name, value from about"))
    stored = json.loads(pq.read_schema(tmp_path / "corpus.parquet").metadata[b"dictionary"])
    assert [row[0] for row in told] == names == [row[0] for row in inside] == [row[0] for row in stored]
    assert inside == stored
    assert all(all(row) for row in inside)
    assert codes == (5,)
    assert (about["coder"], about["case"]) == ("rules", "all")


def test_wrong_uses_are_told_before_anything_is_written(home: Home, tmp_path: Path) -> None:
    """Unknown endings and coders, and a study without posts."""
    for out, coder, words in (
        ("x.xls", None, "unknown ending"),
        ("x.csv", "nobody", "there are: rules"),
    ):
        with pytest.raises(WrongUse, match=words):
            export(home, None, tmp_path / out, coder, Progress())
    with pytest.raises(WrongUse, match="nothing is stored here yet"):
        export(Home(tmp_path / "empty"), None, tmp_path / "x.csv", None, Progress())
    assert list(tmp_path.glob("x.*")) == []


def test_the_lines_in_the_docs_open_the_corpus(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars opens the exported file with the three lines that the docs show."""
    export(home, None, tmp_path / "corpus.parquet", None, Progress())
    docs = Path(__file__).parents[2] / "docs" / "open-the-corpus.md"
    lines = docs.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0].splitlines()
    monkeypatch.chdir(tmp_path)
    shared: dict[str, object] = {}
    exec("\n".join(lines[:-1]), shared)
    table = eval(lines[-1], shared)
    assert table.columns == ["case", "norms.doxing"]
    assert len([line for line in lines if line]) == 3
