"""Samples are probability samples: reproducible, of the size asked, with the probabilities they state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from coding.sampling import (
    MERGED,
    Plan,
    SamplingError,
    dispute,
    draw_sample,
    inclusion,
    posts_needed,
    random_draw,
    rarest_code,
    rarity,
    shared_out,
    stratified_draw,
    weighted_draw,
)
from storage import Store
from storage import samples as kept
from tests.coding.field import code_by, gold_codes, gold_store

SEEDS = st.integers(0, 2**31)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return gold_store(tmp_path_factory.mktemp("gold"))


@given(SEEDS, st.integers(1, 300), st.lists(st.sampled_from("aabbbcd"), min_size=1, max_size=200), st.booleans())
def test_a_draw_has_the_size_asked_and_its_probabilities_sum_to_it(
    seed: int, n: int, strata: list[str], equal: bool
) -> None:
    """Whatever the design, n distinct posts are drawn and the probabilities, all above 0, sum to n."""
    size = len(strata)
    rng = np.random.default_rng(seed)
    draws = [random_draw(size, n, rng), weighted_draw(rng.random(size) ** 5, n, rng)]
    if n >= len(set(strata)):
        draws.append(stratified_draw(strata, n, rng, equal=equal))
    for drawn in draws:
        assert len(set(drawn.chosen.tolist())) == len(drawn.chosen) == min(n, size)
        assert drawn.probability.sum() == pytest.approx(min(n, size))
        assert ((drawn.probability > 0) & (drawn.probability <= 1)).all()


def test_posts_are_drawn_as_often_as_their_probability_says() -> None:
    """Over 4,000 draws each post comes as often as its inclusion probability promises (binomial, p > 1e-6)."""
    rng = np.random.default_rng(7)
    measure = np.r_[np.zeros(20), rng.random(20) ** 3]
    strata = ["a"] * 25 + ["b"] * 12 + ["c"] * 3
    for draw in (
        lambda: random_draw(40, 9, rng),
        lambda: stratified_draw(strata, 9, rng),
        lambda: weighted_draw(measure, 9, rng),
    ):
        hits = np.zeros(40)
        for _ in range(4000):
            drawn = draw()
            hits[drawn.chosen] += 1
        low, high = binom.ppf(1e-6, 4000, drawn.probability), binom.isf(1e-6, 4000, drawn.probability)
        assert ((hits >= low) & (hits <= high)).all()


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60), st.data())
def test_probabilities_follow_the_measure_until_one(measure: list[float], data: st.DataObject) -> None:
    """Below 1 the inclusion probabilities are in proportion to the measure; none exceeds 1."""
    n = data.draw(st.integers(1, len(measure)))
    probability = inclusion(np.array(measure), n)
    assert probability.sum() == pytest.approx(n)
    assert probability.max() <= 1
    ratios = (probability / np.array(measure))[probability < 1]
    assert ratios == pytest.approx(np.full(len(ratios), ratios[0] if len(ratios) else 0))


@given(SEEDS, st.floats(0.05, 1.0))
def test_no_weight_exceeds_that_of_a_random_sample_by_more_than_one_over_the_floor(seed: int, floor: float) -> None:
    """The floor bounds every design weight, so that no single post rules an estimate."""
    rng = np.random.default_rng(seed)
    drawn = weighted_draw(rng.random(500) ** 20, 50, rng, floor=floor)
    assert (1 / drawn.probability).max() <= (500 / 50) / floor * (1 + 1e-9)


def test_small_strata_are_merged_so_that_each_has_two_posts() -> None:
    """Strata whose share is under two posts become one, and its variance can be estimated."""
    drawn = stratified_draw(["a"] * 500 + ["b"] * 40 + ["c"] * 3 + ["d"], 50, np.random.default_rng(1))
    assert set(drawn.strata) == {"a", "b", MERGED} or set(drawn.strata) == {"a", MERGED}
    chosen = [drawn.strata[i] for i in drawn.chosen]
    assert min(chosen.count(s) for s in set(chosen)) >= 2


def test_the_rare_design_gives_each_code_the_same_share() -> None:
    """A code seen in 2 posts weighs in all as much as one seen in 90."""
    frame = pl.DataFrame({"post": [f"p{i}" for i in range(100)]})
    marks = pl.DataFrame(
        {"post": [f"p{i}" for i in range(92)], "code": ["often"] * 90 + ["rare"] * 2, "score": [1.0] * 92}
    )
    measure = rarity(frame, marks)
    assert (measure[:90].sum(), measure[90:92].sum(), measure[92:].sum()) == pytest.approx((1.0, 1.0, 0.0))
    assert rarest_code(frame, marks) == ["often"] * 90 + ["rare"] * 2 + ["none"] * 8


def test_disagreement_counts_the_codes_on_which_codings_differ() -> None:
    """A post on which two codings agree has measure 0; each code that only one gives adds 1."""
    frame = pl.DataFrame({"post": ["same", "one", "two", "none"]})
    a = pl.DataFrame({"post": ["same", "one", "two"], "code": ["c", "c", "c"]})
    b = pl.DataFrame({"post": ["same", "two"], "code": ["c", "d"]})
    assert dispute(frame, [a, b]).tolist() == [0, 1, 2, 0]


@given(st.integers(0, 80), st.integers(1, 4), st.floats(0, 1))
def test_every_post_is_coded_and_the_overlap_by_all(posts: int, coders: int, overlap: float) -> None:
    """Sharing out leaves no post uncoded, gives the overlap to every coder and the rest to one each."""
    ids = [f"p{i}" for i in range(posts)]
    shares = shared_out(ids, [f"c{i}" for i in range(coders)], overlap)
    times = [sum(p in own for own in shares.values()) for p in ids]
    both = int(np.ceil(overlap * posts)) if coders > 1 else 0
    assert times == [coders] * both + [1] * (posts - both)


def test_the_same_seed_draws_the_same_posts_and_a_second_sample_others(store: Store) -> None:
    """A sample is reproducible from its seed; without one, the next sample is another."""
    first = draw_sample(store, Plan(40, case="scam-fighters", seed=99))
    with pytest.raises(Exception, match="already a sample"):
        draw_sample(store, Plan(40, case="scam-fighters", seed=99))
    second = draw_sample(store, Plan(40, case="scam-fighters"))
    again = np.random.default_rng(99).permutation(140)[:40]
    frame = kept.frame(store, "scam-fighters")
    assert kept.items(store, first.id)["post"].to_list() == frame["post"].gather(again).to_list()
    assert kept.items(store, second.id)["post"].to_list() != kept.items(store, first.id)["post"].to_list()
    chances = kept.in_frame(store, first.id)
    assert chances["post"].to_list() == frame["post"].to_list()
    assert chances["probability"].to_list() == [40 / 140] * 140


def test_each_design_is_kept_with_its_probabilities(store: Store) -> None:
    """What is stored says, per post, the chance it had; over the frame they sum to n."""
    codes = gold_codes()
    half = {p: frozenset(sorted(c)[:1]) for p, c in codes.items()}
    one, two = code_by(store, "a", codes, "rules"), code_by(store, "b", half, "model")
    for design in ("stratified", "uncertain", "disagreement", "rare"):
        plan = Plan(60, design, codings=(one, two), by=("case", "code"), coders=("anna", "bram"))
        sample = draw_sample(store, plan)
        items = kept.items(store, sample.id)
        assert len(items) == 60
        assert items["position"].to_list() == list(range(1, 61))
        # The Horvitz-Thompson estimate of the frame's size must be near it: 560 +- four standard errors.
        assert float((1 / items["probability"]).sum()) == pytest.approx(560, rel=0.5)
        assert sorted({p for own in kept.coders_of(store, sample.id).values() for p in own}) == sorted(items["post"])


def test_context_is_what_was_said_before_in_the_same_thread(store: Store) -> None:
    """A sampled post comes with the opener, the post it answers and the three before it, oldest first."""
    sample = draw_sample(store, Plan(560, seed=5))
    by_thread: dict[str, list[str]] = {}
    for post in store.posts():
        by_thread.setdefault(post.thread, []).append(post.id)
    for one in kept.sampled(store, sample.id):
        line = by_thread[one.post.thread]
        place = line.index(one.post.id)
        wanted = {0, *range(max(0, place - 3), place)} | {line.index(r) for r in [one.post.reply_to] if r in line}
        assert [p.id for p in one.context] == [line[i] for i in sorted(wanted) if i < place]


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan(0), "at least one post"),
        (Plan(5, case="no-such"), "nothing to draw from"),
        (Plan(5, "uncertain"), "veldwerk code"),
        (Plan(5, "disagreement"), "two codings"),
        (Plan(5, "clever"), "there are: random"),
        (Plan(5, "stratified", by=("weather",)), "there are: case"),
        (Plan(5, coders=("a", "b"), overlap=2.0), "between 0 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_way_out(store: Store, plan: Plan, told: str) -> None:
    """A plan that makes no sense is refused in words, and leaves no sample behind."""
    before = len(kept.samples(store))
    with pytest.raises(SamplingError, match=told):
        draw_sample(store, plan)
    assert len(kept.samples(store)) == before


def test_planning_gives_the_textbook_numbers() -> None:
    """+-5 points around one half takes 385 posts, 278 of a population of 1,000; agreement of 0.6 saves 36 %."""
    assert posts_needed(0.05) == 385
    assert posts_needed(0.05, size=1000) == 278
    assert posts_needed(0.05, agreement=0.6) == 246


@settings(max_examples=20)
@given(st.floats(0.01, 0.3), st.floats(0.01, 0.99))
def test_planned_posts_give_the_interval_asked_for(half: float, share: float) -> None:
    """With n posts as planned the 95 % half-width is at most what was asked, with one less it is more."""

    def width(n: int) -> float:
        return 1.959964 * (share * (1 - share) / n) ** 0.5

    n = posts_needed(half, share)
    assert width(n) <= half * (1 + 1e-9)
    assert n == 1 or width(n - 1) > half


def test_an_edited_post_keeps_its_place_at_the_version_drawn(tmp_path: Path) -> None:
    """After an edit the coder still gets the words that were drawn, and the item no longer counts as current."""
    from dataclasses import replace

    from storage import Batch

    store = gold_store(tmp_path)
    sample = draw_sample(store, Plan(560, seed=1))
    post = next(iter(store.posts()))
    store.add(Batch("all", "gold", (replace(post, text="andere woorden"),)))
    texts = {s.post.id: s.post.text for s in kept.sampled(store, sample.id)}
    assert texts[post.id] == post.text
    assert post.id not in kept.items(store, sample.id)["post"].to_list()


def test_doubt_is_asked_of_a_coder_that_can_tell_it(tmp_path: Path) -> None:
    """The model tells how sure it is of every code, near misses too; the chances of the draw follow its doubt."""
    from coding import in_threads, load_codebook, load_coder
    from coding.run import code_posts

    store = gold_store(tmp_path)
    for _ in code_posts(store, "model", load_codebook(), case="scam-fighters"):
        pass
    (coding,) = store.codings()
    plan = Plan(30, "uncertain", case="scam-fighters", codings=(coding.id,), floor=0.2)
    chances = dict(kept.in_frame(store, draw_sample(store, plan).id).iter_rows())
    units = list(in_threads(store.posts("scam-fighters")))
    model = load_coder("model")
    told = model.scores(iter(units), model.Settings())  # type: ignore[attr-defined]
    doubts = {u.post.id: sum(4 * s * (1 - s) for s in row.values()) for u, row in zip(units, told, strict=True)}
    total = sum(doubts.values())
    wanted = np.array([0.2 / 140 + 0.8 * doubts[p] / total for p in chances])
    assert list(chances.values()) == pytest.approx(inclusion(wanted, 30).tolist(), rel=1e-3)
    assert len(set(chances.values())) > 100
