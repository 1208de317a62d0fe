"""The project key: found, made once, refused when weak or badly kept, and never shown."""

from __future__ import annotations

import base64
import copy
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import Sealed
from ethics.keys import KeyRefused, ProjectKey
from ethics.policy import Refused
from ethics.seal import Seal

SECRET = bytes(range(100, 132))


def find(home: Path, told: list[str] | None = None, **environ: str) -> ProjectKey:
    said = [] if told is None else told
    return ProjectKey.find(home=home, notice=said.append, environ=environ)


@pytest.mark.parametrize(
    "text",
    [
        "", "geheim", "0" * 64, "ab" * 32, "abcdefgh" * 4, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "kort maar divers 1",
        base64.b64encode(b"\0" * 32).decode(), "12345678901234567890",
    ],
    ids=range(9),
)  # fmt: skip
def test_weak_keys_are_refused(tmp_path: Path, text: str) -> None:
    """A short or regular key is refused by its place, with what is needed instead, and is not shown."""
    with pytest.raises(KeyRefused, match=r"VELDWERK_KEY: .*32 random bytes") as refused:
        find(tmp_path, VELDWERK_KEY=text)
    assert not text or text not in str(refused.value)
    assert isinstance(refused.value, Refused)


def test_a_key_may_be_hex_base64_or_a_long_passphrase(tmp_path: Path) -> None:
    """The same bytes are one key however they are written; a passphrase of some length is one as well."""
    written = [SECRET.hex(), SECRET.hex().upper(), f" {SECRET.hex()}\n", base64.b64encode(SECRET).decode()]
    assert len({find(tmp_path, VELDWERK_KEY=w).derive("store") for w in written}) == 1
    phrase = "vier fietsen staan scheef tegen de brug"
    assert find(tmp_path, VELDWERK_KEY=phrase).derive("store") != ProjectKey(SECRET).derive("store")


def test_a_key_is_made_once_with_a_notice(tmp_path: Path) -> None:
    """Without a key one is made where it is told, private from the start, and found again in silence."""
    told: list[str] = []
    file = tmp_path / "apart" / "key"
    first = find(tmp_path / "home", told, VELDWERK_KEY_FILE=str(file))
    again = find(tmp_path / "home", told, VELDWERK_KEY_FILE=str(file))
    assert first.derive("store") == again.derive("store")
    assert len(told) == 1
    assert str(file) in told[0]
    assert file.read_text().strip() not in told[0]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["key"]


def test_the_default_file_lies_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless told, the key file is ~/.config/veldwerk/key."""
    monkeypatch.setenv("HOME", str(tmp_path))
    find(tmp_path / "home")
    assert (tmp_path / ".config" / "veldwerk" / "key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says how to put it right."""
    file = tmp_path / "key"
    file.write_text(SECRET.hex())
    file.chmod(mode)
    with pytest.raises(KeyRefused, match=f"chmod 600 {file}"):
        find(tmp_path / "home", VELDWERK_KEY_FILE=str(file))


def test_a_key_in_the_home_is_refused(tmp_path: Path) -> None:
    """Neither made nor read there, whatever the way to it is called."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "way").symlink_to(home)
    for place in (home / "key", tmp_path / "way" / "deeper" / "key"):
        with pytest.raises(KeyRefused, match="in the home"):
            find(home, VELDWERK_KEY_FILE=str(place))
    assert not list(home.rglob("key"))


def test_no_new_key_for_an_old_store(tmp_path: Path) -> None:
    """A home with a store whose key is gone is not given another key."""
    (tmp_path / "corpus.duckdb").write_bytes(b"x")
    with pytest.raises(KeyRefused, match="was made with a project key"):
        find(tmp_path, VELDWERK_KEY_FILE=str(tmp_path.parent / "nowhere" / "key"))
    assert not (tmp_path.parent / "nowhere").exists()


def test_the_status_makes_nothing(tmp_path: Path) -> None:
    """Asking how the key is makes none, and tells what is wrong with one."""
    file = tmp_path / "key"
    assert ProjectKey.status(home=tmp_path / "h", environ={"VELDWERK_KEY_FILE": str(file)})[0] == "new"
    assert not file.exists()
    assert ProjectKey.status(home=tmp_path, environ={"VELDWERK_KEY": "x"})[0] == "refused"
    assert ProjectKey.status(home=tmp_path, environ={"VELDWERK_KEY": SECRET.hex()}) == ("ok", "VELDWERK_KEY")


def test_a_key_does_not_print_copy_or_pickle() -> None:
    """The secret is in no representation."""
    key = ProjectKey(SECRET)
    assert SECRET.hex() not in f"{key} {key!r}"
    assert repr(SECRET) not in repr(key)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            way(key)


@given(st.sampled_from(["store", "vault", "audit", "cursor", "case"]), st.text(max_size=9), st.binary(max_size=9))
def test_derived_keys_are_apart(purpose: str, case: str, salt: bytes) -> None:
    """Another purpose, case or salt gives another key; none is the secret."""
    key = ProjectKey(SECRET)
    made = key.derive(purpose, case, salt)  # type: ignore[arg-type]
    others = [key.derive("backup"), key.derive(purpose, case + "x", salt), key.derive(purpose, case, salt + b"x")]  # type: ignore[arg-type]
    assert len({made, SECRET, *others}) == 5


@given(st.text())
def test_a_cursor_opens_to_what_was_closed(state: str) -> None:
    """What is sealed comes back; two sealings of it differ; a changed or foreign one is refused."""
    seal = Seal(ProjectKey(SECRET).derive("cursor"))
    closed, again = seal(Sealed(state)), seal(Sealed(state))
    assert seal.open(closed).reveal() == state
    assert closed != again
    for wrong in (closed[:-1] + bytes([closed[-1] ^ 1]), b"", closed[:5]):
        with pytest.raises(Refused):
            seal.open(wrong)
    with pytest.raises(Refused):
        Seal(os.urandom(32)).open(closed)
