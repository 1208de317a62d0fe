"""The hard cases, one file a type; what still fails is listed, and the list must be right."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ethics.redaction import LABELS, Redactor

CASES = Path(__file__).parent / "cases"


def cases(type_: str) -> dict[str, Any]:
    """The cases of one type: `found` (text, values...), `left` (texts), `failing` (texts of either)."""
    loaded: dict[str, Any] = yaml.safe_load((CASES / f"{type_.lower()}.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def redactor() -> Redactor:
    return Redactor("readable")


def found(text: str, type_: str, by: Redactor | None = None) -> set[str]:
    """The values of one type in *text*."""
    return {text[f.start : f.end] for f in (by or redactor()).find(text) if f.type == type_}


def failures(type_: str, by: Redactor | None = None) -> set[str]:
    """The texts in which something is missed or found that should not be."""
    told = cases(type_)
    missed = {text for text, *values in told["found"] if found(text, type_, by) != set(values)}
    return missed | {text for text in told["left"] if found(text, type_, by)}


@pytest.mark.parametrize("type_", LABELS)
def test_known_failures(type_: str) -> None:
    """Exactly the cases listed as failing fail, so that a repair is noticed as well as a break."""
    assert failures(type_) == set(cases(type_)["failing"])
