"""One pass over a text for all patterns of a codebook, over the tokens of spaCy's Dutch tokenizer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from ._patterns import Step, normal, parse

CACHE = 100_000
"""How many different chunks of letters are remembered before all are forgotten: memory stays flat."""
_CHUNK = re.compile(r"\S+|\n")
_LABEL = re.compile(r"\[?(@|[A-Z]{3,14})(?:(?<=@)[^\]\s]*|-\d+)\]?")
_STRETCH = re.compile(r"(.)\1{2,}")
_ENDS = frozenset({".", "!", "?", "\n", "!!", "??"})
_OPENING, _CLOSING = frozenset("„“«"), frozenset("”»")
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        "de het een en van in op te is dat die dit er aan met voor niet maar als dan om bij ook nog naar wat ze we hij "
        "ik je zo al of door uit wel over was heb heeft zijn waren wordt daar hier nu toch kan mag moet gaat gaan even "
        "geen iets mijn haar hun ons onze wij jij jullie u hem iemand iedereen weer meer wie waar hoe ? !",
    )
)
_QUOTES = _OPENING | _CLOSING | frozenset("\"'‘’")
_DROPPED = frozenset("[](),:;-–—*_~|>…") | {"...", "..", "--"}


Run = tuple[tuple[int, int], ...]
"""Elements to be met one after another, each with the gap that may stand before it."""
Index = dict[int, list[tuple[int, int, Run]]]
"""Rarest element -> (owner, first element, the rest of the run)."""
Ends = dict[int, dict[int, int]]
"""Element -> where it stands in a text: number of its first word -> number of the word after its last."""


class Word(NamedTuple):
    """
    One token: where it stands, and what kind of mark it is.

    `elements` are the places in longer patterns that it can take, `alone` the patterns that it is a hit of.
    """

    elements: tuple[int, ...]
    alone: tuple[int, ...]
    start: int
    end: int
    ends: bool
    quote: bool


class Place(NamedTuple):
    """Where a pattern was found: word numbers, half-open."""

    first: int
    last: int


@dataclass(slots=True)
class Scan:
    """What one pass over a text found: `hits` by pattern number, and the words to locate them."""

    words: list[Word]
    starts: list[int]
    sentence: list[int]
    quoted: list[bool]
    hits: dict[int, list[Place]] = field(default_factory=dict)

    def span(self, place: Place) -> tuple[int, int]:
        """The stretch of text of *place*, half-open in code points."""
        first, last = place.first, place.last - 1
        return self.starts[first] + self.words[first].start, self.starts[last] + self.words[last].end


class Scanner:
    """
    All patterns of a codebook, compiled once.

    `lists` are the named word lists, `spelling` maps a word to the ways it is also spelt. Patterns are
    known by their number, which `number` gives; scan a text after all numbers have been asked for.
    """

    def __init__(self, lists: Mapping[str, Sequence[str]], spelling: Mapping[str, Sequence[str]]) -> None:
        self._lists = lists
        self._spelling = {normal(v): normal(word) for word, variants in spelling.items() for v in variants}
        self._numbers: dict[tuple[Step, ...], int] = {}
        self._elements: dict[tuple[str, ...], int] = {}
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._affix: dict[tuple[bool, str], list[int]] = defaultdict(list)
        self._inside: list[tuple[str, int]] = []
        self._phrases: Index = defaultdict(list)
        self._patterns: Index = defaultdict(list)
        self._single: dict[int, int] = {}
        self._in_runs: set[int] = set()
        self._common: list[int] = []
        self._chunks: dict[str, tuple[Word, ...]] = {}
        self._longest = 0

    def number(self, pattern: str) -> int:
        """The number under which *pattern* reports its hits."""
        steps = parse(pattern, self._lists)
        known = self._numbers.get(steps)
        if known is None:
            known = self._numbers[steps] = len(self._numbers)
            if len(steps) == 1:
                self._single[self._element(steps[0].options)] = known
            else:
                self._index(self._patterns, known, steps)
            self._chunks.clear()
        return known

    def _index(self, index: Index, owner: int, steps: Sequence[Step]) -> None:
        """Keep a run of words under its rarest element."""
        first, *rest = [(step.gap, self._element(step.options)) for step in steps]
        self._in_runs.update(element for _, element in (first, *rest))
        rarest = min((first, *rest), key=lambda step: self._common[step[1]])[1]
        index[rarest].append((owner, first[1], tuple(rest)))

    def _element(self, options: tuple[str, ...]) -> int:
        known = self._elements.get(options)
        if known is None:
            known = self._elements[options] = len(self._elements)
            self._common.append(sum(map(_commonness, options)))
            for option in options:
                self._register(option, known)
        return known

    def _register(self, option: str, element: int) -> None:
        if option[0] == "{":
            for item in self._lists[option[1:-1]]:
                steps = parse(item, {})
                if len(steps) == 1:
                    for single in steps[0].options:
                        self._register(single, element)
                else:
                    self._index(self._phrases, element, steps)
        elif option[0] == "*" and option[-1] == "*":
            self._inside.append((option[1:-1], element))
        elif "*" in (option[0], option[-1]):
            part = option.strip("*")
            self._affix[option[-1] == "*", part].append(element)
            self._longest = max(self._longest, len(part))
        else:
            self._exact[option].append(element)

    def _satisfied(self, token: str) -> tuple[int, ...]:
        """The elements that a token satisfies, in any of its forms."""
        found: set[int] = set()
        for form in self._forms(token):
            found.update(self._exact.get(form, ()))
            for n in range(1, min(len(form), self._longest) + 1):
                found.update(self._affix.get((True, form[:n]), ()))
                found.update(self._affix.get((False, form[-n:]), ()))
            found.update(e for part, e in self._inside if part in form)
        return tuple(sorted(found))

    def _forms(self, token: str) -> set[str]:
        label = _LABEL.fullmatch(token)
        if label:
            return {f"[{label[1]}]"}
        form = normal(token)
        forms = {form, normal(_STRETCH.sub(r"\1", token)), form.replace("-", ""), form.rstrip(".")}
        forms |= {self._spelling[f] for f in forms if f in self._spelling}
        if form[:1].isdigit():
            forms.add("#")
        return forms - {""}

    def _chunk(self, chunk: str) -> tuple[Word, ...]:
        if len(self._chunks) > CACHE:
            self._chunks.clear()
            dutch_tokenizer.cache_clear()
        tokens = ((t.text, t.idx) for t in dutch_tokenizer()(chunk))
        known = self._chunks[chunk] = tuple(self._word(chunk, text, at) for text, at in tokens if text not in _DROPPED)
        return known

    def _word(self, chunk: str, text: str, start: int) -> Word:
        end = start + len(text)
        if chunk[start - 1 : start] == "[" and chunk[end : end + 1] == "]" and _LABEL.fullmatch(text):
            start, end = start - 1, end + 1
        met = self._satisfied(text)
        elements = tuple(e for e in met if e in self._in_runs)
        alone = tuple(self._single[e] for e in met if e in self._single)
        # spaCy takes `dat.` for an abbreviation; at the end of a sentence it is a word and a full stop.
        ends = text in _ENDS or (text[-1] == "." and text[:-1].lower() in _FUNCTION_WORDS)
        return Word(elements, alone, start, end, ends, text in _QUOTES)

    def scan(self, text: str) -> Scan:
        """Every pattern found in *text*."""
        words: list[Word] = []
        starts: list[int] = []
        sentence: list[int] = []
        quoted: list[bool] = []
        number, inside = 0, False
        chunks = self._chunks
        for found in _CHUNK.finditer(text):
            chunk, at = found.group(), found.start()
            known = chunks.get(chunk)
            for word in self._chunk(chunk) if known is None else known:
                if word.quote:
                    inside = not inside
                    continue
                words.append(word)
                starts.append(at)
                sentence.append(number)
                quoted.append(inside)
                number += word.ends
            if chunk == "\n":
                inside = False
        scan = Scan(words, starts, sentence, quoted)
        self._match(scan)
        return scan

    def _match(self, scan: Scan) -> None:
        ends: Ends = {}
        hits = scan.hits
        for i, word in enumerate(scan.words):
            after = i + 1
            if word.alone:
                place = Place(i, after)
                for number in word.alone:
                    hits.setdefault(number, []).append(place)
            for element in word.elements:
                if element in ends:
                    ends[element][i] = after
                else:
                    ends[element] = {i: after}
        for owner, place in _find(self._phrases, ends, scan.sentence):
            if owner in self._single:
                hits.setdefault(self._single[owner], []).append(place)
            if owner in self._in_runs:
                known = ends.setdefault(owner, {})
                known[place.first] = max(place.last, known.get(place.first, 0))
        for number, place in _find(self._patterns, ends, scan.sentence):
            hits.setdefault(number, []).append(place)


def _find(index: Index, ends: Ends, sentence: Sequence[int]) -> list[tuple[int, Place]]:
    """Where the runs of *index* stand; only those are walked whose rarest element stands in the text."""
    found = []
    for element in ends.keys() & index.keys():
        for owner, first, rest in index[element]:
            if first in ends and rest[-1][1] in ends:
                for i, end in ends[first].items():
                    last = follow(rest, 0, end, ends, sentence)
                    if last:
                        found.append((owner, Place(i, last)))
    return found


def follow(steps: Run, k: int, i: int, ends: Ends, sentence: Sequence[int]) -> int:
    """The end of *steps* from the k-th on when they match from word *i* on in one sentence, else 0."""
    gap, element = steps[k]
    at = ends.get(element)
    if at is None:
        return 0
    for j in range(i, min(i + gap + 1, len(sentence))):
        if sentence[j] != sentence[i - 1]:
            return 0
        end = at.get(j)
        if end:
            last = end if k + 1 == len(steps) else follow(steps, k + 1, end, ends, sentence)
            if last:
                return last
    return 0


def _commonness(option: str) -> int:
    """How often an option of a pattern will be met, roughly: function words and lists often, long words seldom."""
    if option in _FUNCTION_WORDS:
        return 1000
    if option[0] == "{":
        return 100
    return max(1, 12 - len(option)) + 5 * option.count("*")


@cache
def dutch_tokenizer() -> Any:
    """spaCy's Dutch tokenizer, parting `laf/zwak` as well; a new one starts with an empty vocabulary."""
    import spacy
    from spacy.util import compile_infix_regex

    nlp = spacy.blank("nl")
    infixes = [*(nlp.Defaults.infixes or ()), r"(?<=[^\W\d_])[/+&](?=[^\W\d_])"]
    tokenizer: Any = nlp.tokenizer
    tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return tokenizer
