"""`veldwerk tag`."""

from __future__ import annotations

import json
import sys

import click


@click.command(help="Filter: code JSON lines.")
@click.option("--coder", default="rules", show_default=True, help="rules, model or llm.")
@click.option("--setting", type=click.Choice(["careful", "readable"]), default="careful", show_default=True,
              help="How carefully the text is redacted before it is coded.")  # fmt: skip
def command(coder: str, setting: str) -> None:
    from coding import load_codebook
    from ethics.redaction import Redactor
    from flows.coders import caveat, settings_for
    from flows.home import Home
    from flows.tag import tagged

    home = Home.open()
    settings = settings_for(home, coder)
    if coder == "model" and (said := caveat(home)):
        click.echo(f"veldwerk: {said}", err=True)
    redactor = Redactor(setting)  # type: ignore[arg-type]
    lines = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
    for answer in tagged(lines, redactor, coder, load_codebook(), settings):
        click.echo(json.dumps(answer, ensure_ascii=False))
