"""`veldwerk quotes`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click


@click.group(help="The quote register: what may be cited, in which words, and who approved it.")
def command() -> None:
    pass


@command.command("list", help="Show the register of a case, or of all.")
@click.argument("case", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(case: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from flows.home import Home
    from storage.quotes import quotes

    home = Home.open()
    found = quotes(home.store, home.case(case).id if case else None)
    if as_json:
        told = [asdict(q) | {"approved": q.approved.isoformat()} for q in found]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for q in found:
        how = f"paraphrase: {q.paraphrase}" if q.paraphrase else "verbatim"
        click.echo(f"{q.approved:%Y-%m-%d}  {q.post} v{q.version} {q.start}-{q.end}  by {q.approved_by}  {how}")
    if not found:
        click.echo("no quote is approved yet; short ones need none, longer ones are cut", err=True)


@command.command(help="Approve citing a post, as it stands or in other words.")
@click.argument("post")
@click.option("--by", required=True, metavar="NAME", help="Who approves it.")
@click.option("--paraphrase", default="", help="The words to use instead of the post's own.")
@click.option("--start", default=0, show_default=True, type=click.IntRange(min=0), help="Where the quote begins.")
@click.option("--end", type=click.IntRange(min=1), help="Where it ends (code points); without it at the end.")
@click.option("--verbatim", is_flag=True, help="Approve words that a search engine could find, as they stand.")
def approve(post: str, by: str, paraphrase: str, start: int, end: int | None, verbatim: bool) -> None:
    from flows.home import Home
    from flows.quotes import approve_quote

    quote = approve_quote(
        Home.open(), post, by=by, paraphrase=paraphrase, start=start, end=end, verbatim=verbatim, now=datetime.now(UTC)
    )
    click.echo(
        f"{quote.post} {quote.start}-{quote.end}: approved by {by}, {'paraphrased' if paraphrase else 'verbatim'}"
    )
