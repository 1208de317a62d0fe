"""
Codes out to where people code, and back in: one format a file.

A module here has `write(path, tasks, codebook, ...)` for what goes out and `read(path, ...)` for what
comes back. What comes back is checked against what is known before anything is kept.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from storage import Post, Store
from storage import samples as kept

from .. import Mark

NONE = "(none)"
"""The label to give where no code fits, in tools that cannot tell an uncoded post from one without codes."""

__all__ = [
    "NONE",
    "Coded",
    "ExchangeError",
    "Task",
    "Turn",
    "available",
    "check",
    "format_of",
    "load_format",
    "tasks_of",
]


class ExchangeError(ValueError):
    """A file cannot be taken in; the message names the file and the place in it, never what stands there."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier post of the thread, as context. `author` is a letter, the same within the task."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """
    One post to be coded. `position` is its place in the coding order, `author` the letter of its author in the context.

    `marks` are codes to show beforehand; empty for blind coding, which is the rule.
    """

    post: str
    version: int
    position: int
    case: str
    platform: str
    date: str
    text: str
    author: str = ""
    context: tuple[Turn, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Coded:
    """
    What one coder says of one post: its codes, or none. `where` is its place in the file, for messages.

    `annotator` is who the file says it was, "" when it does not say. `version` is None when the file
    does not carry it.
    """

    post: str
    marks: tuple[Mark, ...] = ()
    note: str = ""
    annotator: str = ""
    version: int | None = None
    where: str = ""


def tasks_of(
    store: Store,
    sample: str,
    *,
    posts: Sequence[str] | None = None,
    release: Callable[[Post], str | None] = lambda post: post.text,
    shown: Callable[[str], Sequence[Mark]] = lambda post: (),
    before: int = 3,
) -> Iterator[Task]:
    """
    The tasks of a sample in coding order; with *posts*, only these (those of one coder).

    *release* gives a post's text as it may leave, or None when it may not. *shown* gives the marks to
    show beforehand. *before* is how many posts of context precede it.
    """
    wanted = None if posts is None else set(posts)
    for one in kept.sampled(store, sample, before=before):
        if wanted is not None and one.post.id not in wanted:
            continue
        text = release(one.post)
        if text is None:
            continue
        letters = _letters([*one.context, one.post])
        turns = [(letters[p.author], release(p)) for p in one.context]
        marks = shown(one.post.id)
        if text != one.post.text:
            # Evidence stands on the text as stored; where that was redacted once more only the codes are shown.
            marks = [Mark(code) for code in dict.fromkeys(m.code for m in marks)]
        yield Task(
            one.post.id, one.post.version, one.item.position, one.post.case, one.post.platform,
            one.post.created.date().isoformat(), _lines(text),
            letters[one.post.author],
            tuple(Turn(a, _lines(t)) for a, t in turns if t is not None), tuple(marks),
        )  # fmt: skip


def check(
    coded: Iterable[Coded],
    known: Mapping[str, tuple[int, str]],
    codes: Iterable[str],
    file: str,
    stored: Mapping[str, str] | None = None,
) -> list[Coded]:
    """
    What was read, once it is sure that it can be kept; ExchangeError names file and place otherwise.

    *known* gives version and text, as handed out, of each post that may come back; *stored* the texts as they are
    kept, where these differ. Refused: unknown posts, unknown codes, spans past the text, and a post that
    one annotator coded twice in different ways. Spans come in on texts with plain newlines and leave on the
    texts as kept. NONE is dropped; beside a code it is refused.
    """
    allowed = frozenset(codes)
    firsts: dict[tuple[str, str], Coded] = {}
    for one in coded:
        where = f"{file}: {one.where}"
        if one.post not in known:
            msg = f"{where}: this post was never sampled, or has been erased"
            raise ExchangeError(msg)
        version, text = known[one.post]
        if one.version not in (None, version):
            msg = f"{where}: codes version {one.version} of the post, and version {version} was sampled"
            raise ExchangeError(msg)
        given = tuple(m for m in one.marks if m.code != NONE)
        if given and len(given) < len(one.marks):
            msg = f"{where}: {NONE} stands beside a code"
            raise ExchangeError(msg)
        marks = _placed(given, allowed, _lines(text), (stored or {}).get(one.post, text), where)
        one = replace(one, version=version, marks=tuple(dict.fromkeys(marks)))
        first = firsts.setdefault((one.annotator, one.post), one)
        if _essence(first) != _essence(one):
            msg = f"{file}: {one.where}: the post of {first.where} again, with other codes; keep one of the two"
            raise ExchangeError(msg)
    return list(firsts.values())


def _placed(marks: Sequence[Mark], allowed: frozenset[str], shown: str, stored: str, where: str) -> Iterator[Mark]:
    """The marks, checked, with their spans on the text as it is stored."""
    starts, ends = _places(shown, stored) if any(m.start is not None for m in marks) else ((), ())
    for mark in marks:
        if mark.code not in allowed:
            msg = f"{where}: a code that the codebook does not have"
            raise ExchangeError(msg)
        if mark.start is None or mark.end is None:
            yield mark
            continue
        if not 0 <= mark.start < mark.end <= len(shown):
            msg = f"{where}: {mark.code} stands on characters {mark.start}..{mark.end} of a text of {len(shown)}"
            raise ExchangeError(msg)
        yield replace(mark, start=starts[mark.start], end=ends[mark.end - 1])


def _places(shown: str, stored: str) -> tuple[Sequence[int], Sequence[int]]:
    """
    For each character shown, where it begins and ends in the text as stored.

    Words that were redacted once more before they left, and newlines, stand for the whole stretch they replace.
    """
    if shown == stored:
        return range(len(shown)), range(1, len(shown) + 1)
    starts, ends = [0] * len(shown), [0] * len(shown)
    for kind, a, z, b, y in SequenceMatcher(None, shown, stored, autojunk=False).get_opcodes():
        for n in range(a, z):
            starts[n], ends[n] = (b + n - a, b + n - a + 1) if kind == "equal" else (b, max(y, b + 1))
    return starts, ends


def _essence(coded: Coded) -> set[tuple[str, int | None, int | None]]:
    return {(m.code, m.start, m.end) for m in coded.marks}


def _letters(posts: Sequence[Post]) -> dict[str, str]:
    """A short name for each author, in order of appearance: A, B, ..., Z, A2, ..."""
    names = dict.fromkeys(p.author for p in posts)
    return {a: chr(ord("A") + n % 26) + (str(n // 26 + 1) if n >= 26 else "") for n, a in enumerate(names)}


def _lines(text: str) -> str:
    """The text with plain newlines, on which all tools count alike."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


# ------------------------------------------------------------------------------------------------- formats
SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".jsonl": "doccano", ".zip": "doccano",
    ".json": "label-studio", ".qdpx": "qdpx", ".parquet": "parquet",
}  # fmt: skip


def available() -> list[str]:
    """The names of all formats, as the command line has them."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def load_format(name: str) -> Any:
    """The module for the format *name*; ExchangeError names those that exist."""
    if name not in available():
        msg = f"no format {name!r}; there are: {', '.join(available())}"
        raise ExchangeError(msg)
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def format_of(path: Path) -> str:
    """The format that a file's name promises; ExchangeError when it promises none."""
    if path.is_dir():
        return "label-studio"
    if (suffix := path.suffix.lower()) in SUFFIXES:
        return SUFFIXES[suffix]
    msg = f"{path}: which format is this? Say --format {'|'.join(available())}"
    raise ExchangeError(msg)
