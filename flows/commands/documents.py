"""`veldwerk documents`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click


@click.group(help="Take literature and policy documents in.")
def command() -> None:
    pass


@command.command(help="Read documents into a case.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--case", required=True, help="The case that they belong to.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def add(paths: tuple[Path, ...], case: str, as_json: bool) -> None:
    from flows.collect import attempt, import_kind, tell_imports
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    take_in = partial(
        import_kind, home, home.case(case), collector="documents", source="documents", progress=progress()
    )
    results = [attempt("documents", case, path.name, partial(take_in, path)) for path in paths]
    sys.exit(tell_imports(case, results, as_json=as_json))
