"""
WhatsApp's "Export chat": a text file, or a zip with the text and the media; Android and iOS, any language's dates.

A message has no id, no zone and no reply in these files. The id is a digest of chat, author, time, text
and how often that came before, so that the same message in a later export is the same post. A chat is
cut into threads where it is silent for `thread_gap_hours`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, Field, field_validator

from . import Mark, RawPost, Sealed, Skip, UnreadableExport
from ._files import Entry, TooLong, encoding_of, entries, guess_encoding, head, lines
from ._whatsapp_lines import Header, Style, header, survey
from ._whatsapp_words import is_system_author, said, visible

VERSION = "1"
LONGEST = 200_000
"""The longest message, in characters; WhatsApp itself stops at 65,536."""
_REMEMBERED = 20_000


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    How to read a chat.

    `timezone` is that of the phone. `date_order` is "auto" unless the file leaves it open. `chat` is a
    code name for the chat where its file does not bear the name that WhatsApp gave it. After
    `thread_gap_hours` without a message a new thread begins; 0 makes the whole chat one thread.
    """

    timezone: str = "Europe/Amsterdam"
    date_order: Literal["auto", "dmy", "mdy", "ymd", "ydm"] = "auto"
    chat: str = ""
    thread_gap_hours: float = Field(default=8.0, ge=0)

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            msg = "no such time zone; write it like Europe/Amsterdam"
            raise ValueError(msg)
        return name


def sniff(path: Path) -> bool:
    """Whether *path* is a chat export of WhatsApp, or an archive or folder that holds one."""
    try:
        return any(_begins_like_a_chat(entry) for entry in _chats(path))
    except (UnreadableExport, OSError):
        return False


def _begins_like_a_chat(entry: Entry) -> bool:
    data = head(entry)
    first = data.decode(guess_encoding(data), "replace").splitlines()[:200]
    found = [h is not None for line in first if line.strip() and not line.startswith("{") for h in [header(line)]]
    return any(found[:3]) or (len(found) > 3 and sum(found) > len(found) // 3)


def _chats(path: Path) -> list[Entry]:
    """The chat texts at *path*: those named as WhatsApp names them, else every text file."""
    texts = [e for e in entries(path) if not e.member or e.name.casefold().endswith(".txt")]
    named = [e for e in texts if e.name == "_chat.txt" or _OWN_NAME.match(PurePosixPath(e.name).stem)]
    return named or texts


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip | Mark]:
    """
    The messages of the chat (or chats) at *path*, each a RawPost or a Skip.

    Raises UnreadableExport when no line of it begins a message. A Mark counts `date order assumed` when
    the dates could be read otherwise; `date_order` settles it.
    """
    chats = [e for e in _chats(path) if not e.member or _begins_like_a_chat(e)]
    if not chats:
        msg = f"{path.name}: holds no text file of a WhatsApp chat; choose 'Export chat' in WhatsApp and import that"
        raise UnreadableExport(msg)
    for entry in chats:
        yield from _read_chat(entry, settings)


def _read_chat(entry: Entry, settings: Settings) -> Iterator[RawPost | Skip | Mark]:
    encoding = encoding_of(entry)
    style = survey(lines(entry, LONGEST, encoding))
    if style is None:
        msg = f"{entry}: line 1 and those after it do not begin as messages of WhatsApp do; export the chat again"
        raise UnreadableExport(msg)
    if settings.date_order != "auto":
        style = Style(style.style, settings.date_order, assumed=False)
    if style.assumed:
        yield Mark(counts={"date order assumed": 1})
    chat = _Chat(settings, style, settings.chat or _chat_name(entry))
    for start, text in _messages(lines(entry, LONGEST, encoding), style):
        yield chat.item(start, text)


def _messages(found: Iterator[str], style: Style) -> Iterator[tuple[Header | None, str | None]]:
    """
    Each message as its header and the rest.

    There is no header for what stands before the first message, and no text where it is too long.
    """
    start: Header | None = None
    held: list[str] = []
    size = 0
    for line in found:
        began = header(line)
        if began is not None and began.style == style.style:
            if start is not None or any(map(str.strip, held)):
                yield start, "\n".join(held) if size <= LONGEST else None
            start, held, size = began, [], 0
            line = line.__class__(line[began.end :])
        size += LONGEST + 1 if isinstance(line, TooLong) else len(line) + 1
        if size <= LONGEST or not held:
            held.append(line)
    if start is not None or any(map(str.strip, held)):
        yield start, "\n".join(held) if size <= LONGEST else None


_SENDER = re.compile(r"(?P<name>[^\n]{1,150}?)[ \u00a0\u202f]?:(?: |\u00a0|$|(?=\n))", re.MULTILINE)
_PHONE = re.compile(r"\+\d[\d ().\u00a0\u2011-]{6,22}")
_OWN_NAME = re.compile(
    r"(?=.*WhatsApp)(?:.*?\b(?:with|met|mit|con|avec|com)|WhatsApp[ -]chat -) (?P<name>.+?)(?: ?\(\d+\))?$",
    re.IGNORECASE,
)


def _chat_name(entry: Entry) -> str:
    """The chat's name as WhatsApp wrote it into the name of the text or the archive; empty when it did not."""
    names = (PurePosixPath(entry.name).stem, entry.path.stem if entry.path.is_file() else entry.path.name)
    return next((found["name"] for n in names if (found := _OWN_NAME.match(n))), "")


class _Chat:
    """One chat while it is read: what must be remembered from message to message."""

    def __init__(self, settings: Settings, style: Style, name: str) -> None:
        self._zone = ZoneInfo(settings.timezone)
        self._gap = timedelta(hours=settings.thread_gap_hours)
        self._order, self._name = style.order, name
        self._times: Counter[str] = Counter()
        self._recent: deque[str] = deque()
        self._last: datetime | None = None
        self._thread = _digest(name)

    def item(self, start: Header | None, text: str | None) -> RawPost | Skip:
        """The post in one message, or why there is none."""
        if start is None:
            return Skip("text before the first message")
        if text is None:
            return Skip("message too long")
        local = start.when(self._order)
        if local is None:
            return Skip("impossible date or time")
        created = self._utc(local)
        sender = _SENDER.match(text)
        if sender is None or is_system_author(sender["name"]):
            return Skip("system message")
        content = said(text[sender.end() :])
        if content.skip:
            return Skip(content.skip)
        names = _person(sender["name"])
        if not names[0]:
            return Skip("system message")
        return self._post(names, local, created, content.text, content.media, content.mentions)

    def _post(
        self,
        names: tuple[str, ...],
        local: datetime,
        created: datetime,
        text: str,
        media: tuple[str, ...],
        mentions: tuple[str, ...],
    ) -> RawPost:
        # Not the media: an export without them says "left out" where one with them names a photo.
        same = _digest(self._name, names[0], local.isoformat(), text)
        native = _digest(same, str(self._count(same)))
        if self._gap and (self._last is None or created - self._last > self._gap):
            self._thread = _digest(self._name, native)
        self._last = max(created, self._last or created)
        return RawPost(
            platform="whatsapp",
            id=Sealed(native),
            author=Sealed(names[0]),
            text=Sealed(text),
            created=created,
            thread=Sealed(self._thread),
            aliases=tuple(map(Sealed, dict.fromkeys(names))),
            mentions=tuple(Sealed(_person(m)[0]) for m in mentions),
            media=media,
        )

    def _count(self, same: str) -> int:
        """How often this very message came before, among the last ones: memory stays bounded in any chat."""
        count = self._times[same]
        self._times[same] += 1
        self._recent.append(same)
        if len(self._recent) > _REMEMBERED:
            oldest = self._recent.popleft()
            self._times[oldest] -= 1
            if not self._times[oldest]:
                del self._times[oldest]
        return count

    def _utc(self, local: datetime) -> datetime:
        """
        The moment of a *local* time. In the hour that autumn repeats, the second pass is meant where the
        first would go back in time; a time in the hour that spring leaves out counts on from winter time.
        """
        first = local.replace(tzinfo=self._zone).astimezone(UTC)
        second = local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        return second if self._last is not None and first < self._last <= second else first


def _person(name: str) -> tuple[str, ...]:
    """
    A sender's names, the stable one first: without invisible marks, phone numbers without their spaces.

    The "~" of somebody outside the contacts stays in the first, since a contact may have the same name.
    """
    bare = re.sub(r"[ \u00a0\u202f]+", " ", visible(name)).strip()
    if _PHONE.fullmatch(bare):
        return "+" + re.sub(r"\D", "", bare), bare
    if re.fullmatch(r"\d{8,15}", bare):
        return (f"+{bare}",)
    return (bare, bare.removeprefix("~").strip()) if bare.startswith("~") else (bare,)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
