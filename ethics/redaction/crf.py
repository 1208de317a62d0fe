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

import numpy as np
import numpy.typing as npt

from .lexicon import plain
from .words import PHRASE, Describer, NameShape, Word, edge, start_features, style_features

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
MOST_WORDS = 150_000
UPPER, SHOUT, LETTERS, OPENS, KEEPS = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Model:
    """`weights`: feature -> one weight a label. `transitions[i, j]`: from label i to label j."""

    labels: tuple[str, ...]
    weights: Mapping[str, Floats]
    transitions: Floats
    names: NameShape

    def sum(self, features: Iterable[str]) -> Floats:
        """The weights of *features* together."""
        total = np.zeros(len(self.labels), np.float32)
        for f in features:
            w = self.weights.get(f)
            if w is not None:
                total += w
        return total

    def pack(self) -> bytes:
        """The model as a compressed npz file of plain arrays."""
        out = io.BytesIO()
        keys = sorted(self.weights)
        grams = [sorted(t) for t in self.names.tables]
        np.savez_compressed(
            out,
            labels=_letters(self.labels),
            features=_letters(keys),
            weights=np.array([self.weights[k] for k in keys], np.float16),
            transitions=self.transitions,
            floors=np.array(self.names.floors),
            **{f"grams{i}": _letters(g) for i, g in enumerate(grams)},
            **{
                f"odds{i}": np.array([t[x] for x in g], np.float16)
                for i, (t, g) in enumerate(zip(self.names.tables, grams, strict=True))
            },
        )
        return out.getvalue()

    @classmethod
    def unpack(cls, data: bytes) -> Model:
        """The model of a file that `pack` made. Only arrays are read, never objects."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            weights = dict(zip(_texts(file["features"]), file["weights"].astype(np.float32), strict=True))
            tables = [
                dict(zip(_texts(file[f"grams{i}"]), file[f"odds{i}"].astype(float).tolist(), strict=True))
                for i in (0, 1)
            ]
            names = NameShape(tables, file["floors"].tolist())
            return cls(tuple(_texts(file["labels"])), weights, file["transitions"].astype(np.float32), names)


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


class Tagger:
    """
    The model with its tables. `words[id]` says what is known of a token; ids hold until the next `begin`.

    `starters` are ids of words that may open a phrase, `cues` those of titles and initials.
    """

    def __init__(self, model: Model, describer: Describer) -> None:
        self.model, self.describer = model, describer
        self.start_transitions = np.exp(model.transitions)
        self.pairs = {p: Pairs(model, p) for p in ("pg", "ng", "pn")}
        self._again = model.sum(["again"])
        self._clear()

    def _clear(self) -> None:
        labels = len(self.model.labels)
        self.ids: dict[str, int] = {}
        self.words: list[Word] = []
        self.starters: set[int] = set()
        self.cues: set[int] = set()
        self.phrased: set[int] = set()
        self._table = np.zeros((1024, 5, labels), np.float32)
        self._facts = np.zeros((1024, 3), np.int64)
        self.cores, self.groups = Numbers(), Numbers()
        self._by_core = np.zeros((256, 5, labels), np.float32)
        for p in self.pairs:
            self.pairs[p] = Pairs(self.model, p)
        # Number 0 stands between posts: what a word sees beyond the end of its post.
        self._put("", Word((), {d: edge(d) for d in (-2, -1, 1, 2)}, "E", "E", "", "mark", 0, False, 0.0))

    def number(self, token: str) -> int:
        """The id of *token*."""
        n = self.ids.get(token)
        return self._put(token, self.describer.describe(token)) if n is None else n

    def _put(self, token: str, word: Word) -> int:
        n = self.ids[token] = len(self.words)
        self.words.append(word)
        if plain(token) in self.describer.lexicon.phrases:
            self.starters.add(n)
        if token.endswith(PHRASE):
            self.phrased.add(n)
        if word.cue == "T" or word.possessive or (word.kind == "word" and word.capital and token.endswith(".")):
            self.cues.add(n)
        if n == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
        for slot, features in enumerate((word.own, *(word.near[d] for d in (-2, -1, 1, 2)))):
            self._table[n, slot] = self.model.sum(features)
        before = len(self.cores.names)
        core = self.cores[word.core]
        if core == before:
            self._put_core(core, word.core)
        self._facts[n] = (core, self.groups[word.group], _facts(token, word))
        return n

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

    def tag(self, posts: Sequence[Sequence[int]]) -> list[Floats]:
        """For each post of token ids the probability of each label at each token; shape (tokens, labels)."""
        if not posts:
            return []
        flat: list[int] = [0, 0]
        starts = []
        for ids in posts:
            starts.append(len(flat))
            flat += ids
            flat += (0, 0)
        lengths = np.array([len(p) for p in posts], np.int64)
        emissions = self._emit(np.array(flat), np.array(starts), lengths)
        return _marginals(emissions, np.array(starts), lengths, self.start_transitions)

    def _emit(self, flat: Ints, starts: Ints, lengths: Ints) -> Floats:
        table, facts = self._table, self._facts[flat]
        core, group, flags = facts[:, 0], facts[:, 1], facts[:, 2]
        out = table[flat, 0].copy()
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


def _facts(token: str, word: Word) -> int:
    """What the post's own features need of a token, as bits."""
    if not token:
        return OPENS
    text = token.rstrip(PHRASE)
    if word.kind == "word":
        return LETTERS | (UPPER if word.capital else 0) | (SHOUT if text.isupper() else 0)
    opening = text in ".?!:\n" or (word.kind == "mark" and not text.isascii())
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


def _marginals(emissions: Floats, starts: Ints, lengths: Ints, transitions: Floats) -> list[Floats]:
    """Forward-backward over posts of like length together."""
    out: list[Floats] = [np.zeros((0, emissions.shape[1]), np.float32)] * len(lengths)
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
        for row, (post, n) in enumerate(zip(block.tolist(), size.tolist(), strict=True)):
            out[post] = p[row, :n]
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
