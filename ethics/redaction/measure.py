"""
How much is found, and how much is covered that need not be.

    python -m ethics.redaction.measure TEXTS.jsonl ...         the redactor that ships, both settings
    python -m ethics.redaction.measure --cv TEXTS.jsonl ...    models trained without the file they are measured on
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .found import Found
from .lexicon import shipped
from .names import NameFinder
from .redactor import Redactor
from .train import SEEDS, Post, read_posts, train
from .words import NameShape

FOLDS = 3
WORD = re.compile(r"\S+")


@dataclass(slots=True)
class Figures:
    """Counts over posts: spans, those wholly covered, letters covered, words outside spans, posts without a span."""

    persons: int = 0
    persons_found: int = 0
    others: int = 0
    others_found: int = 0
    covered: int = 0
    covered_rightly: int = 0
    words: int = 0
    words_covered: int = 0
    clean: int = 0
    clean_untouched: int = 0

    def __str__(self) -> str:
        shares = (
            ("PERSON recall", self.persons_found, self.persons),
            ("other types recall", self.others_found, self.others),
            ("precision over letters", self.covered_rightly, self.covered),
            ("posts without personal data untouched", self.clean_untouched, self.clean),
            ("ordinary words covered", self.words_covered, self.words),
        )
        return ", ".join(f"{name} {part / total:.3f}" for name, part, total in shares if total)

    def add(self, post: Post, found: Sequence[Found]) -> None:
        """Count one post."""
        covered = {i for f in found for i in letters(post.text, f.start, f.end)}
        personal: set[int] = set()
        for start, end, type_ in post.spans:
            needed = letters(post.text, start, end)
            personal |= needed
            self.persons += type_ == "PERSON"
            self.persons_found += type_ == "PERSON" and needed <= covered
            self.others += type_ != "PERSON"
            self.others_found += type_ != "PERSON" and needed <= covered
        self.covered += len(covered)
        self.covered_rightly += len(covered & personal)
        self.clean += not post.spans
        self.clean_untouched += not post.spans and not found
        for m in WORD.finditer(post.text):
            word = letters(post.text, *m.span())
            self.words += bool(word) and not word & personal
            self.words_covered += bool(word & covered) and not word & personal


def letters(text: str, start: int, end: int) -> set[int]:
    """The places of letters and digits in a stretch."""
    return {i for i in range(start, end) if text[i].isalnum()}


def measure(redactor: Redactor, posts: Sequence[Post], into: Figures | None = None) -> Figures:
    """The figures of *redactor* on *posts*."""
    figures = into or Figures()
    for post, found in zip(posts, redactor.find_many([p.text for p in posts]), strict=True):
        figures.add(post, found)
    return figures


def lowered(posts: Iterable[Post]) -> list[Post]:
    """The posts in lower case, where that keeps their length."""
    return [replace(p, text=p.text.lower()) for p in posts if len(p.text.lower()) == len(p.text)]


def cross_validate(posts: Sequence[Post]) -> dict[str, Figures]:
    """Figures on files that the model was not trained on, for each setting, as written and in lower case."""
    files = sorted({p.file for p in posts})
    totals: dict[str, Figures] = {}
    names = NameShape.of(shipped())
    for fold in range(FOLDS):
        held = set(files[fold::FOLDS])
        model = train([p for p in posts if p.file not in held], shipped(), names, SEEDS)
        test = [p for p in posts if p.file in held]
        for setting in ("readable", "careful"):
            redactor = Redactor("careful" if setting == "careful" else "readable")
            redactor.names = NameFinder(model, shipped())
            for way, texts in (("as written", test), ("lower case", lowered(test))):
                measure(redactor, texts, totals.setdefault(f"{setting}, {way}", Figures()))
    return totals


def main(arguments: list[str]) -> None:
    """Print the figures."""
    if arguments[0] == "--cv":
        for name, figures in cross_validate(read_posts(arguments[1:])).items():
            print(f"{name}: {figures}")
        return
    posts = read_posts(arguments)
    for setting in ("readable", "careful"):
        print(f"{setting}: {measure(Redactor('careful' if setting == 'careful' else 'readable'), posts)}")


if __name__ == "__main__":
    main(sys.argv[1:])
