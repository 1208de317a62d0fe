"""Each test has a home of its own, in which the limits of platforms are kept."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "home"))
    for name in ("MASTODON_ACCESS_TOKEN", "BLUESKY_HANDLE", "DISCOURSE_API_KEY", "REDDIT_USER_AGENT"):
        monkeypatch.delenv(name, raising=False)
