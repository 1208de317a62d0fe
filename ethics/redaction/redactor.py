"""The redactor: every recogniser over a text, and one answer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal

from .bank import IBANS
from .birth import BIRTHS
from .bsn import BSNS
from .found import Found, settle
from .known import Known
from .links import EMAILS, HANDLES, URLS
from .names import NameFinder, Thresholds, shipped_finder
from .phone import PHONES
from .place import HOMES, HOUSES, POSTCODES, SQUARED, STREETS
from .plate import PLATES
from .reading import Reading, Recogniser, Sheet, read
from .spacy_names import VARIABLE, SpacyFinder, load
from .tags import TAGS

Setting = Literal["careful", "readable"]
RECOGNISERS = (
    EMAILS, URLS, HANDLES, IBANS, PHONES, BSNS, PLATES, POSTCODES, STREETS, HOUSES, HOMES, SQUARED, BIRTHS, TAGS,
)  # fmt: skip
THRESHOLDS = {"careful": Thresholds(0.04, 0.05, 0.3), "readable": Thresholds(0.15, 0.12, 0.4)}


class Redactor:
    """
    Finds personal data in Dutch social-media text.

    `setting` "careful" covers more than needed rather than less, "readable" keeps more ordinary words.
    `known` is evidence that holds for every text of this redactor; what it names is always found.
    """

    def __init__(self, setting: Setting = "careful", known: Known | None = None) -> None:
        self.setting = setting
        self.known = known or Known()
        self.recognisers = RECOGNISERS
        self.thresholds = THRESHOLDS[setting]
        self.names = _finder(os.environ.get(VARIABLE, ""))

    def find(self, text: str) -> list[Found]:
        """The finds in *text*, in order and without overlap; nothing inside labels such as `[PERSOON-2]`."""
        return self.find_many([text])[0]

    def find_many(self, texts: Sequence[str], context: Sequence[Known | None] | None = None) -> list[list[Found]]:
        """As `find` for each of *texts*; `context` has further evidence for each, such as the names of its thread."""
        known = [self.known if k is None else self.known | k for k in context or [None] * len(texts)]
        readings = [read(t) for t in texts]
        found: list[list[Found]] = [[] for _ in texts]
        # A label changes what stands beside it; so the text with its labels is read again until nothing more is
        # found, and a second redaction of the result finds nothing.
        pending = list(range(len(texts)))
        unread = set(pending)
        while pending:
            fresh = by_patterns([readings[i] for i in pending], self.recognisers)
            for i, f in zip(pending, fresh, strict=True):
                f += known[i].find(readings[i])
            marked = {i for i, f in zip(pending, fresh, strict=True) if self._take(i, readings, found, f)}
            named = self._persons([i for i in pending if i in marked or i in unread], readings, found)
            unread = set(named)
            pending = sorted(marked | unread)
        return [settle_in_order(f) for f in found]

    def _persons(self, pending: list[int], readings: list[Reading], found: list[list[Found]]) -> list[int]:
        """Mask what the name model finds; the texts in which it found something."""
        fresh = self.names.find([readings[i] for i in pending], self.thresholds)
        return [i for i, f in zip(pending, fresh, strict=True) if self._take(i, readings, found, f)]

    @staticmethod
    def _take(i: int, readings: list[Reading], found: list[list[Found]], fresh: list[Found]) -> bool:
        if not fresh:
            return False
        plain = readings[i].plain
        settled = settle(plain, [*fresh, *_again(plain, fresh)])
        found[i] += map(readings[i].place, settled)
        readings[i] = readings[i].masked(settled)
        return True


def by_patterns(readings: Sequence[Reading], recognisers: Sequence[Recogniser] = RECOGNISERS) -> list[list[Found]]:
    """What the recognisers find in each reading."""
    sheet = Sheet(readings)
    found: list[list[Found]] = [[] for _ in readings]
    for recogniser in recognisers:
        for i in recogniser.screen(sheet):
            found[i] += recogniser.find(readings[i])
    return found


def _again(plain: str, found: Iterable[Found]) -> Iterator[Found]:
    """The same values where they stand elsewhere in the text as words of their own."""
    for value, type_ in {(plain[f.start : f.end], f.type) for f in found}:
        start = plain.find(value)
        while start >= 0:
            end = start + len(value)
            before, after = plain[start - 1 : start] if start else "", plain[end : end + 1]
            if not (before.isalnum() and value[0].isalnum()) and not (after.isalnum() and value[-1].isalnum()):
                yield Found(start, end, type_)
            start = plain.find(value, end)


def settle_in_order(found: list[Found]) -> list[Found]:
    """Finds that do not overlap, in order."""
    return sorted(found, key=lambda f: f.start)


def active_model() -> str:
    """Which model finds the names, in a few words for `veldwerk doctor`."""
    name = os.environ.get(VARIABLE)
    if not name:
        return "the model that ships (CRF)"
    version = load(name).meta.get("version", "?")
    return f"{name} {version} (spaCy), beside the model that ships (CRF)"


@cache
def _finder(name: str) -> NameFinder | SpacyFinder:
    return SpacyFinder(name, shipped_finder()) if name else shipped_finder()
