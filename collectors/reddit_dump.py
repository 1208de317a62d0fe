"""
Dumps of Reddit: the monthly files of Pushshift and Arctic Shift, and their extracts, as zst, gz or plain NDJSON.

Posts get the ids, authors and texts that the live collector gives them, so that both add up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import AwareDatetime, BaseModel

from . import RawPost, Skip, UnreadableExport
from ._files import Entry, ending, guess_encoding, head
from ._praw import NOBODY, raw_post, skip_reason
from ._stream import loads, moment, records, text_of

VERSION = "1"
_ENDINGS = (".ndjson", ".jsonl", ".json", ".txt")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to take from a dump: all, or these `subreddits` (names without r/), from `since` up to before `until`.

    What is left out is counted, so a whole month's file can be read for one community.
    """

    subreddits: tuple[str, ...] = ()
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def sniff(path: Path) -> bool:
    """Whether *path* is a dump of Reddit, packed or not."""
    try:
        return any(_is_ours(entry) for entry in ending(path, *_ENDINGS)[:50])
    except (UnreadableExport, OSError):
        return False


def _is_ours(entry: Entry) -> bool:
    data = head(entry)
    first = data.decode(guess_encoding(data), "replace").lstrip("\ufeff \r\n").partition("\n")[0]
    if not first.startswith("{"):
        return False
    found = loads(first)
    if isinstance(found, Skip):
        return len(data) > 60_000 and '"created_utc"' in first and '"subreddit"' in first
    return "created_utc" in found and ("body" in found or "selftext" in found or "is_self" in found)


def read(path: Path, settings: Settings) -> Iterator[RawPost | Skip]:
    """
    The submissions and comments of a dump, each a RawPost or a Skip.

    Raises UnreadableExport when *path* is none, or is packed in a way that breaks off.
    """
    found = [entry for entry in ending(path, *_ENDINGS) if _is_ours(entry)]
    if not found:
        msg = f"{path.name}: line 1 is no submission or comment of Reddit; download the dump again"
        raise UnreadableExport(msg)
    wanted = {name.casefold().removeprefix("r/") for name in settings.subreddits}
    for entry in found:
        for record in records(entry):
            yield record if isinstance(record, Skip) else _item(record, settings, wanted)


def _item(raw: dict[str, Any], settings: Settings, wanted: set[str]) -> RawPost | Skip:
    created = moment(raw.get("created_utc"))
    if wanted and text_of(raw.get("subreddit")).casefold() not in wanted:
        return Skip("another subreddit")
    if created is None:
        return Skip("no usable date")
    if not _within(created, settings):
        return Skip("outside the period")
    thing = _thing(raw, created)
    if thing is None:
        return Skip("no id")
    reason = skip_reason(thing)
    return Skip(reason) if reason else raw_post(thing)


def _within(created: datetime, settings: Settings) -> bool:
    since, until = settings.since, settings.until
    return (since is None or created >= since) and (until is None or created < until)


def _thing(raw: dict[str, Any], created: datetime) -> SimpleNamespace | None:
    """A dump's object as PRAW would hand it out, its fields in the types that Reddit gives them."""
    native = text_of(raw.get("id")) or text_of(raw.get("name")).partition("_")[2]
    if not re.fullmatch(r"\w{1,16}", native):
        return None
    author = text_of(raw.get("author"))
    has: dict[str, Any] = {
        key: text_of(raw.get(key)) for key in ("title", "permalink", "url_overridden_by_dest", "post_hint")
    }
    has |= {key: raw.get(key) for key in ("is_self", "is_gallery", "media_metadata", "is_video")}
    edited = raw.get("edited")
    has |= {
        "author": SimpleNamespace(name=author) if author and author not in {NOBODY, "[removed]"} else None,
        "created_utc": created.timestamp(),
        "edited": edited if edited is True else (found.timestamp() if (found := moment(edited)) else False),
    }
    if "body" not in raw:
        return SimpleNamespace(**has, selftext=text_of(raw.get("selftext")), fullname=f"t3_{native}")
    thread = _fullname(raw.get("link_id"), "t3")
    parent = _fullname(raw.get("parent_id"), "t1") or thread
    if not thread:
        return None
    body = text_of(raw.get("body"))
    return SimpleNamespace(**has, body=body, link_id=thread, parent_id=parent, fullname=f"t1_{native}")


def _fullname(value: object, kind: str) -> str:
    """An id with its kind; some dumps of Pushshift have bare numbers instead."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 62:
        text = ""
        while value:
            value, rest = divmod(value, 36)
            text = _DIGITS[rest] + text
        return f"{kind}_{text}"
    text = text_of(value)
    return text if re.fullmatch(r"t\d_\w{1,16}", text) else ""
