"""Words of a post, and what the name model sees in each: features of the word, of its neighbours, of the post."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from .lexicon import (
    BRAND,
    CHAT,
    DOUBLE,
    FIRST,
    FIRST_FAR,
    FUNCTION,
    LAST,
    LAST_FAR,
    NOUN,
    OTHER_WORD,
    PLACE,
    PROPER,
    Lexicon,
    listed,
    plain,
)  # fmt: skip
from .reading import EDGE, MASKS, PHRASE

TOKEN = re.compile(
    r"[^\W\d_]{2,}(?:[-'][^\W\d_]+)*"
    rf"|[{MASKS}]"
    r"|(?<!\w)(?:[^\W\d_]\.)+(?:-?(?:[^\W\d_]\.)+)*"  # initials: J. P.J. v.d.
    r"|(?<!\w)'[tsn](?!\w)"  # 't Hof, 's-Gravenhage
    r"|(?<!\w)[Vv]/d(?!\w)"
    r"|[^\W\d_](?:[-'][^\W\d_]+)*"
    r"|[0-9]+(?:[.,:][0-9]+)*"
    r"|\n(?!\s*\n)"
    r"|\S"
)
INTERFIX = listed("""
    van de der den het 't ten ter te la le du des d' von el al ben bin op in aan 's vd v.d. v. v/d d. da di dos del
    vande vanden vander
""")
TITLE = listed("""
    mevrouw mevr mw mevrouws dhr heer meneer mijnheer menir mr mrs miss juf juffrouw meester agent wijkagent
    hoofdagent agente brigadier inspecteur hoofdinspecteur commissaris rechercheur officier rechter advocaat
    advocate dr drs ir ing prof professor dokter huisarts minister staatssecretaris burgemeester wethouder raadslid
    voorzitter woordvoerder directeur premier president koning prins prinses sint pater pastoor dominee imam
    verdachte slachtoffer getuige bakker slager trainer coach keeper zanger zangeres
""")
KIN = listed("""
    oma opa tante oom neef nicht broer zus zusje broertje moeder vader mama papa ma pa zoon dochter vriend vriendin
    vriendje buurman buurvrouw buurjongen buurmeisje collega man vrouw jongen meisje weduwe familie fam gezin ome
    tante
""")
SAID = listed("""
    zei zegt vindt vond denkt dacht vertelt vertelde vraagt vroeg antwoordt antwoordde schrijft schreef riep roept belde
    verklaart verklaarde reageert reageerde
""")
GREET = listed("""
    hoi hey hallo hai dag beste lieve geachte dank bedankt dankjewel thanks sterkte gefeliciteerd groet groeten
    groetjes gr mvg succes sorry ja nee joh hé ha he goedemorgen welkom rip
""")
NAMED = listed("""
    heet heette heten genaamd naam namens alias aka ene zekere noemt noemen volgens aldus zegt zei vindt denkt
    vertelt schrijft vraagt antwoordt
""")
CUES = {
    **dict.fromkeys(GREET, "G"),
    **dict.fromkeys(NAMED, "N"),
    **dict.fromkeys(KIN, "K"),
    **dict.fromkeys(TITLE, "T"),
}
CLOSED = listed("""
    de het een en of maar want dus als dat die dit deze wat wie waar hoe is was ben bent zijn waren heb heeft had
    hebben ik je jij hij ze zij wij we jullie u mij me hem haar hun ons mijn mn jouw zijn zn z'n m'n d'r dr van in
    op aan bij met voor door naar uit over om tot te tegen onder na tussen zonder er hier daar nu dan ook nog al wel
    niet geen zo heel weer iemand mensen gaat ga kan kun moet wil zou zal wordt werd ging kwam komt zit staat woont
    werkt belt bel app vraag vragen heten met tegen via samen elke alle die's en/of t/m tnv t.n.v nav ivm oa o.a bv
    cc pb dm for of and the is to from by
""")
STREETS: tuple[str, ...] = (
    "straat", "laan", "weg", "plein", "kade", "gracht", "singel", "dijk", "pad", "hof", "park", "plantsoen", "steeg",
    "dreef", "markt", "brug", "school", "kerk", "college",
)  # fmt: skip
STREETS += tuple(end + "s" for end in STREETS)
RUN = re.compile(r"(.)\1{2,}")
ENDINGS = ("'s", "s", "tje", "je", "ke", "ie", "y", "tjes", "jes", "kes", "pie", "n")
OPENERS = frozenset(".?!:\n")
AWAY = (-2, -1, 1, 2)
MARKS = ".,:;!?()'\"-/&+=*#@…\n"


def kind(token: str) -> str:
    """ "link" for a mask or label, "word", "num" or "mark"."""
    first = token[0]
    if first in MASKS:
        return "link"
    if first.isalpha() or (first == "'" and len(token) > 1 and token[1] != PHRASE):
        return "word"
    return "num" if first.isdigit() else "mark"


def shape(word: str) -> str:
    """Xxx for Jans: letters by their case, runs cut to two."""
    if word.isalpha():
        if word.islower():
            return "xx"[: len(word)]
        if word[1:].islower():
            return "X" + "xx"[: len(word) - 1]
    return RUN.sub(r"\1\1", "".join("X" if c.isupper() else "x" if c.isalpha() else c for c in word))


class NameShape:
    """
    How much a word's letters look like a name's rather than an ordinary word's: a log-odds over letter 3-grams.

    The names and words are in two halves, each scored by the other half's counts, so that a listed name gets
    the score that an unlisted one would get.
    """

    def __init__(self, tables: Sequence[Mapping[str, float]], floors: Sequence[float]) -> None:
        self.tables = tables
        self.floors = floors

    @classmethod
    def of(cls, lexicon: Lexicon) -> NameShape:
        """Counted from the lexicon."""
        counts = [[Counter[str](), Counter[str]()] for _ in range(2)]
        for word, bits in lexicon.words.items():
            name = bool(bits & (FIRST | FIRST_FAR | LAST | LAST_FAR))
            if name or bits & (NOUN | OTHER_WORD | FUNCTION):
                counts[1 - half(word)][0 if name else 1].update(grams(word))
        tables, floors = [], []
        for names, words in counts:
            n, w = sum(names.values()), sum(words.values())
            keys = {g for g, c in (names + words).items() if c > 2}
            tables.append({g: math.log((names[g] + 0.4) / n) - math.log((words[g] + 0.4) / w) for g in keys})
            floors.append(math.log(0.4 / n) - math.log(0.4 / w))
        return cls(tables, floors)

    def score(self, word: str) -> float:
        """The mean log-odds of *word* (plain)."""
        i = half(word)
        table, floor = self.tables[i], self.floors[i]
        pieces = grams(word)
        return sum([table.get(g, floor) for g in pieces]) / max(4, len(pieces))


def half(word: str) -> int:
    """Which half of the words *word* belongs to, the same on every machine."""
    return (sum(map(ord, word[::-2])) - sum(map(ord, word[-2::-2]))) >> 3 & 1


def grams(word: str) -> list[str]:
    """Letter 3-grams with the edges marked, and longer ones at both ends."""
    padded = f"^{word}$"
    return [padded[i : i + 3] for i in range(len(padded) - 2)] + [
        "2" + padded[:3],
        "3" + padded[-4:],
        "4" + padded[:4],
    ]


@dataclass(frozen=True, slots=True)
class Word:
    """
    What is known of a word by itself.

    `own` are its features for itself; `wide` those for words up to two places away, `close` those for its
    neighbours only: see `near`. `group` is its class as a neighbour, `core` as the word in question.
    """

    own: tuple[str, ...]
    wide: tuple[str, ...]
    close: tuple[str, ...]
    group: str
    core: str
    cue: str
    kind: str
    bits: int
    capital: bool
    score: float
    possessive: bool = False
    """A listed first name with the s of possession ("Kevins")."""

    def near(self, d: int) -> list[str]:
        """Its features for the word that stands *d* places before it, d in `AWAY`."""
        return [f"{d}{f}" for f in (self.wide + self.close if abs(d) == 1 else self.wide)]

    @property
    def named(self) -> bool:
        """Whether a list of first names has it."""
        return bool(self.bits & (FIRST | FIRST_FAR))

    @property
    def surname(self) -> bool:
        """Whether it is a surname that is common here and an ordinary word as well ("Wit", "Bouwmeester")."""
        word = 0 < self.level < 3 or self.bits & DOUBLE
        return bool(self.bits & LAST and word) and not self.bits & (BRAND | PLACE) and not self.cue

    @property
    def level(self) -> int:
        """0 for no ordinary word, 1 for a noun, 2, 3 for a verb, function or chat word."""
        return level(self.bits)


BEYOND = Word((), ("E",), (), "E", "E", "", "mark", 0, False, 0.0)
"""What a word sees beyond the end of its post."""


def level(bits: int) -> int:
    """How ordinary a word is: 0 not, 1 noun, 2 other, 3 verb, function word or chat."""
    return 3 if bits & (FUNCTION | CHAT) else 2 if bits & OTHER_WORD else 1 if bits & NOUN else 0


class Describer:
    """Makes a `Word` of a token, with the lists. `hide` treats a name as unlisted (list dropout in training)."""

    def __init__(self, lexicon: Lexicon, names: NameShape) -> None:
        self.lexicon = lexicon
        self.names = names
        self.unlisted: frozenset[str] = frozenset()

    def _bits(self, key: str, hide: bool) -> int:
        bits = self.lexicon.words.get(key, 0)
        if "-" in key:
            for part in key.split("-"):
                bits |= self.lexicon.words.get(part, 0) & (FIRST | FIRST_FAR | LAST | LAST_FAR)
        if hide or key in self.unlisted:
            bits &= ~(FIRST | FIRST_FAR | LAST | LAST_FAR | DOUBLE | PROPER)
        return bits

    def describe(self, token: str, hide: bool = False) -> Word:
        """The word of *token*, which may carry the mark of a phrase."""
        if token == EDGE:
            return BEYOND
        text, phrase = (token[:-1], True) if token.endswith(PHRASE) else (token, False)
        what = kind(text)
        if what != "word":
            return self._other(text, what)
        low, key = text.lower(), plain(text)
        calm = RUN.sub(r"\1", key) if RUN.search(key) else key
        bits = self._bits(key, hide) | (BRAND if phrase else 0)
        if not bits and len(key) > 15 and low == text:
            bits = NOUN
        initial = len(key.rstrip(".")) == 1 or "." in text
        return self._named(text, low, key, calm, bits, phrase, initial, hide)

    def _other(self, text: str, what: str) -> Word:
        readable = "NL" if text == "\n" else text if text.isprintable() else "ctrl"
        token = {"link": "@", "num": "9"}.get(what, readable)
        length = str(min(len(text), 5)) if what == "num" else ""
        own = ("b", "w=" + token, "kind=" + what, "len" + length)
        group = token if what != "mark" or text in MARKS else "mark" if text.isascii() else "sym"
        return Word(own, ("w=" + token, "kind=" + what), (), group, what, "", what, 0, False, -9.0)

    def _named(
        self, text: str, low: str, key: str, calm: str, bits: int, phrase: bool, initial: bool, hide: bool
    ) -> Word:
        ordinary = level(bits)
        listed = bool(bits & (FIRST | FIRST_FAR | LAST | LAST_FAR))
        derived = not listed and not ordinary and len(calm) > 3 and self._derived(calm, key, hide)
        cue = CUES.get(low.rstrip("."), "")
        inter = low in INTERFIX
        capital = text[:1].isupper()
        score = self.names.score(calm)
        core, of_class, wide = _class(bits, derived, phrase, inter, initial, cue, capital)
        bucket = f"q={max(-4, min(4, round(score * 2)))}"
        form = shape(text)
        own = (
            "b", "w=" + low, "k=" + calm, "p2=" + key[:2], "p3=" + key[:3], "s2=" + key[-2:], "s3=" + key[-3:],
            "s4=" + key[-4:], "sh=" + form[:8], bucket, f"{bucket}{ordinary}{capital:d}", *of_class,
        )  # fmt: skip
        if key.endswith(STREETS):
            own += ("street",)
        if not ordinary and not inter:
            own += ("oov", f"oov{capital:d}{min(len(key), 5)}")
        if "-" in key or "'" in key:
            own += ("joined",)
        group = low if low in CLOSED else core
        stem = self._bits(key[:-1].rstrip("'"), hide) if capital and key.endswith("s") and len(key) > 4 else 0
        owning = not ordinary and not bits & (BRAND | PLACE) and bool(stem & FIRST) and not level(stem)
        near = ("sh=" + form[:4], bucket)
        return Word(own, ("w=" + low, *wide), near, group, core, cue, "word", bits, capital, score, owning)

    def _derived(self, calm: str, key: str, hide: bool) -> bool:
        """Whether a listed name with a chat or diminutive ending."""
        stems = {calm} - {key} | {calm[: -len(e)] for e in ENDINGS if calm.endswith(e) and len(calm) - len(e) > 2}
        return any(self._bits(stem, hide) & (FIRST | FIRST_FAR | LAST) for stem in stems)


@cache
def _class(
    bits: int, derived: bool, phrase: bool, inter: bool, initial: bool, cue: str, capital: bool
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """What all words of a class share: its name, and its features for the word itself and for words near by."""
    first = 1 if bits & FIRST else 2 if bits & FIRST_FAR else 0
    last = 1 if bits & LAST else 2 if bits & LAST_FAR else 0
    ordinary = level(bits)
    brand = bool(bits & BRAND)
    flags = (
        f"{first}{last}{derived:d}{ordinary}{bool(bits & CHAT):d}{bool(bits & DOUBLE):d}{brand + phrase}"
        f"{bool(bits & PROPER):d}{bool(bits & PLACE):d}{inter:d}{initial:d}{cue}"
    )
    core = _core(first, last, ordinary, bits, derived, inter, initial, cue, brand) + ("C" if capital else "")
    own = ("g=" + flags, f"gc={flags}{capital:d}", f"n{first}{last}{ordinary}{capital:d}", "core=" + core)
    return core, own, ("g=" + flags, "core=" + core, *(("cue=" + cue,) if cue else ()))


def _core(
    first: int,
    last: int,
    ordinary: int,
    bits: int,
    derived: bool,
    inter: bool,
    initial: bool,
    cue: str,
    brand: bool,
) -> str:
    """The class of a word in one or a few letters."""
    if inter:
        return "i"
    if initial:
        return "J"
    if cue:
        return cue
    name = ("", "F", "f")[first] + ("", "L", "l")[last]
    kind_of_word = ("", "n", "o", "v")[ordinary] if not bits & CHAT else "c"
    other = ("b" if brand else "") + ("p" if bits & PLACE else "") + ("P" if bits & PROPER and not name else "")
    return (name + kind_of_word + other + ("d" if derived else "")) or "?"


def style_of(words: Sequence[tuple[str, Word]]) -> str:
    """L for a post without a capital, U for one in capitals, M for the rest. Takes (token, word) pairs."""
    letters = [t for t, w in words if w.kind == "word"]
    upper = sum(t[0].isupper() for t in letters)
    if not upper:
        return "L"
    return "U" if sum(t.rstrip(PHRASE).isupper() for t in letters) > 0.7 * len(letters) else "M"


def opens(token: str, word: Word, start: bool) -> bool:
    """Whether the word after *token* opens a sentence, where *start* says the same of *token* itself."""
    if word.kind == "word":
        return False
    return token in OPENERS or (word.kind == "mark" and not token.isascii()) or start


def post_features(tokens: Sequence[str], words: Sequence[Word]) -> list[list[str]]:
    """All features of each token; what `crf.Emissions` computes from tables, written out for training."""
    style = style_of(list(zip(tokens, words, strict=True)))
    count = Counter(t for t, w in zip(tokens, words, strict=True) if w.kind == "word" and w.capital)
    out, start = [], True
    n = len(tokens)
    for i, (token, w) in enumerate(zip(tokens, words, strict=True)):
        before = words[i - 1].group if i else "E"
        after = words[i + 1].group if i + 1 < n else "E"
        row = [*w.own, *style_features(style, w.core), *start_features(start, w.core)]
        for d in AWAY:
            j = i + d
            row += (words[j] if 0 <= j < n else BEYOND).near(d)
        row += [f"pg={before}|{w.core}", f"ng={w.core}|{after}", f"pn={before}|{after}"]
        if count[token] > 1:
            row.append("again")
        out.append(row)
        start = opens(token, w, start)
    return out


def style_features(style: str, core: str) -> tuple[str, ...]:
    """Of the post's way with capitals, alone and with the word's class."""
    return ("st=" + style, f"{style}g={core}")


def start_features(start: bool, core: str) -> tuple[str, ...]:
    """Of the word's place in the sentence, alone and with its class."""
    return (f"bos{start:d}", f"bos{start:d}g={core}")
