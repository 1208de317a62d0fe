"""`veldwerk collect`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from functools import partial

import click


@click.command(help="Run the platform collectors of a case; resumes where it stopped.")
@click.argument("case")
@click.option("--source", help="Only this source of the case.")
@click.option("--since", type=click.DateTime(), help="Only posts from this moment on (UTC).")
@click.option("--until", type=click.DateTime(), help="Only posts before this moment (UTC).")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many posts a source.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    case: str, source: str | None, since: datetime | None, until: datetime | None, limit: int | None, as_json: bool
) -> None:
    from datetime import UTC

    from collectors import Window
    from flows.collect import attempt, collect_source, live_sources
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    chosen = home.case(case)
    window = Window(since and since.replace(tzinfo=UTC), until and until.replace(tzinfo=UTC), limit)
    shown = progress()
    results = [
        attempt("collect", case, s.name, partial(collect_source, home, chosen, s, window, shown))
        for s in live_sources(chosen, source)
    ]
    if as_json:
        click.echo(json.dumps({"case": case, "sources": [r.as_dict() for _, r in results]}, ensure_ascii=False))
    else:
        for _, receipt in results:
            click.echo(receipt.line())
    if not results:
        click.echo(f"{case}: no source that a collector can run; exports come in with `veldwerk import`", err=True)
    sys.exit(max((code for code, _ in results), default=0))
