"""
Training the model coder: a weighted logistic regression a code, cross-validated over writers, stacked, calibrated.

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
from ._features import Bag, bags
from ._linear import Array, Linear, Vocabulary, logistic
from .gold import GoldPost, gold_units, load_gold, shipped_gold
from .measures import calibration, calibration_error, figures

Truth = NDArray[np.bool_]
Embed = Callable[[Sequence[str]], Any]
STRENGTH = 3.0
"""Inverse strength of the L2 penalty, chosen by cross-validation over writers."""
BALANCE = 1.0
"""1 weighs both answers of a code alike in sum, 0 weighs each post alike."""
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


def fit(
    x: Any, truth: Truth, *, strength: float = STRENGTH, balance: float = BALANCE, steps: int = 40
) -> tuple[Array, Array]:
    """
    Weights (features x codes) and bias of one L2 logistic regression a code, all codes at once by L-BFGS.

    minimises  sum_ij strength * w_ij * log(1 + exp(-s_ij z_ij)) + |W|^2 / 2,  z = xW + b, s = +1 or -1, where
    w_ij = (n / 2 n_ij)^balance weighs the rarer answer up (n_ij: posts with the same answer for code j).
    """
    from scipy.optimize import minimize

    rows, columns, codes = x.shape[0], x.shape[1], truth.shape[1]
    share = np.clip(truth.mean(axis=0), 1 / (2 * rows), 1 - 1 / (2 * rows))
    cost = (strength * np.where(truth, (0.5 / share) ** balance, (0.5 / (1 - share)) ** balance)).astype(np.float32)
    target = truth.astype(np.float32)
    back = x.T.tocsr()

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        w = flat[:-codes].reshape(columns, codes).astype(np.float32)
        z = x @ w + flat[-codes:].astype(np.float32)
        error = (logistic(z) - target) * cost
        value = ((np.logaddexp(0, z) - target * z) * cost).sum(dtype=np.float64) + 0.5 * float(np.vdot(w, w))
        slope = np.concatenate([(back @ error + w).ravel(), error.sum(axis=0)])
        return float(value), slope.astype(np.float64)

    found = minimize(loss, np.zeros((columns + 1) * codes), jac=True, method="L-BFGS-B",
                     options={"maxiter": steps, "maxcor": 8}).x.astype(np.float32)  # fmt: skip
    return found[:-codes].reshape(columns, codes), found[-codes:]


def out_of_fold(data: Corpus, fold: NDArray[np.intp], tell: Callable[[str], None] = lambda _: None) -> Array:
    """Decisions on each measured post by a model that saw no post of its group; NaN on the others."""
    decisions = np.full(data.truth.shape, np.nan, dtype=np.float32)
    for k in sorted(set(fold.tolist()) - {-1}):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        vocabulary = Vocabulary.of(data.rows(train))
        weights, bias = fit(vocabulary.matrix(data.rows(train)), data.truth[train])
        decisions[test] = vocabulary.matrix(data.rows(test)) @ weights + bias
        tell(f"fold {k + 1} of {fold.max() + 1}")
    return decisions


def stack(decisions: Array, truth: Truth, *, strength: float = 0.05) -> tuple[Array, Array]:
    """
    Mix and shift that turn decisions into calibrated log-odds, each code also hearing the others.

    A logistic regression on the decisions of all codes, pulled towards one slope on the code's own
    decision (so that few positives give plain Platt scaling).
    """
    from scipy.optimize import minimize

    own = _platt(decisions, truth)
    decisions = decisions.astype(np.float64)
    codes = truth.shape[1]
    scale = decisions.std(axis=0) + 1e-6
    x = decisions / scale
    start = x * (own[0] * scale)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        w = flat.reshape(codes + 1, codes)
        z = start + own[1] + x @ w[:-1] + w[-1]
        error = (logistic(z) - truth) * strength
        value = ((np.logaddexp(0, z) - truth * z) * strength).sum() + 0.5 * float((w[:-1] ** 2).sum())
        return float(value), np.concatenate([(x.T @ error + w[:-1]).ravel(), error.sum(axis=0)]).astype(float)

    found = minimize(loss, np.zeros((codes + 1) * codes), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    w = found.x.reshape(codes + 1, codes)
    mix = w[:-1] / scale[:, None] + np.diag(own[0])
    return mix.astype(np.float32), (own[1] + w[-1]).astype(np.float32)


def _platt(decisions: Array, truth: Truth) -> tuple[Array, Array]:
    """Slope and shift a code (Platt 1999, with his smoothed targets), by Newton steps."""
    slopes, shifts = [], []
    for j in range(truth.shape[1]):
        z, t = decisions[:, j].astype(float), truth[:, j]
        target = np.where(t, (t.sum() + 1) / (t.sum() + 2), 1 / ((~t).sum() + 2))
        x = np.column_stack([z, np.ones_like(z)])
        w = np.array([1.0, 0.0])
        for _ in range(50):
            p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
            step = np.linalg.solve((x.T * (p * (1 - p) + 1e-9)) @ x + 1e-6 * np.eye(2), x.T @ (p - target) + 1e-6 * w)
            w = w - np.clip(step, -2, 2)
        slopes.append(w[0])
        shifts.append(w[1])
    return np.array(slopes, dtype=np.float32), np.array(shifts, dtype=np.float32)


def thresholds(scores: Array, truth: Truth) -> Array:
    """The score a code from which F1 is highest, midway to the next lower score; 0.5 for a code never seen."""
    chosen = []
    for j in range(truth.shape[1]):
        order = np.argsort(-scores[:, j], kind="stable")
        hits = truth[order, j].cumsum()
        f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(1, truth[:, j].sum()))
        best = int(f1.argmax())
        below = scores[order[min(best + 1, len(order) - 1)], j]
        chosen.append((scores[order[best], j] + below) / 2 if hits[-1] else 0.5)
    return np.array(chosen, dtype=np.float32)


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


def cross_fitted(decisions: Array, truth: Truth, fold: NDArray[np.intp]) -> tuple[Array, Truth]:
    """
    Scores and codes of each post, with stack, calibration and thresholds learnt on the other folds only.

    So the figures hold for unseen writers: nothing about a post's own group chose anything.
    """
    scores, given = np.zeros_like(decisions), np.zeros_like(truth)
    for k in sorted(set(fold.tolist())):
        train, test = fold != k, fold == k
        mix, shift = stack(decisions[train], truth[train])
        limit = thresholds(logistic(decisions[train] @ mix + shift), truth[train])
        scores[test] = logistic(decisions[test] @ mix + shift)
        given[test] = scores[test] >= limit
    return scores, given


def train(data: Corpus, tell: Callable[[str], None] = lambda _: None) -> tuple[Linear, Array, Truth]:
    """
    A model of *data*, and the cross-fitted scores and codes of its measured posts (see `cross_fitted`).

    The same corpus gives the same model.
    """
    fold = folds(data.groups, data.measured)
    decisions = out_of_fold(data, fold, tell)[data.measured]
    truth = data.truth[data.measured]
    scores, given = cross_fitted(decisions, truth, fold[data.measured])
    mix, shift = stack(decisions, truth)
    calibrated = logistic(decisions @ mix + shift)
    limit = thresholds(calibrated, truth)
    vocabulary = Vocabulary.of(data.documents)
    weights, bias = fit(vocabulary.matrix(data.documents), data.truth)
    tell("all gold")
    model = Linear(data.codes, vocabulary, weights, bias, mix, shift, limit, sure_from(calibrated, truth, limit))
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
    table = calibration(scores, truth)
    found = figures(data.codes, truth, given)
    return {
        "source": source, "posts": len(data.truth), "measured": len(truth), "groups": len(set(data.groups)),
        "digest": digest(data), "features": len(model.vocabulary), "folds": FOLDS, "figures": found.as_dict(),
        "calibration": table, "calibration_error": calibration_error(table),
        "bands": {c: {"from": float(a), "sure": float(b)}
                  for c, a, b in zip(data.codes, model.threshold, model.sure, strict=True)},
    }  # fmt: skip
