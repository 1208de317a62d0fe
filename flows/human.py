"""What people code: taken in, compared, settled. Plain functions that the command line calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coding.adjudication import disputes, read_decisions, write_disputes
from coding.exchange import check, format_of, load_format
from coding.readings import Taken, by_annotator, take_in
from coding.reliability import Report, panel, report
from storage import decisions as kept
from storage import samples

from .errors import WrongUse
from .home import Home
from .receipt import Receipt
from .samples import cleaned, codebook_of, in_words, latest_each, machines, released


def add_annotations(
    home: Home,
    path: Path,
    coders: Sequence[str],
    *,
    to: str | None = None,
    case: str | None = None,
    revise: bool = False,
) -> dict[str, Taken]:
    """
    Take in the codes in a file, of each coder at once or of none. *coders* are `NAME`, or `ANNOTATOR=NAME`
    for files that hold several.

    WrongUse when the file cannot be read, or holds what would corrupt; nothing is kept then.
    """
    if not path.exists():
        msg = f"{path}: no such file"
        raise WrongUse(msg)
    names = dict(_named(c) for c in coders)
    with in_words():
        posts = samples.posts_of(home.store, samples.returnable(home.store, case))
        texts = released(posts.values())
        known: dict[str, tuple[int, str]] = {p.id: (p.version, texts[p.id, p.version]) for p in posts.values()}
        codebook = codebook_of(home, case)
        read = load_format(to or format_of(path)).read(path, codebook, known)
        stored: dict[str, str] = {p.id: p.text for p in posts.values()}
        found = check(read, known, (c.id for c in codebook.codes), path.name, stored)
        with home.store.transaction():
            taken = {
                name: take_in(home.store, name, coded, codebook, revise=revise, note=cleaned)
                for name, coded in by_annotator(found, names).items()
            }
    for name, one in taken.items():
        home.audit.append("annotations", coder=name, **asdict(one))
    return taken


def _named(coder: str) -> tuple[str, str]:
    who, _, name = coder.rpartition("=")
    return who, name


def agreement(
    home: Home, case: str | None, *, coders: Sequence[str] = (), with_machines: bool = False, resamples: int = 1000
) -> Report:
    """The agreement of all who coded the same posts; with *coders* only of these (by name)."""
    ids = latest_each(machines(home.store)) if with_machines else ()
    readings = kept.readings(home.store, case, ids)
    if coders:
        if missing := sorted(set(coders) - set(readings["coder"].to_list())):
            msg = (
                f"nothing is known of the coder {missing[0]!r}; there are: {', '.join(sorted(set(readings['coder'])))}"
            )
            raise WrongUse(msg)
        readings = readings.filter(readings["coder"].is_in(list(coders)))
    return report(panel(readings), codebook_of(home, case), resamples=resamples)


def hand_disputes(home: Home, path: Path, case: str | None) -> Receipt:
    """Write the open disagreements to a table."""
    start = time.monotonic()
    with in_words():
        open_ = disputes(home.store, case)
        texts = released(samples.posts_of(home.store, [(d.post, d.version) for d in open_]).values())
        written = write_disputes(path, home.store, open_, lambda p: texts.get((p.id, p.version)))
    home.audit.append("disputes", case=case or "all", written=written)
    counts = {"open": len(open_), "written": written}
    return Receipt("adjudicate", case or "", "", counts, time.monotonic() - start)


def take_decisions(home: Home, path: Path, by: str, case: str | None) -> Receipt:
    """Take decisions in as gold; remarks are redacted, and what is known already is left as it is."""
    start = time.monotonic()
    if not path.exists():
        msg = f"{path}: no such file"
        raise WrongUse(msg)
    with in_words():
        read = read_decisions(path, home.store, codebook_of(home, case), by, case, cleaned)
        new = kept.decide(home.store, read)
    home.audit.append("decisions", by=by, read=len(read), new=new)
    left = len(disputes(home.store, case))
    counts = {"read": len(read), "new": new, "known": len(read) - new, "open": left}
    return Receipt("adjudicate", case or "", "", counts, time.monotonic() - start)


def history(home: Home, case: str | None) -> list[dict[str, Any]]:
    """For each code that was ever decided on: who coded what, who decided what, when and why, oldest first."""
    said: dict[str, dict[str, list[str]]] = {}
    for r in kept.readings(home.store, case).iter_rows(named=True):
        said.setdefault(r["post"], {})[r["coder"]] = r["codes"]
    told = []
    for d in kept.decisions(home.store, case, history=True):
        votes = {coder: d.code in codes for coder, codes in sorted(said.get(d.post, {}).items())}
        told.append(asdict(d) | {"decided": d.decided.isoformat(), "coders": votes})
    return told
