"""
What goes with a code: logistic regression on covariates, from machine codes put right by gold.

Design-based supervised learning (Egami, Hinck, Stewart & Wei 2023): each post's outcome is the machine's
expectation plus, where people coded it, the weighted difference to what they said. The estimating
equations of logistic regression hold for such an outcome; errors are clustered by thread and author.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, t

from .prevalence import Design, Flags, Floats, cluster_sums, pseudo_outcome

if TYPE_CHECKING:
    import polars as pl


class Unidentified(ValueError):
    """The regression has no answer: a covariate that does not vary, or an outcome that is the same throughout."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One covariate: log odds with standard error and interval, and the odds ratio; `p` is two-sided."""

    name: str
    value: float
    error: float
    low: float
    high: float
    odds_ratio: float
    p: float


def covariates(posts: pl.DataFrame, on: Sequence[str]) -> tuple[Floats, list[str]]:
    """
    The design matrix and its column names: an intercept, and for each covariate

    case or platform: a dummy for every value but the most frequent; month: months since the first,
    divided by 12 (a year's change); reply: whether the post answers another.
    """
    columns, names = [np.ones(len(posts))], ["(intercept)"]
    for name in on:
        if name == "month":
            year_month = posts["month"].str.split("-").to_list()
            months = np.array([12 * int(y) + int(m) for y, m in year_month], dtype=float)
            columns.append((months - months.min()) / 12)
            names.append("month (per year)")
            continue
        counts = posts[name].value_counts(sort=True)
        for value in counts[name].to_list()[1:]:
            columns.append((posts[name] == value).to_numpy().astype(float))
            names.append(f"{name}={value}")
    return np.stack(columns, axis=1), names


def regress(
    design: Design, machine: Flags, gold: Floats, matrix: Floats, names: Sequence[str], *, level: float = 0.95
) -> list[Coefficient]:
    """
    Coefficients of a logistic regression of the code on *matrix* (N x k). Unidentified when there is none.

    For the machine's codes taken at face value pass them as *machine* with an empty sample.
    """
    outcome = pseudo_outcome(design, machine, gold)
    found = _solve(matrix, outcome)
    fitted = 1 / (1 + np.exp(-matrix @ found))
    bread = np.linalg.inv((matrix * (fitted * (1 - fitted))[:, None]).T @ matrix)
    scores = matrix * (outcome - fitted)[:, None]
    parts = [cluster_sums(scores, ids) for ids in (design.thread, design.author, design.both)]
    meats = [s.T @ s * (len(s) / max(len(s) - 1, 1)) for s in parts]
    errors = [np.sqrt(np.maximum(np.diag(bread @ m @ bread), 0)) for m in (meats[0] + meats[1] - meats[2], meats[0])]
    error = np.maximum(*errors)
    clusters = min(len(np.unique(design.thread)), len(np.unique(design.author)))
    reach = t.isf((1 - level) / 2, max(clusters - 1, 1)) * error
    return [
        Coefficient(n, float(b), float(e), float(b - r), float(b + r), float(np.exp(b)), float(2 * norm.sf(abs(b / e))))
        for n, b, e, r in zip(names, found, error, reach, strict=True)
    ]


def _solve(matrix: Floats, outcome: Floats) -> Floats:
    """The root of the logistic score equations, by Newton steps that are halved when they overshoot."""
    found = np.zeros(matrix.shape[1])

    def score(b: Floats) -> tuple[Floats, Floats]:
        fitted = 1 / (1 + np.exp(-np.clip(matrix @ b, -30, 30)))
        return matrix.T @ (outcome - fitted), fitted * (1 - fitted)

    gap, spread = score(found)
    for _ in range(100):
        try:
            step = np.linalg.solve((matrix * spread[:, None]).T @ matrix, gap)
        except np.linalg.LinAlgError:
            break
        while np.abs(score(found + step)[0]).sum() > np.abs(gap).sum() and np.abs(step).max() > 1e-9:
            step = step / 2
        found = found + step
        gap, spread = score(found)
        if np.abs(gap).max() < 1e-8 * len(outcome) and np.abs(found).max() < 15:
            return found
    msg = "the regression has no finite answer: too few posts with the code, or covariates that go together wholly"
    raise Unidentified(msg)
