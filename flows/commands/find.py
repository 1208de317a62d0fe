"""`veldwerk find`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from storage.search import Found, Hit

AROUND = 70
"""Characters shown before the first hit, and twice as many after it."""


@click.command(help="Search the redacted texts.")
@click.argument("words", nargs=-1, required=True)
@click.option("--case", help="Search this case only.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Show this many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(words: tuple[str, ...], case: str | None, limit: int, as_json: bool) -> None:
    """Words are found in all their Dutch forms; a "phrase in quotes" as it stands. All must be there."""
    from flows.errors import WrongUse
    from flows.home import Home
    from storage.search import find

    home = Home.open()
    if case is not None:
        home.case(case)
    query = _query(words)
    if not any(c.isalnum() for c in query):
        msg = 'give at least one word, such as: veldwerk find aangifte "in de buurt"'
        raise WrongUse(msg)
    if not home.has_store:
        msg = f"{home.root}: nothing is stored here yet; collect or import first, or set VELDWERK_HOME"
        raise WrongUse(msg)
    found = find(home.store, query, case, limit)
    if as_json:
        click.echo(json.dumps(_document(query, found), ensure_ascii=False, indent=2))
        return
    for hit in found.hits:
        click.echo(_line(hit))
    shown = f", the best {len(found.hits)} are shown" if found.total > len(found.hits) else ""
    click.echo(f"{found.total:,} posts{shown}", err=sys.stdout.isatty())


def _query(words: tuple[str, ...]) -> str:
    """The shell has eaten the quotes of a phrase: a word with a space in it was one."""
    return " ".join(f'"{w}"' if " " in w.strip() and '"' not in w and len(words) > 1 else w for w in words)


def _document(query: str, found: Found) -> dict[str, object]:
    hits = [
        {
            "post": hit.post.id,
            "case": hit.post.case,
            "platform": hit.post.platform,
            "thread": hit.post.thread,
            "created": hit.post.created.isoformat(),
            "score": round(hit.score, 4),
            "snippet": snippet(hit)[0],
            "text": hit.post.text,
            "spans": [[s.start, s.end] for s in hit.spans],
        }
        for hit in found.hits
    ]
    return {"query": query, "total": found.total, "hits": hits}


def _line(hit: Hit) -> str:
    text, spans = snippet(hit)
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], click.style(text[start:end], bold=True)]
        at = end
    where = f"{hit.post.created:%Y-%m-%d}  {hit.post.case}  {hit.post.platform}  {hit.post.id}"
    return f"{click.style(where, dim=True)}\n    {''.join(pieces)}{text[at:]}"


def snippet(hit: Hit) -> tuple[str, list[tuple[int, int]]]:
    """A stretch of the text around the first hit, on one line, and where the hits stand in it."""
    text = hit.post.text
    first = hit.spans[0].start if hit.spans else 0
    start = 0 if first <= AROUND else text.rfind(" ", 0, first - AROUND + 1) + 1
    stop = len(text) if len(text) <= first + 2 * AROUND else max(text.rfind(" ", 0, first + 2 * AROUND), first)
    before, after = "… " if start else "", " …" if stop < len(text) else ""
    shift = len(before) - start
    spans = [(s.start + shift, s.end + shift) for s in hit.spans if s.end <= stop]
    # One character for one, so that the spans stay where they are.
    line = "".join(" " if c.isspace() else c for c in text[start:stop])
    return f"{before}{line}{after}", spans
