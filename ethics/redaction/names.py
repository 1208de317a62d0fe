"""PERSON, and streets that no pattern shows: the model's probabilities, rules of form, spreading over a post."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from .crf import COMMON, CUED, LETTERS, NUMBER, PHRASED, STARTS, TOWN, Ints, Model, Tagger
from .found import Found
from .lexicon import FIRST, FIRST_FAR, LAST, LAST_FAR, PLACE, Lexicon, listed, plain, shipped
from .reading import EDGE, LINE, PHRASE, Reading
from .words import INTERFIX, OPENERS, SAID, STREETS, TOKEN, Describer, Word

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
FILE = "names.npz"
LINES = re.compile(r"\n(?:\s*\n)*")
Places = list[tuple[int, int]]
ANY_NAME = FIRST | FIRST_FAR | LAST | LAST_FAR
ADDRESSING = listed("""
    mevrouw mevr mw dhr heer meneer mijnheer menir mr mrs miss juf juffrouw dr drs ir ing prof
""")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    From which probability on a word is taken.

    `cased` for posts with capitals, `lower` for those without; `street` for addresses; `sure` makes a name a name
    everywhere in its post.
    """

    cased: float
    lower: float
    street: float
    sure: float = 0.6
    place: float = 0.3
    ordinary: float = 0.3

    def needed(self, facts: Ints, lower: BoolArray) -> DoubleArray:
        """
        The probability from which each token is a name, where *lower* says that its post has no capital: higher for a
        town, and in a post with capitals for an ordinary word without one.
        """
        limit = np.where(lower, self.lower, self.cased)
        limit = np.where((facts & COMMON > 0) & ~lower, np.maximum(limit, self.ordinary), limit)
        return np.where(facts & TOWN > 0, np.maximum(limit, self.place), limit)


def with_phrases(tokens: list[str], lexicon: Lexicon) -> list[str]:
    """The tokens, those marked that stand in a phrase which is no person."""
    for i in range(len(tokens)):
        mark_phrase(tokens, i, lexicon)
    return tokens


def mark_phrase(tokens: list[str], i: int, lexicon: Lexicon) -> bool:
    """Mark the tokens of the longest phrase that begins at *i*; whether there is one."""
    for parts in lexicon.phrases.get(plain(tokens[i]), ()):
        if tuple(map(plain, tokens[i : i + len(parts)])) == parts:
            for j in range(i, i + len(parts)):
                tokens[j] = tokens[j].rstrip(PHRASE) + PHRASE
            return True
    return False


class NameFinder:
    """Finds persons, and streets without a street's ending, in readings whose other finds are masked."""

    def __init__(self, model: Model, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.longest = max((len(p) for group in lexicon.phrases.values() for p in group), default=0)
        self.tagger = Tagger(model, Describer(lexicon, model.names))
        self.rules = self.spread = True

    def find(self, readings: Sequence[Reading], thresholds: Thresholds) -> list[list[Found]]:
        """The finds in each reading's `plain`."""
        self.tagger.begin()
        numbers = self._read(readings)
        tagged = self.tagger.tag(self._with_phrases(numbers))
        lengths = np.diff([*tagged.starts, len(tagged.numbers)])
        lower = np.array([r.plain == r.low for r in readings], bool)
        needed = thresholds.needed(tagged.facts[2:], np.repeat(lower, lengths))
        name = np.zeros(len(tagged.numbers), bool)
        name[2:] = (tagged.facts[2:] & LETTERS > 0) & (tagged.persons[2:] >= needed)
        street = (tagged.facts & (LETTERS | NUMBER) > 0) & (tagged.streets >= thresholds.street)
        cued = (tagged.facts & CUED > 0) & self.rules
        out: list[list[Found]] = [[] for _ in readings]
        worth = np.unique(np.searchsorted(tagged.starts, np.flatnonzero(name | street | cued), side="right") - 1)
        for i in worth.tolist():
            part = slice(tagged.starts[i], tagged.ends[i])
            words = [self.tagger.words[n] for n in tagged.numbers[part].tolist()]
            tokens = [self.tagger.tokens[n] for n in numbers[part].tolist()]
            post = _Post(readings[i].plain, tokens, words, tagged.facts[part].tolist())
            taken = name[part].tolist()
            for a, b in rule_spans(tokens, words, np.flatnonzero(cued[part]).tolist()):
                taken[a:b] = [True] * (b - a)
            out[i] = post.finds(taken, street[part].tolist(), tagged.persons[part].tolist(), thresholds.sure)
        return out

    def _read(self, readings: Sequence[Reading]) -> Ints:
        """The ids of the tokens, with two edges before, between and behind readings."""
        text = f" {EDGE} {EDGE} ".join(["", *(r.plain for r in readings), ""])
        return self.tagger.read(LINES.sub(f" {LINE} ", text))

    def _with_phrases(self, numbers: Ints) -> Ints:
        """The ids with those of tokens that stand in a phrase which is no person."""
        tokens, marked = self.tagger.tokens, numbers.copy()
        for i in np.flatnonzero(self.tagger.facts(numbers) & STARTS).tolist():
            if plain(tokens[marked[i + 1]]) in self.tagger.starters[int(numbers[i])]:
                near = [tokens[n] for n in marked[i : i + self.longest].tolist()]
                if mark_phrase(near, 0, self.lexicon):
                    marked[i : i + self.longest] = self.tagger.numbers(near)
        return marked


@dataclass(frozen=True, slots=True)
class _Post:
    """A post to be judged: its tokens, and the word and facts of each."""

    text: str
    tokens: Sequence[str]
    words: Sequence[Word]
    facts: Sequence[int]

    def finds(self, name: list[bool], street: list[bool], persons: Sequence[float], sure: float) -> list[Found]:
        """
        Persons and streets, where *name* and *street* say which tokens model and rules take for them, and *persons*
        how probable the model finds a person.
        """
        if not any(name) and not any(street):
            return []
        places = [m.span() for m in TOKEN.finditer(self.text)]
        self._spread(name, places, persons, sure)
        for i in range(len(name)):
            if name[i] or street[i]:
                # A phrase that is no person; a hashtag that only looks odd.
                odd = i > 0 and self.tokens[i - 1] == "#" and not self.words[i].bits & ANY_NAME
                name[i] = name[i] and not odd and not self.facts[i] & PHRASED
                street[i] = street[i] and not odd and not name[i]
        return [
            *(Found(a, b, "PERSON") for a, b in self._spans(places, name)),
            *(Found(a, b, "ADDRESS") for a, b in self._spans(places, street) if _has_letter(self.text[a:b])),
        ]

    def _spread(self, name: list[bool], places: Places, persons: Sequence[float], sure: float) -> None:
        """A word found surely once is a name everywhere in the post; unlisted capitals next to a name belong to it."""
        tokens, words = self.tokens, self.words
        certain = {
            tokens[i].lower() for i, p in enumerate(persons) if p > sure and not words[i].level and len(tokens[i]) > 2
        }
        if certain:
            for i, t in enumerate(tokens):
                name[i] = name[i] or (t.lower() in certain and words[i].kind == "word")
        for i in range(1, len(tokens)):
            if name[i - 1] and not name[i]:
                w = words[i]
                name[i] = (
                    w.kind == "word" and w.capital and not w.level and not w.bits & PLACE and not w.cue
                    and places[i][0] - places[i - 1][1] == 1 and not tokens[i].endswith(STREETS)
                )  # fmt: skip

    def _spans(self, places: Places, chosen: Sequence[bool]) -> Places:
        """Chosen tokens, joined where only spaces part them."""
        spans: list[tuple[int, int]] = []
        for i, yes in enumerate(chosen):
            if not yes:
                continue
            start, end = places[i]
            if spans and not self.text[spans[-1][1] : start].strip(" "):
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        return spans


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def rule_spans(tokens: Sequence[str], words: Sequence[Word], cued: Sequence[int]) -> Iterator[tuple[int, int]]:
    """
    Token ranges that are names by form alone: titles, initials, surnames that open a sentence, possessives.

    *cued* are the places where one may begin (`crf.CUED`).
    """
    rules = _Rules(tokens, words)
    for i in cued:
        if words[i].cue == "T" and i + 1 < len(tokens):
            yield from rules.titled(i)
        yield from rules.initialled(i)
        yield from rules.opening(i)
        if words[i].possessive:
            yield i, i + 1


@dataclass(frozen=True, slots=True)
class _Rules:
    tokens: Sequence[str]
    words: Sequence[Word]

    def capital(self, i: int) -> bool:
        """A capitalised word that may be a surname."""
        if i >= len(self.tokens):
            return False
        t, w = self.tokens[i], self.words[i]
        numbered = i + 1 < len(self.tokens) and self.words[i + 1].kind == "num"
        return (
            w.kind == "word"
            and w.capital
            and len(t) > 1
            and "." not in t
            and not t.endswith(STREETS)
            and not w.cue
            and not numbered
        )

    def initials(self, i: int) -> int:
        """Behind the initials at i, or i."""
        while (
            i < len(self.tokens)
            and self.words[i].kind == "word"
            and self.words[i].capital
            and self.tokens[i].endswith(".")
            and len(self.tokens[i]) < 9
        ):
            i += 1
        return i

    def surname(self, i: int) -> int:
        """Behind [interfixes] Capital at i, or i."""
        j = i
        while j < len(self.tokens) and self.tokens[j].lower() in INTERFIX and j - i < 3:
            j += 1
        return j + 1 if self.capital(j) else i

    def titled(self, i: int) -> Iterator[tuple[int, int]]:
        """Title, [initials or first name], surname; the title stays outside."""
        low = self.tokens[i].lower().rstrip(".")
        j = i + 1 + (self.tokens[i + 1] == "." and low in ADDRESSING and len(low) < 5)
        k = self.initials(j)
        if self.capital(k) and self.words[k].named and self.surname(k + 1) > k + 1:
            k += 1
        end = self.surname(k)
        if end == k:
            return
        last = self.words[end - 1]
        listed = bool(last.bits & (FIRST | FIRST_FAR | LAST | LAST_FAR))
        plausible = not last.bits & PLACE and (not last.level or (last.level < 3 and listed))
        if plausible and (low in ADDRESSING or self.words[k].capital):
            yield j, end

    def initialled(self, i: int) -> Iterator[tuple[int, int]]:
        """Initials and a surname."""
        k = self.initials(i)
        if k > i and (end := self.surname(k)) > k and not self.words[end - 1].level:
            yield i, end

    def opening(self, i: int) -> Iterator[tuple[int, int]]:
        """A surname that is a word as well, at the head of a sentence: "De Wit was er", "Bouwmeester zei"."""
        if not (self.words[i].surname and self.capital(i) and self.tokens[i][1:].islower()):
            return
        first = i - 1 if i and self.tokens[i - 1].lower() in INTERFIX and self.words[i - 1].capital else i
        said = i + 1 < len(self.tokens) and self.tokens[i + 1] in SAID
        if (first < i or said) and (first == 0 or self.tokens[first - 1] in OPENERS):
            yield first, i + 1


@cache
def shipped_finder() -> NameFinder:
    """The finder with the model and lexicon that ship with the project."""
    return NameFinder(Model.unpack((files(__package__) / FILE).read_bytes()), shipped())
