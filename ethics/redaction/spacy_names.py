"""PERSON by an installed spaCy pipeline that the user has configured, beside the model that ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..policy import Refused
from .found import Found
from .names import NameFinder, Thresholds
from .reading import MASKS, Reading

if TYPE_CHECKING:
    from spacy.language import Language

VARIABLE = "VELDWERK_NER"


class SpacyFinder:
    """What the shipped finder finds, and the pipeline's PER and PERSON entities. Same interface as `NameFinder`."""

    def __init__(self, name: str, shipped: NameFinder) -> None:
        self.name, self.shipped = name, shipped
        self.pipeline = load(name)

    def find(self, readings: Sequence[Reading], thresholds: Thresholds) -> list[list[Found]]:
        """The finds in each reading's `plain`; where the two overlap both stand."""
        own = self.shipped.find(readings, thresholds)
        for found, doc in zip(own, self.pipeline.pipe(r.plain for r in readings), strict=True):
            for entity in doc.ents:
                if entity.label_ in {"PER", "PERSON"}:
                    found += _unmasked(doc.text, entity.start_char, entity.end_char)
        return own


def _unmasked(text: str, start: int, end: int) -> list[Found]:
    """The parts of a stretch between labels."""
    found, begin = [], start
    for i in range(start, end + 1):
        if i == end or text[i] in MASKS:
            if any(c.isalnum() for c in text[begin:i]):
                found.append(Found(begin, i, "PERSON"))
            begin = i + 1
    return found


def load(name: str) -> Language:
    """The pipeline *name*. Refused when it is not there: redacting with less than was asked for is no help."""
    import spacy

    try:
        pipeline = spacy.load(name, exclude=["lemmatizer", "parser", "attribute_ruler"])
    except OSError:
        msg = f"{VARIABLE} names {name!r}, which is not installed; install that spaCy pipeline, or unset {VARIABLE}"
        raise Refused(msg) from None
    if not {"ner", "entity_ruler"} & set(pipeline.pipe_names):
        msg = f"{VARIABLE} names {name!r}, which finds no entities; name one that does, or unset {VARIABLE}"
        raise Refused(msg)
    return pipeline
