"""`veldwerk import`."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import click


@click.command("import", help="Read exports (WhatsApp, Telegram Desktop, Zeeschuimer, 4CAT, ...) into a case.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--case", required=True, help="The case that the posts belong to.")
@click.option("--format", "wanted", default="auto", show_default=True, help="The export's format, or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line a file, and one for all at the end.")
def command(paths: tuple[Path, ...], case: str, wanted: str, as_json: bool) -> None:
    from flows.collect import attempt, import_path, import_totals
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    chosen = home.case(case)
    shown = progress()
    results = [
        attempt("import", case, path.name, partial(import_path, home, chosen, path, wanted, shown)) for path in paths
    ]
    failed = [receipt for code, receipt in results if code]
    if as_json:
        totals = import_totals([receipt for _, receipt in results])
        click.echo(json.dumps({"case": case, **totals, "failed": [r.failed for r in failed]}, ensure_ascii=False))
    else:
        for code, receipt in results:
            if not code:
                click.echo(receipt.line())
    for receipt in failed:
        click.echo(f"veldwerk: {receipt.failed}", err=True)
    sys.exit(max((code for code, _ in results), default=0))
