"""Payloads that are not what the platform's documentation promises become one error, with nothing of them in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from . import PlatformUnreachable, RawPost
from ._cursor import native

__all__ = ["moment", "shaped", "sound"]


@contextmanager
def shaped(platform: str) -> Iterator[None]:
    """Inside, a payload is taken apart: what is missing or of another kind raises PlatformUnreachable."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError):
        msg = f"{platform} sent an answer in a shape that this collector does not know; nothing of it is kept"
        raise PlatformUnreachable(msg) from None


def moment(stamp: str) -> datetime:
    """An ISO 8601 time stamp as an aware time; one without a zone is UTC."""
    found = datetime.fromisoformat(stamp)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def sound(post: RawPost) -> RawPost:
    """The post, if everything sealed in it is text; to be called within `shaped`, which maps the TypeError."""
    sealed = (post.id, post.author, post.text, post.thread, post.reply_to, post.permalink)
    for value in (*sealed, *post.aliases, *post.mentions):
        if value is not None and not isinstance(native(value), str):
            raise TypeError
    return post
