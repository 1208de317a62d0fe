"""The project key in the computer's keyring; skipped where the `keyring` extra is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethics.keys import KeyRefused

from .test_keys import find

keyring = pytest.importorskip("keyring", reason="the keyring extra is not installed")
backend = pytest.importorskip("keyring.backend")
fail = pytest.importorskip("keyring.backends.fail")


class Memory(backend.KeyringBackend):
    """A keyring that holds what it is given."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def test_the_keyring_keeps_the_key_when_asked_to(tmp_path: Path) -> None:
    """With VELDWERK_KEYRING=1 a key is made in the keyring once, and no file; one that does not work is refused."""
    before = keyring.get_keyring()
    told: list[str] = []
    try:
        keyring.set_keyring(Memory())
        first = find(tmp_path, told, VELDWERK_KEYRING="1", VELDWERK_KEY_FILE=str(tmp_path / "key"))
        assert find(tmp_path, told, VELDWERK_KEYRING="1").derive("store") == first.derive("store")
        assert len(told) == 1
        assert not list(tmp_path.iterdir())
        keyring.set_keyring(fail.Keyring())
        with pytest.raises(KeyRefused, match="NoKeyringError"):
            find(tmp_path, VELDWERK_KEYRING="1")
    finally:
        keyring.set_keyring(before)
