"""
Do the 95 % intervals of `analysis.prevalence` hold what they promise? A simulation with known truth.

Talk comes in threads and from authors that differ; a machine errs, and errs otherwise in one platform
than in another; people code a sample. Each run draws a new sample (the corpus stays), or new talk
altogether (for the interval `beyond`). Run: python -m bench.coverage [--runs 1000] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.prevalence import Design, Estimate, Wave, estimate
from coding.sampling import Drawn, random_draw, stratified_draw, weighted_draw

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is simulated: how common the code is, how good the machine, how the sample is drawn."""

    name: str
    prevalence: float
    recall: float
    false_alarm: float
    design: str
    n: int
    posts: int = 4000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Simulated talk: what is true and what the machine says of each post."""

    truth: NDArray[np.bool_]
    machine: NDArray[np.bool_]
    score: Floats
    thread: NDArray[np.int64]
    author: NDArray[np.int64]
    platform: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of runs in which an interval held the truth, and mean widths."""

    scene: str
    runs: int
    coverage: float
    gold_only: float
    naive: float
    one_platform: float
    beyond: float
    width: float
    gold_only_width: float
    bias: float


SCENES = tuple(
    Scene(f"{design}, {100 * p:g} %, n={n}", p, recall, false, design, n)
    for design in ("random", "stratified", "uncertain", "rare", "two waves")
    for p, recall, false, n in ((0.25, 0.7, 0.06, 300), (0.08, 0.65, 0.05, 400), (0.03, 0.6, 0.02, 600))
)


def talk(scene: Scene, rng: np.random.Generator) -> Corpus:
    """A corpus in which threads and authors share what they say, and the machine is worse on one platform."""
    n = scene.posts
    thread = rng.integers(0, n // 10, n)
    author = rng.integers(0, n // 5, n)
    platform = thread % 2
    mood = rng.normal(0, 0.8, n // 10)[thread] + rng.normal(0, 0.6, n // 5)[author]
    base = np.log(scene.prevalence / (1 - scene.prevalence)) - 0.35
    truth = rng.random(n) < 1 / (1 + np.exp(-(base + mood)))
    weak = np.where(platform == 1, 0.75, 1.15)
    chance = np.where(truth, np.minimum(scene.recall * weak, 0.95), scene.false_alarm / weak)
    machine = rng.random(n) < chance
    score = np.where(machine, rng.beta(5, 2, n), 0.0)
    return Corpus(truth, machine, score, thread, author, platform)


def drawn(scene: Scene, corpus: Corpus, rng: np.random.Generator) -> Design:
    """A sample by the scene's design, as `coding.sampling` draws it."""
    one: Drawn
    if scene.design == "two waves":
        return _two_waves(scene, corpus, rng)
    if scene.design == "random":
        one = random_draw(scene.posts, scene.n, rng)
    elif scene.design == "stratified":
        strata = [f"{p}{m}" for p, m in zip(corpus.platform, corpus.machine, strict=True)]
        one = stratified_draw(strata, scene.n, rng, equal=True)
    else:
        measure = 4 * corpus.score * (1 - corpus.score) if scene.design == "uncertain" else corpus.score
        one = weighted_draw(measure, scene.n, rng)
    return Design.of_one(corpus.thread, corpus.author, one.probability, one.chosen)


def _two_waves(scene: Scene, corpus: Corpus, rng: np.random.Generator) -> Design:
    """Active learning: half drawn at random, half where the first half found the code or the machine points to it."""
    half = scene.n // 2
    first = random_draw(scene.posts, half, rng)
    found = np.bincount(corpus.thread[first.chosen], corpus.truth[first.chosen], corpus.thread.max() + 1) > 0
    second = weighted_draw(found[corpus.thread] * 0.5 + corpus.machine * 0.5, half, rng)
    part = np.full(scene.posts, 0.5)
    waves = (Wave(d.probability, part, d.chosen, d.probability[d.chosen]) for d in (first, second))
    return Design(corpus.thread, corpus.author, tuple(waves))


def judged(corpus: Corpus, design: Design, within: NDArray[np.bool_] | None = None) -> Estimate:
    """The estimate once everything drawn was coded."""
    return estimate(design, corpus.machine, corpus.truth[design.item].astype(float), within)


def simulate(scene: Scene, runs: int, seed: int = 1) -> Outcome:
    """Coverage over *runs* samples of one corpus each tenth of them, and over as many new corpora."""
    rng = np.random.default_rng(seed)
    hits = np.zeros(5)
    widths = np.zeros(2)
    bias = 0.0
    aim = np.mean([talk(scene, np.random.default_rng(10_000 + k)).truth.mean() for k in range(400)])
    for _ in range(runs):
        # New talk each time: the corpus interval must hold this corpus's share, `beyond` the share behind all.
        corpus = talk(scene, rng)
        design = drawn(scene, corpus, rng)
        found = judged(corpus, design)
        one = corpus.platform == 1
        part = judged(corpus, design, one)
        truth = corpus.truth.mean()
        hits += [
            x.low <= y <= x.high
            for x, y in (
                (found.corpus, truth), (found.gold_only, truth), (found.naive, truth),
                (part.corpus, corpus.truth[one].mean()), (found.beyond, aim),
            )
        ]  # fmt: skip
        widths += [found.corpus.high - found.corpus.low, found.gold_only.high - found.gold_only.low]
        bias += found.corpus.value - truth
    return Outcome(scene.name, runs, *(hits / runs).tolist(), *(widths / runs).tolist(), bias / runs)


def outcomes(runs: int, only: str = "") -> Iterator[Outcome]:
    """One outcome a scene, of the designs that begin so."""
    for scene in SCENES:
        if scene.design.startswith(only):
            yield simulate(scene, runs)


def beside_ppi(scene: Scene, runs: int) -> dict[str, float | str]:
    """Point estimates, widths and coverage of ours and of ppi-python's PPI++ on the same simple random samples."""
    from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

    rng = np.random.default_rng(5)
    rows = []
    for _ in range(runs):
        corpus = talk(scene, rng)
        design = drawn(scene, corpus, rng)
        ours, truth = judged(corpus, design).corpus, corpus.truth.mean()
        rest = np.setdiff1d(np.arange(scene.posts), design.item)
        parts = [corpus.truth[design.item], corpus.machine[design.item], corpus.machine[rest]]
        args = [p.astype(float) for p in parts]
        theirs = float(np.ravel(ppi_mean_pointestimate(*args))[0])
        low, high = (float(np.ravel(x)[0]) for x in ppi_mean_ci(*args, alpha=0.05))
        rows.append((abs(ours.value - theirs), ours.high - ours.low, high - low,
                     ours.low <= truth <= ours.high, low <= truth <= high))  # fmt: skip
    names = ("mean difference", "our width", "ppi width", "our coverage", "ppi coverage")
    return {"scene": scene.name, **dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))}


def main() -> int:
    """Print the table; 1 when an interval misses its promise (93-97 %)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="", help="a design, such as random")
    parser.add_argument("--ppi", action="store_true", help="compare with ppi-python instead, where it is installed")
    args = parser.parse_args()
    if args.ppi:
        print(json.dumps([beside_ppi(scene, args.runs) for scene in SCENES if scene.design == "random"], indent=1))
        return 0
    started = time.monotonic()
    rows = []
    heads = " ".join(f"{h:>6}" for h in ("ours", "gold", "naive", "domain", "beyond"))
    print(f"{'scene':28} {heads} {'width':>7} {'gold w':>7} {'bias':>8}")
    for row in outcomes(args.runs, args.only):
        rows.append(row)
        shares = (row.coverage, row.gold_only, row.naive, row.one_platform, row.beyond)
        print(f"{row.scene:28} " + " ".join(f"{100 * s:6.1f}" for s in shares)
              + f" {row.width:7.4f} {row.gold_only_width:7.4f} {row.bias:8.5f}", flush=True)  # fmt: skip
    print(f"{args.runs} runs a scene, {time.monotonic() - started:.0f} s")
    if args.json:
        args.json.write_text(json.dumps([asdict(r) for r in rows], indent=1))
    return int(not all(0.93 <= r.coverage <= 0.97 and r.naive < 0.9 for r in rows))


if __name__ == "__main__":
    sys.exit(main())
