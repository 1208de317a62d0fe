"""`veldwerk adjudicate`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(help="Export disagreements, and take the decisions back in as gold.")
@click.argument("case", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Write the open disagreements here (.csv or .xlsx).")
@click.option("--in", "taken", type=click.Path(path_type=Path), help="Take the decisions in this table in.")
@click.option("--by", help="Code name of who decided; needed with --in.")
@click.option("--history", is_flag=True, help="Show who coded what, who decided, and why.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    case: str | None, out: Path | None, taken: Path | None, by: str | None, history: bool, as_json: bool
) -> None:
    from coding.adjudication import disputes
    from flows.errors import WrongUse
    from flows.home import Home
    from flows.human import hand_disputes, take_decisions
    from flows.human import history as told_history

    home = Home.open()
    case = home.case(case).id if case else None
    if taken and not by:
        msg = "who decided? Say --by and a code name"
        raise WrongUse(msg)
    if history:
        _show(told_history(home, case), as_json)
        return
    if taken and by:
        receipt = take_decisions(home, taken, by, case)
    elif out:
        receipt = hand_disputes(home, out, case)
    else:
        open_ = len(disputes(home.store, case))
        click.echo(json.dumps({"open": open_}) if as_json else f"{open_} open disagreements; export them with --out")
        return
    click.echo(json.dumps(receipt.as_dict(), ensure_ascii=False) if as_json else receipt.line())


def _show(decisions: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"decisions": decisions}, ensure_ascii=False))
        return
    for d in decisions:
        votes = d["coders"]
        assert isinstance(votes, dict)
        said = ", ".join(f"{coder} {'yes' if v else 'no'}" for coder, v in votes.items())
        click.echo(f"{d['decided']} {d['post']} {d['code']}: {said}; {d['decided_by']} decided "
                   f"{'yes' if d['present'] else 'no'} ({d['reason'] or 'no reason given'})")  # fmt: skip
