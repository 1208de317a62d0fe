"""What was measured of a codebook's rules on gold: kept beside the codebook, shown in its pages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from .check import right_and_fired
from .codebook import Codebook
from .coders import rules
from .gold import GoldPost, gold_units


@dataclass(frozen=True, slots=True)
class RuleCard:
    """
    How often each rule, and each code by its rules, was right on gold, and on how many posts it fired.

    `digest` says of which codebook; `posts` how many gold posts; `wanted` how often gold gives each code;
    `held_out` the figures with the points of signs learnt on other files than those measured: micro
    "precision" and "recall", and the number of "folds".
    """

    digest: str
    posts: int
    rules: dict[str, tuple[int, int]]
    wanted: dict[str, int]
    held_out: dict[str, float]

    def figures(self, codebook: Codebook) -> tuple[float, float]:
        """Micro-averaged precision and recall over all codes, on the gold that the rules were tuned on."""
        found = [self.rules.get(code.id, (0, 0)) for code in codebook.codes]
        right, fired = (sum(column) for column in zip(*found, strict=True))
        return right / max(fired, 1), right / max(sum(self.wanted.values()), 1)


def measure_rules(codebook: Codebook, gold: Sequence[GoldPost], held_out: dict[str, float]) -> RuleCard:
    """The card of *codebook* on these gold posts."""
    marks = zip(gold, rules.code(gold_units(gold), codebook, rules.Settings()), strict=True)
    wanted = Counter(code for post in gold for code in post.codes)
    return RuleCard(codebook.digest, len(gold), right_and_fired(marks), dict(sorted(wanted.items())), held_out)


def load_card(codebook: Codebook) -> RuleCard | None:
    """The shipped card of *codebook*; None where none was measured for this very content."""
    path = files("coding.codebooks") / f"{codebook.name}.card.json"
    if not path.is_file():
        return None
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measured = {name: (int(right), int(fired)) for name, (right, fired) in raw["rules"].items()}
    card = RuleCard(raw["digest"], raw["posts"], measured, raw["wanted"], raw["held_out"])
    return card if card.digest == codebook.digest else None


def card_text(card: RuleCard) -> str:
    """The card as JSON, one rule a line."""
    told = asdict(card)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(list(n))}" for name, n in card.rules.items())
    rest = json.dumps({k: v for k, v in told.items() if k != "rules"}, indent=1)
    return f'{rest[:-2]},\n "rules": {{\n{lines}\n }}\n}}\n'
