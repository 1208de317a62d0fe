"""`veldwerk doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import sys

import click

REDDIT = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")
TELEGRAM = ("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_SESSION")

PUBLIC = {
    "mastodon": "public; MASTODON_ACCESS_TOKEN lifts what an instance shows to strangers",
    "bluesky": "public; BLUESKY_HANDLE and BLUESKY_APP_PASSWORD are wanted for searching",
    "discourse": "public; DISCOURSE_API_KEY and DISCOURSE_API_USERNAME for closed forums",
    "lemmy": "public, needs no key",
    "feeds": "public, needs no key",
}


@click.command(help="What is installed, and what each feature still needs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    rows = [*_machine(), *_home(), *_models(), *_platforms()]
    if as_json:
        told = [{"what": what, "state": state, "note": note} for what, state, note in rows]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for what, state, note in rows:
        click.echo(f"{state:<8} {what:<18} {note}")


Row = tuple[str, str, str]
PACKAGES = ("duckdb", "prefect", "praw", "telethon", "httpx", "spacy", "bertopic")


def _machine() -> list[Row]:
    rows = [("python", "ok" if sys.version_info >= (3, 11) else "missing", sys.version.split()[0])]
    for name in PACKAGES:
        try:
            rows.append((name, "ok", importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            rows.append((name, "missing", "run `make run`, or install it from constraints.txt"))
    return rows


def _home() -> list[Row]:
    from ethics.keys import ProjectKey
    from flows.home import Home

    home = Home.open()
    rows = [("home", "ok" if home.root.exists() else "new", f"{home.root.absolute()} (VELDWERK_HOME)")]
    rows.append(("project key", *ProjectKey.status(home=home.root)))
    for case in home.cases.values():
        examples = [a for a in (case.policy.ethics_approval, case.policy.consent) if a and a.example]
        if case.policy.ethics_approval is None:
            rows.append((case.id, "missing", "no ethics approval: nothing may be collected (policy.ethics_approval)"))
        elif examples:
            rows.append(
                (case.id, "example", "approval or consent is the shipped example: replace it before collecting")
            )
        else:
            rows.append((case.id, "ok", f"approval {case.policy.ethics_approval.reference}"))
    return rows


def _models() -> list[Row]:
    from ethics.redaction import active_model

    rows = [("person names", "ok", f"{active_model()} (VELDWERK_NER names another)")]
    embeddings = os.environ.get("VELDWERK_EMBEDDINGS")
    rows.append(
        ("embeddings", "ok", embeddings)
        if embeddings
        else ("embeddings", "optional", "topics use TF-IDF and SVD; VELDWERK_EMBEDDINGS names a local sentence model")
    )
    llm = os.environ.get("VELDWERK_LLM_URL")
    rows.append(
        ("language model", "ok", llm)
        if llm
        else ("language model", "optional", "VELDWERK_LLM_URL names an OpenAI-compatible endpoint on your machine")
    )
    return rows


def _platforms() -> list[Row]:
    needs = {"reddit": REDDIT, "telegram": TELEGRAM, "youtube": ("YOUTUBE_API_KEY",)}
    rows: list[Row] = []
    for platform, names in needs.items():
        missing = [n for n in names if not os.environ.get(n)]
        rows.append((platform, "missing", f"set {', '.join(missing)}") if missing else (platform, "ok", "keys are set"))
    rows += [(p, "ok", note) for p, note in PUBLIC.items()]
    return rows
