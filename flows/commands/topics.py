"""`veldwerk topics`."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command(help="Find inductive topics in a case, with their stability.")
@click.argument("case")
@click.option("--seeds", type=click.IntRange(2, 100), default=10, show_default=True, help="How many starts to compare.")
@click.option("--topics", type=click.IntRange(0, 200), default=0, help="How many topics (0: by size).")
@click.option("--method", type=click.Choice(["auto", "bertopic", "nmf"]), default="auto", show_default=True,
              help="auto: BERTopic from 1,000 posts on, else factorisation.")  # fmt: skip
@click.option("--examples", type=click.IntRange(0, 10), default=3, show_default=True, help="Redacted posts a topic.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(case: str, seeds: int, topics: int, method: str, examples: int, as_json: bool) -> None:
    from coding.failures import TopicsError
    from flows.errors import WorkFailed
    from flows.home import Home
    from flows.topics import propose, settings_from

    home = Home.open()
    chosen = home.case(case)
    if not home.has_store:
        msg = f"{case}: nothing is stored yet; veldwerk collect or import brings posts"
        raise WorkFailed(msg)
    try:
        told = propose(home, chosen, settings_from(seeds, topics, method, examples))
    except TopicsError as error:
        raise WorkFailed(f"{case}: {error}") from None
    click.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else _page(told))


def _page(told: dict[str, Any]) -> str:
    lines = [
        f"{told['case']}: {told['posts']:,} posts, {told['method']}, {told['seeds']} seeds; "
        f"{told['without_topic']:,} posts in no topic",
        "stability: mean Jaccard with the other seeds, by posts / by words",
    ]
    for t in told["topics"]:
        mark = "candidate" if t["proposed"] else "unstable"
        lines.append(
            f"\n{t['topic']:>3}  {t['posts']:>5} posts {t['authors']:>5} authors  "
            f"{t['stability_posts']:.2f} / {t['stability_words']:.2f}  {mark}"
        )
        lines.append(f"     {', '.join(t['words'])}")
        if t["covered_by"]:
            lines.append("     covered by " + ", ".join(f"{c['code']} ({c['share']:.0%})" for c in t["covered_by"]))
        lines += [f"     | {' '.join(e['text'].split())}" for e in t["examples"]]
    return "\n".join(lines)
