"""`veldwerk keys`."""

from __future__ import annotations

import json

import click


@click.group(invoke_without_command=True, help="Show, rotate or destroy the keys of the cases.")
@click.pass_context
def command(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        context.invoke(show)


@command.command(help="Where the project key is, and the state of each case's key.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(as_json: bool = False) -> None:
    from ethics.keys import ProjectKey
    from ethics.pseudonyms import Salts
    from flows.home import Home

    home = Home.open()
    state, note = ProjectKey.status(home=home.root)
    cases = {case: Salts(home.root, case).state() for case in home.cases}
    if as_json:
        click.echo(json.dumps({"project": {"state": state, "note": note}, "cases": cases}, ensure_ascii=False))
        return
    click.echo(f"project key: {state}, {note}")
    for case, its in cases.items():
        click.echo(f"{case}: {MEANING[its]}")


MEANING = {
    "none": "no key yet; one is made when something is first taken in",
    "ready": "has a key",
    "rotating": "half rotated; run `veldwerk keys rotate` for it",
    "destroyed": "key destroyed; nothing can be added or found by handle",
}


@command.command(help="Give a case a new key: all its pseudonyms become others.")
@click.argument("case")
def rotate(case: str) -> None:
    from ethics import rotation
    from flows.home import Home

    home = Home.open()
    n = rotation.rotate(home.holdings, home.key, home.case(case).id)
    click.echo(f"{case}: {n} pseudonyms made anew; what was exported before cannot be joined with it any more")


@command.command(help="Destroy the key of a case: nobody can be looked up in it again. Cannot be undone.")
@click.argument("case")
@click.option("--yes", is_flag=True, help="Do it; without this nothing happens.")
def destroy(case: str, yes: bool) -> None:
    from ethics import rotation
    from flows.errors import WrongUse
    from flows.home import Home

    home = Home.open()
    chosen = home.case(case).id
    if not yes:
        msg = f"this ends collecting, refreshing and erasing by handle in {case} for good; say --yes to do it"
        raise WrongUse(msg)
    n = rotation.destroy(home.holdings, chosen)
    click.echo(f"{case}: key destroyed, {n} native ids forgotten; copies of the home made earlier still hold both")
