"""
Intercoder agreement: the coefficients, each with its source, and the report over codes, themes and pairs.

Ratings come as one sequence a unit, one entry a coder; None is a missing rating.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff (2019, p. 356): rely on alpha >= .800; below .667 not even tentative conclusions."""


def nominal(a: Hashable, b: Hashable) -> float:
    """0 when equal, 1 when not."""
    return float(a != b)


def masi(a: Hashable, b: Hashable) -> float:
    """
    Distance of two sets of codes: 1 - Jaccard x monotonicity (Passonneau 2006).

    Monotonicity is 1 for equal sets, 2/3 when one holds the other, 1/3 when they overlap, else 0.
    """
    assert isinstance(a, frozenset)
    assert isinstance(b, frozenset)
    if a == b:
        return 0.0
    both = len(a & b)
    if not both:
        return 1.0
    monotone = 2 / 3 if a <= b or b <= a else 1 / 3
    return 1 - both / len(a | b) * monotone


def alpha(units: Iterable[Sequence[T | None]], distance: Callable[[T, T], float] = nominal) -> float | None:
    """
    Krippendorff's alpha: 1 - observed / expected disagreement (Krippendorff 2019, ch. 12).

    Units with fewer than two ratings cannot be paired and fall out. None when nothing could have
    differed: no pairs, or one value only.
    """
    pairable = [[v for v in unit if v is not None] for unit in units]
    pairable = [values for values in pairable if len(values) > 1]
    total: Counter[T] = Counter(v for values in pairable for v in values)
    n = sum(total.values())
    observed = sum(_disagreement(Counter(values), distance) / (len(values) - 1) for values in pairable)
    expected = _disagreement(total, distance) / (n - 1) if n > 1 else 0.0
    return None if expected == 0 else 1 - observed / expected


def _disagreement(values: Counter[T], distance: Callable[[T, T], float]) -> float:
    """The distances of all ordered pairs of values."""
    return 2 * sum(m * n * distance(a, b) for (a, m), (b, n) in combinations(values.items(), 2))


def cohen(pairs: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa of two coders (Cohen 1960). None when chance alone would agree wholly."""
    both = list(pairs)
    if not both:
        return None
    n = len(both)
    first, second = Counter(a for a, _ in both), Counter(b for _, b in both)
    chance = sum(first[v] * second[v] for v in first) / n**2
    observed = sum(a == b for a, b in both) / n
    return None if chance == 1 else (observed - chance) / (1 - chance)


def fleiss(units: Iterable[Sequence[Hashable]]) -> float | None:
    """
    Fleiss' kappa of several coders (Fleiss 1971); every unit has the same number of ratings, at least two.

    None when chance alone would agree wholly; ValueError when the numbers of ratings differ.
    """
    counted = [Counter(unit) for unit in units]
    if len({c.total() for c in counted}) > 1 or any(c.total() < 2 for c in counted):
        msg = "Fleiss' kappa needs the same number of ratings, two or more, for every unit"
        raise ValueError(msg)
    if not counted:
        return None
    m, n = counted[0].total(), len(counted)
    observed = sum((sum(k * k for k in c.values()) - m) / (m * (m - 1)) for c in counted) / n
    shares: Counter[Hashable] = sum(counted, Counter())
    chance = sum((k / (n * m)) ** 2 for k in shares.values())
    return None if chance == 1 else (observed - chance) / (1 - chance)


def pabak(pairs: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    """Prevalence-adjusted bias-adjusted kappa of a yes/no code: 2 x observed agreement - 1 (Byrt et al. 1993)."""
    both = list(pairs)
    return 2 * sum(a == b for a, b in both) / len(both) - 1 if both else None


def positive_agreement(units: Iterable[Sequence[bool | None]]) -> float | None:
    """
    Of all judgements "yes" that could be paired, the share that met a "yes" (Cicchetti & Feinstein 1990).

    For two coders 2a / (2a + b + c); for more, pooled over their pairs. None when nobody said yes.
    """
    met = could = 0.0
    for unit in units:
        given = [v for v in unit if v is not None]
        yes = sum(given)
        met += yes * (yes - 1)
        could += yes * (len(given) - 1)
    return met / could if could else None


def verdict(value: float | None) -> str:
    """What an alpha allows to say, in one sentence."""
    if value is None:
        return "undefined: no coder could have differed (the code was never given, or always)"
    if value >= RELIABLE:
        return "reliable: alpha is at least .800"
    if value >= TENTATIVE:
        return "tentative conclusions only: alpha lies between .667 and .800"
    return "tentative conclusions are not supported: alpha is below .667"
