"""The home of a study: the folder that holds all it writes, and the keys and parts that open it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import WrongUse

if TYPE_CHECKING:
    from ethics.audit import Trail
    from ethics.keys import ProjectKey
    from ethics.pseudonyms import Pseudonyms
    from ethics.redaction import Redactor
    from ethics.rights import Holdings
    from ethics.seal import Seal
    from storage import Store
    from storage.vault import Vault

    from .case import Case


class Home:
    """
    A study's folder (`VELDWERK_HOME`, by default `./fieldwork`) and what is in it.

    Parts are opened when they are first asked for: a command that needs no key makes none.
    """

    def __init__(self, root: Path, cases_folder: Path | None = None) -> None:
        self.root = root
        self.out = root / "out"
        self._cases_folder = cases_folder

    @classmethod
    def open(cls, environ: Mapping[str, str] = os.environ) -> Home:
        """The home that the environment names."""
        cases = environ.get("VELDWERK_CASES")
        return cls(Path(environ.get("VELDWERK_HOME") or "fieldwork"), Path(cases) if cases else None)

    @cached_property
    def cases(self) -> dict[str, Case]:
        """All cases by id."""
        from .case import read_cases

        return read_cases(self._cases_folder)

    def case(self, case: str) -> Case:
        """The case with this id; WrongUse names those that exist."""
        if case not in self.cases:
            msg = f"no case {case!r}; there are: {', '.join(self.cases)}"
            raise WrongUse(msg)
        return self.cases[case]

    def chosen(self, cases: tuple[str, ...]) -> list[Case]:
        """The cases with these ids, or all of them when none is named."""
        return [self.case(c) for c in cases] if cases else list(self.cases.values())

    @cached_property
    def key(self) -> ProjectKey:
        """The project key; made on first use, with a notice on stderr."""
        from ethics.keys import ProjectKey

        return ProjectKey.find(home=self.root, notice=lambda line: print(f"veldwerk: {line}", file=sys.stderr))

    @cached_property
    def store(self) -> Store:
        """The corpus, encrypted under a key of its own."""
        from storage import Store

        return Store(self.root / "corpus.duckdb", self.key.derive("store"))

    @property
    def has_store(self) -> bool:
        """Whether anything has been stored here yet; asking makes nothing."""
        return (self.root / "corpus.duckdb").exists()

    @cached_property
    def vault(self) -> Vault:
        """The native ids for refresh and deletion, in a file and under a key of their own."""
        from storage.vault import Vault

        return Vault(self.root / "vault.duckdb", self.key.derive("vault"))

    @cached_property
    def seal(self) -> Seal:
        """What closes and opens the cursors of collectors."""
        from ethics.seal import Seal

        return Seal(self.key.derive("cursor"))

    @cached_property
    def learned_seal(self) -> Seal:
        """What closes and opens values that the redactor missed."""
        from ethics.seal import Seal

        return Seal(self.key.derive("cursor", "learned"))

    @cached_property
    def audit(self) -> Trail:
        """The chained trail of what was done to personal data."""
        from ethics.audit import Trail

        return Trail(self.root / "audit.jsonl", self.key.derive("audit"))

    @cached_property
    def holdings(self) -> Holdings:
        """All that is held of people here, for who erases it."""
        from ethics.rights import Holdings

        return Holdings(self.store, self.vault, self.audit, self.root)

    def pseudonyms(self, case: str) -> Pseudonyms:
        """The one-way names of this case."""
        from ethics.pseudonyms import Pseudonyms

        return Pseudonyms.of(self.key, case, self.root)

    def redactor(self, case: Case) -> Redactor:
        """The redactor in the setting that the case's policy chooses, with what was learned in the case."""
        from ethics.redaction import Redactor
        from ethics.redaction.learned import known_in

        known = known_in(self.store, self.learned_seal, case.id) if self.has_store else None
        return Redactor(case.policy.redaction, known)
