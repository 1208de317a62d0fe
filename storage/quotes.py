"""The quote register: which words of which post may be cited, in what form, and who approved it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .posts import POST_COLUMNS, row_to_post
from .times import aware, naive

if TYPE_CHECKING:
    from .records import Post
    from .store import Store


@dataclass(frozen=True, slots=True)
class Quote:
    """
    One approved quote: a span (code points) of a post's version.

    `paraphrase` are the words to use instead, empty when the words may stand as they are.
    """

    post: str
    version: int
    start: int
    end: int
    paraphrase: str
    approved_by: str
    approved: datetime


def current_post(store: Store, post: str) -> Post | None:
    """The post with this id in its current version."""
    rows = store.query(f"select {POST_COLUMNS}, null from current_post where id = ?", [post])
    return row_to_post(rows[0]) if rows else None


def approve(store: Store, quote: Quote) -> None:
    """Enter a quote; one for the same span is replaced."""
    key = [quote.post, quote.version, quote.start, quote.end]
    with store.transaction() as db:
        db.execute('delete from quote where post = ? and version = ? and "start" = ? and "end" = ?', key)
        values = [*key, quote.paraphrase, quote.approved_by, naive(quote.approved)]
        db.execute("insert into quote values (?, ?, ?, ?, ?, ?, ?)", values)


def quotes(store: Store, case: str | None = None) -> list[Quote]:
    """The register, or that of one case, in order of approval."""
    rows = store.query(
        'select q.* from quote q where ? is null or q.post in (select id from post where "case" = ?) '
        'order by q.approved, q.post, q."start"',
        [case, case],
    )
    return [Quote(*map(aware, row)) for row in rows]


def quotes_of(store: Store, post: str, version: int) -> list[tuple[int, int, str, str]]:
    """What may be cited of a post's version: start, end, paraphrase or "", approved by."""
    sql = 'select "start", "end", paraphrase, approved_by from quote where post = ? and version = ? order by 1, 2'
    return [(a, b, words, by) for a, b, words, by in store.query(sql, [post, version])]
