"""
What may leave: a second, stricter redaction, no small cells, no quotes long enough to be looked up.

Everything that `export`, `sample`, `codebook` and `report` hand out passes here. Texts are redacted once more at
a lower threshold than at the gate; counts of few posts or authors are left out, together with as many others as
it takes that they cannot be worked out from the totals; quotes are cut to the length that the policy allows, or
stand in the words of an approved paraphrase.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import islice
from typing import TypeVar

import numpy as np

from storage import Post, Store, second_pass

from .policy import Policy
from .protect import disarmed, replace_found
from .redaction import LABELS, Redactor
from .redaction.names import Thresholds
from .redaction.pool import in_parallel
from .redaction.redactor import active_model

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)

KEPT_TOGETHER = 5000
"""How many outcomes of the second pass are kept in one transaction."""
STRICT = Thresholds(cased=0.02, lower=0.02, street=0.15)
LABEL = re.compile(r"\[[^\]\s]*\]")
WORD = re.compile(r"\w+(?:['’.-]\w+)*")


# --------------------------------------------------------------------------------------------------------- texts
def strict_redactor() -> Redactor:
    """The redactor of the second pass: it takes a word for a name sooner than the gate's does."""
    redactor = Redactor("careful")
    redactor.thresholds = STRICT
    return redactor


def release_texts(posts: Iterable[Post], redactor: Redactor | None = None, batch: int = 500) -> Iterator[Post]:
    """*posts* as they may leave: what the second pass finds becomes a label without a number, `[PERSOON]`."""
    second = redactor or strict_redactor()
    rest = iter(posts)
    while held := list(islice(rest, batch)):
        for post, text in zip(held, _second_pass(second, [p.text for p in held]), strict=True):
            yield post if text is None else replace(post, text=text)


def release_stream(
    posts: Iterable[Post], batch: int = 1000, processes: int | None = None, store: Store | None = None
) -> Iterator[Post]:
    """
    As `release_texts`, on all cores, for a stream of any length: a few batches are in memory at a time.

    What *store* remembers of the same text under the same redactor is not worked out again; the rest it remembers.
    """
    known = second_pass.outcomes(store) if store else {}
    held: deque[list[tuple[Post, bytes]]] = deque()

    def batches() -> Iterator[list[str]]:
        rest = iter(posts)
        while some := [(p, _mark(p.text)) for p in islice(rest, batch)]:
            held.append(some)
            yield [p.text for p, mark in some if mark not in known]

    fresh: list[second_pass.Outcome] = []
    for texts in in_parallel(_second_pass, batches(), "careful", processes):
        found = iter(texts)
        for post, mark in held.popleft():
            text = known[mark] if mark in known else next(found)
            if mark not in known:
                fresh.append((post.id, post.version, mark, text))
            yield post if text is None else replace(post, text=text)
        if store and len(fresh) >= KEPT_TOGETHER:
            second_pass.keep(store, fresh)
            fresh.clear()
    if store and fresh:
        second_pass.keep(store, fresh)


def _mark(text: str) -> bytes:
    """A digest of a text and of all that decides what the second pass finds in it."""
    return blake2b(text.encode("utf-8", "surrogatepass"), key=redactor_digest(), digest_size=16).digest()


@cache
def redactor_digest() -> bytes:
    """A digest of the redactor's code, model, lists and thresholds, and of what it runs on."""
    made = blake2b(f"{active_model()} {np.__version__} {sys.version}".encode(), digest_size=32)
    package = files(__package__)
    parts = [p for p in (package / "redaction").iterdir() if p.is_file()]
    for part in sorted([*parts, package / "release.py", package / "protect.py"], key=lambda p: p.name):
        made.update(f"{part.name}\0".encode() + part.read_bytes())
    return made.digest()


def _second_pass(redactor: Redactor, texts: Sequence[str]) -> list[str | None]:
    """Each text as it may leave; None where it may leave as it is."""
    redactor.thresholds = STRICT
    found = redactor.find_many([disarmed(text, ours=True) for text in texts])
    return [replace_found(t, f, _plain).text if f else None for t, f in zip(texts, found, strict=True)]


def release_text(text: str, redactor: Redactor) -> str:
    """As `release_texts` for a text alone: a note, a reason, a paraphrase."""
    return replace_found(text, redactor.find(disarmed(text, ours=True)), _plain).text


def _plain(kind: str, value: str) -> str:
    return LABELS[kind]


# --------------------------------------------------------------------------------------------------------- cells
def suppress_small(cells: Mapping[K, int], k: int, *, with_total: bool = True) -> dict[K, int | None]:
    """
    Counts with those from 1 to k-1 left out (None).

    Where the total is shown as well (*with_total*), a single cell left out could be worked out from it: then the
    next smallest goes too. Zeros are shown; they name nobody.
    """
    out = {key for key, n in cells.items() if 0 < n < k}
    if with_total and out and (len(out) == 1 or sum(cells[c] for c in out) < k):
        others = sorted((n, str(key), key) for key, n in cells.items() if key not in out and n > 0)
        out.update(key for _, _, key in others[:1])
    return {key: None if key in out else n for key, n in cells.items()}


def suppress_table(table: Mapping[R, Mapping[C, int]], k: int) -> dict[R, dict[C, int | None]]:
    """
    A table of counts shown with its margins, as `suppress_small` for every row and every column.

    Rows and columns are gone through until no cell that is left out can be worked out from one margin alone.
    """
    columns = list(dict.fromkeys(c for row in table.values() for c in row))
    full = {r: {c: row.get(c, 0) for c in columns} for r, row in table.items()}
    out = {(r, c) for r, row in full.items() for c, n in row.items() if 0 < n < k}
    lines = [[(r, c) for c in columns] for r in full] + [[(r, c) for r in full] for c in columns]
    grown = True
    while grown:
        grown = False
        for line in lines:
            more = _complement(full, line, out, k)
            grown = grown or bool(more)
            out |= more
    return {r: {c: None if (r, c) in out else n for c, n in row.items()} for r, row in full.items()}


def _complement(
    full: Mapping[R, Mapping[C, int]], line: list[tuple[R, C]], out: set[tuple[R, C]], k: int
) -> set[tuple[R, C]]:
    """The cell that must go too in this row or column, if any."""
    hidden = [cell for cell in line if cell in out]
    if not hidden or (len(hidden) > 1 and sum(full[r][c] for r, c in hidden) >= k):
        return set()
    others = [(full[r][c], str((r, c)), (r, c)) for r, c in line if (r, c) not in out and full[r][c] > 0]
    return {min(others)[2]} if others else set()


# -------------------------------------------------------------------------------------------------------- quotes
@dataclass(frozen=True, slots=True)
class QuoteVerdict:
    """
    Whether words may be cited as they stand.

    `words` is the longest run of words that a search engine could find, `allowed` how many the policy lets be.
    """

    words: int
    allowed: int

    @property
    def traceable(self) -> bool:
        """Whether it must be paraphrased, or approved as it stands, before it leaves."""
        return self.words > self.allowed


def check_quote(text: str, policy: Policy) -> QuoteVerdict:
    """Judge a quote: labels break a run of words, because no search engine knows them."""
    runs = (len(WORD.findall(piece)) for piece in re.split(r"\[[^\]\s]*\]|…|\.\.\.", text))
    return QuoteVerdict(max(runs, default=0), policy.quote_words)


def check_paraphrase(paraphrase: str, original: str, policy: Policy) -> QuoteVerdict:
    """Judge a paraphrase by the longest run of words that it shares with what was written."""
    told, said = _words(paraphrase), _words(original)
    longest, row = 0, [0] * (len(said) + 1)
    for word in told:
        last = 0
        for i, other in enumerate(said, 1):
            last, row[i] = row[i], last + 1 if word == other else 0
            longest = max(longest, row[i])
    return QuoteVerdict(longest, policy.quote_words)


def _words(text: str) -> list[str]:
    return [w.casefold() for w in WORD.findall(LABEL.sub(" ", text))]


def excerpt(text: str, start: int | None, end: int | None, policy: Policy) -> str:
    """
    As much of *text* around the evidence (code points; None: from its start) as may be cited: at most
    `quote_words` words, cut off with an ellipsis. A short text comes whole.
    """
    if not check_quote(text, policy).traceable:
        return text
    pieces = [m.span() for m in re.finditer(r"\S+", text)]
    first = next((i for i, (_, b) in enumerate(pieces) if b > (start or 0)), 0)
    wanted = sum(1 for a, b in pieces if b > (start or 0) and a < (end or 0)) or 1
    room = max(0, policy.quote_words - wanted)
    first = max(0, first - room // 2) if start is not None else first
    last = first
    while last < len(pieces) and not check_quote(text[pieces[first][0] : pieces[last][1]], policy).traceable:
        last += 1
    if last == first:
        return "…"
    cut = text[pieces[first][0] : pieces[last - 1][1]]
    return f"{'… ' if first else ''}{cut}{' …' if last < len(pieces) else ''}"


@dataclass(frozen=True, slots=True)
class Citation:
    """Words as they may be shown, how they came about ("short", "approved", "paraphrase", "cut"), and who approved."""

    text: str
    how: str
    approved_by: str = ""


Register = Callable[[str, int], Iterable[tuple[int, int, str, str]]]
"""The quote register for a post and version: (start, end, paraphrase or "", approved by)."""


def cite(post: Post, start: int | None, end: int | None, policy: Policy, register: Register) -> Citation:
    """The words of a post around its evidence as they may leave."""
    a, b = start or 0, len(post.text) if end is None else end
    for from_, to, paraphrase, by in register(post.id, post.version):
        if from_ <= a and b <= to:
            return Citation(paraphrase or post.text[from_:to], "paraphrase" if paraphrase else "approved", by)
    cut = excerpt(post.text, start, end, policy)
    return Citation(cut, "short" if cut == post.text else "cut")
