"""The redactor: every recogniser over a text, and one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from . import bank, birth, bsn, links, phone, place, plate
from .found import Found, settle
from .known import Known
from .reading import Reading, read

Setting = Literal["careful", "readable"]
RECOGNISERS = (links.find, bank.find, phone.find, bsn.find, plate.find, place.find, birth.find)


class Redactor:
    """
    Finds personal data in Dutch social-media text.

    `setting` "careful" covers more than needed rather than less, "readable" keeps more ordinary words.
    `known` is evidence that holds for every text of this redactor; what it names is always found.
    """

    def __init__(self, setting: Setting = "careful", known: Known | None = None) -> None:
        self.setting = setting
        self.known = known or Known()

    def find(self, text: str) -> list[Found]:
        """The finds in *text*, in order and without overlap; nothing inside labels such as `[PERSOON-2]`."""
        return self.find_many([text])[0]

    def find_many(
        self, texts: Sequence[str], context: Sequence[Known | None] | None = None
    ) -> list[list[Found]]:
        """As `find` for each of *texts*; `context` has further evidence for each, such as the names of its thread."""
        extra = context or [None] * len(texts)
        return [self._one(read(t), k) for t, k in zip(texts, extra, strict=True)]

    def _one(self, text: Reading, extra: Known | None) -> list[Found]:
        found = [f for recogniser in RECOGNISERS for f in recogniser(text)]
        found += self.known.find(text)
        if extra is not None:
            found += extra.find(text)
        return settle(text.plain, found)


def active_model() -> str:
    """Which model finds the names, in a few words for `veldwerk doctor`."""
    return "none"
