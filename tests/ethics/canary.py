"""Invented identities to plant, every form in which they could leak, and the search for them in every byte."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from storage import Store

AUTHOR, DISPLAY, MENTION = "zilverkanarie_8842", "Roosmarijn Zilverkanarie", "goudkanarie_5519"
IDENTITIES = {
    "PERSON": "Berendina Quakkelstein", "HANDLE": "@quakkelbeest_9731", "PHONE": "06-21847365",
    "EMAIL": "b.quakkelstein@kanariepost.nl", "IBAN": "NL02ABNA0123456789", "BSN": "111222333",
    "ADDRESS": "Kanariepietlaan 417", "POSTCODE": "7391 QX", "PLATE": "QX-417-Z",
    "URL": "https://kanarieblog.nl/quakkel", "DOB": "17-03-1961",
}  # fmt: skip
SENTENCE = (
    "Het is {PERSON} ({HANDLE}), {ADDRESS}, {POSTCODE} Zwolle, geboren {DOB}, bsn {BSN}, rekening {IBAN}, "
    "bel {PHONE} of mail {EMAIL}, auto met kenteken {PLATE}, zie {URL}"
).format(**IDENTITIES)
PLANTED = {**IDENTITIES, "AUTHOR": AUTHOR, "DISPLAY": DISPLAY, "MENTION": MENTION}
"""Name -> the value as it is planted."""


def spellings(value: str) -> Iterator[str]:
    """A value as it is, in other cases, and without its marks and spaces."""
    bare = re.sub(r"[^\w]", "", value)
    yield from dict.fromkeys(
        (value, value.lower(), value.upper(), value.title(), value.lstrip("@"), bare, bare.lower(), bare.upper())
    )


def forms(value: str) -> set[bytes]:
    """All byte strings by which a value would be found: clear, escaped, encoded, and as a hash without a key."""
    found: set[bytes] = set()
    for spelling in spellings(value):
        data = spelling.encode()
        found |= {data, spelling.encode("utf-16-le"), quote(spelling, safe="").encode(), html.escape(spelling).encode()}
        found |= {json.dumps(spelling)[1:-1].encode(), data.hex().encode(), data.hex().upper().encode()}
        found |= set(_base64(data))
        for kind in ("md5", "sha1", "sha224", "sha256", "sha512", "blake2b", "blake2s"):
            digest = hashlib.new(kind, data).digest()
            found |= {digest, digest.hex().encode(), base64.b64encode(digest)[:40], base64.b32encode(digest)[:24]}
            found |= {base64.b32encode(digest)[:16].lower(), digest.hex()[:16].encode()}
    return {f for f in found if len(f) >= HEAD}


def _base64(data: bytes) -> Iterator[bytes]:
    """What of the base64 of *data* is the same wherever it begins in a longer text."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + data + b"\0" * (-(offset + len(data)) % 3))
        stable = encoded[(offset * 8 + 5) // 6 : ((offset + len(data)) * 8) // 6]
        if len(stable) >= 8:
            yield stable
            yield stable.translate(bytes.maketrans(b"+/", b"-_"))


HEAD, CHUNK = 6, 1 << 20
"""How many bytes of a form are looked up at once everywhere in a chunk; no form is shorter."""


def _heads(data: bytes) -> np.ndarray:
    """The number that the next HEAD bytes make, at every place of *data*."""
    octets = np.frombuffer(data, dtype=np.uint8).astype(np.uint64)
    n = max(0, len(octets) - HEAD + 1)
    heads = np.zeros(n, dtype=np.uint64)
    for i in range(HEAD):
        heads |= octets[i : i + n] << np.uint64(8 * i)
    return heads


@dataclass(frozen=True)
class Hit:
    """A planted identity that was found: which, and where."""

    name: str
    place: str


class Search:
    """The search for every form of every planted value."""

    def __init__(self, planted: dict[str, str] | None = None) -> None:
        self._by_head: dict[int, list[tuple[bytes, str]]] = {}
        for name, value in (planted or PLANTED).items():
            for form in forms(value):
                head = int.from_bytes(form[:HEAD], "little")
                self._by_head.setdefault(head, []).append((form, name))
        self._heads = np.sort(np.array(list(self._by_head), dtype=np.uint64))

    def within(self, place: str, data: bytes) -> list[Hit]:
        """Which identities stand in these bytes."""
        found: dict[str, None] = {}
        for start in range(0, len(data), CHUNK):
            heads = _heads(data[start : start + CHUNK + HEAD - 1])
            places = np.searchsorted(self._heads, heads)
            places[places == len(self._heads)] = 0
            for at in np.flatnonzero(self._heads[places] == heads):
                for form, name in self._by_head[int(heads[at])]:
                    if data.startswith(form, start + int(at)):
                        found[name] = None
        return [Hit(name, place) for name in found]

    def below(self, root: Path) -> list[Hit]:
        """Which identities stand in any file below *root*: in its name, its bytes, or what is packed in it."""
        hits: list[Hit] = []
        for path in sorted(root.rglob("*")):
            place = str(path.relative_to(root))
            hits += self.within(f"name of {place}", place.encode())
            if path.is_file():
                for inner, data in unpacked(place, path.read_bytes()):
                    hits += self.within(inner, data)
        return hits

    def in_store(self, store: Store, spare: Iterable[tuple[str, str]] = ()) -> list[Hit]:
        """Which identities stand in any row of a database, read with its key; *spare* are (table, column)."""
        spared = set(spare)
        hits: list[Hit] = []
        with store.transaction() as db:
            columns = db.execute(
                "select table_name, column_name from duckdb_columns() where database_name = current_database()"
            ).fetchall()
            for table, column in columns:
                if (table, column) not in spared:
                    rows = db.execute(f'select distinct cast("{column}" as varchar) from "{table}"').fetchall()
                    text = "\n".join(str(v) for (v,) in rows if v is not None)
                    hits += self.within(f"{table}.{column}", text.encode())
        return hits


def unpacked(place: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and what it holds when it is an archive."""
    yield place, data
    if data[:3] == b"\x1f\x8b\x08":
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield f"{place}!", gzip.decompress(data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from unpacked(f"{place}!{name}", archive.read(name))
