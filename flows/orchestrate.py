"""
The Prefect flows: thin skins over plain functions.

They exchange case ids, source names, dates and receipts, never posts: Prefect keeps parameters, states and
logs in a database of its own. A failure crosses the boundary as `StepFailed`, one line without content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from .collect import attempt
from .home import Home
from .progress import progress
from .receipt import Receipt


class StepFailed(Exception):
    """A step failed; the message is the receipt's own line."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.line())
        self.receipt = receipt


def _do(step: str, case: str, source: str, work: Callable[[], Receipt]) -> Receipt:
    code, receipt = attempt(step, case, source, work)
    progress().say(receipt.line())
    if code:
        raise StepFailed(receipt)
    return receipt


def _or_failed(call: Callable[[], Receipt]) -> Receipt:
    """The receipt of a task, whether it went well or not: the tasks after it go on."""
    try:
        return call()
    except StepFailed as failed:
        return failed.receipt


@task(name="collect-source", task_run_name="collect {case} {source}", cache_policy=NO_CACHE, persist_result=False)
def collect_source(case: str, source: str, since: datetime | None, until: datetime | None) -> Receipt:
    """Collect one source of one case from where it stopped."""
    from collectors import Window

    from .collect import collect_source as work

    home = Home.open()

    def collect() -> Receipt:
        chosen = home.case(case)
        return work(home, chosen, chosen.source(source), Window(since, until), progress())

    return _do("collect", case, source, collect)


@task(name="code-case", task_run_name="code {case} with {coder}", cache_policy=NO_CACHE, persist_result=False)
def code_case(case: str, coder: str) -> Receipt:
    """Code the posts of one case that this coder has not seen yet."""
    from .code import code_case as work

    home = Home.open()
    return _do("code", case, coder, lambda: work(home, home.case(case), coder, progress()))


@task(name="publish-case", task_run_name="publish {case}", cache_policy=NO_CACHE, persist_result=False)
def publish_case(case: str) -> Receipt:
    """Draw the annotation sample of one case."""
    from .publish import publish_sample

    home = Home.open()
    return _do("sample", case, "", lambda: publish_sample(home, home.case(case)))


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
def publish_all() -> Receipt:
    """Write the codebook and the summary page over all cases."""
    from .publish import publish_pages

    home = Home.open()
    return _do("publish", "", "", lambda: publish_pages(home))


@task(name="fieldwork-source", task_run_name="fieldwork {case} {source}", cache_policy=NO_CACHE, persist_result=False)
def fieldwork_source(case: str, source: str, collector: str, place: str) -> Receipt:
    """Take in one source of the shipped fieldwork set; `place` is its export, or where and how it is served."""
    from .fieldwork import Place, take_in

    home = Home.open()
    found = Place(case, source, collector, place)
    return _do("collect", case, source, lambda: take_in(home, found, progress()))


@flow(name="collect", flow_run_name="collect {case}", persist_result=False)
def collect(
    case: str, source: str | None = None, since: datetime | None = None, until: datetime | None = None
) -> list[Receipt]:
    """Collect the live sources of a case, or one of them."""
    from .collect import live_sources

    names = [s.name for s in live_sources(Home.open().case(case), source)]
    return _all([_or_failed(partial(collect_source, case, name, since, until)) for name in names])


@flow(name="code", persist_result=False)
def code(cases: list[str] | None = None, coder: str = "rules") -> list[Receipt]:
    """Code what is new in these cases, or in all."""
    return _all([_or_failed(partial(code_case, c, coder)) for c in cases or Home.open().cases])


@flow(name="export", persist_result=False)
def export(cases: list[str] | None = None) -> list[Receipt]:
    """Write samples, codebook and summary of these cases, or of all, to the home's `out`."""
    drawn = [_or_failed(partial(publish_case, c)) for c in cases or Home.open().cases]
    return _all([*drawn, _or_failed(publish_all)])


@task(name="refresh-source", task_run_name="refresh {case} {source}", cache_policy=NO_CACHE, persist_result=False)
def refresh_source(case: str, source: str) -> Receipt:
    """Follow edits and deletions of one source."""
    from .refresh import refresh_source as work

    home = Home.open()

    def refresh() -> Receipt:
        chosen = home.case(case)
        return work(home, chosen, chosen.source(source), progress())

    return _do("refresh", case, source, refresh)


@task(name="retain-case", task_run_name="retain {case}", cache_policy=NO_CACHE, persist_result=False)
def retain_case(case: str) -> Receipt:
    """Apply the retention periods of one case."""
    from .retain import retain_case as work

    home = Home.open()
    return _do("retain", case, "", lambda: work(home, home.case(case)))


@flow(name="refresh", persist_result=False)
def refresh() -> list[Receipt]:
    """Follow edits and deletions of every live source of every case."""
    from .collect import live_sources

    places = [(c.id, s.name) for c in Home.open().cases.values() for s in live_sources(c) if s.schedule]
    return _all([_or_failed(partial(refresh_source, case, source)) for case, source in places])


@flow(name="retain", persist_result=False)
def retain() -> list[Receipt]:
    """Apply the retention periods of every case."""
    return _all([_or_failed(partial(retain_case, c)) for c in Home.open().cases])


@flow(name="study", persist_result=False)
def study() -> list[Receipt]:
    """The main job: all cases on the shipped fieldwork set, from collection to the pages."""
    from .fieldwork import served

    home = Home.open()
    receipts: list[Receipt] = []
    with served(home) as places:
        for p in places:
            receipts.append(_or_failed(partial(fieldwork_source, p.case, p.source, p.collector, p.place)))
    receipts += [_or_failed(partial(code_case, c, "rules")) for c in home.cases]
    receipts += [_or_failed(partial(publish_case, c)) for c in home.cases]
    return _all([*receipts, _or_failed(publish_all)])


def _all(receipts: list[Receipt]) -> list[Receipt]:
    """These receipts, unless one failed: then the flow run fails too, saying how many and which."""
    failed = [r for r in receipts if r.failed]
    if failed:
        raise FlowFailed(receipts)
    return receipts


class FlowFailed(Exception):
    """Some steps of a flow failed; the others were done. `receipts` holds them all."""

    def __init__(self, receipts: list[Receipt]) -> None:
        failed = [r.line() for r in receipts if r.failed]
        super().__init__(f"{len(failed)} of {len(receipts)} steps failed: " + "; ".join(failed))
        self.receipts = receipts
