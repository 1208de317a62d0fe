"""
The project key: the one secret of a study, kept outside its home; all other keys are derived from it.

    VELDWERK_KEY            the key itself: 32 random bytes in hex or base64, or a long passphrase
    VELDWERK_KEYRING=1      the operating system's keyring (needs the `keyring` extra)
    VELDWERK_KEY_FILE       a file, by default ~/.config/veldwerk/key, mode 0600, made on first use
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NoReturn, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .policy import Refused

Purpose = Literal["store", "vault", "audit", "cursor", "case", "backup"]

NEEDED = "use 32 random bytes in hex or base64 (`openssl rand -hex 32`), or a passphrase of 20 characters or more"
KEY_BYTES = 32
PASSPHRASE_LENGTH = 20
DIFFERENT_BYTES = 16
"""Of 32 random bytes about 30 differ; fewer than 16 do not come from a random source."""
DIFFERENT_CHARACTERS = 8
SERVICE, ENTRY = "veldwerk", "project key"


class KeyRefused(Refused):
    """The project key is missing, weak, unreadable or badly kept; the message says what is needed, never the key."""


class ProjectKey:
    """The project key. It does not print, pickle or turn into text; use `derive`."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES or len(set(secret)) < DIFFERENT_BYTES:
            msg = f"the project key is too weak; {NEEDED}"
            raise KeyRefused(msg)
        self._secret = secret

    def __repr__(self) -> str:
        return "ProjectKey(...)"

    def __reduce__(self) -> NoReturn:
        msg = "a project key never leaves the process that found it"
        raise TypeError(msg)

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The key in *text*; KeyRefused names *where* it came from when it is too short or too regular."""
        secret = _random_bytes(text.strip())
        if secret is None:
            secret = _stretched(text.strip(), where)
        try:
            return cls(secret)
        except KeyRefused:
            msg = f"{where}: the project key is too weak; {NEEDED}"
            raise KeyRefused(msg) from None

    @classmethod
    def find(
        cls,
        *,
        home: Path,
        notice: Callable[[str], None] = lambda _: None,
        environ: Mapping[str, str] = os.environ,
    ) -> Self:
        """
        The key of this project, from the environment, the keyring or the key file; made on first use.

        *notice* is told in one line when a key is made. KeyRefused when it is weak, when others can read its
        file, when it lies in *home*, or when *home* has a store but its key is nowhere.
        """
        if "VELDWERK_KEY" in environ:
            return cls.parse(environ["VELDWERK_KEY"], "VELDWERK_KEY")
        if environ.get("VELDWERK_KEYRING") == "1":
            return cls._from_keyring(home, notice)
        path = key_file(environ)
        if not path.exists():
            _refuse_new(home, str(path))
            _write_new(path, home)
            notice(f"made a new project key in {path}; without it nothing in {home} can be read: keep a copy apart")
        return cls.parse(_read(path, home), str(path))

    @classmethod
    def _from_keyring(cls, home: Path, notice: Callable[[str], None]) -> Self:
        try:
            import keyring
        except ImportError:
            msg = "VELDWERK_KEYRING=1 needs the keyring extra: pip install 'veldwerk[keyring]'"
            raise KeyRefused(msg) from None
        try:
            text = keyring.get_password(SERVICE, ENTRY)
            new = text is None
            if text is None:
                _refuse_new(home, "the keyring")
                text = secrets.token_hex(KEY_BYTES)
                keyring.set_password(SERVICE, ENTRY, text)
        except keyring.errors.KeyringError as error:
            msg = f"the keyring of this computer cannot be used ({type(error).__name__}); use a key file instead"
            raise KeyRefused(msg) from None
        if new:
            notice(f"made a new project key in the keyring of this computer ({SERVICE}, {ENTRY})")
        return cls.parse(text, "the keyring")

    @classmethod
    def status(cls, *, home: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
        """A state ("ok", "new", "missing", "refused") and a note on the key, for `veldwerk doctor`; makes none."""
        if "VELDWERK_KEY" not in environ and environ.get("VELDWERK_KEYRING") == "1":
            return "ok", "the keyring of this computer (VELDWERK_KEYRING)"
        path = key_file(environ)
        try:
            if "VELDWERK_KEY" not in environ and not path.exists():
                _refuse_new(home, str(path))
                return "new", f"will be made in {path} on first use (VELDWERK_KEY_FILE)"
            cls.find(home=home, environ=environ)
        except KeyRefused as refused:
            return "refused", str(refused)
        return "ok", "VELDWERK_KEY" if "VELDWERK_KEY" in environ else f"{path} (VELDWERK_KEY_FILE)"

    def derive(self, purpose: Purpose, case: str = "", salt: bytes = b"") -> bytes:
        """A key of 32 bytes for one purpose, and where it applies one case (HKDF-SHA256, RFC 5869)."""
        info = b"\0".join((b"veldwerk", b"1", purpose.encode(), case.encode()))
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt or None, info=info).derive(self._secret)


def key_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the key file is, or would be made."""
    named = environ.get("VELDWERK_KEY_FILE")
    return Path(named).expanduser() if named else Path.home() / ".config" / "veldwerk" / "key"


def _random_bytes(text: str) -> bytes | None:
    """32 bytes written in hex or base64, or None when *text* is neither."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    try:
        decoded = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) == KEY_BYTES else None


def _stretched(text: str, where: str) -> bytes:
    """A passphrase made into a key, slowly, so that guessing is dear."""
    repeated = any(len(text) > 1 and (text[:n] * len(text))[: len(text)] == text for n in range(1, len(text) // 2 + 1))
    if len(text) < PASSPHRASE_LENGTH or len(set(text)) < DIFFERENT_CHARACTERS or repeated:
        msg = f"{where}: the project key is too short or too regular; {NEEDED}"
        raise KeyRefused(msg)
    return hashlib.scrypt(text.encode(), salt=b"veldwerk project key", n=2**15, r=8, p=1, maxmem=2**26, dklen=KEY_BYTES)


def _refuse_new(home: Path, where: str) -> None:
    """A new key cannot open what an old one closed: say so instead of making one."""
    if (home / "corpus.duckdb").exists():
        msg = f"{home} was made with a project key that is not in {where}; set VELDWERK_KEY or VELDWERK_KEY_FILE to it"
        raise KeyRefused(msg)


def _refuse_in_home(path: Path, home: Path) -> None:
    if path.resolve().is_relative_to(home.resolve()):
        msg = f"{path}: the key lies in the home it locks; put it elsewhere and name it with VELDWERK_KEY_FILE"
        raise KeyRefused(msg)


def _read(path: Path, home: Path) -> str:
    _refuse_in_home(path, home)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            msg = f"{path}: the key file is no file"
            raise KeyRefused(msg)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            msg = f"{path}: others than you can read the key file; run: chmod 600 {path}"
            raise KeyRefused(msg)
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        msg = f"{path}: the key file does not hold text; {NEEDED}"
        raise KeyRefused(msg) from None
    except OSError as error:
        msg = f"{path}: the key file cannot be read ({error.strerror})"
        raise KeyRefused(msg) from None


def _write_new(path: Path, home: Path) -> None:
    """A new key, complete and private from its first moment; one made meanwhile by another process stays."""
    _refuse_in_home(path, home)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        msg = f"{path}: no key can be made there ({error.strerror}); name a place with VELDWERK_KEY_FILE"
        raise KeyRefused(msg) from None
