"""What goes with a code is found in spite of a machine that errs otherwise in one place than in another."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from analysis.prevalence import Design
from analysis.regression import Unidentified, covariates, regress
from coding.sampling import random_draw


def talk(rng: np.random.Generator, size: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Posts on two platforms; the code is commoner on the second, the machine blind to half of it there."""
    thread = rng.integers(0, size // 10, size)
    second = (thread % 2).astype(float)
    truth = rng.random(size) < 1 / (1 + np.exp(1.5 - 0.8 * second))
    machine = (truth & (rng.random(size) < np.where(second == 1, 0.5, 0.9))) | (rng.random(size) < 0.03)
    return thread, second, truth, machine


def test_with_all_posts_coded_it_is_plain_logistic_regression() -> None:
    """Coefficients are those of an independent implementation; the machine no longer matters."""
    rng = np.random.default_rng(1)
    thread, second, truth, machine = talk(rng)
    drawn = random_draw(4000, 4000, rng)
    design = Design.of_one(thread, np.arange(4000), drawn.probability, drawn.chosen)
    matrix = np.stack([np.ones(4000), second], axis=1)
    found = regress(design, machine, truth[drawn.chosen].astype(float), matrix, ["(intercept)", "second"])
    fit = sm.GLM(truth.astype(float), matrix, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": thread}
    )
    assert [c.value for c in found] == pytest.approx(fit.params.tolist(), abs=1e-6)
    assert [c.error for c in found] == pytest.approx(fit.bse.tolist(), rel=0.05)


@pytest.mark.slow
def test_the_interval_holds_the_true_slope_where_the_machine_alone_has_it_wrong() -> None:
    """In 300 studies 92-98 % of intervals hold 0.8, while the machine's own slope is near 0."""
    rng = np.random.default_rng(2)
    hits, naive = 0, []
    for _ in range(300):
        thread, second, truth, machine = talk(rng)
        drawn = random_draw(4000, 400, rng)
        design = Design.of_one(thread, np.arange(4000), drawn.probability, drawn.chosen)
        matrix = np.stack([np.ones(4000), second], axis=1)
        slope = regress(design, machine, truth[drawn.chosen].astype(float), matrix, ["(intercept)", "second"])[1]
        hits += slope.low <= 0.8 <= slope.high
        share = [machine[second == s].mean() for s in (0, 1)]
        naive.append(np.log(share[1] / (1 - share[1])) - np.log(share[0] / (1 - share[0])))
    assert 0.92 <= hits / 300 <= 0.98
    assert np.mean(naive) < 0.35


def test_covariates_become_dummies_and_years() -> None:
    """The most frequent value is the reference; months count in years since the first."""
    posts = pl.DataFrame(
        {
            "platform": ["reddit", "reddit", "forum"],
            "month": ["2024-01", "2025-01", "2024-07"],
            "reply": [True, True, False],
        }
    )
    matrix, names = covariates(posts, ["platform", "month", "reply"])
    assert names == ["(intercept)", "platform=forum", "month (per year)", "reply=False"]
    assert matrix.tolist() == [[1, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0.5, 1]]


def test_what_cannot_be_told_apart_is_refused() -> None:
    """A covariate that repeats another, or a code that never occurs, has no finite coefficient."""
    drawn = random_draw(100, 100, np.random.default_rng(1))
    ids = np.arange(100)
    design = Design.of_one(ids, ids, drawn.probability, drawn.chosen)
    with pytest.raises(Unidentified):
        regress(design, np.zeros(100, dtype=bool), np.zeros(100), np.ones((100, 1)), ["(intercept)"])
    twice = np.stack([np.ones(100), ids % 2, ids % 2], axis=1).astype(float)
    with pytest.raises(Unidentified):
        regress(design, np.zeros(100, dtype=bool), (ids[drawn.chosen] % 3 == 0).astype(float), twice, ["a", "b", "c"])
