"""Draw samples and hand them to coders: plain functions that the command line and the flows call."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from coding import Mark, load_codebook
from coding.codebook import Codebook
from coding.exchange import ExchangeError, load_format, tasks_of
from coding.sampling import Plan, SamplingError, draw_sample
from storage import Coding, Post, Store
from storage import samples as kept

from .errors import WrongUse
from .home import Home
from .receipt import Receipt

if TYPE_CHECKING:
    from ethics.redaction import Redactor

ENDINGS = {"label-studio": ".json", "doccano": ".jsonl", "cas": ".zip"}
"""The file name endings of formats whose name is not one."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class Handed:
    """What was drawn and written: the sample, and per file its coder ("" for one file for all) and its posts."""

    sample: kept.Sample
    files: tuple[tuple[Path, str, int], ...]
    withheld: int
    receipt: Receipt


@cache
def strict() -> Redactor:
    """The redactor of the second pass, made once."""
    from ethics.release import strict_redactor

    return strict_redactor()


def released(posts: Iterable[Post]) -> dict[tuple[str, int], str]:
    """The texts of *posts* as they may leave, by id and version; many at once, which is ten times as fast."""
    from ethics.release import release_texts

    distinct = {(p.id, p.version): p for p in posts}
    return {(p.id, p.version): p.text for p in release_texts(distinct.values(), strict())}


def cleaned(post: str, remark: str) -> str:
    """A coder's remark on a post without what may name somebody."""
    from ethics.release import release_text

    return release_text(remark, strict())


@contextmanager
def in_words() -> Iterator[None]:
    """Faults of coding and analysis that the person at the keyboard can put right, as WrongUse."""
    from analysis.estimates import NotEstimable
    from analysis.regression import Unidentified

    try:
        yield
    except (SamplingError, ExchangeError, NotEstimable, Unidentified) as error:
        raise WrongUse(str(error)) from None


def codebook_of(home: Home, case: str | None) -> Codebook:
    """The codebook of a case; of all cases, when they share one. WrongUse when they do not."""
    names = {c.codebook for c in ([home.case(case)] if case else home.cases.values())}
    if len(names) > 1:
        msg = f"the cases have different codebooks ({', '.join(sorted(names))}); name one case"
        raise WrongUse(msg)
    return load_codebook(names.pop())


def machines(store: Store, coder: str | None = None) -> list[Coding]:
    """The machine codings (of one coder, or of all), oldest first. WrongUse when the named coder has none."""
    found = [c for c in store.codings() if c.coder != "human" and coder in (None, c.coder)]
    if coder and not found:
        msg = f"the coder {coder!r} has coded nothing yet: run `veldwerk code --coder {coder}`"
        raise WrongUse(msg)
    return found


def latest_each(codings: Sequence[Coding]) -> tuple[str, ...]:
    """The latest coding of each coder, by id, the latest of all last."""
    last = {c.coder: c for c in codings}
    return tuple(c.id for c in sorted(last.values(), key=lambda c: (c.started, c.id)))


def hand_out(
    home: Home,
    plan: Plan,
    to: str,
    out: Path | None = None,
    *,
    show: bool = False,
) -> Handed:
    """
    Draw a sample by *plan* and write it in the format *to*, one file a coder when the plan names coders.

    *show* puts the machine's codes before the coder, who is then no longer blind. Without *out* the files go
    to the home's `out/samples`. Texts leave through the second redaction.
    """
    start = time.monotonic()
    with in_words():
        module = load_format(to)
        codebook = codebook_of(home, plan.case)
        sample = draw_sample(home.store, plan)
        shown = _shown(home.store, plan) if show else {}
        texts = released(p for one in kept.sampled(home.store, sample.id) for p in (one.post, *one.context))
        target = out or home.out / "samples" / f"{sample.id}{ENDINGS.get(to, '.' + to)}"
        target.parent.mkdir(parents=True, exist_ok=True)
        files = []
        expected = 0
        for path, coder, posts in _targets(home.store, sample, target):
            expected += sample.size if posts is None else len(posts)
            tasks = tasks_of(
                home.store,
                sample.id,
                posts=posts,
                release=lambda p: texts.get((p.id, p.version)),
                shown=lambda post: shown.get(post, ()),
            )
            files.append((path, coder, module.write(path, tasks, codebook)))
    written = sum(n for _, _, n in files)
    withheld = expected - written
    counts = {"drawn": sample.size, "written": written, "withheld": withheld, "files": len(files)}
    home.audit.append("sample", sample=sample.id, case=sample.case, format=to, **counts)
    receipt = Receipt("sample", sample.case, sample.id, counts, time.monotonic() - start)
    return Handed(sample, tuple(files), withheld, receipt)


def _targets(store: Store, sample: kept.Sample, target: Path) -> Iterator[tuple[Path, str, list[str] | None]]:
    shares = kept.coders_of(store, sample.id)
    if not shares:
        yield target, "", None
    for coder, posts in shares.items():
        yield target.with_name(f"{target.stem}-{coder}{target.suffix}"), coder, posts


def _shown(store: Store, plan: Plan) -> dict[str, list[Mark]]:
    """The marks of the plan's last coding, per post."""
    if not plan.codings:
        msg = "there are no machine codes to show: run `veldwerk code` first"
        raise SamplingError(msg)
    shown: dict[str, list[Mark]] = defaultdict(list)
    for a in store.annotations(plan.codings[-1], plan.case):
        shown[a.post].append(Mark(a.code, a.score, a.start, a.end, a.rule))
    return shown
