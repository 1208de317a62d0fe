"""`veldwerk retain`."""

from __future__ import annotations

import json
import sys
from functools import partial

import click


@click.command(help="Apply the retention periods.")
@click.argument("cases", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(cases: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    from flows.collect import attempt
    from flows.home import Home
    from flows.retain import keep_out, retain_case

    home = Home.open()
    results = [attempt("retain", c.id, "", partial(retain_case, home, c, dry_run=dry_run)) for c in home.chosen(cases)]
    if not dry_run:
        results.append(attempt("keep out", "", "", partial(keep_out, home)))
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "steps": [r.as_dict() for _, r in results]}, ensure_ascii=False))
    else:
        for _, receipt in results:
            click.echo(receipt.line())
    sys.exit(max((code for code, _ in results), default=0))
