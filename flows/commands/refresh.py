"""`veldwerk refresh`."""

from __future__ import annotations

import json
import sys
from functools import partial

import click


@click.command(help="Ask the platforms what was edited or deleted since, and follow it.")
@click.argument("case", required=False)
@click.option("--source", help="Only this source of the case.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="At most this many posts a source, the longest unheard of first."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(case: str | None, source: str | None, limit: int | None, as_json: bool) -> None:
    from flows.collect import attempt, live_sources
    from flows.errors import WrongUse
    from flows.home import Home
    from flows.progress import progress
    from flows.refresh import refresh_source

    home = Home.open()
    if source and not case:
        msg = "--source needs the case it belongs to"
        raise WrongUse(msg)
    shown = progress()
    results = [
        attempt("refresh", c.id, s.name, partial(refresh_source, home, c, s, shown, limit))
        for c in home.chosen((case,) if case else ())
        for s in live_sources(c, source)
    ]
    if as_json:
        click.echo(json.dumps({"sources": [r.as_dict() for _, r in results]}, ensure_ascii=False))
    else:
        for _, receipt in results:
            click.echo(receipt.line())
    sys.exit(max((code for code, _ in results), default=0))
