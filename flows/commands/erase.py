"""`veldwerk erase`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ethics.rights import Erasure
    from flows.home import Home


@click.command(help="Erase a person or a post everywhere, prove it, and keep it out.")
@click.option("--author", metavar="HANDLE", help="The handle (or number) of the person, with --platform.")
@click.option("--platform", help="The platform on which the person has that handle.")
@click.option("--post", metavar="ID", help="The pseudonymous id of one post.")
@click.option("--case", help="Only in this case; without it in all.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(author: str | None, platform: str | None, post: str | None, case: str | None, as_json: bool) -> None:
    from flows.errors import WorkFailed, WrongUse
    from flows.home import Home

    if (author is None) == (post is None) or (author is None) != (platform is None):
        msg = "say --author HANDLE --platform P, or --post ID"
        raise WrongUse(msg)
    home = Home.open()
    if author is not None and platform is not None:
        erasure = _author(home, author, platform.lower(), case)
    else:
        erasure = _post(home, post or "")
    click.echo(json.dumps(erasure.as_dict(), ensure_ascii=False) if as_json else _told(erasure))
    if not erasure.proven:
        msg = f"something is still found in {', '.join(erasure.left)}; run the same command again"
        raise WorkFailed(msg)


def _author(home: Home, handle: str, platform: str, case: str | None) -> Erasure:
    from collectors import Sealed
    from ethics.pseudonyms import Salts
    from ethics.rights import Ambiguous, erase_author
    from flows.errors import WrongUse
    from storage.rights import platforms

    if platform not in platforms(home.store):
        click.echo(f"veldwerk: nothing of {platform} is stored; the handle is kept out from now on", err=True)
    cases = [c.id for c in home.chosen((case,) if case else ())]
    open_ones = [c for c in cases if Salts(home.root, c).state() != "destroyed"]
    for closed in sorted(set(cases) - set(open_ones)):
        click.echo(f"veldwerk: {closed}: its key is destroyed, nobody can be found in it by handle", err=True)
    try:
        return erase_author(home.holdings, {c: home.pseudonyms(c) for c in open_ones}, platform, Sealed(handle))
    except Ambiguous as several:
        raise WrongUse(str(several)) from None


def _post(home: Home, post: str) -> Erasure:
    from ethics.rights import erase_posts
    from flows.errors import WrongUse
    from storage.rights import case_of_post

    case = case_of_post(home.store, post)
    if case is None:
        msg = "no post with this id is stored; ids are as in exports and samples, such as p2k4..."
        raise WrongUse(msg)
    return erase_posts(home.holdings, case, [post])


def _told(erasure: Erasure) -> str:
    lines = [
        f"{erasure.posts} posts erased, {erasure.mentions} mentions made plain, {erasure.locators} locators removed"
    ]
    lines += [f"  {n} rows of {table}" for table, n in sorted(erasure.rows.items())]
    lines += [f"  removed {name}: write it anew with the command that made it" for name in erasure.files]
    lines.append(
        "nothing of it is found any more; the proof is in the audit trail" if erasure.proven else "NOT complete"
    )
    return "\n".join(lines)
