"""Check a codebook: tests that fail, rules that cannot or never fire, examples that contradict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from . import Mark, Unit
from ._fire import IRONY, NEGATION, Ruleset
from .codebook import Code, Codebook, Rule
from .gold import GoldPost, gold_units

THEN = " >> "
"""Parts the posts of a thread in a test: the last is coded, the first opens, the one before the last is answered."""


@dataclass(frozen=True, slots=True)
class Fault:
    """
    Something to look at: `where` a path in the codebook, `kind` of fault, and what it is.

    Kinds: "test fails", "contradiction", "cannot fire", "never fires", "not used", "no rule".
    """

    where: str
    kind: str
    what: str

    def line(self) -> str:
        """The fault as one line."""
        return f"{self.where}: {self.kind}: {self.what}"

    def as_dict(self) -> dict[str, str]:
        """The fault as plain values."""
        return asdict(self)


def check_codebook(codebook: Codebook, gold: Sequence[GoldPost] | None = None) -> Iterator[Fault]:
    """
    Everything to look at in *codebook*, cheapest first; unknown codes and lists are refused on reading.

    `gold` are the posts on which every rule should fire at least once; None takes the shipped gold.
    """
    if gold is None:
        from .gold import load_gold, shipped_gold

        gold = [post for part in ("dev", "train", "extra") for post in load_gold(shipped_gold() / part)]
    rules = Ruleset(codebook)
    yield from _unused(codebook)
    for code in codebook.codes:
        if not code.rules:
            yield Fault(code.id, "no rule", "the rule coder can never give this code")
        yield from _contradictions(code)
        yield from _examples(code, rules)
        for rule in code.rules:
            yield from _dead(code, rule)
            yield from _tests(code, rule, rules)
    yield from _silent(codebook, rules, gold)


def thread_of(text: str) -> Unit:
    """The unit of a test sentence, with the earlier posts that stand before `>>` in it."""
    posts = [GoldPost(str(n), "test", "test", t, frozenset(), thread="1") for n, t in enumerate(text.split(THEN))]
    return gold_units(posts)[-1]


def _unused(codebook: Codebook) -> Iterator[Fault]:
    patterns = (p for code in codebook.codes for rule in code.rules for _, _, p in rule.patterns)
    used = {option for p in patterns for step in p.split() for option in step.split("|")}
    for name, items in codebook.lists.items():
        if f"{{{name}}}" not in used | {NEGATION, IRONY}:
            yield Fault(f"lists.{name}", "not used", "no rule names this word list")
        if not items:
            yield Fault(f"lists.{name}", "cannot fire", "the word list is empty")


def _contradictions(code: Code) -> Iterator[Fault]:
    hits = {text for rule in code.rules for text in rule.hits} | set(code.examples)
    for rule in code.rules:
        for n, text in enumerate(rule.misses):
            if text in hits:
                yield Fault(f"{code.id}.{rule.id}.misses.{n}", "contradiction", "is a hit or example of the code too")


def _examples(code: Code, rules: Ruleset) -> Iterator[Fault]:
    for n, text in enumerate(code.examples):
        given = {m.code for m in rules.marks(thread_of(text))}
        if code.rules and code.id not in given:
            told = f"the rules give it {', '.join(sorted(given))}" if given else "the rules give it no code"
            yield Fault(f"{code.id}.examples.{n}", "contradiction", told)


def _dead(code: Code, rule: Rule) -> Iterator[Fault]:
    if rule.signs and sum(worth * len(ps) for worth, ps in rule.signs.items() if worth > 0) < (rule.points or 0):
        yield Fault(f"{code.id}.{rule.id}", "cannot fire", "all its signs together are worth too little")
    for other in code.rules:
        wider = other.model_copy(update={"id": rule.id, "says": rule.says, "hits": rule.hits, "misses": rule.misses})
        if other is not rule and set(rule.any) < set(other.any) and wider == rule.model_copy(update={"any": other.any}):
            yield Fault(f"{code.id}.{rule.id}", "cannot fire", f"{other.id} covers all of it")


def _tests(code: Code, rule: Rule, rules: Ruleset) -> Iterator[Fault]:
    for name, texts, wanted in (("hits", rule.hits, True), ("misses", rule.misses, False)):
        for n, text in enumerate(texts):
            fired = rule.id in {m.rule for m in rules.marks(thread_of(text))}
            if fired != wanted:
                told = "the rule does not fire" if wanted else "the rule fires"
                yield Fault(f"{code.id}.{rule.id}.{name}.{n}", "test fails", told)


def _silent(codebook: Codebook, rules: Ruleset, gold: Sequence[GoldPost]) -> Iterator[Fault]:
    fired = {m.rule for m in chain.from_iterable(rules.marks(unit) for unit in gold_units(gold))}
    for code in codebook.codes:
        for rule in code.rules:
            if rule.id not in fired:
                yield Fault(f"{code.id}.{rule.id}", "never fires", f"on {len(gold):,} gold posts")


def right_and_fired(marks: Iterable[tuple[GoldPost, Sequence[Mark]]]) -> dict[str, tuple[int, int]]:
    """For each rule, and each code, how often it was right on gold and on how many posts it fired."""
    count: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for post, given in marks:
        for name, code in {(m.rule, m.code) for m in given} | {(m.code, m.code) for m in given}:
            count[name][0] += code in post.codes
            count[name][1] += 1
    return {name: (right, fired) for name, (right, fired) in sorted(count.items())}
