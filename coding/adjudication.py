"""
From readings to gold: where coders agree they are the gold, where they differ somebody decides and says why.

A decision adds to the history and takes nothing away; the latest one on a post and code holds.
"""

from __future__ import annotations

import csv as tables
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from storage import Post, Store
from storage import decisions as kept
from storage import samples as drawn

from .exchange import ExchangeError
from .exchange._cells import escaped, printable, ticked, unescaped
from .sampling import CODE_NAME

if TYPE_CHECKING:
    from .codebook import Codebook

COLUMNS = ("nr", "post", "code", "text", "yes", "no", "notes", "decision", "reason")
WIDTHS = [5, 16, 22, 80, 16, 16, 40, 10, 50]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A code on which coders of one post differ, and that nobody has decided."""

    post: str
    version: int
    case: str
    code: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """
    What people hold true.

    `posts`: one row a post (post, version, case, platform, month, thread, author). `values`: one row for each code
    that is not plainly absent (post, code, value, basis). `value` is 1.0, or the share of coders who gave
    the code where they differ and nobody has decided. `basis`: "decided", "unanimous", "single" or "split".
    """

    posts: pl.DataFrame
    values: pl.DataFrame


def gold(store: Store, case: str | None = None) -> Gold:
    """The gold of one case, or of all."""
    readings = kept.readings(store, case)
    posts = readings.group_by("post").agg(
        pl.col("version", "case", "platform", "month", "thread", "author").first(), pl.len().alias("coders")
    )
    said = readings.select("post", "codes").explode("codes").drop_nulls().rename({"codes": "code"})
    votes = said.group_by("post", "code").len("yes").join(posts.select("post", "coders"), on="post")
    values = votes.select("post", "code", (pl.col("yes") / pl.col("coders")).alias("value"), _basis().alias("basis"))
    settled = _settled(store, case).join(posts.select("post"), on="post", how="semi")
    values = pl.concat([values.join(settled, on=["post", "code"], how="anti"), settled])
    return Gold(posts.drop("coders").sort("post"), values.filter(pl.col("value") > 0).sort("post", "code"))


def _basis() -> pl.Expr:
    split = pl.when(pl.col("yes") < pl.col("coders")).then(pl.lit("split")).otherwise(pl.lit("unanimous"))
    return pl.when(pl.col("coders") == 1).then(pl.lit("single")).otherwise(split)


def _settled(store: Store, case: str | None) -> pl.DataFrame:
    rows = [(d.post, d.code, float(d.present), "decided") for d in kept.decisions(store, case)]
    schema = {"post": pl.String, "code": pl.String, "value": pl.Float64, "basis": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def disputes(store: Store, case: str | None = None) -> list[Dispute]:
    """All open disagreements, post by post."""
    settled = {(d.post, d.code) for d in kept.decisions(store, case)}
    found = []
    readings = kept.readings(store, case)
    for _, group in readings.group_by("post", maintain_order=True):
        said = {r["coder"]: set(r["codes"]) for r in group.iter_rows(named=True)}
        first = group.row(0, named=True)
        for code in sorted(set().union(*said.values())):
            yes = tuple(c for c in said if code in said[c])
            no = tuple(c for c in said if code not in said[c])
            if no and (first["post"], code) not in settled:
                found.append(Dispute(first["post"], first["version"], first["case"], code, yes, no))
    return found


# -------------------------------------------------------------------------------------------- out and back
def write_disputes(
    path: Path,
    store: Store,
    open_: Sequence[Dispute],
    release: Callable[[Post], str | None] = lambda post: post.text,
) -> int:
    """Write the disagreements as a table (.csv or .xlsx) with a column to decide in; returns how many."""
    rows = [list(COLUMNS), *_rows(store, open_, release)]
    if path.suffix.lower() == ".xlsx":
        from .exchange.xlsx import write_choices

        return write_choices(path, rows, {"decision": "yes,no"}, WIDTHS)
    if path.suffix.lower() != ".csv":
        msg = f"{path}: disagreements go to a .csv or .xlsx file"
        raise ExchangeError(msg)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        tables.writer(file, delimiter=";").writerows(rows)
    return len(rows) - 1


def _rows(store: Store, open_: Sequence[Dispute], release: Callable[[Post], str | None]) -> Iterator[list[str]]:
    posts = drawn.posts_of(store, list({(d.post, d.version) for d in open_}))
    remarks = kept.notes(store, list(posts))
    for n, d in enumerate((d for d in open_ if d.post in posts), start=1):
        text = release(posts[d.post])
        if text is not None:
            notes = "\n".join(f"{who}: {note}" for who, note in remarks.get(d.post, ()))
            cells = [str(n), d.post, d.code, text, ", ".join(d.yes), ", ".join(d.no), notes, "", ""]
            yield [escaped(printable(x)) for x in cells]


def read_decisions(
    path: Path,
    store: Store,
    codebook: Codebook,
    by: str,
    case: str | None = None,
    clean: Callable[[str, str], str] = lambda post, reason: reason,
) -> list[kept.Decision]:
    """
    The decisions in a table that `write_disputes` wrote; rows without a decision are passed over.

    ExchangeError names the row and column of what cannot be right. Only posts that people have coded can
    be decided on. *by* is a code name; *clean* takes what may name somebody out of a reason for a post.
    """
    from .exchange import csv, xlsx

    lines: list[list[Any]] = (xlsx if path.suffix.lower() == ".xlsx" else csv).cells(path)
    columns = {str(name or "").strip().casefold(): n for n, name in enumerate(lines[0] if lines else [])}
    for name in ("post", "code", "decision"):
        if name not in columns:
            msg = f"{path.name}: there is no column {name!r}"
            raise ExchangeError(msg)
    if not CODE_NAME.fullmatch(by):
        msg = "who decides goes by a code name of small letters, digits and dashes, no real name"
        raise ExchangeError(msg)
    coded = dict(kept.readings(store, case).select("post", "version").iter_rows())
    codes = {c.id for c in codebook.codes}
    now = datetime.now(UTC)
    found: dict[tuple[str, str], kept.Decision] = {}
    for number, line in enumerate(lines[1:], start=2):
        row = {name: _cell(line, n) for name, n in columns.items()}
        if any(row.values()) and (one := _decision(row, f"{path.name}: row {number}", coded, codes, by, now)):
            one = replace(one, reason=clean(one.post, one.reason))
            first = found.setdefault((one.post, one.code), one)
            if first.present != one.present:
                msg = f"{path.name}: row {number}, column decision: this post and code is decided otherwise above"
                raise ExchangeError(msg)
    return list(found.values())


def _decision(
    row: dict[str, str], where: str, coded: dict[str, int], codes: set[str], by: str, now: datetime
) -> kept.Decision | None:
    if not row["decision"]:
        return None
    present = ticked(row["decision"])
    if present is None:
        msg = f"{where}, column decision: neither yes nor no"
        raise ExchangeError(msg)
    if row["post"] not in coded:
        msg = f"{where}, column post: nobody has coded such a post, or it has been erased"
        raise ExchangeError(msg)
    if row["code"] not in codes:
        msg = f"{where}, column code: the codebook has no such code"
        raise ExchangeError(msg)
    return kept.Decision(row["post"], coded[row["post"]], row["code"], present, by, row.get("reason", ""), now)


def _cell(line: Sequence[Any], place: int) -> str:
    cell = line[place] if place < len(line) else None
    return "" if cell is None else unescaped(str(cell)).strip()
