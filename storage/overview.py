"""What pages tell of a case in figures: posts (not interviews), sources, disclosures, codes, and posts to quote."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from .records import Post
from .store import POST_COLUMNS, Store, aware, row_to_post


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """One case: posts in their current version, authors, threads, and the moments of the first and last post (UTC)."""

    posts: int
    authors: int
    threads: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One source over all its runs: counts by outcome, as `veldwerk collect` and `import` told them."""

    source: str
    collector: str
    counts: dict[str, int]


def sources(store: Store) -> list[str]:
    """The names of all sources that brought posts."""
    return [name for (name,) in store.query("select distinct source from post order by 1")]


def case_figures(store: Store, case: str) -> CaseFigures:
    """The size of a case."""
    row = store.query(
        "select count(*), count(distinct author), count(distinct thread), min(created), max(created) "
        "from current_post where \"case\" = ? and kind = 'post'",
        [case],
    )[0]
    return CaseFigures(row[0], row[1], row[2], aware(row[3]), aware(row[4]))


def source_figures(store: Store, case: str) -> list[SourceFigures]:
    """What each source of a case brought, over its finished runs."""
    rows = store.query('select source, collector, counts from run where "case" = ? order by source, started', [case])
    total: dict[tuple[str, str], Counter[str]] = {}
    for source, collector, counts in rows:
        total.setdefault((source, collector), Counter()).update(json.loads(counts))
    return [SourceFigures(s, c, dict(n)) for (s, c), n in total.items()]


def posts_by(store: Store, case: str, what: str) -> dict[str, int]:
    """Posts of a case by "platform", "month" (2025-03) or "kind"."""
    columns = {"platform": "platform", "month": "strftime(created, '%Y-%m')", "kind": "kind"}
    rows = store.query(
        f'select {columns[what]}, count(*) from current_post where "case" = ? group by 1 order by 1', [case]
    )
    return dict(rows)


def disclosures_by_type(store: Store, case: str) -> dict[str, int]:
    """How much personal data of each type stood in the current versions of a case's posts, most first."""
    rows = store.query(
        "select d.type, sum(d.count)::bigint n from disclosure d "
        "join current_post p on p.id = d.post and p.version = d.version "
        'where p."case" = ? group by 1 order by n desc, 1',
        [case],
    )
    return dict(rows)


def posts_by_code(store: Store, coding: str, case: str) -> dict[str, int]:
    """How many posts of a case carry each code in this coding."""
    rows = store.query(
        "select a.code, count(distinct a.post) from annotation a "
        "join current_post p on p.id = a.post and p.version = a.version "
        "where a.coding = ? and p.\"case\" = ? and p.kind = 'post' group by 1",
        [coding, case],
    )
    return dict(rows)


def authors_by_code(store: Store, coding: str, case: str) -> dict[str, int]:
    """How many authors of a case wrote a post with each code in this coding."""
    rows = store.query(
        "select a.code, count(distinct p.author) from annotation a "
        "join current_post p on p.id = a.post and p.version = a.version "
        "where a.coding = ? and p.\"case\" = ? and p.kind = 'post' group by 1",
        [coding, case],
    )
    return dict(rows)


def posts_seen(store: Store, coding: str, case: str) -> tuple[int, int]:
    """How many posts of a case this coding has seen, and how many of them it gave a code."""
    row = store.query(
        "select count(distinct c.post), count(distinct a.post) from coded c "
        "join current_post p on p.id = c.post and p.version = c.version "
        "left join annotation a on a.coding = c.coding and a.post = c.post and a.version = c.version "
        "where c.coding = ? and p.\"case\" = ? and p.kind = 'post'",
        [coding, case],
    )[0]
    return row[0], row[1]


def quotable(store: Store, coding: str, code: str, limit: int) -> list[tuple[Post, int, int]]:
    """
    Posts that could illustrate a code, with the evidence span: the surest and shortest first, one an author.

    Posts shorter than 20 characters say too little; the order does not change between calls.
    """
    columns = ", ".join(f"p.{c.strip()}" for c in POST_COLUMNS.split(","))
    rows = store.query(
        f"""with marked as (
            select a.post, a.version, max(a.score) score,
                max_by(struct_pack(s := a."start", e := a."end"), a.score) span
            from annotation a where a.coding = ? and a.code = ? and a."start" is not null group by 1, 2)
        select {columns}, null, m.span.s, m.span.e from marked m
        join current_post p on p.id = m.post and p.version = m.version
        where length(p.text) >= 20 and p.kind = 'post'
        qualify row_number() over (partition by p.author order by m.score desc, length(p.text), p.id) = 1
        order by m.score desc, length(p.text), p.id limit ?""",
        [coding, code, limit],
    )
    return [(row_to_post(row[:-2]), row[-2], row[-1]) for row in rows]
