"""The codebook: themes and codes with their definitions and rules, read from YAML, versioned by digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from ._patterns import PatternError, parse

SHIPPED = "citizen-policing"
Guard = Literal["never", "only"]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CodebookError(ValueError):
    """A codebook cannot be used; the message names the file and the path in it."""


class Words(BaseModel, extra="forbid", frozen=True):
    """A text in Dutch and English."""

    nl: str
    en: str


class Rule(BaseModel, extra="forbid", frozen=True):
    """
    One rule: when it gives its code to a post. `says` tells in words what it looks for.

    It fires where one of the `any` patterns stands; or, instead of `any`, where the `signs` in the post add up
    to at least `points` (a sign counts once; one with a negative number speaks against the code). Besides,
    every further condition must hold: `near` (one of these in the same sentence, or at most `within` words
    away), `also` (one of these anywhere in the post), `unless` (none of these in the same sentence),
    `unless_post` (nor in the post), `negation`, `quotation`, `irony` ("never": the evidence must stand
    outside it; "only": inside it), `parent` and `opener` (one of these in the post replied to, in the opening
    post of the thread), `parent_codes` (the post replied to has one of these codes by the rules), `case`
    (these cases only).
    `hits` are invented sentences that it must give the code to, `misses` ones that it must not. A thread's
    earlier post can be put before a sentence: `earlier post >> the post`.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]+$")
    says: Words
    any: tuple[str, ...] = ()
    points: int | None = Field(default=None, ge=1, le=100)
    signs: dict[int, tuple[str, ...]] = {}
    near: tuple[str, ...] = ()
    within: int | None = Field(default=None, ge=1, le=40)
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    unless_post: tuple[str, ...] = ()
    negation: Guard | None = None
    quotation: Guard | None = None
    irony: Guard | None = None
    parent: tuple[str, ...] = ()
    opener: tuple[str, ...] = ()
    parent_codes: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    hits: tuple[str, ...] = Field(min_length=1)
    misses: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        if bool(self.any) == bool(self.signs) or bool(self.signs) != bool(self.points):
            msg = "a rule needs either `any`, or `signs` with `points`"
            raise ValueError(msg)
        return self

    @property
    def patterns(self) -> tuple[tuple[str, int, str], ...]:
        """Every pattern of the rule, with the condition and position it stands at."""
        names = ("any", "near", "also", "unless", "unless_post", "parent", "opener")
        plain = ((name, n, p) for name in names for n, p in enumerate(getattr(self, name)))
        signs = ((f"signs.{k}", n, p) for k, ps in self.signs.items() for n, p in enumerate(ps))
        return (*plain, *signs)


class Code(BaseModel, extra="forbid", frozen=True):
    """One code: what it means, when to give it, when not, examples, and the rules that find it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$")
    label: Words
    definition: Words
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include_en: tuple[str, ...] = ()
    exclude_en: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    color: str = Field(default="#808080", pattern=r"^#[0-9a-fA-F]{6}$")
    rules: tuple[Rule, ...] = ()


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
    title: Words | None = None
    unit: Words | None = None
    spelling: dict[str, tuple[str, ...]] = {}
    lists: dict[str, tuple[str, ...]] = {}
    themes: tuple[Theme, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Ids are unique, and every list, pattern and code that is named exists."""
        for fault in _faults(self):
            raise ValueError(fault)
        return self

    @property
    def codes(self) -> tuple[Code, ...]:
        """All codes, in the order of the codebook."""
        return tuple(code for theme in self.themes for code in theme.codes)

    @property
    def digest(self) -> str:
        """A short digest of the whole content: two codebooks with the same digest code the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def _faults(book: Codebook) -> Iterator[str]:
    """What is wrong across the parts of *book*, each with its path."""
    codes = {c.id for c in book.codes}
    seen: set[str] = set()
    for name, items in book.lists.items():
        yield from _misread(f"lists.{name}", ((n, item) for n, item in enumerate(items)), {})
    for t, theme in enumerate(book.themes):
        for c, code in enumerate(theme.codes):
            at = f"themes.{t}.codes.{c}"
            for id_ in (code.id, *(r.id for r in code.rules)):
                if id_ in seen:
                    yield f"{at}: the id {id_!r} is given twice"
                seen.add(id_)
            for r, rule in enumerate(code.rules):
                where = f"{at}.rules.{r}"
                patterns = ((f"{name}.{n}", p) for name, n, p in rule.patterns)
                yield from _misread(where, patterns, book.lists)
                unknown = [c for c in rule.parent_codes if c not in codes]
                if unknown:
                    yield f"{where}.parent_codes: there is no code {unknown[0]!r}"


def _misread(at: str, patterns: Iterable[tuple[object, str]], lists: Mapping[str, object]) -> Iterator[str]:
    for where, pattern in patterns:
        try:
            parse(pattern, lists)
        except PatternError as error:
            yield f"{at}.{where}: {error}"


@cache
def load_codebook(name: str = SHIPPED) -> Codebook:
    """The codebook with this shipped name, or at this path. CodebookError names file and path of a fault."""
    source = Path(name) if name.endswith((".yaml", ".yml")) else files("coding.codebooks") / f"{name}.yaml"
    try:
        content = yaml.load(source.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader)
        return Codebook.model_validate(content)
    except FileNotFoundError:
        msg = f"{name}: no such codebook"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        msg = f"{name}: not YAML{f' at line {mark.line + 1}' if mark else ''}"
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        told = first["msg"].removeprefix("Value error, ")
        msg = f"{name}: {where}: {told}" if where else f"{name}: {told}"
    raise CodebookError(msg)
