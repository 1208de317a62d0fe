"""Made-up posts for the tests of the store: as many as wanted, the same each time."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import Annotation, Batch, Coding, Disclosure, Label, Post, Pseudonym, Run, Store

CASES = ("neighbourhood-watch", "hostage-factfinding", "justice-for-victim", "scam-fighters")
WORDS = [
    "de", "fiets", "is", "gestolen", "bij", "het", "station", "en", "politie", "doet", "niets", "dus", "wij", "zoeken",
    "zelf", "uit", "wie", "was", "kijk", "op", "beelden", "van", "camera", "deel", "dit", "bericht", "aangifte",
    "gedaan", "oplichter", "nepprofiel", "buurtapp", "verdachte", "straat", "nacht",
]  # fmt: skip
NOW = datetime(2025, 6, 1, tzinfo=UTC)
KEY = b"k" * 32


def name(kind: str, n: int) -> Pseudonym:
    """A pseudonym such as `ethics` makes: a letter and sixteen characters."""
    return Pseudonym(kind + hashlib.sha256(f"{kind}{n}".encode()).hexdigest()[:16])


def post(n: int, text: str | None = None, **changed: object) -> Post:
    """The post with this number; the same words every time unless *text* is given."""
    r = random.Random(n)
    words = " ".join(r.choices(WORDS, k=r.randint(4, 30)))
    told = {
        "id": name("p", n), "case": CASES[n % 4], "platform": "reddit" if n % 3 else "telegram", "source": "made",
        "author": name("a", r.randint(0, 500)), "text": f"{words} {n}" if text is None else text,
        "thread": name("t", r.randint(0, max(1, n // 12))), "created": NOW - timedelta(seconds=r.randint(0, 10**7)),
        "collected_at": NOW, "run": "run-1",
        "disclosures": (Disclosure("PERSON", 1), Disclosure("PHONE", 2)) if n % 5 == 0 else (),
        "mentions": (name("a", n + 1),) if n % 7 == 0 else (), "media": ("photo",) if n % 11 == 0 else (),
    }  # fmt: skip
    return Post(**{**told, **changed})  # type: ignore[arg-type]


def posts(start: int, stop: int) -> tuple[Post, ...]:
    return tuple(post(n) for n in range(start, stop))


def batches(start: int, stop: int, size: int) -> Iterator[Batch]:
    """Batches as the gate gives them: posts, labels, and a cursor that says how far they go."""
    for n in range(start, stop, size):
        end = min(n + size, stop)
        labels = tuple(Label(name("t", k), f"digest-{k}", "[PERSOON-1]") for k in range(n, end, 10))
        yield Batch(CASES[0], "made", posts(n, end), labels, str(end).encode())


def filled(path: Path, count: int, key: bytes | None = None) -> Store:
    """A store with *count* posts, and a run."""
    store = Store(path / "corpus.duckdb", key)
    store.begin_run(Run("run-1", CASES[0], "made", "made", "1", "{}", NOW))
    for batch in batches(0, count, 1000):
        store.add(batch)
    return store


def coding(id_: str = "rules-1", coder: str = "rules") -> Coding:
    return Coding(id_, coder, coder, "1", "digest", "{}", NOW)


def marks(id_: str, some: tuple[Post, ...]) -> list[Annotation]:
    """Two codes on every second post."""
    return [Annotation(id_, p.id, c, 1.0, 0, 3, "r") for p in some[::2] for c in ("tools.osint", "norms.doxing")]
