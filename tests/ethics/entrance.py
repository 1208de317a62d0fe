"""A case at the gate, for tests: raw posts in, what was stored out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors import Item, RawPost, Sealed
from ethics.gate import Admission, admit
from ethics.keys import ProjectKey
from ethics.policy import Approval, LegalBasis, Policy, Retention
from ethics.pseudonyms import Pseudonyms
from ethics.redaction import Redactor
from ethics.seal import Seal
from storage import Post, Store
from storage.vault import Vault

KEY = ProjectKey(bytes(range(32)))
CASE = "scam-fighters"
NAMES = Pseudonyms(KEY.derive("case", CASE, b"salt"))
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
BASIS = LegalBasis(personal_data="art. 6(1)(e)", special_categories="art. 9(2)(j)", criminal_offences="art. 10")
APPROVAL = Approval(reference="ERB-1", body="board")
POLICY = Policy(
    ethics_approval=APPROVAL,
    legal_basis=BASIS,
    consent=APPROVAL,
    platforms={"reddit": APPROVAL},
    retention=Retention(days=30),
)


def raw(n: int | str, text: str, author: str = "schrijver", **fields: Any) -> RawPost:
    """A raw post; strings for `thread`, `reply_to`, `aliases` and `mentions` are sealed here."""
    for name in ("thread", "reply_to", "permalink"):
        if isinstance(fields.get(name), str):
            fields[name] = Sealed(fields[name])
    for name in ("aliases", "mentions"):
        fields[name] = tuple(Sealed(x) for x in fields.get(name, ()))
    fields.setdefault("thread", Sealed("draad"))
    fields.setdefault("created", START + timedelta(minutes=n if isinstance(n, int) else 0))
    fields.setdefault("platform", "mastodon")
    return RawPost(id=Sealed(str(n)), author=Sealed(author), text=Sealed(text), **fields)


class Study:
    """A store, a vault and a gate in a folder."""

    def __init__(self, root: Path, case: str = CASE, names: Pseudonyms = NAMES, setting: Any = "careful") -> None:
        self.root, self.case, self.names = root, case, names
        self.store = Store(root / "corpus.duckdb", KEY.derive("store"))
        self.vault = Vault(root / "vault.duckdb", KEY.derive("vault"))
        self.seal = Seal(KEY.derive("cursor"))
        self.redactor = Redactor(setting)

    def admit(self, items: Iterable[Item], source: str = "bron", **options: Any) -> Iterable[Admission]:
        options = {
            "policy": POLICY, "names": self.names, "redactor": self.redactor, "seal": self.seal,
            "labels": lambda threads: self.store.labels(self.case, threads),
            "suppressed": lambda: self.store.suppressed(self.case), **options,
        }  # fmt: skip
        return admit(items, case=self.case, source=source, run="run", **options)

    def take(self, items: Iterable[Item], source: str = "bron", **options: Any) -> dict[str, int]:
        """Store what the gate lets through; counts by outcome."""
        kept = {"stored": 0, "edited": 0, "duplicates": 0, "skipped": 0}
        for admission in self.admit(items, source, **options):
            self.vault.add(admission.locators)
            added = self.store.add(admission.batch)
            kept["stored"] += added.stored
            kept["edited"] += added.edited
            kept["duplicates"] += added.duplicates
            kept["skipped"] += sum(admission.skipped.values())
        return kept

    def posts(self) -> list[Post]:
        return sorted(self.store.posts(self.case), key=lambda p: (p.created, p.id))

    def texts(self) -> list[str]:
        return [p.text for p in self.posts()]
