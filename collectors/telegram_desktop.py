"""
Telegram Desktop's "Export chat history" and "Export Telegram data": result.json, or messages.html.

An id is `<chat>:<message>`, an author Telegram's own `user123` or `channel456` (in HTML, which has no ids,
the shown name). Threads are a forum's topics, the replies to a channel's post, and in other groups what
is said between two silences of `thread_gap_hours`; a reply belongs to the thread of what it answers.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, Field, field_validator

from . import RawPost, Sealed, Skip, UnreadableExport
from ._files import Entry, entries, guess_encoding, head
from ._stream import CutOff, moment, pieces, text_of

VERSION = "1"
_CHATS = {("chats",), ("left_chats",)}
_CONTAINERS = {
    (),
    ("messages",),
    *_CHATS,
    *((*c, "list") for c in _CHATS),
    *((*c, "list", "*") for c in _CHATS),
    *((*c, "list", "*", "messages") for c in _CHATS),
}
_MEDIA_TYPES = {
    "sticker": "sticker",
    "video_file": "video",
    "video_message": "video",
    "voice_message": "audio",
    "audio_file": "audio",
    "animation": "video",
}
_MEDIA_KEYS = {
    "photo": "photo",
    "poll": "poll",
    "todo_list": "list",
    "location_information": "location",
    "contact_information": "contact",
    "game_title": "game",
    "invoice_information": "invoice",
    "giveaway_information": "giveaway",
    "giveaway_results": "giveaway",
}


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    How to read an export. `timezone` is that of the exporting computer, for old exports without
    `date_unixtime`. `thread_gap_hours`: see the module; 0 makes a group's talk outside replies one thread.
    """

    timezone: str = "Europe/Amsterdam"
    thread_gap_hours: float = Field(default=8.0, ge=0)

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            msg = "no such time zone; write it like Europe/Amsterdam"
            raise ValueError(msg)
        return name


_KIND = re.compile(
    r'"type"\s*:\s*"(?:personal_chat|bot_chat|saved_messages|replies|verify_codes'
    r'|(?:private|public)_(?:group|supergroup|channel))"'
)


def sniff(path: Path) -> bool:
    """Whether *path* is a result.json or messages.html of Telegram Desktop, or a folder or archive with one."""
    try:
        return any(_is_json(e) or _is_html(e) for e in _parts(path))
    except (UnreadableExport, OSError):
        return False


def _start(entry: Entry) -> str:
    data = head(entry)
    return data.decode(guess_encoding(data), "replace").lstrip("\ufeff \t\r\n")


def _is_json(entry: Entry) -> bool:
    text = _start(entry)
    if not text.startswith("{"):
        return False
    return bool(_KIND.search(text)) or ('"about"' in text and "Telegram" in text and '"personal_information"' in text)


def _is_html(entry: Entry) -> bool:
    text = _start(entry)
    return text.startswith("<!DOCTYPE html>") and "Exported Data" in text and "message" in text


def _parts(path: Path) -> list[Entry]:
    """The files of one export: its result.json where there is one, else its pages in order."""
    found = entries(path)
    if not any(e.member for e in found):
        return found
    json_files = [e for e in found if e.name == "result.json"]
    pages = [e for e in found if re.fullmatch(r"messages\d*\.html", e.name)]
    return json_files or sorted(pages, key=lambda e: (e.member.rpartition("/")[0], _page(e.name)))


def _page(name: str) -> int:
    return int("".join(filter(str.isdigit, name)) or 1)


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The messages of every chat in the export at *path*, each a RawPost or a Skip.

    A file that breaks off gives what is whole and one Skip more. Raises UnreadableExport, before the first
    message, when the file is not JSON or holds no chat.
    """
    parts = _parts(path)
    if not parts:
        msg = f"{path.name}: holds no result.json and no messages.html; export the chat again as JSON"
        raise UnreadableExport(msg)
    for entry in parts:
        if _start(entry).startswith("<"):
            from . import _telegram_html

            yield from _telegram_html.read_page(entry, settings.timezone)
        else:
            _verify(entry)
            yield from _read_json(entry, settings)


def _verify(entry: Entry) -> None:
    """Read the file once without keeping anything, so that a broken one is refused before any of it is stored."""
    seen = False
    try:
        for where, _ in pieces(entry, _CONTAINERS.__contains__):
            seen |= where[-2:] == ("messages", "*")
    except CutOff:
        if not seen:
            raise
        return
    if not seen:
        msg = f"{entry}: holds no list of messages; export the chat again with 'Machine-readable JSON'"
        raise UnreadableExport(msg)


def _read_json(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip]:
    chat = _Chat({}, settings)
    about: dict[str, Any] = {}
    try:
        for where, value in pieces(entry, _CONTAINERS.__contains__):
            if where[-2:] == ("messages", "*"):
                if about:
                    chat, about = _Chat(about, settings), {}
                yield chat.item(value) if isinstance(value, dict) else Skip("not a message")
            elif where[-1] in {"name", "type", "id"}:
                about[where[-1]] = value
    except CutOff:
        yield Skip("the export breaks off here")


class _Chat:
    """One chat while it is read: its id, and which thread each of its messages belongs to."""

    def __init__(self, about: dict[str, Any], settings: Settings) -> None:
        self._id = str(about.get("id", ""))
        self._is_channel = "channel" in str(about.get("type", ""))
        self._zone = ZoneInfo(settings.timezone)
        self._gap = timedelta(hours=settings.thread_gap_hours)
        self._ids, self._threads = array("q"), array("q")
        self._topics: set[int] = set()
        self._last: datetime | None = None
        self._current = 0

    def item(self, raw: dict[str, Any]) -> RawPost | Skip:
        """The post in one message of the export, or why there is none."""
        number = _number(raw.get("id"))
        if raw.get("type") == "service":
            if text_of(raw.get("action")) in {"topic_created", "topic_create"} and number is not None:
                self._topics.add(number)
            return Skip("service message")
        if raw.get("type") != "message":
            return Skip("unsupported message")
        created = self._when(raw, "date")
        if number is None or created is None:
            return Skip("no id or date")
        text, mentions = _text(raw)
        media = _media(raw)
        if not text.strip() and not media:
            return Skip("empty message")
        return self._post(raw, number, created, text, mentions, media)

    def _post(
        self,
        raw: dict[str, Any],
        number: int,
        created: datetime,
        text: str,
        mentions: tuple[str, ...],
        media: tuple[str, ...],
    ) -> RawPost:
        reply = _number(raw.get("reply_to_message_id"))
        thread = self._thread(number, reply, created)
        name, sender = text_of(raw.get("from")), text_of(raw.get("from_id"))
        return RawPost(
            platform="telegram",
            id=Sealed(f"{self._id}:{number}"),
            author=Sealed(sender or name or f"channel{self._id}"),
            text=Sealed(text),
            created=created,
            thread=Sealed(f"{self._id}:{thread}"),
            reply_to=self._reply(raw, reply),
            aliases=(Sealed(name),) if name else (),
            mentions=tuple(map(Sealed, mentions)),
            edited=self._when(raw, "edited"),
            media=media,
        )

    def _reply(self, raw: dict[str, Any], reply: int | None) -> Sealed | None:
        """What it answers; a message that only stands in a topic answers nothing."""
        if reply is None or reply in self._topics:
            return None
        peer = re.fullmatch(r"(?:channel|chat)(\d+)", text_of(raw.get("reply_to_peer_id")))
        return Sealed(f"{peer[1] if peer else self._id}:{reply}")

    def _thread(self, number: int, reply: int | None, created: datetime) -> int:
        """The number of the message that opened this one's thread."""
        silent = self._last is None or (self._gap and created - self._last > self._gap)
        if reply is not None:
            thread = reply if reply in self._topics else self._thread_of(reply)
        elif self._is_channel:
            thread = number
        else:
            thread = self._current = number if silent else self._current
        if reply is None and not self._is_channel:
            self._last = max(created, self._last or created)
        if not self._ids or number > self._ids[-1]:
            self._ids.append(number)
            self._threads.append(thread)
        return thread

    def _thread_of(self, number: int) -> int:
        at = bisect_left(self._ids, number)
        return self._threads[at] if at < len(self._ids) and self._ids[at] == number else number

    def _when(self, raw: dict[str, Any], key: str) -> datetime | None:
        if (found := moment(raw.get(f"{key}_unixtime"))) is not None:
            return found
        try:
            local = datetime.fromisoformat(text_of(raw.get(key)))
            return (local if local.tzinfo else local.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def _number(value: object) -> int | None:
    """A message's number; those outside 63 bits are none of Telegram's."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else None


def _text(raw: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The words of a message, those of its poll, list or contact included, and whom Telegram marked as mentioned."""
    body = raw.get("text")
    parts = body if isinstance(body, list) else [body]
    words: list[str] = []
    mentions: list[str] = []
    for part in parts:
        piece = part if isinstance(part, dict) else {"text": part}
        words.append(text_of(piece.get("text")))
        mentions += _mentioned(piece)
    if isinstance(body, str):
        for piece in _dicts(raw.get("text_entities")):
            mentions += _mentioned(piece)
    if origin := text_of(raw.get("forwarded_from_id")):
        mentions.append(origin)
    return "\n".join(filter(None, ["".join(words), *_more_words(raw)])), tuple(dict.fromkeys(mentions))


def _mentioned(piece: dict[str, Any]) -> list[str]:
    if piece.get("type") == "mention":
        return [text_of(piece.get("text")).removeprefix("@")]
    if piece.get("type") == "mention_name" and piece.get("user_id"):
        return [f"user{piece['user_id']}"]
    return []


def _more_words(raw: dict[str, Any]) -> Iterator[str]:
    for key, title, items in (("poll", "question", "answers"), ("todo_list", "title", "answers")):
        if isinstance(inner := raw.get(key), dict):
            yield text_of(inner.get(title))
            yield from (f"- {text_of(a.get('text'))}" for a in _dicts(inner.get(items)))
    if isinstance(contact := raw.get("contact_information"), dict):
        # Passing on someone's number is a disclosure; the gate keeps that it was one, not the number.
        yield text_of(contact.get("phone_number"))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _media(raw: dict[str, Any]) -> tuple[str, ...]:
    kinds = [kind for key, kind in _MEDIA_KEYS.items() if raw.get(key)]
    if "media_type" in raw or "file" in raw:
        kinds.append(_MEDIA_TYPES.get(str(raw.get("media_type")), "file"))
    return tuple(kinds)
