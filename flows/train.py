"""Train the study's own model on the shipped gold and the study's: plain functions behind `veldwerk train`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from coding import in_threads, load_codebook
from coding import training as t
from coding.adjudication import gold

from .coders import trained

if TYPE_CHECKING:
    from .home import Home

ENOUGH = 100
"""From how many posts of its own a study's figures are measured on them alone."""


def train_model(
    home: Home, embeddings: str = "", tell: Callable[[str], None] = lambda _: None, taught: t.Corpus | None = None
) -> dict[str, Any]:
    """
    Train, cross-validate, write model and card under the home; returns what the card tells.

    *taught* is the gold that the study's own is joined to, by default the shipped gold.
    Writes `models/model.npz`, `models/card.json` and `models/card.md`.
    """
    import json

    from coding._embeddings import embedder

    embed = embedder(embeddings) if embeddings else None
    codes = tuple(c.id for c in load_codebook().codes)
    taught = taught or t.shipped_corpus(codes, embed)
    own = study_corpus(home, taught.codes, embed)
    data = t.joined(taught, own, ENOUGH)
    model, scores, given = t.train(data, tell)
    source = f"shipped gold, authored for the project, and {len(own.truth)} posts of this study"
    card = t.card(data, model, scores, given, source)
    card["own"] = {"posts": len(own.truth), "threads": len(set(own.groups)), "measured": len(own.truth) >= ENOUGH}
    path = trained(home)
    t.with_card(model, card).save(path)
    path.with_name("card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
    path.with_name("card.md").write_text(page(card), encoding="utf-8")
    return card


def study_corpus(home: Home, codes: tuple[str, ...], embed: t.Embed | None = None) -> t.Corpus:
    """
    The gold of the study's own posts, each thread a group; empty where nothing is stored or decided.

    A code on which coders are split, undecided, counts as absent unless more than half gave it.
    """
    units, rows, groups = [], [], []
    for case in home.cases if home.has_store else ():
        found = gold(home.store, case)
        wanted = set(found.posts["post"].to_list())
        given = {(row["post"], row["code"]) for row in found.values.iter_rows(named=True) if row["value"] > 0.5}
        for unit in in_threads(home.store.posts(case)) if wanted else ():
            if unit.post.id in wanted:
                units.append(unit)
                rows.append([(unit.post.id, code) in given for code in codes])
                groups.append(f"study/{unit.post.thread}")
    truth = np.array(rows, dtype=bool).reshape(len(rows), len(codes))
    return t.Corpus(codes, t.documents_of(units, embed), truth, tuple(groups), np.ones(len(rows), dtype=bool))


def page(card: dict[str, Any]) -> str:
    """The model card as a page of Markdown."""
    found = card["figures"]
    own = card.get("own", {"posts": 0, "threads": 0, "measured": False})
    where = (
        f"the study's own {own['posts']} posts in {own['threads']} threads"
        if own["measured"]
        else "texts authored for this project: they say what the model can do, not what it does on your posts"
    )
    lines = [
        "# Model card", "",
        f"Learnt from {card['posts']} posts ({card['source']}); {card['features']:,} features.",
        f"Cross-validated over whole groups of writers or threads ({card['folds']} folds) on {where}.", "",
        f"- micro-F1 {found['micro_f1']:.2f} (precision {found['precision']:.2f}, recall {found['recall']:.2f})",
        f"- mean alpha against gold {found['alpha']:.2f}",
        *(f"- alpha, {theme}: {value:.2f}" for theme, value in found["themes"].items()),
        f"- expected calibration error {card['calibration_error']:.3f}", "",
        "| code | gold | given | precision | recall | alpha | given from | sure from |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_row(line, card["bands"][line["code"]]) for line in found["codes"]), "",
        "| score | codes | mean score | share true |", "| --- | ---: | ---: | ---: |",
        *map(_tenth, card["calibration"]),
        "",
        "Between `given from` and `sure from` lies the band in which the model is unsure: have people look there",
        "(`veldwerk sample --design uncertain`). A `sure from` of 1.00 means that it never was sure enough.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(line: dict[str, Any], band: dict[str, float]) -> str:
    cells = ["-" if line[k] is None else f"{line[k]:.2f}" for k in ("precision", "recall", "alpha")]
    shown = [line["code"], str(line["gold"]), str(line["given"]), *cells, f"{band['from']:.2f}", f"{band['sure']:.2f}"]
    return f"| {' | '.join(shown)} |"


def _tenth(row: dict[str, float]) -> str:
    return f"| {row['from']:.1f}-{row['to']:.1f} | {row['n']} | {row['score']:.2f} | {row['true']:.2f} |"
