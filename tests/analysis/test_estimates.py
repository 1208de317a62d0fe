"""Estimates joined from the store speak of the posts that could be drawn, whatever was drawn first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.estimates import (
    NotEstimable,
    _design,
    _Drawn,
    basis,
    learnt_from,
    rows,
    suppressed,
    warnings,
    without_machine,
)
from analysis.prevalence import estimate
from bench.coverage import Scene, talk
from coding.sampling import Drawn, Plan, draw_sample, random_draw, weighted_draw
from storage import Batch, Coding, Store, samples
from tests.coding.field import NOW, code_by, codebook, gold_codes, gold_posts, gold_store

CODE = "norms.doxing"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return gold_store(tmp_path)


def read(store: Store, sample: str, coder: str = "anna") -> None:
    """Let a coder read a sample as gold has it."""
    posts = samples.items(store, sample)["post"].to_list()
    code_by(store, coder, {p: gold_codes()[p] for p in posts})


def machine(store: Store, seed: int = 0, error: float = 0.1) -> Coding:
    """A machine that is wrong about one post in ten, code by code."""
    rng = np.random.default_rng(seed)
    given = {
        p: frozenset(c for c in codebook_ids() if (c in g) ^ (rng.random() < error)) for p, g in gold_codes().items()
    }
    id_ = code_by(store, "rules", given, "rules")
    return next(c for c in store.codings() if c.id == id_)


def codebook_ids() -> list[str]:
    return [c.id for c in codebook().codes]


def truth(code: str = CODE, case: str | None = None) -> float:
    start = {None: "", "scam-fighters": "sf"}[case]
    given = [code in g for p, g in gold_codes().items() if p.startswith(start)]
    return sum(given) / len(given)


def test_without_samples_or_codes_there_is_nothing_to_estimate(store: Store) -> None:
    """Each missing step is named with the command that does it."""
    with pytest.raises(NotEstimable, match="veldwerk sample"):
        basis(store, None)
    sample = draw_sample(store, Plan(50))
    with pytest.raises(NotEstimable, match="annotations add"):
        basis(store, None)
    read(store, sample.id)
    with pytest.raises(NotEstimable, match="draw another sample"):
        basis(store, None, trained_on=list(gold_codes()))
    assert basis(store, None).coded == 50


def test_weights_of_a_sample_add_up_to_the_posts(store: Store) -> None:
    """Random or stratified, the weights sum to the frame exactly; steered, within their chance."""
    coding = machine(store)
    for design, slack in (("random", 1e-9), ("stratified", 1e-9), ("rare", 0.35)):
        sample = draw_sample(store, Plan(80, design, case="scam-fighters", codings=(coding.id,)))
        read(store, sample.id, f"coder-{design}")
        base = basis(store, coding, "scam-fighters")
        assert base.design.weight.sum() == pytest.approx(140, rel=slack)
        assert len(base.posts) == 140
        if design == "random":
            assert warnings(base) == ["only 80 posts have gold: intervals are wide, and rough below 30"]


def test_a_census_gives_the_truth_of_every_code_in_every_case(store: Store) -> None:
    """When all posts were drawn and coded each estimate is exact, and so is each domain's."""
    sample = draw_sample(store, Plan(560))
    read(store, sample.id)
    found = list(rows(basis(store, machine(store)), codebook(), ("case",), themes=False))
    for row in found:
        if row.by == "all":
            assert row.estimate.corpus.value == pytest.approx(truth(row.code))
            assert row.estimate.corpus.high == pytest.approx(row.estimate.corpus.low)
        elif row.among == "scam-fighters":
            assert row.estimate.corpus.value == pytest.approx(truth(row.code, "scam-fighters"))
    assert len(found) == 21 * 5


def test_posts_not_coded_yet_are_missing_at_random_and_it_is_said(store: Store) -> None:
    """Half a sample weighs double, and the reader is told."""
    sample = draw_sample(store, Plan(100, seed=4))
    half = samples.items(store, sample.id)["post"].to_list()[:50]
    code_by(store, "anna", {p: gold_codes()[p] for p in half})
    base = basis(store, None)
    assert base.design.weight.tolist() == pytest.approx([560 / 50] * 50)
    assert any(w.startswith("50 of 100 drawn posts have no usable gold") for w in warnings(base))


def test_a_second_sample_counts_once_posts_of_its_own_are_coded(store: Store) -> None:
    """What it shares with an enriched first sample is no fair part of it, until the rest is coded too."""
    coding = machine(store)
    first = draw_sample(store, Plan(200, "rare", codings=(coding.id,)))
    read(store, first.id, "anna")
    alone = basis(store, coding)
    second = draw_sample(store, Plan(100, seed=77))
    shared = set(samples.items(store, first.id)["post"]) & set(samples.items(store, second.id)["post"])
    assert shared
    base = basis(store, coding)
    assert len(base.design.waves) == 1
    assert (base.coded, base.draws) == (alone.coded, 300)
    read(store, second.id, "bram")
    base = basis(store, coding)
    assert [len(w.item) for w in base.design.waves] == [200, 100]
    assert base.design.waves[1].chance.tolist() == pytest.approx([100 / 560] * 100)


def test_posts_that_a_model_learnt_from_leave_smaller_chances_behind(store: Store) -> None:
    """Of a second sample only posts are left that the first had not taken: each chance is less by the first's."""
    coding = machine(store)
    first = draw_sample(store, Plan(200, "rare", codings=(coding.id,)))
    read(store, first.id, "anna")
    second = draw_sample(store, Plan(150, seed=77))
    read(store, second.id, "bram")
    learnt = samples.items(store, first.id)["post"].to_list()
    base = basis(store, coding, trained_on=learnt)
    (wave,) = base.design.waves
    took = dict(samples.in_frame(store, first.id).iter_rows())
    posts = base.posts[wave.item]["post"].to_list()
    assert not set(posts) & set(learnt)
    assert wave.chance.tolist() == pytest.approx([150 / 560 * (1 - took[p]) for p in posts])
    assert (1 / wave.chance).sum() == pytest.approx(len(base.posts), rel=0.15)


def test_posts_that_came_later_are_outside_and_it_is_said(store: Store) -> None:
    """An estimate covers what the sample could have drawn, no more, until another sample covers the rest."""
    sample = draw_sample(store, Plan(100))
    read(store, sample.id)
    late = [replace(p, id=f"late-{n}", text=f"later bericht {n}") for n, p in enumerate(gold_posts()) if n < 40]
    store.add(Batch("all", "gold", tuple(late)))
    base = basis(store, None)
    assert (len(base.posts), base.outside) == (560, 40)
    assert any(w.startswith("40 stored posts could not be drawn") for w in warnings(base))
    second = draw_sample(store, Plan(100))
    code_by(store, "bram", {p: gold_codes().get(p, frozenset()) for p in samples.items(store, second.id)["post"]})
    base = basis(store, None)
    assert (len(base.posts), base.outside) == (600, 0)
    assert base.design.weight.sum() == pytest.approx(600, rel=0.1)


def test_a_disputed_code_counts_by_its_share_and_it_is_said(store: Store) -> None:
    """Two coders who differ make half a yes."""
    sample = draw_sample(store, Plan(560))
    read(store, sample.id)
    posts = sorted(p for p, c in gold_codes().items() if CODE in c)
    code_by(store, "bram", {p: c - {CODE} for p, c in gold_codes().items()})
    base = basis(store, None)
    assert base.split == len(posts)
    found = estimate(base.design, base.machine([CODE]), base.gold([CODE]))
    assert found.corpus.value == pytest.approx(truth() / 2)
    assert any("in dispute" in w for w in warnings(base))


def test_only_a_model_of_the_study_itself_learnt_from_its_gold(store: Store) -> None:
    """Rules and the shipped model know none; an own model what was coded before it was first run."""
    sample = draw_sample(store, Plan(20))
    read(store, sample.id)
    own = Coding("m", "model", "model", "1", "x", '{"path": "own.npz"}', datetime.now(UTC))
    assert learnt_from(store, own) == sorted(samples.items(store, sample.id)["post"].to_list())
    assert learnt_from(store, replace(own, settings='{"path": ""}')) == []
    assert learnt_from(store, replace(own, coder="rules")) == []
    assert learnt_from(store, replace(own, started=NOW)) == []


def test_rows_about_too_few_posts_are_left_out(store: Store) -> None:
    """A month with fewer posts than the smallest cell gives no row."""
    sample = draw_sample(store, Plan(200))
    read(store, sample.id)
    base = basis(store, None)
    found = list(rows(base, codebook(), ("month",)))
    sizes = base.posts["month"].value_counts()
    few = set(sizes.filter(pl.col("count") < 5)["month"])
    shown = list(suppressed(found, 5))
    assert {r.among for r in found} - {r.among for r in shown} == few
    assert all(r.estimate.posts >= 5 for r in shown)


def test_the_machine_can_be_left_out_of_the_same_basis(store: Store) -> None:
    """Without its marks the estimate is the one from gold alone."""
    sample = draw_sample(store, Plan(150))
    read(store, sample.id)
    base = basis(store, machine(store))
    bare = without_machine(base)
    with_ = estimate(base.design, base.machine([CODE]), base.gold([CODE]))
    alone = estimate(bare.design, bare.machine([CODE]), bare.gold([CODE]))
    assert alone.corpus == with_.gold_only
    assert alone.naive.value == 0


def test_looking_first_where_the_machine_is_unsure_leaves_the_estimates_unbiased() -> None:
    """
    Active learning, 300 times: a random wave, then one steered by what the first wave taught; the mean is the truth.

    The share of the code among all coded posts is far off, for the second wave looks for it.
    """
    rng = np.random.default_rng(8)
    corpus = talk(Scene("", 0.08, 0.65, 0.05, "random", 0, posts=2000), rng)
    names = [str(n) for n in range(2000)]
    posts = pl.DataFrame({"post": names, "thread": corpus.thread, "author": corpus.author})
    found, naive = [], []
    for _ in range(300):
        first = random_draw(2000, 150, rng)
        # What it taught: threads in which the code was seen are worth looking at, with those the machine points to.
        seen = set(corpus.thread[first.chosen][corpus.truth[first.chosen]].tolist())
        doubt = np.array([t in seen for t in corpus.thread.tolist()]) * 0.5 + corpus.machine * 0.5
        second = weighted_draw(doubt, 150, rng)
        design = _design(posts, [drawn(names, first), drawn(names, second)])
        assert design.weight.sum() == pytest.approx(2000, rel=0.5)
        one = estimate(design, corpus.machine, corpus.truth[design.item].astype(float))
        found.append(one.corpus)
        naive.append(corpus.truth[design.item].mean())
    values = np.array([f.value for f in found])
    truth_ = corpus.truth.mean()
    assert abs(values.mean() - truth_) < 3.5 * values.std() / 300**0.5
    assert np.mean(naive) - truth_ > 0.05
    assert 0.91 <= np.mean([f.low <= truth_ <= f.high for f in found]) <= 0.99


def drawn(names: list[str], one: Drawn) -> _Drawn:
    chances = pl.DataFrame({"post": names, "chance": one.probability})
    return _Drawn(chances[one.chosen], chances, len(one.chosen))
