"""
"Download your information" of Facebook and Instagram, as JSON: what one person posted and answered.

Group posts and comments first of all, and the account's own posts and comments. The files name no ids, so
an id is a digest of what, when and which words. Facebook writes UTF-8 as if it were Latin-1; that is undone.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from . import RawPost, Sealed, Skip, UnreadableExport
from ._captured import dig
from ._files import Entry, entries, guess_encoding, head
from ._stream import CutOff, moment, pieces, sound, text_of

VERSION = "1"
_LISTS = re.compile(
    r'"(?:group_posts(?:_v2)?|group_comments(?:_v2)?|comments_v2|comments_media_comments|activity_log_data)"\s*:'
)
_POST_LIST = re.compile(r'\A\s*\[\s*\{.{0,2000}?"(?:timestamp|creation_timestamp)"\s*:\s*\d{9,13}\b', re.DOTALL)
_COMMENT_LIST = re.compile(r'\A\s*(?:\[|\{\s*"comments_\w+"\s*:\s*\[)\s*\{.{0,4000}?"string_map_data"', re.DOTALL)
_FILES = re.compile(
    r"(?:your_posts(?:_in_groups|_and_comments_in_groups|__check_ins__photos_and_videos)?(?:_\d+)?"
    r"|your_comments_in_groups|group_posts_and_comments|group_interactions_posts|comments(?:_and_reactions)?(?:_\d+)?"
    r"|posts_\d+|post_comments(?:_\d+)?|reels_comments|group_posts|group_comments)\.json"
)
_DEEP = 6


class Settings(BaseModel, extra="forbid", frozen=True):
    """How to read a download. `author` is a code name for the account's holder, where the download has none."""

    author: str = ""


def sniff(path: Path) -> bool:
    """Whether *path* is such a download, or a file of posts or comments of one."""
    try:
        return any(_is_ours(entry) for entry in _candidates(path)[:200])
    except (UnreadableExport, OSError):
        return False


def _candidates(path: Path) -> list[Entry]:
    found = entries(path)
    return [e for e in found if not e.member or _FILES.fullmatch(e.name)]


def _is_ours(entry: Entry) -> bool:
    data = head(entry, 16 * 1024)
    text = data.decode(guess_encoding(data), "replace").lstrip("\ufeff")
    if not text.lstrip().startswith(("{", "[")):
        return False
    has_posts = bool(_POST_LIST.match(text)) and bool(re.search(r'"(?:data|media|attachments)"\s*:', text))
    return bool(_LISTS.search(text)) or has_posts or bool(_COMMENT_LIST.match(text))


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The posts and comments of a download, each a RawPost or a Skip; reactions and other activity are skipped.

    Raises UnreadableExport when there is none, as in a download as HTML.
    """
    found = [entry for entry in _candidates(path) if _is_ours(entry)]
    if not found:
        msg = f"{path.name}: holds no posts or comments as JSON; ask for the download again with format JSON"
        raise UnreadableExport(msg)
    reader = _Reader(settings.author or _holder(path) or "account holder")
    for entry in found:
        yield from reader.entry(entry)


def _holder(path: Path) -> str:
    """The name of the account's holder, where the download has a profile."""
    for entry in entries(path):
        if entry.name in {"profile_information.json", "personal_information.json"}:
            try:
                for where, value in pieces(entry, lambda w: len(w) < _DEEP):
                    if where[-2:] in {("name", "full_name"), ("Username", "value"), ("Gebruikersnaam", "value")}:
                        return _mended(value)
            except UnreadableExport:
                return ""
    return ""


def _into(where: tuple[str, ...]) -> bool:
    return len(where) < _DEEP and "*" not in where


class _Reader:
    """A download while it is read: whose it is, and how often the same words came."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._times: Counter[str] = Counter()

    def entry(self, entry: Entry) -> Iterator[RawPost | Skip]:
        platform = "instagram" if _is_instagram(entry) else "facebook"

        sound(entry, _into)
        try:
            for where, value in pieces(entry, _into):
                if where[-1:] == ("*",):
                    yield self._item(platform, value) if isinstance(value, dict) else Skip("not a post")
        except CutOff:
            yield Skip("the export breaks off here")

    def _item(self, platform: str, raw: dict[str, Any]) -> RawPost | Skip:
        comment = _comment(raw)
        text = _mended(comment.get("comment") or _post_text(raw))
        created = next((m for m in map(moment, _times(raw, comment)) if m), None)
        media = _media(raw)
        if created is None:
            return Skip("no usable date")
        if not text.strip() and not media:
            return Skip("no words or media of the account's holder")
        author = _mended(comment.get("author")) or self._holder
        place = _mended(comment.get("group")) or _group(_mended(raw.get("title")))
        same = _digest(platform, author, str(created.timestamp()), text, *media)
        self._times[same] += 1
        native = _digest(same, str(self._times[same]))
        return RawPost(
            platform=platform,
            id=Sealed(native),
            author=Sealed(author),
            text=Sealed(text),
            created=created,
            thread=Sealed(_digest(platform, "group", place) if place else native),
            media=media,
        )


def _is_instagram(entry: Entry) -> bool:
    data = head(entry, 16 * 1024)
    return b"string_map_data" in data or (b'"creation_timestamp"' in data and b'"data"' not in data)


def _comment(raw: dict[str, Any]) -> dict[str, Any]:
    """The comment in an entry: Facebook's, or Instagram's under names in the account's language."""
    found = next((c for d in _list(raw.get("data")) if isinstance(c := d.get("comment"), dict)), None)
    if found:
        return found
    cells = raw.get("string_map_data")
    if not isinstance(cells, dict):
        return {}
    words = [text_of(dig(c, "value")) for key, c in cells.items() if _mended(key) in _COMMENT_WORDS]
    times = [dig(c, "timestamp") for c in cells.values() if isinstance(c, dict) and c.get("timestamp")]
    return {"comment": next(iter(words), ""), "timestamp": next(iter(times), None)}


_COMMENT_WORDS = {"Comment", "Opmerking", "Reactie", "Kommentar", "Commentaire", "Comentario", "Commento"}


def _post_text(raw: dict[str, Any]) -> str:
    words = [text_of(d.get("post")) for d in _list(raw.get("data"))]
    if any(words):
        return "\n".join(filter(None, words))
    # Instagram: the words of a post stand with its media, when it has one, and above them when it has more.
    if "timestamp" not in raw and (own := text_of(raw.get("title"))):
        return own
    return "\n".join(filter(None, (text_of(m.get("title")) for m in _list(raw.get("media")))))


def _times(raw: dict[str, Any], comment: dict[str, Any]) -> Iterator[object]:
    yield comment.get("timestamp")
    yield from (raw.get(key) for key in ("timestamp", "creation_timestamp"))
    yield from (m.get("creation_timestamp") for m in _list(raw.get("media")))


def _media(raw: dict[str, Any]) -> tuple[str, ...]:
    addresses = [text_of(m.get("uri")) for m in _list(raw.get("media"))]
    for attachment in _list(raw.get("attachments")):
        addresses += [text_of(dig(d, "media.uri")) for d in _list(attachment.get("data"))]
    is_video = [a.casefold().endswith((".mp4", ".mov", ".webm")) for a in addresses if a]
    return tuple(dict.fromkeys("video" if video else "photo" for video in is_video))


def _group(title: str) -> str:
    """The group in a heading such as "Ann posted in Buurt Noord."; empty when it names none."""
    found = re.search(r"\b(?:posted in|heeft iets geplaatst in|geplaatst in|hat in) (.+?)(?: gepostet)?\.?$", title)
    return found[1] if found else ""


def _list(value: object) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _mended(value: object) -> str:
    """A text whose UTF-8 bytes were written as Latin-1 characters, made whole again."""
    text = text_of(value)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
