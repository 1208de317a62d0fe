"""Everyone waits a little, in the order of coming, and the dead hold nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from storage import Batch, Store, StoreError
from storage.check import faults
from storage.queue import Queue, _command

from .made import CASES, KEY, batches, filled, post

HOLDER = """
import sys, time
from pathlib import Path
from storage.queue import Queue
sys.argv = ["/usr/bin/veldwerk", "--debug", "erase", "--author", "JanJansen"]
with Queue(Path(sys.stdin.readline().strip()), 60).turn():
    print("held", flush=True)
    time.sleep(600)
"""


def holder(target: Path) -> subprocess.Popen[str]:
    """A process that has the turn and does not end."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{target}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "held\n"
    return process


def test_who_waits_in_vain_learns_who_has_the_store(tmp_path: Path) -> None:
    """The message names process and command, and none of the command's arguments, for they may name a person."""
    store = Store(tmp_path / "corpus.duckdb", None, patience=0.3)
    process = holder(tmp_path / "corpus.duckdb")
    try:
        with pytest.raises(StoreError) as caught:
            store.count()
    finally:
        process.kill()
        process.wait()
    told = str(caught.value)
    assert f"`veldwerk erase` (process {process.pid}, since 20" in told
    assert "Jansen" not in told
    assert store.count() == 0


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["/a/bin/veldwerk", "find", "jansen"], "veldwerk find"),
        (["/a/flows/__main__.py", "--debug", "import", "x.txt"], "veldwerk import"),
        (["/a/analyse_jansen.py", "jansen"], "analyse_jansen.py"),
        (["veldwerk", "Jansen!"], "veldwerk"),
        ([], "python"),
    ],
)
def test_a_ticket_tells_the_command_and_no_argument(argv: list[str], told: str) -> None:
    """Only a program's name and a subcommand of ours get onto a ticket."""
    assert _command(argv) == told


def test_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    """The turn of a killed process passes on at once, and its ticket is cleared away."""
    queue = Queue(tmp_path / "corpus.duckdb", 20)
    process = holder(tmp_path / "corpus.duckdb")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert queue.waiting() == 1
    with queue.turn() as waited:
        assert waited < 2
        assert queue.waiting() == 1
    assert queue.waiting() == 0


def test_turns_come_in_the_order_of_coming(tmp_path: Path) -> None:
    """Twenty who queue up behind one another are served in that order, dead tickets among them or not."""
    served: list[int] = []
    queue = Queue(tmp_path / "x", 60)

    def wait(n: int) -> None:
        with queue.turn():
            served.append(n)

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(20)]
    with queue.turn():
        for n, thread in enumerate(threads):
            thread.start()
            while queue.waiting() < n + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_threads_of_one_process_share_one_store(tmp_path: Path) -> None:
    """Eight threads write through one Store and through their own; every post is there once and nothing fails."""
    shared = filled(tmp_path, 0, KEY)
    failed: list[BaseException] = []

    def work(n: int) -> None:
        store = shared if n % 2 else Store(tmp_path / "corpus.duckdb", KEY)
        try:
            for batch in batches(n * 100, n * 100 + 150, 25):
                store.add(batch)
                assert store.count() > 0
        except BaseException as error:  # noqa: BLE001 (whatever it was, the test must see it)
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert shared.count() == 850
    assert faults(shared) == {}


def test_two_stores_on_one_file_share_a_transaction_within_a_thread(tmp_path: Path) -> None:
    """A step that opens the store again inside a transaction joins it instead of waiting for itself."""
    one, two = filled(tmp_path, 5), Store(tmp_path / "corpus.duckdb", None, patience=1)

    def fail() -> None:
        with one.transaction():
            two.add(Batch(CASES[0], "made", (post(50),)))
            assert one.count() == two.count() == 6
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert two.count() == 5


def test_a_child_of_a_fork_works_for_itself(tmp_path: Path) -> None:
    """A forked process makes its own database engine, and the parent's goes on."""
    store = filled(tmp_path, 5, KEY)
    code = (
        "import os, sys; from pathlib import Path; from tests.storage.made import *\n"
        f"store = Store(Path({str(store.path)!r}), KEY); store.count()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    store.add(Batch('c', 'made', (post(60),))); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "store.add(Batch('c', 'made', (post(61),)))\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)
    assert store.count() == 7


WORKER = """
import sys
from pathlib import Path
from tests.storage.made import *
store, n = Store(Path(sys.argv[1]), KEY, patience=100), int(sys.argv[2])
if n % 2:
    for _ in range(12):
        assert sum(1 for _ in store.posts()) >= 40
else:
    for batch in batches(1000 * n + 100, 1000 * n + 200, 10):
        assert store.add(batch).stored == 10
"""


@pytest.mark.slow
def test_many_processes_share_one_store(tmp_path: Path) -> None:
    """Six processes that write and read at once all finish, and every post is there once."""
    store = filled(tmp_path, 40, KEY)
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(store.path)]
    running = [subprocess.Popen([*command, str(n)], stderr=subprocess.PIPE, text=True) for n in range(6)]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert ends == [("", 0)] * 6
    assert store.count() == 340
    assert faults(store) == {}
    assert Queue(store.path, 1).waiting() == 0
