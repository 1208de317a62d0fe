"""PERSON, and streets that no pattern shows: the model's probabilities, rules of form, spreading over a post."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .crf import Floats, Model, Tagger
from .found import Found
from .lexicon import FIRST, FIRST_FAR, LAST, LAST_FAR, PLACE, Lexicon, listed, plain, shipped
from .reading import PHRASE, Reading
from .words import INTERFIX, STREET, TOKEN, Describer, Word

FILE = "names.npz"
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

    def needed(self, word: Word, limit: float, cased: bool) -> float:
        """
        The probability from which *word* is a name: more than *limit* for a town, and in a post with capitals for an
        ordinary word without one.
        """
        if word.bits & PLACE and not word.named:
            return max(limit, self.place)
        if cased and not word.capital and word.level and not word.named:
            return max(limit, self.ordinary)
        return limit


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
        self.tagger = Tagger(model, Describer(lexicon, model.names))
        self.rules = self.spread = True

    def find(self, readings: Sequence[Reading], thresholds: Thresholds) -> list[list[Found]]:
        """The finds in each reading's `plain`."""
        self.tagger.begin()
        posts = [self._numbers(r.plain) for r in readings]
        tagged = self.tagger.tag(posts)
        out: list[list[Found]] = []
        for i, reading in enumerate(readings):
            limit = thresholds.lower if reading.plain == reading.low else thresholds.cased
            ruled = self.rules and tagged.cued[i]
            if ruled or tagged.person_peaks[i] >= limit or tagged.street_peaks[i] >= thresholds.street:
                out.append(self._post(reading, posts[i], tagged.probabilities[i], limit, thresholds, ruled))
            else:
                out.append([])
        return out

    def _numbers(self, text: str) -> list[int]:
        ids, number = self.tagger.ids, self.tagger.number
        tokens = TOKEN.findall(text)
        numbers = [n if (n := ids.get(t)) is not None else number(t) for t in tokens]
        starters = self.tagger.starters
        marked = False
        for i, n in enumerate(numbers[:-1]):
            if n in starters and plain(tokens[i + 1]) in starters[n]:
                marked = mark_phrase(tokens, i, self.lexicon) or marked
        return list(map(number, tokens)) if marked else numbers

    def _post(
        self, reading: Reading, ids: list[int], p: Floats, limit: float, limits: Thresholds, ruled: bool
    ) -> list[Found]:
        person, street = p[:, 0].tolist(), p[:, 1].tolist()
        words = [self.tagger.words[n] for n in ids]
        places = [m.span() for m in TOKEN.finditer(reading.plain)]
        cased = reading.plain != reading.low
        name = [w.kind == "word" and q >= limits.needed(w, limit, cased) for q, w in zip(person, words, strict=True)]
        addr = [q >= limits.street and w.kind in {"word", "num"} for q, w in zip(street, words, strict=True)]
        tokens = [reading.plain[a:b] for a, b in places]
        if ruled:
            for a, b in rule_spans(tokens, words):
                name[a:b] = [True] * (b - a)
        if self.spread:
            _spread(tokens, places, words, person, name, limits.sure)
        for i, w in enumerate(words):
            # A phrase that is no person; a hashtag that only looks odd.
            odd = i > 0 and tokens[i - 1] == "#" and not w.bits & (FIRST | FIRST_FAR | LAST | LAST_FAR)
            name[i] = name[i] and not odd and not self.tagger.in_phrase(ids[i])
            addr[i] = addr[i] and not odd
        addr = [a and not n for a, n in zip(addr, name, strict=True)]
        spans = [Found(a, b, "PERSON") for a, b in _spans(reading.plain, places, name)]
        return spans + [
            Found(a, b, "ADDRESS")
            for a, b in _spans(reading.plain, places, addr)
            if any(c.isalpha() for c in reading.plain[a:b])
        ]


def _spread(
    tokens: Sequence[str],
    places: Sequence[tuple[int, int]],
    words: Sequence[Word],
    p: Sequence[float],
    name: list[bool],
    sure: float,
) -> None:
    """A word found surely once is a name everywhere in the post; unlisted capitals next to a name belong to it."""
    certain = {t.lower() for t, w, q in zip(tokens, words, p, strict=True) if q > sure and not w.level and len(t) > 2}
    for i, (t, w) in enumerate(zip(tokens, words, strict=True)):
        if w.kind == "word" and t.lower() in certain:
            name[i] = True
    for i in range(1, len(tokens)):
        t, w = tokens[i], words[i]
        if (
            name[i - 1] and not name[i] and w.kind == "word" and w.capital and not w.level and not w.bits & PLACE
            and not w.cue and places[i][0] - places[i - 1][1] == 1 and not STREET.search(t)
        ):  # fmt: skip
            name[i] = True


def _spans(text: str, places: Sequence[tuple[int, int]], chosen: Sequence[bool]) -> list[tuple[int, int]]:
    """Chosen tokens, joined where only spaces part them."""
    spans: list[tuple[int, int]] = []
    for (start, end), yes in zip(places, chosen, strict=True):
        if not yes:
            continue
        if spans and not text[spans[-1][1] : start].strip(" "):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def rule_spans(tokens: Sequence[str], words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Token ranges that are names by form alone: title + surname, initials + surname."""
    rules = _Rules(tokens, words)
    for i, word in enumerate(words):
        if word.kind == "word":
            if word.cue == "T" and i + 1 < len(tokens):
                yield from rules.titled(i)
            yield from rules.initialled(i)
            if word.possessive:
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
            and not STREET.search(t)
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


@cache
def shipped_finder() -> NameFinder:
    """The finder with the model and lexicon that ship with the project."""
    return NameFinder(Model.unpack((files(__package__) / FILE).read_bytes()), shipped())
