"""
Codes, and the coders that put them on posts.

A coder is one file in `coding/coders` with a `VERSION`, a `Settings` model and a `code` generator; the
file name is its registration.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from pydantic import BaseModel

from storage import Post

from . import coders
from .codebook import Code, Codebook, CodebookError, Theme, load_codebook

__all__ = [
    "Code", "Codebook", "CodebookError", "Coder", "Mark", "Theme", "Unit", "available", "by_code", "in_threads",
    "load_codebook", "load_coder",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of coding: one post, with what a coder may read beside it in its thread."""

    post: Post
    parent: Post | None = None
    """The post it replies to, else the one just before it in the thread."""
    opener: Post | None = None
    """The first post of the thread; None for the opener itself."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    One code that a coder gives a post.

    `score` is 0..1; `start`/`end` the evidence span in the post's text (None: the whole post); `rule` says
    what fired. A code may come with several marks, one a stretch of evidence.
    """

    code: str
    score: float = 1.0
    start: int | None = None
    end: int | None = None
    rule: str = ""


class Coder(Protocol):
    """What a module in `coding/coders` has: one tuple of marks a unit, in the order of the units."""

    @property
    def VERSION(self) -> str:  # noqa: N802 (a module constant)
        """Name and number, such as `rules.v1`: another version is another coding."""

    @property
    def Settings(self) -> type[BaseModel]:  # noqa: N802 (a module's class)
        """What may be set, with defaults; unknown keys are refused."""

    def code(self, units: Iterable[Unit], codebook: Codebook, settings: Any) -> Iterator[tuple[Mark, ...]]:
        """The marks of each unit; an empty tuple where no code applies."""
        ...


def in_threads(posts: Iterable[Post]) -> Iterator[Unit]:
    """Units with their context, from posts ordered by thread and time; holds one thread at a time."""
    thread: str | None = None
    known: dict[str, Post] = {}
    last = opener = None
    for post in posts:
        if post.thread != thread:
            thread, known, last, opener = post.thread, {}, None, None
        parent = known.get(post.reply_to or "", last)
        yield Unit(post, parent, opener)
        known[post.id] = last = post
        opener = opener or post


def by_code(marks: Iterable[Mark]) -> dict[str, list[Mark]]:
    """Marks of one post grouped by code, codes in the order they came."""
    grouped: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        grouped[mark.code].append(mark)
    return dict(grouped)


def available() -> list[str]:
    """The names of all coders."""
    return sorted(m.name for m in pkgutil.iter_modules(coders.__path__) if not m.name.startswith("_"))


def load_coder(name: str) -> Coder:
    """The coder *name*; LookupError names those that exist."""
    if name not in available():
        msg = f"no coder {name!r}; there are: {', '.join(available())}"
        raise LookupError(msg)
    return cast("Coder", importlib.import_module(f"{coders.__name__}.{name}"))
