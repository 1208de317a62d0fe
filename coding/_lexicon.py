"""Semantic word classes: which of them a run of words belongs to, found in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

GAP = 3
"""How many words `..` in a phrase may stand for."""


class Hit(NamedTuple):  # built by the million, as Token is
    """One class found in a run of words: from the word at `first` up to and with the one at `last`."""

    name: str
    first: int
    last: int


class Lexicon:
    """Word classes read from lines `name: item, item`; items may hold `*` (any letters) and `..` (a gap)."""

    def __init__(self, lines: str) -> None:
        self.names: list[str] = []
        self._exact: dict[str, set[str]] = {}
        self._starts: dict[str, set[str]] = {}
        self._ends: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}
        self._gapped: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._phrases: dict[str, dict[str, list[tuple[str, tuple[str, ...]]]]] = {}
        self._classes: dict[str, list[str]] = {}
        for line in lines.splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, items = line.partition(":")
                self.names.append(name.strip())
                for item in items.split(", "):
                    self._add(name.strip(), item.split())
        self._longest = max((len(p) for p in (*self._starts, *self._ends)), default=0)
        self._known: dict[str, tuple[str, ...]] = {}

    def _add(self, name: str, words: list[str]) -> None:
        if not words:
            return
        for word in words:
            if word != "..":
                self._table(word).setdefault(word.strip("*"), set()).add(word)
        if len(words) == 1:
            self._classes.setdefault(words[0], []).append(name)
        elif words[1] == "..":
            self._gapped.setdefault(words[0], []).append((name, tuple(words[1:])))
        else:
            # By the second word as well: hundreds of phrases begin with a word such as "niet".
            seconds = self._phrases.setdefault(words[0], {})
            seconds.setdefault(words[1], []).append((name, tuple(words[2:])))

    def _table(self, word: str) -> dict[str, set[str]]:
        before, after = word.startswith("*"), word.endswith("*")
        if before and after:
            return self._inside
        return self._ends if before else self._starts if after else self._exact

    def patterns(self, form: str) -> tuple[str, ...]:
        """The word patterns of the lexicon that *form* matches."""
        known = self._known.get(form)
        if known is None:
            known = self._known[form] = self._match(form)
            if len(self._known) > 60_000:
                self._known.clear()
        return known

    def _match(self, form: str) -> tuple[str, ...]:
        found = set(self._exact.get(form, ()))
        for n in range(1, min(len(form), self._longest) + 1):
            found |= self._starts.get(form[:n], set())
            found |= self._ends.get(form[-n:], set())
        for part, patterns in self._inside.items():
            if part in form:
                found |= patterns
        return tuple(sorted(found))

    def hits(self, forms: Sequence[str]) -> list[Hit]:
        """All classes found in the words *forms*, each with its place; an order by place."""
        matched = [self.patterns(form) for form in forms]
        found: list[Hit] = []
        for i, patterns in enumerate(matched):
            for pattern in patterns:
                if pattern in self._classes:
                    found += [Hit(name, i, i) for name in self._classes[pattern]]
                for name, rest in self._gapped.get(pattern, ()):
                    _end(found, name, i, _follow(matched, i + 1, rest))
                seconds = self._phrases.get(pattern)
                for second in matched[i + 1] if seconds and i + 1 < len(matched) else ():
                    for name, rest in (seconds or {}).get(second, ()):
                        _end(found, name, i, _follow(matched, i + 2, rest))
        return found


def _end(found: list[Hit], name: str, first: int, last: int | None) -> None:
    if last is not None:
        found.append(Hit(name, first, last))


def _follow(matched: Sequence[tuple[str, ...]], at: int, rest: tuple[str, ...]) -> int | None:
    """The place of the last word of *rest* when it is matched from *at* on, else None."""
    for n, pattern in enumerate(rest):
        if pattern == "..":
            tail = rest[n + 1 :]
            ends = (_follow(matched, start, tail) for start in range(at, min(at + GAP + 1, len(matched))))
            return next((end for end in ends if end is not None), None)
        if at >= len(matched) or pattern not in matched[at]:
            return None
        at += 1
    return at - 1


@cache
def shipped() -> Lexicon:
    """The lexicon that ships with the project."""
    return Lexicon((files("coding.models") / "lexicon.txt").read_text(encoding="utf-8"))
