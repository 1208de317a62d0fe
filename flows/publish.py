"""What a study puts out: the codebook, the summary page, and a sample a case."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

from analysis.report.codebook import CaseColumn, Quote, Usage, write_codebook
from analysis.report.summary import CaseSummary, Count, SourceLine, Summary, render_summary
from coding import Codebook, load_codebook
from coding.card import load_card
from coding.exchange import load_format, tasks_of
from coding.sampling import Plan, draw_sample
from ethics.policy import Policy
from ethics.release import cite, release_text, suppress_small
from storage import Coding, overview, samples
from storage.overview import CodeFigures, Quotable
from storage.quotes import quotes

from .case import Case
from .home import Home
from .receipt import Receipt
from .samples import released, strict

SAMPLE_SIZE = 50
QUOTES = 3


def publish_sample(home: Home, case: Case) -> Receipt:
    """Write the annotation sample of a case as CSV; drawn once, the same posts at every later call."""
    start = time.monotonic()
    drawn = [s for s in samples.samples(home.store, case.id) if s.design == "random" and s.case == case.id]
    n = min(SAMPLE_SIZE, overview.case_figures(home.store, case.id).posts)
    if not n:
        return Receipt("sample", case.id, "", {}, time.monotonic() - start)
    sample = drawn[0] if drawn else draw_sample(home.store, Plan(n, case=case.id, seed=1))
    home.out.mkdir(parents=True, exist_ok=True)
    texts = released(p for one in samples.sampled(home.store, sample.id) for p in (one.post, *one.context))
    tasks = tasks_of(home.store, sample.id, release=lambda p: texts.get((p.id, p.version)))
    written = load_format("csv").write(home.out / sample_name(case), tasks, load_codebook(case.codebook))
    return Receipt("sample", case.id, "", {"posts": written}, time.monotonic() - start)


def sample_name(case: Case) -> str:
    """The file name of a case's sample in the home's `out`."""
    return f"sample-{case.id}.csv"


def publish_pages(home: Home) -> Receipt:
    """Write the codebook (HTML and CSV) and the summary page over all cases that hold posts."""
    start = time.monotonic()
    home.out.mkdir(parents=True, exist_ok=True)
    cases = [c for c in home.cases.values() if home.store.count(c.id)]
    codebook = load_codebook(cases[0].codebook) if cases else load_codebook()
    usage = usage_of(home, cases, codebook)
    for name in ("codebook.html", "codebook.csv"):
        write_codebook(home.out / name, codebook, usage)
    page = render_summary(summary_of(home, cases, codebook))
    (home.out / "index.html").write_text(page, encoding="utf-8")
    return Receipt("publish", "", "", {"cases": len(cases), "pages": 3}, time.monotonic() - start)


def latest_coding(home: Home, codebook: Codebook) -> Coding | None:
    """The newest machine coding with this codebook: what pages speak of until there is gold."""
    fitting = [c for c in home.store.codings() if c.coder != "human" and c.codebook == codebook.digest]
    return fitting[-1] if fitting else None


def usage_of(home: Home, cases: list[Case], codebook: Codebook) -> Usage:
    """What the study found with a codebook, as it may leave: no small cells, quotes short and redacted again."""
    coding = latest_coding(home, codebook)
    now, min_cell = datetime.now(UTC), _min_cell(cases)
    card = load_card(codebook)
    precision = card.rules if card else None
    if coding is None:
        return Usage("No post has been coded with this codebook yet.", now, min_cell, precision=precision)
    figures = overview.code_figures(home.store, coding.id)
    columns = [_column(case, figures[case.id]) for case in cases if case.id in figures]
    if len(columns) > 1:
        columns.append(_all_cases(columns, figures, min_cell))
    quotes = _quotes(home, cases, coding)
    return Usage(f"Prevalence and quotes by {coder_in_words(coding)}.", now, min_cell, columns, quotes, precision)


def coder_in_words(coding: Coding) -> str:
    """A coding as a reader knows it."""
    names = {"rules": "the codebook's rules", "model": "the trained model", "llm": "a language model"}
    return f"{names.get(coding.coder, coding.coder)} (version {coding.version})"


def _min_cell(cases: list[Case]) -> int:
    return max((c.policy.min_cell for c in cases), default=5)


def _column(case: Case, figures: CodeFigures) -> CaseColumn:
    return CaseColumn(case.id, case.title.en, figures.seen, code_cells(figures, case.policy.min_cell))


def _all_cases(columns: list[CaseColumn], figures: dict[str, CodeFigures], min_cell: int) -> CaseColumn:
    """The cases together; a total is left out where a case that is not shown could be worked out from it."""
    total: Counter[str] = Counter()
    for column in columns:
        total.update(figures[column.case].posts)
    cells: dict[str, int | None] = {}
    for code, n in total.items():
        shown = [column.counts.get(code, 0) for column in columns]
        rest = n - sum(x or 0 for x in shown)
        cells[code] = None if n < min_cell or shown.count(None) == 1 or 0 < rest < min_cell else n
    return CaseColumn("all", "All cases", sum(column.posts for column in columns), cells, total=True)


def code_cells(figures: CodeFigures, min_cell: int) -> dict[str, int | None]:
    """Posts by code, None where too few posts or too few authors stand behind the number."""
    few = {code for code, n in figures.authors.items() if n < min_cell}
    cells = suppress_small(figures.posts, min_cell, with_total=False)
    return {code: None if code in few else n for code, n in cells.items()}


def _quotes(home: Home, cases: list[Case], coding: Coding) -> dict[str, list[Quote]]:
    """Up to three anchor quotes a code, from as many cases as there are."""
    policies = {case.id: case.policy for case in cases}
    approved: Approved = {}
    for q in quotes(home.store):
        approved.setdefault((q.post, q.version), []).append((q.start, q.end, q.paraphrase, q.approved_by))
    found: dict[str, list[Quote]] = {}
    for one in overview.quotable(home.store, coding.id, QUOTES):
        chosen = found.setdefault(one.code, [])
        if len(chosen) < QUOTES and one.post.case in policies:
            chosen.append(anchor(one, policies[one.post.case], approved))
    return found


Approved = dict[tuple[str, int], list[tuple[int, int, str, str]]]
"""The quote register by post and version: start, end, paraphrase or "", approved by."""


def anchor(one: Quotable, policy: Policy, approved: Approved) -> Quote:
    """A quote around the evidence as it may leave, redacted once more, with the place of the evidence in it."""
    post, evidence = one.post, one.post.text[one.start : one.end]
    told = cite(post, one.start, one.end, policy, lambda id_, version: approved.get((id_, version), ())).text
    told = release_text(told, strict())
    # Cut within the evidence, redacted or paraphrased: then there is nothing to point at.
    at = max(told.find(evidence), 0)
    end = at + len(evidence) if evidence in told else 0
    return Quote(told, post.case, post.platform, f"{post.created:%Y-%m}", at, end)


def summary_of(home: Home, cases: list[Case], codebook: Codebook) -> Summary:
    """The figures of the summary page."""
    coding = latest_coding(home, codebook)
    notes = (
        "Codes were given by a machine. They help to read; for a figure one may publish, code a sample by hand "
        "(veldwerk sample) and estimate from both (veldwerk estimate).",
        "Names, handles, numbers, addresses and links were taken out before anything was stored. No machine finds "
        "all of them: read with that in mind, and report what was missed (veldwerk redact --learn).",
    )
    given = overview.code_figures(home.store, coding.id) if coding else {}
    return Summary(
        tuple(_case_summary(home, case, codebook, given.get(case.id)) for case in cases),
        f"{codebook.name} {codebook.version} ({codebook.digest})",
        coder_in_words(coding) if coding else "nobody yet",
        datetime.now(UTC),
        _min_cell(cases),
        notes,
    )


def _case_summary(home: Home, case: Case, codebook: Codebook, given: CodeFigures | None) -> CaseSummary:
    figures = overview.case_figures(home.store, case.id)
    cells = code_cells(given, case.policy.min_cell) if given else {}
    return CaseSummary(
        id=case.id,
        title=case.title.en,
        subtitle=case.title.nl,
        question=case.question,
        posts=figures.posts,
        authors=figures.authors,
        threads=figures.threads,
        first=figures.first,
        last=figures.last,
        coded=given.coded if given else 0,
        sources=tuple(_source_line(s) for s in overview.source_figures(home.store, case.id)),
        platforms=tuple(Count(p, n) for p, n in overview.posts_by(home.store, case.id, "platform").items()),
        disclosures=tuple(Count(t, n) for t, n in overview.disclosures_by_type(home.store, case.id).items()),
        codes=tuple(Count(c.id, cells.get(c.id, 0), c.color) for c in codebook.codes),
        sample=sample_name(case),
    )


def _source_line(source: overview.SourceFigures) -> SourceLine:
    n = source.counts
    told = (n.get("read", 0), n.get("stored", 0), n.get("duplicates", 0), n.get("skipped", 0))
    return SourceLine(source.source, source.collector, *told)
