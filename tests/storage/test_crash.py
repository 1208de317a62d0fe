"""
kill -9 at any moment: the store opens, what must hold holds, the work goes on.

VELDWERK_KILLS sets how many times each kind of work is killed (20 unless told; 100 or more before a release).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Store
from storage.check import faults

from .crash import open_store
from .earlier import made_with
from .made import CASES, coding, filled, marks, name, post, posts

KILLS = int(os.environ.get("VELDWERK_KILLS", "20"))
pytestmark = pytest.mark.slow


class Killer:
    """Starts work on a store in a process of its own and kills it at a random moment."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        self.within = 0.5
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.storage.crash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self, work: str, path: Path) -> None:
        """Let *work* go on for a random time and kill it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work} {path}\n")
        self.process.stdin.flush()
        child = int(self.said())
        assert self.said() == "go"
        time.sleep(self.random.uniform(0, self.within))
        try:
            os.kill(child, signal.SIGKILL)
            while True:
                os.kill(child, 0)
                time.sleep(0.001)
        except ProcessLookupError:
            pass

    def moved(self, progress: bool) -> None:
        """On a slow machine give the work more time, on a fast one less, so that the moments fall throughout it."""
        self.within *= 0.8 if progress else 1.25


@pytest.fixture
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.process.kill()
    killer.process.communicate()


def leftovers(path: Path) -> list[str]:
    """What lies beside the store and should not."""
    return sorted(p.name for p in path.parent.iterdir() if p.name not in {path.name, f"{path.name}.queue"})


def test_an_import_that_is_killed_loses_nothing_and_repeats_nothing(tmp_path: Path, killer: Killer) -> None:
    """Posts and cursor always agree: exactly the posts up to the cursor are there, and the next import goes on."""
    path = tmp_path / "corpus.duckdb"
    reached = 0
    for _ in range(KILLS):
        killer.kill("import", path)
        store = open_store(path)
        before, reached = reached, int(store.cursor(CASES[0], "made") or 0)
        assert reached >= before
        killer.moved(reached > before)
        assert sorted(i for (i,) in store.query("select id from post")) == sorted(name("p", n) for n in range(reached))
        assert faults(store) == {}
        assert leftovers(path) == []
    assert reached > 0


def test_coding_that_is_killed_goes_on_where_it_was(tmp_path: Path, killer: Killer) -> None:
    """No post is coded twice or half, and in the end all are coded as if nothing had happened."""
    store = filled(tmp_path, 600, b"k" * 32)
    path = store.path
    for n in range(KILLS):
        killer.kill("code", path)
        assert faults(store) == {}
        assert leftovers(path) == []
        if not next(store.posts(not_coded_by="rules-1"), None) and n < KILLS - 1:
            with store.transaction() as db:
                db.execute("delete from annotation")
                db.execute("delete from coded")
    store.begin_coding(coding())
    left = tuple(store.posts(not_coded_by="rules-1"))
    store.annotate("rules-1", [(p.id, 1) for p in left], marks("rules-1", left))
    assert store.query("select count(*) from coded") == [(600,)]
    assert faults(store) == {}


def test_an_erasure_that_is_killed_is_done_or_not_done(tmp_path: Path, killer: Killer) -> None:
    """Five posts go together with their suppression or stay together, whatever the rewriting was at."""
    made = filled(tmp_path, 1000, b"k" * 32)
    path = made.path
    left = 1000
    for _ in range(KILLS):
        killer.kill("erase", path)
        store = open_store(path)
        before, left = left, store.count()
        assert left <= before
        killer.moved(left < before)
        assert left % 5 == 0
        assert store.query("select count(*) from post semi join suppressed on digest = id") == [(0,)]
        assert len(store.suppressed(CASES[0])) == 1000 - left
        assert faults(store) == {}
        assert leftovers(path) == []
    assert left < 1000


def test_a_migration_that_is_killed_is_done_the_next_time(tmp_path: Path, killer: Killer) -> None:
    """However far an upgrade of an old store came, the next opening finishes it and every post is there."""
    old = made_with(1, tmp_path / "old.duckdb", posts(0, 400), b"k" * 32)
    path = tmp_path / "now" / "corpus.duckdb"
    path.parent.mkdir()
    for _ in range(KILLS):
        shutil.copy(old, path)
        killer.kill("migrate", path)
        store = open_store(path)
        assert sorted(store.posts(), key=lambda p: p.id) == sorted(posts(0, 400), key=lambda p: p.id)
        assert faults(store) == {}
        assert leftovers(path) == []


def test_a_rewriting_that_is_killed_leaves_the_old_file_or_the_new(tmp_path: Path, killer: Killer) -> None:
    """Every row is there after any kill, and no half-written file stays behind."""
    store = filled(tmp_path, 1500, b"k" * 32)
    for _ in range(KILLS):
        killer.kill("compact", store.path)
        again = Store(store.path, b"k" * 32)
        assert again.count() == 1500
        assert again.query("select count(*), count(distinct post) from disclosure") == [(600, 300)]
        assert again.suppressed(CASES[0]) == frozenset()
        assert faults(again) == {}
        assert leftovers(store.path) == []
    assert next(iter(store.posts())).id in {post(n).id for n in range(1500)}
