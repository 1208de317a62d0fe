"""`veldwerk codebook`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.group(invoke_without_command=True, help="Write the codebook, or check one.")
@click.option("--out", type=click.Path(path_type=Path), help="FILE.html, .docx, .md, .csv or .qdc")
@click.option("--codebook", "name", default=None, help="A codebook file instead of the cases' own.")
@click.pass_context
def command(ctx: click.Context, out: Path | None, name: str | None) -> None:
    if ctx.invoked_subcommand:
        return
    from analysis.report.codebook import FORMATS, write_codebook
    from coding import load_codebook
    from flows.errors import WrongUse
    from flows.home import Home

    formats = (*FORMATS, ".qdc")
    if out is None or out.suffix.lower() not in formats:
        msg = f"say where to with --out FILE, ending in one of: {', '.join(formats)}"
        raise WrongUse(msg)
    home = Home.open()
    book = load_codebook(name or next(iter(home.cases.values())).codebook)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".qdc":
        from coding.exchange.qdpx import write_codebook as write_qdc

        write_qdc(out, book)
    else:
        from flows.publish import usage_of

        cases = [c for c in home.cases.values() if home.has_store and home.store.count(c.id)]
        write_codebook(out, book, usage_of(home, cases, book))
    click.echo(f"{out}: {len(book.themes)} themes, {len(book.codes)} codes (digest {book.digest})")


@command.command(help="Find unknown codes, dead rules, rules that never fire, examples that contradict.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(file: Path | None, as_json: bool) -> None:
    from coding import load_codebook
    from coding.check import check_codebook
    from coding.codebook import SHIPPED

    faults = list(check_codebook(load_codebook(str(file) if file else SHIPPED)))
    if as_json:
        click.echo(json.dumps([f.as_dict() for f in faults], ensure_ascii=False, indent=2))
    else:
        for fault in faults:
            click.echo(fault.line())
        click.echo(f"{len(faults)} to look at" if faults else "nothing to mend")
    sys.exit(1 if faults else 0)
