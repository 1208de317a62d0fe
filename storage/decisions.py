"""What people read in posts, and what was decided where they differed: append-only, the latest counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .store import Store, aware, naive

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a code holds for a post, by whose decision and why. The latest on a post and code is gold."""

    post: str
    version: int
    code: str
    present: bool
    decided_by: str
    reason: str
    decided: datetime


def decide(store: Store, decisions: Iterable[Decision]) -> int:
    """Keep decisions; those that only repeat the present state are left out. Returns how many were new."""
    new = 0
    with store.transaction() as db:
        now = {
            (post, version, code): (present, by, reason)
            for post, version, code, present, by, reason in db.execute(
                "select post, version, code, present, decided_by, reason from decision "
                "qualify row_number() over (partition by post, version, code order by decided desc, rowid desc) = 1"
            ).fetchall()
        }
        for d in decisions:
            if now.get((d.post, d.version, d.code)) != (d.present, d.decided_by, d.reason):
                db.execute("insert into decision values (?, ?, ?, ?, ?, ?, ?)", [naive(v) for v in astuple(d)])
                now[d.post, d.version, d.code] = (d.present, d.decided_by, d.reason)
                new += 1
    return new


def decisions(store: Store, case: str | None = None, *, history: bool = False) -> list[Decision]:
    """The decisions in force on current versions, or with *history* all there ever were, oldest first."""
    latest = (
        ""
        if history
        else "qualify row_number() over (partition by d.post, d.code order by decided desc, d.rowid desc) = 1"
    )
    rows = store.query(
        "select d.post, d.version, d.code, d.present, d.decided_by, d.reason, d.decided from decision d "
        f"join current_post p on p.id = d.post {'' if history else 'and p.version = d.version'} "
        f'where (? is null or p."case" = ?) {latest} order by d.decided, d.rowid',
        [case, case],
    )
    return [Decision(*map(aware, row)) for row in rows]


def readings(store: Store, case: str | None = None, machines: Sequence[str] = ()) -> pl.DataFrame:
    """
    What each human coder reads in each post, by her latest coding of its current version; one row each.

    Columns: coder, post, version, case, platform, thread, author, month, codes (a sorted list, perhaps
    empty), started (of the coding), place (in the coding order, if sampled). *machines* are ids of codings to
    set beside them on the same posts, under the name of their coder.
    """
    with store.transaction() as db:
        return db.execute(
            """
            with told as (
                select case when c.coder = 'human' then c.name else c.coder end as coder, s.post, s.version,
                       arg_max(c.id, struct_pack(a := c.started, b := c.id)) as coding, max(c.started) as started
                from coding c join coded s on s.coding = c.id
                where c.coder = 'human' or (c.id in (select unnest(?::text[])) and s.post in (
                    select h.post from coded h join coding k on k.id = h.coding where k.coder = 'human'))
                group by 1, 2, 3)
            select t.coder, t.post, t.version, p."case", p.platform, p.thread, p.author,
                   strftime(p.created, '%Y-%m') as month,
                   coalesce((select list(distinct a.code order by a.code) from annotation a where a.coding = t.coding
                             and a.post = t.post and a.version = t.version), []::text[]) as codes, t.started,
                   (select min(i.position) from sample_item i where i.post = t.post) as place
            from told t join current_post p on p.id = t.post and p.version = t.version
            where ? is null or p."case" = ? order by t.post, t.coder
            """,
            [list(machines), case, case],
        ).pl()


def last_reading(store: Store, coder: str) -> dict[str, tuple[str, int, frozenset[tuple[str, int | None, int | None]]]]:
    """Per post what this human coder said last: the coding's id, the version, and her marks (code, start, end)."""
    rows = store.query(
        """
        with told as (
            select s.post, arg_max(struct_pack(id := c.id, version := s.version),
                                   struct_pack(v := s.version, a := c.started, b := c.id)) as last
            from coding c join coded s on s.coding = c.id where c.coder = 'human' and c.name = ? group by 1)
        select t.post, t.last.id, t.last.version,
               (select list((a.code, a."start", a."end")) from annotation a where a.coding = t.last.id
                and a.post = t.post and a.version = t.last.version)
        from told t
        """,
        [coder],
    )
    return {post: (id_, version, frozenset(tuple(m) for m in marks or ())) for post, id_, version, marks in rows}


def read_before(store: Store, moment: datetime) -> list[str]:
    """The posts that people had coded, or decided on, before this moment (UTC)."""
    rows = store.query(
        "select s.post from coding c join coded s on s.coding = c.id where c.coder = 'human' and c.started < ? "
        "union select post from decision where decided < ? order by 1",
        [naive(moment), naive(moment)],
    )
    return [post for (post,) in rows]


def add_notes(store: Store, coding: str, notes: Iterable[tuple[str, str]]) -> None:
    """Keep a coder's remarks on posts, (post, note), under her coding."""
    with store.transaction() as db:
        for post, note in notes:
            db.execute("insert into coder_note values (?, ?, ?)", [coding, post, note])


def notes(store: Store, posts: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """The remarks on these posts: (coder, note) in order of name."""
    rows = store.query(
        "select n.post, list((c.name, n.note) order by c.name, c.started) from coder_note n "
        "join coding c on c.id = n.coding where n.post in (select unnest(?::text[])) group by 1",
        [list(posts)],
    )
    return {post: [tuple(pair) for pair in pairs] for post, pairs in rows}
