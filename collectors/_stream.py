"""Read JSON of any size piece by piece, with bounds on how large and how deeply nested one piece may be."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from . import Skip, UnreadableExport
from ._files import LINE, Entry, TooLong, guess_encoding, lines, opened

PIECE = 32 * 1024 * 1024
"""The largest single value that is read, in characters."""
_CHUNK = 1 << 20
_SPACE = " \t\r\n\ufeff"

Path = tuple[str, ...]


class CutOff(UnreadableExport):
    """The file ends in the middle of a value."""


def pieces(entry: Entry, descend: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
    """
    The values of the JSON document in *entry*, in order, as (path, value).

    A path is the keys that lead to the value, "*" for an element of an array. Containers whose path
    *descend* accepts are walked into and never held; every other value is given whole. Raises CutOff
    when the file ends too early, UnreadableExport naming the line when it is not JSON.
    """
    with opened(entry) as handle:
        yield from _Walk(handle, str(entry)).value((), descend)


def sound(entry: Entry, descend: Callable[[Path], bool]) -> None:
    """
    Read *entry* once and keep nothing, so that a broken file is refused before any of it is stored.

    A file that is cut off is sound as far as it goes.
    """
    try:
        for _ in pieces(entry, descend):
            pass
    except CutOff:
        return


class _Walk:
    """A position in a stream of JSON text."""

    def __init__(self, handle: IO[bytes], label: str) -> None:
        self._handle, self._label = handle, label
        first = handle.read(_CHUNK)
        self._decoder = codecs.getincrementaldecoder(guess_encoding(first) if first else "utf-8")(errors="replace")
        self._text, self._at, self._line, self._end = self._decoder.decode(first), 0, 1, False
        self._json = json.JSONDecoder()

    def value(self, path: Path, descend: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
        if self._peek() in "{[" and descend(path):
            yield from self._members(path, descend)
        else:
            yield path, self._whole()

    def _members(self, path: Path, descend: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
        is_object = self._take("{[") == "{"
        close = "}" if is_object else "]"
        while self._peek() != close:
            key = "*"
            if is_object:
                key = self._key()
            yield from self.value((*path, key), descend)
            if self._peek() != close:
                self._take(",")
        self._take(close)

    def _key(self) -> str:
        key = self._whole()
        if not isinstance(key, str):
            raise self._broken()
        self._take(":")
        return key

    def _peek(self) -> str:
        """The next character that is not white space, which is not consumed."""
        while True:
            while self._at < len(self._text):
                found = self._text[self._at]
                if found not in _SPACE:
                    return found
                self._line += found == "\n"
                self._at += 1
            if not self._more():
                msg = f"{self._label}: breaks off at line {self._line}; export it again"
                raise CutOff(msg)

    def _take(self, wanted: str) -> str:
        found = self._peek()
        if found not in wanted:
            raise self._broken()
        self._at += 1
        return found

    def _whole(self) -> Any:
        """The value that begins here, decoded; more text is read until it is complete."""
        self._peek()
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._broken("nested too deeply") from None
            except ValueError:
                if not self._more(wide=True):
                    raise self._unfinished() from None
                continue
            # A number that ends where the buffer ends may go on in the next chunk.
            if end < len(self._text) or not isinstance(found, (int, float)) or not self._more():
                self._line += self._text.count("\n", self._at, end)
                self._at = end
                return found

    def _unfinished(self) -> UnreadableExport:
        """A value that cannot be decoded: cut off when its text runs to the end of the file, else broken."""
        try:
            self._json.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            at_end = error.pos >= len(self._text) or error.msg.startswith("Unterminated string")
            if self._end and at_end:
                return CutOff(f"{self._label}: breaks off at line {self._line}; export it again")
        except ValueError:
            pass
        return self._broken()

    def _more(self, *, wide: bool = False) -> bool:
        """Read on; with *wide* as much again as is held, so that a large value is not decoded again and again."""
        if self._end:
            return False
        held = len(self._text) - self._at
        if held > PIECE:
            raise self._broken(f"not JSON, or one value of more than {PIECE:,} characters,")
        data = self._handle.read(max(_CHUNK, held) if wide else _CHUNK)
        self._end = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._end)
        self._at = 0
        return True

    def _broken(self, what: str = "not JSON") -> UnreadableExport:
        return UnreadableExport(f"{self._label}: {what} at or after line {self._line}; export it again")


def records(entry: Entry, limit: int = LINE) -> Iterator[dict[str, Any] | Skip]:
    """The objects of an NDJSON file, one a line; others, or one too long, are Skips. Blank ones do not count."""
    for line in lines(entry, limit):
        if isinstance(line, TooLong):
            yield Skip("line too long")
        elif line.strip(_SPACE + "\0"):
            yield loads(line)


def loads(line: str) -> dict[str, Any] | Skip:
    """The object in this *line* of JSON, or why there is none."""
    try:
        found = json.loads(line.strip(_SPACE))
    except RecursionError:
        return Skip("nested too deeply")
    except ValueError:
        return Skip("line is not JSON")
    return found if isinstance(found, dict) else Skip("line is not a JSON object")


def moment(value: object) -> datetime | None:
    """
    The UTC time in *value*: seconds or milliseconds since 1970 (number or text), or ISO 8601 with a zone.

    None for anything else, and for times before 1971 or after 2200, which are defaults and not times.
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        return _from_number(float(str(value)))
    except ValueError:
        return _from_iso(value) if isinstance(value, str) else None


def _from_number(seconds: float) -> datetime | None:
    if seconds > 1e11:
        seconds /= 1000
    if not math.isfinite(seconds) or not 31_536_000 < seconds < 7_258_118_400:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _from_iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def text_of(value: object) -> str:
    """*value* when it is a text, else nothing; lone surrogates, which no store can keep, become U+FFFD."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
