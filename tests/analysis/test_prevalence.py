"""Estimates are right where the truth is known, and say how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.prevalence import Design, estimate, pseudo_outcome
from bench.coverage import SCENES, Scene, drawn, judged, simulate, talk
from coding.sampling import Drawn, random_draw, weighted_draw

SEEDS = st.integers(0, 2**31)


def design_of(one: Drawn, threads: int = 20) -> Design:
    ids = np.arange(len(one.probability))
    return Design.of_one(ids % threads, ids % 37, one.probability, one.chosen)


@given(SEEDS, st.integers(1, 120), st.floats(0, 1), st.booleans())
def test_an_interval_holds_its_value_and_stays_within_nought_and_one(
    seed: int, n: int, prevalence: float, weighted: bool
) -> None:
    """Whatever was drawn and coded, 0 <= low <= value <= high <= 1, for all four estimates and any domain."""
    rng = np.random.default_rng(seed)
    machine, truth = rng.random(120) < 0.3, rng.random(120) < prevalence
    one = weighted_draw(rng.random(120) ** 4, n, rng) if weighted else random_draw(120, n, rng)
    inside = rng.random(120) < 0.4
    inside[0] = True
    for within in (None, inside):
        found = estimate(design_of(one), machine, truth[one.chosen].astype(float), within)
        for span in (found.corpus, found.beyond, found.gold_only, found.naive):
            assert 0 <= span.low <= span.value <= span.high <= 1
        assert found.beyond.low <= found.corpus.low
        assert found.beyond.high >= found.corpus.high
        assert found.posts == (120 if within is None else inside.sum())


@given(SEEDS)
def test_when_everything_was_coded_the_estimate_is_the_truth(seed: int) -> None:
    """A census leaves no doubt about the corpus: the interval is one point."""
    rng = np.random.default_rng(seed)
    machine, truth = rng.random(200) < 0.3, rng.random(200) < 0.2
    one = random_draw(200, 200, rng)
    found = estimate(design_of(one), machine, truth[one.chosen].astype(float))
    for span in (found.corpus, found.gold_only):
        assert (span.low, span.value, span.high) == pytest.approx((truth.mean(),) * 3)


@given(SEEDS)
def test_in_a_random_sample_it_is_the_regression_estimator(seed: int) -> None:
    """With one 0/1 predictor: mean of gold + slope x (machine's mean in the corpus - in the sample)."""
    rng = np.random.default_rng(seed)
    machine = rng.random(500) < 0.4
    truth = np.where(rng.random(500) < 0.2, ~machine, machine)
    one = random_draw(500, 80, rng)
    y, f = truth[one.chosen].astype(float), machine[one.chosen].astype(float)
    slope = np.cov(y, f)[0, 1] / np.var(f, ddof=1)
    by_hand = y.mean() + slope * (machine.mean() - f.mean())
    found = estimate(design_of(one), machine, y)
    assert found.corpus.value == pytest.approx(by_hand)
    assert found.gold_only.value == pytest.approx(y.mean())
    assert pseudo_outcome(design_of(one), machine, y).mean() == pytest.approx(by_hand)


def test_precision_and_recall_are_those_of_the_whole_corpus() -> None:
    """From a census they equal the confusion table."""
    rng = np.random.default_rng(3)
    machine, truth = rng.random(400) < 0.3, rng.random(400) < 0.25
    one = random_draw(400, 400, rng)
    found = estimate(design_of(one), machine, truth[one.chosen].astype(float))
    hits = (machine & truth).sum()
    assert (found.precision, found.recall) == pytest.approx((hits / machine.sum(), hits / truth.sum()))


def test_no_error_seen_is_not_no_error() -> None:
    """Thirty posts without the code leave room for some: the upper end is the exact binomial one."""
    one = random_draw(100_000, 30, np.random.default_rng(1))
    found = estimate(design_of(one), np.zeros(100_000, dtype=bool), np.zeros(30))
    assert found.corpus.value == found.corpus.low == 0
    assert found.corpus.high == pytest.approx(1 - 0.025 ** (1 / 30), rel=1e-3)


def test_posts_nobody_looked_at_may_hold_anything() -> None:
    """A machine code of which no case was checked widens the interval by its whole share."""
    machine = np.zeros(1000, dtype=bool)
    machine[:100] = True
    one = random_draw(1000, 300, np.random.default_rng(1))
    unseen = one.chosen[one.chosen >= 100]
    design = Design.of_one(np.arange(1000) % 9, np.arange(1000) % 7, one.probability, unseen)
    found = estimate(design, machine, np.zeros(len(unseen)))
    assert found.corpus.high - found.corpus.low >= 0.1
    assert found.precision is None
    assert found.recall is None


def test_an_empty_domain_is_refused() -> None:
    """There is no prevalence among no posts."""
    one = random_draw(10, 5, np.random.default_rng(1))
    with pytest.raises(ValueError, match="no post"):
        estimate(design_of(one), np.zeros(10, dtype=bool), np.zeros(5), np.zeros(10, dtype=bool))


def test_a_better_machine_gives_narrower_intervals() -> None:
    """From noise to truth, the width falls, and a useless machine costs next to nothing beside gold alone."""
    rng = np.random.default_rng(11)
    truth = rng.random(4000) < 0.2
    widths = []
    for error in (0.5, 0.2, 0.05, 0.0):
        machine = truth ^ (rng.random(4000) < error)
        found = [
            estimate(design_of(d), machine, truth[d.chosen].astype(float))
            for d in (random_draw(4000, 300, rng) for _ in range(20))
        ]
        widths.append(np.mean([f.corpus.high - f.corpus.low for f in found]))
        if error == 0.5:
            alone = np.mean([f.gold_only.high - f.gold_only.low for f in found])
            assert widths[0] == pytest.approx(alone, rel=0.03)
    assert widths == sorted(widths, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("scene", [SCENES[1], SCENES[10], SCENES[13]], ids=lambda s: s.name)
def test_the_intervals_hold_what_they_promise_and_the_naive_ones_do_not(scene: Scene) -> None:
    """In 300 simulated studies 91-99 % hold the truth (95 % within sampling error), the machine's count under half."""
    found = simulate(scene, 300, seed=2)
    assert 0.91 <= found.coverage <= 0.99
    assert 0.91 <= found.one_platform <= 0.99
    assert 0.91 <= found.beyond <= 0.99
    assert found.naive < 0.5
    assert abs(found.bias) < 0.003


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_enriched_samples_estimate_without_bias(seed: int) -> None:
    """Looking for the rare and the doubtful first shifts the mean of 60 estimates by less than 4 standard errors."""
    rng = np.random.default_rng(seed)
    scene = SCENES[10]
    corpus = talk(scene, rng)
    found = [judged(corpus, drawn(scene, corpus, rng)).corpus.value for _ in range(60)]
    error = np.std(found) / 60**0.5
    assert abs(np.mean(found) - corpus.truth.mean()) < 4 * error + 0.001
