"""The corpus as it is given out: each current post with the codes that one coder gave it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from .posts import FETCH, as_posts, fetch, wanted

if TYPE_CHECKING:
    import pyarrow as pa

    from .records import Post
    from .store import Store

Coded = tuple["Post", "frozenset[str] | None"]


def coded_posts(store: Store, case: str | None, coder: str, kind: str | None = None) -> Iterator[Coded]:
    """
    Current posts in the order of threads, each with its codes by *coder*; None where that coder has not seen it.

    *coder* is a machine coder ("rules") or the code name of a human one. Where it has coded a post several
    times, the last reading counts.
    """
    ids = wanted(store, case, kind, None)
    codes = pl.DataFrame(_codes(store, case, coder))
    for start in range(0, len(ids), FETCH):
        page = ids.slice(start, FETCH)
        given = dict(pl.DataFrame(page).join(codes, left_on="id", right_on="post").iter_rows())
        for post in as_posts(fetch(store, page)):
            told = given.get(post.id)
            yield post, None if told is None else frozenset(told)


def coders(store: Store, case: str | None = None) -> list[tuple[str, int]]:
    """Who has coded current posts, most posts first: the coder's name, and how many it has seen."""
    rows = store.query(
        "select case when c.coder = 'human' then c.name else c.coder end as coder, count(distinct s.post) as posts "
        "from coded s join coding c on c.id = s.coding "
        "join post p on p.id = s.post and p.version = s.version and p.latest "
        'where ? is null or p."case" = ? group by 1 order by posts desc, coder',
        [case, case],
    )
    return [(name, posts) for name, posts in rows]


def _codes(store: Store, case: str | None, coder: str) -> pa.Table:
    """A row for each current post the coder has seen: `post`, and `codes`, an empty list when it gave none."""
    with store.transaction() as db:
        return db.execute(
            """
            with told as (
                select s.post, s.version, arg_max(c.id, struct_pack(a := c.started, b := c.id)) as coding
                from coded s join coding c on c.id = s.coding
                join post p on p.id = s.post and p.version = s.version and p.latest
                where (case when c.coder = 'human' then c.name else c.coder end) = ?
                  and (? is null or p."case" = ?) group by all)
            select t.post, coalesce(list(distinct a.code) filter (a.code is not null), []::text[]) as codes
            from told t left join annotation a
                on a.coding = t.coding and a.post = t.post and a.version = t.version group by 1
            """,
            [coder, case, case],
        ).to_arrow_table()
