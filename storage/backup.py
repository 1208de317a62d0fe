"""
Backups: everything in a home in one encrypted file, written in one piece and believed only when read back.

The file is a tar stream cut into chunks, each sealed with AES-256-GCM under a key made for this backup from
the study's backup key (HKDF, a random salt). A chunk's nonce is its number and whether it is the last, so
that none can be left out, doubled or moved (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizar
2015). What a home can make again (`out`, Prefect's own database, queues, temporary files) is not in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from .errors import StoreError, explain_os

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from .store import Database

MAGIC = b"veldwerk backup 1\n"
SALT, CHUNK, TAG = 16, 1 << 20, 16
LEFT_OUT = ("out", "prefect")
PASSING = (".queue", ".tmp", ".fresh", ".part", ".lock", ".wal")
Prints = dict[str, str]
"""The SHA-256 of each file, by its path in the home."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: how many files, and how many bytes they are together."""

    files: int
    size: int


def back_up(
    root: Path,
    out: Path,
    key: bytes,
    databases: Sequence[Database],
    locks: Sequence[AbstractContextManager[object]] = (),
) -> Backup:
    """
    Write everything in the home *root* to *out*, and read it back. *databases* stand still, *locks* are held.

    StoreError when there is nothing to back up, the disk is full, or what was written cannot be read back;
    *out* is then as it was.
    """
    part = out.with_name(f"{out.name}.part")
    try:
        with ExitStack() as held:
            for database in databases:
                database.settle()
                held.enter_context(database.turn())
            for lock in locks:
                held.enter_context(lock)
            prints = _write(root, part, key)
        _check(part, key, prints)
        os.replace(part, out)
        _sync(out.parent)
    except OSError as error:
        raise explain_os(error, out) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Backup(len(prints), out.stat().st_size)


def restore(file: Path, root: Path, key: bytes, *, aside: Path | None = None) -> Backup:
    """
    Put the home in *file* back at *root*, which must not exist or be empty, or is moved to *aside*.

    All of it is read and checked beside *root* first: StoreError leaves *root* as it was.
    """
    if aside is None and root.exists() and any(root.iterdir()):
        msg = f"{root}: is not empty; with --force it is kept aside under another name, and the backup takes its place"
        raise StoreError(msg)
    fresh = root.with_name(f"{root.name}.restoring")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        prints = dict(_unpack(file, key, fresh))
        if aside is not None and root.exists():
            root.rename(aside)
        elif root.exists():
            root.rmdir()
        fresh.rename(root)
        _sync(root.parent)
    except OSError as error:
        raise explain_os(error, file if error.filename == str(file) else root) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Backup(len(prints), file.stat().st_size)


# ---------------------------------------------------------------------------------------------------- in and out
def _write(root: Path, part: Path, key: bytes) -> Prints:
    part.parent.mkdir(parents=True, exist_ok=True)
    prints: Prints = {}
    with _opened_private(part) as file:
        sealed = _Sealing(file, key)
        with tarfile.open(fileobj=sealed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for path in _kept(root):
                data = _Counted(path)
                name = path.relative_to(root).as_posix()
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.mode = data.size, int(path.stat().st_mtime), 0o600
                with data:
                    tar.addfile(info, data)
                prints[name] = data.print
        sealed.finish()
        file.flush()
        os.fsync(file.fileno())
    if not prints:
        msg = f"{root}: there is nothing here to back up"
        raise StoreError(msg)
    return prints


def _kept(root: Path) -> Iterator[Path]:
    """The files of a home that are worth keeping, in order."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0] in LEFT_OUT or any(part.endswith(PASSING) for part in parts):
            continue
        if path.is_file() and not path.is_symlink():
            yield path


def _check(part: Path, key: bytes, prints: Prints) -> None:
    """Read the whole file back as a restore would, without writing it anywhere."""
    read = dict(_unpack(part, key, None))
    if read != prints:
        msg = f"{part}: what was written does not read back as it was; is the disk sound? Nothing was kept"
        raise StoreError(msg)


def _unpack(file: Path, key: bytes, into: Path | None) -> Iterator[tuple[str, str]]:
    """Each file's path and SHA-256; written under *into*, if given."""
    with file.open("rb") as source:
        opened = io.BufferedReader(_Opening(source, key, file), CHUNK)
        try:
            with tarfile.open(fileobj=opened, mode="r|") as tar:
                for member in tar:
                    data = tar.extractfile(member)
                    if data is None or not _within(member.name):
                        raise _foreign(file)
                    yield member.name, _copy(data, into and into / member.name)
        except tarfile.TarError:
            raise _foreign(file) from None
        # The stream may end after the tar does; only its last chunk says that nothing is missing.
        while opened.read(CHUNK):
            pass


def _within(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _copy(data: IO[bytes], target: Path | None) -> str:
    digest = hashlib.sha256()
    with ExitStack() as stack:
        out = None
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            out = stack.enter_context(_opened_private(target))
        while block := data.read(CHUNK):
            digest.update(block)
            if out is not None:
                out.write(block)
        if out is not None:
            out.flush()
            os.fsync(out.fileno())
    return digest.hexdigest()


@contextmanager
def _opened_private(path: Path) -> Iterator[IO[bytes]]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file


def _foreign(file: Path) -> StoreError:
    return StoreError(f"{file}: is no backup that this project's key opens, or it was damaged; nothing was changed")


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


# ------------------------------------------------------------------------------------------------------ chunks
class _Counted(io.RawIOBase):
    """A file read up to the size it had when it was opened, with the SHA-256 of what was read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size = os.fstat(self._file.fileno()).st_size
        self._left = self.size
        self._digest = hashlib.sha256()

    @property
    def print(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self._digest.update(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=MAGIC).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class _Sealing(io.RawIOBase):
    """What is written goes to *file* in sealed chunks; `finish` writes the last one."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        salt = os.urandom(SALT)
        self._file, self._cipher = file, _cipher(key, salt)
        self._held, self._number = bytearray(), 0
        file.write(MAGIC + salt)

    def write(self, data: object) -> int:
        added = bytes(memoryview(data))  # type: ignore[arg-type]
        self._held += added
        while len(self._held) > CHUNK:
            self._seal(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(added)

    def finish(self) -> None:
        self._seal(bytes(self._held), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, MAGIC))
        self._number += 1


class _Opening(io.RawIOBase):
    """The stream that `_Sealing` wrote. StoreError for another key, a changed byte, or a missing end."""

    def __init__(self, file: IO[bytes], key: bytes, path: Path) -> None:
        head = file.read(len(MAGIC) + SALT)
        if not head.startswith(MAGIC) or len(head) < len(MAGIC) + SALT:
            raise _foreign(path)
        self._file, self._path, self._cipher = file, path, _cipher(key, head[len(MAGIC) :])
        self._next, self._number, self._ready = file.read(CHUNK + TAG), 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ready and self._next:
            self._open_chunk()
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _open_chunk(self) -> None:
        from cryptography.exceptions import InvalidTag

        chunk, self._next = self._next, self._file.read(CHUNK + TAG)
        try:
            self._ready = self._cipher.decrypt(_nonce(self._number, last=not self._next), chunk, MAGIC)
        except InvalidTag:
            raise _foreign(self._path) from None
        self._number += 1
