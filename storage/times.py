"""Moments as the store keeps them: UTC without a zone inside, UTC with its zone outside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def naive(value: Any) -> Any:
    """A moment as the store keeps it: UTC without a zone. Other values pass."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def aware(value: Any) -> Any:
    """A stored moment as the rest of the house knows it: UTC with its zone. Other values pass."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def now() -> datetime:
    """This moment as the store keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)
