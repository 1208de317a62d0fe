"""Laws of co-occurrence and sequence: known tables, known variances, no dependence on order."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.association import Coded, co_occurrence, compared, discoveries, log_odds, over_time, sequence

START = datetime(2025, 1, 1, tzinfo=UTC)
A, B = "tools.osint", "norms.doxing"


def post(n: int, codes: set[str], *, thread: str | None = None, author: str | None = None, minute: int | None = None,
         case: str = "c") -> Coded:  # fmt: skip
    moment = START + timedelta(minutes=n if minute is None else minute)
    return Coded(f"p{n:04d}", case, thread or f"t{n}", author or f"a{n}", moment, frozenset(codes))


def table(both: int, given_only: int, then_only: int, neither: int) -> list[Coded]:
    kinds = [{A, B}] * both + [{A}] * given_only + [{B}] * then_only + [set[str]()] * neither
    return [post(n, codes) for n, codes in enumerate(kinds)]


@settings(deadline=None)
@given(*[st.integers(1, 20)] * 4)
def test_independent_posts_give_the_textbook_log_odds(a: int, b: int, c: int, d: int) -> None:
    """With each post alone in its cluster: ln(ad/bc), and Woolf's variance 1/a+1/b+1/c+1/d times n/(n-1)."""
    found = co_occurrence(table(a, b, c, d), [A], [B])[0]
    n = a + b + c + d
    assert (found.both, found.given_only, found.then_only, found.neither) == (a, b, c, d)
    assert found.log_odds == pytest.approx(math.log(a * d / (b * c)), abs=1e-9)
    assert found.error**2 == pytest.approx((1 / a + 1 / b + 1 / c + 1 / d) * n / (n - 1))
    assert found.low < found.log_odds < found.high


def test_an_empty_cell_gives_a_finite_answer_and_an_empty_side_none() -> None:
    """Half a unit goes to each count where one is 0; a code that nobody has cannot be measured."""
    assert math.isfinite(co_occurrence(table(5, 0, 3, 9), [A], [B])[0].log_odds)
    found = co_occurrence(table(0, 0, 3, 9), [A], [B])[0]
    assert math.isnan(found.log_odds)
    assert math.isnan(found.p)


def test_copies_of_a_post_in_its_thread_add_no_certainty() -> None:
    """A thread that says everything ten times weighs as one: the error stays, where naive errors shrink."""
    single = table(6, 5, 4, 9)
    tenfold = [
        post(n * 10 + k, set(p.codes), thread=p.thread, author=f"{p.author}/{k}")
        for n, p in enumerate(single)
        for k in range(10)
    ]
    once, ten = co_occurrence(single, [A], [B])[0], co_occurrence(tenfold, [A], [B])[0]
    assert ten.log_odds == pytest.approx(once.log_odds)
    assert ten.error == pytest.approx(once.error, rel=0.02)


def test_a_prolific_author_adds_no_certainty_either() -> None:
    """The same copies in ten threads by one author: the error stays as well."""
    single = table(6, 5, 4, 9)
    tenfold = [post(n * 10 + k, set(p.codes), author=p.author) for n, p in enumerate(single) for k in range(10)]
    once, ten = co_occurrence(single, [A], [B])[0], co_occurrence(tenfold, [A], [B])[0]
    assert ten.error == pytest.approx(once.error, rel=0.02)


def test_one_way_errors_equal_those_of_a_cluster_robust_logit() -> None:
    """With every author alone the error is that of a logit clustered by thread, but for its factor (n-1)/(n-k)."""
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(3)
    threads = rng.integers(0, 25, 300)
    taste = rng.normal(0, 1.5, 25)[threads]
    x = rng.random(300) < 1 / (1 + np.exp(-taste))
    y = rng.random(300) < 1 / (1 + np.exp(-taste * np.where(x, 1, -1)))
    value, error, fewer = log_odds(x, y, threads, np.arange(300))
    fit = sm.Logit(y.astype(float), sm.add_constant(x.astype(float))).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": threads}
    )
    assert value == pytest.approx(fit.params[1], rel=1e-4)
    assert error == pytest.approx(fit.bse[1] / math.sqrt(299 / 298), rel=2e-2)
    assert fewer == 25


def test_order_of_posts_does_not_matter() -> None:
    """Time, not the order of rows, orders a thread; figures are the same to the last bit."""
    rng = random.Random(5)
    posts = [
        post(n, set(rng.sample([A, B, "x"], rng.randint(0, 2))), thread=f"t{n % 9}", author=f"a{n % 13}")
        for n in range(120)
    ]
    mixed = rng.sample(posts, len(posts))
    one, other = sequence(posts, [A], [B, "x"]), sequence(mixed, [A], [B, "x"])
    assert [f.log_odds for f in one] == [f.log_odds for f in other]
    assert [f.minutes for f in one] == [f.minutes for f in other]


def test_what_follows_is_found_within_reach_and_timed() -> None:
    """A -> B two posts and 30 minutes later counts within 2 posts and not within 1."""
    thread = [
        post(0, {A}, thread="t", minute=0),
        post(1, set(), thread="t", minute=20),
        post(2, {B}, thread="t", minute=30),
    ]
    other = [
        post(10, set(), thread="u"),
        post(11, {A}, thread="u"),
        post(12, set(), thread="u"),
        post(13, {B}, thread="v"),
    ]
    near = sequence([*thread, *other], [A], [B], within=2)[0]
    assert (near.both, near.given_only, near.minutes) == (1, 1, 30.0)
    nearer = sequence([*thread, *other], [A], [B], within=1)[0]
    assert (nearer.both, math.isnan(nearer.minutes)) == (0, True)


def test_cases_are_compared_by_the_difference_of_their_log_odds() -> None:
    """The difference is first minus second, and its variance is the sum; a case without the code is left out."""
    first = co_occurrence(table(9, 4, 3, 20), [A], [B], "")
    second = co_occurrence(table(5, 5, 8, 12), [A], [B], "")
    nothing = co_occurrence(table(0, 0, 8, 12), [A], [B], "")
    found = compared({"x": first, "y": second, "z": nothing})
    assert [(d.first, d.second) for d in found] == [("x", "y")]
    assert found[0].difference == pytest.approx(first[0].log_odds - second[0].log_odds)
    assert (found[0].high - found[0].low) > (first[0].high - first[0].low)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_discovery_rates_keep_order_and_bounds(values: list[float]) -> None:
    """Rates lie between p and 1, keep the order of p, and the largest p stays as it is."""
    rates = discoveries(values)
    assert all(p <= q <= 1 or q == pytest.approx(p) for p, q in zip(values, rates, strict=True))
    order = sorted(range(len(values)), key=values.__getitem__)
    assert all(rates[i] <= rates[j] + 1e-12 for i, j in pairwise(order))
    if values:
        assert max(rates) == max(values)


def test_months_count_posts_and_codes() -> None:
    """Only months with posts are listed, each with the posts that the share is of."""
    posts = [post(0, {A, B}), post(1, {A}), post(2, set(), minute=60 * 24 * 40)]
    assert over_time(posts, [B]) == [("2025-01", B, 1, 2), ("2025-02", B, 0, 1)]
    assert over_time(posts, [B], given=A) == [("2025-01", B, 1, 2)]


@pytest.mark.slow
def test_intervals_hold_what_they_promise_in_clustered_talk() -> None:
    """Where threads and authors share tastes and the codes are independent, about 95 % of intervals hold 0."""
    rng = np.random.default_rng(7)
    held = tries = 0
    for _ in range(300):
        threads, authors = rng.integers(0, 40, 500), rng.integers(0, 60, 500)
        base = rng.normal(0, 0.7, 40)[threads] + rng.normal(0, 0.7, 60)[authors]
        x = rng.random(500) < 1 / (1 + np.exp(0.5 - rng.normal(0, 0.7, 40)[threads]))
        y = rng.random(500) < 1 / (1 + np.exp(1.0 - base))
        posts = [
            Coded(
                str(i),
                "c",
                f"t{threads[i]}",
                f"a{authors[i]}",
                START,
                frozenset({A} if x[i] else ()) | ({B} if y[i] else set()),
            )
            for i in range(500)
        ]
        found = co_occurrence(posts, [A], [B])[0]
        held += found.low <= 0 <= found.high
        tries += 1
    assert 0.91 <= held / tries <= 0.99
