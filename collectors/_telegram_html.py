"""Telegram Desktop's HTML export: a page of messages, read for what its JSON would have said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import RawPost, Sealed, Skip, UnreadableExport
from ._files import Entry, guess_encoding, opened

PAGE = 64 * 1024 * 1024
"""The largest page, in bytes; Telegram begins a new one after a thousand messages."""
_MEDIA = {
    "photo": "photo",
    "video": "video",
    "animated": "video",
    "voice_message": "audio",
    "audio_file": "audio",
    "sticker": "sticker",
    "poll": "poll",
    "location": "location",
    "live_location": "location",
    "venue": "location",
    "contact": "contact",
    "game": "game",
    "invoice": "invoice",
}
_BREAK = "\n"


def read_page(entry: Entry, timezone: str) -> Iterator[RawPost | Skip]:
    """The messages of one page; UnreadableExport when it holds none or is larger than such pages are."""
    root = _parse(entry)
    chat = _title_digest(root)
    found = root.xpath("//div[contains(concat(' ', @class, ' '), ' message ')]")
    if not found:
        msg = f"{entry}: holds no messages; choose 'Machine-readable JSON' when you export, and import that"
        raise UnreadableExport(msg)
    author = ""
    for message in found:
        if "service" in message.get("class", "").split():
            yield Skip("service message")
            continue
        author = _direct(message, "from_name") or author
        yield _post(message, chat, author, ZoneInfo(timezone))


def _parse(entry: Entry) -> Any:
    from lxml import etree, html

    with opened(entry) as handle:
        data = handle.read(PAGE + 1)
    if len(data) > PAGE:
        msg = f"{entry}: larger than a page of Telegram's; choose 'Machine-readable JSON' when you export"
        raise UnreadableExport(msg)
    text = data.decode(guess_encoding(data), "replace")
    try:
        return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.ParserError, etree.XMLSyntaxError):
        msg = f"{entry}: not HTML; export the chat again"
        raise UnreadableExport(msg) from None


def _title_digest(root: Any) -> str:
    title = "".join(root.xpath("string(//div[contains(@class, 'page_header')]//div[contains(@class, 'text')])"))
    return "html" + hashlib.sha256(title.strip().encode()).hexdigest()[:12]


def _post(message: Any, chat: str, author: str, zone: ZoneInfo) -> RawPost | Skip:
    number = re.fullmatch(r"message(\d+)", message.get("id", ""))
    created = _when(message, zone)
    if number is None or created is None:
        return Skip("no id or date")
    text, media = _direct(message, "text"), _media(message)
    if not text and not media:
        return Skip("empty message")
    reply = message.xpath("string(.//div[contains(@class, 'reply_to')]//a/@href)")
    answered = re.search(r"go_to_message(\d+)", reply)
    own = f"{chat}:{number[1]}"
    return RawPost(
        platform="telegram",
        id=Sealed(own),
        author=Sealed(author or chat),
        text=Sealed(text),
        created=created,
        thread=Sealed(f"{chat}:{answered[1]}" if answered else own),
        reply_to=Sealed(f"{chat}:{answered[1]}") if answered else None,
        aliases=(Sealed(author),) if author else (),
        media=media,
    )


def _direct(message: Any, name: str) -> str:
    """The words of the message's own *name* part, not of a forwarded message within it when there is an own one."""
    parts = message.xpath(f".//div[contains(concat(' ', @class, ' '), ' {name} ')]")
    if not parts:
        return ""
    for line_break in parts[0].iter("br"):
        line_break.tail = _BREAK + (line_break.tail or "")
    lines = (line.strip() for line in str(parts[0].text_content()).strip().split(_BREAK))
    return _BREAK.join(lines)


def _when(message: Any, zone: ZoneInfo) -> datetime | None:
    title = message.xpath("string(.//div[contains(@class, 'date')]/@title)")
    found = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)(?: UTC([+-]\d\d:\d\d))?", title.strip())
    if found is None:
        return None
    day, month, year, *clock = found.groups()
    text = f"{year}-{month}-{day}T{':'.join(clock[:3])}{clock[3] or ''}"
    try:
        local = datetime.fromisoformat(text)
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _media(message: Any) -> tuple[str, ...]:
    names = " ".join(message.xpath(".//div[contains(@class, 'media_wrap')]//@class")).split()
    kinds = [
        kind
        for name in names
        for word, kind in _MEDIA.items()
        if name in {f"media_{word}", f"{word}_wrap", f"media_{word.removesuffix('_message')}"}
    ]
    if names and not kinds:
        kinds = ["file"]
    return tuple(dict.fromkeys(kinds))
