"""What is known of words: names, places, brands, ordinary words; one small file made by `gather`."""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

FIRST, FIRST_FAR, LAST, LAST_FAR, PLACE = 1, 2, 4, 8, 16
NOUN, OTHER_WORD, FUNCTION, CHAT, DOUBLE, BRAND, PROPER = 32, 64, 128, 256, 512, 1024, 2048
"""Bits: first name (common here, elsewhere), surname (the same), place; noun, other word, verb or function
word, chat spelling; a word that is both name and word; brand or organisation; word always in capitals."""

FILE = "lexicon.txt.gz"


def listed(words: str) -> frozenset[str]:
    """The words of a text, for lists in code."""
    return frozenset(words.split())


def plain(word: str) -> str:
    """*word* in lower case without accents."""
    low = word.lower()
    if low.isascii():
        return low
    bare = "".join(c for c in unicodedata.normalize("NFD", low) if not unicodedata.combining(c))
    return bare.replace("ı", "i").replace("ø", "o").replace("ł", "l").replace("ß", "ss").replace("’", "'")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`words`: plain form -> bits. `phrases`: first word of a phrase that is no person -> the phrases' words."""

    words: Mapping[str, int] = field(default_factory=dict)
    phrases: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    def bits(self, word: str) -> int:
        """What is known of *word*; 0 when nothing."""
        return self.words.get(plain(word), 0)

    def ordinary(self, word: str) -> bool:
        """Whether *word* stands in the list of ordinary Dutch words."""
        return bool(self.bits(word) & (NOUN | OTHER_WORD | FUNCTION | CHAT))


def pack(words: Mapping[str, int], phrases: Iterable[str]) -> bytes:
    """The lexicon as a file: a line for each combination of bits, and one for each phrase."""
    by_bits: dict[int, list[str]] = {}
    for word, bits in sorted(words.items()):
        by_bits.setdefault(bits, []).append(word)
    lines = [f"{bits} {' '.join(group)}" for bits, group in sorted(by_bits.items())]
    text = "\n".join([*lines, *(f"= {p}" for p in sorted(set(phrases)))])
    return gzip.compress(text.encode(), 9, mtime=0)


def unpack(data: bytes) -> Lexicon:
    """The lexicon of a file that `pack` made."""
    words: dict[str, int] = {}
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for line in gzip.decompress(data).decode().splitlines():
        head, _, rest = line.partition(" ")
        if head == "=":
            parts = tuple(rest.split())
            phrases.setdefault(parts[0], []).append(parts)
        else:
            words.update(dict.fromkeys(rest.split(" "), int(head)))
    return Lexicon(words, {k: tuple(sorted(v, key=len, reverse=True)) for k, v in phrases.items()})


@cache
def shipped() -> Lexicon:
    """The lexicon that ships with the project."""
    return unpack((files(__package__) / FILE).read_bytes())
