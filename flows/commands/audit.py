"""`veldwerk audit`."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ethics.audit import Entry


@click.command(help="Verify the audit trail and show it.")
@click.option("--last", type=click.IntRange(min=0), default=20, show_default=True, help="How many entries to show.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with all entries.")
def command(last: int, as_json: bool) -> None:
    from flows.errors import WorkFailed
    from flows.home import Home

    home = Home.open()
    verdict = home.audit.verify()
    if as_json:
        told = {
            "whole": verdict.whole, "entries": verdict.entries, "head": verdict.head, "line": verdict.line,
            "fault": verdict.fault, "trail": [_plain(e) for e in home.audit.entries()],
        }  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for entry in deque(home.audit.entries(), maxlen=last):
            click.echo(_line(entry))
    if not verdict.whole:
        msg = f"{home.audit.path}: line {verdict.line} {verdict.fault}; compare with a backup"
        raise WorkFailed(msg)
    if home.has_store and not verdict.entries:
        msg = f"{home.audit.path}: there is a store but no trail; it was removed, look for it in a backup"
        raise WorkFailed(msg)
    if not as_json:
        click.echo(f"{verdict.entries} entries, none changed, removed or moved; last digest {verdict.head}")


def _plain(entry: Entry) -> dict[str, object]:
    return {"n": entry.n, "at": entry.at.isoformat(), "event": entry.event, "facts": entry.facts}


def _line(entry: Entry) -> str:
    facts = {k: v for k, v in entry.facts.items() if v and k not in ("run", "kept_out")}
    told = ", ".join(f"{k} {_short(v)}" for k, v in facts.items())
    return f"{entry.n:>5}  {entry.at:%Y-%m-%d %H:%M}  {entry.event:<9} {told}"


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
