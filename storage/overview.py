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


def runs(store: Store, case: str) -> list[tuple[str, str, str, dict[str, int]]]:
    """The runs of a case, oldest first: source, collector, its version, counts by outcome."""
    sql = 'select source, collector, version, counts from run where "case" = ? order by started, id'
    return [(s, c, v, json.loads(counts)) for s, c, v, counts in store.query(sql, [case])]


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


@dataclass(frozen=True, slots=True)
class CodeFigures:
    """What a coding gave in one case: posts and authors by code, how many posts it has seen, how many got a code."""

    posts: dict[str, int]
    authors: dict[str, int]
    seen: int
    coded: int


def code_figures(store: Store, coding: str, kind: str = "post") -> dict[str, CodeFigures]:
    """The figures of a coding by case, over the current versions of posts (or interviews) that it has seen."""
    given = store.query(
        'select p."case", a.code, count(distinct a.post), count(distinct p.author) from annotation a '
        "join current_post p on p.id = a.post and p.version = a.version "
        "where a.coding = ? and p.kind = ? group by all",
        [coding, kind],
    )
    seen = store.query(
        'select p."case", count(*), count(m.post) from coded c '
        "join current_post p on p.id = c.post and p.version = c.version "
        "left join (select distinct post, version from annotation where coding = ?) m "
        "on m.post = c.post and m.version = c.version where c.coding = ? and p.kind = ? group by 1",
        [coding, coding, kind],
    )
    return {
        case: CodeFigures(
            {code: n for at, code, n, _ in given if at == case},
            {code: n for at, code, _, n in given if at == case},
            posts,
            coded,
        )
        for case, posts, coded in seen
    }


@dataclass(frozen=True, slots=True)
class Quotable:
    """A post that could illustrate a code, and the span of its evidence."""

    code: str
    post: Post
    start: int
    end: int


def quotable(store: Store, coding: str, each: int, kind: str = "post") -> list[Quotable]:
    """
    For each code and case up to *each* posts that could illustrate it: the surest and shortest, one an author.

    Posts shorter than 20 characters say too little. The order does not change between calls.
    """
    columns = ", ".join(f"p.{c.strip()}" for c in POST_COLUMNS.split(","))
    rows = store.query(
        f"""with marked as (
            select a.post, a.version, a.code, max(a.score) score,
                max_by(struct_pack(s := a."start", e := a."end"), a.score) span
            from annotation a where a.coding = ? and a."start" is not null group by 1, 2, 3),
        first as (
            select m.*, p."case", length(p.text) size from marked m
            join current_post p on p.id = m.post and p.version = m.version
            where length(p.text) >= 20 and p.kind = ?
            qualify row_number() over (partition by m.code, p."case", p.author order by score desc, size, m.post) = 1),
        chosen as (
            select *, row_number() over (partition by code, "case" order by score desc, size, post) place from first
            qualify place <= ?)
        select {columns}, null, f.code, f.span.s, f.span.e from chosen f
        join current_post p on p.id = f.post and p.version = f.version order by f.code, f.place, f."case" """,
        [coding, kind, each],
    )
    return [Quotable(code, row_to_post(tuple(post)), start, end) for *post, code, start, end in rows]
