"""
Zeeschuimer's NDJSON: what its browser extension captured while somebody looked at a platform.

TikTok, Instagram, X, Threads, Facebook and LinkedIn, posts and comments; other platforms as far as their
items say who said what and when. What the file says about the collecting browser is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from . import RawPost, Skip, UnreadableExport
from ._captured import posts
from ._files import Entry, ending, guess_encoding, head
from ._stream import loads, records, text_of

VERSION = "1"
_ENDINGS = (".ndjson", ".jsonl", ".json")
_KEYS = ('"source_platform"', '"timestamp_collected"', '"data"')


class Settings(BaseModel, extra="forbid", frozen=True):
    """How to read a capture. `platforms`, where given, are the only ones taken ("tiktok.com")."""

    platforms: tuple[str, ...] = ()


def sniff(path: Path) -> bool:
    """Whether *path* is NDJSON of Zeeschuimer, packed or not."""
    try:
        return any(_is_ours(entry) for entry in ending(path, *_ENDINGS)[:50])
    except (UnreadableExport, OSError):
        return False


def _is_ours(entry: Entry) -> bool:
    data = head(entry)
    first = data.decode(guess_encoding(data), "replace").lstrip("\ufeff \r\n").partition("\n")[0]
    if not first.startswith("{"):
        return False
    # A first line may be longer than what is looked at; its keys then stand before the data.
    found = loads(first)
    if isinstance(found, Skip):
        return sum(key in first for key in _KEYS) == len(_KEYS) and len(data) > len(first) // 2
    return "source_platform" in found and "timestamp_collected" in found and isinstance(found.get("data"), dict)


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The captured posts and comments, each a RawPost or a Skip; a line of comments gives each of them.

    Raises UnreadableExport when *path* holds no such capture.
    """
    found = [entry for entry in ending(path, *_ENDINGS) if _is_ours(entry)]
    if not found:
        msg = f"{path.name}: line 1 is no item of Zeeschuimer; export it there again as .ndjson"
        raise UnreadableExport(msg)
    for entry in found:
        for record in records(entry):
            yield from [record] if isinstance(record, Skip) else _items(record, settings)


def _items(record: dict[str, object], settings: Settings) -> Iterator[RawPost | Skip]:
    platform, data = text_of(record.get("source_platform")), record.get("data")
    if settings.platforms and platform not in settings.platforms:
        yield Skip("another platform")
    elif not isinstance(data, dict):
        yield Skip("an item of a shape that is not known")
    else:
        yield from posts(platform, data)
