"""A collection that is killed at any moment loses nothing and repeats nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from demo.fieldwork import rows
from demo.replay import Replay
from flows.home import Home

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("VELDWERK_KILLS", "12"))
CASE = "scam-fighters"

ROUNDS = max(1, KILLS // 4)

# A round is a fresh home: four children collect into it and are each killed after a random while; a fifth may finish.
WORKER = """
import json, os, random, signal, sys, time
from flows.fieldwork import Place, take_in
from flows.home import Home
from flows.progress import Progress

places = [Place(*p) for p in json.loads(sys.argv[1])]
draw = random.Random(7)

def collect(home):
    os.environ["VELDWERK_HOME"] = home
    for place in places:
        take_in(Home.open(), place, Progress())

def child(home):
    pid = os.fork()
    if pid == 0:
        try:
            collect(home)
            os._exit(0)
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
    return pid

killed, ends = 0, []
for home in sys.argv[2:]:
    for n in range(4):
        pid = child(home)
        time.sleep(draw.random() * 1.6)
        if not os.waitpid(pid, os.WNOHANG)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed += 1
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child(home), 0)[1]))
print(json.dumps({"killed": killed, "ends": ends}))
"""


def test_killed_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a collection is killed, one whole run later every post of the platforms is stored exactly once."""
    monkeypatch.setenv("VELDWERK_KEY", os.urandom(32).hex())
    homes = [str(tmp_path / f"home{n}") for n in range(ROUNDS)]
    with Replay() as server:
        sources = server.sources(CASE)
        places = [[CASE, f"demo-{s.platform}", s.collector, json.dumps(s.settings)] for s in sources]
        command = [sys.executable, "-c", WORKER, json.dumps(places), *homes]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["ends"] == [0] * ROUNDS, done.stderr
    assert told["killed"] >= 3 * ROUNDS
    served = {s.platform for s in sources}
    expected = Counter(r.created.replace(microsecond=0) for r in rows(CASE) if r.platform in served)
    for home in homes:
        store = Home.open({"VELDWERK_HOME": home}).store
        assert Counter(p.created.replace(microsecond=0) for p in store.posts(CASE)) == expected
        assert store.query("select max(version) from post") == [(1,)]
