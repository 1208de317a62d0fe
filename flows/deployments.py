"""The cases as scheduled Prefect deployments, with a Prefect server of their own unless one is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from .case import Case
from .errors import WorkFailed
from .home import Home

ZONE = "Europe/Amsterdam"
NIGHTLY = {"refresh": "30 1 * * *", "retain": "15 2 * * *", "code": "30 2 * * *", "export": "0 3 * * *"}


@contextmanager
def prefect_server(port: int, patience: float = 120.0) -> Iterator[str]:
    """The API address of a running Prefect server: the one that PREFECT_API_URL names, else one on loopback."""
    named = os.environ.get("PREFECT_API_URL")
    if named:
        yield named
        return
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(server, url, patience)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(server: subprocess.Popen[bytes], url: str, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if server.poll() is not None:
            msg = f"the Prefect server ended at once; is its port free? ({url}; choose another with --port)"
            raise WorkFailed(msg)
        try:
            if httpx.get(f"{url}/health", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    msg = f"the Prefect server did not answer within {patience:.0f} s at {url}"
    raise WorkFailed(msg)


def deployments(cases: list[Case]) -> list[Any]:
    """One deployment a scheduled source, and the nightly ones; a run that would overlap the last is cancelled."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron

    from . import orchestrate

    once = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    planned = [
        orchestrate.collect.to_deployment(
            name=f"{case.id}-{source.name}",
            parameters={"case": case.id, "source": source.name},
            schedule=Cron(source.schedule, timezone=ZONE),
            concurrency_limit=once,
        )
        for case in cases
        for source in case.sources
        if source.schedule
    ]
    return planned + [
        getattr(orchestrate, name).to_deployment(
            name="nightly", schedule=Cron(cron, timezone=ZONE), concurrency_limit=once
        )
        for name, cron in NIGHTLY.items()
    ]


def serve(home: Home, port: int) -> None:
    """Serve until stopped; at most two runs at a time, because they share one store."""
    # Stopped while it still starts, it must take its server with it; later Prefect's own handler does that.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with prefect_server(port) as url:
        os.environ["PREFECT_API_URL"] = url
        os.environ["VELDWERK_HOME"] = str(home.root.absolute())
        from prefect import serve as serve_all

        serve_all(*deployments(list(home.cases.values())), limit=2)
