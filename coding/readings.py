"""What human coders read in posts: taken in once, revised only on purpose, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from storage import Annotation, Coding, Pseudonym, Store
from storage import decisions as kept

from .exchange import Coded, ExchangeError
from .sampling import CODE_NAME

if TYPE_CHECKING:
    from .codebook import Codebook


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file of codes: posts new to the coder, posts she revised, posts known already."""

    new: int = 0
    revised: int = 0
    known: int = 0


def take_in(
    store: Store,
    coder: str,
    coded: Iterable[Coded],
    codebook: Codebook,
    *,
    revise: bool = False,
    note: Callable[[str, str], str] | None = None,
) -> Taken:
    """
    Keep what *coder* (a code name) says of posts; posts she said the same of before are left as they are.

    What is new becomes a coding of its own, dated: a delivery. Other codes than before are refused (ExchangeError),
    unless *revise*: then the new ones hold and the old ones stay as history. *note* cleans a remark on
    (post, remark) before it is kept; without it remarks are dropped.
    """
    if not CODE_NAME.fullmatch(coder):
        msg = "a coder has a code name of small letters, digits and dashes, no real name"
        raise ExchangeError(msg)
    before = kept.last_reading(store, coder)
    new, changed, known = _sorted_out(coded, before)
    if changed and not revise:
        msg = (
            f"{len(changed)} posts were coded otherwise by {coder} before, the first at {changed[0].where}; "
            "nothing was taken in. If this is her second reading, say --revise"
        )
        raise ExchangeError(msg)
    last = max((_delivery(id_) for id_, _, _ in before.values()), default=0)
    with store.transaction():
        _keep(store, f"human-{coder}-{last + 1}", coder, [*new, *changed], codebook, note)
    return Taken(len(new), len(changed), known)


def _sorted_out(
    coded: Iterable[Coded], before: dict[str, tuple[str, int, frozenset[tuple[str, int | None, int | None]]]]
) -> tuple[list[Coded], list[Coded], int]:
    new: list[Coded] = []
    changed: list[Coded] = []
    known = 0
    for one in coded:
        last = before.get(one.post)
        if last is None or last[1] != one.version:
            new.append(one)
        elif last[2] != {(m.code, m.start, m.end) for m in one.marks}:
            changed.append(one)
        else:
            known += 1
    return new, changed, known


def _keep(
    store: Store,
    id_: str,
    coder: str,
    coded: Sequence[Coded],
    codebook: Codebook,
    note: Callable[[str, str], str] | None,
) -> None:
    if not coded:
        return
    settings = json.dumps({"delivery": _delivery(id_)})
    store.begin_coding(Coding(id_, "human", coder, codebook.version, codebook.digest, settings, datetime.now(UTC)))
    seen = [(c.post, c.version or 1) for c in coded]
    marks = [
        Annotation(id_, Pseudonym(c.post), m.code, 1.0, m.start, m.end, m.rule, c.version or 1)
        for c in coded
        for m in c.marks
    ]
    store.annotate(id_, seen, marks)
    if note is not None:
        kept.add_notes(store, id_, [(c.post, note(c.post, c.note)) for c in coded if c.note])


def _delivery(coding: str) -> int:
    return int(coding.rpartition("-")[2])


def by_annotator(coded: Iterable[Coded], names: dict[str, str]) -> dict[str, list[Coded]]:
    """
    What was read, per code name. *names* says which annotator of the file is who; {"": NAME} when all are one.

    ExchangeError when the file holds several annotators and not all are named.
    """
    whole = sorted(coded, key=lambda c: c.annotator)
    groups = {who: list(group) for who, group in groupby(whole, key=lambda c: c.annotator)}
    if set(names) == {""} and len(groups) <= 1:
        return {names[""]: whole}
    if unnamed := sorted(set(groups) - set(names)):
        msg = (
            f"the file holds {len(groups)} annotators ({', '.join(sorted(groups))}); say who each is with "
            + " ".join(f"--coder {who}=NAME" for who in unnamed)
        )
        raise ExchangeError(msg)
    return {names[who]: group for who, group in groups.items()}
