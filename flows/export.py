"""Give the corpus out: each text through the second redaction, codes as columns, a data dictionary with it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import WrongUse
from .home import Home
from .progress import Progress
from .receipt import Receipt

if TYPE_CHECKING:
    from coding.codebook import Codebook
    from storage import Post, Store

Coded = tuple["Post", "frozenset[str] | None"]
QDPX = ".qdpx"


def export(home: Home, case: str | None, out: Path, coder: str | None, progress: Progress) -> Receipt:
    """
    Write the posts of *case* (or of all cases) to *out*, in the format of its ending.

    *coder* is whose codes to give; unless told, the one that has coded most posts. WrongUse for an unknown ending
    or coder.
    """
    from analysis.report.export import FORMATS, write
    from storage.corpus import coded_posts, coders

    from .samples import codebook_of

    start = time.monotonic()
    if out.suffix not in (*FORMATS, QDPX):
        msg = f"{out}: unknown ending; use one of {', '.join((*FORMATS, QDPX))}"
        raise WrongUse(msg)
    if not home.has_store:
        msg = f"{home.root}: nothing is stored here yet; collect or import first, or set VELDWERK_HOME"
        raise WrongUse(msg)
    known = [name for name, _ in coders(home.store, case)]
    if coder is not None and coder not in known:
        msg = f"nobody called {coder!r} has coded these posts; there are: {', '.join(known) or 'no coders yet'}"
        raise WrongUse(msg)
    chosen = coder or (known[0] if known else "")
    codebook = codebook_of(home, case)
    about = {
        "veldwerk": "pseudonymised corpus",
        "case": case or "all",
        "coder": chosen,
        "codebook": codebook.digest,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    posts = progress.count(coded_posts(home.store, case, chosen), "export")
    if out.suffix == QDPX:
        count = _write_project(out, released(home.store, posts), codebook, chosen)
    else:
        count = write(out, released(home.store, posts), codebook, about)
    home.audit.append("export", case=case or "all", format=out.suffix, posts=count)
    return Receipt("export", case or "", counts={"posts": count}, seconds=time.monotonic() - start)


def released(store: Store, coded: Iterable[Coded]) -> Iterator[Coded]:
    """The same posts as they may leave, each still with its codes; *store* remembers what was looked at before."""
    from itertools import tee

    from ethics.release import release_stream

    # What is between the two is a few batches: the pass takes posts only a little ahead of what it gives out.
    posts, codes = tee(coded)
    yield from zip(release_stream((p for p, _ in posts), store=store), (given for _, given in codes), strict=True)


def _write_project(out: Path, coded: Iterable[Coded], codebook: Codebook, coder: str) -> int:
    """A REFI-QDA project: each post a text, the coder's codes on the whole of it."""
    from coding import Mark
    from coding.exchange import Task
    from coding.exchange.qdpx import CodedBy, write_coded

    tasks: list[Task] = []
    marks: dict[str, list[Mark]] = {}
    for n, (post, given) in enumerate(coded):
        day = post.created.date().isoformat()
        tasks.append(Task(post.id, post.version, n, post.case, post.platform, day, post.text))
        marks[post.id] = [Mark(code) for code in sorted(given or ())]
    return write_coded(out, tasks, codebook, [CodedBy(coder, datetime.now(UTC), marks)] if coder else [])
