"""A small field for tests: the gold posts in a store of their own, and a codebook with their codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from coding.codebook import Code, Codebook, Theme, Words
from storage import Annotation, Batch, Coding, Post, Pseudonym, Store

CODES = (
    "tools.osint", "tools.footage", "tools.crowdsourcing", "tools.undercover",
    "deviance.crime", "deviance.suspicion", "deviance.moral", "deviance.othering",
    "justice.legal", "justice.retribution", "justice.extralegal", "justice.restorative", "justice.distrust",
    "norms.doxing", "norms.antidoxing", "norms.verification", "norms.restraint",
    "police.cooperation", "police.criticism", "police.substitution", "police.request",
)  # fmt: skip
NOW = datetime(2025, 6, 1, tzinfo=UTC)


def words(text: str) -> Words:
    return Words(nl=text, en=text)


@cache
def codebook() -> Codebook:
    """The 21 codes with definitions short enough to compare."""
    themes: dict[str, list[Code]] = {}
    for n, id_ in enumerate(CODES):
        code = Code(id=id_, label=words(id_), definition=words(f"Definitie {n}."), color=f"#{n * 9:02x}80c0")
        themes.setdefault(id_.split(".")[0], []).append(code)
    return Codebook(
        name="test", version="1",
        themes=tuple(Theme(id=t, label=words(t), definition=words(t), codes=tuple(c)) for t, c in themes.items()),
    )  # fmt: skip


@cache
def gold_rows() -> tuple[dict[str, Any], ...]:
    """The gold posts of the dev set, as they lie in the files."""
    folder = files("demo") / "gold" / "dev"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".jsonl"))
    return tuple(json.loads(line) for n in names for line in (folder / n).read_text("utf-8").splitlines())


def gold_codes() -> dict[str, frozenset[str]]:
    return {r["id"]: frozenset(r["codes"]) for r in gold_rows()}


def gold_posts() -> Iterator[Post]:
    """The invented gold posts as stored posts; their invented names stay, there is nobody to protect."""
    for r in gold_rows():
        case = r["case"]
        yield Post(
            id=Pseudonym(r["id"]), case=case, platform=r["platform"], source="gold",
            author=Pseudonym(f"{case[:2]}-{r['author']}"), text=r["text"],
            thread=Pseudonym(f"{case[:2]}-{r['thread']}"), created=datetime.fromisoformat(r["created_at"]),
            collected_at=NOW, reply_to=r["reply_to"],
        )  # fmt: skip


def gold_store(path: Path) -> Store:
    """An unencrypted store with the 560 gold posts."""
    store = Store(path / "corpus.duckdb", None)
    store.add(Batch("all", "gold", tuple(gold_posts())))
    return store


def code_by(store: Store, name: str, codes: dict[str, frozenset[str]], coder: str = "human") -> str:
    """Let a coder give these codes to these posts, now; returns the coding's id."""
    id_ = f"{coder}-{name}"
    store.begin_coding(Coding(id_, coder, name, "1", codebook().digest, "{}", datetime.now(UTC)))
    marks = [Annotation(id_, Pseudonym(p), c) for p, given in codes.items() for c in sorted(given)]
    store.annotate(id_, [(p, 1) for p in codes], marks)
    return id_
