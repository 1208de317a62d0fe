"""`veldwerk estimate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from flows.judging import Judged


@click.command(help="Prevalence of each code with design-based intervals.")
@click.argument("case", required=False)
@click.option("--by", "by", multiple=True, type=click.Choice(["case", "month", "platform"]), help="Among what.")
@click.option("--coder", help="Machine coder to go by (rules, model, llm); by default the latest that can be used.")
@click.option("--regress", metavar="CODE", help="Instead: what goes with this code or theme (logistic regression).")
@click.option("--on", "covariates", default="platform,month", show_default=True, help="case, platform, month, reply.")
@click.option("--associate", metavar="CODE", help="Instead: what goes with, and follows, this code or theme.")
@click.option("--with", "then", multiple=True, metavar="CODE", help="Which codes or themes; else all other themes.")
@click.option("--within", default=5, show_default=True, help="How many next posts of a thread count as following.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    case: str | None, by: tuple[str, ...], coder: str | None, regress: str | None, covariates: str,
    associate: str | None, then: tuple[str, ...], within: int, as_json: bool,
) -> None:  # fmt: skip
    from flows.home import Home
    from flows.judging import judge, relate

    home = Home.open()
    case = home.case(case).id if case else None
    if associate:
        from flows.associating import associate as associated

        told = associated(home, case, associate, then, coder, within)
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            _associations(told)
        return
    if regress:
        found = relate(home, case, regress, [x.strip() for x in covariates.split(",") if x.strip()], coder)
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            _coefficients(found)
        return
    judged = judge(home, case, by or ("case",), coder)
    if as_json:
        click.echo(json.dumps(judged.as_dict(), ensure_ascii=False))
    else:
        _table(judged)


def _table(judged: Judged) -> None:
    base, machine = judged.base, judged.machine
    click.echo(f"{len(base.posts):,} posts, {base.coded:,} with gold; machine: {machine.id if machine else 'none'}")
    heads = f"{'':24} {'estimate':>9} {'95 % interval':>15} {'beyond corpus':>15} {'gold only':>10} {'naive':>7}"
    last = ""
    for row in judged.rows:
        if (title := f"{row.by}: {row.among}") != last:
            click.echo(f"\n{title} ({row.estimate.posts:,} posts, {row.estimate.gold:,} gold)\n{heads}")
            last = title
        e = row.estimate
        spans = [f"{100 * x.low:.1f} .. {100 * x.high:.1f}" for x in (e.corpus, e.beyond)]
        click.echo(f"{row.code:24} {100 * e.corpus.value:8.1f}% {spans[0]:>15} {spans[1]:>15} "
                   f"{100 * e.gold_only.value:9.1f}% {100 * e.naive.value:6.1f}%")  # fmt: skip
    if judged.hidden:
        click.echo(f"\n{judged.hidden} rows speak of too few posts and are left out")
    for warning in judged.warnings:
        click.echo(f"! {warning}")


def _coefficients(found: dict[str, object]) -> None:
    rows, warnings = found["coefficients"], found["warnings"]
    assert isinstance(rows, list)
    assert isinstance(warnings, list)
    click.echo(f"{found['code']}: log odds, {found['posts']} posts, {found['gold']} with gold")
    for c in rows:
        interval = f"{c['low']:.2f} .. {c['high']:.2f}"
        click.echo(f"{c['name']:32} {c['value']:7.2f} {interval:>16} odds ratio {c['odds_ratio']:.2f} p {c['p']:.3f}")
    for warning in warnings:
        click.echo(f"! {warning}")


def _associations(told: dict[str, Any]) -> None:
    click.echo(f"{told['posts']:,} posts coded by {told['coder']}; log odds with 95 % interval, strongest first")
    for kind, title in (("together", "in one post"), ("following", f"within the next {told['within']} posts")):
        rows = [r for r in told[kind] if r["rate"] is not None and r["rate"] <= 0.05]
        left = len(told[kind]) - len(rows)
        click.echo(f"\n{title}: {len(rows)} pairs at a false discovery rate of 5 %, {left} others (--json has all)")
        last: str | None = None
        for r in rows:
            if r["case"] != last:
                click.echo(f"  {r['case'] or 'all cases'}")
                last = r["case"]
            interval = f"{r['low']:.1f} .. {r['high']:.1f}"
            after = f"  after {r['minutes']:,.0f} min" if r.get("minutes") is not None else ""
            click.echo(f"    {r['given']:20} {r['then']:20} {r['log_odds']:5.1f} {interval:>13} "
                       f"{r['both']:6,} posts{after}")  # fmt: skip
        for d in [d for d in told[f"{kind}_compared"] if d["rate"] <= 0.05]:
            click.echo(f"  {d['given']} and {d['then']}: {d['first']} differs from {d['second']} by "
                       f"{d['difference']:.1f} ({d['low']:.1f} .. {d['high']:.1f})")  # fmt: skip
    if told["hidden"]:
        click.echo(f"\n{told['hidden']} pairs speak of too few posts, or of none, and are left out")
    for warning in told["warnings"]:
        click.echo(f"! {warning}")
