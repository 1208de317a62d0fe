"""A full disk and a closed folder: a clear word, and the store as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import Store
from storage.check import faults

from .made import CASES, KEY, batches, filled

NOBODY = 65534

FULL = """
import resource, signal, sys
from pathlib import Path
from storage import StoreError
from tests.storage.made import *
work, path, room = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
store = Store(path, KEY)
store.count()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, resource.RLIM_INFINITY))
try:
    if work == "add":
        for batch in batches(int(store.cursor(CASES[0], "made") or 0), 10**6, 500):
            store.add(batch)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        store.rewrite()
except StoreError as error:
    print(error)
    if work == "add":
        store.count()
    sys.exit(3)
"""


def in_little_room(work: str, path: Path, room: int) -> str:
    """What the store says when *work* meets a disk on which files can grow by *room* bytes only."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL, work, str(path), str(room)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 100_000])
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path, room: int) -> None:
    """However much still fitted: what was kept stays, posts and cursor agree, and work goes on when there is room."""
    store = filled(tmp_path, 1000, KEY)
    told = in_little_room("add", store.path, room)
    assert "the disk is full; nothing was changed" in told
    reached = int(store.cursor(CASES[0], "made") or 0)
    assert store.count() == reached >= 1000
    assert faults(store) == {}
    for batch in batches(reached, reached + 500, 500):
        assert store.add(batch).stored == 500


@pytest.mark.parametrize("room", [0, 200_000])
def test_a_rewriting_without_room_leaves_the_old_file(tmp_path: Path, room: int) -> None:
    """Rewriting needs room for a second file; without it nothing changes and nothing stays behind."""
    store = filled(tmp_path, 3000, KEY)
    told = in_little_room("rewrite", store.path, room)
    assert "nothing was changed" in told
    assert store.count() == 3000
    assert faults(store) == {}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus.duckdb", "corpus.duckdb.queue"]


CLOSED = """
import os, sys
from pathlib import Path
from storage import StoreError
from tests.storage.made import *
store = Store(Path(sys.argv[1]), KEY)
store._started()  # the other user may not be able to read this installation
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
try:
    store.add(next(batches(0, 5, 5)))
except StoreError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("kept", [True, False])
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, kept: bool) -> None:
    """Whether the store is there already or would be made: one line that says where, and the store as it was."""
    home = tmp_path / "home"
    home.mkdir()
    before = filled(home, 10, KEY).path.read_bytes() if kept else b""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() != "root" or folder == Path("/tmp"):
            break
        os.chmod(folder, 0o755)
    os.chmod(home, 0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", CLOSED.format(nobody=NOBODY), str(home / "corpus.duckdb")],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    finally:
        os.chmod(home, 0o755)
    assert done.returncode == 3, done.stderr
    assert "home" in done.stdout
    assert "permission denied; nothing was changed" in done.stdout
    assert ((home / "corpus.duckdb").read_bytes() if kept else b"") == before
    if kept:
        assert Store(home / "corpus.duckdb", KEY).count() == 10


SPILL = """
import sys
from pathlib import Path
from tests.storage.made import *
store = Store(Path(sys.argv[1]), KEY)
seen = []
for _ in range(2):
    with store.transaction() as db:
        db.execute("create temp table big as select t || md5(i::text) || md5((i * 7)::text) as t "
                   "from range(1200000) r(i), (select 'zonnebloemenveld' as t)")
        seen += [p.read_bytes() for p in Path(sys.argv[1] + ".tmp").iterdir()]
        assert db.execute("select count(*) from big").fetchall() == [(1200000,)]
assert len(seen) >= 2 and sum(map(len, seen)) > 10_000_000, [len(s) for s in seen]
assert not any(b"zonnebloemenveld" in s for s in seen)
print(len(list(Path(sys.argv[1] + ".tmp").glob("*"))))
"""


@pytest.mark.slow
def test_what_does_not_fit_in_memory_goes_beside_the_store_unreadable(tmp_path: Path) -> None:
    """Temporary files are encrypted, can be made again in the next transaction, and none is left."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SPILL, str(tmp_path / "corpus.duckdb")],
        capture_output=True, text=True, timeout=120, env={**os.environ, "VELDWERK_MEMORY": "60MB"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0\n"
