"""What the model coder sees in a post: named features in four views, each with a place in a fixed vocabulary."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import Unit
from ._lexicon import Hit, Lexicon, shipped
from ._words import Token, stem, tokens

VIEWS = ("words", "letters", "stems", "classes", "thread", "meaning")
"""
Words and pairs; letter runs; stems within reach; word classes with negation, labels and place; parent and
opener; and, where a sentence model is configured, the numbers of the sentence's vector.
"""

NEGATIONS = frozenset({"niet", "geen", "nooit", "niks", "zonder", "nergens", "niemand", "noch"})
REACH = 3
"""Words that a negation reaches forward, and how far apart two stems may stand to count as a pair."""
_EMOJI = re.compile("[\U0001f300-\U0001faff☎❤🕯]")

Bag = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read once: its tokens, their forms and stems, the sentence each stands in, the classes found."""

    text: str
    tokens: tuple[Token, ...]
    forms: tuple[str, ...]
    stems: tuple[str, ...]
    sentence: tuple[int, ...]
    hits: tuple[Hit, ...]


def read(text: str, lexicon: Lexicon | None = None) -> Reading:
    """*text* as tokens with their stems, sentences and word classes; the last thousand are kept."""
    return _read(text, lexicon or shipped())


@lru_cache(maxsize=1_024)
def _read(text: str, lexicon: Lexicon) -> Reading:
    found = tuple(tokens(text))
    forms = tuple(t.form for t in found)
    sentence, n = [], 0
    for token in found:
        sentence.append(n)
        n += token.kind == "end"
    hits = tuple(dict.fromkeys(lexicon.hits(forms)))
    return Reading(text, found, forms, tuple(map(stem, forms)), tuple(sentence), hits)


def bags(unit: Unit, lexicon: Lexicon | None = None, vector: Iterable[float] = ()) -> tuple[Bag, ...]:
    """The features of one unit with their counts, one bag a view in the order of VIEWS; *vector* is its meaning."""
    reading = read(unit.post.text, lexicon)
    return (
        Counter(words(reading)),
        Counter(letters(reading)),
        Counter(stems(reading)),
        Counter(classes(reading, unit.post.case, unit.post.platform)),
        Counter(thread(unit, lexicon)),
        {f"v:{i}": float(x) for i, x in enumerate(vector)},
    )


def words(reading: Reading) -> Iterator[str]:
    """Each form and each pair of neighbours; `^` stands before the first."""
    before = "^"
    for form in reading.forms:
        yield form
        yield f"{before} {form}"
        before = form


def letters(reading: Reading) -> Iterator[str]:
    """The words whose letter runs count; the vocabulary takes them apart, each form once (see `runs`)."""
    return (token.form for token in reading.tokens if token.kind in ("word", "label"))


@lru_cache(maxsize=60_000)
def runs(form: str) -> tuple[str, ...]:
    """Runs of three to five letters within one word, `<` and `>` at its ends; a label is one run."""
    if form.startswith("<"):
        return (form,)
    word = f"<{form}>"
    return tuple(word[i : i + n] for n in (3, 4, 5) for i in range(len(word) - n + 1))


def stems(reading: Reading) -> Iterator[str]:
    """Each stem, and each pair of stems of one sentence at most REACH apart."""
    content = [i for i, token in enumerate(reading.tokens) if token.kind != "other"]
    for at, i in enumerate(content):
        yield reading.stems[i]
        for j in content[at + 1 : at + 1 + REACH]:
            if reading.sentence[i] != reading.sentence[j]:
                break
            yield f"{reading.stems[i]}_{reading.stems[j]}"


def classes(reading: Reading, case: str, platform: str) -> Iterator[str]:
    """
    Word classes and what they meet: `L` present, `N` negated, `F` in the first sentence, `P` two in one
    sentence, `D` two in one post, `B` a label, `BL` a label with a class, `Q` a class in a post that asks.
    """
    yield from _hits(reading)
    yield from _pairs(reading)
    names = sorted({hit.name for hit in reading.hits})
    for label in sorted({t.form for t in reading.tokens if t.kind == "label"}):
        yield f"B:{label}"
        yield from (f"BL:{label}&{name}" for name in names)
    asks = "?" in reading.text
    for name in names:
        yield f"case:{case}&{name}"
        if asks:
            yield f"Q:{name}"
    yield from _whole(reading, case, platform)


def _hits(reading: Reading) -> Iterator[str]:
    negations = [i for i, form in enumerate(reading.forms) if form in NEGATIONS]
    for hit in reading.hits:
        yield f"L:{hit.name}"
        if any(0 < hit.first - i <= REACH for i in negations):
            yield f"N:{hit.name}"
        if reading.sentence[hit.first] == 0:
            yield f"F:{hit.name}"


def _pairs(reading: Reading) -> Iterator[str]:
    by_sentence: dict[int, set[str]] = {}
    for hit in reading.hits:
        by_sentence.setdefault(reading.sentence[hit.first], set()).add(hit.name)
    for found in by_sentence.values():
        yield from _twos("P", sorted(found))
    yield from dict.fromkeys(_twos("D", sorted(set().union(*by_sentence.values()))))


def _twos(mark: str, names: Sequence[str]) -> Iterator[str]:
    for i, name in enumerate(names):
        yield from (f"{mark}:{name}&{other}" for other in names[i + 1 :])


def _whole(reading: Reading, case: str, platform: str) -> Iterator[str]:
    text = reading.text
    yield f"case:{case}"
    yield f"platform:{platform}"
    yield f"length:{min(6, int(math.log2(len(reading.forms) + 1)))}"
    if "?" in text:
        yield "asks"
    if text.rstrip().endswith("?"):
        yield "ends asking"
    if "!" in text:
        yield "exclaims"
    if text.count("'") >= 2 or '"' in text or "“" in text:
        yield "quotes"
    if not reading.hits:
        yield "no class"
    yield from (f"emoji:{e}" for e in sorted(set(_EMOJI.findall(text))))


def thread(unit: Unit, lexicon: Lexicon | None = None) -> Iterator[str]:
    """Stems and classes of the post replied to and of the opener, each once."""
    for mark, post in (("parent", unit.parent), ("opener", unit.opener)):
        if post is not None:
            yield from _context(mark, post.text, lexicon)


@lru_cache(maxsize=4_096)
def _context(mark: str, text: str, lexicon: Lexicon | None) -> tuple[str, ...]:
    forms = [token.form for token in tokens(text)]
    names = {hit.name for hit in (lexicon or shipped()).hits(forms)}
    return (mark, *(f"{mark}:{s}" for s in sorted(set(map(stem, forms)))), *(f"{mark}L:{n}" for n in sorted(names)))
