"""
RSS and Atom feeds: news, police reports, weblogs, and forums that have nothing better.

A feed shows only its newest items and forgets the others: when nothing of the last visit is left in it,
items may have come and gone unseen, which is counted as a gap. A feed that has not changed answers with
nothing at all, as it is asked with the tag or date that it gave last time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from pydantic import BaseModel, Field

from . import CollectorError, Item, PlatformUnreachable, RawPost, Sealed, Skip, Window
from ._http import Answer, Http, StatusRefused, host_of
from ._limits import Limit, Throttle
from ._run import Run
from ._text import joined, plain
from ._xml import BadXml, local, parsed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

VERSION = "feeds.v1"
LIMITS = (Limit(30, 60.0),)
"""Nobody publishes a limit for feeds; a request in two seconds troubles no server."""
TEXTS = ("encoded", "content", "description", "summary", "subtitle", "tagline")
DATES = ("published", "pubdate", "issued", "created", "date", "updated", "modified")
KINDS = {"image": "photo", "video": "video", "audio": "audio"}
FORMS = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M", "%Y-%m-%dT%H:%MZ", "%Y%m%dT%H:%M:%S", "%Y-%m", "%Y")


class Settings(BaseModel, extra="forbid", frozen=True):
    """The addresses of the feeds."""

    urls: tuple[str, ...] = Field(min_length=1)


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    What is new in each feed, oldest first; a Mark after each feed.

    A feed that fails does not stop the others; the first failure is raised when all have had their turn.
    """
    failures: list[CollectorError] = []
    run = _Run(window, lambda: 0)
    for url in settings.urls:
        if run.full:
            return
        try:
            yield from _feed(run, url)
        except (StatusRefused, PlatformUnreachable) as failure:
            failures.append(failure)
            run.counts["private" if isinstance(failure, StatusRefused) else "unreachable"] += 1
        yield run.mark()
    if failures:
        raise failures[0]


@dataclass
class _Run(Run):
    """
    One run. The state holds for each feed `etag` and `modified`, with which it is asked whether it has
    changed, `seen`, checksums of the items it had, and whether the last run took `all` of them.
    """


def _feed(run: _Run, url: str) -> Iterator[Item]:
    state: dict[str, Any] = run.state.setdefault(url, {})
    answer = _fetch(url, state if state.get("all") else {})
    run.counts["requests"] += 1
    if answer is None:
        return
    root = _root(url, answer)
    items = [(_key(item), item) for item in root.iter() if local(item.tag) in {"item", "entry"}]
    known = set(state.get("seen", ()))
    present = {key for key, _ in items}
    run.counts["asked"] += len(items)
    run.counts["received"] += len(items)
    run.counts["gap"] += bool(known and items and state.get("all") and not known & present)
    fallback = _date(root)
    told = known & present
    state.update(seen=sorted(told), all=False)
    for key, item in sorted(((k, _item(root, i, fallback)) for k, i in items if k not in known), key=_age):
        if run.full:
            return
        told_now = item if isinstance(item, Skip) else run.admit(item)
        if told_now is not None:
            yield told_now
            told.add(key)
            state["seen"] = sorted(told)
    # What the window left out may be wanted by a later run, so that the feed must then come whole.
    headers = answer.headers
    state.update(all=told == present, etag=headers.get("etag"), modified=headers.get("last-modified"))


def _age(entry: tuple[str, RawPost | Skip]) -> tuple[float, str]:
    """Skips first, then posts from old to new."""
    key, item = entry
    return (0.0 if isinstance(item, Skip) else item.created.timestamp(), key)


def _fetch(url: str, state: dict[str, Any]) -> Answer | None:
    """The feed, or None where it has not changed."""
    asked = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("modified")}
    headers = {"Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
    headers |= {name: value for name, value in asked.items() if value}
    with Http("The feed", url, Throttle(f"feeds {host_of(url)}", *LIMITS)) as http:
        answer = http.content(url, headers)
    return answer if answer.status != 304 else None


def _root(url: str, answer: Answer) -> Element:
    kind = answer.headers.get("content-type", "")
    charset = kind.lower().partition("charset=")[2].split(";")[0].strip("\"' ") or None
    try:
        return parsed(answer.content, charset)
    except BadXml as bad:
        msg = f"The feed of {host_of(url)} {bad}"
        raise PlatformUnreachable(msg) from None


def _item(root: Element, item: Element, fallback: datetime | None) -> RawPost | Skip:
    """An item as a RawPost. Its author is the one named, else the feed itself."""
    created = _date(item) or fallback
    if created is None:
        return Skip("without a date")
    text = joined(plain(_first(item, ("title",))), plain(_first(item, TEXTS)))
    if not text:
        return Skip("without text")
    author = _author(item) or _author(root) or plain(_first(_channel(root), ("title",))) or "feed"
    link = _link(item)
    number = _first(item, ("guid", "id")) or link or _key(item)
    edited = _date(item, ("updated", "modified"))
    return RawPost(
        platform="feeds",
        id=Sealed(number),
        author=Sealed(author),
        text=Sealed(text),
        created=created,
        thread=Sealed(number),
        edited=edited if edited and edited > created else None,
        permalink=Sealed(link) if link else None,
        language=_first(_channel(root), ("language",))[:2].lower() or None,
        media=tuple(dict.fromkeys(_media(item))),
    )


def _channel(root: Element) -> Element:
    return next((e for e in root if local(e.tag) == "channel"), root)


def _first(parent: Element, names: tuple[str, ...]) -> str:
    """The text of the first child with one of these names, in order of the names; markup inside counts."""
    for name in names:
        for child in parent:
            if local(child.tag) == name:
                inner = "".join(_markup(child)).strip()
                if inner:
                    return inner
    return ""


def _markup(element: Element) -> Iterator[str]:
    """The inside of an element: its text, and elements of XHTML as tags, so that breaks are kept."""
    yield element.text or ""
    for child in element:
        yield f"<{local(child.tag)}>"
        yield from _markup(child)
        yield f"</{local(child.tag)}>{child.tail or ''}"


def _author(parent: Element) -> str:
    for child in parent if local(parent.tag) != "rss" else _channel(parent):
        if local(child.tag) in {"author", "creator"}:
            return (_first(child, ("name", "email", "uri")) or "".join(child.itertext())).strip()
    return ""


def _link(item: Element) -> str:
    for child in item:
        if local(child.tag) == "link" and child.get("rel", "alternate") == "alternate":
            return (child.get("href") or child.text or "").strip()
    return ""


def _media(item: Element) -> Iterator[str]:
    for child in item.iter():
        if local(child.tag) in {"enclosure", "content"} and child.get("url"):
            yield KINDS.get((child.get("type") or child.get("medium") or "").split("/")[0], "file")


def _date(parent: Element, names: tuple[str, ...] = DATES) -> datetime | None:
    """The first date that can be read; feeds write it in a dozen ways. One without a zone is UTC."""
    for name in names:
        found = _moment(_first(_channel(parent), (name,)))
        if found:
            return found
    return None


def _moment(stamp: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime, *(_reader(form) for form in FORMS)):
        try:
            found: datetime = read(stamp)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _reader(form: str) -> Any:
    return lambda stamp: datetime.strptime(stamp, form)


def _key(item: Element) -> str:
    """A checksum of an item, by which a later run knows it again, unchanged."""
    return f"{crc32(repr([(local(e.tag), e.text, sorted(e.attrib.items())) for e in item.iter()]).encode()):08x}"
