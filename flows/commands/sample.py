"""`veldwerk sample`."""

from __future__ import annotations

import json
from pathlib import Path

import click

DESIGNS = ("random", "stratified", "uncertain", "disagreement", "rare")
FORMATS = ("label-studio", "doccano", "csv", "xlsx", "qdpx", "parquet", "cas")


@click.command(help="Draw a sample for manual annotation and export it.")
@click.argument("case")
@click.option("--n", type=click.IntRange(min=1), help="How many posts to draw.")
@click.option("--design", type=click.Choice(DESIGNS), default="random", show_default=True, help="How to draw.")
@click.option("--to", type=click.Choice(FORMATS), help="Format; by default what the name of --out says, else xlsx.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to; by default out/samples in the home.")
@click.option("--by", default="platform,month", show_default=True, help="Strata: case, platform, month, code.")
@click.option("--equal", is_flag=True, help="As many posts from each stratum, instead of in proportion.")
@click.option("--codes", default="", help="With --design rare: only these codes, comma-separated.")
@click.option("--coders", default="", help="Code names of coders, comma-separated: a file for each.")
@click.option("--overlap", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Share all of them code.")
@click.option("--machine", help="Machine coder to go by (rules, model, llm); by default the latest.")
@click.option("--show", is_flag=True, help="Show the machine's codes to the coder, who is then not blind.")
@click.option("--floor", type=click.FloatRange(0.01, 1), default=0.25, show_default=True, help="Share drawn evenly.")
@click.option("--seed", type=int, help="Draw this very sample again in another home; by default a new one.")
@click.option("--plan", is_flag=True, help="Draw nothing: say how many posts an interval of +- --width takes.")
@click.option(
    "--width", type=click.FloatRange(0.001, 0.5), default=0.05, show_default=True, help="Half-width aimed at."
)
@click.option(
    "--share", type=click.FloatRange(0.001, 0.999), default=0.5, show_default=True, help="Prevalence expected."
)
@click.option(
    "--correlation", type=click.FloatRange(0, 0.99), default=0.0, help="Of machine and human codes, if known."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    case: str, n: int | None, design: str, to: str | None, out: Path | None, by: str, equal: bool, codes: str,
    coders: str, overlap: float, machine: str | None, show: bool, floor: float, seed: int | None, plan: bool,
    width: float, share: float, correlation: float, as_json: bool,
) -> None:  # fmt: skip
    """CASE is a case id, or "all"."""
    from coding.exchange import format_of
    from coding.sampling import Plan
    from flows.errors import WrongUse
    from flows.home import Home
    from flows.samples import ALL, hand_out, in_words, latest_each, machines

    home = Home.open()
    chosen = None if case == ALL else home.case(case).id
    if plan:
        _plan(home.store.count(chosen) if home.has_store else None, width, share, correlation, as_json)
        return
    if n is None:
        msg = "how many posts? Say --n, or ask with --plan"
        raise WrongUse(msg)
    with in_words():
        format_ = to or (format_of(out) if out else "xlsx")
    wanted = Plan(
        n, design, chosen, seed, _list(by), equal, _list(codes), latest_each(machines(home.store, machine)), floor,
        _list(coders), overlap,
    )  # fmt: skip
    handed = hand_out(home, wanted, format_, out, show=show)
    if as_json:
        files = [{"path": str(p), "coder": coder, "posts": posts} for p, coder, posts in handed.files]
        facts = {"sample": handed.sample.id, "case": case, "design": design, "drawn": handed.sample.size}
        told = facts | {"seed": handed.sample.seed, "withheld": handed.withheld, "files": files}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"sample {handed.sample.id}: {handed.sample.size} posts drawn, seed {handed.sample.seed}")
    for path, coder, posts in handed.files:
        click.echo(f"  {path}: {posts} posts{f' for {coder}' if coder else ''}")
    if not all(p.resolve().is_relative_to(home.root.resolve()) for p, _, _ in handed.files):
        click.echo("  this file lies outside the home: erase it yourself when the study must forget a post")


def _plan(size: int | None, width: float, share: float, correlation: float, as_json: bool) -> None:
    from coding.sampling import posts_needed

    needed = posts_needed(width, share, size=size or None, agreement=correlation)
    told = {"posts": needed, "width": width, "share": share, "correlation": correlation, "frame": size}
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(f"{needed} posts give +-{100 * width:g} points around {100 * share:g} % (95 %), drawn at random")


def _list(words: str) -> tuple[str, ...]:
    return tuple(w.strip() for w in words.split(",") if w.strip())
