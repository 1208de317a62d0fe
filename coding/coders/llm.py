"""
The LLM coder: any OpenAI-compatible endpoint reads the codebook and codes one redacted post at a time.

Nothing but redacted text leaves this process, and only to this machine unless a policy names another host.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from coding import Codebook, Mark, Unit
from coding._chat import Answer, Chat, check_host
from coding._prompt import Unreadable, located, messages, parse, schema
from coding.failures import ChatError

VERSION = "llm.v1"


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    `url` ends in `/v1`; `allowed_hosts` are hosts outside this machine that the case policy names.

    `shots` gold posts are shown as examples. `cache` is a folder that keeps digests and codes, never text;
    empty means none. `price_in`/`price_out` are the cost of a million tokens, for the tally. When more than
    `tolerance` of the posts (and at least three) get no readable answer, the coding stops.
    """

    url: str = "http://localhost:11434/v1"
    model: str
    key: Annotated[str, Field(exclude=True, repr=False)] = ""
    allowed_hosts: tuple[str, ...] = ()
    shots: int = Field(default=8, ge=0, le=40)
    cache: str = ""
    patience: float = Field(default=120.0, gt=0)
    tries: int = Field(default=4, ge=1, le=10)
    tolerance: float = Field(default=0.05, ge=0, le=1)
    price_in: float = Field(default=0.0, ge=0)
    price_out: float = Field(default=0.0, ge=0)


@dataclass(slots=True)
class Tally:
    """
    What a coding by language model took: posts by outcome, tokens, seconds, and cost in the unit of the prices.

    `strange` counts codes that the codebook has not, `invented` quotes that the post has not; both dropped.
    """

    posts: int = 0
    cached: int = 0
    refused: int = 0
    unreadable: int = 0
    strange: int = 0
    invented: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cost: float = 0.0

    def heard(self, answer: Answer, settings: Settings) -> None:
        """Add one answer."""
        self.retries += answer.tries - 1
        self.tokens_in += answer.asked
        self.tokens_out += answer.answered
        self.seconds += answer.seconds
        self.cost += (answer.asked * settings.price_in + answer.answered * settings.price_out) / 1_000_000

    def as_dict(self) -> dict[str, float]:
        """The tally as plain values."""
        return asdict(self)


def from_environment(
    allowed_hosts: tuple[str, ...] = (), cache: str = "", environ: Mapping[str, str] = os.environ
) -> Settings:
    """
    Settings from VELDWERK_LLM_URL, VELDWERK_LLM_MODEL and VELDWERK_LLM_KEY.

    ChatError says which is missing; RemoteModel when the host is not allowed.
    """
    model = environ.get("VELDWERK_LLM_MODEL", "")
    if not model:
        msg = "set VELDWERK_LLM_MODEL to the model's name (and VELDWERK_LLM_URL to its server, if not Ollama's)"
        raise ChatError(msg)
    url = environ.get("VELDWERK_LLM_URL") or "http://localhost:11434/v1"
    check_host(url, allowed_hosts)
    key = environ.get("VELDWERK_LLM_KEY", "")
    return Settings(url=url, model=model, key=key, allowed_hosts=allowed_hosts, cache=cache)


def code(
    units: Iterable[Unit], codebook: Codebook, settings: Settings, tally: Tally | None = None
) -> Iterator[tuple[Mark, ...]]:
    """
    One tuple of marks a unit, in order; *tally* is filled on the way.

    A mark's score is the model's own confidence. RemoteModel, ModelUnreachable or ModelRejected end the coding;
    so does ChatError when too many answers cannot be read. What was coded until then stands.
    """
    tally = tally if tally is not None else Tally()
    chat = Chat(settings.url, settings.model, allowed=settings.allowed_hosts, key=settings.key,
                patience=settings.patience, tries=settings.tries)  # fmt: skip
    known = frozenset(c.id for c in codebook.codes)
    try:
        for unit in units:
            yield _one(unit, codebook, settings, chat, known, tally)
            _tolerable(tally, settings)
    finally:
        chat.close()


def _one(
    unit: Unit, codebook: Codebook, settings: Settings, chat: Chat, known: frozenset[str], tally: Tally
) -> tuple[Mark, ...]:
    tally.posts += 1
    asked = messages(unit, codebook, settings.shots)
    place = _place(settings, asked)
    kept = _kept(place)
    if kept is not None:
        tally.cached += 1
        return kept
    marks = _ask(asked, unit.post.text, codebook, settings, chat, known, tally)
    if marks is None:
        return ()
    _keep(place, marks)
    return marks


def _ask(
    asked: list[dict[str, str]], text: str, codebook: Codebook, settings: Settings, chat: Chat, known: frozenset[str],
    tally: Tally,
) -> tuple[Mark, ...] | None:  # fmt: skip
    """The marks for one post; None after a refusal or two unreadable answers, which the tally counts."""
    for seed in (0, 1):
        answer = chat.ask(asked, schema(codebook), seed=seed)
        tally.heard(answer, settings)
        if answer.refused:
            tally.refused += 1
            return None
        try:
            given = parse(answer.text)
        except Unreadable:
            continue
        marks, strange, invented = located(given, text, known)
        tally.strange += strange
        tally.invented += invented
        return tuple(marks)
    tally.unreadable += 1
    return None


def _tolerable(tally: Tally, settings: Settings) -> None:
    failed = tally.refused + tally.unreadable
    if failed >= 3 and failed > settings.tolerance * tally.posts:
        msg = (
            f"the language model refused or garbled {failed} of {tally.posts} posts, more than the tolerance of "
            f"{settings.tolerance:.0%}; a larger model, or one that knows JSON, may do"
        )
        raise ChatError(msg)


def _place(settings: Settings, asked: list[dict[str, str]]) -> Path | None:
    """Where the answer to exactly this question is kept: a digest of everything that was asked."""
    if not settings.cache:
        return None
    whole = json.dumps([VERSION, settings.url, settings.model, asked], ensure_ascii=False)
    name = hashlib.blake2b(whole.encode(), digest_size=24).hexdigest()
    return Path(settings.cache) / name[:2] / f"{name}.json"


def _kept(place: Path | None) -> tuple[Mark, ...] | None:
    if place is None:
        return None
    try:
        rows: list[list[Any]] = json.loads(place.read_text(encoding="utf-8"))
        return tuple(Mark(str(c), float(s), a, b, str(r)) for c, s, a, b, r in rows)
    except (OSError, ValueError, TypeError):
        # A cache that is absent or damaged is asked again.
        return None


def _keep(place: Path | None, marks: tuple[Mark, ...]) -> None:
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps([[m.code, m.score, m.start, m.end, m.rule] for m in marks]), encoding="utf-8")
    part.replace(place)
