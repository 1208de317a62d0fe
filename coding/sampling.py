"""
Which posts people should code: probability samples, whose inclusion probabilities are known and never zero.

Every design gives each post of the frame a chance, also the designs that look for the doubtful or the
rare, so that the estimates in `analysis.prevalence` stay valid whatever was drawn first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import tee
from math import ceil
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from storage import Store
from storage import samples as kept

from . import available, in_threads, load_coder
from .failures import ModelError

DESIGNS = ("random", "stratified", "uncertain", "disagreement", "rare")
STRATA = ("case", "platform", "month", "code")
CODE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
"""Coders go by code names: their own names are personal data too."""
MERGED = "(merged)"
Floats = NDArray[np.float64]


class SamplingError(ValueError):
    """A sample cannot be drawn as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    A draw from a frame of N posts.

    `chosen` are the indices drawn, in a random order; `probability` (N) and `strata` (N) speak of the whole frame.
    """

    chosen: NDArray[np.int64]
    probability: Floats
    strata: list[str]


# ------------------------------------------------------------------------------------------------ designs
def random_draw(size: int, n: int, rng: np.random.Generator) -> Drawn:
    """A simple random sample without replacement: every post has probability n/N."""
    n = min(n, size)
    return Drawn(rng.permutation(size)[:n], np.full(size, n / size), [""] * size)


def stratified_draw(strata: Sequence[str], n: int, rng: np.random.Generator, *, equal: bool = False) -> Drawn:
    """
    Simple random samples within strata, allotted in proportion to their size, or *equal* numbers.

    Every stratum gets at least two posts (its variance must be estimable); strata whose share would be
    less are merged into one beforehand.
    """
    names = np.asarray(_merged(strata, n) if not equal else list(strata), dtype=object)
    labels, inverse = np.unique(names.astype(str), return_inverse=True)
    sizes = np.bincount(inverse)
    if n < len(labels):
        msg = f"{n} posts cannot cover {len(labels)} strata: draw more, or stratify by less"
        raise SamplingError(msg)
    shares = _allotted(sizes, n, equal=equal)
    chosen = [rng.permutation(np.flatnonzero(inverse == h))[:k] for h, k in enumerate(shares)]
    return Drawn(rng.permutation(np.concatenate(chosen)), (shares / sizes)[inverse], [str(x) for x in names])


def weighted_draw(measure: Floats, n: int, rng: np.random.Generator, *, floor: float = 0.25) -> Drawn:
    """
    A sample of fixed size with probabilities in proportion to *measure*, systematic on a random order.

    The share *floor* of the probability is spread evenly, so that no post has none and no weight exceeds
    that of a random sample by more than 1/floor. Randomised systematic sampling (Hartley & Rao 1962)
    has exactly these inclusion probabilities.
    """
    if not 0 < floor <= 1:
        msg = f"the floor must lie above 0 and be at most 1, not {floor}"
        raise SamplingError(msg)
    size = len(measure)
    total = float(measure.sum())
    mixed = np.full(size, 1 / size) if total <= 0 else floor / size + (1 - floor) * measure / total
    probability = inclusion(mixed, min(n, size))
    order = rng.permutation(size)
    ticks = np.cumsum(probability[order])
    # The sum is n but for rounding; scaling keeps the last tick from falling off the end.
    points = (rng.random() + np.arange(round(ticks[-1]))) * (ticks[-1] / round(ticks[-1]))
    hits = np.minimum(np.searchsorted(ticks, points, side="right"), size - 1)
    return Drawn(rng.permutation(order[np.unique(hits)]), probability, [""] * size)


def inclusion(measure: Floats, n: int) -> Floats:
    """Probabilities in proportion to *measure* that sum to *n*; those that would exceed 1 are 1."""
    probability = np.zeros(len(measure))
    certain = np.zeros(len(measure), dtype=bool)
    while True:
        rest = n - int(certain.sum())
        free = measure[~certain]
        probability[~certain] = rest * free / free.sum() if len(free) else 0.0
        probability[certain] = 1.0
        over = ~certain & (probability >= 1)
        if not over.any():
            return probability
        certain |= over


def _merged(strata: Sequence[str], n: int) -> list[str]:
    """The strata, with all those whose proportional share is under two posts put together."""
    names, counts = np.unique(np.asarray(strata, dtype=str), return_counts=True)
    shares = sorted((n * c / len(strata), str(s)) for s, c in zip(names, counts, strict=True))
    small = {s for share, s in shares if share < 2}
    if small and len(small) < len(shares) and sum(share for share, s in shares if s in small) < 2:
        small.add(shares[len(small)][1])
    return [MERGED if s in small else s for s in strata]


def _allotted(sizes: NDArray[np.int64], n: int, *, equal: bool) -> NDArray[np.int64]:
    """How many posts of each stratum: at least two where there are two and n allows, never more than it has."""
    n = min(n, int(sizes.sum()))
    weight = np.ones(len(sizes)) if equal else sizes.astype(float)
    least = np.minimum(sizes, 2 if n >= 2 * len(sizes) else 1)
    low, high = 0.0, float(sizes.sum())
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(middle * weight, least, sizes).sum() < n else (low, middle)
    ideal = np.clip(high * weight, least, sizes)
    shares = np.floor(ideal + 1e-9).astype(np.int64)
    shares[np.argsort(-(ideal - shares), kind="stable")[: n - int(shares.sum())]] += 1
    return shares


# ----------------------------------------------------------------------------------------- size measures
def doubt(frame: pl.DataFrame, marks: pl.DataFrame) -> Floats:
    """
    How unsure the machine is of each post: the sum over its codes of score x (1 - score), times four.

    A post without marks, or with marks of score 1 alone, has no measured doubt; the floor still reaches it.
    """
    each = marks.group_by("post").agg((4 * pl.col("score") * (1 - pl.col("score"))).sum().alias("x"))
    return _aligned(frame, each)


def scored_doubt(store: Store, plan: Plan, frame: pl.DataFrame) -> Floats | None:
    """
    The same from the probabilities of all codes, near misses too, where the last coding's coder can give them.

    None where it cannot (rules are never unsure), or when there is no coding.
    """
    coding = next((c for c in store.codings() if plan.codings and c.id == plan.codings[-1]), None)
    coder: Any = load_coder(coding.coder) if coding and coding.coder in available() else None
    if coding is None or not hasattr(coder, "scores"):
        return None
    units, again = tee(in_threads(store.posts(plan.case, kind=plan.kind)))
    scores = coder.scores(again, coder.Settings.model_validate_json(coding.settings))
    try:
        sums = [(u.post.id, sum(4 * s * (1 - s) for s in row.values())) for u, row in zip(units, scores, strict=True)]
    except ModelError as error:
        raise SamplingError(str(error)) from None
    return _aligned(frame, pl.DataFrame(sums, schema={"post": pl.String, "x": pl.Float64}, orient="row"))


def dispute(frame: pl.DataFrame, codings: Sequence[pl.DataFrame]) -> Floats:
    """On how many codes of a post the codings differ."""
    if len(codings) < 2:
        msg = "disagreement needs two codings: run a second coder first (veldwerk code --coder ...)"
        raise SamplingError(msg)
    votes = pl.concat([c.select("post", "code") for c in codings])
    differ = votes.group_by("post", "code").len().filter(pl.col("len") < len(codings))
    return _aligned(frame, differ.group_by("post").agg(pl.len().cast(pl.Float64).alias("x")))


def rarity(frame: pl.DataFrame, marks: pl.DataFrame, codes: Sequence[str] = ()) -> Floats:
    """
    How rare the codes are that the machine sees in a post: the sum of score / (total score of the code).

    With *codes*, only these count. Each code thus gets the same share of the sample, rare or not.
    """
    wanted = marks.filter(pl.col("code").is_in(list(codes))) if codes else marks
    each = wanted.with_columns((pl.col("score") / pl.col("score").sum().over("code")).alias("x"))
    return _aligned(frame, each.group_by("post").agg(pl.col("x").sum()))


def rarest_code(frame: pl.DataFrame, marks: pl.DataFrame) -> list[str]:
    """For each post the rarest code the machine gave it, or "none": the stratum `code`."""
    ranked = marks.with_columns(pl.len().over("code").alias("often")).sort("often", "code")
    first = ranked.group_by("post", maintain_order=True).agg(pl.col("code").first())
    joined = frame.select("post").join(first, on="post", how="left", maintain_order="left")
    return joined["code"].fill_null("none").to_list()


def _aligned(frame: pl.DataFrame, each: pl.DataFrame) -> Floats:
    joined = frame.select("post").join(each, on="post", how="left", maintain_order="left")
    return joined["x"].fill_null(0.0).to_numpy().astype(np.float64)


# ------------------------------------------------------------------------------------------ the whole way
@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to draw. `case` None means all cases.

    `codings` are ids of machine codings: the last one for doubt, rarity and the stratum `code`, all of them
    for disagreement. `coders` are code names; the share `overlap` of the posts goes to all of them, the
    rest is dealt out. `floor` is the share of a weighted draw that is spread evenly.
    """

    n: int
    design: str = "random"
    case: str | None = None
    seed: int | None = None
    by: tuple[str, ...] = ("platform", "month")
    equal: bool = False
    codes: tuple[str, ...] = ()
    codings: tuple[str, ...] = ()
    floor: float = 0.25
    coders: tuple[str, ...] = ()
    overlap: float = 0.2
    kind: str = "post"


def draw_sample(store: Store, plan: Plan) -> kept.Sample:
    """Draw by *plan* from what is stored, and keep the sample. SamplingError when that cannot be."""
    if plan.n < 1:
        msg = "a sample needs at least one post"
        raise SamplingError(msg)
    frame = kept.frame(store, plan.case, plan.kind)
    if frame.is_empty():
        msg = f"there is nothing to draw from: no {plan.kind} is stored for {plan.case or 'any case'}"
        raise SamplingError(msg)
    seed = len(kept.samples(store)) + 1 if plan.seed is None else plan.seed
    rng = np.random.default_rng(seed)
    drawn = _drawn(store, frame, plan, rng)
    sample = _sample(plan, len(frame), len(drawn.chosen), seed)
    items = _items(frame, drawn)
    chances = frame.select("post").with_columns(pl.Series("probability", drawn.probability))
    shares = shared_out(items["post"].to_list(), plan.coders, plan.overlap)
    kept.keep_sample(store, sample, items, chances, shares)
    return sample


def shared_out(posts: Sequence[str], coders: Sequence[str], overlap: float) -> dict[str, list[str]]:
    """
    Who codes what: the first share *overlap* of the posts all of them, the rest in turn.

    Posts come in random order, so that the overlap is itself a random part of the sample.
    """
    if wrong := [c for c in coders if not CODE_NAME.fullmatch(c)]:
        msg = f"coder {coders.index(wrong[0]) + 1} needs a code name of small letters, digits and dashes"
        raise SamplingError(msg)
    if not 0 <= overlap <= 1:
        msg = f"the overlap is a share between 0 and 1, not {overlap}"
        raise SamplingError(msg)
    both = ceil(overlap * len(posts)) if len(coders) > 1 else 0
    dealt = {c: [p for k, p in enumerate(posts[both:]) if k % len(coders) == i] for i, c in enumerate(coders)}
    return {c: [*posts[:both], *own] for c, own in dealt.items()}


def _drawn(store: Store, frame: pl.DataFrame, plan: Plan, rng: np.random.Generator) -> Drawn:
    if plan.design == "random":
        return random_draw(len(frame), plan.n, rng)
    if plan.design == "stratified":
        return stratified_draw(_strata(store, frame, plan), plan.n, rng, equal=plan.equal)
    codings = [kept.marks(store, c) for c in plan.codings]
    if plan.design == "disagreement":
        return weighted_draw(dispute(frame, codings), plan.n, rng, floor=plan.floor)
    if plan.design == "rare":
        return weighted_draw(rarity(frame, _last(codings), plan.codes), plan.n, rng, floor=plan.floor)
    if plan.design == "uncertain":
        told = scored_doubt(store, plan, frame)
        measure = doubt(frame, _last(codings)) if told is None else told
        return weighted_draw(measure, plan.n, rng, floor=plan.floor)
    msg = f"no design {plan.design!r}; there are: {', '.join(DESIGNS)}"
    raise SamplingError(msg)


def _strata(store: Store, frame: pl.DataFrame, plan: Plan) -> list[str]:
    if wrong := [x for x in plan.by if x not in STRATA]:
        msg = f"no strata {wrong[0]!r}; there are: {', '.join(STRATA)}"
        raise SamplingError(msg)
    if "code" in plan.by:
        marks = _last([kept.marks(store, c) for c in plan.codings])
        frame = frame.with_columns(pl.Series("code", rarest_code(frame, marks)))
    return frame.select(pl.concat_str(list(plan.by), separator="|").alias("stratum"))["stratum"].to_list()


def _last(codings: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not codings:
        msg = "this design needs machine codes: run `veldwerk code` first"
        raise SamplingError(msg)
    return codings[-1]


def _items(frame: pl.DataFrame, drawn: Drawn) -> pl.DataFrame:
    rows = frame.select("post", "version").with_columns(
        pl.Series("probability", drawn.probability), pl.Series("stratum", drawn.strata, dtype=pl.String)
    )
    return rows[drawn.chosen].with_row_index("position", offset=1)


def _sample(plan: Plan, frame: int, size: int, seed: int) -> kept.Sample:
    now = datetime.now(UTC)
    settings = {
        "frame": frame, "kind": plan.kind, "by": plan.by, "equal": plan.equal, "codes": plan.codes,
        "codings": plan.codings, "floor": plan.floor, "coders": plan.coders, "overlap": plan.overlap,
    }  # fmt: skip
    case = plan.case or "all"
    name = f"{case}-{plan.design}-{size}-s{seed}"
    return kept.Sample(name, case, plan.design, size, seed, json.dumps(settings), now)


# ----------------------------------------------------------------------------------------------- planning
def posts_needed(half_width: float, share: float = 0.5, *, size: int | None = None, agreement: float = 0.0) -> int:
    """
    How many posts give a 95 % interval of +- *half_width* around a prevalence of *share*.

    n = z^2 p(1-p)(1-r^2) / d^2, with the finite population correction for a frame of *size* posts.
    *agreement* is the correlation r between machine and human codes, which the difference estimator turns
    into precision (Särndal, Swensson & Wretman 1992, section 6.4).
    """
    if not (0 < half_width < 1 and 0 < share < 1 and 0 <= agreement < 1):
        msg = "a half-width and a share lie between 0 and 1, a correlation is at least 0 and below 1"
        raise SamplingError(msg)
    n = 1.959964**2 * share * (1 - share) * (1 - agreement**2) / half_width**2
    return ceil(n if size is None else n / (1 + (n - 1) / size))
