"""New pseudonyms for a case, or none ever again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from storage import rights

from .pseudonyms import Pseudonyms, Salts

if TYPE_CHECKING:
    from .keys import ProjectKey
    from .rights import Holdings


def rotate(held: Holdings, key: ProjectKey, case: str) -> int:
    """
    Give a case a new key: every pseudonym in store and vault becomes another; returns how many.

    What was exported before can then not be joined by pseudonym with what is exported later. A rotation that
    was broken off is finished by calling it again. Refused when the case key was destroyed.
    """
    salts = Salts(held.root, case)
    salts.read_or_make() if salts.state() == "none" else None
    with salts.locked():
        if salts.state() == "ready":
            salts.write(salts.read(), following=secrets.token_bytes(32))
        new = salts.read(rotating=True)
        names = Pseudonyms(*(key.derive("case", case, s) for s in new))
        number, n = len(new) - 1, 0
        for file in (held.store, held.vault):
            if rights.rotations(file, case) < number:
                n = max(n, rights.rename(file, case, number, names.rekeyed))
                file.rewrite()
        salts.write(new)
    held.audit.append("keys", what="rotated", case=case, number=number, names=n)
    return n


def destroy(held: Holdings, case: str) -> int:
    """
    End the linkability of a case: its salts, locators and cursors go; returns how many locators there were.

    From then on nobody can compute the pseudonym of a given handle, so nothing can be added to the case,
    refreshed or erased by handle. The posts stay, pseudonymous as they are: they are not anonymous, since
    what people wrote may still point to them.
    """
    Salts(held.root, case).destroy()
    locators = held.vault.forget_case(case)
    held.vault.rewrite()
    rights.forget_collecting(held.store, case)
    held.store.rewrite()
    held.audit.append("keys", what="destroyed", case=case, locators=locators)
    return locators
