"""A case: one YAML file that says what is studied, from where, and under which rules. The only reader of `cases/`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from coding.codebook import SHIPPED, Words
from ethics.policy import Policy

from .errors import WrongUse

ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Source(BaseModel, extra="forbid", frozen=True):
    """
    One place that is collected from, or one kind of export that is imported.

    `schedule` is a cron line (Amsterdam time) for `veldwerk serve`; a source without one is collected by hand.
    """

    name: str = Field(pattern=ID)
    collector: str
    about: str = ""
    private: bool = False
    schedule: str | None = None
    settings: dict[str, Any] = {}


class Case(BaseModel, extra="forbid", frozen=True):
    """One of the cases: its question, its sources and its protocol."""

    id: str = Field(pattern=ID)
    title: Words
    question: str
    about: str = ""
    codebook: str = SHIPPED
    sources: tuple[Source, ...]
    policy: Policy

    @field_validator("sources")
    @classmethod
    def _named_once(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if len({s.name for s in sources}) < len(sources):
            msg = "two sources have the same name"
            raise ValueError(msg)
        return sources

    def source(self, name: str) -> Source:
        """The source called *name*; WrongUse names those that exist."""
        for source in self.sources:
            if source.name == name:
                return source
        msg = f"case {self.id} has no source {name!r}; there are: {', '.join(s.name for s in self.sources)}"
        raise WrongUse(msg)


def read_case(text: str, name: str) -> Case:
    """The case in this YAML *text*; WrongUse names the file and the path in it that is wrong."""
    try:
        case = Case.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        msg = f"{name}: not YAML{f' at line {mark.line + 1}' if mark else ''}"
        raise WrongUse(msg) from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'the file'}: {f['msg']}" for f in faults[:3])
        msg = f"{name}: {told}"
        raise WrongUse(msg) from None
    if case.id != Path(name).stem:
        msg = f"{name}: id: {case.id!r} must be the file's name"
        raise WrongUse(msg)
    return case


def read_cases(folder: Path | None = None) -> dict[str, Case]:
    """All cases of *folder* (by default the shipped four), by id, in order of file name."""
    place = folder or files("cases")
    if folder and not folder.is_dir():
        msg = f"{folder}: no such folder of case files (VELDWERK_CASES)"
        raise WrongUse(msg)
    found = sorted((p for p in place.iterdir() if p.name.endswith((".yaml", ".yml"))), key=lambda p: p.name)
    if not found:
        msg = f"{folder}: holds no case file (*.yaml)"
        raise WrongUse(msg)
    prefix = f"{folder}/" if folder else "cases/"
    cases = [read_case(p.read_text(encoding="utf-8"), prefix + p.name) for p in found]
    return {case.id: case for case in cases}
