"""What coded posts look like beside each other: one row a post, with its thread, author, time and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from .store import Store


def coded_posts(store: Store, coding: str, case: str | None = None) -> pl.DataFrame:
    """
    The posts that *coding* has seen in their current version, thread by thread and oldest first.

    Columns: post, case, platform, thread, author, reply_to, created (UTC), codes (a list, empty where the
    coding gave none). No texts.
    """
    with store.transaction() as db:
        found = db.execute(
            'select p.id as post, p."case", p.platform, p.thread, p.author, p.reply_to, p.created, '
            "coalesce((select list(distinct a.code order by a.code) from annotation a where a.coding = c.coding "
            "and a.post = p.id and a.version = p.version), []::text[]) as codes "
            "from coded c join post p on p.id = c.post and p.version = c.version and p.latest "
            'where c.coding = ? and (? is null or p."case" = ?) order by p."case", p.thread, p.created, p.id',
            [coding, case, case],
        ).to_arrow_table()
    frame = pl.from_arrow(found)
    assert isinstance(frame, pl.DataFrame)
    return frame
