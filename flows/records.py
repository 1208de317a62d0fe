"""Gather what the papers of a study need: case files, figures, the trail; and write them to the home."""

from __future__ import annotations

import importlib.metadata
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ethics import records
from ethics.keys import ProjectKey
from ethics.pseudonyms import Salts
from ethics.records import OPEN, CaseRecord, SourceRecord, StudyRecord
from ethics.redaction import active_model
from storage import overview

from .case import Case
from .home import Home
from .receipt import Receipt


def write_records(
    home: Home, *, controller: str = OPEN, contact: str = OPEN, officer: str = OPEN, now: datetime | None = None
) -> tuple[Receipt, list[Path]]:
    """Write register, DPIA annex, notices (nl, en) and deposit bundle below `out/records`; the files written."""
    start = time.monotonic()
    study = study_record(home, controller, contact, officer, now or datetime.now(UTC))
    folder = home.out / "records"
    folder.mkdir(parents=True, exist_ok=True)
    papers = {
        "register": records.register(study),
        "dpia-annex": records.dpia_annex(study),
        "notice-nl": records.notice(study, "nl"),
        "notice-en": records.notice(study, "en"),
    }
    written: list[Path] = []
    for name, paper in papers.items():
        for suffix, text in ((".md", paper.markdown()), (".html", paper.html())):
            written.append(folder / f"{name}{suffix}")
            written[-1].write_text(text, encoding="utf-8")
    written.append(folder / "deposit.zip")
    written[-1].write_bytes(records.deposit(study, _codebooks(home), list(_codings(home))))
    home.audit.append("records", files=len(written), cases=[c.id for c in study.cases])
    return Receipt("records", counts={"files": len(written)}, seconds=time.monotonic() - start), written


def study_record(home: Home, controller: str, contact: str, officer: str, now: datetime) -> StudyRecord:
    """Everything measured and declared, as the papers take it."""
    verdict = home.audit.verify()
    events: Counter[str] = Counter()
    erased = 0
    for entry in home.audit.entries():
        events[f"erase: {entry.facts['why']}" if entry.event == "erase" else entry.event] += 1
        erased += entry.facts.get("posts", 0) if entry.event == "erase" else 0
    state, note = ProjectKey.status(home=home.root)
    return StudyRecord(
        made=now,
        version=importlib.metadata.version("veldwerk"),
        cases=[case_record(home, case) for case in home.cases.values()],
        redactor=active_model(),
        key=f"{state}, {note}",
        entries=verdict.entries,
        whole=verdict.whole,
        events=dict(events),
        erased_posts=erased,
        controller=controller,
        contact=contact,
        officer=officer,
    )


def case_record(home: Home, case: Case) -> CaseRecord:
    """One case: its file, and the figures of what is stored of it."""
    figures = overview.case_figures(home.store, case.id)
    return CaseRecord(
        id=case.id,
        title={"nl": case.title.nl, "en": case.title.en},
        question=case.question,
        sources=[SourceRecord(s.name, s.collector, s.private, s.about.strip()) for s in case.sources],
        policy=case.policy,
        posts=figures.posts,
        authors=figures.authors,
        threads=figures.threads,
        first=figures.first,
        last=figures.last,
        platforms=overview.posts_by(home.store, case.id, "platform"),
        disclosures=overview.disclosures_by_type(home.store, case.id),
        runs=_runs(home, case.id),
        kept_out=len(home.store.suppressed(case.id)),
        refreshable=home.vault.count(case.id),
        key=Salts(home.root, case.id).state(),
    )


def _runs(home: Home, case: str) -> list[dict[str, Any]]:
    """The runs of a case by source, collector and version."""
    found: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for source, collector, version, counts in overview.runs(home.store, case):
        found[source, collector, version].update({"runs": 1, **{k: counts.get(k, 0) for k in ("stored", "skipped")}})
    return [
        {"source": s, "collector": c, "version": v, **{k: n[k] for k in ("runs", "stored", "skipped")}}
        for (s, c, v), n in sorted(found.items())
    ]


def _codings(home: Home) -> Iterator[dict[str, Any]]:
    """What coded, in which version, with which codebook; human coders only by number."""
    people: dict[str, str] = {}
    for coding in home.store.codings():
        human = coding.coder == "human"
        name = people.setdefault(coding.name, f"coder {len(people) + 1}") if human else coding.name
        started = f"{coding.started:%Y-%m-%d}"
        yield {
            "coder": coding.coder,
            "name": name,
            "version": coding.version,
            "codebook": coding.codebook,
            "on": started,
        }


def _codebooks(home: Home) -> dict[str, str]:
    """The codebooks that the cases use, by file name."""
    wanted = {case.codebook for case in home.cases.values()}
    shipped = files("coding.codebooks")
    return {
        f"{name}.yaml": (shipped / f"{name}.yaml").read_text(encoding="utf-8")
        for name in sorted(wanted)
        if (shipped / f"{name}.yaml").is_file()
    }
