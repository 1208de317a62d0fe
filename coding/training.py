"""
Training the model coder: a linear machine a code, cross-validated over writers, calibrated.

Every figure comes from posts of writers whose posts the model had not seen: folds are made of whole groups
(files of gold, or threads of a study's own sample), never within one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import Unit
from ._features import VIEWS, Bag, bags
from ._linear import Array, Linear, Vocabulary, logistic
from .gold import GoldPost, gold_units, load_gold, shipped_gold
from .measures import calibration, calibration_error, figures

Truth = NDArray[np.bool_]
Reals = NDArray[np.float64]
Embed = Callable[[Sequence[str]], Any]
HEARD = {"words": 1.0, "letters": 1.0, "stems": 1.0, "classes": 0.6, "thread": 0.3, "meaning": 1.0}
"""How loud each view is."""
MACHINES = ((0.3, 0.0), (0.2, 0.6))
"""
The two machines that decide together: inverse strength of the L2 penalty, and how much the contrast of a
feature (see `contrast`) weighs. Chosen by cross-validation over writers, like HEARD. Linear machines add up to one.
"""
FOLDS = 6
SURE_PRECISION = 0.85


@dataclass(frozen=True, slots=True)
class Corpus:
    """
    Gold made ready: a row of truth a post, its features, and its group (who wrote it).

    `measured` says which rows count for the cross-validated figures; the others only teach.
    """

    codes: tuple[str, ...]
    documents: tuple[tuple[Bag, ...], ...]
    truth: Truth
    groups: tuple[str, ...]
    measured: NDArray[np.bool_]

    def rows(self, wanted: NDArray[np.intp]) -> list[tuple[Bag, ...]]:
        """The documents at these places."""
        return [self.documents[i] for i in wanted]


def corpus(
    posts: Sequence[GoldPost], codes: Sequence[str], teaching: frozenset[str] = frozenset(), embed: Embed | None = None
) -> Corpus:
    """A corpus of *posts*; those of the files in *teaching* train but are not measured on."""
    truth = np.array([[c in p.codes for c in codes] for p in posts], dtype=bool).reshape(len(posts), len(codes))
    measured = np.array([p.file not in teaching for p in posts], dtype=bool)
    documents = documents_of(gold_units(posts), embed)
    return Corpus(tuple(codes), documents, truth, tuple(p.file for p in posts), measured)


def documents_of(units: Sequence[Unit], embed: Embed | None = None) -> tuple[tuple[Bag, ...], ...]:
    """The features of *units*, with the vectors of *embed* where there is one."""
    vectors: Any = embed([u.post.text for u in units]) if embed and units else [()] * len(units)
    return tuple(bags(unit, vector=vector) for unit, vector in zip(units, vectors, strict=True))


def joined(taught: Corpus, own: Corpus, least: int = 100) -> Corpus:
    """
    Both corpora; measured on *own* alone once it has *least* posts, else on both.

    A study that has enough gold of its own is told what the model does on that, not on shipped texts.
    """
    assert taught.codes == own.codes
    first = taught.measured & (len(own.truth) < least)
    return Corpus(
        taught.codes, taught.documents + own.documents, np.concatenate([taught.truth, own.truth]),
        taught.groups + own.groups, np.concatenate([first, own.measured]),
    )  # fmt: skip


def folds(groups: Sequence[str], measured: NDArray[np.bool_], number: int = FOLDS) -> NDArray[np.intp]:
    """The fold of each post, -1 where it only teaches; whole groups stay together, spread by their names."""
    named = sorted({g for g, m in zip(groups, measured, strict=True) if m})
    place = {g: i % min(number, len(named)) for i, g in enumerate(named)}
    return np.array([place[g] if m else -1 for g, m in zip(groups, measured, strict=True)], dtype=np.intp)


def fit(x: Any, truth: Truth, vocabulary: Vocabulary) -> tuple[Array, Array]:
    """
    Weights (features x codes) and bias of the MACHINES added up, each a linear support vector machine a code.

    Squared hinge and L2, solved in the dual (Hsieh et al. 2008) from a fixed seed. A code that none or all
    posts have gets no weights, and a bias that says so.
    """
    from scipy import sparse
    from sklearn.svm import LinearSVC

    heard = np.repeat([HEARD[v] for v in VIEWS], [len(c) for c in vocabulary.columns])
    weights = np.zeros((x.shape[1], truth.shape[1]), dtype=np.float32)
    bias = np.where(truth.mean(axis=0) > 0.5, 1.0, -1.0).astype(np.float32)
    for j in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
        bias[j] = 0.0
        told = contrast(x, truth[:, j])
        for strength, share in MACHINES:
            scale = heard * (1 - share + 2 * share * told)
            machine = LinearSVC(C=strength, dual=True, tol=1e-2, max_iter=5000, random_state=0)
            machine.fit(x @ sparse.diags(scale), truth[:, j])
            weights[:, j] += machine.coef_[0] * scale
            bias[j] += machine.intercept_[0]
    return weights, bias


def contrast(x: Any, truth: NDArray[np.bool_], *, least: float = 0.3, most: float = 3.0) -> Reals:
    """
    How unlike its odds are with and without the code, for each feature: |log ratio| of its shares, 0..1.

    The weighing of naive Bayes in a linear machine (Wang & Manning 2012), without its sign: *least* is added
    to each count, and the ratio is cut at e^*most*.
    """
    there = x > 0
    counts = np.asarray(there.sum(axis=0)).ravel().astype(float)
    inside = np.asarray(there[truth].sum(axis=0)).ravel().astype(float)
    n1, n0 = int(truth.sum()), int((~truth).sum())
    ratio = np.log((inside + least) / (n1 + 2 * least)) - np.log((counts - inside + least) / (n0 + 2 * least))
    return np.asarray(np.minimum(np.abs(ratio), most) / most)


def with_any(truth: Truth) -> Truth:
    """*truth* with a last column: whether the post has any code, which the model learns as one more code."""
    return np.column_stack([truth, truth.any(axis=1)])


def out_of_fold(data: Corpus, fold: NDArray[np.intp], tell: Callable[[str], None] = lambda _: None) -> Array:
    """Decisions (see `Linear`) on each measured post by a model that saw no post of its group; NaN on the others."""
    truth = with_any(data.truth)
    decisions = np.full(truth.shape, np.nan, dtype=np.float32)
    for k in sorted(set(fold.tolist()) - {-1}):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        vocabulary = Vocabulary.of(data.rows(train))
        weights, bias = fit(vocabulary.matrix(data.rows(train)), truth[train], vocabulary)
        decisions[test] = vocabulary.matrix(data.rows(test)) @ weights + bias
        tell(f"fold {k + 1} of {fold.max() + 1}")
    return decisions


def platt(decisions: Array, truth: Truth) -> tuple[Array, Array]:
    """Slope and shift a code that turn decisions into log-odds (Platt 1999, with his smoothed targets)."""
    from scipy.optimize import minimize

    slopes, shifts = [], []
    for j in range(truth.shape[1]):
        t = truth[:, j]
        middle, spread = float(decisions[:, j].mean()), float(decisions[:, j].std()) or 1.0
        z = (decisions[:, j].astype(float) - middle) / spread
        target = np.where(t, (t.sum() + 1) / (t.sum() + 2), 1 / ((~t).sum() + 2))

        def loss(w: Reals, z: Reals = z, target: Reals = target) -> tuple[float, Reals]:
            x = w[0] * z + w[1]
            error = 1 / (1 + np.exp(-np.clip(x, -30, 30))) - target
            return float((np.logaddexp(0, x) - target * x).sum()), np.array([error @ z, error.sum()])

        slope, shift = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
        slopes.append(slope / spread)
        shifts.append(shift - slope * middle / spread)
    return np.array(slopes, dtype=np.float32), np.array(shifts, dtype=np.float32)


def thresholds(scores: Array) -> Array:
    """
    The score a code from which the expected F1 is highest: half of that F1 (Lipton, Elkan & Naryanaswamy 2014).

    It rests on calibrated scores alone, and so varies less than the place where the counted F1 peaks.
    """
    ranked = -np.sort(-scores, axis=0)
    given = np.arange(1, len(scores) + 1)[:, None]
    expected = 2 * ranked.cumsum(axis=0) / (given + ranked.sum(axis=0))
    return np.asarray(expected.max(axis=0) / 2, dtype=np.float32)


def sure_from(scores: Array, truth: Truth, least: Array, precision: float = SURE_PRECISION) -> Array:
    """The lowest score a code, not below *least*, from which precision is at least *precision*; 1 if nowhere."""
    chosen = []
    for j in range(truth.shape[1]):
        order = np.argsort(-scores[:, j], kind="stable")
        share = truth[order, j].cumsum() / np.arange(1, len(order) + 1)
        good = np.flatnonzero(share >= precision)
        good = good[good >= 9]
        chosen.append(max(float(scores[order[good[-1]], j]), float(least[j])) if len(good) else 1.0)
    return np.array(chosen, dtype=np.float32)


def cross_fitted(
    decisions: Array, truth: Truth, fold: NDArray[np.intp], about: NDArray[np.bool_]
) -> tuple[Array, Truth]:
    """
    Scores and codes of each post, with calibration and thresholds learnt on the other folds only.

    So the figures hold for unseen writers: nothing about a post's own group chose anything. Only posts in *about*
    (those that have to do with the subject) teach, and only they get codes: a score is the chance of a code on such a
    post.
    """
    scores, given = np.zeros_like(decisions), np.zeros_like(truth)
    for k in sorted(set(fold.tolist())):
        train, test = _teaching(fold != k, about), fold == k
        slope, shift = platt(decisions[train], truth[train])
        limit = thresholds(logistic(decisions[train] * slope + shift))
        scores[test] = logistic(decisions[test] * slope + shift)
        given[test] = scores[test] >= limit
    return scores, given & about[:, None]


def _teaching(rows: NDArray[np.bool_], about: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of *rows* that have to do with the subject; all of them where none has."""
    return rows & about if (rows & about).any() else rows


def train(data: Corpus, tell: Callable[[str], None] = lambda _: None) -> tuple[Linear, Array, Truth]:
    """
    A model of *data*, and the cross-fitted scores and codes of its measured posts (see `cross_fitted`); the scores
    are NaN where a post was held to have nothing to do with the subject.

    The same corpus gives the same model.
    """
    fold = folds(data.groups, data.measured)
    found = out_of_fold(data, fold, tell)[data.measured]
    truth = data.truth[data.measured]
    decisions, about = found[:, :-1], found[:, -1] >= 0
    scores, given = cross_fitted(decisions, truth, fold[data.measured], about)
    taught = _teaching(np.ones_like(about), about)
    slope, shift = platt(decisions[taught], truth[taught])
    calibrated = logistic(decisions[taught] * slope + shift)
    limit = thresholds(calibrated)
    vocabulary = Vocabulary.of(data.documents)
    weights, bias = fit(vocabulary.matrix(data.documents), with_any(data.truth), vocabulary)
    tell("all gold")
    sure = sure_from(calibrated, truth[taught], limit)
    model = Linear(data.codes, vocabulary, weights, bias, slope, shift, limit, sure)
    scores[~about] = np.nan
    return model, scores, given


def digest(data: Corpus) -> str:
    """A short digest of what a model learnt from: features, truth and groups."""
    made = hashlib.sha256()
    for document, row, group in zip(data.documents, data.truth, data.groups, strict=True):
        made.update(repr((sorted(document[0].items()), row.tolist(), group)).encode())
    return made.hexdigest()[:16]


def with_card(model: Linear, card: dict[str, Any]) -> Linear:
    """The same model with what its card tells."""
    return replace(model, card=card)


def shipped_posts() -> list[GoldPost]:
    """The shipped gold: dev, train, and the extra posts, in this order."""
    folder = shipped_gold()
    return [post for part in ("dev", "train", "extra") for post in load_gold(folder / part)]


def shipped_corpus(codes: Sequence[str], embed: Embed | None = None) -> Corpus:
    """The shipped gold as a corpus; the extra posts teach, and are not measured on."""
    posts = shipped_posts()
    return corpus(posts, codes, frozenset(p.file for p in posts if p.file.startswith("extra_")), embed)


def card(data: Corpus, model: Linear, scores: Array, given: Truth, source: str) -> dict[str, Any]:
    """What the model card tells: the data, the cross-validated figures, the calibration table, each code's band."""
    truth = data.truth[data.measured]
    about = ~np.isnan(scores).any(axis=1)
    table = calibration(scores[about], truth[about])
    found = figures(data.codes, truth, given)
    return {
        "source": source, "posts": len(data.truth), "measured": len(truth), "groups": len(set(data.groups)),
        "digest": digest(data), "features": len(model.vocabulary), "folds": FOLDS, "figures": found.as_dict(),
        "calibration": table, "calibration_error": calibration_error(table),
        "bands": {c: {"from": float(a), "sure": float(b)}
                  for c, a, b in zip(data.codes, model.threshold, model.sure, strict=True)},
    }  # fmt: skip
