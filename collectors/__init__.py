"""
Collectors: one file a platform or an export format, and the file name is its registration.

A collector module has a `VERSION`, a `Settings` model and a `collect` generator; an importer has a
`read` generator and a `sniff` instead of `collect`. Both yield `RawPost`, `Skip` and `Mark`, and may
import nothing of ours but this package: what they fetch can only go through `ethics`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from pydantic import BaseModel

__all__ = [
    "Collector",
    "CollectorError",
    "Gone",
    "Importer",
    "Item",
    "Mark",
    "PlatformRefused",
    "PlatformUnreachable",
    "RateLimited",
    "RawPost",
    "Sealed",
    "Skip",
    "UnreadableExport",
    "Window",
    "available",
    "detect",
    "load_collector",
    "load_importer",
]


class CollectorError(Exception):
    """
    Any failure of a collector. Its text never holds content or an identity.

    CollectorError
    ├── PlatformRefused      the platform said no: keys, permission, private, banned, gone
    ├── PlatformUnreachable  no usable answer came: network, 5xx, HTML for JSON, cut short
    ├── RateLimited          the platform asks to wait longer than this run should; `resume_at` says until when
    └── UnreadableExport     a file is not what its format promises
    """


class PlatformRefused(CollectorError):
    """The platform said no; trying again without a change will not help."""


class PlatformUnreachable(CollectorError):
    """No usable answer came; trying again later may help."""


class RateLimited(CollectorError):
    """The platform asks to wait; `resume_at` (UTC) is the earliest moment to go on."""

    def __init__(self, message: str, resume_at: datetime) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class UnreadableExport(CollectorError):
    """An export cannot be read at all; the message names the file, the line and the way out."""


class Sealed:
    """
    A text that may name a person, sealed until `ethics` opens it.

    It does not print, pickle, copy or turn into JSON, and it is no `str`, so that it cannot reach a
    log, a Prefect record or a `Post` by accident. `reveal()` is the only way in; a test allows that
    word in `ethics` alone.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Only `ethics` may call this."""
        return self._value

    def __repr__(self) -> str:
        return "Sealed(...)"

    def __format__(self, spec: str) -> str:
        return "Sealed(...)"

    def __reduce__(self) -> NoReturn:
        msg = "a Sealed value never leaves the process that collected it"
        raise TypeError(msg)

    __copy__ = __reduce__

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__reduce__()


@dataclass(frozen=True, slots=True)
class RawPost:
    """
    One message as the platform gave it. Lives in memory from a collector's `yield` to the gate.

    `id`, `thread` and `reply_to` are native ids; `author` is the platform's stable handle or user id.
    `aliases` are other names by which others may address the author (display name, handle).
    `mentions` are handles or ids that the platform itself marked as mentioned. `media` holds kinds
    ("photo", "video"), never addresses. Times are aware; a naive one is refused.
    """

    platform: str
    id: Sealed
    author: Sealed
    text: Sealed
    created: datetime
    thread: Sealed | None = None
    reply_to: Sealed | None = None
    aliases: tuple[Sealed, ...] = ()
    mentions: tuple[Sealed, ...] = ()
    edited: datetime | None = None
    permalink: Sealed | None = None
    language: str | None = None
    kind: str = "post"
    media: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for moment in (self.created, self.edited):
            if moment is not None and moment.utcoffset() is None:
                msg = "a RawPost needs times with a zone"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Skip:
    """One item that was read and left out; `reason` is a short fixed phrase without content."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Everything yielded before this point may be kept, and collecting can go on from here.

    `cursor` is a sealed JSON text of the collector's own making; it is handed back as it was to the
    next run. `counts` are what the platform reported or the collector noticed ("asked", "received",
    "gap", "deleted", "private", "capped"), added up over a run for its completeness report.
    """

    cursor: Sealed | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """What a refresh found: the post with this native id was deleted or made private."""

    id: Sealed


Item = RawPost | Skip | Mark


@dataclass(frozen=True, slots=True)
class Window:
    """
    What part of a source to collect: posts from `since` up to before `until`, and `limit` at most.

    `cursor` is the sealed state that the last `Mark` of the run before carried, or None at first.
    """

    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    cursor: Sealed | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether a post of this moment belongs to the window."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


class Collector(Protocol):
    """What a module for a live platform has."""

    @property
    def VERSION(self) -> str:  # noqa: N802 (a module constant)
        """Name and number, kept with every run."""

    @property
    def Settings(self) -> type[BaseModel]:  # noqa: N802 (a module's class)
        """What a case file may set for it; unknown keys are refused."""

    def collect(self, settings: Any, window: Window) -> Iterator[Item]:
        """Posts, skips and marks from where the window's cursor stands; CollectorError when the platform refuses."""
        ...

    def refresh(self, settings: Any, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
        """The posts with these native ids as they are now, or that they are gone."""
        ...


class Importer(Protocol):
    """What a module for an export format has."""

    @property
    def VERSION(self) -> str:  # noqa: N802 (a module constant)
        """Name and number, kept with every run."""

    @property
    def Settings(self) -> type[BaseModel]:  # noqa: N802 (a module's class)
        """What a case file may set for it; unknown keys are refused."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format, by its content."""
        ...

    def read(self, path: Path, settings: Any) -> Iterator[Item]:
        """The file's items, streamed; CollectorError when it is damaged."""
        ...


def _load(name: str, verb: str) -> Any:
    """The module registered as *name* that has the function *verb*."""
    modules = _names()
    if name not in modules:
        msg = f"no collector {name!r}; there are: {', '.join(available(verb))}"
        raise LookupError(msg)
    module = importlib.import_module(f"{__name__}.{modules[name]}")
    if not hasattr(module, verb):
        msg = f"{name!r} cannot {verb}; those that can: {', '.join(available(verb))}"
        raise LookupError(msg)
    return module


_OWN_NAME = re.compile(r'^NAME = "([a-z0-9-]+)"$', re.MULTILINE)


def _source(module: str) -> str:
    return (Path(__path__[0]) / f"{module}.py").read_text(encoding="utf-8")


@cache
def _names() -> dict[str, str]:
    """
    Registered name -> module: the file's name with dashes, or its `NAME` where no file can be called so (4cat).

    Read from the text of the files, so that listing them imports none.
    """
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    own = {m: _OWN_NAME.search(_source(m)) for m in modules}
    return {found.group(1) if (found := own[m]) else m.replace("_", "-"): m for m in modules}


def available(verb: str) -> list[str]:
    """The names of all collectors (`verb="collect"`) or all importers (`verb="read"`)."""
    return sorted(name for name, module in _names().items() if f"\ndef {verb}(" in _source(module))


def load_collector(name: str) -> Collector:
    """The collector for the platform *name*; LookupError names those that exist."""
    return cast("Collector", _load(name, "collect"))


def load_importer(name: str) -> Importer:
    """The importer for the export format *name*; LookupError names those that exist."""
    return cast("Importer", _load(name, "read"))


def detect(path: Path) -> str:
    """
    The format of the export at *path*, by its content.

    Importers of one platform's export come first, then those with a `GENERAL` of 1 (tables, transcripts) and
    of 2 (documents), which take more. Raises UnreadableExport that lists the formats when none fits, and
    those that fit when it is not one.
    """
    importers = {name: load_importer(name) for name in available("read")}
    for general in (0, 1, 2):
        level = {n: m for n, m in importers.items() if getattr(m, "GENERAL", 0) == general}
        fitting = [n for n, m in level.items() if m.sniff(path)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            msg = f"{path.name}: may be {' or '.join(fitting)}; say which with --format"
            raise UnreadableExport(msg)
    msg = f"{path.name}: of no known format; say which with --format: {', '.join(importers)}"
    raise UnreadableExport(msg)
