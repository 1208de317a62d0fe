"""`veldwerk records`."""

from __future__ import annotations

import json

import click


@click.command(help="Write the processing register, DPIA annex, public notice and deposit bundle.")
@click.option("--controller", help="Who answers for the processing, as it should stand in the papers.")
@click.option("--contact", help="Where people can ask about their data.")
@click.option("--officer", help="The data protection officer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(controller: str | None, contact: str | None, officer: str | None, as_json: bool) -> None:
    from ethics.records import OPEN
    from flows.home import Home
    from flows.records import write_records

    home = Home.open()
    receipt, written = write_records(
        home, controller=controller or OPEN, contact=contact or OPEN, officer=officer or OPEN
    )
    if as_json:
        click.echo(json.dumps({**receipt.as_dict(), "files": [str(p) for p in written]}, ensure_ascii=False))
        return
    for path in written:
        click.echo(path)
    if OPEN in (controller or OPEN, contact or OPEN, officer or OPEN):
        click.echo("give --controller, --contact and --officer to complete them", err=True)
