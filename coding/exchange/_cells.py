"""
What spreadsheet programs do to cells, and how to live with it.

A text that begins like a formula is shown with an apostrophe before it, so that no program computes it;
read back, exactly that apostrophe goes again.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import Task

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
"""What a formula, or a text we escaped, may begin with (OWASP, CSV injection)."""
YES = {"x", "1", "1.0", "1,0", "ja", "j", "yes", "y", "true", "waar", "v", "✓", "✔", "☑", "klaar", "done"}
NO = {"", "0", "0.0", "0,0", "nee", "n", "no", "false", "onwaar", "-", "'-"}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MOST = 32_000
"""Excel cuts a cell off at 32,767 characters, without a word."""


def escaped(text: str) -> str:
    """The text as a cell that no program takes for a formula; `unescaped` gives it back."""
    return "'" + text if text.startswith(RISKY) else text


def unescaped(cell: str) -> str:
    """The text in a cell that `escaped` made."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(RISKY) else cell


def printable(text: str) -> str:
    """The text without characters that XML forbids, cut with a notice where a cell would cut it silently."""
    text = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= MOST else text[:MOST] + " [...]"


def ticked(cell: Any) -> bool | None:
    """Whether a cell says yes or no; None when it says something else."""
    word = str(cell if cell is not None else "").strip().casefold()
    return True if word in YES else False if word in NO else None


def thread_text(task: Task) -> str:
    """The context of a post in one cell, oldest first; at its end who wrote the post itself."""
    lines = [f"{t.author}: {t.text}" for t in task.context]
    return "\n".join([*lines, f"{task.author}: ..."] if lines else [])


def skeleton(text: str) -> str:
    """What survives every wrong encoding of a text: its plain letters and digits."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def same_text(cell: Any, text: str) -> bool:
    """Whether a cell still holds *text*, whatever an encoding or a program did to it on the way."""
    here, there = skeleton(unescaped(str(cell))), skeleton(printable(text))
    if here == there or len(there) < 12 or not isinstance(cell, str):
        return True
    return SequenceMatcher(None, here[:400], there[:400], autojunk=False).ratio() > 0.6
