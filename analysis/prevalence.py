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

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm, t

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
CLASSES = 3
"""Into how many classes posts are put by their chance of being drawn."""


@dataclass(frozen=True, slots=True)
class Wave:
    """
    One sample. `probability` (N) is each post's chance of being drawn by it, 0 where it could not be.

    `part` (N) is the share of each post's estimate that this sample bears; over all samples it adds up to 1.
    `item` (n) are the indices of the posts drawn and coded, `chance` (n) the probability of both.
    """

    probability: Floats
    part: Floats
    item: Ints
    chance: Floats


@dataclass(frozen=True, slots=True)
class Design:
    """
    N posts in clusters, and the samples of them that people coded, in the order they were drawn.

    `thread` and `author` (N) are cluster numbers from 0, `both` those of their pairs.
    Each sample is estimated from alone, in cells of its
    own, and the estimates are averaged: that stays unbiased when a later sample was steered by what an
    earlier one taught, which pooling them would not.
    """

    thread: Ints
    author: Ints
    waves: tuple[Wave, ...]
    both: Ints = field(init=False)

    def __post_init__(self) -> None:
        pairs = self.thread * (self.author.max() + 1) + self.author
        object.__setattr__(self, "both", np.unique(pairs, return_inverse=True)[1])

    @classmethod
    def of_one(cls, thread: Ints, author: Ints, probability: Floats, item: Ints) -> Design:
        """The design of a single sample, wholly coded."""
        return cls(thread, author, (Wave(probability, np.ones(len(probability)), item, probability[item]),))

    @property
    def item(self) -> Ints:
        """The posts of all samples, one after the other: the order in which gold is given."""
        return np.concatenate([w.item for w in self.waves])

    @property
    def chance(self) -> Floats:
        """Their chances, in the same order."""
        return np.concatenate([w.chance for w in self.waves])

    @property
    def weight(self) -> Floats:
        """Their design weights, in the same order; they add up to about N."""
        return np.concatenate([w.part[w.item] / w.chance for w in self.waves])


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
    coded = int(np.unique(design.item[inside[design.item]]).size)
    return Estimate(
        size, coded, corpus, _beyond(design, cells, machine, corpus, level), bare.interval(),
        _naive(float(machine[inside].mean()), size, level),
        hits / float(positive.sum()) if positive.sum() and cells.seen(says=True) else None,
        min(1.0, hits / value) if value > 0 and cells.seen(says=True) else None,
    )  # fmt: skip


def pseudo_outcome(design: Design, machine: Flags, gold: Floats) -> Floats:
    """
    For each post (N) an outcome whose expectation is what people would say: for `analysis.regression`.

    The mean of its cells, plus the weighted residual where it was drawn. Its mean is the estimate itself.
    """
    cells = _Cells.of(design, machine, gold, np.ones(len(machine), dtype=bool), 0.95)
    outcome = cells.expected()
    np.add.at(outcome, design.item, cells.scaled_residuals())
    return outcome


def cluster_sums(values: Floats, ids: Ints) -> Floats:
    """The rows of *values* (N x k) added up per cluster."""
    found, place = np.unique(ids, return_inverse=True)
    sums = np.zeros((len(found), values.shape[1]))
    np.add.at(sums, place, values)
    return sums


@dataclass(frozen=True, slots=True)
class _Cells:
    """
    Cells of each sample: what the machine said x class of chance.

    `of_post` and `part` (samples x N) place each post in a cell of each sample; `of_item` each draw. Per cell:
    `says` (the machine), `share` of the posts, `mean` of gold with its interval, `linear` variance, `drawn`.
    """

    inside: Flags
    of_post: Ints
    part: Floats
    of_item: Ints
    weight: Floats
    residual: Floats
    says: Flags
    share: Floats
    mean: Floats
    low: Floats
    high: Floats
    linear: Floats
    drawn: Ints

    @classmethod
    def of(cls, design: Design, machine: Flags, gold: Floats, inside: Flags, level: float) -> _Cells:
        said = machine.astype(np.int64) * CLASSES
        of_post = np.stack([said + classes_of(w) + 2 * CLASSES * j for j, w in enumerate(design.waves)])
        part = np.stack([w.part for w in design.waves])
        of_item = np.concatenate([of_post[j][w.item] for j, w in enumerate(design.waves)])
        size = 2 * CLASSES * len(design.waves)
        share = np.bincount(of_post[:, inside].ravel(), part[:, inside].ravel(), size)
        here = inside[design.item]
        weight = np.where(here, design.weight, 0.0)
        says = np.tile(np.repeat([False, True], CLASSES), len(design.waves))
        drawn = np.bincount(of_item[here], minlength=size)
        mean, effective = _means(of_item, weight, 1 - design.chance, gold, size)
        mean, effective = _borrowed(mean, effective, drawn, says, of_item, weight, 1 - design.chance, gold)
        wide, _ = _means(of_item, design.weight, 1 - design.chance, gold, size)
        mean = np.where(effective > 0, mean, np.where(np.isnan(wide), says.astype(float), wide))
        low, high = _jeffreys(mean, effective, level)
        residual = np.where(here, gold - mean[of_item], 0.0)
        linear = np.bincount(of_item, weight**2 * (1 - design.chance) * residual**2, size)
        total = np.bincount(of_item, weight, size)
        linear = linear * drawn / np.maximum(drawn - 1, 1) / np.where(total > 0, total, 1.0) ** 2
        return cls(
            inside, of_post, part, of_item, weight, residual, says, share / inside.sum(), mean, low, high, linear, drawn
        )

    def total(self, per_cell: Floats) -> float:
        return float((self.share * per_cell).sum())

    def seen(self, *, says: bool) -> bool:
        """Whether people coded any post here on which the machine said so."""
        return bool(self.drawn[self.says == says].sum() > 0)

    def interval(self) -> Interval:
        """Zou & Donner's joint interval: distances of the parts, squared, weighted, added."""
        value = min(1.0, self.total(self.mean))
        down = np.sqrt((self.share**2 * (self.mean - self.low) ** 2).sum())
        up = np.sqrt((self.share**2 * (self.high - self.mean) ** 2).sum())
        return Interval(value, max(0.0, value - float(down)), min(1.0, value + float(up)))

    def expected(self) -> Floats:
        """For each post what its cells say of it."""
        return np.asarray((self.part * self.mean[self.of_post]).sum(axis=0))

    def scaled_residuals(self) -> Floats:
        """Per draw its weighted residual, the weights of a cell scaled to the cell's known size."""
        total = np.bincount(self.of_item, self.weight, len(self.share))
        size = self.share * self.inside.sum()
        scale = np.where(total > 0, size / np.where(total > 0, total, 1.0), 0.0)
        return scale[self.of_item] * self.weight * self.residual


def classes_of(wave: Wave) -> Ints:
    """For each post its class of chance (0 .. CLASSES-1), cut at the quantiles of the posts drawn."""
    low, high = wave.probability.min(), wave.probability.max()
    if high - low < 1e-9 * high:
        return np.zeros(len(wave.probability), dtype=np.int64)
    cuts = np.quantile(wave.probability[wave.item], np.arange(1, CLASSES) / CLASSES)
    return np.digitize(wave.probability, np.unique(cuts))


def _means(cell: Ints, weight: Floats, open_: Floats, gold: Floats, size: int) -> tuple[Floats, Floats]:
    """
    Per cell the weighted mean of gold and the effective number of posts behind it (Kish 1965).

    *open_* is 1 - chance: what was drawn for certain adds no doubt. An empty cell has mean nan and number 0.
    """
    total = np.bincount(cell, weight, size)
    square = np.bincount(cell, weight**2 * open_, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(total > 0, np.bincount(cell, weight * gold, size) / total, np.nan)
        return mean, np.where(total > 0, total**2 / square, 0.0)


def _borrowed(
    mean: Floats,
    effective: Floats,
    drawn: Ints,
    says: Flags,
    of_item: Ints,
    weight: Floats,
    open_: Floats,
    gold: Floats,
) -> tuple[Floats, Floats]:
    """Where a sample has nothing in a cell, what the other samples found here for the same machine answer."""
    wave = np.arange(len(mean)) // (2 * CLASSES)
    for empty in np.flatnonzero(drawn == 0) if wave[-1] else ():
        others = (says == says[empty]) & (wave != wave[empty])
        found, n = _means(np.zeros_like(of_item), np.where(others[of_item], weight, 0.0), open_, gold, 1)
        if n[0] > 0:
            mean[empty], effective[empty] = found[0], n[0]
    return mean, effective


def _jeffreys(mean: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    """
    Jeffreys' interval of a share at an effective sample size; a point where everything was coded.

    Where none or all were positive the end is the exact one (Brown, Cai & DasGupta 2001, section 4.1.1).
    """
    tail = (1 - level) / 2
    unknown, known = n <= 0, np.isfinite(n)
    size = np.where(known & ~unknown, n, 1.0)
    low = np.where(mean * size > 0, beta.ppf(tail, mean * size + 0.5, (1 - mean) * size + 0.5), 0.0)
    high = np.where((1 - mean) * size > 0, beta.isf(tail, mean * size + 0.5, (1 - mean) * size + 0.5), 1.0)
    exact = tail ** (1 / np.maximum(size, 1e-9))
    low, high = (
        np.where(mean >= 1, exact, np.minimum(low, mean)),
        np.where(mean <= 0, 1 - exact, np.maximum(high, mean)),
    )
    low, high = np.where(known, low, mean), np.where(known, high, mean)
    return np.where(unknown, 0.0, low), np.where(unknown, 1.0, high)


def _beyond(design: Design, cells: _Cells, machine: Flags, corpus: Interval, level: float) -> Interval:
    """The corpus interval widened by what threads and authors vary (two-way clusters, Cameron et al. 2011)."""
    inside = cells.inside
    extra = max(_from_residuals(design, cells, corpus.value), _from_machine(design, cells, machine, corpus.value))
    clusters = min(_groups(design.thread, inside), _groups(design.author, inside))
    wide = float(t.isf((1 - level) / 2, max(clusters - 1, 1))) ** 2 * extra
    low = corpus.value - np.sqrt((corpus.value - corpus.low) ** 2 + wide)
    high = corpus.value + np.sqrt((corpus.high - corpus.value) ** 2 + wide)
    return Interval(corpus.value, max(0.0, float(low)), min(1.0, float(high)))


def _from_residuals(design: Design, cells: _Cells, value: float) -> float:
    """What the clustered variance of the estimator has beyond the sampling of gold."""
    size = int(cells.inside.sum())
    influence = np.where(cells.inside, cells.expected() - value, 0.0)
    np.add.at(influence, design.item, cells.scaled_residuals())
    clustered = _two_way(influence, design, cells.inside) / size**2
    return max(0.0, clustered - float((cells.share**2 * cells.linear).sum()))


def _from_machine(design: Design, cells: _Cells, machine: Flags, value: float) -> float:
    """
    The variance of a share over new threads and authors, its clustering taken from the machine's codes.

    Codes that err at random show the covariance within clusters shrunk by (recall - false alarms)^2; it is
    blown up again, by tenfold at most.
    """
    size = int(cells.inside.sum())
    says = machine & cells.inside
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
    thread, author, each = (_clustered(influence, x, inside) for x in (design.thread, design.author, design.both))
    return max(thread + author - each, thread, author)


def _clustered(influence: Floats, ids: Ints, inside: Flags) -> float:
    sums = np.bincount(ids, influence)
    groups = _groups(ids, inside)
    return float((sums**2).sum()) * groups / max(groups - 1, 1)


def _groups(ids: Ints, inside: Flags) -> int:
    return int(np.count_nonzero(np.bincount(ids[inside])))


def _naive(share: float, size: int, level: float) -> Interval:
    """The machine's share with Wilson's interval, as if the machine were right."""
    z = float(norm.isf((1 - level) / 2))
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(share * (1 - share) / size + z * z / (4 * size**2))
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))
