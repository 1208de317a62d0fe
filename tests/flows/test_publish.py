"""What may not be worked out from the published figures."""

from __future__ import annotations

from analysis.report.codebook import CaseColumn
from flows.publish import _all_cases, code_cells
from storage.overview import CodeFigures


def column(case: str, figures: CodeFigures) -> CaseColumn:
    return CaseColumn(case, case, figures.seen, code_cells(figures, 5))


def test_few_posts_or_few_authors_are_not_shown() -> None:
    """A cell is left out where fewer posts, or fewer authors, than the smallest cell stand behind it."""
    figures = CodeFigures({"a": 4, "b": 9, "c": 9}, {"a": 4, "b": 2, "c": 9}, 20, 12)
    assert code_cells(figures, 5) == {"a": None, "b": None, "c": 9}


def test_a_total_never_gives_a_small_cell_away() -> None:
    """The total of all cases is withheld where one case's hidden number would be what is left over."""
    one = CodeFigures({"w": 20, "x": 20, "y": 20, "z": 4}, {"w": 20, "x": 20, "y": 20, "z": 4}, 50, 40)
    two = CodeFigures({"w": 9, "x": 3, "y": 10, "z": 4}, {"w": 2, "x": 3, "y": 10, "z": 4}, 50, 17)
    total = _all_cases([column("one", one), column("two", two)], {"one": one, "two": two}, 5)
    assert total.counts == {"w": None, "x": None, "y": 30, "z": 8}
