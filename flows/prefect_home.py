"""How Prefect is set up here: no telemetry, its database in the study's home, quiet, results never pickled to disk."""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # What failed is told by receipts and run states; Prefect's own lines would add tracebacks.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_CLI_PROMPT": "false",
    # Only the longest wait: a busy or slow machine needs more than the usual 20 seconds.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240",
    # Runs and their logs are kept for a month; what was collected is in the store's own run table for good.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
}


def prepare(root: Path) -> None:
    """Set what is not set yet in the environment; to be called before Prefect is first imported."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str((root / "prefect").absolute()))
    # A Prefect server does not make the folder of its database itself.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
