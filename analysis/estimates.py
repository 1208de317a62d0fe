"""Prevalence of every code by case, month or platform, joined from what is stored: samples, gold, machine codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from coding.adjudication import Gold, gold
from coding.codebook import Codebook
from storage import Coding, Store
from storage import samples as kept
from storage.decisions import read_before

from .prevalence import Design, Estimate, Flags, Floats, Ints, Wave, estimate

BY = ("case", "month", "platform")


class NotEstimable(ValueError):
    """There is no gold with known probabilities to estimate from; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Basis:
    """
    All that estimates rest on.

    `posts` (N rows: post, case, platform, month, thread, author, reply, machine_saw) are the posts that a sample
    could have drawn; `design` speaks of the same rows. `draws` counts sampled posts, `coded` those with
    gold, `split` gold values that coders differ on undecided. `outside` counts stored posts that no
    sample could have drawn: the estimates do not speak of them.
    """

    posts: pl.DataFrame
    design: Design
    marks: pl.DataFrame
    values: pl.DataFrame
    draws: int
    coded: int
    split: int
    outside: int

    def machine(self, codes: Sequence[str]) -> Flags:
        """Whether the machine gave any of these codes, for each post."""
        given = self.marks.filter(pl.col("code").is_in(list(codes))).select("post").unique()
        return self.posts["post"].is_in(given["post"].implode()).to_numpy()

    def gold(self, codes: Sequence[str]) -> Floats:
        """What people said of these codes together (the strongest), for each draw."""
        best = self.values.filter(pl.col("code").is_in(list(codes))).group_by("post").agg(pl.col("value").max())
        drawn = self.posts[self.design.item].select("post")
        joined = drawn.join(best, on="post", how="left", maintain_order="left")
        return joined["value"].fill_null(0.0).to_numpy().astype(np.float64)

    def within(self, by: str, name: str) -> Flags:
        """The posts of one case, month or platform."""
        return (self.posts[by] == name).to_numpy()


@dataclass(frozen=True, slots=True)
class Row:
    """One estimate: of which code or theme, among which posts."""

    by: str
    among: str
    code: str
    level: str
    estimate: Estimate

    def as_dict(self) -> dict[str, Any]:
        """The row as plain JSON values: the main estimate flat, the others beside it."""
        e = self.estimate
        return {
            "by": self.by, "among": self.among, "code": self.code, "level": self.level, "posts": e.posts,
            "gold": e.gold, "estimate": e.corpus.value, "low": e.corpus.low, "high": e.corpus.high,
            "beyond": asdict(e.beyond), "gold_only": asdict(e.gold_only), "naive": asdict(e.naive),
            "precision": e.precision, "recall": e.recall,
        }  # fmt: skip


def basis(store: Store, coding: Coding | None, case: str | None = None, trained_on: Iterable[str] = ()) -> Basis:
    """
    Join samples, gold and the machine's codes of one case, or of all.

    *trained_on* are posts whose gold the machine learnt from: it looks better on them than it is, so they count
    as not coded. Posts that nobody has coded yet count as missing at random within their sample and
    stratum, which holds when the sample is coded in its own, random order. NotEstimable without gold.
    """
    frame = kept.frame(store, case)
    truth = gold(store, case)
    learnt = frozenset(trained_on)
    usable = truth.posts.filter(~pl.col("post").is_in(list(learnt)))
    found = kept.samples(store, case)
    every = [_Drawn.of(store, s, frame, usable, learnt) for s in found]
    if learnt:
        every = _spared(every, learnt, [kept.items(store, s.id) for s in found])
    drawn = [d for d in every if len(d.items)]
    if not drawn:
        raise NotEstimable(_why(found, truth))
    covered = pl.concat([d.chances.select("post") for d in drawn]).unique()
    posts = frame.join(covered, on="post", how="semi", maintain_order="left")
    saw = kept.seen(store, coding.id)["post"] if coding else pl.Series("post", [], dtype=pl.String)
    posts = posts.with_columns(pl.col("post").is_in(saw.implode()).alias("machine_saw"))
    marks = kept.marks(store, coding.id) if coding else pl.DataFrame(schema={"post": pl.String, "code": pl.String})
    split = truth.values.filter(basis="split").join(covered, on="post", how="semi")
    coded = len(pl.concat([d.items.select("post") for d in drawn]).unique())
    return Basis(
        posts, _design(posts, drawn), marks, truth.values, sum(d.draws for d in every), coded,
        len(split), len(frame) - len(posts),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One sample: its coded items (post, chance), its frame (post, chance), and how many it drew."""

    items: pl.DataFrame
    chances: pl.DataFrame
    draws: int

    @classmethod
    def of(
        cls, store: Store, sample: kept.Sample, frame: pl.DataFrame, coded: pl.DataFrame, learnt: frozenset[str]
    ) -> _Drawn:
        """
        The sample as far as it is coded.

        Posts that were coded before it was drawn are always there; of the others those coded stand for those
        that are not, within their stratum. Until one of these others is coded the sample is not used: the posts
        it shares with earlier samples are no fair part of it. Posts the machine learnt from (*learnt*) are taken out.
        """
        drew = kept.items(store, sample.id).join(frame.select("post"), on="post", how="semi", maintain_order="left")
        items = (
            drew.filter(~pl.col("post").is_in(list(learnt)))
            .with_columns(
                pl.col("post").is_in(coded["post"].implode()).alias("coded"),
                pl.col("post").is_in(read_before(store, sample.drawn)).alias("before"),
            )
            .with_columns((pl.col("before") & pl.col("coded")).alias("before"))
        )
        answered = pl.col("coded").mean().over("stratum", "before")
        items = items.with_columns((pl.col("probability") * answered).alias("chance"))
        others = items.filter(~pl.col("before"))
        usable = others.is_empty() or bool(others["coded"].any())
        chances = kept.in_frame(store, sample.id).join(frame.select("post"), on="post", how="semi")
        found = items.filter(pl.col("coded") & pl.lit(usable)).select("post", "chance")
        return cls(found, chances.rename({"probability": "chance"}), len(drew))


def _spared(drawn: Sequence[_Drawn], learnt: frozenset[str], drew: Sequence[pl.DataFrame]) -> list[_Drawn]:
    """
    The samples, once the model has taken the posts of some of them to learn from.

    A post of a later sample is still there only if no such sample had drawn it: its chance is smaller by that.
    """
    taught = [n for n, items in enumerate(drew) if items["post"].is_in(list(learnt)).sum() * 2 > len(items)]
    out = []
    for n, one in enumerate(drawn):
        for m in taught:
            if m != n:
                took = drawn[m].chances.rename({"chance": "took"})
                one = replace(one, items=_less(one.items, took), chances=_less(one.chances, took))
        out.append(one)
    return out


def _less(rows_: pl.DataFrame, took: pl.DataFrame) -> pl.DataFrame:
    joined = rows_.join(took, on="post", how="left", maintain_order="left")
    left = pl.col("chance") * (1 - pl.col("took").fill_null(0.0))
    return joined.select("post", left.alias("chance")).filter(pl.col("chance") > 0)


def learnt_from(store: Store, coding: Coding) -> list[str]:
    """
    The posts whose gold this coding's model may have learnt from.

    For a model of the study's own these are all that people had coded when it was first run; the shipped
    model and the rules know none.
    """
    own_model = coding.coder == "model" and bool(json.loads(coding.settings).get("path"))
    return read_before(store, coding.started) if own_model else []


def _design(posts: pl.DataFrame, drawn: Sequence[_Drawn]) -> Design:
    """Samples in the order drawn; each bears a part of every post it could draw, by how many posts it has coded."""
    place = pl.DataFrame({"post": posts["post"], "row": np.arange(len(posts))})
    chances = [_aligned(place, d.chances) for d in drawn]
    parts = [np.where(c > 0, float(len(d.items)), 0.0) for c, d in zip(chances, drawn, strict=True)]
    whole = np.sum(parts, axis=0)
    waves = []
    for chance, part, d in zip(chances, parts, drawn, strict=True):
        items = d.items.join(place, on="post", maintain_order="left")
        item = items["row"].to_numpy().astype(np.int64)
        coded = np.minimum(items["chance"].to_numpy().astype(np.float64), 1.0)
        waves.append(Wave(chance, part / whole, item, coded))
    return Design(_numbered(posts["thread"]), _numbered(posts["author"]), tuple(waves))


def _aligned(place: pl.DataFrame, chances: pl.DataFrame) -> Floats:
    joined = place.join(chances, on="post", how="left", maintain_order="left")
    return joined["chance"].fill_null(0.0).to_numpy().astype(np.float64)


def _numbered(names: pl.Series) -> Ints:
    return names.rank("dense").to_numpy().astype(np.int64) - 1


def _why(found: Sequence[kept.Sample], truth: Gold) -> str:
    if not found:
        return (
            "no sample was drawn: gold without known probabilities supports no estimate; start with `veldwerk sample`"
        )
    if truth.posts.is_empty():
        return "no sampled post was coded by people yet: take their codes in with `veldwerk annotations add`"
    return (
        "no sampled post has gold that the machine did not learn from: draw another sample for estimation, or "
        "estimate with a coder that was not trained on it (--coder rules)"
    )


def rows(base: Basis, codebook: Codebook, by: Sequence[str] = ("case",), *, themes: bool = True) -> Iterator[Row]:
    """Estimates for every code and theme among all posts, then among each case, month or platform."""
    groups = [(t.id, "theme", [c.id for c in t.codes]) for t in codebook.themes] if themes else []
    groups += [(c.id, "code", [c.id]) for c in codebook.codes]
    known = [(id_, level, base.machine(codes), base.gold(codes)) for id_, level, codes in groups]
    for id_, level, machine, truth in known:
        yield Row("all", "all", id_, level, estimate(base.design, machine, truth))
    for kind in by:
        for among in sorted(base.posts[kind].unique().to_list()):
            inside = base.within(kind, among)
            for id_, level, machine, truth in known:
                yield Row(kind, among, id_, level, estimate(base.design, machine, truth, inside))


def suppressed(found: Iterable[Row], least: int) -> Iterator[Row]:
    """The rows that speak of at least *least* posts; the others would tell too much of too few."""
    return (row for row in found if row.estimate.posts >= least)


def warnings(base: Basis) -> list[str]:
    """What a reader must know before believing the numbers."""
    told = []
    waiting = base.draws - len(base.design.item)
    if waiting:
        told.append(f"{waiting} of {base.draws} drawn posts have no usable gold; they count as missing at random")
    if base.split:
        told.append(f"{base.split} codes are in dispute and count by the share of coders who gave them: adjudicate")
    if base.outside:
        told.append(f"{base.outside} stored posts could not be drawn (most came later): the estimates leave them out")
    unseen = int((~base.posts["machine_saw"]).sum())
    if unseen:
        told.append(f"the machine has not coded {unseen} posts; they count as given no code")
    if base.coded < 100:
        told.append(f"only {base.coded} posts have gold: intervals are wide, and rough below 30")
    return told


def without_machine(base: Basis) -> Basis:
    """The same basis as if no machine had coded."""
    return replace(base, marks=base.marks.clear())
