"""
Documents: literature and policy papers as Word, HTML, Markdown, plain text, and PDF where pypdf is installed.

Each paragraph is a post of kind "document" in the document's thread; a heading goes with what follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time
from datetime import date as day
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from . import RawPost, Sealed, Skip, UnreadableExport
from ._files import Entry, head
from ._pages import is_marked, is_word, paragraphs, texts, written

VERSION = "1"
GENERAL = 2
_SUFFIXES = (".docx", ".txt", ".md", ".markdown", ".html", ".htm", ".pdf")
_HEADING_WORDS = 8
_LONGEST = 20_000
_WRAP = 160


class Settings(BaseModel, extra="forbid", frozen=True):
    """How to read a document: its `title` and `author`, where its name should not say them, and its `date`."""

    title: str = ""
    author: str = ""
    date: day | None = None


def sniff(path: Path) -> bool:
    """Whether *path* is a document of a known kind."""
    try:
        return any(_is_document(entry) for entry in texts(path, _SUFFIXES)[:20])
    except (UnreadableExport, OSError):
        return False


def _is_document(entry: Entry) -> bool:
    data = head(entry, 4096)
    return data.startswith(b"%PDF") or is_word(entry) or (bool(data.strip()) and b"\0" not in data)


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The paragraphs of the document (or documents) at *path*.

    Raises UnreadableExport when it is none, holds no words, or cannot be read.
    """
    found = texts(path, _SUFFIXES)
    if not found:
        msg = f"{path.name}: no document; save it as {', '.join(_SUFFIXES)}"
        raise UnreadableExport(msg)
    for entry in found:
        yield from _document(entry, settings)


def _document(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    said = list(_passages(entry))
    if not said:
        msg = f"{entry}: holds no words; a scan needs text recognition first"
        raise UnreadableExport(msg)
    title = settings.title or PurePosixPath(entry.name).stem
    own = f"{title}:{hashlib.sha256(said[0].encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    created = datetime.combine(settings.date, time(), UTC) if settings.date else written(entry)
    for n, passage in enumerate(said):
        if len(passage) > _LONGEST:
            yield Skip("paragraph too long")
            continue
        yield RawPost(
            platform="document",
            id=Sealed(f"{own}:{n}"),
            author=Sealed(settings.author or own),
            text=Sealed(passage),
            created=created,
            thread=Sealed(own),
            kind="document",
        )


def _passages(entry: Entry) -> Iterator[str]:
    """The paragraphs, a heading with what follows it."""
    held: list[str] = []
    for paragraph in _paragraphs(entry):
        held.append(paragraph)
        if len(paragraph.split()) > _HEADING_WORDS:
            yield "\n".join(held)
            held = []
    if held:
        yield "\n".join(held)


def _paragraphs(entry: Entry) -> Iterator[str]:
    """Word and HTML say what a paragraph is; in plain text blank lines part them, or each long line is one."""
    said = [line.strip() for line in paragraphs(entry)]
    if is_marked(entry) or sum(len(line) > _WRAP for line in said) > sum(0 < len(line) <= _WRAP for line in said):
        yield from filter(None, said)
        return
    held: list[str] = []
    for line in [*said, ""]:
        if line:
            held.append(line)
        elif held:
            yield "\n".join(held)
            held = []
