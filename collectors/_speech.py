"""Who said what and when in a transcript: captions with cues, and lines with speakers' labels."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CLOCK = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})(?:[.,]\d{1,3})?"
_CUE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_STAMP = rf"[\[(]?{_CLOCK}[\])]?"
_WHO = r"(?P<who>[^\W\d_][\w.'’&/ -]{0,39}?)"
_LABEL = re.compile(
    rf"\s*(?:(?P<before>{_STAMP})\s*[-–]?\s*)?{_WHO}\s*(?P<after>{_STAMP})?\s*:(?:\s+|$)(?P<text>.*)", re.DOTALL
)
_ALONE = re.compile(rf"\s*(?:(?P<before>{_STAMP})\s*[-–]?\s*)?{_WHO}(?:\s*[-–]?\s*(?P<after>{_STAMP}))?\s*")
_FIRST = re.compile(rf"\s*(?P<stamp>{_STAMP})\s+(?P<text>.+)", re.DOTALL)
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+(?P<who>[^>]{1,80})>(?P<text>.*?)(?=</v>|<v[ .]|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,200}>")
_KNOWN = re.compile(
    r"(?:i|r|v|a|q|p|m|int|resp|interviewer|interviewster|onderzoeker|respondent|geïnterviewde|vraag|antwoord"
    r"|interviewee|participant|speaker|spreker|befragte|moderator)(?:[ .]?\d{1,2})?\.?",
    re.IGNORECASE,
)
UNKNOWN = "speaker"
"""The label of whoever speaks in captions that name nobody."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person says until another does: label, seconds from the start (None when unknown), words."""

    speaker: str
    start: int | None
    text: str


def is_captions(text: str) -> bool:
    """Whether a file that begins with *text* is WebVTT or SubRip."""
    first = text.lstrip("\ufeff \r\n").split("\n", 3)
    return first[0].startswith("WEBVTT") or (
        first[0].strip().isdecimal() and len(first) > 1 and bool(_CUE.match(first[1]))
    )


def captions(lines: Iterable[str]) -> Iterator[Turn]:
    """The turns in WebVTT or SubRip; cues of one speaker that follow each other are one turn."""
    yield from _joined(turn for start, words in _cues(lines) for turn in _cue_turns(start, words))


def _cues(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    start: int | None = None
    words: list[str] = []
    for line in [*lines, ""]:
        if found := _CUE.match(line):
            start, words = _seconds(found.groups()[:3]), []
        elif not line.strip():
            if start is not None:
                yield start, "\n".join(words)
            start = None
        elif start is not None:
            words.append(line)


def _cue_turns(start: int, words: str) -> Iterator[Turn]:
    voices = list(_VOICE.finditer(words))
    for voice in voices:
        yield Turn(html.unescape(voice["who"]).strip(), start, _clean(voice["text"]))
    if not voices:
        text = _clean(words)
        label = _LABEL.fullmatch(text)
        yield Turn(label["who"].strip(), start, label["text"].strip()) if label else Turn("", start, text)


def _clean(text: str) -> str:
    return html.unescape(_TAG.sub("", text)).strip()


def _joined(turns: Iterator[Turn]) -> Iterator[Turn]:
    held: Turn | None = None
    for turn in turns:
        if held is None:
            held = Turn(turn.speaker or UNKNOWN, turn.start, turn.text)
        elif turn.speaker in ("", held.speaker):
            held = Turn(held.speaker, held.start, f"{held.text} {turn.text}".strip())
        else:
            yield held
            held = turn
    if held is not None:
        yield held


def spoken(lines: list[str]) -> Iterator[Turn]:
    """
    The turns in lines with speakers' labels: "I: ...", "[00:07] Ann: ...", "Ann (00:07)" above what she says.

    What looks like a label is one when it is a usual one or comes more than once; nothing is given when no
    such label is found. Lines without a label go on with the turn before them.
    """
    labels = _labels(lines)
    if not labels:
        return
    held: Turn | None = None
    for line in lines:
        turn = _begun(line, labels)
        if turn is None:
            if held is not None and line.strip():
                held = Turn(held.speaker, held.start, f"{held.text}\n{line.strip()}".strip())
            continue
        if held is not None:
            yield held
        held = turn
    if held is not None:
        yield held


def _labels(lines: list[str]) -> set[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        if (found := _LABEL.fullmatch(line)) or (
            (found := _ALONE.fullmatch(line)) and (found["before"] or found["after"])
        ):
            counts[found["who"].strip()] += 1
    return {who for who, n in counts.items() if n > 1 or _KNOWN.fullmatch(who)}


def _begun(line: str, labels: set[str]) -> Turn | None:
    found = _LABEL.fullmatch(line)
    text = ""
    if found:
        text = found["text"]
    else:
        found = _ALONE.fullmatch(line)
        if found is None or not (found["before"] or found["after"]):
            return None
    if found["who"].strip() not in labels:
        return None
    stamp = found["before"] or found["after"]
    if not stamp and (first := _FIRST.fullmatch(text)):
        stamp, text = first["stamp"], first["text"]
    return Turn(found["who"].strip(), _clock(stamp) if stamp else None, text.strip())


def _clock(stamp: str) -> int:
    found = re.search(_CLOCK, stamp)
    return _seconds(found.groups()) if found else 0


def _seconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds = (int(p or 0) for p in parts)
    return hours * 3600 + minutes * 60 + seconds
