"""Read an export in a test, and see what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors import Mark, RawPost, Skip, detect, load_importer


@dataclass(frozen=True)
class Reading:
    """What an importer gave for a file."""

    posts: list[RawPost]
    skipped: Counter[str]
    counts: Counter[str]

    @property
    def ids(self) -> list[str]:
        return [p.id.reveal() for p in self.posts]

    @property
    def texts(self) -> list[str]:
        return [p.text.reveal() for p in self.posts]

    @property
    def authors(self) -> list[str]:
        return [p.author.reveal() for p in self.posts]

    @property
    def threads(self) -> list[str | None]:
        return [p.thread.reveal() if p.thread else None for p in self.posts]

    @property
    def replies(self) -> list[str | None]:
        return [p.reply_to.reveal() if p.reply_to else None for p in self.posts]


def read(path: Path, format_: str | None = None, **settings: Any) -> Reading:
    """The whole of *path* through the importer of *format_* (or of the detected one) with these settings."""
    importer = load_importer(format_ or detect(path))
    posts: list[RawPost] = []
    skipped: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for item in importer.read(path, importer.Settings(**settings)):
        match item:
            case RawPost():
                posts.append(item)
            case Skip(reason):
                skipped[reason] += 1
            case Mark(counts=told):
                counts.update(told)
    return Reading(posts, skipped, counts)
