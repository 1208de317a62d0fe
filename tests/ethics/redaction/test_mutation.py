"""Each recogniser is needed: without it, cases fail that did not."""

from __future__ import annotations

import pytest

from ethics.redaction import LABELS, Redactor
from ethics.redaction.found import Found
from ethics.redaction.names import Thresholds
from ethics.redaction.reading import Reading, Recogniser
from ethics.redaction.redactor import RECOGNISERS

from .test_cases import cases, failures

TYPES = (
    "EMAIL", "URL", "HANDLE", "IBAN", "PHONE", "BSN", "PLATE", "POSTCODE", "ADDRESS", "ADDRESS", "ADDRESS", "ADDRESS",
    "DOB", "PERSON",
)  # fmt: skip
"""What each recogniser finds, in their order."""


@pytest.mark.parametrize(("recogniser", "type_"), zip(RECOGNISERS, TYPES, strict=True))
def test_every_recogniser_is_needed(recogniser: Recogniser, type_: str) -> None:
    """With one recogniser switched off, a case of its type fails that is not listed as failing."""
    redactor = Redactor("readable")
    redactor.recognisers = tuple(r for r in RECOGNISERS if r is not recogniser)
    assert failures(type_, redactor) - set(cases(type_)["failing"])


class Nobody:
    """A finder of names that finds none."""

    def find(self, readings: list[Reading], thresholds: Thresholds) -> list[list[Found]]:
        return [[] for _ in readings]


def test_the_name_model_is_needed() -> None:
    """With the name model switched off, most cases of persons fail."""
    redactor = Redactor("readable")
    redactor.names = Nobody()  # type: ignore[assignment]
    assert len(failures("PERSON", redactor)) > len(cases("PERSON")["found"]) / 2


def test_every_type_has_cases_and_a_label() -> None:
    """Each type has at least ten cases to find, and a label of its own."""
    assert all(len(cases(t)["found"]) >= 10 for t in LABELS)
    assert len(set(LABELS.values())) == len(LABELS)
