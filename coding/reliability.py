"""Agreement over a set of readings: per code, theme and pair of coders, with intervals and drift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .agreement import alpha, cohen, fleiss, masi, pabak, positive_agreement, verdict

if TYPE_CHECKING:
    from .codebook import Codebook

Floats = NDArray[np.float64]
Codes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Panel:
    """Posts coded by two or more: their threads, their months, and what each coder reads (None: did not code)."""

    coders: tuple[str, ...]
    posts: tuple[str, ...]
    threads: tuple[str, ...]
    months: tuple[str, ...]
    codes: tuple[tuple[Codes | None, ...], ...]

    def yes_no(self, given: Iterable[str]) -> list[tuple[bool | None, ...]]:
        """Per post and coder whether any of these codes was given."""
        wanted = frozenset(given)
        return [tuple(None if c is None else bool(c & wanted) for c in unit) for unit in self.codes]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two coders on one code or theme: the four counts and what follows from them."""

    coders: tuple[str, str]
    both: int
    only_first: int
    only_second: int
    neither: int
    kappa: float | None
    pabak: float | None
    positive: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """
    One row of the report. `id` is a code, a theme, or "all" (sets of codes compared by MASI).

    `given` counts the posts to which somebody gave it. `low`/`high` bound alpha by a 95 % bootstrap over
    threads; `defined` is the share of resamples in which alpha was defined.
    """

    id: str
    level: str
    posts: int
    given: int
    alpha: float | None
    low: float | None
    high: float | None
    defined: float
    verdict: str
    fleiss: float | None = None
    positive: float | None = None
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Agreement in one stretch of the coding order, or one month: whether coders drift."""

    name: str
    posts: int
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Agreement of coders: one line for all codes together, one a theme, one a code, and the drift."""

    coders: tuple[str, ...]
    posts: int
    threads: int
    lines: tuple[Line, ...] = ()
    by_order: tuple[Block, ...] = ()
    by_month: tuple[Block, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)


def panel(readings: pl.DataFrame) -> Panel:
    """The posts that two or more coders have read, in coding order; *readings* as `storage.decisions.readings`."""
    coders = tuple(sorted(readings["coder"].unique().to_list()))
    rows = (
        readings.group_by("post")
        .agg("coder", "codes", pl.col("thread", "month", "place").first())
        .filter(pl.col("coder").list.len() > 1)
        .sort("place", "post", nulls_last=True)
    )
    codes = []
    for names, given in zip(rows["coder"].to_list(), rows["codes"].to_list(), strict=True):
        said = {n: frozenset(g) for n, g in zip(names, given, strict=True)}
        codes.append(tuple(said.get(c) for c in coders))
    posts, threads, months = (tuple(rows[x].to_list()) for x in ("post", "thread", "month"))
    return Panel(coders, posts, threads, months, tuple(codes))


def report(panel: Panel, codebook: Codebook, *, resamples: int = 1000, seed: int = 1, blocks: int = 4) -> Report:
    """The whole report over *panel*. Two coders and one post at least, or all lines are undefined."""
    boot = _Bootstrap(panel.threads, resamples, seed)
    lines = [_overall(panel, boot)]
    for theme in codebook.themes:
        lines.append(_line(panel, boot, theme.id, "theme", [c.id for c in theme.codes]))
    lines += [_line(panel, boot, c.id, "code", [c.id]) for c in codebook.codes]
    threads = len(set(panel.threads))
    return Report(
        panel.coders, len(panel.posts), threads, tuple(lines), _by_order(panel, blocks), _by_month(panel),
        _warnings(panel, threads, lines),
    )  # fmt: skip


def _line(panel: Panel, boot: _Bootstrap, id_: str, level: str, codes: Sequence[str]) -> Line:
    units = panel.yes_no(codes)
    value = alpha(units)
    low, high, defined = boot.yes_no(units)
    given = sum(any(unit) for unit in units)
    complete = [u for u in units if None not in u]
    kappa = fleiss(complete) if len(panel.coders) > 1 else None
    pairs = tuple(p for a, b in combinations(range(len(panel.coders)), 2) if (p := _pair(panel, units, a, b)))
    return Line(
        id_,
        level,
        len(units),
        given,
        value,
        low,
        high,
        defined,
        verdict(value),
        kappa,
        positive_agreement(units),
        pairs,
    )


def _pair(panel: Panel, units: Sequence[Sequence[bool | None]], a: int, b: int) -> Pair | None:
    rated = [(x, y) for unit in units if (x := unit[a]) is not None and (y := unit[b]) is not None]
    if not rated:
        return None
    counts = [rated.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))]
    names = (panel.coders[a], panel.coders[b])
    both, first, second, neither = counts
    return Pair(names, both, first, second, neither, cohen(rated), pabak(rated), positive_agreement(rated))


def _overall(panel: Panel, boot: _Bootstrap) -> Line:
    value = alpha(panel.codes, masi)
    low, high, defined = boot.sets(panel.codes)
    given = sum(any(unit) for unit in panel.codes)
    return Line("all", "all", len(panel.posts), given, value, low, high, defined, verdict(value))


def _by_order(panel: Panel, blocks: int) -> tuple[Block, ...]:
    size = len(panel.posts)
    edges = [round(k * size / blocks) for k in range(blocks + 1)] if size >= 10 * blocks else [0, size]
    return tuple(Block(f"{a + 1}-{b}", b - a, alpha(panel.codes[a:b], masi)) for a, b in pairwise(edges))


def _by_month(panel: Panel) -> tuple[Block, ...]:
    found = []
    for month in sorted(set(panel.months)):
        units = [u for u, m in zip(panel.codes, panel.months, strict=True) if m == month]
        found.append(Block(month, len(units), alpha(units, masi)))
    return tuple(found)


def _warnings(panel: Panel, threads: int, lines: Sequence[Line]) -> tuple[str, ...]:
    told = []
    if len(panel.coders) < 2 or not panel.posts:
        told.append("no post was coded by two coders: draw a sample with --coders and --overlap")
    elif threads < 20:
        told.append(f"only {threads} threads: the bootstrap intervals are rough below 20")
    weak = [x.id for x in lines if x.level == "code" and x.alpha is not None and x.alpha < 0.667]
    if weak:
        told.append(f"tentative conclusions are not supported for: {', '.join(weak)} (alpha below .667)")
    return tuple(told)


class _Bootstrap:
    """
    Resampling of whole threads: posts of one thread are no independent evidence.

    Alpha is a ratio of sums over units, so that a resample is a weighting of per-thread sums.
    """

    def __init__(self, threads: Sequence[str], resamples: int, seed: int) -> None:
        names, self._thread = np.unique(np.asarray(threads, dtype=str), return_inverse=True)
        k = len(names)
        rng = np.random.default_rng(seed)
        self._weights = rng.multinomial(k, np.full(k, 1 / k), resamples).astype(float) if k else np.zeros((0, 0))

    def yes_no(self, units: Sequence[Sequence[bool | None]]) -> tuple[float | None, float | None, float]:
        """Low and high end of alpha for a yes/no code, and the share of resamples where it is defined."""
        return self.sets([tuple(None if v is None else frozenset("y" if v else "") for v in u) for u in units])

    def sets(self, units: Sequence[Sequence[Codes | None]]) -> tuple[float | None, float | None, float]:
        """The same for sets of codes at MASI distance (which is nominal for sets of at most one code)."""
        values = sorted({v for unit in units for v in unit if v is not None}, key=sorted)
        if not values:
            return None, None, 0.0
        place = {v: n for n, v in enumerate(values)}
        distance = np.array([[masi(a, b) for b in values] for a in values])
        counts = np.zeros((len(units), len(values)))
        for n, unit in enumerate(units):
            for v in unit:
                if v is not None:
                    counts[n, place[v]] += 1
        return self._interval(counts, distance)

    def _interval(self, counts: Floats, distance: Floats) -> tuple[float | None, float | None, float]:
        rated = counts.sum(axis=1)
        pairable = rated > 1
        observed = np.zeros(len(counts))
        c = counts[pairable]
        observed[pairable] = np.einsum("ui,ij,uj->u", c, distance, c, optimize=True) / (rated[pairable] - 1)
        counts = counts * pairable[:, None]
        do = self._weights @ self._summed(observed[:, None])[:, 0]
        totals = self._weights @ self._summed(counts)
        n = totals.sum(axis=1)
        de = ((totals @ distance) * totals).sum(axis=1) / np.maximum(n - 1, 1)
        defined = de > 0
        if not defined.any():
            return None, None, 0.0
        low, high = np.quantile(1 - do[defined] / de[defined], [0.025, 0.975])
        return float(low), float(high), float(defined.mean())

    def _summed(self, values: Floats) -> Floats:
        out = np.zeros((self._weights.shape[1], values.shape[1]))
        np.add.at(out, self._thread, values)
        return out
