"""
Open exports safely: archives are read in place and never unpacked, sizes are bounded, encodings are found.

An `Entry` is one readable file: the path itself, a file of a folder, or a member of a zip or tar archive.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, cast

import zstandard

from . import UnreadableExport

LINE = 16 * 1024 * 1024
"""The longest line that is read, in characters."""
MANY = 100_000
"""The largest number of files of one archive or folder that is looked at."""
FREE = 64 * 1024 * 1024
"""Up to this many bytes, unpacked, an archive may be packed as tightly as it likes."""
RATIO = 200
"""Beyond `FREE`, how many bytes may come out of one byte of an archive."""
PROBE = 64 * 1024
"""How many bytes a `sniff` looks at."""
_SCAN = 8 * 1024 * 1024
_PACKED = (zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError)
BROKEN = (*_PACKED, zstandard.ZstdError, NotImplementedError, RuntimeError, OSError)
"""What the archive libraries raise on a damaged, encrypted or unreadable archive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable file; `member` is its name inside the archive or folder at `path`, empty for `path` itself."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    def __str__(self) -> str:
        return f"{self.path.name} ({self.name})" if self.member else self.path.name


def entries(path: Path) -> list[Entry]:
    """
    The files at *path*: itself, or what lies in it when it is a folder, a zip or a tar (gz, bz2, xz).

    Raises UnreadableExport for archives that are damaged, encrypted, lead outside themselves, or unpack
    to far more than an export would.
    """
    if path.is_dir():
        return _in_folder(path)
    state = path.stat()
    names = _members(path, state.st_mtime_ns, state.st_size)
    return [Entry(path)] if names is None else [Entry(path, name) for name in names]


def ending(path: Path, *endings: str) -> list[Entry]:
    """The files at *path*: itself, whatever it is called, or those in it whose names have one of these *endings*."""
    return [e for e in entries(path) if not e.member or e.name.casefold().endswith(endings)]


@lru_cache(maxsize=16)
def _members(path: Path, changed: int, size: int) -> tuple[str, ...] | None:
    """
    The names in an archive, or None when it is none.

    Remembered while the file does not change, for every importer asks, and a tar is read to its end for it.
    """
    kind = _kind(path)
    if kind not in {"zip", "tar"}:
        return None
    try:
        return tuple(_in_zip(path) if kind == "zip" else _in_tar(path))
    except BROKEN as error:
        raise _damaged(path.name, error) from None


def _in_folder(path: Path) -> list[Entry]:
    found = []
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.is_symlink():
            found.append(Entry(path, file.relative_to(path).as_posix()))
        if len(found) > MANY:
            raise _too_many(path.name)
    return found


def _in_zip(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        infos = [i for i in archive.infolist() if not i.is_dir()]
    if len(infos) > MANY:
        raise _too_many(path.name)
    for info in infos:
        _check_name(path.name, info.filename)
        if info.flag_bits & 1:
            msg = f"{path.name}: protected by a password; unpack it first and import what is inside"
            raise UnreadableExport(msg)
        if info.file_size > max(FREE, RATIO * info.compress_size):
            raise _bomb(path.name)
    return [i.filename for i in infos if not i.filename.startswith("__MACOSX/")]


def _in_tar(path: Path) -> list[str]:
    names = []
    with _plain(path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
        for info in archive:
            _check_name(path.name, info.name)
            if info.isfile():
                names.append(info.name)
            if len(names) > MANY:
                raise _too_many(path.name)
    return names


def _check_name(archive: str, name: str) -> None:
    """Refuse a member that points outside its archive: no honest export holds one."""
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", name) or ".." in re.split(r"[\\/]", name):
        msg = f"{archive}: holds a file name that leads outside the archive; no export can be trusted that does"
        raise UnreadableExport(msg)


def _bomb(name: str) -> UnreadableExport:
    msg = f"{name}: unpacks to more than {RATIO} times its size, as no export does; unpack it yourself to be sure"
    return UnreadableExport(msg)


def _too_many(name: str) -> UnreadableExport:
    return UnreadableExport(f"{name}: holds more than {MANY:,} files; import the exports in it one by one")


def _damaged(name: str, error: BaseException) -> UnreadableExport:
    msg = f"{name}: cannot be unpacked or read ({type(error).__name__}); download or export it again"
    return UnreadableExport(msg)


@contextmanager
def opened(entry: Entry) -> Iterator[IO[bytes]]:
    """The bytes of *entry*, unpacked when it is a gz or zst; failing to unpack becomes UnreadableExport."""
    try:
        if not entry.member:
            with _plain(entry.path) as handle:
                yield handle
        elif entry.path.is_dir():
            with _plain(entry.path / entry.member) as handle:
                yield handle
        elif _kind(entry.path) == "zip":
            with zipfile.ZipFile(entry.path) as archive, archive.open(entry.member) as handle:
                yield handle
        else:
            with _tar_member(entry) as handle:
                yield handle
    except FileNotFoundError:
        raise
    except BROKEN as error:
        raise _damaged(str(entry), error) from None


@contextmanager
def _tar_member(entry: Entry) -> Iterator[IO[bytes]]:
    with _plain(entry.path) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
        for info in archive:
            if info.name == entry.member and (handle := archive.extractfile(info)) is not None:
                yield handle
                return
    msg = f"{entry}: is no longer in the archive"
    raise UnreadableExport(msg)


def _kind(path: Path) -> str:
    """ "zip", "gz", "zst", "bz2", "xz", "tar" (packed or not) or "" by the first bytes."""
    kind = _packing(path)
    if kind == "zip":
        return kind
    return "tar" if _is_tar(path, kind) else kind


_MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"BZh": "bz2",
    b"\xfd7zX": "xz",
}


def _packing(path: Path) -> str:
    with path.open("rb") as raw:
        first = raw.read(4)
    return next((kind for magic, kind in _MAGIC.items() if first.startswith(magic)), "")


def _is_tar(path: Path, kind: str) -> bool:
    try:
        with _unpacked(path, kind) as handle:
            block = handle.read(512)
    except BROKEN:
        return False
    return block[257:262] == b"ustar"


@contextmanager
def _plain(path: Path) -> Iterator[IO[bytes]]:
    kind = _packing(path)
    with _unpacked(path, kind) as handle:
        if kind in {"", "zip"}:
            yield handle
        else:
            yield cast("IO[bytes]", io.BufferedReader(_Bounded(handle, path), 1 << 20))


@contextmanager
def _unpacked(path: Path, kind: str) -> Iterator[IO[bytes]]:
    """The stream inside *path*. Reddit's dumps have a window of 2 GB, which zstd refuses unless told."""
    import bz2
    import lzma

    openers = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    with path.open("rb") as raw:
        if kind == "zst":
            window = zstandard.ZstdDecompressor(max_window_size=1 << 31)
            with window.stream_reader(raw, read_across_frames=True) as handle:
                yield cast("IO[bytes]", handle)
        elif kind in openers:
            with openers[kind](raw) as handle:  # type: ignore[operator]
                yield handle
        else:
            yield raw


class _Bounded(io.RawIOBase):
    """A stream that stops when far more comes out than went in."""

    def __init__(self, inner: IO[bytes], path: Path) -> None:
        self._inner, self._name = inner, path.name
        self._left = max(FREE, RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _bomb(self._name)
        buffer[: len(data)] = data
        return len(data)


def head(entry: Entry, size: int = PROBE) -> bytes:
    """The first *size* bytes of *entry*; empty when it cannot be read at all."""
    try:
        with opened(entry) as handle:
            return handle.read(size)
    except (UnreadableExport, OSError):
        return b""


def encoding_of(entry: Entry) -> str:
    """
    The text encoding of *entry*: by its byte order mark, else UTF-8, else Windows-1252.

    A text that is UTF-8 but for some broken bytes stays UTF-8: it counts as Windows-1252 only when more
    bytes speak against UTF-8 than for it.
    """
    return guess_encoding(head(entry, _SCAN))


_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LAST = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,3}\Z")
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def guess_encoding(data: bytes) -> str:
    """The encoding of the text that begins with *data*; see `encoding_of`."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    if data.count(0) > len(data) // 4:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if data.isascii():
        return "utf-8"
    # The last sequence may be cut by the end of what was read.
    data = _LAST.sub(b"", data)
    good = _SEQUENCE.findall(data)
    bad = len(data.translate(None, bytes(range(128)))) - sum(map(len, good))
    return "cp1252" if bad > len(good) else "utf-8"


class TooLong(str):
    """The beginning of a line that is longer than allowed; the rest of it was passed over."""

    __slots__ = ()


def lines(entry: Entry, limit: int = LINE, encoding: str | None = None) -> Iterator[str]:
    """
    The lines of *entry* without their ends; one longer than *limit* comes as a TooLong.

    Bytes that are no text in the entry's encoding become U+FFFD.
    """
    with opened(entry) as handle:
        text = io.TextIOWrapper(handle, encoding or encoding_of(entry), errors="replace", newline="\n")
        while line := text.readline(limit):
            if len(line) < limit or line.endswith("\n"):
                yield line.rstrip("\r\n")
                continue
            while (rest := text.readline(limit)) and not rest.endswith("\n"):
                pass
            yield TooLong(line[:1000])
        text.detach()
