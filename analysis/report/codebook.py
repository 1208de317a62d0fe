"""The codebook for readers: HTML, CSV, Markdown and Word, with prevalence per case and anchor quotes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from coding import Code, Codebook
from coding.exchange._cells import escaped

from .page import render


@dataclass(frozen=True, slots=True)
class CaseColumn:
    """
    How often each code was given in one case: `counts` by code, None where the cell is too small to show.

    `posts` is how many posts the coder has seen: the denominator of every share. `total` marks the column of all
    cases, where a number is withheld if a case's small cell could be worked out from it.
    """

    case: str
    title: str
    posts: int
    counts: Mapping[str, int | None]
    total: bool = False

    def hidden(self, min_cell: int) -> str:
        """What stands for a number that is not shown: a total is withheld although it may be large."""
        return "withheld" if self.total else f"<{min_cell}"

    def share(self, code: str) -> float | None:
        """The percentage of posts with this code; None where it is not shown."""
        n = self.counts.get(code, 0)
        return None if n is None or not self.posts else 100 * n / self.posts


@dataclass(frozen=True, slots=True)
class Quote:
    """An anchor quote: redacted text that may leave, where it is from, and the evidence in it (code points)."""

    text: str
    case: str
    platform: str
    month: str
    start: int
    end: int

    @property
    def parts(self) -> tuple[str, str, str]:
        """The text before the evidence, the evidence, and the text after it."""
        return self.text[: self.start], self.text[self.start : self.end], self.text[self.end :]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a study found with a codebook: `coder` in words, columns by case, quotes and measured precision by code."""

    coder: str
    made: datetime
    min_cell: int
    columns: Sequence[CaseColumn] = ()
    quotes: Mapping[str, Sequence[Quote]] | None = None
    precision: Mapping[str, tuple[int, int]] | None = None

    def quotes_of(self, code: str) -> Sequence[Quote]:
        """The anchor quotes of a code."""
        return (self.quotes or {}).get(code, ())

    def precision_of(self, rule: str) -> tuple[int, int] | None:
        """How often a rule was right on gold, and how often it fired there."""
        return (self.precision or {}).get(rule)


def write_codebook(path: Path, codebook: Codebook, usage: Usage) -> None:
    """Write the codebook to *path* in the format of its ending: .html, .csv, .md or .docx."""
    writers = {".html": _html, ".csv": _csv, ".md": _markdown}
    if path.suffix == ".docx":
        _docx(path, codebook, usage)
        return
    # A table gets a byte order mark: without one Excel takes its accents for something else.
    path.write_text(writers[path.suffix](codebook, usage), encoding="utf-8-sig" if path.suffix == ".csv" else "utf-8")


FORMATS = (".html", ".csv", ".md", ".docx")


def _html(codebook: Codebook, usage: Usage) -> str:
    top = max((c.share(code.id) or 0 for c in usage.columns for code in codebook.codes), default=0) or 1
    return render("codebook.html", book=codebook, usage=usage, top=top, tint=_tint)


def _tint(share: float | None, top: float, color: str) -> str:
    """The background of a cell: the code's colour, as strong as the share is large."""
    return f"{color}{round(12 + 150 * (share or 0) / top):02x}" if share else "transparent"


def _csv(codebook: Codebook, usage: Usage) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    names = ["theme", "code", "label_nl", "label_en", "definition_nl", "definition_en", "include", "exclude"]
    numbers = [f"{kind}_{c.case}" for c in usage.columns for kind in ("posts", "share")]
    table.writerow([*names, *numbers, "quote_1", "quote_2"])
    for theme in codebook.themes:
        for code in theme.codes:
            told = [theme.id, code.id, code.label.nl, code.label.en, code.definition.nl, code.definition.en]
            lists = ["; ".join(code.include), "; ".join(code.exclude)]
            quotes = [q.text for q in usage.quotes_of(code.id)[:2]]
            cells = [*told, *lists, *_numbers(code, usage), *quotes, *[""] * (2 - len(quotes))]
            table.writerow([escaped(cell) for cell in cells])
    return out.getvalue()


def _numbers(code: Code, usage: Usage) -> Iterator[str]:
    for column in usage.columns:
        n, share = column.counts.get(code.id, 0), column.share(code.id)
        yield column.hidden(usage.min_cell) if n is None else str(n)
        yield "" if share is None else f"{share:.1f}"


def _markdown(codebook: Codebook, usage: Usage) -> str:
    title = codebook.title.en if codebook.title else codebook.name
    lines = [f"# {title}", "", f"Codebook {codebook.name} {codebook.version} ({codebook.digest}). {usage.coder}", ""]
    if codebook.unit:
        lines += [codebook.unit.en, ""]
    for theme in codebook.themes:
        lines += [f"## {theme.label.en} / {theme.label.nl}", "", theme.definition.en, ""]
        for code in theme.codes:
            lines += [f"### {code.id}: {code.label.en} / {code.label.nl}", "", code.definition.en, ""]
            lines += [f"*{code.definition.nl}*", ""]
            lines += [f"- include: {x}" for x in code.include_en or code.include]
            lines += [f"- exclude: {x}" for x in code.exclude_en or code.exclude]
            lines += [f"- example: {x}" for x in code.examples]
            told = ", ".join(f"{c.title} {_cell(c, code.id, usage)}" for c in usage.columns)
            lines += ["", f"Posts: {told}", ""] if told else [""]
            lines += [f"> {q.text}\n> ({q.case}, {q.platform}, {q.month})\n" for q in usage.quotes_of(code.id)]
    return "\n".join(lines)


def _cell(column: CaseColumn, code: str, usage: Usage) -> str:
    n, share = column.counts.get(code, 0), column.share(code)
    return column.hidden(usage.min_cell) if n is None else f"{n:,} ({share or 0:.1f} %)"


def _docx(path: Path, codebook: Codebook, usage: Usage) -> None:
    from docx import Document

    document = Document()
    document.add_heading(codebook.title.en if codebook.title else codebook.name, 0)
    document.add_paragraph(f"Codebook {codebook.name} {codebook.version} ({codebook.digest}). {usage.coder}")
    for theme in codebook.themes:
        document.add_heading(f"{theme.label.en} / {theme.label.nl}", 1)
        document.add_paragraph(theme.definition.en)
        for code in theme.codes:
            _docx_code(document, code, usage)
    document.save(str(path))


def _docx_code(document: Any, code: Code, usage: Usage) -> None:
    document.add_heading(f"{code.id}: {code.label.en} / {code.label.nl}", 2)
    document.add_paragraph(code.definition.en)
    document.add_paragraph().add_run(code.definition.nl).italic = True
    for name, lines in (("Include", code.include_en or code.include), ("Exclude", code.exclude_en or code.exclude)):
        for line in lines:
            document.add_paragraph(f"{name}: {line}", style="List Bullet")
    if usage.columns:
        told = "; ".join(f"{c.title}: {_cell(c, code.id, usage)}" for c in usage.columns)
        document.add_paragraph(f"Posts: {told}")
    for quote in usage.quotes_of(code.id):
        document.add_paragraph(f"{quote.text} ({quote.case}, {quote.platform}, {quote.month})", style="Intense Quote")
