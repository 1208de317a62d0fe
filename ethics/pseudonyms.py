"""
One-way names: keyed, per case, different for authors, posts, threads and names.

A pseudonym is HMAC-SHA256 under the case key, cut to 80 bits, in base32 letters behind one letter that says
what it names. The case key is derived from the project key and a random salt in the home (`keys/<case>.json`);
each rotation adds a salt, and a pseudonym is then the chain of all of them, so that stored pseudonyms can be
re-keyed without knowing whom they name. Without the salts no key can be derived again: destroying them ends
linkability. Pseudonymous, not anonymous: who holds the project key and the salts can test whether a given
handle is in the data.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock

from collectors import Sealed
from storage import Pseudonym

from .keys import ProjectKey
from .policy import Refused

PSEUDONYM = re.compile(r"[apt][a-z2-7]{16}")
TELEPHONE = re.compile(r"\+?[0-9][0-9 ().-]{6,}")
_PREFIXED = re.compile(r"(?:/?u/|[@~])+")


class Pseudonyms:
    """The one-way names of one case."""

    __slots__ = ("_keys",)

    def __init__(self, *case_keys: bytes) -> None:
        if not case_keys:
            msg = "pseudonyms need a case key"
            raise ValueError(msg)
        self._keys = case_keys

    def __repr__(self) -> str:
        return "Pseudonyms(...)"

    @classmethod
    def of(cls, key: ProjectKey, case: str, home: Path) -> Self:
        """The names of *case*; its salt is made on first use. Refused when the case key was destroyed."""
        return cls(*(key.derive("case", case, salt) for salt in Salts(home, case).read_or_make()))

    def author(self, platform: str, handle: Sealed) -> Pseudonym:
        """The name of an author or of somebody mentioned; `@Jan`, `u/jan` and `jan` are one."""
        return self._name("a", "author", platform, plain_handle(handle.reveal()))

    def post(self, platform: str, native: Sealed) -> Pseudonym:
        """The name of a post, also as the target of a reply."""
        return self._name("p", "post", platform, native.reveal().strip())

    def thread(self, platform: str, native: Sealed) -> Pseudonym:
        """The name of a thread."""
        return self._name("t", "thread", platform, native.reveal().strip())

    def scope(self, platform: str, native: Sealed) -> str:
        """What the digests of a thread's names are scoped by; it outlives rotations."""
        return _short(self._keys[0], "\0".join(("scope", platform, native.reveal().strip())))

    def digest(self, scope: str, text: str) -> str:
        """A keyed digest of a text within a scope: the same text in another one looks different."""
        return self._chain("name", scope, text)

    def alias(self, platform: str, name: str) -> str:
        """A keyed digest of a name by which an author is known anywhere in the case."""
        return self.digest(f"alias\0{platform}", plain_handle(name))

    def fingerprint(self, text: str) -> str:
        """A keyed digest by which the same words are recognised when they come again; it outlives rotations."""
        return _short(self._keys[0], f"words\0{text}")

    def _name(self, prefix: str, *parts: str) -> Pseudonym:
        return Pseudonym(prefix + self._chain(*parts))

    def _chain(self, *parts: str) -> str:
        value = "\0".join(parts)
        for key in self._keys:
            value = _short(key, value)
        return value

    def rekeyed(self, names: Iterable[str]) -> list[str]:
        """What names of the last key but one are called under the last one; prefixes stay."""
        key = self._keys[-1]
        return [name[:-16] + _short(key, name[-16:]) for name in names]


def _short(key: bytes, value: str) -> str:
    """HMAC-SHA256, cut to 80 bits, as 16 letters and digits."""
    return base64.b32encode(hmac.digest(key, value.encode("utf-8", "surrogatepass"), "sha256")[:10]).decode().lower()


def plain_handle(handle: str) -> str:
    """A handle, display name or telephone number in the one form in which it is compared."""
    plain = unicodedata.normalize("NFKC", handle)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = " ".join(plain.casefold().split())
    plain = _PREFIXED.sub("", plain, count=1) if _PREFIXED.match(plain) else plain
    return _plain_number(plain) if TELEPHONE.fullmatch(plain) else plain


def _plain_number(number: str) -> str:
    """A telephone number in digits with its country code; without one it is Dutch."""
    digits = "".join(c for c in number if c.isdigit())
    if digits.startswith("00"):
        return digits[2:]
    return "31" + digits[1:] if digits.startswith("0") else digits


@dataclass(frozen=True, slots=True)
class Salts:
    """The salts of one case: random, useless without the project key, and destroyed to end linkability."""

    home: Path
    case: str

    @property
    def path(self) -> Path:
        """Where they are kept."""
        return self.home / "keys" / f"{self.case}.json"

    def read(self, *, rotating: bool = False) -> list[bytes]:
        """
        All salts, oldest first; none when the case has no key yet.

        Refused when they were destroyed, or a rotation has stopped half-way; *rotating* gives its salt as the last.
        """
        try:
            kept = json.loads(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return []
        except ValueError:
            msg = f"{self.path}: cannot be read; put it back from a backup"
            raise Refused(msg) from None
        if kept.get("destroyed"):
            msg = f"the key of case {self.case} was destroyed on {kept['destroyed'][:10]}; nothing can be added to it"
            raise Refused(msg)
        if kept.get("next") and not rotating:
            msg = f"the key of case {self.case} is half rotated; run: veldwerk keys rotate {self.case}"
            raise Refused(msg)
        return [bytes.fromhex(salt) for salt in (*kept["salts"], *filter(None, [kept.get("next")]))]

    def read_or_make(self) -> list[bytes]:
        """All salts; the first one is made when there is none."""
        salts = self.read()
        if salts:
            return salts
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.locked():
            salts = self.read()
            if not salts:
                salts = [secrets.token_bytes(32)]
                self.write(salts)
        return salts

    def locked(self) -> FileLock:
        """The lock to hold while salts change."""
        return FileLock(f"{self.path}.lock", timeout=60)

    def state(self) -> str:
        """ "none", "ready", "rotating" or "destroyed"."""
        try:
            kept = json.loads(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return "none"
        return "destroyed" if kept.get("destroyed") else "rotating" if kept.get("next") else "ready"

    def write(self, salts: Sequence[bytes], following: bytes | None = None) -> None:
        """Keep these salts, all or none of them, and the one that a rotation is about to add."""
        kept: dict[str, object] = {"salts": [s.hex() for s in salts], "changed": _now()}
        self._replace(kept | ({"next": following.hex()} if following else {}))

    def destroy(self) -> None:
        """Overwrite the salts, then leave a mark in their place; no pseudonym of the case can be made again."""
        with self.locked():
            size = self.path.stat().st_size if self.path.exists() else 0
            if size:
                with self.path.open("r+b") as file:
                    file.write(b"\0" * size)
                    file.flush()
                    os.fsync(file.fileno())
            self._replace({"salts": [], "destroyed": _now()})

    def _replace(self, kept: dict[str, object]) -> None:
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
