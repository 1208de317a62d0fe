"""Each recogniser is needed: without it, cases fail that did not."""

from __future__ import annotations

import pytest

from ethics.redaction import LABELS, Redactor
from ethics.redaction.found import Found
from ethics.redaction.names import Thresholds
from ethics.redaction.reading import Reading
from ethics.redaction.redactor import RECOGNISERS

from .test_cases import cases, failures

USED_BY = {
    "links": ("URL", "EMAIL", "HANDLE"), "bank": ("IBAN",), "phone": ("PHONE",), "bsn": ("BSN",), "plate": ("PLATE",),
    "place": ("ADDRESS", "POSTCODE"), "birth": ("DOB",), "tags": ("PERSON",),
}  # fmt: skip


@pytest.mark.parametrize("recogniser", RECOGNISERS, ids=lambda r: r.__module__.rpartition(".")[2])
def test_every_recogniser_is_needed(recogniser: object) -> None:
    """With one recogniser switched off, a case of each of its types fails that is not listed as failing."""
    redactor = Redactor("readable")
    redactor.recognisers = tuple(r for r in RECOGNISERS if r is not recogniser)
    for type_ in USED_BY[recogniser.__module__.rpartition(".")[2]]:
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
