"""Payloads that are not what the platform's documentation promises become one error, with nothing of them in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from . import PlatformUnreachable

__all__ = ["moment", "shaped"]


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
