"""`veldwerk study`."""

from __future__ import annotations

import json
import sys

import click


@click.command(help="Run all four cases on the shipped fieldwork set: collect, protect, store, code, report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    from flows.home import Home
    from flows.prefect_home import prepare
    from flows.progress import progress

    home = Home.open()
    prepare(home.root)
    _ = home.key  # so that a notice about a new key comes first
    progress().say("starting Prefect (the first time takes some 15 seconds) ...")
    from flows.orchestrate import FlowFailed, study

    try:
        receipts = study()
    except FlowFailed as failed:
        receipts = failed.receipts
    wrong = [r for r in receipts if r.failed]
    if as_json:
        told = {"out": str(home.out), "steps": [r.as_dict() for r in receipts], "failed": len(wrong)}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for receipt in receipts:
            click.echo(receipt.line())
        click.echo(f"\nThe results lie in {home.out.absolute()}: open index.html there.")
    for receipt in wrong:
        click.echo(f"veldwerk: {receipt.line()}", err=True)
    sys.exit(1 if wrong else 0)
