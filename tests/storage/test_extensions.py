"""DuckDB's extensions on a machine that has never had them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_first_search_works_on_a_new_machine(tmp_path: Path) -> None:
    """Where no extension of DuckDB was ever loaded, the first search loads one in the middle of a transaction."""
    code = (
        "import os, sys; from pathlib import Path; from storage import Batch, Store; from storage.search import find; "
        "from tests.storage.made import post; store = Store(Path(sys.argv[1]) / 'c.duckdb', os.urandom(32)); "
        "store.add(Batch('a', 'made', (post(1, 'de fietsen zijn weg'),))); print(find(store, 'fiets').total)"
    )
    env = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "1", done.stderr
