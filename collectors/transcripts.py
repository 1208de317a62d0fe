"""
Transcripts of interviews: WebVTT and SubRip, and Word or plain text with speakers' labels.

Each turn is a post of kind "interview" in the interview's thread; its author is the speaker within that
interview, its time the day of the interview and the moment in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from datetime import date as day
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, field_validator

from . import RawPost, Sealed, Skip, UnreadableExport
from ._files import Entry, guess_encoding, head
from ._pages import paragraphs, texts, written
from ._speech import Turn, captions, is_captions, spoken

VERSION = "1"
GENERAL = 1
_SUFFIXES = (".vtt", ".srt", ".docx", ".txt")


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    How to read a transcript.

    `interview` is its code name, the file's name by default. `date` is the day of the interview; without it
    the day that the file says it was made. `timezone` is that of the clock on that day.
    """

    interview: str = ""
    date: day | None = None
    timezone: str = "Europe/Amsterdam"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            msg = "no such time zone; write it like Europe/Amsterdam"
            raise ValueError(msg)
        return name


def sniff(path: Path) -> bool:
    """Whether *path* is a transcript: captions, or a text in which at least two labelled speakers take turns."""
    try:
        return any(_is_transcript(entry) for entry in texts(path, _SUFFIXES)[:20])
    except (UnreadableExport, OSError):
        return False


def _is_transcript(entry: Entry) -> bool:
    data = head(entry)
    text = data.decode(guess_encoding(data), "replace")
    if is_captions(text):
        return True
    said = paragraphs(entry) if data.startswith(b"PK") else text.splitlines()
    turns = list(spoken(said[:400]))
    return (
        len(turns) > 3 and len({t.speaker for t in turns}) > 1 and len({t.speaker for t in turns}) < len(turns) // 2 + 1
    )


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The turns of the interview (or interviews) at *path*, each a RawPost; one without words is a Skip.

    Raises UnreadableExport when nobody's turns are marked.
    """
    found = texts(path, _SUFFIXES)
    if not found:
        msg = f"{path.name}: no transcript; save it as .docx, .txt, .vtt or .srt"
        raise UnreadableExport(msg)
    for entry in found:
        yield from _interview(entry, _turns(entry), settings)


def _turns(entry: Entry) -> list[Turn]:
    data = head(entry)
    said = paragraphs(entry)
    captioned = is_captions(data.decode(guess_encoding(data), "replace"))
    turns = list(captions(said)) if captioned else list(spoken(_labelled(said)))
    if not turns:
        msg = f"{entry}: no speaker's turns found in it; begin each turn with a label, such as 'I: ' and 'R: '"
        raise UnreadableExport(msg)
    return turns


def _labelled(said: list[str]) -> list[str]:
    """Rows of a table, with the speaker in the first cell, as labelled lines."""
    return [
        f"{a}: {b}" if (a := p.partition("\t")[0].rstrip(":")) and (b := p.rpartition("\t")[2]) and "\t" in p else p
        for p in said
    ]


def _interview(entry: Entry, turns: list[Turn], settings: Settings) -> Iterator[RawPost | Skip]:
    name = settings.interview or PurePosixPath(entry.name).stem
    first = f"{turns[0].speaker}\x1f{turns[0].text}"
    # Many a file is called "transcript": the first turn tells them apart.
    own = f"{name}:{hashlib.sha256(first.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    begin = _begin(entry, settings)
    last = 0
    for n, turn in enumerate(turns):
        last = max(last, turn.start or 0)
        if not turn.text:
            yield Skip("turn without words")
            continue
        yield RawPost(
            platform="interview",
            id=Sealed(f"{own}:{n}"),
            author=Sealed(f"{own}:{turn.speaker}"),
            text=Sealed(turn.text),
            created=begin + timedelta(seconds=last),
            thread=Sealed(own),
            reply_to=Sealed(f"{own}:{n - 1}") if n else None,
            aliases=(Sealed(turn.speaker),) if _is_name(turn.speaker) else (),
            kind="interview",
        )


def _is_name(label: str) -> bool:
    """Whether a label may be somebody's name, so that it is looked for in what is said."""
    from ._speech import _KNOWN

    return len(label) > 2 and not _KNOWN.fullmatch(label)


def _begin(entry: Entry, settings: Settings) -> datetime:
    zone = ZoneInfo(settings.timezone)
    held = settings.date or written(entry).astimezone(zone).date()
    return datetime.combine(held, time(), zone).astimezone(UTC)
