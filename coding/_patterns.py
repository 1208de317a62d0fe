"""Patterns of words as they stand in a codebook: `wie kent|herkent .. {detail}`. Read here, matched in `_scan`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

GAP = 3
"""How many words `..` stands for at most; `..6` stands for up to six."""
_GAP = re.compile(r"\.\.(\d*)")
_OPTION = re.compile(r"\{[a-z][a-z0-9_]*\}|\[[A-Z@]+\]|\*?[^\s*{}\[\]|]+\*?|[?!#]")
_STRETCH = re.compile(r"(.)\1{2,}")


class PatternError(ValueError):
    """A pattern cannot be read; the message quotes the pattern, which is the codebook author's own text."""


@dataclass(frozen=True, slots=True)
class Step:
    """One word place of a pattern: any of `options`, after at most `gap` other words."""

    options: tuple[str, ...]
    gap: int = 0


def parse(pattern: str, lists: Mapping[str, object]) -> tuple[Step, ...]:
    """
    The steps of *pattern*; `lists` says which `{names}` exist.

    Words are parted by spaces, `a|b` is either, `*` any letters at an end of a word, `{list}` any item of a
    word list, `[PERSOON]` the label of a redacted detail (any number), `[@]` an author addressed, `#` a
    number, `?` and `!` the marks, `..` up to three words of the same sentence (`..6`: up to six).
    """
    steps: list[Step] = []
    gap = 0
    for part in pattern.split():
        found = _GAP.fullmatch(part)
        if found:
            gap = int(found[1] or GAP)
            continue
        steps.append(Step(tuple(_option(o, pattern, lists) for o in part.split("|")), gap if steps else 0))
        if gap and len(steps) == 1:
            msg = f"pattern {pattern!r} begins with a gap"
            raise PatternError(msg)
        gap = 0
    if not steps or gap:
        msg = f"pattern {pattern!r} {'ends with a gap' if steps else 'is empty'}"
        raise PatternError(msg)
    return tuple(steps)


def _option(option: str, pattern: str, lists: Mapping[str, object]) -> str:
    if not _OPTION.fullmatch(option) or option.strip("*") == "":
        msg = f"pattern {pattern!r}: {option!r} is no word, {{list}}, [LABEL], #, ? or !"
        raise PatternError(msg)
    if option[0] == "{" and option[1:-1] not in lists:
        msg = f"pattern {pattern!r}: there is no word list {option[1:-1]!r}"
        raise PatternError(msg)
    return option if option[0] in "{[" else normal(option)


@lru_cache(maxsize=50_000)
def normal(word: str) -> str:
    """*word* in lower case, without accents, stretched letters cut to two, apostrophes straight."""
    low = word
    if not low.isascii():
        parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", low).lower())
        low = "".join(c for c in parts if not unicodedata.combining(c) and c != "\ufe0f")
    return _STRETCH.sub(r"\1\1", low.lower().replace("’", "'").replace("`", "'"))
