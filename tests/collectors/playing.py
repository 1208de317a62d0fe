"""Run a collector in a test, and compare what it gives with what is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from collectors import Mark, RawPost, Sealed, Skip, Window, load_collector
from demo.fieldwork import native_author, native_id, native_thread, parent_of, rows
from demo.replay import ReplaySource

ALL = Window()
Plain = tuple[str, str, str, str | None, str | None, str, str]


def plain(post: RawPost) -> Plain:
    """Id, author, text, thread, reply, created, platform of a post, opened."""
    return (
        post.id.reveal(),
        post.author.reveal(),
        post.text.reveal(),
        post.thread.reveal() if post.thread else None,
        post.reply_to.reveal() if post.reply_to else None,
        post.created.isoformat(),
        post.platform,
    )


def expected(source: ReplaySource) -> dict[str, Plain]:
    """What the fieldwork set holds for a source, as its collector must give it."""
    wanted = {}
    for row in rows(source.case, source.platform):
        parent, number = parent_of(row), native_id(row)
        created = row.created.astimezone(UTC).isoformat()
        reply = native_id(parent) if parent else None
        wanted[number] = (
            number,
            native_author(row),
            row.text,
            native_thread(row),
            reply,
            created,
            source.collector,
        )
    return wanted


@dataclass
class Collected:
    """What a run gave: posts in order, skips by reason, counts added up, and the last cursor."""

    posts: list[Plain]
    skipped: Counter[str]
    counts: Counter[str]
    cursor: Sealed | None

    @property
    def ids(self) -> list[str]:
        return [p[0] for p in self.posts]

    @property
    def by_id(self) -> dict[str, Plain]:
        return {p[0]: p for p in self.posts}


def run(collector: str, settings: dict[str, Any], window: Window = ALL, stop: int | None = None) -> Collected:
    """
    Collect; with *stop* break off after so many items and keep only what stood before the last Mark.

    That is what is left after a crash: what came after the last Mark was in no transaction yet.
    """
    module = load_collector(collector)
    kept = Collected([], Counter(), Counter(), window.cursor)
    pending: list[Plain] = []
    items = module.collect(module.Settings(**settings), window)
    for number, item in enumerate(items):
        if stop is not None and number >= stop:
            return kept
        if isinstance(item, RawPost):
            pending.append(plain(item))
        elif isinstance(item, Skip):
            kept.skipped[item.reason] += 1
        else:
            assert isinstance(item, Mark)
            kept.posts += pending
            pending.clear()
            kept.counts.update(item.counts)
            kept.cursor = item.cursor or kept.cursor
    kept.posts += pending
    return kept
