"""
A collector's own sealed values, handed back to the platform they came from.

What a collector sealed (a cursor, a native id) it may open again to ask the platform on; nothing else
in this package reads a `Sealed`, and what is opened here goes into a request, never into a log.
"""

from __future__ import annotations

import json
from typing import Any

from . import Sealed

__all__ = ["native", "opened", "sealed"]


def native(value: Sealed) -> str:
    """The native id or handle that goes back into a request to its own platform."""
    return value._value


def opened(cursor: Sealed | None) -> dict[str, Any]:
    """The state that `sealed` closed in an earlier run; empty at first, and when it is not ours to read."""
    if cursor is None:
        return {}
    try:
        state = json.loads(native(cursor))
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def sealed(state: dict[str, Any]) -> Sealed:
    """This state as a cursor for a `Mark`."""
    return Sealed(json.dumps(state, separators=(",", ":"), sort_keys=True))
