"""
The archive that a Mastodon account can ask for: outbox.json with all its posts, in a zip, a tar.gz or a folder.

Posts get the ids that the live collector gives them. Boosts are somebody else's words and are left out;
so are posts that were not public, unless the settings ask for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from . import RawPost, Sealed, Skip, UnreadableExport
from ._captured import dig
from ._files import Entry, entries, guess_encoding, head
from ._stream import CutOff, moment, pieces, sound, text_of
from ._text import joined, plain

VERSION = "1"
_PUBLIC = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
_CONTAINERS = {(), ("orderedItems",)}
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


class Settings(BaseModel, extra="forbid", frozen=True):
    """How to read an archive. `private` also takes what only followers or named people could read."""

    private: bool = False


def sniff(path: Path) -> bool:
    """Whether *path* is a Mastodon archive, or the outbox.json of one."""
    try:
        found = entries(path)
        return any(_is_outbox(e) for e in found if not e.member or e.name == "outbox.json")
    except (UnreadableExport, OSError):
        return False


def _is_outbox(entry: Entry) -> bool:
    data = head(entry)
    text = data.decode(guess_encoding(data), "replace").lstrip("\ufeff \r\n\t")
    return text.startswith("{") and '"OrderedCollection"' in text and '"orderedItems"' in text


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The posts of the account, each a RawPost or a Skip.

    Raises UnreadableExport when *path* holds no outbox, or one that is not JSON.
    """
    found = [e for e in entries(path) if (not e.member or e.name == "outbox.json") and _is_outbox(e)]
    if not found:
        msg = f"{path.name}: holds no outbox.json; ask Mastodon for the archive again under Import and export"
        raise UnreadableExport(msg)
    sound(found[0], _CONTAINERS.__contains__)
    try:
        for where, value in pieces(found[0], _CONTAINERS.__contains__):
            if where == ("orderedItems", "*"):
                yield _item(value, settings) if isinstance(value, dict) else Skip("not a post")
    except CutOff:
        yield Skip("the export breaks off here")


def _item(activity: dict[str, Any], settings: Settings) -> RawPost | Skip:
    note = activity.get("object")
    if activity.get("type") == "Announce":
        return Skip("boost of another's post")
    if not isinstance(note, dict) or text_of(note.get("type")) not in {"Note", "Question", "Article", "Page"}:
        return Skip("not a post")
    seen_by = {a for key in ("to", "cc") for a in _texts(note.get(key))}
    if not settings.private and not seen_by & _PUBLIC:
        return Skip("not public")
    return _post(activity, note)


def _post(activity: dict[str, Any], note: dict[str, Any]) -> RawPost | Skip:
    address = text_of(note.get("id"))
    created = moment(note.get("published")) or moment(activity.get("published"))
    if not address or created is None:
        return Skip("no id or date")
    host = urlsplit(address).hostname or ""
    media = tuple(
        _KINDS.get(text_of(a.get("mediaType")).partition("/")[0], "file") for a in _dicts(note.get("attachment"))
    )
    text = joined(text_of(note.get("summary")), plain(text_of(note.get("content"))), "\n".join(_options(note)))
    if not text and not media:
        return Skip("empty message")
    author = text_of(note.get("attributedTo")) or text_of(activity.get("actor"))
    answered = text_of(note.get("inReplyTo"))
    return RawPost(
        platform="mastodon",
        id=Sealed(_number(address, host)),
        author=Sealed(_handle(author)),
        text=Sealed(text),
        created=created,
        thread=Sealed(text_of(note.get("conversation")) or _number(answered or address, host)),
        reply_to=Sealed(_number(answered, host)) if answered else None,
        aliases=(Sealed(_handle(author).partition("@")[0]),),
        mentions=tuple(Sealed(n) for t in _dicts(note.get("tag")) if t.get("type") == "Mention" for n in _mention(t)),
        edited=moment(note.get("updated")),
        permalink=Sealed(text_of(note.get("url")) or address),
        language=next(iter(found), None) if isinstance(found := note.get("contentMap"), dict) else None,
        media=media,
    )


def _texts(value: object) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _options(note: dict[str, Any]) -> Iterator[str]:
    for key in ("oneOf", "anyOf"):
        yield from (text_of(dig(option, "name")) for option in _dicts(note.get(key)))


def _number(address: str, host: str) -> str:
    """The id of a status on its own server; the whole address when it lies on another."""
    found = re.search(r"/(\d{5,})/?$", urlsplit(address).path)
    return found[1] if found and urlsplit(address).hostname == host else address


def _handle(address: str) -> str:
    """user@host, from the address of a person."""
    parts = urlsplit(address)
    name = parts.path.rstrip("/").rpartition("/")[2].removeprefix("@")
    return f"{name}@{parts.hostname}" if parts.hostname and name else address


def _mention(tag: dict[str, Any]) -> Iterator[str]:
    name = text_of(tag.get("name")).removeprefix("@")
    yield name if "@" in name else _handle(text_of(tag.get("href"))) or name
