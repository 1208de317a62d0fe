"""Where recorded traffic and real exports lie, for the tests that read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("VELDWERK_REAL", Path(__file__).parents[1] / ".." / "shared" / "real"))


def real(path: str = "") -> Path:
    """The recording at *path*; skips the test where the recordings are not on this machine."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"no recordings here: {path or 'the whole folder'} is absent")
    return found
