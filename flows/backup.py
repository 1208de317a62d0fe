"""Backups of a whole study, and putting one back without bringing back whom it was asked to forget."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from .errors import WrongUse
from .home import Home
from .progress import Progress
from .receipt import Receipt


def back_up(home: Home, out: Path) -> Receipt:
    """
    Write all that this study keeps to *out*, encrypted, and read it back.

    WrongUse when there is nothing yet or *out* lies in the home itself; StoreError when it cannot be written, and
    *out* is then as it was.
    """
    from storage import backup

    start = time.monotonic()
    if not home.has_store:
        msg = f"{home.root}: nothing is stored here yet; set VELDWERK_HOME to the study that you want a backup of"
        raise WrongUse(msg)
    if home.root.resolve() in out.resolve().parents:
        msg = f"{out}: lies in the study itself; put the backup elsewhere, best on another disk"
        raise WrongUse(msg)
    posts = home.store.count()
    key = home.key.derive("backup")
    done = backup.back_up(home.root, out, key, [home.store, home.vault], [FileLock(f"{home.audit.path}.lock", 60)])
    home.audit.append("backup", files=done.files, posts=posts, bytes=done.size, sha256=_digest(out))
    counts = {"posts": posts, "files": done.files, "bytes": done.size}
    return Receipt("backup", counts=counts, seconds=time.monotonic() - start)


def restore(home: Home, file: Path, progress: Progress, *, force: bool) -> Receipt:
    """
    Put the study in *file* back. What was erased or destroyed since, as far as it is known here, goes again.

    The home must be absent or empty; with *force* the one that is there is kept aside, and nothing of it is lost.
    """
    from storage import backup

    start = time.monotonic()
    if not file.is_file():
        msg = f"{file}: no such file"
        raise WrongUse(msg)
    _need_key(home)
    there = home.root.exists() and any(home.root.iterdir())
    if there and not force:
        msg = f"{home.root}: is not empty; with --force it is kept aside under another name"
        raise WrongUse(msg)
    aside = home.root.with_name(f"{home.root.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}") if there else None
    done = backup.restore(file, home.root, home.key.derive("backup"), aside=aside)
    back = Home(home.root)
    kept_out = 0
    if aside is None:
        progress.say("what was erased after this backup was made is not known here: erase it again")
    else:
        progress.say(f"the study that was here is kept in {aside}")
        kept_out = _forget_again(back, aside)
    back.audit.append("restore", files=done.files, sha256=_digest(file), erased_again=kept_out)
    counts = {"posts": back.store.count(), "files": done.files, "erased again": kept_out}
    return Receipt("restore", counts=counts, seconds=time.monotonic() - start)


def _need_key(home: Home) -> None:
    from ethics.keys import ProjectKey

    state, note = ProjectKey.status(home=home.root)
    if state == "new":
        msg = f"a backup opens with the project key it was made with, and there is none here ({note}); set VELDWERK_KEY"
        raise WrongUse(msg)


def _forget_again(home: Home, aside: Path) -> int:
    """Bring the trail up to date, destroyed keys with it, and take out whom it says was erased; how many posts."""
    from ethics.audit import Trail
    from ethics.rights import obey_suppressions

    before = Trail(aside / "audit.jsonl", home.key.derive("audit"))
    if _goes_on(home.audit.path, before.path) and before.verify().whole:
        for path in (before.path, before.path.with_name(f"{before.path.name}.head")):
            shutil.copy2(path, home.root / path.name)
    for path in _destroyed(aside):
        (home.root / "keys").mkdir(mode=0o700, exist_ok=True)
        shutil.copy2(path, home.root / "keys" / path.name)
    return obey_suppressions(home.holdings)


def _goes_on(restored: Path, other: Path) -> bool:
    """Whether *other* is the restored trail with more lines after it."""
    if not other.exists():
        return False
    known = restored.read_bytes() if restored.exists() else b""
    with other.open("rb") as file:
        return file.read(len(known)) == known


def _destroyed(root: Path) -> Iterator[Path]:
    for path in sorted((root / "keys").glob("*.json")):
        if json.loads(path.read_text(encoding="ascii")).get("destroyed"):
            yield path


def _digest(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
