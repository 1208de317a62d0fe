"""Samples for human coding: which posts could be drawn, which were, with what probability, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from .store import POST_COLUMNS, Store, StoreError, aware, naive, row_to_post

if TYPE_CHECKING:
    from .records import Post


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One drawn sample. `case` is a case id, or "all".

    `settings` is a JSON text with what the design was told (strata, floor, machine coding, frame size).
    """

    id: str
    case: str
    design: str
    size: int
    seed: int
    settings: str
    drawn: datetime


@dataclass(frozen=True, slots=True)
class SampleItem:
    """A drawn post: `position` is its random place in the coding order, `probability` its inclusion probability."""

    post: str
    version: int
    position: int
    probability: float
    stratum: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """A drawn post with what a coder may read beside it: earlier posts of its thread, oldest first."""

    item: SampleItem
    post: Post
    context: tuple[Post, ...]


def frame(store: Store, case: str | None = None, kind: str = "post") -> pl.DataFrame:
    """
    The posts that can be drawn, in a fixed order and without their texts.

    Columns: post, version, case, platform, month ("2025-01"), thread, author, reply (whether it answers a post).
    """
    with store.transaction() as db:
        return db.execute(
            "select id as post, version, \"case\", platform, strftime(created, '%Y-%m') as month, thread, author, "
            "reply_to is not null as reply "
            'from current_post where kind = ? and (? is null or "case" = ?) order by id',
            [kind, case, case],
        ).pl()


def marks(store: Store, coding: str) -> pl.DataFrame:
    """What *coding* marked on current versions: columns post, code, score (its highest), one row a post and code."""
    with store.transaction() as db:
        return db.execute(
            "select a.post, a.code, max(a.score) as score from annotation a join current_post p "
            "on p.id = a.post and p.version = a.version where a.coding = ? group by all order by 1, 2",
            [coding],
        ).pl()


def seen(store: Store, coding: str) -> pl.DataFrame:
    """The posts whose current version *coding* has coded, with or without a mark: one column, post."""
    with store.transaction() as db:
        return db.execute(
            "select distinct c.post from coded c join current_post p on p.id = c.post and p.version = c.version "
            "where c.coding = ? order by 1",
            [coding],
        ).pl()


def keep_sample(
    store: Store,
    sample: Sample,
    items: pl.DataFrame,
    frame: pl.DataFrame,
    coders: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """
    Keep a sample, its items, its frame, and per coder the posts that are hers, in one transaction.

    `items` has the columns of SampleItem, `frame` a row for each post that could be drawn: post, probability.
    StoreError when a sample of this id exists.
    """
    pairs = [(post, coder) for coder, posts in (coders or {}).items() for post in posts]
    with store.transaction() as db:
        if db.execute("select 1 from sample where id = ?", [sample.id]).fetchone():
            msg = f"there is already a sample {sample.id}; give another seed"
            raise StoreError(msg)
        values = [
            sample.id,
            sample.case,
            sample.design,
            sample.size,
            sample.seed,
            sample.settings,
            naive(sample.drawn),
        ]
        db.execute("insert into sample values (?, ?, ?, ?, ?, ?, ?)", values)
        db.register("new_item", items.select("post", "version", "position", "probability", "stratum").to_arrow())
        db.execute("insert into sample_item select ?, * from new_item", [sample.id])
        db.register("new_frame", frame.select("post", "probability").to_arrow())
        db.execute("insert into sample_frame select ?, * from new_frame", [sample.id])
        db.register(
            "new_coder",
            pl.DataFrame(pairs, schema=["post", "coder"], orient="row").cast(pl.String).to_arrow(),
        )
        db.execute("insert into sample_coder select ?, post, coder from new_coder", [sample.id])
        for name in ("new_item", "new_frame", "new_coder"):
            db.unregister(name)


def samples(store: Store, case: str | None = None) -> list[Sample]:
    """All samples of *case* (and those of all cases together), oldest first."""
    rows = store.query(
        "select * from sample where ? is null or \"case\" in (?, 'all') order by drawn, id", [case, case]
    )
    return [Sample(*map(aware, row)) for row in rows]


def sample(store: Store, id_: str) -> Sample:
    """The sample with this id; StoreError when there is none."""
    rows = store.query("select * from sample where id = ?", [id_])
    if not rows:
        msg = f"there is no sample {id_!r}"
        raise StoreError(msg)
    return Sample(*map(aware, rows[0]))


def items(store: Store, sample_id: str) -> pl.DataFrame:
    """The items of a sample whose drawn version is still the current one, in coding order."""
    with store.transaction() as db:
        return db.execute(
            "select i.post, i.version, i.position, i.probability, i.stratum from sample_item i join current_post p "
            "on p.id = i.post and p.version = i.version where i.sample = ? order by i.position",
            [sample_id],
        ).pl()


def in_frame(store: Store, sample_id: str) -> pl.DataFrame:
    """The posts the sample could have drawn and that are still kept: columns post, probability."""
    with store.transaction() as db:
        return db.execute(
            "select f.post, f.probability from sample_frame f semi join post p on p.id = f.post "
            "where f.sample = ? order by 1",
            [sample_id],
        ).pl()


def coders_of(store: Store, sample_id: str) -> dict[str, list[str]]:
    """Per coder named when the sample was drawn, her posts in coding order."""
    rows = store.query(
        "select c.coder, list(c.post order by i.position) from sample_coder c "
        "join sample_item i using (sample, post) where c.sample = ? group by 1 order by 1",
        [sample_id],
    )
    return {coder: list(posts) for coder, posts in rows}


def sampled(store: Store, sample_id: str, *, before: int = 3, batch: int = 500) -> Iterator[Sampled]:
    """
    The posts of a sample in coding order, at the version drawn, each with its context.

    Context: the thread's first post, the post replied to, and the *before* posts just before it. Posts
    erased since are gone from the sample too.
    """
    rows = store.query(
        "select post, version, position, probability, stratum from sample_item where sample = ? order by position",
        [sample_id],
    )
    for start in range(0, len(rows), batch):
        yield from _with_context(store, [SampleItem(*row) for row in rows[start : start + batch]], before)


def returnable(store: Store, case: str | None = None) -> list[tuple[str, int]]:
    """The posts that were sampled and are still kept, each with its latest sampled version."""
    rows = store.query(
        "select p.id, max(p.version) from post p join sample_item i on i.post = p.id and i.version = p.version "
        'where ? is null or p."case" = ? group by 1 order by 1',
        [case, case],
    )
    return [(post, version) for post, version in rows]


def posts_of(store: Store, wanted: Sequence[tuple[str, int]]) -> dict[str, Post]:
    """The posts with these ids at these versions, by id; those not kept any more are left out."""
    columns = ", ".join(f"p.{c.strip()}" for c in POST_COLUMNS.split(","))
    rows = store.query(
        f"select {columns}, null from post p join (select unnest(?::text[]) as id, unnest(?::integer[]) as version) w "
        "on w.id = p.id and w.version = p.version",
        [[w[0] for w in wanted], [w[1] for w in wanted]],
    )
    return {row[0]: row_to_post(row) for row in rows}


def _with_context(store: Store, chosen: Sequence[SampleItem], before: int) -> Iterator[Sampled]:
    posts = posts_of(store, [(i.post, i.version) for i in chosen])
    around = _around(store, list(posts), before)
    context = posts_of(store, [pair for pairs in around.values() for pair in pairs])
    for item in chosen:
        if item.post in posts:
            beside = [context[p] for p, _ in around.get(item.post, ()) if p in context]
            yield Sampled(item, posts[item.post], tuple(sorted(beside, key=lambda p: (p.created, p.id))))


def _around(store: Store, ids: Sequence[str], before: int) -> dict[str, list[tuple[str, int]]]:
    rows = store.query(
        """
        with line as (
            select id, version, thread, reply_to, row_number() over (partition by thread order by created, id) as place
            from current_post where thread in (select thread from current_post where id in (select unnest(?::text[]))))
        select w.id, list((c.id, c.version)) from line w join line c on c.thread = w.thread and c.place < w.place
            and (c.place = 1 or c.place >= w.place - ? or c.id = w.reply_to)
        where w.id in (select unnest(?::text[])) group by 1
        """,
        [list(ids), before, list(ids)],
    )
    return {post: [tuple(pair) for pair in pairs] for post, pairs in rows}
