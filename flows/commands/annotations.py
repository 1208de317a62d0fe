"""`veldwerk annotations add`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from .sample import FORMATS


@click.group(help="Take the codes of human coders back in.")
def command() -> None:
    """Annotations of human coders."""


@command.command(help="Take in one file, or several, of one coder (NAME) or of several (ANNOTATOR=NAME each).")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--coder", "coders", multiple=True, required=True, help="Code name, or ANNOTATOR=NAME; may be repeated.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="By default what the file's name says.")
@click.option("--case", help="Only posts of this case; needed when cases have different codebooks.")
@click.option("--revise", is_flag=True, help="Posts coded otherwise before are a second reading; the first is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def add(
    paths: tuple[Path, ...], coders: tuple[str, ...], format_: str | None, case: str | None, revise: bool, as_json: bool
) -> None:
    from flows.home import Home
    from flows.human import add_annotations

    home = Home.open()
    if case:
        home.case(case)
    told = []
    for path in paths:
        taken = add_annotations(home, path, coders, to=format_, case=case, revise=revise)
        for name, one in taken.items():
            told.append({"file": str(path), "coder": name, **asdict(one)})
            if not as_json:
                click.echo(f"{path}: {name}: {one.new} new, {one.revised} revised, {one.known} known already")
    if as_json:
        click.echo(json.dumps({"annotations": told}, ensure_ascii=False))
