"""`veldwerk train`."""

from __future__ import annotations

import json
import os
import sys

import click


@click.command(help="Train the supervised coder on gold, and measure it.")
@click.option("--coder", type=click.Choice(["model"]), default="model", show_default=True, help="Which coder learns.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(coder: str, as_json: bool) -> None:
    from flows.coders import caveat, trained
    from flows.home import Home
    from flows.train import page, train_model

    home = Home.open()
    shown = sys.stderr.isatty()
    card = train_model(
        home, os.environ.get("VELDWERK_EMBEDDINGS", ""), lambda line: click.echo(line, err=True) if shown else None
    )
    said = caveat(home)
    if as_json:
        click.echo(json.dumps({"coder": coder, "path": str(trained(home)), "caveat": said, **card}, indent=1))
        return
    click.echo(page(card))
    click.echo(f"written: {trained(home)}, card.json and card.md beside it")
    if said:
        click.echo(f"veldwerk: {said}", err=True)
