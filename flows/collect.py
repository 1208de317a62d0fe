"""Collect and import: from a source through the gate into the store. Plain functions; Prefect skins call them."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from collectors import (
    Collector,
    Importer,
    Item,
    Window,
    available,
    detect,
    load_collector,
    load_importer,
)
from ethics.gate import admit
from ethics.permits import permit
from storage import Run

from .case import Case, Source
from .errors import WrongUse
from .failure import explain
from .home import Home
from .progress import Progress
from .receipt import Receipt

Kept = Counter[str]
BATCH = 2000
"""Posts that are kept together until a source says where it is: each transaction has a fixed cost."""


def collect_source(
    home: Home, case: Case, source: Source, window: Window, progress: Progress, *, live: bool = True
) -> Receipt:
    """
    Run the platform collector of one source, from where it stopped, through the gate into the store.

    `live=False` is for the fieldwork set alone, which no platform and no person stands behind. Raises Refused
    before the first request where the protocol does not allow it, WrongUse for settings
    that the collector does not know, CollectorError when the platform fails; what came before is kept.
    """
    collector = known(load_collector, source.collector)
    settings = settings_of(collector, case, source)
    if live:
        permit(case.policy, platform=source.collector, private=source.private, live=True)
    saved = home.store.cursor(case.id, source.name)
    cursor = home.seal.open(saved) if saved is not None else None
    items = collector.collect(settings, replace(window, cursor=cursor))
    return keep(home, case, source, collector.VERSION, settings, items, progress)


def import_path(home: Home, case: Case, path: Path, wanted: str, progress: Progress) -> Receipt:
    """
    Read one export through the gate into the store; `wanted` is a format name or "auto".

    The counts hold `read`, `stored`, `duplicates`, `edited` and `skipped: <reason>`, with
    read = stored + duplicates + skipped: a known post with other words is stored as a new version and
    counts as stored. Raises UnreadableExport naming the file; nothing of a batch is then half-stored.
    """
    if not path.exists():
        msg = f"{path}: no such file"
        raise WrongUse(msg)
    source = _import_source(case, detect(path) if wanted == "auto" else wanted)
    notice = permit(case.policy, platform=source.collector, private=source.private, live=False)
    if notice:
        progress.say(notice)
    return import_as(home, case, source, path, progress)


def import_kind(home: Home, case: Case, path: Path, collector: str, source: str, progress: Progress) -> Receipt:
    """Read a transcript or a document through the same gate, as what this source brings; see `import_path`."""
    if not path.exists():
        msg = f"{path}: no such file"
        raise WrongUse(msg)
    permit(case.policy, platform=collector, private=True, live=False)
    return import_as(home, case, Source(name=source, collector=collector, private=True), path, progress)


def import_as(home: Home, case: Case, source: Source, path: Path, progress: Progress) -> Receipt:
    """Read one export as what this source brings; see `import_path`."""
    importer = known(load_importer, source.collector)
    settings = settings_of(importer, case, source)
    return keep(home, case, source, importer.VERSION, settings, importer.read(path, settings), progress)


def _import_source(case: Case, name: str) -> Source:
    """The case's own source of this format, for its settings; else one named after the format."""
    own = [s for s in case.sources if s.collector == name]
    return own[0] if own else Source(name=name, collector=name, private=name in PRIVATE)


PRIVATE = frozenset({"meta-download", "whatsapp"})
"""Formats that only come out of private groups."""


def keep(
    home: Home,
    case: Case,
    source: Source,
    version: str,
    settings: BaseModel,
    items: Iterable[Item],
    progress: Progress,
    step: str = "collect",
) -> Receipt:
    """Let *items* through the gate into the store, as one run of this source; *step* is what the trail calls it."""
    start = time.monotonic()
    run = Run(
        uuid.uuid4().hex, case.id, source.name, source.collector, version, settings.model_dump_json(), datetime.now(UTC)
    )
    home.store.begin_run(run)
    kept: Kept = Counter()
    try:
        counted = progress.count(items, f"{case.id} {source.name}")
        _admit_all(home, case, source, run, counted, kept)
    finally:
        # Whatever ended the run, what was taken in is in the store, and so in the trail.
        home.store.end_run(run.id, dict(kept))
        home.audit.append(step, case=case.id, source=source.name, run=run.id, counts=dict(kept))
    return Receipt(step, case.id, source.name, dict(kept), time.monotonic() - start)


def _admit_all(home: Home, case: Case, source: Source, run: Run, items: Iterator[Item], kept: Kept) -> None:
    admissions = admit(
        items,
        case=case.id,
        source=source.name,
        run=run.id,
        policy=case.policy,
        names=home.pseudonyms(case.id),
        redactor=home.redactor(case),
        labels=lambda threads: home.store.labels(case.id, threads),
        suppressed=lambda: home.store.suppressed(case.id),
        seal=home.seal,
        batch_size=BATCH,
        # A native id is worth keeping only where a platform can be asked about it again.
        locate=frozenset(available("refresh")),
    )
    for admission in admissions:
        # The vault first: a locator without its post is harmless, a post without its locator could not be erased.
        home.vault.add(admission.locators)
        added = home.store.add(admission.batch)
        skipped = sum(admission.skipped.values())
        kept["read"] += len(admission.batch.posts) + skipped
        kept["stored"] += added.stored + added.edited
        kept["edited"] += added.edited
        kept["duplicates"] += added.duplicates
        kept["skipped"] += skipped
        kept.update({f"skipped: {reason}": n for reason, n in admission.skipped.items()})
        kept.update({f"platform: {what}": n for what, n in admission.counts.items()})


def settings_of(module: Collector | Importer, case: Case, source: Source) -> BaseModel:
    """The source's settings, filled and checked; WrongUse names the case file and the path in it."""
    try:
        return module.Settings(**source.settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"cases/{case.id}.yaml: sources.{source.name}.settings.{where}: {first['msg']}"
        raise WrongUse(msg) from None


def known(load: Callable[[str], Any], name: str) -> Any:
    """What *load* has under *name*; WrongUse names what there is."""
    try:
        return load(name)
    except LookupError as error:
        raise WrongUse(str(error.args[0])) from None


def live_sources(case: Case, name: str | None = None) -> list[Source]:
    """The sources of *case* that a collector can run, or the one called *name*."""
    if name is not None:
        return [case.source(name)]
    live = set(available("collect"))
    return [s for s in case.sources if s.collector in live]


def attempt(step: str, case: str, source: str, work: Callable[[], Receipt]) -> tuple[int, Receipt]:
    """Do *work*; a failure becomes a receipt with its line and exit code, so that the next source goes on."""
    start = time.monotonic()
    try:
        return 0, work()
    except Exception as error:  # noqa: BLE001 (one source must not stop the others; explain() keeps content out)
        code, line = explain(error)
    return code, Receipt(step, case, source, {}, time.monotonic() - start, line)


def import_totals(receipts: list[Receipt]) -> dict[str, Any]:
    """All files together: read, stored, duplicates, and skipped with a count per reason."""
    total: Kept = Counter()
    for receipt in receipts:
        total.update(receipt.counts)
    prefix = "skipped: "
    reasons = {k.removeprefix(prefix): n for k, n in sorted(total.items()) if k.startswith(prefix)}
    plain = {k: total[k] for k in ("read", "stored", "duplicates", "edited")}
    return {**plain, "skipped": reasons}


def tell_imports(case: str, results: list[tuple[int, Receipt]], *, as_json: bool) -> int:
    """Print what became of the files, failures on stderr; returns the exit code."""
    failed = [receipt for code, receipt in results if code]
    if as_json:
        totals = import_totals([receipt for _, receipt in results])
        print(json.dumps({"case": case, **totals, "failed": [r.failed for r in failed]}, ensure_ascii=False))
    else:
        for code, receipt in results:
            if not code:
                print(receipt.line())
    for receipt in failed:
        print(f"veldwerk: {receipt.failed}", file=sys.stderr)
    return max((code for code, _ in results), default=0)
