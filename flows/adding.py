"""Commands that take in one kind of source: `veldwerk interviews add`, `veldwerk documents add`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click


def taking_in(importer: str, source: str, *, tells: str, adds: str) -> click.Group:
    """A group with one command, `add PATHS`, that reads files with *importer* into a case as *source*."""

    @click.group(help=tells)
    def group() -> None:
        pass

    @group.command(help=adds)
    @click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
    @click.option("--case", required=True, help="The case that they belong to.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    def add(paths: tuple[Path, ...], case: str, as_json: bool) -> None:
        from flows.collect import attempt, import_kind, tell_imports
        from flows.home import Home
        from flows.progress import progress

        home = Home.open()
        read = partial(import_kind, home, home.case(case), collector=importer, source=source, progress=progress())
        results = [attempt(source, case, path.name, partial(read, path)) for path in paths]
        sys.exit(tell_imports(case, results, as_json=as_json))

    return group
