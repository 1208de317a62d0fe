"""The vault: native ids of posts, for refresh and deletion, in a file of its own under a key of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from .records import Pseudonym
from .store import Database
from .times import naive, now


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a stored post is on its platform: `native` and `thread` are the platform's own ids, and do not print."""

    post: Pseudonym
    case: str
    source: str
    platform: str
    native: str = field(repr=False)
    thread: str = field(default="", repr=False)


class Vault(Database):
    """
    Locators of posts that can be asked for again. Nothing else in the home says which post is which.

    Losing the vault costs no data, but what is deleted on a platform can then not be followed any more.
    """

    steps = "storage.vault_steps"

    def add(self, locators: Iterable[Locator]) -> None:
        """Keep these locators; a post that has one keeps it."""
        rows = [(x.post, x.case, x.source, x.platform, x.native, x.thread) for x in locators]
        if not rows:
            return
        frame = pl.DataFrame(rows, schema=["post", "case", "source", "platform", "native", "thread"], orient="row")
        with self.transaction() as db:
            db.register("new_locator", frame.to_arrow())
            db.execute(
                "insert into locator select distinct on (post) n.* exclude (thread), ?, null, n.thread "
                "from new_locator n anti join locator using (post)",
                [now()],
            )
            db.unregister("new_locator")

    def of(self, case: str, source: str | None = None, *, batch: int = 100) -> Iterator[list[Locator]]:
        """The locators of a case, or of one source of it, those checked longest ago first, in batches."""
        rows = self.query(
            'select post, "case", source, platform, native, thread from locator '
            'where "case" = ? and (? is null or source = ?) order by coalesce(checked, collected), post',
            [case, source, source],
        )
        found = [Locator(Pseudonym(p), *rest) for p, *rest in rows]
        for start in range(0, len(found), batch):
            yield found[start : start + batch]

    def checked(self, posts: Iterable[str]) -> None:
        """Write down that the platform was asked about these posts just now."""
        with self.transaction() as db:
            db.execute(
                "update locator set checked = ? where post in (select unnest(?::text[]))",
                [now(), list(posts)],
            )

    def sources(self, case: str) -> dict[tuple[str, str], int]:
        """How many locators each source and platform of a case has."""
        sql = 'select source, platform, count(*) from locator where "case" = ? group by all order by all'
        return {(source, platform): n for source, platform, n in self.query(sql, [case])}

    def unchecked(self, case: str, moment: datetime, platform: str | None = None) -> set[str]:
        """The posts about which the platform was last heard before *moment*."""
        rows = self.query(
            'select post from locator where "case" = ? and (? is null or platform = ?) '
            "and coalesce(checked, collected) < ?",
            [case, platform, platform, naive(moment)],
        )
        return {p for (p,) in rows}

    def heard_of(self, case: str, moment: datetime) -> set[str]:
        """The posts about which the platform was heard at *moment* or later."""
        sql = 'select post from locator where "case" = ? and coalesce(checked, collected) >= ?'
        return {p for (p,) in self.query(sql, [case, naive(moment)])}

    def forget(self, posts: Iterable[str]) -> int:
        """Delete the locators of these posts; how many there were. Call `rewrite` to take their bytes out too."""
        with self.transaction() as db:
            told = db.execute("delete from locator where post in (select unnest(?::text[]))", [list(posts)])
            return int(told.fetchall()[0][0])

    def forget_case(self, case: str) -> int:
        """Delete all locators of a case; how many there were."""
        with self.transaction() as db:
            return int(db.execute('delete from locator where "case" = ?', [case]).fetchall()[0][0])

    def count(self, case: str) -> int:
        """How many posts of a case can be asked for again."""
        return int(self.query('select count(*) from locator where "case" = ?', [case])[0][0])
