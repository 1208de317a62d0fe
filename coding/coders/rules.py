"""The rule coder: the codebook's own rules, each mark with its evidence and the rule that fired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from coding import Codebook, Mark, Unit
from coding._fire import Ruleset

VERSION = "rules.v1"


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    `thread` lets rules look at the post replied to and the opening post; without it such rules stay silent.

    `only` restricts the coder to the rules with these ids.
    """

    thread: bool = True
    only: tuple[str, ...] = ()


def code(units: Iterable[Unit], codebook: Codebook, settings: Settings) -> Iterator[tuple[Mark, ...]]:
    """One tuple of marks a unit, in order; a mark a rule, at the first place where the rule holds."""
    rules = _ruleset(codebook, settings.only)
    for unit in units:
        yield rules.marks(unit if settings.thread else Unit(unit.post))


_COMPILED: dict[tuple[str, tuple[str, ...]], Ruleset] = {}


def _ruleset(codebook: Codebook, only: tuple[str, ...]) -> Ruleset:
    """The compiled rules; compiling takes about a tenth of a second, so the last ones are kept."""
    key = (codebook.digest, only)
    if key not in _COMPILED:
        while len(_COMPILED) > 3:
            _COMPILED.pop(next(iter(_COMPILED)))
        _COMPILED[key] = Ruleset(codebook, frozenset(only))
    return _COMPILED[key]
