"""The coefficients give the numbers of their sources, and those of independent implementations."""

from __future__ import annotations

from itertools import permutations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from coding.agreement import alpha, cohen, fleiss, masi, pabak, positive_agreement, verdict

CELLS = st.lists(st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=3, max_size=3), min_size=2, max_size=30)
SETS = st.frozensets(st.sampled_from("abcd"))


def columns(*rows: str) -> list[list[str | None]]:
    """Units from one line a coder; a dot is a missing rating."""
    cells = [row.split() for row in rows]
    return [[None if v == "." else v for v in unit] for unit in zip(*cells, strict=True)]


@pytest.mark.parametrize(
    ("rows", "published"),
    [
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),
    ],
)
def test_alpha_gives_the_worked_examples_of_krippendorff(rows: tuple[str, ...], published: float) -> None:
    """Examples A, B and C of "Computing Krippendorff's alpha-reliability" (2011): two values, five, missing."""
    assert alpha(columns(*rows)) == pytest.approx(published, abs=0.0005)


def test_fleiss_gives_the_worked_example() -> None:
    """Ten subjects, fourteen raters, five categories: kappa .210 (the example after Fleiss 1971)."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    units = [[n for n, times in enumerate(row) for _ in range(times)] for row in table]
    assert fleiss(units) == pytest.approx(0.210, abs=0.0005)


def test_cohen_pabak_and_positive_agreement_of_a_two_by_two_table() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: kappa .40, PABAK .40, positive agreement 40/55."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert cohen(pairs) == pytest.approx(0.4)
    assert pabak(pairs) == pytest.approx(0.4)
    assert positive_agreement(pairs) == pytest.approx(40 / 55)


def test_masi_gives_the_published_steps() -> None:
    """Equal 0, subset 1 - J x 2/3, overlap 1 - J x 1/3, apart 1 (Passonneau 2006)."""
    sets = [frozenset(x) for x in ("ab", "ab", "abcd", "bc", "cd")]
    assert [masi(sets[0], s) for s in sets[1:]] == pytest.approx([0, 2 / 3, 8 / 9, 1])


@given(CELLS)
def test_alpha_equals_an_independent_implementation(units: list[list[str | None]]) -> None:
    """With any missing ratings, nominal alpha is that of the package krippendorff."""
    ours = alpha(units)
    pairable = [v for u in units for v in u if v is not None and sum(x is not None for x in u) > 1]
    if len(set(pairable)) < 2:
        assert ours is None
        return
    codes = {None: np.nan, "a": 0.0, "b": 1.0, "c": 2.0}
    data = np.array([[codes[v] for v in unit] for unit in units]).T
    theirs = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    assert ours == pytest.approx(theirs)


@given(st.lists(st.lists(st.none() | SETS, min_size=3, max_size=3), min_size=2, max_size=12))
def test_alpha_over_sets_is_one_minus_mean_distance_within_over_mean_distance_between(
    units: list[list[frozenset[str] | None]],
) -> None:
    """By the definition, pair by pair: the distances within units over those between all ratings."""
    paired = [[v for v in u if v is not None] for u in units]
    paired = [u for u in paired if len(u) > 1]
    everything = [v for u in paired for v in u]
    n = len(everything)
    within = sum(masi(a, b) / (len(u) - 1) for u in paired for a, b in permutations(u, 2))
    between = sum(masi(a, b) for a, b in permutations(everything, 2))
    ours = alpha(units, masi)
    assert (ours is None) == (between == 0)
    if ours is not None:
        assert ours == pytest.approx(1 - within * (n - 1) / between)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_cohen_equals_an_independent_implementation(pairs: list[tuple[str, str]]) -> None:
    """Cohen's kappa is that of scikit-learn; where chance alone agrees wholly it is undefined."""
    ours = cohen(pairs)
    if len({v for pair in pairs for v in pair}) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_for_two_coders_positive_agreement_is_the_f1_of_one_against_the_other(
    pairs: list[tuple[bool, bool]],
) -> None:
    """Positive agreement is the harmonic mean of precision and recall, whoever is taken as the truth."""
    a, b, c = (pairs.count(x) for x in ((True, True), (True, False), (False, True)))
    value = positive_agreement(pairs)
    assert value == (None if a + b + c == 0 else pytest.approx(2 * a / (2 * a + b + c)))


@given(CELLS)
def test_order_of_coders_and_units_does_not_matter(units: list[list[str | None]]) -> None:
    """Alpha of the same ratings in another order is the same."""
    value = alpha(units)
    assert alpha([u[::-1] for u in reversed(units)]) == (None if value is None else pytest.approx(value))


def test_fleiss_refuses_uneven_numbers_of_ratings() -> None:
    """A unit with another number of ratings cannot enter Fleiss' kappa."""
    with pytest.raises(ValueError, match="same number"):
        fleiss([["a", "b"], ["a"]])


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.81, "reliable"), (0.8, "reliable"), (0.7, "tentative conclusions only"), (0.667, "tentative conclusions only"),
     (0.6669, "not supported"), (-0.2, "not supported"), (None, "undefined")],
)  # fmt: skip
def test_the_verdict_follows_the_published_thresholds(value: float | None, told: str) -> None:
    """At .800 reliable, at .667 tentative, below it tentative conclusions are not supported."""
    assert told in verdict(value)
