"""When a rule of the codebook holds for a post: its conditions, checked on what one scan found."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage import Post

from . import Mark, Unit
from ._scan import Place, Scan, Scanner
from .codebook import Codebook, Guard, Rule

NEGATED_BEFORE, NEGATED_AFTER = 3, 1
"""How many words before and after the evidence a negation reaches."""
REMEMBERED = 512
"""How many posts are kept scanned for the replies to them."""
NEGATION, IRONY = "{negation}", "{irony}"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule with the numbers of its patterns."""

    code: str
    rule: Rule
    any: tuple[int, ...]
    signs: dict[int, int]
    near: tuple[int, ...]
    also: tuple[int, ...]
    unless: tuple[int, ...]
    unless_post: tuple[int, ...]
    parent: tuple[int, ...]
    opener: tuple[int, ...]


class Ruleset:
    """All rules of a codebook, or those in `only`, ready to mark posts."""

    def __init__(self, codebook: Codebook, only: frozenset[str] = frozenset()) -> None:
        self._scanner = Scanner(codebook.lists, codebook.spelling)
        self._negation = self._scanner.number(NEGATION) if "negation" in codebook.lists else -1
        self._irony = self._scanner.number(IRONY) if "irony" in codebook.lists else -1
        self._rules = [
            self._compile(code.id, rule)
            for code in codebook.codes
            for rule in code.rules
            if not only or rule.id in only
        ]
        self._triggers: dict[int, list[int]] = defaultdict(list)
        self._worth: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for n, compiled in enumerate(self._rules):
            for number in compiled.any:
                self._triggers[number].append(n)
            for number, worth in compiled.signs.items():
                self._worth[number].append((n, worth))
        self._alone: OrderedDict[tuple[str, str], tuple[Scan, frozenset[str]]] = OrderedDict()

    def _compile(self, code: str, rule: Rule) -> Compiled:
        def numbers(patterns: Sequence[str]) -> tuple[int, ...]:
            return tuple(dict.fromkeys(self._scanner.number(p) for p in patterns))

        signs = {self._scanner.number(p): worth for worth, ps in rule.signs.items() for p in ps}
        return Compiled(
            code, rule, numbers(rule.any), signs, numbers(rule.near), numbers(rule.also), numbers(rule.unless),
            numbers(rule.unless_post), numbers(rule.parent), numbers(rule.opener),
        )  # fmt: skip

    def marks(self, unit: Unit) -> tuple[Mark, ...]:
        """The marks of the post of *unit*: for each rule that holds, its first evidence."""
        scan = self._scanner.scan(unit.post.text)
        if not scan.hits:
            return ()
        found = []
        for n in sorted(self._candidates(scan)):
            compiled = self._rules[n]
            place = self._holds(compiled, scan, unit)
            if place:
                start, end = scan.span(place)
                found.append(Mark(compiled.code, 1.0, start, end, compiled.rule.id))
        return tuple(found)

    def _candidates(self, scan: Scan) -> set[int]:
        """The rules that have a trigger in the text, or signs enough."""
        found = {n for number in scan.hits for n in self._triggers.get(number, ())}
        total: dict[int, int] = defaultdict(int)
        for number in scan.hits:
            for n, worth in self._worth.get(number, ()):
                total[n] += worth
        return found | {n for n, points in total.items() if points >= (self._rules[n].rule.points or 0)}

    def _holds(self, compiled: Compiled, scan: Scan, unit: Unit) -> Place | None:
        """Where *compiled* first holds, else None."""
        rule = compiled.rule
        if rule.case and unit.post.case not in rule.case:
            return None
        if compiled.also and not _found(scan, compiled.also):
            return None
        if _found(scan, compiled.unless_post):
            return None
        given = _strongest(compiled, scan) if compiled.signs else sorted(set(_places(scan, compiled.any)))
        place = next((p for p in (self._at(compiled, scan, g) for g in given) if p), None)
        return place if place and self._in_thread(compiled, unit) else None

    def _at(self, compiled: Compiled, scan: Scan, place: Place) -> Place | None:
        """The evidence at *place* when the conditions around it hold: the place, and what stands near it."""
        rule = compiled.rule
        sentence = scan.sentence[place.first]
        if any(scan.sentence[p.first] == sentence for p in _places(scan, compiled.unless)):
            return None
        if not (
            _allowed(rule.negation, lambda: self._negated(scan, place))
            and _allowed(rule.quotation, lambda: scan.quoted[place.first])
            and _allowed(rule.irony, lambda: self._ironic(scan, sentence))
        ):
            return None
        if not compiled.near:
            return place
        return next((_cover(place, p) for p in _places(scan, compiled.near) if _near(scan, rule, place, p)), None)

    def _negated(self, scan: Scan, place: Place) -> bool:
        sentence = scan.sentence[place.first]
        first, last = place.first - NEGATED_BEFORE, place.last + NEGATED_AFTER
        return any(
            first <= p.first and p.last <= last and scan.sentence[p.first] == sentence
            for p in scan.hits.get(self._negation, ())
        )

    def _ironic(self, scan: Scan, sentence: int) -> bool:
        """Whether a cue of irony stands in the sentence or the one beside it."""
        return any(abs(scan.sentence[p.first] - sentence) <= 1 for p in scan.hits.get(self._irony, ()))

    def _in_thread(self, compiled: Compiled, unit: Unit) -> bool:
        rule = compiled.rule
        if compiled.parent and not (unit.parent and _found(self._of(unit.parent)[0], compiled.parent)):
            return False
        if compiled.opener and not (unit.opener and _found(self._of(unit.opener)[0], compiled.opener)):
            return False
        if not rule.parent_codes:
            return True
        return unit.parent is not None and not self._of(unit.parent)[1].isdisjoint(rule.parent_codes)

    def _of(self, post: Post) -> tuple[Scan, frozenset[str]]:
        """The scan and the codes of a post by itself, whatever thread it stands in."""
        key = (post.case, post.text)
        known = self._alone.get(key)
        if known is None:
            codes = frozenset(m.code for m in self.marks(Unit(post)))
            known = self._alone[key] = (self._scanner.scan(post.text), codes)
            if len(self._alone) > REMEMBERED:
                self._alone.popitem(last=False)
        return known


def _strongest(compiled: Compiled, scan: Scan) -> list[Place]:
    """Where the signs stand that are worth most."""
    present = {number: worth for number, worth in compiled.signs.items() if number in scan.hits}
    most = max(present.values())
    return sorted(_places(scan, [number for number, worth in present.items() if worth == most]))


def _found(scan: Scan, numbers: Sequence[int]) -> bool:
    return any(n in scan.hits for n in numbers)


def _places(scan: Scan, numbers: Sequence[int]) -> Iterator[Place]:
    for number in numbers:
        yield from scan.hits.get(number, ())


def _allowed(guard: Guard | None, holds: object) -> bool:
    if guard is None:
        return True
    assert callable(holds)
    return bool(holds()) == (guard == "only")


def _near(scan: Scan, rule: Rule, a: Place, b: Place) -> bool:
    """Whether *b* stands apart from *a*, in its sentence, or within the rule's number of words."""
    if a.first < b.last and b.first < a.last:
        return False
    if rule.within is None:
        return scan.sentence[a.first] == scan.sentence[b.first]
    return max(b.first - a.last, a.first - b.last) <= rule.within


def _cover(a: Place, b: Place) -> Place:
    return Place(min(a.first, b.first), max(a.last, b.last))
