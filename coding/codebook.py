"""The codebook: themes and codes with their definitions and rules, read from YAML, versioned by digest."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

SHIPPED = "citizen-policing"


class CodebookError(ValueError):
    """A codebook cannot be used; the message names the file and the path in it."""


class Words(BaseModel, extra="forbid", frozen=True):
    """A text in Dutch and English."""

    nl: str
    en: str


class Code(BaseModel, extra="forbid", frozen=True):
    """One code: what it means, when to give it, when not, and the rules that find it."""

    id: str
    label: Words
    definition: Words
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    color: str = "#808080"
    rules: tuple[Any, ...] = ()


class Theme(BaseModel, extra="forbid", frozen=True):
    """A theme groups codes."""

    id: str
    label: Words
    definition: Words
    codes: tuple[Code, ...]


class Codebook(BaseModel, extra="forbid", frozen=True):
    """A versioned set of themes."""

    name: str
    version: str
    language: str = "nl"
    lists: dict[str, tuple[str, ...]] = {}
    themes: tuple[Theme, ...]

    @property
    def codes(self) -> tuple[Code, ...]:
        """All codes, in the order of the codebook."""
        return tuple(code for theme in self.themes for code in theme.codes)

    @property
    def digest(self) -> str:
        """A short digest of the whole content: two codebooks with the same digest code the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


@cache
def load_codebook(name: str = SHIPPED) -> Codebook:
    """The codebook with this shipped name, or at this path. CodebookError names file and path of a fault."""
    source = Path(name) if name.endswith((".yaml", ".yml")) else files("coding.codebooks") / f"{name}.yaml"
    try:
        return Codebook.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except FileNotFoundError:
        msg = f"{name}: no such codebook"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        msg = f"{name}: not YAML{f' at line {mark.line + 1}' if mark else ''}"
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        msg = f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise CodebookError(msg)
