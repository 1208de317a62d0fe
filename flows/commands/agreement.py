"""`veldwerk agreement`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from coding.reliability import Line, Report


@click.command(help="Intercoder agreement per code and theme, with intervals.")
@click.argument("case", required=False)
@click.option("--coder", "coders", multiple=True, help="Only these coders; may be repeated.")
@click.option("--machines", is_flag=True, help="Set the machine coders beside the human ones.")
@click.option("--pairs", is_flag=True, help="Show each pair of coders: Cohen's kappa, PABAK, positive agreement.")
@click.option("--resamples", type=click.IntRange(min=100), default=1000, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    case: str | None, coders: tuple[str, ...], machines: bool, pairs: bool, resamples: int, as_json: bool
) -> None:
    from flows.home import Home
    from flows.human import agreement

    home = Home.open()
    found = agreement(
        home, home.case(case).id if case else None, coders=coders, with_machines=machines, resamples=resamples
    )
    if as_json:
        click.echo(json.dumps({"case": case or "all", **found.as_dict()}, ensure_ascii=False))
        return
    click.echo(
        f"{len(found.coders)} coders ({', '.join(found.coders)}), {found.posts} posts in {found.threads} threads"
    )
    click.echo(f"{'':24} {'given':>6} {'alpha':>7} {'95 % interval':>16} {'Fleiss':>7} {'PA':>6}  verdict")
    for line in found.lines:
        click.echo(_row(line))
        for pair in line.pairs if pairs else ():
            both = f"{pair.both} both, {pair.only_first} / {pair.only_second} one, {pair.neither} neither"
            figures = f"kappa {_figure(pair.kappa)}, PABAK {_figure(pair.pabak)}, PA {_figure(pair.positive, 2)}"
            click.echo(f"    {' - '.join(pair.coders)}: {both}; {figures}")
    _tail(found)


def _row(line: Line) -> str:
    interval = "-" if line.low is None or line.high is None else f"{line.low:.3f} .. {line.high:.3f}"
    verdict = line.verdict.partition(":")[0]
    figures = f"{_figure(line.alpha):>7} {interval:>16} {_figure(line.fleiss):>7} {_figure(line.positive, 2):>6}"
    return f"{line.id:24} {line.given:>6} {figures}  {verdict}"


def _tail(found: Report) -> None:
    for title, blocks in (("order of coding", found.by_order), ("month of the posts", found.by_month)):
        if len(blocks) > 1:
            told = ", ".join(f"{b.name}: {_figure(b.alpha)} ({b.posts})" for b in blocks)
            click.echo(f"alpha of all codes by {title}: {told}")
    for warning in found.warnings:
        click.echo(f"! {warning}")


def _figure(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
