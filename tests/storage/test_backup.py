"""A backup is the whole study or no backup."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import Store, StoreError
from storage.backup import CHUNK, Backup, back_up, restore

from .made import KEY, filled


def home(folder: Path, size: int = 3 * CHUNK + 17) -> Path:
    """A home with a store, other files worth keeping, and what can be made again."""
    root = folder / "fieldwork"
    filled(root, 50, KEY)
    (root / "keys").mkdir()
    (root / "keys" / "scam-fighters.json").write_text('{"salts": []}')
    (root / "audit.jsonl").write_bytes(random.Random(1).randbytes(size))
    (root / "empty").touch()
    (root / "out").mkdir()
    (root / "out" / "report.html").write_text("made again")
    (root / "prefect").mkdir()
    (root / "prefect" / "prefect.db").write_text("made again")
    return root


def kept(root: Path) -> dict[str, bytes]:
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and p.relative_to(root).parts[0] not in {"out", "prefect", "corpus.duckdb.queue"}
    }


def test_a_backup_brings_back_every_byte(tmp_path: Path) -> None:
    """What is restored equals what was backed up, in a home that was absent, and the store opens with its key."""
    root = home(tmp_path)
    store = Store(root / "corpus.duckdb", KEY)
    done = back_up(root, tmp_path / "study.backup", KEY, [store])
    assert done == Backup(4, (tmp_path / "study.backup").stat().st_size)
    assert restore(tmp_path / "study.backup", tmp_path / "new" / "home", KEY) == done
    assert kept(tmp_path / "new" / "home") == kept(root)
    assert list(Store(tmp_path / "new" / "home" / "corpus.duckdb", KEY).posts()) == list(store.posts())
    assert {p.name for p in tmp_path.iterdir()} == {"fieldwork", "study.backup", "new"}


def test_a_home_that_is_not_empty_is_only_moved_aside_when_told(tmp_path: Path) -> None:
    """Without a place to keep it nothing happens; with one the old home lies there whole."""
    root = home(tmp_path)
    back_up(root, tmp_path / "study.backup", KEY, [])
    (root / "later").write_text("x")
    before = kept(root)
    with pytest.raises(StoreError, match="is not empty"):
        restore(tmp_path / "study.backup", root, KEY)
    assert kept(root) == before
    restore(tmp_path / "study.backup", root, KEY, aside=tmp_path / "aside")
    assert kept(tmp_path / "aside") == before
    assert "later" not in kept(root)


def test_nothing_readable_stands_in_a_backup(tmp_path: Path) -> None:
    """Neither contents nor names of files can be read in it, and only its owner may read it at all."""
    root = home(tmp_path, 10)
    (root / "notes.txt").write_text("zonnebloemenveld")
    out = tmp_path / "study.backup"
    back_up(root, out, KEY, [])
    data = out.read_bytes()
    assert b"zonnebloemenveld" not in data
    assert b"notes.txt" not in data
    assert out.stat().st_mode & 0o077 == 0


@settings(max_examples=25, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), how=st.sampled_from(["flip", "cut", "drop chunk", "append"]))
def test_a_changed_backup_is_refused_and_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, where: float, how: str
) -> None:
    """One flipped bit, a missing end or a missing chunk anywhere: refused, and no home appears."""
    folder = tmp_path_factory.getbasetemp() / "changed"
    out = folder / "study.backup"
    if not out.exists():
        back_up(home(folder), out, KEY, [])
    data = bytearray(out.read_bytes())
    at = int(where * len(data))
    if how == "flip":
        data[at] ^= 1 << (at % 8)
    elif how == "cut":
        del data[at:]
    elif how == "append":
        data += os.urandom(1 + at % 99)
    else:
        start = len(b"veldwerk backup 1\n") + 16 + (at // (CHUNK + 16)) * (CHUNK + 16)
        del data[min(start, len(data) - 1) : start + CHUNK + 16]
    broken = folder / "broken"
    broken.write_bytes(data)
    with pytest.raises(StoreError, match="nothing was changed"):
        restore(broken, folder / "restored", KEY)
    assert not (folder / "restored").exists()
    assert not (folder / "restored.restoring").exists()


def test_another_key_opens_no_backup(tmp_path: Path) -> None:
    """A backup opens with the key of its study alone."""
    back_up(home(tmp_path, 10), tmp_path / "study.backup", KEY, [])
    with pytest.raises(StoreError, match="no backup that this project's key opens"):
        restore(tmp_path / "study.backup", tmp_path / "new", b"w" * 32)
    assert not (tmp_path / "new").exists()


def test_a_backup_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    """Where it cannot be written whole, the earlier file stays as it was."""
    root = home(tmp_path, 10)
    out = tmp_path / "study.backup"
    back_up(root, out, KEY, [])
    before = out.read_bytes()
    (tmp_path / "study.backup.part").mkdir()
    with pytest.raises(StoreError, match="nothing was changed"):
        back_up(root, out, KEY, [])
    assert out.read_bytes() == before
    with pytest.raises(StoreError, match="nothing here to back up"):
        back_up(tmp_path / "absent", tmp_path / "none.backup", KEY, [])
    assert not (tmp_path / "none.backup").exists()
