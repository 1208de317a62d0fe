"""Where a collector stopped, encrypted: a cursor may hold native ids, so the store never sees it in clear."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collectors import Sealed

from .policy import Refused

NONCE = 12


class Seal:
    """Closes and opens cursors (AES-256-GCM; nonce first, then ciphertext and tag)."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "Seal(...)"

    def __call__(self, cursor: Sealed) -> bytes:
        """The cursor as the store may keep it."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, cursor.reveal().encode("utf-8", "surrogatepass"), None)

    def open(self, closed: bytes) -> Sealed:
        """The cursor that was closed; Refused when it was made with another key or changed."""
        try:
            plain = self._cipher.decrypt(closed[:NONCE], closed[NONCE:], None)
        except (InvalidTag, ValueError):
            msg = "where the source stopped was sealed with another project key, or changed since"
            raise Refused(msg) from None
        return Sealed(plain.decode("utf-8", "surrogatepass"))
