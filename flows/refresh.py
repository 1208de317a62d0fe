"""Follow what people did to their posts since: edits become versions, deletions are erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from collectors import Collector, Gone, Item, Mark, RawPost, Sealed, load_collector
from ethics.gate import in_its_thread
from ethics.permits import permit
from ethics.rights import Erasure, erase_posts
from storage.vault import Locator

from .case import Case, Source
from .collect import keep, known, live_sources, settings_of
from .errors import WorkFailed
from .fieldwork import PREFIX
from .home import Home
from .progress import Progress
from .receipt import Receipt

DEADLINES = {"reddit": timedelta(days=2), "youtube": timedelta(days=30)}
"""Within what time a platform wants its deletions followed; a case's retention may say so for others."""


def refresh_source(home: Home, case: Case, source: Source, progress: Progress, limit: int | None = None) -> Receipt:
    """
    Ask the platform about the stored posts of one source, those heard of longest ago first, `limit` at most.

    The counts hold `asked`, `edited`, `gone` and `overdue` (posts not heard of within the platform's deadline
    after this). Raises Refused without the approvals that collecting needs, CollectorError when the platform
    fails: what it said before is followed.
    """
    collector = known(load_collector, source.collector)
    settings = settings_of(collector, case, source)
    permit(case.policy, platform=source.collector, private=source.private, live=True)
    groups = list(_locators(home, case, source, limit))
    gone: list[tuple[str, Sealed]] = []
    items = _ask(home, collector, settings, groups, gone)
    try:
        receipt = keep(home, case, source, collector.VERSION, settings, items, progress, "refresh")
    finally:
        erased = _follow(home, case, gone)
    counts = {
        "asked": sum(map(len, groups)),
        "edited": receipt.counts.get("edited", 0),
        "unchanged": receipt.counts.get("duplicates", 0),
        "gone": erased.posts,
        "overdue": _overdue(home, case, source),
    }
    return replace(receipt, counts=counts)


def _ask(
    home: Home, collector: Collector, settings: object, groups: list[list[Locator]], gone: list[tuple[str, Sealed]]
) -> Iterator[Item]:
    """What the platform has of these posts now; those that it has not go to *gone*."""
    for group in groups:
        for found in collector.refresh(settings, [Sealed(x.native) for x in group]):
            if isinstance(found, RawPost):
                yield in_its_thread(found, group)
            elif isinstance(found, Gone):
                gone.append((group[0].platform, found.id))
        yield Mark()
        # The batch before the mark is stored by now: the platform's answer has been followed.
        home.vault.checked(x.post for x in group)


def _follow(home: Home, case: Case, gone: list[tuple[str, Sealed]]) -> Erasure:
    if not gone:
        return Erasure()
    names = home.pseudonyms(case.id)
    posts = list(dict.fromkeys(names.post(platform, native) for platform, native in gone))
    erased = erase_posts(home.holdings, case.id, posts, why="deleted on the platform")
    if not erased.proven:
        msg = f"{case.id}: posts that were deleted on the platform are still found in {', '.join(erased.left)}"
        raise WorkFailed(msg)
    return erased


def _locators(home: Home, case: Case, source: Source, limit: int | None) -> Iterator[list[Locator]]:
    """The source's own locators, and for the first source of a platform those that came in by imports."""
    left = limit
    for name in _names(home, case, source):
        for group in home.vault.of(case.id, name):
            taken = group if left is None else group[:left]
            if taken:
                yield taken
            left = None if left is None else left - len(taken)


def _names(home: Home, case: Case, source: Source) -> list[str]:
    live = live_sources(case)
    names = [source.name]
    if source == next(s for s in live if s.collector == source.collector):
        own = {s.name for s in live}
        names += [
            name
            for name, platform in home.vault.sources(case.id)
            if platform == source.collector and name not in own and not name.startswith(PREFIX)
        ]
    return names


def deadline(case: Case, platform: str) -> timedelta | None:
    """Within what time what happens on this platform must be followed."""
    days = case.policy.retention.platforms.get(platform)
    return timedelta(days=days) if days is not None else DEADLINES.get(platform)


def _overdue(home: Home, case: Case, source: Source) -> int:
    within = deadline(case, source.collector)
    if within is None:
        return 0
    posts = home.vault.unchecked(case.id, datetime.now(UTC) - within, source.collector)
    return len(posts)
