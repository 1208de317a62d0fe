"""The records we keep. Nothing here can name a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

Pseudonym = NewType("Pseudonym", str)
"""A keyed one-way name for a person, a post or a thread. Only `ethics` makes one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text: half-open, in code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            msg = f"a span needs 0 <= start < end, got {self.start}..{self.end}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Which kind of personal data stood in a post, and how often; never the value."""

    type: str
    count: int


@dataclass(frozen=True, slots=True)
class Post:
    """
    One message with every identity replaced.

    `text` carries labels such as `[PERSOON-2]` where personal data stood, and `[@pseudonym]` where an
    author was addressed. `version` counts edits from 1. `kind` is "post", "interview" or "document".
    `run` names the collection run it came with. Times are UTC. `digest` is a keyed digest of the words as they
    came, which tells a duplicate from an edit; it is not read back.
    """

    id: Pseudonym
    case: str
    platform: str
    source: str
    author: Pseudonym
    text: str
    thread: Pseudonym
    created: datetime
    collected_at: datetime
    reply_to: Pseudonym | None = None
    mentions: tuple[Pseudonym, ...] = ()
    edited: datetime | None = None
    language: str | None = None
    kind: str = "post"
    media: tuple[str, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    run: str = ""
    version: int = 1
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """
    Within one thread, what a name is called: keyed digest -> label. Threads cannot be linked by it.

    A label whose `thread` is an author says that a name is hers anywhere in the case; who asks to be erased is
    found by it.
    """

    thread: Pseudonym
    digest: str
    label: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one collector or importer over one source: the provenance of its posts."""

    id: str
    case: str
    source: str
    collector: str
    version: str
    settings: str
    started: datetime
    ended: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What goes into the store in one transaction: posts, the labels they use, and where to go on.

    `cursor` is the collector's sealed state, encrypted by `ethics`; None leaves the stored one as it is.
    """

    case: str
    source: str
    posts: tuple[Post, ...] = ()
    labels: tuple[Label, ...] = ()
    cursor: bytes | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a batch: new posts, new versions of known posts, and posts known word for word."""

    stored: int = 0
    edited: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Coding:
    """
    One run of one coder, with its version and filled settings: the provenance of its annotations.

    A human coder is a Coding too (`coder="human"`, `name` her code name). `codebook` is the digest of the
    codebook used.
    """

    id: str
    coder: str
    name: str
    version: str
    codebook: str
    settings: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Annotation:
    """
    One mark: a code on a post, with how sure the coder was and what it rests on.

    `score` is 0..1 (1.0 for rules and humans). `start`/`end` are the evidence span in the post's redacted
    text, None for the whole post. `rule` names what fired: a rule id, a feature, a quoted reason.
    """

    coding: str
    post: Pseudonym
    code: str
    score: float = 1.0
    start: int | None = None
    end: int | None = None
    rule: str = ""
    version: int = 1
