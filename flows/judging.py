"""Estimates from machine codes and gold: a plain function that the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.estimates import BY, Basis, NotEstimable, Row, basis, learnt_from, rows, suppressed, warnings
from analysis.regression import covariates, regress
from storage import Coding
from storage.overview import sources

from .errors import WrongUse
from .fieldwork import PREFIX
from .home import Home
from .samples import codebook_of, in_words, machines

COVARIATES = ("case", "platform", "month", "reply")


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be said, and on what it rests. `hidden` counts rows about too few posts, left out."""

    case: str
    machine: Coding | None
    base: Basis
    rows: tuple[Row, ...]
    hidden: int
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """One JSON document."""
        machine = None if self.machine is None else {"coder": self.machine.coder, "coding": self.machine.id}
        return {
            "case": self.case, "machine": machine, "posts": len(self.base.posts), "drawn": self.base.draws,
            "gold": self.base.coded, "outside": self.base.outside, "hidden": self.hidden,
            "warnings": list(self.warnings), "estimates": [r.as_dict() for r in self.rows],
        }  # fmt: skip


def judge(home: Home, case: str | None, by: Sequence[str] = ("case",), coder: str | None = None) -> Judged:
    """Prevalence of every code and theme. WrongUse when there is no gold to estimate from."""
    if wrong := [b for b in by if b not in BY]:
        msg = f"no estimates by {wrong[0]!r}; there are: {', '.join(BY)}"
        raise WrongUse(msg)
    with in_words():
        machine, base, told = _basis(home, case, coder)
    found = list(rows(base, codebook_of(home, case), by))
    shown = tuple(suppressed(found, least_cell(home, case)))
    return Judged(case or "all", machine, base, shown, len(found) - len(shown), (*told, *warnings(base)))


def _basis(home: Home, case: str | None, coder: str | None) -> tuple[Coding | None, Basis, list[str]]:
    """
    The basis with the latest coding that leaves gold to estimate with.

    A model that learnt from the study's gold looks better on it than it is; where that is all the gold there is,
    the coding before it is taken, and the reader told.
    """
    told: list[str] = []
    fault: NotEstimable | None = None
    for machine in reversed(machines(home.store, coder)):
        learnt = learnt_from(home.store, machine)
        try:
            base = basis(home.store, machine, case, learnt)
        except NotEstimable as error:
            fault = fault or error
            told.append(f"the codes of {machine.coder} were not used: it learnt from all the gold there is")
            continue
        if machine.coder == "model" and any(s.startswith(PREFIX) for s in sources(home.store)):
            told.append("the model learnt from texts like those of the fieldwork set: here it looks better than it is")
        if learnt:
            told.append(f"{machine.coder} learnt from gold; what it learnt from is left out of the estimates")
        return machine, base, told
    if coder is not None and fault is not None:
        raise fault
    return None, basis(home.store, None, case), [*told, "no machine codes: the estimates rest on gold alone"]


def least_cell(home: Home, case: str | None) -> int:
    """The fewest posts that a published figure may speak of, by the strictest policy."""
    return max(c.policy.min_cell for c in ([home.case(case)] if case else home.cases.values()))


def relate(home: Home, case: str | None, code: str, on: Sequence[str], coder: str | None = None) -> dict[str, Any]:
    """A logistic regression of a code or theme on covariates, as one JSON document."""
    if wrong := [x for x in on if x not in COVARIATES]:
        msg = f"no covariate {wrong[0]!r}; there are: {', '.join(COVARIATES)}"
        raise WrongUse(msg)
    codebook = codebook_of(home, case)
    groups = {t.id: [c.id for c in t.codes] for t in codebook.themes} | {c.id: [c.id] for c in codebook.codes}
    if code not in groups:
        msg = f"no code or theme {code!r}; the codes are: {', '.join(c.id for c in codebook.codes)}"
        raise WrongUse(msg)
    with in_words():
        machine, base, told = _basis(home, case, coder)
        matrix, names = covariates(base.posts, on)
        found = regress(base.design, base.machine(groups[code]), base.gold(groups[code]), matrix, names)
    return {
        "case": case or "all", "code": code, "on": list(on), "machine": machine and machine.id,
        "posts": len(base.posts), "gold": base.coded, "coefficients": [asdict(c) for c in found],
        "warnings": [*told, *warnings(base)],
    }  # fmt: skip
