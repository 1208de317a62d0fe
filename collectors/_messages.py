"""Telegram's messages, as Telethon hands them out, as posts of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import RawPost, Sealed

__all__ = ["Place", "raw_post", "skip_reason", "thread_of"]

KINDS = (
    ("photo", "photo"),
    ("voice", "audio"),
    ("audio", "audio"),
    ("video_note", "video"),
    ("sticker", "sticker"),
    ("gif", "video"),
    ("video", "video"),
    ("document", "file"),
    ("geo", "location"),
    ("contact", "contact"),
    ("poll", "poll"),
)
"""What a message carries, the more telling kind first: Telethon calls a sticker a document too."""


@dataclass(frozen=True)
class Place:
    """
    The chat that a message stands in.

    `name` is its public name. For a discussion group `channel` is the channel it belongs to, and `copies`
    says which message of the group is the copy of which post: comments belong to the post.
    """

    chat: int
    name: str
    channel: int | None
    copies: dict[int, int]

    def copied(self, message: Any) -> int:
        """The channel post that this message of a discussion group is the copy of; 0 for any other message."""
        forward = message.fwd_from
        origin = getattr(getattr(forward, "from_id", None), "channel_id", None)
        return int(forward.channel_post or 0) if origin is not None and origin == self.channel else 0

    def copy_reason(self, message: Any) -> str | None:
        """Why the copy of a channel post is no post of its own."""
        is_copy = self.channel is not None and message.id in self.copies
        return "copy of a channel post" if is_copy else None

    def address(self, number: int) -> str:
        """The native id of a message here; of a copy, that of the channel post."""
        post = self.copies.get(number)
        return f"{self.channel}:{post}" if post else f"{self.chat}:{number}"


def skip_reason(message: Any) -> str | None:
    """Why a message is left out, if it is."""
    return "a notice of the platform" if getattr(message, "action", None) is not None else None


def thread_of(message: Any) -> int | None:
    """The number of the message, or forum topic, on top of the thread that this one stands in."""
    reply = message.reply_to
    if reply is None or getattr(reply, "reply_to_msg_id", None) is None:
        return None
    return int(reply.reply_to_top_id or reply.reply_to_msg_id)


def raw_post(message: Any, place: Place) -> RawPost:
    """A message as a RawPost; authors are user<number> or channel<number>, as in Telegram's own exports."""
    reply, top = message.reply_to, thread_of(message)
    answered = getattr(reply, "reply_to_msg_id", None)
    if getattr(reply, "forum_topic", False) and not reply.reply_to_top_id:
        answered = None  # it names the topic only, and answers nobody
    if getattr(reply, "reply_to_peer_id", None) is not None:
        answered = top = None  # it quotes a message of another chat
    return RawPost(
        platform="telegram",
        id=Sealed(f"{place.chat}:{message.id}"),
        author=Sealed(_peer(message.from_id) or f"channel{place.chat}"),
        text=Sealed(_text(message)),
        created=message.date,
        thread=Sealed(place.address(top or message.id)),
        reply_to=Sealed(place.address(answered)) if answered else None,
        aliases=tuple(Sealed(n) for n in dict.fromkeys(_names(message))),
        mentions=tuple(Sealed(m) for m in dict.fromkeys(_mentions(message))),
        edited=_edited(message),
        permalink=Sealed(f"https://t.me/{place.name}/{message.id}") if place.name else None,
        media=_media(message),
    )


def _peer(peer: Any) -> str | None:
    """A user or channel as Telegram's exports call it."""
    for kind in ("user", "channel", "chat"):
        number = getattr(peer, f"{kind}_id", None)
        if number is not None:
            return f"{kind}{number}"
    return None


def _text(message: Any) -> str:
    """The text, and of a poll its question and answers."""
    poll = getattr(getattr(message, "media", None), "poll", None)
    if poll is None:
        return message.message or ""
    lines = [_plain(poll.question), *(f"- {_plain(answer.text)}" for answer in poll.answers)]
    return "\n".join([*filter(None, [message.message]), *lines])


def _plain(words: Any) -> str:
    """Poll texts come with their entities in newer layers of the protocol."""
    return str(getattr(words, "text", words))


def _names(message: Any) -> Iterator[str]:
    """Names by which others may address the author, and the signature below a channel post."""
    sender = message.sender
    whole = " ".join(filter(None, [getattr(sender, "first_name", None), getattr(sender, "last_name", None)]))
    names = (whole, getattr(sender, "first_name", None), getattr(sender, "title", None), message.post_author)
    yield from filter(None, (getattr(sender, "username", None), *names))


def _mentions(message: Any) -> Iterator[str]:
    """Who is named: by handle, by account without a handle, and from where a message was forwarded."""
    raw = (message.message or "").encode("utf-16-le")  # entities count UTF-16 units
    for entity in message.entities or ():
        kind = type(entity).__name__
        if kind == "MessageEntityMentionName":
            yield f"user{entity.user_id}"
        elif kind == "MessageEntityMention":
            part = raw[entity.offset * 2 : (entity.offset + entity.length) * 2]
            yield part.decode("utf-16-le", "replace").lstrip("@")
    origin = _peer(getattr(message.fwd_from, "from_id", None))
    if origin:
        yield origin


def _edited(message: Any) -> datetime | None:
    """An edit that the platform does not show (a reaction, a counter) is none."""
    edited: datetime | None = None if message.edit_hide else message.edit_date
    return edited


def _media(message: Any) -> tuple[str, ...]:
    return next(((kind,) for has, kind in KINDS if getattr(message, has, None)), ())
