"""The scheduled deployments, on a real Prefect server on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.case import read_cases

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def served(home: Path, port: int) -> subprocess.Popen[bytes]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("VELDWERK_", "PREFECT_"))}
    env |= {"VELDWERK_HOME": str(home), "VELDWERK_KEY": os.urandom(32).hex()}
    command = [sys.executable, "-m", "flows", "serve", "--port", str(port)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def answers(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def test_stopped_while_it_starts_it_leaves_no_server(tmp_path: Path) -> None:
    """A stop that comes before the deployments are there ends the server as well."""
    port = free_port()
    serving = served(tmp_path / "home", port)
    end = time.monotonic() + 90
    while not answers(port) and time.monotonic() < end:
        time.sleep(0.1)
    assert answers(port)
    serving.send_signal(signal.SIGTERM)
    serving.wait(60)
    assert not answers(port)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    serving = served(tmp_path / "home", port)
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(60)


def ask(api: str, what: str, patience: float = 90) -> list[dict[str, object]]:
    """The answer once there is one."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            found = httpx.post(f"{api}/{what}/filter", json={"limit": 200}, timeout=5).json()
            if found:
                return list(found)
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(1)
    return []


def test_every_schedule_fires(api: str) -> None:
    """Serving deploys every scheduled source and the nightly flows, and the server schedules runs for them."""
    wanted = {f"{c.id}-{s.name}" for c in read_cases().values() for s in c.sources if s.schedule} | {"nightly"}
    end = time.monotonic() + 90
    names: set[object] = set()
    while time.monotonic() < end and not wanted <= names:
        names = {d["name"] for d in ask(api, "deployments")}
        time.sleep(0.5)
    assert names == wanted
    runs = ask(api, "flow_runs")
    assert runs
    assert all(run["auto_scheduled"] for run in runs)
