"""Check a codebook by running it: rules against their own tests, against gold, and examples against rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from storage import Post, Pseudonym

from . import Unit
from ._fire import Ruleset
from .codebook import Code, Codebook, Rule
from .gold import GoldPost, gold_units, load_gold, shipped_gold

THREAD = ">>"
SHIPPED = ("dev", "train")


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing to look at. `where` is a code or rule id; `says` is for the editor of the codebook.

    `kind` is "hit" or "miss" (a rule's own test fails), "silent" (it fires on no gold post) or "contradiction" (an
    example is a miss of a rule).
    """

    kind: str
    where: str
    says: str

    def as_dict(self) -> dict[str, str]:
        """The fault as plain values."""
        return asdict(self)

    def line(self) -> str:
        """The fault as a line for a terminal."""
        return f"{self.where}: {self.says}"


def check_codebook(codebook: Codebook, gold: Iterable[GoldPost] | None = None) -> Iterator[Fault]:
    """
    The faults of *codebook*, in its order; *gold* is what rules should fire on somewhere (by default the shipped).

    Unknown codes, lists and patterns that cannot be read are a CodebookError already when it is loaded.
    """
    rules = Ruleset(codebook)
    posts = [p for kind in SHIPPED for p in load_gold(shipped_gold() / kind)] if gold is None else list(gold)
    fired = {mark.rule for unit in gold_units(posts) for mark in rules.marks(unit)}
    for code in codebook.codes:
        for rule in code.rules:
            yield from _own_tests(rules, code, rule)
            if rule.id not in fired:
                yield Fault("silent", rule.id, "fires on no post of the gold set")
        yield from _contradictions(code)


def _own_tests(rules: Ruleset, code: Code, rule: Rule) -> Iterator[Fault]:
    for kind, tests in (("hit", rule.hits), ("miss", rule.misses)):
        for n, test in enumerate(tests, 1):
            told = {mark.rule for mark in rules.marks(unit_of(test, rule.case))}
            if (rule.id in told) != (kind == "hit"):
                says = "does not fire" if kind == "hit" else "fires"
                yield Fault(kind, rule.id, f"{says} on its own {kind} {n} (code {code.id})")


def _contradictions(code: Code) -> Iterator[Fault]:
    misses = {miss: rule.id for rule in code.rules for miss in rule.misses}
    for n, example in enumerate(code.examples, 1):
        if example in misses:
            yield Fault("contradiction", code.id, f"example {n} is a miss of its rule {misses[example]}")


def unit_of(test: str, case: tuple[str, ...] = ()) -> Unit:
    """A sentence of the codebook as a unit; `earlier >> post` puts an earlier post before it, which it answers."""
    parts = [part.strip() for part in test.split(THREAD)]
    posts = [_post(n, text, case[0] if case else "") for n, text in enumerate(parts)]
    last = posts[-1]
    return Unit(last, posts[-2], posts[0]) if len(posts) > 1 else Unit(last)


def _post(n: int, text: str, case: str) -> Post:
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
    name, author = Pseudonym(f"test{n}"), Pseudonym(f"author{n}")
    return Post(name, case, "", "", author, text, Pseudonym("test"), moment, moment)
