"""`veldwerk restore`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(help="Put a backup back.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also where there is a study already; that one is kept aside.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(file: Path, force: bool, as_json: bool) -> None:
    """What was erased since the backup was made is erased again, where the study that was here says so."""
    from flows.backup import restore
    from flows.home import Home
    from flows.progress import TerminalProgress

    home = Home.open()
    receipt = restore(home, file, TerminalProgress(), force=force)
    if as_json:
        click.echo(json.dumps({**receipt.as_dict(), "home": str(home.root)}, ensure_ascii=False))
    else:
        click.echo(receipt.line())
