"""Files that a study wrote: which of them hold something of an erased post or person."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path

NAME = re.compile(rb"(?<![a-z0-9])[apt][a-z2-7]{16}(?![a-z0-9])")
TAG = re.compile(r"<[^>]*>")
ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrt])")
RUN, DISTINCT = 6, 25
"""A run of so many words, with so many letters and digits in them, stands for the text it is from: a page may hold
no more than that of it."""
KEPT = (".duckdb", ".lock", ".head", ".wal")
OURS = frozenset(("audit.jsonl", "keys", "prefect"))
"""What is encrypted, or holds no text: the stores, the trail, the salts, Prefect's own home."""


def runs_of(text: str, length: int = RUN) -> set[tuple[str, ...]]:
    """The runs of words by which a text is known, without marks and capitals; a shorter text is known as a whole."""
    words = re.findall(r"\w+", text.casefold())
    n = min(length, len(words))
    runs = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)} if n else set()
    return {run for run in runs if sum(map(len, run)) >= DISTINCT}


def files_holding(root: Path, names: Collection[str], texts: Collection[str]) -> list[Path]:
    """The files below *root* in which one of these pseudonyms, or a part of one of these texts, stands."""
    wanted = {n.encode() for n in names}
    told: dict[int, set[tuple[str, ...]]] = {}
    for run in {run for text in texts for run in runs_of(text)}:
        told.setdefault(len(run), set()).add(run)
    return [path for path in _written(root) if _holds(path, wanted, told)]


def files_saying(root: Path, values: Collection[str]) -> list[Path]:
    """The files below *root* in which one of these values stands as words of its own, in any case of letters."""
    wanted = re.compile("|".join(rf"(?<!\w){re.escape(v.casefold())}(?!\w)" for v in values) or r"(?!)")
    return [
        path
        for path in _written(root)
        if any(wanted.search(_plain(data.decode("utf-8", errors="replace")).casefold()) for data in _contents(path))
    ]


def _written(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and inside.parts[0] not in OURS and not path.name.endswith(KEPT):
            yield path


def _holds(path: Path, names: set[bytes], told: dict[int, set[tuple[str, ...]]]) -> bool:
    for data in _contents(path):
        if not names.isdisjoint(NAME.findall(data)):
            return True
        plain = _plain(data.decode("utf-8", errors="replace")) if told else ""
        if any(not runs.isdisjoint(runs_of(plain, n)) for n, runs in told.items()):
            return True
    return False


def _plain(text: str) -> str:
    """Without escapes and markup."""
    text = ESCAPED.sub(lambda m: chr(int(m[1], 16)) if m[1] else " ", text)
    return TAG.sub("", html.unescape(text))


def _contents(path: Path) -> Iterator[bytes]:
    """What stands in a file: its bytes, the members of an archive (xlsx, docx, qdpx), the texts of a Parquet table."""
    if zipfile.is_zipfile(path):
        yield from _members(path.read_bytes())
    elif path.suffix == ".parquet":
        import polars as pl

        for frame in pl.scan_parquet(path).collect_batches(chunk_size=5000):
            yield frame.write_ndjson().encode()
    else:
        yield path.read_bytes()


def _members(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            yield member
            if zipfile.is_zipfile(BytesIO(member)):
                yield from _members(member)
