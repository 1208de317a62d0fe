"""One pass over a text for all patterns of a codebook, over the tokens of spaCy's Dutch tokenizer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ._patterns import Step, normal, parse

CACHE = 100_000
"""How many different chunks of letters are remembered before all are forgotten: memory stays flat."""
_CHUNK = re.compile(r"\S+|\n")
_LABEL = re.compile(r"\[?(@|[A-Z]{3,14})(?:(?<=@)[^\]\s]*|-\d+)\]?")
_STRETCH = re.compile(r"(.)\1{2,}")
_ENDS = frozenset({".", "!", "?", "\n", "!!", "??"})
_OPENING, _CLOSING = frozenset("„“«"), frozenset("”»")
_QUOTES = _OPENING | _CLOSING | frozenset("\"'‘’")
_DROPPED = frozenset("[](),:;-–—*_~|>…") | {"...", "..", "--"}


class Word(NamedTuple):
    """One token: the elements of patterns it satisfies, where it stands, and what kind of mark it is."""

    elements: tuple[int, ...]
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
        self._numbers: dict[str, int] = {}
        self._elements: dict[tuple[str, ...], int] = {}
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._affix: dict[tuple[bool, str], list[int]] = defaultdict(list)
        self._inside: list[tuple[str, int]] = []
        self._phrases: dict[int, list[tuple[int, tuple[tuple[int, int], ...]]]] = defaultdict(list)
        self._patterns: dict[int, list[tuple[int, tuple[tuple[int, int], ...]]]] = defaultdict(list)
        self._chunks: dict[str, tuple[Word, ...]] = {}
        self._longest = 0
        self._tokenizer: Any = None

    def number(self, pattern: str) -> int:
        """The number under which *pattern* reports its hits."""
        known = self._numbers.get(pattern)
        if known is None:
            known = self._numbers[pattern] = len(self._numbers)
            first, *rest = self._compile(parse(pattern, self._lists))
            self._patterns[first[1]].append((known, tuple(rest)))
            self._chunks.clear()
        return known

    def _compile(self, steps: Iterable[Step]) -> list[tuple[int, int]]:
        return [(step.gap, self._element(step.options)) for step in steps]

    def _element(self, options: tuple[str, ...]) -> int:
        known = self._elements.get(options)
        if known is None:
            known = self._elements[options] = len(self._elements)
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
                    first, *rest = self._compile(steps)
                    self._phrases[first[1]].append((element, tuple(rest)))
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
        forms = {form, normal(_STRETCH.sub(r"\1", token)), form.replace("-", "")}
        forms |= {self._spelling[f] for f in forms if f in self._spelling}
        if form[:1].isdigit():
            forms.add("#")
        return forms - {""}

    def _chunk(self, chunk: str) -> tuple[Word, ...]:
        if len(self._chunks) > CACHE or self._tokenizer is None:
            self._chunks.clear()
            self._tokenizer = dutch_tokenizer()
        tokens = ((t.text, t.idx) for t in self._tokenizer(chunk))
        known = self._chunks[chunk] = tuple(
            self._word(chunk, text, at) for text, at in tokens if text not in _DROPPED
        )
        return known

    def _word(self, chunk: str, text: str, start: int) -> Word:
        end = start + len(text)
        if chunk[start - 1 : start] == "[" and chunk[end : end + 1] == "]" and _LABEL.fullmatch(text):
            start, end = start - 1, end + 1
        return Word(self._satisfied(text), start, end, text in _ENDS, text in _QUOTES)

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
        at = [word.elements for word in scan.words]
        longer = self._find_phrases(at, scan.sentence)
        for i, elements in enumerate(at):
            for element in elements:
                for number, rest in self._patterns.get(element, ()):
                    last = follow(rest, 0, i + 1, at, longer, scan.sentence) if rest else i + 1
                    if last:
                        scan.hits.setdefault(number, []).append(Place(i, last))
        for (i, element), end in longer.items():
            for number, rest in self._patterns.get(element, ()):
                last = follow(rest, 0, end, at, longer, scan.sentence) if rest else end
                if last:
                    scan.hits.setdefault(number, []).append(Place(i, last))

    def _find_phrases(self, at: list[tuple[int, ...]], sentence: list[int]) -> dict[tuple[int, int], int]:
        """Items of lists that are several words: (first word, element of the list) -> end."""
        longer: dict[tuple[int, int], int] = {}
        for i, elements in enumerate(at):
            for element in elements:
                for owner, rest in self._phrases.get(element, ()):
                    last = follow(rest, 0, i + 1, at, {}, sentence)
                    if last:
                        longer[i, owner] = max(last, longer.get((i, owner), 0))
        return longer


def follow(
    steps: Sequence[tuple[int, int]], k: int, i: int, at: Sequence[tuple[int, ...]],
    longer: Mapping[tuple[int, int], int], sentence: Sequence[int],
) -> int:  # fmt: skip
    """The end of *steps* from the k-th on when they match from word *i* on in one sentence, else 0."""
    gap, element = steps[k]
    for j in range(i, min(i + gap + 1, len(at))):
        if sentence[j] != sentence[i - 1]:
            return 0
        end = j + 1 if element in at[j] else longer.get((j, element), 0)
        if end:
            if k + 1 == len(steps):
                return end
            last = follow(steps, k + 1, end, at, longer, sentence)
            if last:
                return last
    return 0


def dutch_tokenizer() -> Any:
    """spaCy's Dutch tokenizer, parting `laf/zwak` as well; a new one starts with an empty vocabulary."""
    import spacy
    from spacy.util import compile_infix_regex

    nlp = spacy.blank("nl")
    infixes = [*(nlp.Defaults.infixes or ()), r"(?<=[^\W\d_])[/+&](?=[^\W\d_])"]
    nlp.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return nlp.tokenizer
