"""
What a name is called within one thread.

The same name gets the same label (`[PERSOON-2]`), also when only its first name or surname is used and no other
person of the thread could be meant; an author of the thread gets `[@pseudonym]`. What was given is kept as
keyed digests of the plain form, scoped by thread, so that no name is kept and threads cannot be linked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from storage import Label, Pseudonym

from .pseudonyms import plain_handle
from .redaction import LABELS

Digest = Callable[[str], str]

NUMBERED = re.compile(r"([A-Z]+)-([0-9]+)")
POSSESSIVE = re.compile(r"(?<=\w)['’]s?$")
PARTICLES = frozenset(
    (
        "van",
        "de",
        "der",
        "den",
        "het",
        "'t",
        "ten",
        "ter",
        "te",
        "la",
        "el",
        "al",
        "ben",
        "bin",
        "op",
        "in",
        "d",
        "von",
    )
)
ALNUM_TYPES = frozenset(("IBAN", "BSN", "POSTCODE", "PLATE"))


def plain_value(kind: str, value: str) -> str:
    """The form in which two writings of one value are the same: `06-12 34` and `+31 6 1234`, `Jan’s` and `jan`."""
    plain = unicodedata.normalize("NFKC", value)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = " ".join(plain.casefold().split())
    if kind == "PERSON":
        return POSSESSIVE.sub("", plain)
    if kind in ("HANDLE", "PHONE"):
        return plain_handle(plain)
    if kind in ALNUM_TYPES:
        return "".join(c for c in plain if c.isalnum())
    return plain


def parts_of(name: str) -> tuple[str, ...]:
    """
    By what a person with this plain full name may be called too: first name, surname with or without particles; of
    a handle (`xx_snuffie_xx`) the longer pieces.
    """
    words = name.split()
    if len(words) < 2:
        pieces = re.split(r"[_.]+", name)
        return tuple(sorted(p for p in pieces if len(p) > 3 and p.isalpha())) if len(pieces) > 1 else ()
    parts = {words[0], " ".join(words[1:]), words[-1]}
    return tuple(sorted(p for p in parts if len(p) > 1 and p not in PARTICLES))


@dataclass(slots=True)
class ThreadLabels:
    """
    The labels of one thread: what is kept so far, and in `new` what this run adds.

    `digest` makes the keyed digest of a text within this thread. A part of a name is kept under its own digest;
    a second person with that part is kept under another, and from then on the part alone means neither.
    """

    thread: Pseudonym
    digest: Digest
    known: dict[str, str] = field(default_factory=dict)
    new: list[Label] = field(default_factory=list)
    has_authors: bool = False
    """Whether an earlier run has kept authors of this thread."""
    _last: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, thread: Pseudonym, digest: Digest, kept: Iterable[Label] = ()) -> ThreadLabels:
        """The labels of *thread*, going on from those *kept*."""
        labels = cls(thread, digest)
        for label in kept:
            labels._take(label.digest, label.label)
            labels.has_authors = labels.has_authors or label.label.startswith("@")
        return labels

    def _take(self, digest: str, label: str) -> None:
        self.known[digest] = label
        numbered = NUMBERED.fullmatch(label)
        if numbered:
            self._last[numbered[1]] = max(self._last[numbered[1]], int(numbered[2]))

    def _keep(self, what: str, label: str) -> None:
        digest = self.digest(what)
        if digest not in self.known:
            self._take(digest, label)
            self.new.append(Label(self.thread, digest, label))

    def add_author(self, author: Pseudonym, names: Iterable[str]) -> None:
        """From now on *names* (handle, display name) mean this author here; the first to bear a name keeps it."""
        for name in names:
            plain = plain_handle(name)
            if len(plain) > 1:
                self._keep(f"author\0{plain}", f"@{author}")
                self._keep_parts(plain, f"@{author}")

    def _keep_parts(self, name: str, label: str) -> None:
        for part in parts_of(name):
            holder = self.known.get(self.digest(f"part\0{part}"))
            if holder is None:
                self._keep(f"part\0{part}", label)
            elif holder != label:
                self._keep(f"shared\0{part}", label)

    def author_named(self, value: str) -> Pseudonym | None:
        """The author of this thread whose handle or full display name this is."""
        label = self.known.get(self.digest(f"author\0{plain_handle(value)}"))
        return Pseudonym(label[1:]) if label else None

    def author_called(self, value: str) -> Pseudonym | None:
        """The one author of this thread who may be meant by this part of a name."""
        label = self._by_part(plain_value("PERSON", value))
        return Pseudonym(label[1:]) if label and label.startswith("@") else None

    def _by_part(self, plain: str) -> str | None:
        if self.digest(f"shared\0{plain}") in self.known:
            return None
        return self.known.get(self.digest(f"part\0{plain}"))

    def label(self, kind: str, value: str) -> str:
        """
        The label of a value of this type, without brackets: `PERSOON-2`, or `@pseudonym` for an author.

        A value met for the first time gets the next number of its type.
        """
        plain = plain_value(kind, value)
        if kind in ("PERSON", "HANDLE", "PHONE", "EMAIL"):
            author = self.author_named(value) or self.author_named(plain)
            if author:
                return f"@{author}"
        known = self.known.get(self.digest(f"{kind}\0{plain}"))
        if known is None and kind == "PERSON":
            known = self._by_part(plain)
        if known is not None:
            return known
        word = LABELS[kind]
        label = f"{word}-{self._last[word] + 1}"
        self._keep(f"{kind}\0{plain}", label)
        if kind == "PERSON":
            self._keep_parts(plain, label)
        return label
