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
from typing import Any

import numpy as np
import numpy.typing as npt

from .lexicon import plain
from .reading import PHRASE
from .words import AWAY, OPENERS, Describer, NameShape, Word, edge, start_features, style_features

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
MOST_WORDS = 150_000
UPPER, SHOUT, LETTERS, OPENS, KEEPS, CUED = 1, 2, 4, 8, 16, 32


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
        fresh = []
        for n, (a, b) in enumerate(sorted(pairs), len(self.rows)):
            self.index[a, b] = n
            fresh.append(self.model.sum([f"{self.prefix}={lefts[a]}|{rights[b]}"]))
        self.rows = np.vstack([self.rows, fresh])


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
    Of each post: the probabilities of a person and of a street at each token, shape (tokens, 2); the highest of
    either; and whether a title, initials or a possessive stand in it.
    """

    probabilities: list[Floats]
    person_peaks: list[float]
    street_peaks: list[float]
    cued: list[bool]


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
        self._clear()

    def _clear(self) -> None:
        labels = len(self.model.labels)
        self.ids: dict[str, int] = {}
        self.words: list[Word] = []
        self.starters: dict[int, frozenset[str]] = {}
        self.phrased: set[int] = set()
        self._table = np.zeros((1024, 5, labels), np.float32)
        self._facts = np.zeros((1024, 3), np.int64)
        self.cores, self.groups = Numbers(), Numbers()
        self._by_core = np.zeros((256, 5, labels), np.float32)
        self._parts: dict[str, Floats | None] = {}
        for p in self.pairs:
            self.pairs[p] = Pairs(self.model, p)
        # Number 0 stands between posts: what a word sees beyond the end of its post.
        self._put("", Word((), (), (), "E", "E", "", "mark", 0, False, 0.0))

    def number(self, token: str) -> int:
        """The id of *token*."""
        n = self.ids.get(token)
        return self._put(token, self.describer.describe(token)) if n is None else n

    def _put(self, token: str, word: Word) -> int:
        n = self.ids[token] = len(self.words)
        self.words.append(word)
        if phrases := self.describer.lexicon.phrases.get(plain(token)):
            self.starters[n] = frozenset(p[1] for p in phrases)
        if token.endswith(PHRASE):
            self.phrased.add(n)
        if n == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
        row = self._table[n]
        row[0] = self.model.sum(word.own)
        if token:
            for features, places in ((word.wide, AWAY), (word.close, AWAY[1:3])):
                for f in features:
                    if (part := self._part(f, places)) is not None:
                        row[1:] += part
        else:
            for slot, d in enumerate(AWAY, 1):
                row[slot] = self.model.sum(edge(d))
        before = len(self.cores.names)
        core = self.cores[word.core]
        if core == before:
            self._put_core(core, word.core)
        facts = _facts(token, word) | (CUED if _cued(token, word) else 0)
        self._facts[n] = (core, self.groups[word.group], facts)
        return n

    def _part(self, feature: str, places: tuple[int, ...]) -> Floats | None:
        """The weights of one feature for the words at *places* from here; None when the model knows none."""
        try:
            return self._parts[feature]
        except KeyError:
            pass
        rows = self.model.rows
        known = [
            (slot, i) for slot, d in enumerate(AWAY) if d in places and (i := rows.get(f"{d}{feature}")) is not None
        ]
        part = None
        if known:
            part = np.zeros((len(AWAY), len(self.model.labels)), np.float32)
            for slot, i in known:
                part[slot] = self.model.weights[i]
        self._parts[feature] = part
        return part

    def _put_core(self, n: int, core: str) -> None:
        if n == len(self._by_core):
            self._by_core = np.concatenate([self._by_core, np.zeros_like(self._by_core)])
        for slot, features in enumerate(
            (*(style_features(s, core) for s in "LMU"), *(start_features(b, core) for b in (False, True)))
        ):
            self._by_core[n, slot] = self.model.sum(features)

    def in_phrase(self, n: int) -> bool:
        """Whether the token stands in a phrase that is no person."""
        return n in self.phrased

    def begin(self) -> None:
        """Before a batch: forget the words when there are too many."""
        if len(self.words) > MOST_WORDS:
            self._clear()

    def tag(self, posts: Sequence[Sequence[int]]) -> Tagged:
        """The probabilities of the model for posts of token ids."""
        if not posts:
            return Tagged([], [], [], [])
        flat: list[int] = [0, 0]
        starts = []
        for ids in posts:
            starts.append(len(flat))
            flat += ids
            flat += (0, 0)
        lengths = np.array([len(p) for p in posts], np.int64)
        numbers, begin = np.array(flat), np.array(starts)
        emissions = self._emit(numbers, begin)
        marginals = _marginals(emissions, begin, lengths, self.start_transitions)
        joined = np.zeros((len(numbers), 2), np.float32)
        for column, group in enumerate((self.persons, self.streets)):
            joined[:, column] = marginals[:, group].sum(axis=1)
        peaks = np.maximum.reduceat(joined, begin - 1, axis=0)
        cued = np.maximum.reduceat(self._facts[numbers, 2] & CUED, begin - 1) > 0
        parts = [joined[a : a + n] for a, n in zip(starts, lengths.tolist(), strict=True)]
        return Tagged(parts, peaks[:, 0].tolist(), peaks[:, 1].tolist(), cued.tolist())

    def _emit(self, flat: Ints, starts: Ints) -> Floats:
        table, facts = self._table, self._facts[flat]
        core, group, flags = facts[:, 0], facts[:, 1], facts[:, 2]
        out: Floats = table[flat, 0].copy()
        out[2:] += table[flat[:-2], 1]
        out[1:] += table[flat[:-1], 2]
        out[:-1] += table[flat[1:], 3]
        out[:-2] += table[flat[2:], 4]
        post = np.zeros(len(flat), np.int64)
        post[starts] = 1
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


def _cued(token: str, word: Word) -> bool:
    """Whether a rule of form may begin here: a title, initials, a possessive."""
    return word.cue == "T" or word.possessive or (word.kind == "word" and word.capital and token.endswith("."))


def _facts(token: str, word: Word) -> int:
    """What the post's own features need of a token, as bits."""
    if not token:
        return OPENS
    text = token.rstrip(PHRASE)
    if word.kind == "word":
        return LETTERS | (UPPER if word.capital else 0) | (SHOUT if text.isupper() else 0)
    opening = text in OPENERS or (word.kind == "mark" and not text.isascii())
    return OPENS if opening else KEEPS


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
    """Forward-backward over posts of like length together; 0 between the posts."""
    out = np.zeros_like(emissions)
    order = np.argsort(lengths, kind="stable")
    for first in range(0, len(order), 128):
        block = order[first : first + 128]
        size = lengths[block]
        longest = int(size.max(initial=0))
        if longest == 0:
            continue
        steps = np.arange(longest)
        inside = steps[None, :] < size[:, None]
        places = np.where(inside, starts[block][:, None] + steps, 0)
        e = emissions[places]
        e = np.exp(e - e.max(axis=2, keepdims=True))
        p = _forward_backward(e, inside, transitions)
        out[places[inside]] = p[inside]
    return out


def _forward_backward(e: Floats, inside: npt.NDArray[np.bool_], transitions: Floats) -> Floats:
    """Probabilities of shape (posts, steps, labels); rows are padded at their end, where the values mean nothing."""
    forward = np.empty_like(e)
    state = e[:, 0] / e[:, 0].sum(axis=1, keepdims=True)
    forward[:, 0] = state
    for t in range(1, e.shape[1]):
        state = (state @ transitions) * e[:, t]
        state /= state.sum(axis=1, keepdims=True)
        forward[:, t] = state
    back = np.ones_like(e[:, 0])
    backward = transitions.T
    for t in range(e.shape[1] - 1, -1, -1):
        if t + 1 < e.shape[1]:
            back = np.where(inside[:, t + 1, None], (back * e[:, t + 1]) @ backward, 1.0).astype(np.float32)
            back /= back.sum(axis=1, keepdims=True)
        forward[:, t] *= back
    forward /= forward.sum(axis=2, keepdims=True)
    return forward
