"""A study that comes back does not bring back whom it was asked to forget."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from collectors import Sealed
from ethics.pseudonyms import Salts
from ethics.rights import erase_posts
from flows.backup import back_up, restore
from flows.errors import WrongUse
from flows.home import Home
from flows.progress import Progress
from storage import Batch, StoreError
from tests.storage.made import CASES, post, posts


class Told(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A study with forty posts, a trail, and the keys of a case."""
    monkeypatch.setenv("VELDWERK_KEY", secrets.token_hex(32))
    home = Home(tmp_path / "fieldwork")
    home.store.add(Batch("all", "made", posts(0, 40)))
    home.pseudonyms(CASES[0]).author("reddit", Sealed("iemand"))
    home.audit.append("collect", posts=40)
    return home


def test_a_study_comes_back_whole(home: Home, tmp_path: Path) -> None:
    """Posts, trail and keys are as they were; the trail goes on with the restoring itself."""
    receipt = back_up(home, tmp_path / "a.backup")
    assert receipt.counts["posts"] == 40
    there = Home(tmp_path / "other")
    told = Told()
    assert restore(there, tmp_path / "a.backup", told, force=False).counts["posts"] == 40
    again = Home(tmp_path / "other")
    assert list(again.store.posts()) == list(home.store.posts())
    assert again.pseudonyms(CASES[0]).author("reddit", Sealed("x")) == home.pseudonyms(CASES[0]).author(
        "reddit", Sealed("x")
    )
    assert [e.event for e in again.audit.entries()] == ["collect", "restore"]
    assert again.audit.verify().whole
    assert told.lines == ["what was erased after this backup was made is not known here: erase it again"]


def test_who_was_erased_after_the_backup_is_erased_again(home: Home, tmp_path: Path) -> None:
    """The old study is kept aside, its trail goes on, and its erasures hold in what comes back."""
    back_up(home, tmp_path / "a.backup")
    gone = [post(0).id, post(4).id]
    assert erase_posts(home.holdings, CASES[0], gone).proven
    receipt = restore(Home(home.root), tmp_path / "a.backup", Told(), force=True)
    assert receipt.counts["erased again"] == 2
    again = Home(home.root)
    assert again.store.count() == 38
    assert set(gone) <= again.store.suppressed(CASES[0])
    assert again.audit.verify().whole
    events = [e.event for e in again.audit.entries()]
    assert events[:3] == ["collect", "backup", "erase"]
    assert events[-1] == "restore"
    assert len(list(tmp_path.glob("fieldwork.before-*"))) == 1


def test_a_destroyed_key_stays_destroyed(home: Home, tmp_path: Path) -> None:
    """Restoring does not make a case linkable again whose key was destroyed."""
    back_up(home, tmp_path / "a.backup")
    Salts(home.root, CASES[0]).destroy()
    restore(Home(home.root), tmp_path / "a.backup", Told(), force=True)
    assert Salts(home.root, CASES[0]).state() == "destroyed"


def test_a_backup_is_put_outside_the_study_and_back_only_where_there_is_room(home: Home, tmp_path: Path) -> None:
    """Wrong uses are told before anything happens."""
    with pytest.raises(WrongUse, match="lies in the study itself"):
        back_up(home, home.root / "a.backup")
    with pytest.raises(WrongUse, match="nothing is stored here yet"):
        back_up(Home(tmp_path / "empty"), tmp_path / "a.backup")
    back_up(home, tmp_path / "a.backup")
    with pytest.raises(WrongUse, match="--force"):
        restore(home, tmp_path / "a.backup", Told(), force=False)
    with pytest.raises(WrongUse, match="no such file"):
        restore(home, tmp_path / "b.backup", Told(), force=True)
    (tmp_path / "c.backup").write_bytes(b"veldwerk backup 1\n" + b"x" * 99)
    with pytest.raises(StoreError, match="nothing was changed"):
        restore(home, tmp_path / "c.backup", Told(), force=True)
    assert home.store.count() == 40


def test_without_the_project_key_no_new_one_is_made(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who restores on a new machine is asked for the key instead of getting a useless new one."""
    back_up(home, tmp_path / "a.backup")
    monkeypatch.delenv("VELDWERK_KEY")
    monkeypatch.setenv("VELDWERK_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(WrongUse, match="set VELDWERK_KEY"):
        restore(Home(tmp_path / "other"), tmp_path / "a.backup", Told(), force=False)
    assert not (tmp_path / "key").exists()
