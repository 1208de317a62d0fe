"""
Full-text search over the redacted texts, by Dutch word stems and exact phrases.

There is no index, so there is nothing to keep up to date and nothing more to forget: a root is turned into
a pattern of the forms it can come from, one pass over the texts finds the candidates, and only their
words are brought back to their roots. At a few hundred thousand posts a pass takes a fraction of a second.

A word's root is its stem by Snowball's Dutch stemmer, stemmed once more (fietsen, fiets: fiet), with a last
v or z as f or s (brieven, brief). A word that ends in s has a second root, without it (aangiftes, aangifte),
for the stemmer leaves most plurals in -s alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from .extensions import load
from .posts import as_posts, fetch
from .records import Post, Span

if TYPE_CHECKING:
    import duckdb

    from .store import Store

ACCENTED = {
    "a": "aáàâäãå", "c": "cç", "e": "eéèêë", "i": "iíìîï", "n": "nñ", "o": "oóòôöõ", "u": "uúùûü", "y": "yýÿ",
}  # fmt: skip
LETTER = r"[\pL\pN]"
K1, B = 1.2, 0.75
"""BM25's usual constants (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework)."""
_PARTS = re.compile(r'["“”„]([^"“”„]*)["“”„]?|([^\s"“”„]+)')
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A post that was found: `score` is its BM25 weight, `spans` where the words stand in its text."""

    post: Post
    score: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """How many posts have all the words, and the best of them, best first."""

    total: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Term:
    """One thing to look for: a word by its roots, or a phrase, which has none; `form` is its pattern."""

    form: str
    roots: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """For RE2, in its first group: the form, where no letter stands before it, nor after a phrase."""
        after = "" if self.roots else r"(?:$|[^\pL\pN])"
        return rf"(?i)(?:^|[^\pL\pN])({self.form}){after}"


def find(store: Store, query: str, case: str | None = None, limit: int = 20) -> Found:
    """
    The posts whose current version has all words of *query*, in any of their forms, and all its "quoted phrases".

    Best first by BM25, newest first among equals. An empty query finds nothing.
    """
    with store.transaction() as db:
        load(db, "fts")
        terms = list(dict.fromkeys(_terms(db, query)))
        if not terms:
            return Found(0, ())
        total, ranked = _ranked(db, terms, case, limit)
        scores = dict(ranked)
        posts = as_posts(fetch(store, pa.table({"id": pa.array(scores, pa.string())})))
        hits = [Hit(p, scores[p.id], _spans(db, terms, p.text)) for p in posts]
    return Found(total, tuple(hits))


# --------------------------------------------------------------------------------------------- what to look for
_ROOT = "regexp_replace(regexp_replace(stem(stem({}, 'dutch'), 'dutch'), 'v$', 'f'), 'z$', 's')"
_ROOTS = (
    f"(case when length({{0}}) > 5 and {{0}} like '%s' then [{_ROOT.format('{0}')}, {_ROOT.format('{0}[:-2]')}] "
    f"else [{_ROOT.format('{0}')}] end)"
)
"""SQL for the roots of a word in lower case and without accents."""


def _terms(db: duckdb.DuckDBPyConnection, query: str) -> Iterator[_Term]:
    for phrase, word in _PARTS.findall(query):
        words = _WORD.findall(_plain(phrase or word))
        if phrase and words:
            yield _Term(r"[^\pL\pN]+".join(_accented(w) for w in words), ())
        elif words:
            roots = roots_of(db, words)
            yield from (_Term("|".join(map(form_of, roots[w])), roots[w]) for w in words)


def roots_of(db: duckdb.DuckDBPyConnection, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The roots of each of these words, which must be lower case and without accents. Needs the fts extension."""
    rows = db.execute(f"select w, {_ROOTS.format('w')} from (select unnest(?::text[]) as w)", [list(words)]).fetchall()
    return {word: tuple(roots) for word, roots in rows}


def form_of(root: str) -> str:
    """
    A pattern for every word that can have this root: wider than need be, never narrower.

    A word begins with its root, but for a double vowel made single (loop, lopen: lop), -heden for -heid, and the
    last consonant.
    """
    heart = re.fullmatch(r"(.*?)([aeou])([^aeiouy])", root)
    if root.endswith("heid"):
        told = f"{_accented(root[:-4])}h{_accented('e')}i?d"
    elif heart and not heart[1].endswith(tuple("aeiouy")):
        told = f"{_accented(heart[1])}{_accented(heart[2])}{{1,2}}{_last(heart[3])}"
    else:
        told = _accented(root[:-1]) + _last(root[-1:])
    return f"{told}{LETTER}*"


def _last(letter: str) -> str:
    return {"f": "[fv]", "s": "[sz]"}.get(letter) or _accented(letter)


def _accented(word: str) -> str:
    return "".join(f"[{ACCENTED[c]}]" if c in ACCENTED else re.escape(c) for c in word)


def _plain(text: str) -> str:
    """Lower case and without accents, one character for each of *text*."""
    return "".join(unicodedata.normalize("NFD", c)[0] for c in text.lower())


# ------------------------------------------------------------------------------------------------------ ranking
def _ranked(
    db: duckdb.DuckDBPyConnection, terms: Sequence[_Term], case: str | None, limit: int
) -> tuple[int, list[tuple[str, float]]]:
    """How many posts match, and the best: (id, score)."""
    within, values = ('and "case" = ?', [case]) if case else ("", [])
    seen, size, rarities = _rarities(db, terms, within, values)
    if not seen:
        return 0, []
    score = " + ".join(
        f"{rarity!r} * f{n} * {K1 + 1} / (f{n} + {K1} * ({1 - B} + {B} * length(text) / {size!r}))"
        for n, rarity in enumerate(rarities)
    )
    rows = db.execute(
        f"with candidate as (select id, created, text from post where latest {within} "
        f"and {' and '.join('regexp_matches(text, ?)' for _ in terms)}), "
        f"counted as (select *, {', '.join(_frequency(n, t) for n, t in enumerate(terms))} from candidate) "
        f"select id, {score} as score, count(*) over () as total from counted "
        f"where {' and '.join(f'f{n} > 0' for n in range(len(terms)))} order by score desc, created desc, id limit ?",
        [*values, *(t.pattern for t in terms), *_frequency_values(terms), limit],
    ).fetchall()
    return (rows[0][2] if rows else 0), [(id_, float(score)) for id_, score, _ in rows]


def _rarities(
    db: duckdb.DuckDBPyConnection, terms: Sequence[_Term], within: str, values: Sequence[object]
) -> tuple[int, float, list[float]]:
    """Over how many posts, their mean length, and per term its inverse document frequency; 1 when it is alone."""
    alone = len(terms) == 1
    counts = "" if alone else "".join(", count(*) filter (regexp_matches(text, ?))" for _ in terms)
    patterns = [] if alone else [t.pattern for t in terms]
    seen, size, *holders = db.execute(
        f"select count(*), avg(length(text)){counts} from post where latest {within}", [*patterns, *values]
    ).fetchall()[0]
    rarities = [1.0] if alone else [math.log(1 + (seen - n + 0.5) / (n + 0.5)) for n in holders]
    return seen, float(size or 1), rarities


def _frequency(n: int, term: _Term) -> str:
    """SQL for how often the term stands in a candidate, as `f<n>`; its pattern, and its roots, are bound."""
    words = "regexp_extract_all(text, ?, 1)"
    if term.roots:
        plain = f"list_transform({words}, w -> strip_accents(lower(w)))"
        words = f"list_filter({plain}, w -> list_has_any({_ROOTS.format('w')}, ?::text[]))"
    return f"len({words}) as f{n}"


def _frequency_values(terms: Sequence[_Term]) -> Iterator[object]:
    for term in terms:
        yield term.pattern
        if term.roots:
            yield list(term.roots)


def _spans(db: duckdb.DuckDBPyConnection, terms: Sequence[_Term], text: str) -> tuple[Span, ...]:
    """Where the terms stand in *text*, in order, overlaps joined."""
    found: list[tuple[int, int]] = []
    for term in terms:
        form = term.form.replace(LETTER, r"[^\W_]").replace(r"[^\pL\pN]", r"[\W_]")
        spans = [m.span() for m in re.finditer(rf"(?<![^\W_])(?:{form})(?![^\W_])", text, re.IGNORECASE)]
        if term.roots and spans:
            words = [_plain(text[a:b]) for a, b in spans]
            roots = roots_of(db, words)
            spans = [span for span, w in zip(spans, words, strict=True) if {*roots[w]} & {*term.roots}]
        found += spans
    return tuple(Span(a, b) for a, b in _joined(sorted(found)))


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last: tuple[int, int] | None = None
    for start, end in spans:
        if last is not None and start <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last
