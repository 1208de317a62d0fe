"""`veldwerk import`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click


@click.command("import", help="Read exports (WhatsApp, Telegram Desktop, Zeeschuimer, 4CAT, ...) into a case.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--case", required=True, help="The case that the posts belong to.")
@click.option("--format", "wanted", default="auto", show_default=True, help="The export's format, or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(paths: tuple[Path, ...], case: str, wanted: str, as_json: bool) -> None:
    from flows.collect import attempt, import_path, tell_imports
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    chosen = home.case(case)
    shown = progress()
    results = [
        attempt("import", case, path.name, partial(import_path, home, chosen, path, wanted, shown)) for path in paths
    ]
    sys.exit(tell_imports(case, results, as_json=as_json))
