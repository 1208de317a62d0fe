"""Laws of the feeds collector: strangers' XML, real feeds, polling that misses and repeats nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import PlatformUnreachable, RawPost, Window, feeds
from collectors._xml import BadXml, parsed
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, http
from tests.real import real

from .playing import run

ITEM = (
    "<item><guid>{n}</guid><title>Bericht {n}</title>"
    "<description>&lt;p&gt;tekst {n}&lt;/p&gt;</description><pubDate>{d}</pubDate></item>"
)


def rss(numbers: list[int]) -> bytes:
    """A feed of the police, invented, with these items, newest first."""
    items = "".join(ITEM.format(n=n, d=f"Mon, 03 Mar 2025 {n // 60 % 24:02}:{n % 60:02}:00 +0100") for n in numbers)
    head = "<title>Politie Laagdorp</title><language>nl-NL</language>"
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{head}{items}</channel></rss>".encode()


class Feed:
    """A feed that grows and forgets, and knows whether its reader has the newest."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.full = 0

    def __call__(self, asked: Asked) -> Raw:
        tag = f'"{hash(tuple(self.numbers))}"'
        if asked.headers.get("if-none-match") == tag:
            return http(304, headers={"ETag": tag})
        self.full += 1
        return http(200, rss(self.numbers), {"Content-Type": "application/rss+xml", "ETag": tag})


def test_items_become_posts() -> None:
    """Title and text, author by the feed where none is named, date, language; markup is gone."""
    with Scripted(Feed([2, 1])) as server, standing():
        wanted = feeds.Settings(urls=(server.url,))
        posts = [p for p in feeds.collect(wanted, Window()) if isinstance(p, RawPost)]
    assert [(p.id.reveal(), p.author.reveal(), p.text.reveal(), p.language) for p in posts] == [
        ("1", "Politie Laagdorp", "Bericht 1\n\ntekst 1", "nl"),
        ("2", "Politie Laagdorp", "Bericht 2\n\ntekst 2", "nl"),
    ]
    assert posts[0].created.isoformat() == "2025-03-03T00:01:00+01:00"


def test_an_unchanged_feed_is_not_sent_again() -> None:
    """A second visit costs one request without a body, and brings nothing."""
    feed = Feed([3, 2, 1])
    with Scripted(feed) as server, standing():
        first = run("feeds", {"urls": [server.url]})
        second = run("feeds", {"urls": [server.url]}, Window(cursor=first.cursor))
    assert (len(first.posts), second.posts, feed.full) == (3, [], 1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(1, 5))
def test_polling_misses_nothing_or_says_so(steps: list[int], limit: int) -> None:
    """Over any growth of a feed that shows five items, what was missed stands behind a told gap."""
    feed, newest, got, gaps, cursor = Feed([]), 1, [], 0, None
    with pytest.MonkeyPatch.context() as patch, Scripted(feed) as server, standing():
        patch.setattr("collectors.feeds.LIMITS", ())
        for step in [0, *steps]:
            newest += step
            feed.numbers = list(range(newest, max(0, newest - 5), -1))
            while True:
                part = run("feeds", {"urls": [server.url]}, Window(cursor=cursor, limit=limit))
                got, gaps, cursor = got + part.ids, gaps + part.counts["gap"], part.cursor
                if not part.posts:
                    break
    assert len(got) == len(set(got))
    missed = newest - len(got)
    assert (missed == 0) or gaps > 0


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
<!ENTITY lol4 "&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;&lol3;">]>
<rss><channel><item><title>&lol4;</title></item></channel></rss>"""
FILE = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<rss><channel><item><title>&f;</title></item></channel></rss>"""
DEEP = "<rss>" + "<a>" * 100_000 + "</a>" * 100_000 + "</rss>"


@pytest.mark.parametrize("document", [BOMB, FILE, DEEP, "<rss><channel>", "", "{}", "\0" * 100])
def test_hostile_xml_is_refused_at_once(document: str) -> None:
    """Entity bombs, files of ours, bottomless nesting and no XML at all: one error, soon."""
    start = time.monotonic()
    with Scripted(lambda _: http(200, document)) as server, standing(), pytest.raises(PlatformUnreachable) as told:
        run("feeds", {"urls": [server.url]})
    assert time.monotonic() - start < 5
    assert "lol" not in str(told.value)


def test_one_broken_feed_does_not_stop_the_others() -> None:
    """The good feed comes whole; the failure is told at the end."""
    with Scripted(Feed([2, 1])) as good, Scripted(lambda _: http(404)) as bad, standing():
        found, items = [], feeds.collect(feeds.Settings(urls=(bad.url, good.url)), Window())
        with pytest.raises(Exception, match="status 404"):
            found += [i for i in items if isinstance(i, RawPost)]
        kept: list[Any] = []
        for item in _until_error(feeds.collect(feeds.Settings(urls=(bad.url, good.url)), Window())):
            kept.append(item)
    assert sum(isinstance(i, RawPost) for i in kept) == 2


def _until_error(items: Any) -> Any:
    try:
        yield from items
    except Exception:  # noqa: BLE001 (only what came before it is asked here)
        return


@pytest.mark.parametrize("form", ["utf-8", "utf-16", "utf-32", "utf-8-sig", "cp1252", "iso-8859-15"])
def test_a_feed_is_read_in_any_encoding_it_names(form: str) -> None:
    """By mark, by declaration or by header, the same words come out."""
    bare = "<rss><channel><title>café €</title></channel></rss>"
    text = f"<?xml version='1.0' encoding='{form.removesuffix('-sig')}'?>{bare}"
    assert parsed(text.encode(form)).findtext("channel/title") == "café €"
    if not form.startswith("utf-16") and not form.startswith("utf-32"):
        assert parsed(bare.encode(form), form).findtext("channel/title") == "café €"


def test_names_from_html_are_understood_and_faults_forgiven() -> None:
    """&nbsp; and &eacute; occur in real feeds, and so do stray ampersands."""
    assert parsed(b"<rss><a>caf&eacute;&nbsp;x</a></rss>").findtext("a") == "café\xa0x"
    assert parsed(b"<rss><a>Jansen & Zn</a></rss>").findtext("a") is not None


def test_every_recorded_feed_is_read_or_refused() -> None:
    """All feeds on record, well formed or not, in all their encodings: posts, skips or one error."""
    folder = real("rss")
    read = 0
    with standing():
        for path in sorted(folder.rglob("*.xml")):
            with Scripted(lambda _, p=path: http(200, p.read_bytes(), {"Content-Type": "text/xml"})) as server:
                try:
                    read += sum(run("feeds", {"urls": [server.url]}).counts.values()) > 0
                except PlatformUnreachable as refusal:
                    assert str(refusal).startswith("The feed of 127.0.0.1")  # noqa: PT017
    assert read >= 60


@given(st.binary(max_size=300))
def test_no_bytes_whatever_break_the_parser(content: bytes) -> None:
    """Any bytes are XML or a BadXml."""
    try:
        parsed(b"<rss>" + content + b"</rss>")
    except BadXml as bad:
        assert bad.args  # noqa: PT017
