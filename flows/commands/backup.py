"""`veldwerk backup`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(help="Write an encrypted copy of the study, verified by reading it back.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(out: Path, as_json: bool) -> None:
    from flows.backup import back_up
    from flows.home import Home

    receipt = back_up(Home.open(), out)
    if as_json:
        click.echo(json.dumps({**receipt.as_dict(), "file": str(out)}, ensure_ascii=False))
    else:
        click.echo(receipt.line())
