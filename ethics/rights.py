"""
The rights of those who are in the data: erased everywhere, kept out from then on, with a proof.

An erasure takes out posts in all versions, what coders and samples say of them, their locators and every file
of the home that holds their words; mentions of an erased author elsewhere become `[PERSOON]`. Both databases are
then written anew, because a deleted row leaves its bytes behind. The proof in the trail holds keyed digests, so
that it can be checked for a given person but names nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import rights

from .outputs import files_holding

if TYPE_CHECKING:
    from collectors import Sealed
    from storage import Store
    from storage.vault import Vault

    from .audit import Trail
    from .pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that a home holds of people: corpus, vault, trail, and the folder with files written from them."""

    store: Store
    vault: Vault
    audit: Trail
    root: Path


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    What an erasure did.

    `rows` are the rows taken out, by table; `mentions` how often an erased author was addressed elsewhere;
    `files` the files removed, below the home; `left` where something was still found afterwards: nowhere,
    unless the erasure failed.
    """

    rows: dict[str, int] = field(default_factory=dict)
    posts: int = 0
    mentions: int = 0
    locators: int = 0
    files: tuple[str, ...] = ()
    left: dict[str, int] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Whether nothing was found afterwards."""
        return not self.left

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "files": list(self.files), "proven": self.proven}


class Ambiguous(LookupError):
    """Several authors bear the name that was given; the platform's own id tells them apart."""


def erase_author(held: Holdings, cases: Mapping[str, Pseudonyms], platform: str, handle: Sealed) -> Erasure:
    """
    Erase an author from these cases and keep her out of them, also where nothing of hers is stored yet.

    *handle* is what the platform knows her by, or another name of hers (`@name`, display name) when one author
    of the case alone bears it. Ambiguous when several do, and then nothing is erased.
    """
    posts: dict[str, list[str]] = {}
    authors: dict[str, list[str]] = {}
    for case, names in cases.items():
        authors[case] = _meant(held, case, names, platform, handle)
        posts[case] = sorted({p for a in authors[case] for p in rights.posts_of_author(held.store, a)})
    return _erase(held, "author", posts, authors, authors)


def _meant(held: Holdings, case: str, names: Pseudonyms, platform: str, handle: Sealed) -> list[str]:
    """The pseudonyms of whom is meant in a case: always that of the handle itself, which is kept out in any case."""
    author = names.author(platform, handle)
    others = [a for a in rights.authors_called(held.store, case, names.alias(platform, handle.reveal())) if a != author]
    if not others or rights.posts_of_author(held.store, author):
        return [author]
    if len(others) > 1:
        msg = f"{len(others)} authors of {case} bear this name; give the id by which {platform} knows the person"
        raise Ambiguous(msg)
    return [author, *others]


def erase_posts(held: Holdings, case: str, posts: Collection[str], *, why: str = "post") -> Erasure:
    """Erase posts of a case by their pseudonyms, and keep them out; *why* is noted in the trail."""
    return _erase(held, why, {case: list(posts)}, {}, {case: list(posts)})


def remove_posts(held: Holdings, case: str, posts: Collection[str], *, why: str) -> Erasure:
    """Take posts out as `erase_posts` does, but let them in again when they come again: retention, for one."""
    return _erase(held, why, {case: list(posts)}, {}, {})


def obey_suppressions(held: Holdings) -> int:
    """Take out what came in while an erasure ran, and what a restored backup brought back; how many posts."""
    n = 0
    for case, (posts, authors) in _to_be_gone(held).items():
        theirs = {p for a in authors for p in rights.posts_of_author(held.store, a)}
        gone = sorted({*posts, *theirs})
        n += len(gone)
        _erase(held, "suppressed", {case: gone}, {case: authors}, {case: [*posts, *authors]})
    return n


def _to_be_gone(held: Holdings) -> dict[str, tuple[list[str], list[str]]]:
    """By case, the posts and authors in the store that are suppressed, or were erased by what the trail says."""
    proofs = {p for e in held.audit.entries() if e.event == "erase" for p in e.facts["kept_out"]}
    kept_out = rights.suppressed(held.store)

    def must_go(case: str, name: str) -> bool:
        return name in kept_out.get(case, ()) or (bool(proofs) and held.audit.proof(name) in proofs)

    gone: dict[str, tuple[list[str], list[str]]] = {}
    for case, name in rights.names_that(held.store, must_go):
        gone.setdefault(case, ([], []))[name.startswith("a")].append(name)
    return gone


def _erase(
    held: Holdings,
    why: str,
    posts: Mapping[str, list[str]],
    authors: Mapping[str, list[str]],
    suppressing: Mapping[str, list[str]],
) -> Erasure:
    all_posts = [p for group in posts.values() for p in group]
    names = {*all_posts, *(a for group in authors.values() for a in group)}
    texts = rights.texts_of(held.store, all_posts)
    rows: Counter[str] = Counter()
    mentions = 0
    for case, group in posts.items():
        erased = rights.erase(held.store, case, group, authors.get(case, ()), suppressing=suppressing.get(case, ()))
        rows.update(erased.rows)
        mentions += erased.mentions
    locators = held.vault.forget(all_posts) if all_posts else 0
    if rows or mentions:
        held.store.rewrite()
    if locators:
        held.vault.rewrite()
    files = files_holding(held.root, names, texts)
    for path in files:
        path.unlink()
    erasure = Erasure(
        dict(rows), len(all_posts), mentions, locators, tuple(str(f.relative_to(held.root)) for f in files),
        _left(held, names, texts, [a for group in authors.values() for a in group]),
    )  # fmt: skip
    _prove(held, why, [n for group in suppressing.values() for n in group], posts, erasure)
    return erasure


def _left(held: Holdings, names: Collection[str], texts: Collection[str], authors: Collection[str]) -> dict[str, int]:
    """Where anything is still to be found."""
    left = {f"corpus: {table}": n for table, n in rights.left_of(held.store, names, authors).items()}
    left |= {f"vault: {table}": n for table, n in rights.left_of(held.vault, names).items()}
    if files := files_holding(held.root, names, texts):
        left["files"] = len(files)
    return left


def _prove(held: Holdings, why: str, kept_out: list[str], posts: Mapping[str, list[str]], erasure: Erasure) -> None:
    """One line in the trail; who or what is kept out from now on stands there as keyed digests."""
    held.audit.append(
        "erase",
        why=why,
        cases=sorted(c for c, group in posts.items() if group),
        kept_out=sorted(map(held.audit.proof, kept_out)),
        rows=erasure.rows,
        posts=erasure.posts,
        mentions=erasure.mentions,
        locators=erasure.locators,
        files=len(erasure.files),
        proven=erasure.proven,
    )
