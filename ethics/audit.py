"""
The audit trail: what was done to personal data, when and how often, in JSON lines that hold each other.

Each line carries a keyed digest (HMAC-SHA256) over itself and the digest before it, so that a changed,
removed, added or reordered line is found by who has the project key. Beside the trail lies its head, the
number of lines and the last digest, keyed too: without it lines cut off at the end would not be missed. Who
can put back an older copy of both leaves no trace in them; `veldwerk audit` prints the last digest, to be noted
elsewhere.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock

GENESIS = "0" * 32
FIELDS = ("n", "at", "event", "facts", "mac")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: the how-manieth, when (UTC), what, and its facts (ids and counts, never content)."""

    n: int
    at: datetime
    event: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Whether the trail is whole. `line` is the first that is not as it was written, counted from 1.

    `entries` counts the lines up to there, `head` is the last digest; note it elsewhere to rule out that an
    older copy is put back.
    """

    entries: int
    head: str
    line: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, removed, reordered or cut off."""
        return self.line is None


class Trail:
    """The trail of one home. Many processes may append to it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key
        self._head = path.with_name(f"{path.name}.head")
        self._lock = FileLock(f"{path}.lock", timeout=60)

    def __repr__(self) -> str:
        return f"Trail({str(self.path)!r})"

    def append(self, event: str, /, **facts: Any) -> Entry:
        """
        Write one line, durably. *facts* are plain JSON values: ids, dates, counts; never content or an identity.

        After lines were cut off the number goes on from where the head was, so that the gap stays to be seen.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._drop_unfinished()
            n, before = max(self._last(), self._promised() or (0, GENESIS), key=lambda last: last[0])
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            line: dict[str, Any] = {"n": n + 1, "at": at, "event": event, "facts": facts}
            line["mac"] = self._mac(before, line)
            self._write(self.path, json.dumps(line, ensure_ascii=False) + "\n", os.O_APPEND)
            self._write_head(n + 1, line["mac"])
        return Entry(n + 1, datetime.fromisoformat(at), event, json.loads(json.dumps(facts)))

    def proof(self, value: str) -> str:
        """A keyed digest that stands for *value* in the trail: it can be checked for a given value, and names none."""
        return hmac.digest(self._key, f"proof\n{value}".encode(), "sha256")[:16].hex()

    def entries(self) -> Iterator[Entry]:
        """All lines that can be read, oldest first. Ask `verify` whether they are as they were written."""
        for text in self._lines():
            line = _parsed(text)
            if line is not None:
                yield Entry(line["n"], datetime.fromisoformat(line["at"]), line["event"], line["facts"])

    def verify(self) -> Verdict:
        """Whether the trail is as it was written, and if not, from which line on."""
        n, before = 0, GENESIS
        for n, text in enumerate(self._lines(), 1):
            line = _parsed(text)
            if line is None:
                return Verdict(n - 1, before, n, "cannot be read")
            if line["n"] != n or not hmac.compare_digest(self._mac(before, line), line["mac"]):
                return Verdict(n - 1, before, n, "was changed, moved or added, or the line before it removed")
            before = line["mac"]
        promised = self._promised()
        if promised is None and n:
            return Verdict(n, before, n + 1, f"{self._head.name} is missing or changed: lines may be cut off")
        if promised is not None and promised[0] > n:
            return Verdict(n, before, n + 1, f"{promised[0] - n} lines are cut off at the end")
        return Verdict(n, before)

    def _mac(self, before: str, line: dict[str, Any]) -> str:
        told = json.dumps({k: line[k] for k in FIELDS[:-1]}, sort_keys=True, ensure_ascii=False)
        return hmac.digest(self._key, f"{before}\n{told}".encode(), "sha256")[:16].hex()

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                yield from file
        except FileNotFoundError:
            return

    def _last(self) -> tuple[int, str]:
        """Number and digest of the last line; one that cannot be read counts, so that its fault stays visible."""
        try:
            with self.path.open("rb") as file:
                text = _last_line(file)
        except FileNotFoundError:
            return 0, GENESIS
        line = _parsed(text)
        return (line["n"], line["mac"]) if line else (sum(1 for _ in self._lines()), GENESIS)

    def _drop_unfinished(self) -> None:
        """A line without its end was being written when the machine stopped: it was never promised."""
        try:
            with self.path.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                if size == 0:
                    return
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.truncate(size - len(_last_line(file).encode(errors="surrogateescape")))
        except FileNotFoundError:
            return

    def _promised(self) -> tuple[int, str] | None:
        """How many lines there are and the last digest, as the head says; None when it is missing or not ours."""
        try:
            head = json.loads(self._head.read_text(encoding="ascii"))
            right = hmac.compare_digest(self._head_mac(head["lines"], head["last"]), head["mac"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return (int(head["lines"]), head["last"]) if right else None

    def _head_mac(self, n: int, last: str) -> str:
        return hmac.digest(self._key, f"head\n{n}\n{last}".encode(), "sha256")[:16].hex()

    def _write_head(self, n: int, last: str) -> None:
        draft = self._head.with_name(f"{self._head.name}.fresh")
        head = {"lines": n, "last": last, "mac": self._head_mac(n, last)}
        self._write(draft, json.dumps(head), os.O_TRUNC)
        draft.replace(self._head)

    @staticmethod
    def _write(path: Path, text: str, how: int) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
        try:
            os.write(file, text.encode())
            os.fsync(file)
        finally:
            os.close(file)


def _last_line(file: BinaryIO) -> str:
    """The last line of a file, without its end."""
    size, window = file.seek(0, os.SEEK_END), 65536
    while True:
        file.seek(max(0, size - window))
        lines = file.read().rstrip(b"\n").rpartition(b"\n")
        if lines[1] or window >= size:
            return lines[2].decode("utf-8", errors="surrogateescape")
        window *= 8


def _parsed(text: str) -> dict[str, Any] | None:
    """A line's fields, or None when it is no line of a trail."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or set(line) != set(FIELDS) or not isinstance(line["facts"], dict):
        return None
    return line if isinstance(line["mac"], str) and isinstance(line["n"], int) else None
