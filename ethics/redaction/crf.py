"""
A linear-chain CRF, read from exported weights: marginal probabilities for many posts at once.

All features are of a word, of a pair of neighbouring classes, or of a word and its post. So the weights of each word
and pair are summed once and kept; a post costs a few table look-ups and the forward-backward pass
(Lafferty, McCallum & Pereira 2001; scaled as in Rabiner 1989, section V.A).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from .lexicon import PLACE, plain
from .reading import EDGE, LINE, PHRASE
from .words import AWAY, OPENERS, TOKEN, Describer, NameShape, Word, start_features, style_features

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
MOST_WORDS = 150_000
SCALED = 4
"""After how many steps forward and backward values are scaled to sum to 1; a step changes them by less than e^9."""
UPPER, SHOUT, LETTERS, OPENS, KEEPS, CUED, STARTS, PHRASED, TOWN, COMMON, NUMBER = (1 << i for i in range(11))
"""
Facts of a token. A word: with a capital, all in capitals, a word; what opens a sentence, what leaves that as it was;
where a rule of form may begin (see `names.rule_spans`); what may open a phrase, what stands in one; a town that is no
first name; an ordinary word without a capital; a number.
"""


@dataclass(frozen=True, slots=True)
class Model:
    """
    `rows`: feature -> its row in `weights`, which has a column for each label. `transitions[i, j]`: from label i to
    label j.
    """

    labels: tuple[str, ...]
    rows: Mapping[str, int]
    weights: Floats
    transitions: Floats
    names: NameShape

    def sum(self, features: Iterable[str]) -> Floats:
        """The weights of *features* together."""
        rows = self.rows
        known = [i for f in features if (i := rows.get(f)) is not None]
        total: Floats = self.weights[known].sum(axis=0) if known else np.zeros(len(self.labels), np.float32)
        return total

    def near(self) -> tuple[dict[str, int], Floats]:
        """The features of words elsewhere, without the distance: feature -> row; the weights by row and distance."""
        rows: dict[str, int] = {}
        found = []
        for feature, i in self.rows.items():
            sign = feature[0] == "-"
            if feature[sign] in "12":
                distance = AWAY.index(int(feature[: 1 + sign]))
                found.append((rows.setdefault(feature[1 + sign :], len(rows)), distance, i))
        weights = np.zeros((len(rows), len(AWAY), len(self.labels)), np.float32)
        where = np.array(found, np.int64).reshape(-1, 3)
        weights[where[:, 0], where[:, 1]] = self.weights[where[:, 2]]
        return rows, weights

    def pack(self) -> bytes:
        """The model as a compressed npz file of plain arrays."""
        out = io.BytesIO()
        keys = sorted(self.rows)
        arrays: dict[str, npt.NDArray[Any]] = {
            "labels": _letters(self.labels),
            "features": _letters(keys),
            "weights": self.weights[[self.rows[k] for k in keys]].astype(np.float16),
            "transitions": self.transitions,
            "floors": np.array(self.names.floors),
        }
        for i, table in enumerate(self.names.tables):
            grams = sorted(table)
            arrays[f"grams{i}"] = _letters(grams)
            arrays[f"odds{i}"] = np.array([table[g] for g in grams], np.float16)
        np.savez_compressed(out, allow_pickle=False, **arrays)
        return out.getvalue()

    @classmethod
    def unpack(cls, data: bytes) -> Model:
        """The model of a file that `pack` made. Only arrays are read, never objects."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            rows = {feature: i for i, feature in enumerate(_texts(file["features"]))}
            tables = [
                dict(zip(_texts(file[f"grams{i}"]), file[f"odds{i}"].astype(float).tolist(), strict=True))
                for i in (0, 1)
            ]
            names = NameShape(tables, file["floors"].tolist())
            weights, transitions = file["weights"].astype(np.float32), file["transitions"].astype(np.float32)
            return cls(tuple(_texts(file["labels"])), rows, weights, transitions, names)


def _letters(texts: Iterable[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\x01".join(texts).encode(), np.uint8)


def _texts(letters: npt.NDArray[np.uint8]) -> list[str]:
    return letters.tobytes().decode().split("\x01")


class Pairs:
    """The summed weights of pairs of classes, made when first met."""

    def __init__(self, model: Model, prefix: str) -> None:
        self.model, self.prefix = model, prefix
        self.index = np.zeros((256, 256), np.int32)
        self.rows = np.zeros((1, len(model.labels)), np.float32)

    def look_up(self, left: Ints, right: Ints, lefts: Sequence[str], rights: Sequence[str]) -> Floats:
        """One row a pair; `lefts` and `rights` are the classes' names by number."""
        most = max(len(lefts), len(rights))
        if most > len(self.index):
            grown = np.zeros((2 * most, 2 * most), np.int32)
            grown[: len(self.index), : len(self.index)] = self.index
            self.index = grown
        where = self.index[left, right]
        missing = where == 0
        if missing.any():
            self._add({*zip(left[missing].tolist(), right[missing].tolist(), strict=True)}, lefts, rights)
            where = self.index[left, right]
        return self.rows[where]

    def _add(self, pairs: set[tuple[int, int]], lefts: Sequence[str], rights: Sequence[str]) -> None:
        fresh = np.zeros((len(pairs), self.rows.shape[1]), np.float32)
        for n, (a, b) in enumerate(pairs):
            self.index[a, b] = len(self.rows) + n
            row = self.model.rows.get(f"{self.prefix}={lefts[a]}|{rights[b]}")
            if row is not None:
                fresh[n] = self.model.weights[row]
        self.rows = np.concatenate([self.rows, fresh])


class Numbers:
    """Names numbered in the order they come."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.of: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        n = self.of.get(name)
        if n is None:
            n = self.of[name] = len(self.names)
            self.names.append(name)
        return n


@dataclass(frozen=True, slots=True)
class Tagged:
    """
    Of all tokens of a batch: `numbers`, their ids; `facts`, what is known of each as bits; `persons` and `streets`,
    the probabilities. The tokens of post i are those from `starts[i]` to `ends[i]`.
    """

    numbers: Ints
    facts: Ints
    persons: Floats
    streets: Floats
    starts: Ints
    ends: Ints


class Tagger:
    """
    The model with its tables. `words[id]` says what is known of a token; ids hold until the next `begin`.

    `starters` are the ids of words that may open a phrase, with the words that may come second in it.
    """

    def __init__(self, model: Model, describer: Describer) -> None:
        self.model, self.describer = model, describer
        self.persons = [i for i, label in enumerate(model.labels) if label.endswith("PER")]
        self.streets = [i for i, label in enumerate(model.labels) if label == "ADDR"]
        self.start_transitions = np.exp(model.transitions)
        self.pairs = {p: Pairs(model, p) for p in ("pg", "ng", "pn")}
        self._again = model.sum(["again"])
        self._near, self._near_weights = model.near()
        self._clear()

    def _clear(self) -> None:
        labels = len(self.model.labels)
        self.ids: dict[str, int] = {}
        self.tokens: list[str] = []
        self._pieces: dict[str, tuple[int, ...]] = {}
        self.words: list[Word] = []
        self.starters: dict[int, frozenset[str]] = {}
        self._table = np.zeros((0, 1 + len(AWAY), labels), np.float32)
        self._facts = np.zeros((0, 3), np.int64)
        self.cores, self.groups = Numbers(), Numbers()
        self._by_core = np.zeros((0, 5, labels), np.float32)
        for p in self.pairs:
            self.pairs[p] = Pairs(self.model, p)
        # Number 0 stands between posts: what a word sees beyond the end of its post.
        self._learn([EDGE, "\n"])
        self._pieces[LINE] = (1,)

    def numbers(self, tokens: Sequence[str]) -> Ints:
        """The ids of *tokens*."""
        fresh = dict.fromkeys(t for t in tokens if t not in self.ids)
        if fresh:
            self._learn([*fresh])
        return np.array([self.ids[t] for t in tokens], np.int64)

    def read(self, text: str) -> Ints:
        """The ids of the tokens of *text*, in which `LINE` stands for the end of a line."""
        # What stands between spaces is cut into tokens when it is first met.
        pieces, known = text.split(), self._pieces
        fresh = {p: TOKEN.findall(p) for p in pieces if p not in known}
        if fresh:
            self.numbers([*chain.from_iterable(fresh.values())])
            known.update({p: tuple(map(self.ids.__getitem__, tokens)) for p, tokens in fresh.items()})
        return np.fromiter(chain.from_iterable(map(known.__getitem__, pieces)), np.int64)

    def _learn(self, tokens: Sequence[str]) -> None:
        """Give new tokens an id and a row in each table."""
        words = [self.describer.describe(t) for t in tokens]
        table = np.zeros((len(tokens), *self._table.shape[1:]), np.float32)
        table[:, 0] = _sums(self.model.weights, self.model.rows, [w.own for w in words])
        table[:, 1:] = _sums(self._near_weights, self._near, [w.wide + w.close for w in words])
        facts = [(self.cores[w.core], self.groups[w.group], _facts(t, w)) for t, w in zip(tokens, words, strict=True)]
        first = len(self.words)
        self.ids.update(zip(tokens, range(first, first + len(tokens)), strict=True))
        self.words += words
        self.tokens += tokens
        phrases = self.describer.lexicon.phrases
        for n, t in enumerate(tokens, first):
            if begun := phrases.get(plain(t)):
                self.starters[n] = frozenset(p[1] for p in begun)
                facts[n - first] = (*facts[n - first][:2], facts[n - first][2] | STARTS)
        self._table = _with(self._table, first, table)
        self._facts = _with(self._facts, first, np.array(facts))
        fresh = self.cores.names[len(self._by_core) :]
        if fresh:
            self._by_core = np.concatenate([self._by_core, np.array([self._core_rows(c) for c in fresh])])

    def _core_rows(self, core: str) -> list[Floats]:
        by_style = [style_features(s, core) for s in "LMU"]
        by_start = [start_features(b, core) for b in (False, True)]
        return [self.model.sum(features) for features in (*by_style, *by_start)]

    def facts(self, numbers: Ints) -> Ints:
        """What is known of each token, as bits."""
        facts: Ints = self._facts[numbers, 2]
        return facts

    def begin(self) -> None:
        """Before a batch: forget the words when there are too many."""
        if len(self._pieces) > MOST_WORDS:
            self._clear()

    def tag(self, numbers: Ints) -> Tagged:
        """The probabilities of the model for token ids, with two edges before, between and behind posts."""
        edges = np.flatnonzero(numbers == 0)
        starts, ends = edges[1:-2:2] + 1, edges[2::2]
        emissions = self._emit(numbers, starts)
        marginals = _marginals(emissions, starts, ends - starts, self.start_transitions)
        persons, streets = (marginals[:, group].sum(axis=1) for group in (self.persons, self.streets))
        return Tagged(numbers, self.facts(numbers), persons, streets, starts, ends)

    def _emit(self, flat: Ints, starts: Ints) -> Floats:
        table, facts = self._table, self._facts[flat]
        core, group, flags = facts[:, 0], facts[:, 1], facts[:, 2]
        out: Floats = table[flat, 0].copy()
        out[2:] += table[flat[:-2], 1]
        out[1:] += table[flat[:-1], 2]
        out[:-1] += table[flat[1:], 3]
        out[:-2] += table[flat[2:], 4]
        post = np.zeros(len(flat), np.int64)
        np.add.at(post, starts, 1)
        post = np.maximum(np.cumsum(post) - 1, 0)
        out += self._by_core[core, _styles(flags, post, len(starts))[post]]
        out += self._by_core[core, 3 + _openers(flags)]
        cores, groups = self.cores.names, self.groups.names
        before, after = np.roll(group, 1), np.roll(group, -1)
        out += self.pairs["pg"].look_up(before, core, groups, cores)
        out += self.pairs["ng"].look_up(core, after, cores, groups)
        out += self.pairs["pn"].look_up(before, after, groups, groups)
        repeated = _repeated(flat, post, flags)
        out[repeated] += self._again
        return out


def _sums(weights: Floats, rows: Mapping[str, int], features: Sequence[Sequence[str]]) -> Floats:
    """The sum of the weights of each list of features; those that the model does not know weigh nothing."""
    known = [[i for f in some if (i := rows.get(f)) is not None] for some in features]
    lengths = np.array([*map(len, known)])
    out = np.zeros((len(known), *weights.shape[1:]), np.float32)
    if lengths.any():
        flat = np.fromiter(chain.from_iterable(known), np.int64)
        starts = (np.cumsum(lengths) - lengths)[lengths > 0]
        out[lengths > 0] = np.add.reduceat(weights[flat], starts, axis=0)
    return out


def _with(table: npt.NDArray[Any], size: int, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """*table*, of which *size* rows are in use, with more rows; twice as long where it was full."""
    if size + len(rows) > len(table):
        table = np.concatenate([table, np.zeros((len(table) + len(rows), *table.shape[1:]), table.dtype)])
    table[size : size + len(rows)] = rows
    return table


def _facts(token: str, word: Word) -> int:
    """What the post's own features and the thresholds need of a token, as bits."""
    if token == EDGE:
        return OPENS
    text = token.rstrip(PHRASE)
    if word.kind == "word":
        cued = word.cue == "T" or word.possessive or (word.capital and (word.surname or token.endswith(".")))
        flags = (word.capital, UPPER), (text.isupper(), SHOUT), (cued, CUED), (token != text, PHRASED)
        town = bool(word.bits & PLACE) and not word.named
        common = not word.capital and word.level > 0 and not word.named
        return LETTERS | sum(bit for holds, bit in (*flags, (town, TOWN), (common, COMMON)) if holds)
    opening = text in OPENERS or (word.kind == "mark" and not text.isascii())
    return (OPENS if opening else KEEPS) | (NUMBER if word.kind == "num" else 0)


def _styles(flags: Ints, post: Ints, posts: int) -> Ints:
    """0 for a post without a capital, 1 for a mixed one, 2 for one in capitals."""
    letters = np.bincount(post, (flags & LETTERS) > 0, posts)
    upper = np.bincount(post, (flags & UPPER) > 0, posts)
    shout = np.bincount(post, (flags & SHOUT) > 0, posts)
    styles: Ints = np.where(upper == 0, 0, np.where(shout > 0.7 * letters, 2, 1))
    return styles


def _openers(flags: Ints) -> Ints:
    """1 where a word opens a sentence: the last thing before it that is no keeper ends one."""
    places = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags & KEEPS, 0, places))
    before = np.concatenate([[0], last[:-1]])
    opening: Ints = ((flags[before] & OPENS) > 0).astype(np.int64)
    return opening


def _repeated(flat: Ints, post: Ints, flags: Ints) -> Ints:
    """Places of words with a capital that stand more than once in their post."""
    where = np.flatnonzero(flags & UPPER)
    _, inverse, counts = np.unique(post[where] * (1 << 32) + flat[where], return_inverse=True, return_counts=True)
    repeated: Ints = where[counts[inverse] > 1]
    return repeated


def _marginals(emissions: Floats, starts: Ints, lengths: Ints, transitions: Floats) -> Floats:
    """Forward-backward over all posts at once, step by step; 0 between the posts."""
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    # Posts are in the order of their length, so that at each step those that have it come first.
    going = np.searchsorted(-lengths, -np.arange(lengths.max(initial=0)), side="left")
    places = np.concatenate([starts[:0], *(starts[:k] + t for t, k in enumerate(going))])
    e = emissions[places]
    e = np.exp(e - e.max(axis=1, keepdims=True))
    steps = [slice(b - k, b) for k, b in zip(going.tolist(), np.cumsum(going).tolist(), strict=True)]
    out = np.zeros_like(emissions)
    out[places] = _forward_backward(e, steps, transitions)
    return out


def _forward_backward(e: Floats, steps: Sequence[slice], transitions: Floats) -> Floats:
    """Probabilities like *e*, in which the first tokens of all posts come first, then the second ones, and so on."""
    forward = np.empty_like(e)
    state = np.ones_like(e[:0])
    for t, step in enumerate(steps):
        state = np.multiply(state[: step.stop - step.start] @ transitions, e[step]) if t else e[step]
        if t % SCALED == SCALED - 1:
            state /= state.sum(axis=1, keepdims=True)
        forward[step] = state
    state, backward = np.ones_like(e[:0]), np.ascontiguousarray(transitions.T)
    for t, step in reversed([*enumerate(steps)]):
        more = step.stop - step.start - len(state)
        back = np.concatenate([state, np.ones((more, e.shape[1]), e.dtype)]) if more else state
        forward[step] *= back
        state = (back * e[step]) @ backward
        if t % SCALED == 0:
            state /= state.sum(axis=1, keepdims=True)
    forward /= forward.sum(axis=1, keepdims=True)
    return forward
