"""`veldwerk code`."""

from __future__ import annotations

import json
import sys
from functools import partial

import click


@click.command(help="Code stored posts with the codebook.")
@click.argument("cases", nargs=-1)
@click.option("--coder", default="rules", show_default=True, help="rules, model or llm.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(cases: tuple[str, ...], coder: str, as_json: bool) -> None:
    from flows.code import code_case
    from flows.coders import caveat
    from flows.collect import attempt
    from flows.home import Home
    from flows.progress import progress

    home = Home.open()
    shown = progress()
    chosen = home.chosen(cases)
    results = [attempt("code", c.id, coder, partial(code_case, home, c, coder, shown)) for c in chosen]
    said = caveat(home) if coder == "model" else ""
    if as_json:
        told = {"coder": coder, "caveat": said, "cases": [r.as_dict() for _, r in results]}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for _, receipt in results:
            click.echo(receipt.line())
    if said:
        click.echo(f"veldwerk: {said}", err=True)
    sys.exit(max((code for code, _ in results), default=0))
