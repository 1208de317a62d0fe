"""`veldwerk export`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(help="Write the pseudonymised corpus, behind the disclosure check.")
@click.argument("case", required=False)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write: .parquet, .csv, .sqlite (each with a data dictionary) or .qdpx.",
)
@click.option("--coder", help="Whose codes to give; unless told, the coder that has coded most posts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(case: str | None, out: Path, coder: str | None, as_json: bool) -> None:
    """One row a post, one column a code: 1 given, 0 not given, empty where the coder has not read the post."""
    from flows.export import export
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    if case is not None:
        home.case(case)
    receipt = export(home, case, out, coder, progress())
    if as_json:
        click.echo(json.dumps({**receipt.as_dict(), "file": str(out)}, ensure_ascii=False))
    else:
        click.echo(receipt.line())
