"""Gold: posts whose codes people agreed on, read as a coder would meet them: redacted, in their threads."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from storage import Post, Pseudonym

from . import Unit, in_threads

LABELS = {
    "PERSON": "PERSOON", "HANDLE": "ACCOUNT", "PHONE": "TELEFOON", "EMAIL": "EMAIL", "IBAN": "IBAN",
    "BSN": "BSN", "ADDRESS": "ADRES", "POSTCODE": "POSTCODE", "PLATE": "KENTEKEN", "URL": "LINK",
    "DOB": "GEBOORTEDATUM",
}  # fmt: skip
"""Type of personal data -> the word in the gate's label, as in `[PERSOON-2]`."""


@dataclass(frozen=True, slots=True)
class GoldPost:
    """
    One gold post: its text with labels where personal data stood, and the codes it should get.

    `thread` is None for a post that stands alone; `file` is the name of its file, one writer each.
    """

    id: str
    case: str
    platform: str
    text: str
    codes: frozenset[str]
    thread: str | None = None
    reply_to: str | None = None
    author: str = ""
    file: str = ""


class GoldError(ValueError):
    """A gold file cannot be read; the message names the file, the line and the field."""


class _Named(BaseModel, extra="forbid"):
    text: str
    type: str


class _Row(BaseModel, extra="forbid"):
    id: str
    case: str
    text: str
    codes: tuple[str, ...]
    pii: tuple[_Named, ...] = ()
    platform: str = "interview"
    thread: str | None = None
    reply_to: str | None = None
    author: str = ""
    created_at: datetime | None = None
    interview: str | None = None
    speaker: str | None = None
    start: str | None = None


def shipped_gold() -> Traversable:
    """The folder of the shipped gold: `dev`, `train` and `interviews` in it."""
    return files("demo") / "gold"


def load_gold(folder: Path | Traversable) -> list[GoldPost]:
    """
    The gold posts of every .jsonl file in *folder*, redacted as the gate would, in the order of the files.

    Raises GoldError naming file, line and field of the first fault.
    """
    names = sorted(p.name for p in folder.iterdir() if p.name.endswith(".jsonl"))
    if not names:
        msg = f"{folder}: holds no .jsonl file"
        raise GoldError(msg)
    return [post for name in names for post in load_gold_file(folder / name)]


def load_gold_file(path: Path | Traversable) -> list[GoldPost]:
    """The gold posts of one file; GoldError names line and field of the first fault."""
    rows = [_row(path.name, n, line) for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)]
    threads: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        threads[_thread_of(row) or row.id].append(row)
    redacted = {row.id: text for group in threads.values() for row, text in _redact_thread(group)}
    return [
        GoldPost(
            row.id, row.case, row.platform, redacted[row.id], frozenset(row.codes), _thread_of(row),
            row.reply_to, row.author or row.speaker or row.id, path.name.removesuffix(".jsonl"),
        )
        for row in rows
    ]  # fmt: skip


def _row(name: str, line: int, text: str) -> _Row:
    try:
        return _Row.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "line"
    msg = f"{name}: line {line}: {where}: {first['msg'] if where != 'line' else 'not a JSON object'}"
    raise GoldError(msg)


def _thread_of(row: _Row) -> str | None:
    return row.thread or row.interview


def _redact_thread(rows: Sequence[_Row]) -> Iterator[tuple[_Row, str]]:
    """Each row of a thread with its redacted text: one name, one label; an author's handle, the pseudonym."""
    numbers: dict[str, Any] = defaultdict(lambda: count(1))
    given: dict[tuple[str, str], str] = {}
    authors = {_bare(r.author): f"[@{_pseudonym(r.author)}]" for r in rows if r.author}
    for row in rows:
        for span in row.pii:
            key = (span.type, _bare(span.text))
            if span.type == "HANDLE" and key[1] in authors:
                given[key] = authors[key[1]]
            elif key not in given:
                given[key] = f"[{LABELS[span.type]}-{next(numbers[span.type])}]"
        yield row, redact_spans(row.text, {s.text: given[s.type, _bare(s.text)] for s in row.pii})


def redact_spans(text: str, labels: dict[str, str]) -> str:
    """*text* with every occurrence of each key replaced by its label; the longest key wins."""
    if not labels:
        return text
    keys = sorted(labels, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(k)}(?!\w)" if k[0].isalnum() else re.escape(k) for k in keys)
    return re.sub(pattern, lambda found: labels[found.group()], text)


def _bare(handle: str) -> str:
    return handle.removeprefix("@").removeprefix("u/").casefold()


def _pseudonym(author: str) -> str:
    return hashlib.blake2s(author.encode(), digest_size=5).hexdigest()


def gold_units(posts: Iterable[GoldPost]) -> list[Unit]:
    """The units of coding of *posts*, in their order, with parent and opener where they stand in threads."""
    given = list(posts)
    made = [_post(p, n) for n, p in enumerate(given)]
    ordered = sorted(range(len(made)), key=lambda n: (made[n].thread, n))
    units = dict(zip(ordered, in_threads(made[n] for n in ordered), strict=True))
    return [units[n] for n in range(len(made))]


def _post(gold: GoldPost, n: int) -> Post:
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
    return Post(
        id=Pseudonym(gold.id), case=gold.case, platform=gold.platform, source=gold.file,
        author=Pseudonym(_pseudonym(gold.author)), text=gold.text,
        thread=Pseudonym(f"{gold.file}/{gold.thread or gold.id}"), created=moment, collected_at=moment,
        reply_to=Pseudonym(gold.reply_to) if gold.reply_to else None,
    )  # fmt: skip
