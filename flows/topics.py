"""What the posts of a case are about, as candidates for codes: a plain function behind `veldwerk topics`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coding.coders import topics as coder

if TYPE_CHECKING:
    from .case import Case
    from .home import Home

STABLE = 0.6
"""From which mean Jaccard with other seeds on a topic is proposed as a code."""


def propose(home: Home, case: Case, settings: coder.Settings) -> dict[str, Any]:
    """
    The topics of a case with their stability, codes that already cover them, and posts that show them.

    Posts are quoted as they are kept, redacted; a topic that fewer than the policy's `min_cell` people
    talk about gets no quotes. `proposed` says whether it is stable enough to become a code.
    """
    found = coder.find_topics(home.store.posts(case.id, kind="post"), settings)
    shown = {p: t for t in found.topics if t.authors >= case.policy.min_cell for p in t.posts[: settings.examples]}
    texts = {str(post.id): post.text for post in home.store.posts(case.id, kind="post") if post.id in shown}
    covered = _covered(home, case.id, found)
    told = [
        {
            "topic": t.number,
            "words": list(t.words),
            "posts": len(t.posts),
            "authors": t.authors,
            "stability_posts": round(t.same_posts, 3),
            "stability_words": round(t.same_words, 3),
            "proposed": t.same_posts >= STABLE,
            "label": " / ".join(t.words[:3]),
            "covered_by": covered.get(t.number, []),
            "examples": [{"post": p, "text": texts[p]} for p in t.posts[: settings.examples] if p in texts],
        }
        for t in found.topics
    ]
    return {"case": case.id, "method": found.method, "seeds": found.seeds, "posts": found.posts,
            "without_topic": found.left, "topics": told}  # fmt: skip


def _covered(home: Home, case: str, found: coder.Topics) -> dict[int, list[dict[str, Any]]]:
    """For each topic the codes that are at least twice as common in it as in the case, by the latest machine coding."""
    from storage.associations import coded_posts
    from storage.codings import every

    codings = [c for c in every(home.store) if c.coder in ("rules", "model", "llm")]
    if not codings:
        return {}
    codes = {r["post"]: set(r["codes"]) for r in coded_posts(home.store, codings[-1].id, case).iter_rows(named=True)}
    total = len(codes)
    shares: dict[int, list[dict[str, Any]]] = {}
    for topic in found.topics:
        members = [codes[p] for p in topic.posts if p in codes]
        rows = []
        for code in sorted(set().union(*members)) if members else ():
            inside = sum(code in c for c in members) / len(members)
            whole = sum(code in c for c in codes.values()) / total
            if inside >= 0.2 and inside >= 2 * whole:
                rows.append({"code": code, "share": round(inside, 3), "in_case": round(whole, 3)})
        shares[topic.number] = sorted(rows, key=lambda row: (-row["share"], row["code"]))
    return shares


def settings_from(
    seeds: int, topics: int, method: str, examples: int, environ: Mapping[str, str] = os.environ
) -> coder.Settings:
    """The settings of the command line and the environment."""
    return coder.Settings(
        seeds=seeds, topics=topics, method=method, examples=examples,
        embeddings=environ.get("VELDWERK_EMBEDDINGS", ""),
    )  # fmt: skip
