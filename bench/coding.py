"""
How well the codebook's rules code, and how fast.

    python -m bench.coding points            learn the points of the signs on all gold, write them into the codebook
    python -m bench.coding card              measure the rules on gold, write the codebook's card
    python -m bench.coding held-out          precision and recall on files that the points did not learn from
    python -m bench.coding measure FILE...   gold files (JSON lines) that the rules have not seen
    python -m bench.coding quiet FILE        share of the lines of a text file that get any code
    python -m bench.coding speed             posts a second in one process and in two, and memory
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import sys
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from coding import Unit, load_codebook
from coding._fire import Ruleset
from coding._scan import Scanner
from coding.card import card_text, measure_rules
from coding.coders import rules
from coding.gold import GoldPost, gold_units, load_gold, load_gold_file, shipped_gold

FOLDS = 6
POINTS = 10
STRICT, PENALTY = 0.5, 0.6
"""How far above even odds a post must be, and the inverse strength of the lasso: chosen for precision over 0.8."""


def gold() -> list[GoldPost]:
    """All shipped posts with codes, interviews aside."""
    return [post for part in ("train", "dev", "extra") for post in load_gold(shipped_gold() / part)]


def card() -> dict[str, object]:
    """Measure the shipped codebook, and write its card beside it."""
    book, posts = load_codebook(), gold()
    made = measure_rules(book, posts, held_out())
    path = Path(str(files("coding.codebooks"))) / f"{book.name}.card.json"
    path.write_text(card_text(made), encoding="utf-8")
    precision, recall = made.figures(book)
    return {"posts": made.posts, "precision": precision, "recall": recall, "held_out": made.held_out}


def held_out() -> dict[str, float]:
    """
    Micro precision and recall by file: in each fold the points of all signs are learnt on the other files.

    The extra posts teach in every fold and are not measured on, as for the model coder. The plain rules stand as
    they are. Word lists and signs were written with the gold in sight, so the figures are those of the weighing, and
    somewhat kind.
    """
    posts, book = gold(), load_codebook()
    codes = [c.id for c in book.codes]
    truth = np.array([[c in p.codes for c in codes] for p in posts])
    signs, _ = _signs(posts)
    plain = _plain(posts, codes)
    names = sorted({p.file for p in posts if not p.file.startswith("extra_")})
    order = np.random.default_rng(0).permutation(len(names))
    fold_of = {names[n]: i % FOLDS for i, n in enumerate(order)}
    fold = np.array([fold_of.get(p.file, -1) for p in posts])
    given = plain.copy()
    for k in range(FOLDS):
        for j in range(len(codes)):
            points = _points(signs[fold != k], truth[fold != k, j])
            given[fold == k, j] |= signs[fold == k] @ points >= POINTS
    given, truth = given[fold >= 0], truth[fold >= 0]
    right = (given & truth).sum()
    return {
        "precision": round(float(right / given.sum()), 3),
        "recall": round(float(right / truth.sum()), 3),
        "folds": FOLDS,
    }


def points() -> dict[str, int]:
    """Learn the points of each code's signs on all gold and write them into the codebook; measure it anew after."""
    posts, book = gold(), load_codebook()
    signs, names = _signs(posts)
    path = Path(str(files("coding.codebooks"))) / f"{book.name}.yaml"
    text, told = path.read_text(encoding="utf-8"), dict[str, int]()
    for code in book.codes:
        worth: dict[int, list[str]] = defaultdict(list)
        learnt = _points(signs, np.array([code.id in p.codes for p in posts]))
        for n in np.flatnonzero(learnt):
            worth[int(learnt[n])].append(names[n])
        for rule in (r for r in code.rules if r.signs):
            block = "".join(_line(w, worth[w]) for w in sorted(worth, reverse=True))
            head = re.escape(f"- id: {rule.id}\n")
            text = re.sub(rf"({head}(?: {{12}}.*\n)*? {{12}}signs:\n)(?: {{14}}.*\n)+", rf"\g<1>{block}", text)
            told[rule.id] = sum(map(len, worth.values()))
    path.write_text(text, encoding="utf-8")
    return told


def _line(worth: int, names: Sequence[str]) -> str:
    quoted = [n if re.fullmatch(r"[a-z]+( [a-z]+)*", n) else "'" + n.replace("'", "''") + "'" for n in names]
    whole = f"{' ' * 14}{worth}: [{', '.join(quoted)}]"
    if len(whole) <= 120:
        return whole + "\n"
    lines = textwrap.fill(", ".join(n.replace(" ", "\0") for n in quoted), 120, break_on_hyphens=False,
                          break_long_words=False, initial_indent=" " * 16, subsequent_indent=" " * 16)  # fmt: skip
    return f"{' ' * 14}{worth}: [\n" + lines.replace("\0", " ") + f"\n{' ' * 14}]\n"


def _signs(posts: Sequence[GoldPost]) -> tuple[csr_matrix, list[str]]:
    """Posts by signs, and the signs' names: which word lists and sign patterns of the codebook stand in each post."""
    book = load_codebook()
    scanner = Scanner(book.lists, book.spelling)
    patterns = {p for c in book.codes for r in c.rules for ps in r.signs.values() for p in ps}
    named = {scanner.number(p): p for p in (*sorted(patterns), *(f"{{{name}}}" for name in book.lists))}
    column = {number: n for n, number in enumerate(sorted(named))}
    found = [(i, column[k]) for i, post in enumerate(posts) for k in scanner.scan(post.text).hits if k in column]
    row, col = zip(*found, strict=True)
    return csr_matrix((np.ones(len(row)), (row, col)), shape=(len(posts), len(named))), [named[k] for k in column]


def _plain(posts: Sequence[GoldPost], codes: Sequence[str]) -> np.ndarray:
    """Posts by codes: which codes the rules without points give."""
    book = load_codebook()
    ruleset = Ruleset(book, frozenset(r.id for c in book.codes for r in c.rules if not r.signs))
    given = [{m.code for m in ruleset.marks(unit)} for unit in gold_units(posts)]
    return np.array([[c in marks for c in codes] for marks in given])


def _points(signs: csr_matrix, truth: np.ndarray) -> np.ndarray:
    """Whole points a sign, scaled so that POINTS of them mean odds above even by STRICT."""
    model = LogisticRegression(
        l1_ratio=1, C=PENALTY, solver="liblinear", intercept_scaling=10, max_iter=300
    ).fit(signs, truth)  # fmt: skip
    scale = POINTS / (STRICT - model.intercept_[0])
    return np.clip(np.round(model.coef_[0] * scale), -POINTS, POINTS)


def measure(paths: list[str]) -> dict[str, object]:
    """The shipped rules on gold files they have not seen: micro figures, and per code right, fired, wanted."""
    posts = [p for path in paths for p in load_gold_file(Path(path))]
    made = measure_rules(load_codebook(), posts, {})
    precision, recall = made.figures(load_codebook())
    by_code = {c.id: [*made.rules.get(c.id, (0, 0)), made.wanted.get(c.id, 0)] for c in load_codebook().codes}
    return {"posts": len(posts), "precision": precision, "recall": recall, "right_fired_wanted": by_code}


def quiet(path: str) -> dict[str, object]:
    """The share of a file's lines that get any code: for talk that has nothing to do with the subject."""
    lines = [line for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    posts = [GoldPost(str(i), "neighbourhood-watch", "whatsapp", x, frozenset()) for i, x in enumerate(lines)]
    marks = list(rules.code(gold_units(posts), load_codebook(), rules.Settings()))
    fired = Counter(m.rule for given in marks for m in given)
    return {"lines": len(lines), "any_code": sum(map(bool, marks)) / len(lines), "rules": dict(fired.most_common(8))}


def speed() -> dict[str, float]:
    """Posts a second, by the clock and by the processor's time, one process and two; memory early and late."""
    units = gold_units(gold())
    began, cpu = time.perf_counter(), time.process_time()
    _run(units)
    early = _memory()
    begun = time.perf_counter(), time.process_time()
    rounds = 5
    for _ in range(rounds):
        _run(units)
    took = time.perf_counter() - begun[0], time.process_time() - begun[1]
    n = rounds * len(units)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        start = time.perf_counter()
        pool.map(_run, [units] * 2 * rounds, chunksize=1)
        both = 2 * n / (time.perf_counter() - start)
    return {
        "first_pass": len(units) / (begun[0] - began),
        "posts_per_second": n / took[0],
        "posts_per_processor_second": n / took[1],
        "two_processes": both,
        "cold_processor_seconds": begun[1] - cpu,
        "mb_early": early,
        "mb_late": _memory(),
    }


def _run(units: Sequence[Unit]) -> int:
    return sum(len(marks) for marks in rules.code(iter(units), load_codebook(), rules.Settings()))


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> None:
    """Run the named measurement and print it as JSON."""
    what, rest = arguments[0] if arguments else "speed", arguments[1:]
    measurements: dict[str, Callable[[], object]] = {
        "points": points, "card": card, "held-out": held_out, "measure": lambda: measure(rest),
        "quiet": lambda: quiet(rest[0]), "speed": speed,
    }  # fmt: skip
    print(json.dumps(measurements[what](), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
