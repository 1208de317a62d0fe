"""The summary page of a study: what was collected, protected and coded, case by case. Plain data in, HTML out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .page import render


@dataclass(frozen=True, slots=True)
class Count:
    """A named count; `n` is None where the cell is too small to be shown."""

    name: str
    n: int | None
    color: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """What one source brought: `read` = `stored` + `duplicates` + `skipped`, over its runs."""

    name: str
    collector: str
    read: int
    stored: int
    duplicates: int
    skipped: int


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One case in figures. `codes` are posts carrying each code, in the codebook's order; `first`/`last` in UTC."""

    id: str
    title: str
    subtitle: str
    question: str
    posts: int
    authors: int
    threads: int
    first: datetime | None
    last: datetime | None
    coded: int
    sources: tuple[SourceLine, ...]
    platforms: tuple[Count, ...]
    disclosures: tuple[Count, ...]
    codes: tuple[Count, ...]
    sample: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole study. `notes` are sentences a reader must know before using a figure."""

    cases: tuple[CaseSummary, ...]
    codebook: str
    coder: str
    made: datetime
    min_cell: int
    notes: tuple[str, ...]


def render_summary(summary: Summary) -> str:
    """The page as one self-contained HTML document."""
    return render("summary.html", summary=summary, bar=_bar)


def _bar(counts: tuple[Count, ...]) -> list[tuple[Count, float]]:
    """Each count with its share of the largest, in percent, for a bar beside it."""
    top = max((c.n or 0 for c in counts), default=0) or 1
    return [(c, 100 * (c.n or 0) / top) for c in counts]
