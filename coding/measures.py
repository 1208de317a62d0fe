"""How well machine codes meet gold: micro-F1, alpha a code and a theme, calibration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .agreement import alpha

Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CodeFigures:
    """One code against gold: posts with it in gold, and what the coder made of it. None: not defined."""

    code: str
    gold: int
    given: int
    precision: float | None
    recall: float | None
    f1: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """
    A coder against gold on `posts` posts.

    `alpha` is the mean over codes of Krippendorff's alpha (nominal) between coder and gold; `themes` the same
    by theme. Codes that neither gave fall out of the means.
    """

    posts: int
    micro_f1: float
    precision: float
    recall: float
    alpha: float
    themes: dict[str, float]
    codes: tuple[CodeFigures, ...]

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)


def figures(codes: Sequence[str], truth: Truth, given: Truth) -> Figures:
    """The figures of *given* against *truth*, a row a post and a column a code."""
    lines = tuple(_line(code, truth[:, j], given[:, j]) for j, code in enumerate(codes))
    hits, marks, gold = int((truth & given).sum()), int(given.sum()), int(truth.sum())
    themes: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        if line.alpha is not None:
            themes[line.code.split(".")[0]].append(line.alpha)
    known = [a for values in themes.values() for a in values]
    return Figures(
        len(truth), _share(2 * hits, marks + gold), _share(hits, marks), _share(hits, gold),
        float(np.mean(known)) if known else 0.0, {t: float(np.mean(v)) for t, v in themes.items()}, lines,
    )  # fmt: skip


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _line(code: str, truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> CodeFigures:
    hits, marks, gold = int((truth & given).sum()), int(given.sum()), int(truth.sum())
    agreed = alpha(zip(truth.tolist(), given.tolist(), strict=True))
    return CodeFigures(
        code, gold, marks, hits / marks if marks else None, hits / gold if gold else None,
        2 * hits / (marks + gold) if marks + gold else None, agreed,
    )  # fmt: skip


def calibration(scores: NDArray[np.float32], truth: Truth, bins: int = 10) -> list[dict[str, float]]:
    """
    The calibration table over all codes: for each tenth of the score, how many, the mean score, the true share.

    Empty tenths are left out.
    """
    rows = []
    for k in range(bins):
        low, high = k / bins, (k + 1) / bins
        inside = (scores >= low) & ((scores < high) if k < bins - 1 else (scores <= high))
        if inside.any():
            rows.append({"from": low, "to": high, "n": int(inside.sum()), "score": float(scores[inside].mean()),
                         "true": float(truth[inside].mean())})  # fmt: skip
    return rows


def calibration_error(table: Sequence[dict[str, float]]) -> float:
    """The expected calibration error of a calibration table (Naeini et al. 2015): mean |score - true|, by size."""
    n = sum(row["n"] for row in table)
    return sum(row["n"] * abs(row["score"] - row["true"]) for row in table) / n if n else 0.0
