"""
4CAT's results: its CSV, its NDJSON of captured or imported items, and Twitter's own JSON of the search API.

4CAT writes UTC. Its pseudonymised results carry digests for authors, which stay what they are: names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from . import RawPost, Sealed, Skip, UnreadableExport
from ._captured import platform_name, posts
from ._dates import moment_of
from ._files import Entry, ending, guess_encoding, head
from ._rows import heading, rows
from ._stream import CutOff, loads, pieces, records, sound, text_of
from ._text import joined

NAME = "4cat"
VERSION = "1"
_ENDINGS = (".csv", ".tsv", ".ndjson", ".jsonl", ".json")
_COLUMNS = {"id", "thread_id", "body", "timestamp"}
_META = "__import_meta"
_CONTAINERS = {(), ("statuses",)}
_UTC = ZoneInfo("UTC")
_NOBODY = {"", "REDACTED", "[deleted]"}


class Settings(BaseModel, extra="forbid", frozen=True):
    """How to read a result. `platform` names the platform where the result does not say it in an address."""

    platform: str = ""


def sniff(path: Path) -> bool:
    """Whether *path* is a result of 4CAT, packed or not."""
    try:
        return any(_shape(entry) for entry in ending(path, *_ENDINGS)[:50])
    except (UnreadableExport, OSError):
        return False


def _shape(entry: Entry) -> str:
    """ "csv", "items", "mapped" or "tweets"; empty when it is none of these."""
    data = head(entry)
    text = data.decode(guess_encoding(data), "replace").lstrip("\ufeff \r\n\t")
    if not text.startswith("{"):
        return "csv" if set(heading(entry)) >= _COLUMNS else ""
    found = loads(text.partition("\n")[0])
    if isinstance(found, dict):
        if _META in found:
            return "items"
        if found.keys() >= _COLUMNS:
            return "mapped"
    elif f'"{_META}"' in text and "\n" not in text.strip():
        return "items"
    return "tweets" if '"statuses"' in text and '"search_metadata"' in text else ""


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """The items of a result, each a RawPost or a Skip. Raises UnreadableExport when *path* holds none."""
    found = [(entry, shape) for entry in ending(path, *_ENDINGS) if (shape := _shape(entry))]
    if not found:
        msg = f"{path.name}: line 1 is not that of a result of 4CAT; download it there again as CSV or NDJSON"
        raise UnreadableExport(msg)
    for entry, shape in found:
        yield from _READERS[shape](entry, settings)


def _csv(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    for row in rows(entry):
        yield row if isinstance(row, Skip) else _mapped_post(row, settings)


def _mapped(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    for record in records(entry):
        yield record if isinstance(record, Skip) else _mapped_post(record, settings)


def _items(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    for record in records(entry):
        if isinstance(record, Skip):
            yield record
            continue
        meta = record.pop(_META, None)
        source = text_of(meta.get("source_platform")) if isinstance(meta, dict) else ""
        yield from posts(settings.platform or source or "unknown", record)


def _tweets(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    sound(entry, _CONTAINERS.__contains__)
    try:
        for where, value in pieces(entry, _CONTAINERS.__contains__):
            if where == ("statuses", "*"):
                yield from posts("twitter", value) if isinstance(value, dict) else [Skip("not a tweet")]
    except CutOff:
        yield Skip("the export breaks off here")


_READERS = {"csv": _csv, "mapped": _mapped, "items": _items, "tweets": _tweets}


def _mapped_post(row: dict[str, Any], settings: Settings) -> RawPost | Skip:
    """A row as 4CAT maps every platform's items: the same names for what all have."""
    native = _cell(row, "id", "item_id")
    created = _created(row)
    text = joined(_cell(row, "subject", "title"), _cell(row, "body"))
    if not native or created is None:
        return Skip("no id or date")
    media = tuple(kind for kind, names in _MEDIA.items() if _cell(row, *names))
    if not text and not media:
        return Skip("empty message")
    author = _cell(row, "author", "author_name", "username")
    thread, answered = _cell(row, "thread_id"), _cell(row, "reply_to", "parent_id", "in_reply_to")
    names = [n for n in (_cell(row, "author_fullname", "author_full", "author_name"), _cell(row, "author_id")) if n]
    return RawPost(
        platform=platform_name(settings.platform) if settings.platform else _platform(row),
        id=Sealed(native),
        author=Sealed(f"unknown {native}" if author in _NOBODY else author),
        text=Sealed(text),
        created=created,
        thread=Sealed(thread or answered or native),
        reply_to=Sealed(answered) if answered and answered != native else None,
        aliases=tuple(Sealed(n) for n in dict.fromkeys(names) if n != author and n not in _NOBODY),
        mentions=tuple(Sealed(n) for n in dict.fromkeys(re.split(r"[,\s]+", _cell(row, "mentions", "mentioned"))) if n),
        permalink=Sealed(link) if (link := _link(row)) else None,
        language=_cell(row, "language_guess", "lang", "language")[:8] or None,
        media=media,
    )


_MEDIA = {
    "photo": ("image_url", "image_urls", "images", "image_file", "image_md5", "media_url"),
    "video": ("video_url", "videos", "video_urls", "tiktok_url", "video_thumb_url"),
}
_LINKS = ("url", "link", "post_url", "tiktok_url", "permalink", "message_link", "4chan_url", "reddit_url")


def _cell(row: dict[str, Any], *names: str) -> str:
    """The first of these cells that holds something."""
    for name in names:
        value = row.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return text_of(str(value)).strip()
    return ""


def _created(row: dict[str, Any]) -> datetime | None:
    return moment_of(_cell(row, "unix_timestamp"), _UTC) or moment_of(_cell(row, "timestamp"), _UTC)


def _link(row: dict[str, Any]) -> str:
    return next((link for name in _LINKS if (link := _cell(row, name)).startswith("http")), "")


def _platform(row: dict[str, Any]) -> str:
    """The platform, from the address of the item; "4cat" when there is none."""
    try:
        host = urlsplit(_link(row)).hostname or ""
    except ValueError:
        return "4cat"
    return platform_name(".".join(host.split(".")[-2:])) if host else "4cat"
