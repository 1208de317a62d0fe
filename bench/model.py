"""
How well the model coder codes posts of writers it never saw, and how fast.

    python -m bench.model ship               train on all shipped gold, write coding/models/model.npz
    python -m bench.model curve              learning curve by number of training posts
    python -m bench.model cases              train on three cases, test on the fourth
    python -m bench.model measure FILE...    a gold file (JSON lines) that the model has not seen
    python -m bench.model quiet FILE         share of the lines of a text file that get any code
    python -m bench.model speed              posts a second in one process and in two, and memory
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from coding import Unit, load_codebook
from coding import training as t
from coding._linear import Vocabulary
from coding.coders import model as coder
from coding.gold import GoldPost, gold_units, load_gold, load_gold_file, shipped_gold
from coding.measures import calibration, calibration_error, figures

CODES = tuple(c.id for c in load_codebook().codes)


def shipped() -> t.Corpus:
    """The shipped gold; the extra posts teach, and are not measured on."""
    return t.shipped_corpus(CODES)


def ship() -> dict[str, object]:
    """Train on all shipped gold and write the shipped model."""
    began = time.time()
    data = shipped()
    made, scores, given = t.train(data, tell=lambda line: print(line, file=sys.stderr, flush=True))
    truth = data.truth[data.measured]
    found = t.card(data, made, scores, given, "shipped gold, authored for the project")
    groups = np.array(data.groups)[data.measured]
    by_file = {
        str(g): figures(CODES, truth[groups == g], given[groups == g]).micro_f1 for g in sorted(set(groups.tolist()))
    }
    path = Path(str(files("coding.models"))) / "model.npz"
    t.with_card(made, found).save(path)
    return found | {"by_file": by_file, "seconds": time.time() - began, "bytes": path.stat().st_size}


def curve() -> list[dict[str, float]]:
    """Micro-F1 and alpha on unseen writers for growing shares of the other writers' posts."""
    data = shipped()
    fold = t.folds(data.groups, data.measured)
    rng = np.random.default_rng(1)
    rows = []
    for share in (0.125, 0.25, 0.5, 0.75, 1.0):
        keep = rng.random(len(fold)) < share
        test = np.flatnonzero(fold == 0)
        train = np.flatnonzero((fold != 0) & keep)
        rows.append(_split(data, train, test) | {"share": share})
    return rows


def cases(posts: list[GoldPost]) -> list[dict[str, object]]:
    """Train on three cases and test on the fourth: what to expect on new ground."""
    names = np.array([p.case for p in posts])
    data = shipped()
    rows = []
    for name in sorted(set(names.tolist())):
        train, test = np.flatnonzero(names != name), np.flatnonzero((names == name) & data.measured)
        rows.append(_split(data, train, test) | {"case": name})
    return rows


def _split(data: t.Corpus, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Figures on *test* of a model of *train*; calibration and thresholds are those of the shipped model."""
    vocabulary, shipped_ = Vocabulary.of(data.rows(train)), coder.load()
    weights, bias = t.fit(vocabulary.matrix(data.rows(train)), t.with_any(data.truth[train]), vocabulary)
    scores, about = replace(shipped_, vocabulary=vocabulary, weights=weights, bias=bias).judged(data.rows(test))
    given = (scores >= shipped_.threshold) & about[:, None]
    found = figures(data.codes, data.truth[test], given)
    return {"train": len(train), "test": len(test), "micro_f1": found.micro_f1, "alpha": found.alpha}


def measure(paths: list[str]) -> dict[str, object]:
    """The shipped model on gold files it has not seen."""
    posts = [p for path in paths for p in load_gold_file(Path(path))]
    made = coder.load()
    truth = np.array([[c in p.codes for c in made.codes] for p in posts])
    scores, about = made.judged(t.documents_of(gold_units(posts)))
    table = calibration(scores, truth)
    return figures(made.codes, truth, (scores >= made.threshold) & about[:, None]).as_dict() | {
        "calibration_error": calibration_error(table)
    }


def quiet(path: str) -> dict[str, float]:
    """The share of a file's lines that get any code: for talk that has nothing to do with the subject."""
    lines = [line for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    posts = [GoldPost(str(i), "neighbourhood-watch", "whatsapp", x, frozenset()) for i, x in enumerate(lines)]
    marked = sum(bool(m) for m in coder.code(gold_units(posts), load_codebook(), coder.Settings()))
    return {"lines": len(lines), "any_code": marked / len(lines)}


def speed(wanted: int = 20_000) -> dict[str, float]:
    """Posts a second over *wanted* different posts, in one process and in two; memory after a tenth and at the end."""
    gold = load_gold(shipped_gold() / "train")
    posts = (replace(p, id=f"{p.id}/{n}", text=f"{p.text} {n}") for n in range(1 + wanted // len(gold)) for p in gold)
    units = gold_units([p for p, _ in zip(posts, range(wanted), strict=False)])
    stream = coder.code(iter(units), load_codebook(), coder.Settings())
    for _ in range(wanted // 10):
        next(stream)
    early, began = _memory(), time.perf_counter()
    rest = sum(1 for _ in stream)
    alone = {"posts_per_second": rest / (time.perf_counter() - began), "mb_at_tenth": early, "mb_at_end": _memory()}
    with multiprocessing.get_context("fork").Pool(2) as pool:
        began = time.perf_counter()
        pool.map(_run, [units[0::2], units[1::2]], chunksize=1)
        return alone | {"two_processes": wanted / (time.perf_counter() - began)}


def _run(units: Sequence[Unit]) -> int:
    return sum(len(marks) for marks in coder.code(iter(units), load_codebook(), coder.Settings()))


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> None:
    """Run the named measurement and print it as JSON."""
    what, rest = arguments[0] if arguments else "speed", arguments[1:]
    measurements: dict[str, Callable[[], object]] = {
        "ship": ship, "curve": curve, "cases": lambda: cases(t.shipped_posts()), "measure": lambda: measure(rest),
        "quiet": lambda: quiet(rest[0]), "speed": speed,
    }  # fmt: skip
    print(json.dumps(measurements[what](), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
