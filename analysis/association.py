"""
Which codes go together, and which follow which: between posts' codes, within threads, by case.

Strength is a log-odds ratio. Posts of one thread, and posts of one author, are alike; so variances are
clustered both ways (Cameron, Gelbach and Miller 2011): V = V_thread + V_author - V_both, from the influence
values of the two proportions. Intervals use Student's t with one degree less than the fewer clusters.
Nothing is drawn at random: the same posts give the same figures.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded post: where and when it stands, who wrote it, and its codes."""

    post: str
    case: str
    thread: str
    author: str
    created: datetime
    codes: frozenset[str]
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Association:
    """
    How much likelier `then` is where `given` holds, with a 95 % interval and a two-sided p.

    `both`, `given_only`, `then_only` and `neither` are counts of units. `log_odds` has half a unit added to
    each count where one of them is 0. `threads` and `authors` count the clusters. Bounds are NaN where a
    side has no unit, or fewer than two clusters stand behind it.
    """

    case: str
    given: str
    then: str
    both: int
    given_only: int
    then_only: int
    neither: int
    log_odds: float
    low: float
    high: float
    p: float
    threads: int
    authors: int
    error: float


@dataclass(frozen=True, slots=True)
class Following(Association):
    """
    An association in time: `then` in one of the next posts of the thread, given a code on the post before.

    `minutes` is the median time to the first such post, over the `both` cases; NaN where there are none.
    """

    minutes: float


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of one association between two cases (first minus second), with interval and p."""

    given: str
    then: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float


def log_odds(
    given: Bools, then: Bools, threads: NDArray[np.intp], authors: NDArray[np.intp]
) -> tuple[float, float, int]:
    """
    Log-odds ratio of *then* on *given*, its two-way clustered standard error, and the fewer clusters.

    A row a unit; *threads* and *authors* number the cluster each stands in. The error is NaN where *given*
    never or always holds.
    """
    n1, n0 = int(given.sum()), int((~given).sum())
    if not n1 or not n0:
        return math.nan, math.nan, 0
    y1, y0 = int(then[given].sum()), int(then[~given].sum())
    half = 0.5 if 0 in (y1, y0, n1 - y1, n0 - y0) else 0.0
    p1, p0 = (y1 + half) / (n1 + 2 * half), (y0 + half) / (n0 + 2 * half)
    influence = np.where(
        given, (then - p1) / ((n1 + 2 * half) * p1 * (1 - p1)), -(then - p0) / ((n0 + 2 * half) * p0 * (1 - p0))
    )
    variance, fewer = _two_way(influence, threads, authors)
    value = math.log(p1 / (1 - p1)) - math.log(p0 / (1 - p0))
    return value, math.sqrt(variance) if fewer > 1 else math.nan, fewer


def _two_way(influence: Reals, threads: NDArray[np.intp], authors: NDArray[np.intp]) -> tuple[float, int]:
    """The two-way clustered variance of a sum of influence values, and the fewer clusters."""
    pairs = np.unique(np.stack([threads, authors]), axis=1, return_inverse=True)[1].ravel()
    by_thread, by_author, by_pair = (_one_way(influence, c) for c in (threads, authors, pairs))
    fewer = min(len(np.unique(threads)), len(np.unique(authors)))
    # The difference can fall below the larger one-way variance in small samples; the careful one is taken.
    return max(by_thread + by_author - by_pair, by_thread, by_author), fewer


def _one_way(influence: Reals, clusters: NDArray[np.intp]) -> float:
    sums = np.bincount(clusters, weights=influence)
    number = len(np.unique(clusters))
    return float((sums**2).sum()) * (number / (number - 1) if number > 1 else math.nan)


def _interval(value: float, error: float, fewer: int) -> tuple[float, float, float]:
    from scipy.stats import t

    if not (math.isfinite(value) and math.isfinite(error) and error > 0 and fewer > 1):
        return math.nan, math.nan, math.nan
    reach = float(t.ppf(0.975, fewer - 1)) * error
    return value - reach, value + reach, float(2 * t.sf(abs(value / error), fewer - 1))


def co_occurrence(
    posts: Sequence[Coded], given: Sequence[str], then: Sequence[str], case: str = ""
) -> list[Association]:
    """
    For each pair of a code in *given* (say the tools) and one in *then*: how they go together in one post.

    A code with itself is left out. *posts* of *case* only, or all when it is empty.
    """
    rows = [p for p in posts if not case or p.case == case]
    table = {c: np.array([c in p.codes for p in rows], dtype=bool) for c in {*given, *then}}
    threads, authors = _numbers(p.thread for p in rows), _numbers(p.author for p in rows)
    return [
        Association(case, a, b, *_measured(table[a], table[b], threads, authors))
        for a in given for b in then if a != b
    ]  # fmt: skip


def _measured(
    given: Bools, then: Bools, threads: NDArray[np.intp], authors: NDArray[np.intp]
) -> tuple[int, int, int, int, float, float, float, float, int, int, float]:
    value, error, fewer = log_odds(given, then, threads, authors)
    low, high, p = _interval(value, error, fewer)
    counts = [int((a & b).sum()) for a in (given, ~given) for b in (then, ~then)]
    return (counts[0], counts[1], counts[2], counts[3], value, low, high, p,
            len(np.unique(threads)), len(np.unique(authors)), error)  # fmt: skip


def _numbers(names: Iterable[str]) -> NDArray[np.intp]:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(n, len(seen)) for n in names], dtype=np.intp)


def sequence(
    posts: Sequence[Coded], given: Sequence[str], then: Sequence[str], case: str = "", *, within: int = 5
) -> list[Following]:
    """
    For each pair of codes: does *then* come up in the next *within* posts of the thread after one with *given*?

    Units are all posts that something follows. A later post by the same author counts as well. *posts*
    may come in any order; time orders them, then their ids.
    """
    steps = list(_steps([p for p in posts if not case or p.case == case], within))
    threads, authors = _numbers(s.thread for s, _ in steps), _numbers(s.author for s, _ in steps)
    has = {a: np.array([a in s.codes for s, _ in steps], dtype=bool) for a in given}
    waits = {b: np.array([_wait(s, later, b) for s, later in steps], dtype=float) for b in then}
    found = []
    for a in given:
        for b in then:
            met = waits[b][has[a] & np.isfinite(waits[b])]
            minutes = float(median(met)) if len(met) else math.nan
            measured = _measured(has[a], np.isfinite(waits[b]), threads, authors)
            found.append(Following(case, a, b, *measured, minutes=minutes))
    return found


def _steps(posts: Iterable[Coded], within: int) -> Iterator[tuple[Coded, tuple[Coded, ...]]]:
    by_thread: dict[str, list[Coded]] = defaultdict(list)
    for post in posts:
        by_thread[post.thread].append(post)
    for name in sorted(by_thread):
        thread = sorted(by_thread[name], key=lambda p: (p.created, p.post))
        for i, post in enumerate(thread[:-1]):
            yield post, tuple(thread[i + 1 : i + 1 + within])


def _wait(post: Coded, later: Sequence[Coded], code: str) -> float:
    """Minutes from *post* to the first of *later* with *code*; NaN when none has it."""
    first = next((p for p in later if code in p.codes), None)
    return math.nan if first is None else (first.created - post.created).total_seconds() / 60


def compared(found: Mapping[str, Sequence[Association]]) -> list[Difference]:
    """
    Each association between each two cases: the difference of log-odds, with interval and p.

    *found* has the associations of each case. Cases share neither threads nor pseudonyms, so their
    variances add up. Pairs that one case cannot measure are left out.
    """
    tables = {case: {(a.given, a.then): a for a in rows} for case, rows in found.items()}
    cases = sorted(tables)
    return [
        made
        for i, first in enumerate(cases) for second in cases[i + 1 :]
        for key in sorted(tables[first].keys() & tables[second].keys())
        if (made := _difference(tables[first][key], tables[second][key], first, second)) is not None
    ]  # fmt: skip


def _difference(a: Association, b: Association, first: str, second: str) -> Difference | None:
    error = math.hypot(a.error, b.error)
    fewer = min(a.threads, a.authors, b.threads, b.authors)
    low, high, p = _interval(a.log_odds - b.log_odds, error, fewer)
    if math.isnan(p):
        return None
    return Difference(a.given, a.then, first, second, a.log_odds - b.log_odds, low, high, p)


def discoveries(p: Sequence[float]) -> list[float]:
    """
    The false discovery rate at which each p of a family would count (Benjamini and Hochberg 1995).

    NaN stays NaN and counts for nothing: with hundreds of pairs, read this and not p.
    """
    known = sorted((v, i) for i, v in enumerate(p) if not math.isnan(v))
    rates = [math.nan] * len(p)
    least = 1.0
    for rank in range(len(known), 0, -1):
        value, i = known[rank - 1]
        least = min(least, value * (len(known) / rank))
        rates[i] = least
    return rates


def over_time(posts: Sequence[Coded], codes: Sequence[str], given: str = "") -> list[tuple[str, str, int, int]]:
    """
    Rows (month "2025-01", code, posts with the code, posts): among posts with the code *given*, or all.

    Months without posts are not listed.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * (len(codes) + 1))
    for post in posts:
        if not given or given in post.codes:
            row = counts[post.created.strftime("%Y-%m")]
            row[-1] += 1
            for i, code in enumerate(codes):
                row[i] += code in post.codes
    return [(month, code, row[i], row[-1]) for month, row in sorted(counts.items()) for i, code in enumerate(codes)]
