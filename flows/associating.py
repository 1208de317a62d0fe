"""Which codes go together and which follow which: a plain function that the command line calls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.association import Association, Coded, co_occurrence, compared, discoveries, over_time, sequence
from coding.codebook import Codebook
from ethics.release import suppress_small
from storage.associations import coded_posts

from .errors import WrongUse
from .home import Home
from .judging import least_cell
from .samples import codebook_of, machines

WITHIN = 5
MACHINE_ONLY = (
    "these are machine codes: two codes that the machine confuses look as if they went together; "
    "read posts before you believe a pair, and check it with --regress, which uses gold"
)


def associate(
    home: Home, case: str | None, given: str, then: Sequence[str] = (), coder: str | None = None, within: int = WITHIN
) -> dict[str, Any]:
    """
    How the code or theme *given* goes with the codes of *then* (all other themes when empty), as one JSON document.

    `together` are pairs in one post, `following` codes in the next *within* posts of the thread, each over all
    cases (case ""), for every case, and between cases; `months` how the codes go with *given* over time. A
    table of which one count is of fewer posts than the policy's smallest cell is left out and counted in `hidden`.
    """
    codebook = codebook_of(home, case)
    firsts = _codes(codebook, given)
    others = [t.id for t in codebook.themes if not {c.id for c in t.codes} & {*firsts}]
    seconds = [c for word in then or others for c in _codes(codebook, word)]
    codings = machines(home.store, coder)
    if not codings:
        msg = f"no posts have been coded{f' by {coder}' if coder else ''} yet; run: veldwerk code"
        raise WrongUse(msg)
    posts = [Coded(**_row(r)) for r in coded_posts(home.store, codings[-1].id, case).iter_rows(named=True)]
    cases, k = sorted({p.case for p in posts}), least_cell(home, case)
    pooled = [""] if len(cases) > 1 else []
    together = {c: co_occurrence(posts, firsts, seconds, c) for c in pooled + cases}
    following = {c: sequence(posts, firsts, seconds, c, within=within) for c in pooled + cases}
    shown = [tellable(kind, k) for kind in (together, following)]
    hidden = sum(len(rows) for kind in (together, following) for rows in kind.values())
    hidden -= sum(len(rows) for kind in shown for rows in kind.values())
    return {
        "case": case or "all", "given": given, "coding": codings[-1].id, "coder": codings[-1].coder, "within": within,
        "posts": len(posts), "hidden": hidden, "together": _told(shown[0]), "following": _told(shown[1]),
        "together_compared": _compared(shown[0], cases), "following_compared": _compared(shown[1], cases),
        "months": _months(posts, firsts, seconds, k), "warnings": [MACHINE_ONLY],
    }  # fmt: skip


def _codes(codebook: Codebook, word: str) -> list[str]:
    groups = {t.id: [c.id for c in t.codes] for t in codebook.themes} | {c.id: [c.id] for c in codebook.codes}
    if word not in groups:
        msg = f"no code or theme {word!r}; the themes are: {', '.join(t.id for t in codebook.themes)}"
        raise WrongUse(msg)
    return groups[word]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("post", "case", "thread", "author", "created", "reply_to")} | {
        "codes": frozenset(row["codes"])
    }


def tellable(found: Mapping[str, Sequence[Association]], k: int) -> dict[str, list[Association]]:
    """
    By case, the pairs that can be measured and of which no count is of fewer than *k* posts.

    Of all cases together (""), a pair is left out where the tables left out below could be worked out from it:
    where their sum has a small count.
    """
    shown = {
        c: [a for a in rows if math.isfinite(a.log_odds) and not _small(_counts(a), k)] for c, rows in found.items()
    }
    if "" in found:
        rest: dict[tuple[str, str], tuple[int, ...]] = {}
        for a in (a for case, rows in found.items() if case for a in rows if _small(_counts(a), k)):
            before = rest.get((a.given, a.then), (0,) * 4)
            rest[a.given, a.then] = tuple(m + n for m, n in zip(before, _counts(a), strict=True))
        shown[""] = [a for a in shown[""] if not _small(rest.get((a.given, a.then), ()), k)]
    return shown


def _counts(a: Association) -> tuple[int, ...]:
    return a.both, a.given_only, a.then_only, a.neither


def _small(counts: Sequence[int], k: int) -> bool:
    return any(0 < n < k for n in counts)


def _told(found: dict[str, list[Association]]) -> list[dict[str, Any]]:
    """Every association with its false discovery rate among those shown, the strongest first."""
    rows = [a for case in found.values() for a in case]
    rates = discoveries([a.p for a in rows])
    told = [_plain(asdict(a)) | {"rate": _number(rate)} for a, rate in zip(rows, rates, strict=True)]
    return sorted(told, key=lambda r: (r["case"], -abs(r["log_odds"]), r["given"], r["then"]))


def _compared(found: dict[str, list[Association]], cases: Sequence[str]) -> list[dict[str, Any]]:
    rows = compared({c: found[c] for c in cases})
    rates = discoveries([d.p for d in rows])
    told = [_plain(asdict(d)) | {"rate": _number(rate)} for d, rate in zip(rows, rates, strict=True)]
    return sorted(told, key=lambda r: r["p"])


def _months(posts: Sequence[Coded], firsts: Iterable[str], seconds: Sequence[str], k: int) -> list[dict[str, Any]]:
    """By month and code of *firsts*: its posts, and how many have each other code too; not where that is few."""
    told = []
    for given in firsts:
        rows = over_time(posts, seconds, given)
        for code in seconds:
            months = {month: (n, total) for month, c, n, total in rows if c == code}
            having = suppress_small({m: n for m, (n, _) in months.items()}, k)
            lacking = suppress_small({m: total - n for m, (n, total) in months.items()}, k)
            told += [
                {"month": m, "given": given, "then": code, "posts": total, "with": having[m]}
                for m, (_, total) in months.items()
                if total >= k and having[m] is not None and lacking[m] is not None
            ]
    return told


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in row.items()}


def _number(value: float) -> float | None:
    """A figure as JSON has it: none where there is none to give."""
    return round(value, 6) if math.isfinite(value) else None
