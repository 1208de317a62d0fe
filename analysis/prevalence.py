"""
How common a code is: machine codes on every post, put right by people's codes on a probability sample.

The estimator is post-stratified: posts are put in cells by what the machine said and by how likely they
were to be drawn; in each cell the share that people coded is estimated with design weights, and the
cells are added up with their known sizes. For one cell a machine answer this is the generalised regression
estimator (Särndal, Swensson & Wretman 1992, ch. 7), which prediction-powered inference (Angelopoulos et al.
2023, PPI++) and design-based supervised learning (Egami et al. 2023) equal at their best weighting.
Intervals of the cells come from Jeffreys' interval at the effective sample size and are joined by the method of
variance estimates recovery (Zou & Donner 2008), which keeps its level for rare codes and few errors, where
the normal interval does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm, t

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
CLASSES = 3
"""Into how many classes posts are put by their chance of being drawn."""


@dataclass(frozen=True, slots=True)
class Design:
    """
    N posts and the n draws of which people's codes are known.

    `thread`, `author` (N) are cluster numbers. `intensity` (N) is the expected number of draws of each
    post. `item` (n) are indices of the posts drawn, a post once per sample that drew it; `weight` (n) their
    design weights, adding up to about N; `chance` (n) the probability of that draw.
    """

    thread: Ints
    author: Ints
    intensity: Floats
    item: Ints
    weight: Floats
    chance: Floats


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    A prevalence four ways, over `posts` posts of which people coded `gold`.

    `corpus`: the estimate for these very posts; its interval covers the sampling of gold only.
    `beyond`: the same for talk like this, with threads and authors as the chance of the draw.
    `gold_only`: from people's codes alone. `naive`: the machine's count, with the interval that treats it as
    true. `precision` and `recall` are the machine's, estimated for all posts; None without positives.
    """

    posts: int
    gold: int
    corpus: Interval
    beyond: Interval
    gold_only: Interval
    naive: Interval
    precision: float | None
    recall: float | None


def estimate(
    design: Design, machine: Flags, gold: Floats, within: Flags | None = None, *, level: float = 0.95
) -> Estimate:
    """
    The prevalence of one code among the posts *within* (N; all when None).

    *machine* (N) is whether the machine gave the code, *gold* (n) what people said of each draw, 0..1.
    ValueError when *within* is empty.
    """
    inside = np.ones(len(machine), dtype=bool) if within is None else within
    size = int(inside.sum())
    if not size:
        msg = "there is no post to estimate for"
        raise ValueError(msg)
    cells = _Cells.of(design, machine, gold, inside, level)
    bare = _Cells.of(design, np.zeros_like(machine), gold, inside, level)
    corpus = cells.interval()
    positive = cells.share[cells.says]
    value = float(cells.total(cells.mean))
    hits = float((positive * cells.mean[cells.says]).sum())
    return Estimate(
        size, int(np.unique(design.item[inside[design.item]]).size), corpus, _beyond(design, cells, corpus, level),
        bare.interval(), _naive(float(machine[inside].mean()), size, level),
        hits / float(positive.sum()) if positive.sum() and cells.seen(says=True) else None,
        min(1.0, hits / value) if value > 0 and cells.seen(says=True) else None,
    )  # fmt: skip


def pseudo_outcome(design: Design, machine: Flags, gold: Floats) -> Floats:
    """
    For each post (N) an outcome whose expectation is what people would say: for `analysis.regression`.

    The mean of its cell, plus the weighted residual where it was drawn. Its mean is the estimate itself.
    """
    cells = _Cells.of(design, machine, gold, np.ones(len(machine), dtype=bool), 0.95)
    outcome = cells.mean[cells.of_post]
    np.add.at(outcome, design.item, _scaled_residuals(cells))
    return outcome


def cluster_sums(values: Floats, ids: Ints) -> Floats:
    """The rows of *values* (N x k) added up per cluster."""
    found, place = np.unique(ids, return_inverse=True)
    sums = np.zeros((len(found), values.shape[1]))
    np.add.at(sums, place, values)
    return sums


@dataclass(frozen=True, slots=True)
class _Cells:
    """Per cell: its share of the posts, the share of gold in it, the interval of that, and the draws it rests on."""

    inside: Flags
    of_post: Ints
    of_item: Ints
    residual: Floats
    weight: Floats
    says: Flags
    share: Floats
    mean: Floats
    low: Floats
    high: Floats
    linear: Floats
    drawn: Ints

    @classmethod
    def of(cls, design: Design, machine: Flags, gold: Floats, inside: Flags, level: float) -> _Cells:
        classes = classes_of(design)
        cell = machine.astype(np.int64) * CLASSES + classes
        count = np.bincount(cell[inside], minlength=2 * CLASSES).astype(float)
        where = cell[design.item]
        here = inside[design.item]
        mean, borrowed = _means(where, here, design.weight, gold)
        weight = np.where(here, design.weight, 0.0)
        square = np.bincount(where, weight**2 * (1 - design.chance), 2 * CLASSES)
        total = np.bincount(where, weight, 2 * CLASSES)
        drawn = np.bincount(where, here, 2 * CLASSES)
        with np.errstate(divide="ignore", invalid="ignore"):
            effective = np.where(total > 0, total**2 / square, 0.0)
        low, high = _jeffreys(mean, effective, borrowed, level)
        residual = np.where(here, gold - mean[where], 0.0)
        linear = np.bincount(where, weight**2 * (1 - design.chance) * residual**2, 2 * CLASSES).astype(np.float64)
        linear = linear * drawn / np.maximum(drawn - 1, 1) / np.where(total > 0, total, 1.0) ** 2
        says = np.repeat([False, True], CLASSES)
        return cls(inside, cell, where, residual, weight, says, count / count.sum(), mean, low, high, linear, drawn)

    def total(self, per_cell: Floats) -> float:
        return float((self.share * per_cell).sum())

    def seen(self, *, says: bool) -> bool:
        """Whether people coded any post here on which the machine said so."""
        return bool(self.drawn[self.says == says].sum() > 0)

    def interval(self) -> Interval:
        """Zou & Donner's joint interval: distances of the parts, squared, weighted, added."""
        value = self.total(self.mean)
        down = np.sqrt((self.share**2 * (self.mean - self.low) ** 2).sum())
        up = np.sqrt((self.share**2 * (self.high - self.mean) ** 2).sum())
        return Interval(value, max(0.0, value - float(down)), min(1.0, value + float(up)))


def classes_of(design: Design) -> Ints:
    """For each post its class of chance (0 .. CLASSES-1), cut at the quantiles of the posts drawn."""
    if design.intensity.max() - design.intensity.min() < 1e-9 * design.intensity.max():
        return np.zeros(len(design.intensity), dtype=np.int64)
    cuts = np.quantile(design.intensity[design.item], np.arange(1, CLASSES) / CLASSES)
    return np.digitize(design.intensity, np.unique(cuts))


def _means(where: Ints, here: Flags, weight: Floats, gold: Floats) -> tuple[Floats, Flags]:
    """Weighted gold per cell; an empty cell borrows the mean of the whole sample in it, or in its machine answer."""
    size = 2 * CLASSES

    def mean(chosen: Flags, place: Ints) -> Floats:
        w = np.where(chosen, weight, 0.0)
        total = np.bincount(place, w, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, np.bincount(place, w * gold, size) / total, np.nan)

    own = mean(here, where)
    all_ = np.ones_like(here)
    wide = mean(all_, where)
    wider = np.repeat(mean(all_, where // CLASSES * CLASSES)[::CLASSES], CLASSES)
    answer = np.repeat([0.0, 1.0], CLASSES)
    found = np.where(np.isnan(own), np.where(np.isnan(wide), np.where(np.isnan(wider), answer, wider), wide), own)
    return found, np.isnan(own)


def _jeffreys(mean: Floats, n: Floats, unknown: Flags, level: float) -> tuple[Floats, Floats]:
    """
    Jeffreys' interval of a share at an effective sample size; a point where everything was coded.

    Where none or all were positive the end is the exact one (Brown, Cai & DasGupta 2001, section 4.1.1).
    """
    tail = (1 - level) / 2
    known = np.isfinite(n)
    size = np.where(known, n, 1.0)
    low = np.where(mean * size > 0, beta.ppf(tail, mean * size + 0.5, (1 - mean) * size + 0.5), 0.0)
    high = np.where((1 - mean) * size > 0, beta.isf(tail, mean * size + 0.5, (1 - mean) * size + 0.5), 1.0)
    exact = tail ** (1 / np.maximum(size, 1e-9))
    low, high = (
        np.where(mean >= 1, exact, np.minimum(low, mean)),
        np.where(mean <= 0, 1 - exact, np.maximum(high, mean)),
    )
    low, high = np.where(known, low, mean), np.where(known, high, mean)
    return np.where(unknown, 0.0, low), np.where(unknown, 1.0, high)


def _beyond(design: Design, cells: _Cells, corpus: Interval, level: float) -> Interval:
    """The corpus interval widened by what threads and authors vary (two-way clusters, Cameron et al. 2011)."""
    inside = cells.inside
    extra = max(_from_residuals(design, cells, corpus.value), _from_machine(design, cells, corpus.value))
    clusters = min(len(np.unique(design.thread[inside])), len(np.unique(design.author[inside])))
    wide = float(t.isf((1 - level) / 2, max(clusters - 1, 1))) ** 2 * extra
    low = corpus.value - np.sqrt((corpus.value - corpus.low) ** 2 + wide)
    high = corpus.value + np.sqrt((corpus.high - corpus.value) ** 2 + wide)
    return Interval(corpus.value, max(0.0, float(low)), min(1.0, float(high)))


def _from_residuals(design: Design, cells: _Cells, value: float) -> float:
    """What the clustered variance of the estimator has beyond the sampling of gold."""
    size = int(cells.inside.sum())
    influence = np.where(cells.inside, cells.mean[cells.of_post] - value, 0.0)
    np.add.at(influence, design.item, _scaled_residuals(cells))
    clustered = _two_way(influence, design, cells.inside) / size**2
    return max(0.0, clustered - float((cells.share**2 * cells.linear).sum()))


def _scaled_residuals(cells: _Cells) -> Floats:
    """Per draw its weighted residual, the weights of a cell scaled to the cell's known size."""
    total = np.bincount(cells.of_item, cells.weight, 2 * CLASSES)
    size = cells.share * cells.inside.sum()
    scale = np.where(total > 0, size / np.where(total > 0, total, 1.0), 0.0)
    return scale[cells.of_item] * cells.weight * cells.residual


def _from_machine(design: Design, cells: _Cells, value: float) -> float:
    """
    The variance of a share over new threads and authors, its clustering taken from the machine's codes.

    Codes that err at random show the covariance within clusters shrunk by (recall - false alarms)^2; it is
    blown up again, by tenfold at most.
    """
    size = int(cells.inside.sum())
    says = cells.says[cells.of_post] & cells.inside
    centred = np.where(cells.inside, says - says.sum() / size, 0.0)
    shared = _two_way(centred, design, cells.inside) - float((centred**2).sum())
    hits = float((cells.share * cells.mean)[cells.says].sum())
    alarms = float(cells.share[cells.says].sum()) - hits
    if not 0 < value < 1:
        return 0.0
    keen = hits / value - alarms / (1 - value)
    return (value * (1 - value) * size + max(0.0, shared) / max(keen**2, 0.1)) / size**2


def _two_way(influence: Floats, design: Design, inside: Flags) -> float:
    """The variance of a sum under clustering by thread and by author; at least that of either alone."""
    both = np.unique(design.thread * (design.author.max() + 1) + design.author, return_inverse=True)[1]
    thread, author, each = (_clustered(influence, x, inside) for x in (design.thread, design.author, both))
    return max(thread + author - each, thread, author)


def _clustered(influence: Floats, ids: Ints, inside: Flags) -> float:
    sums = np.bincount(ids, influence)
    groups = len(np.unique(ids[inside]))
    return float((sums**2).sum()) * groups / max(groups - 1, 1)


def _naive(share: float, size: int, level: float) -> Interval:
    """The machine's share with Wilson's interval, as if the machine were right."""
    z = float(norm.isf((1 - level) / 2))
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(share * (1 - share) / size + z * z / (4 * size**2))
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))
