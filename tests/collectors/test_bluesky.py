"""Laws of the Bluesky collector: odd times, byte offsets, depth, and people who do not want to be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import PlatformRefused, bluesky
from collectors.bluesky import _created, _text
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json

from .playing import run

START = datetime(2025, 1, 1, tzinfo=UTC)


def view(n: int, **more: Any) -> dict[str, Any]:
    """The n-th post, a minute after the one before."""
    stamp = (START + timedelta(minutes=n)).isoformat().replace("+00:00", "Z")
    author = {"did": "did:plc:x", "handle": "x.example", **more.pop("author", {})}
    record = {"text": f"post {n}", "createdAt": stamp, **more.pop("record", {})}
    return {
        "uri": f"at://did:plc:x/app.bsky.feed.post/{n:06}",
        "author": author,
        "record": record,
        "indexedAt": stamp,
        **more,
    }


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("0001-01-01T00:00:00Z", "2025-01-01T00:07:00+00:00"),
        ("2099-01-01T00:00:00Z", "2025-01-01T00:07:00+00:00"),
        ("gisteren", "2025-01-01T00:07:00+00:00"),
        ("2024-12-31T23:59:00.123Z", "2024-12-31T23:59:00.123000+00:00"),
        ("2025-01-01T01:06:00+01:00", "2025-01-01T00:06:00+00:00"),
    ],
)
def test_a_time_that_cannot_be_is_replaced(told: str, kept: str) -> None:
    """The author's device sets the time; before the network began, or in the future, the network's own counts."""
    assert _created(view(7, record={"createdAt": told})).astimezone(UTC).isoformat() == kept


@given(st.text(max_size=20), st.text(max_size=20))
def test_shortened_links_are_written_out_by_bytes(before: str, after: str) -> None:
    """Offsets count UTF-8 bytes, whatever emoji stand before them."""
    start, shown = len(before.encode("utf-8", "surrogatepass")), "x.example/lang..."
    index = {"byteStart": start, "byteEnd": start + len(shown)}
    whole = _text(before + shown + after, [(index, {"uri": "https://x.example/lang/adres"})])
    if "\ufffd" not in whole:
        assert whole == f"{before}https://x.example/lang/adres{after}"


@given(st.text(max_size=20), st.integers(0, 60), st.integers(0, 60))
def test_wrong_offsets_break_nothing(text: str, start: int, end: int) -> None:
    """Facets come from strangers: offsets outside the text, or within a letter, leave some text."""
    assert isinstance(_text(text, [({"byteStart": start, "byteEnd": end}, {"uri": "https://x.example"})]), str)


class Search:
    """A search over many posts that, like Bluesky's, shows only so many of them at a time."""

    def __init__(self, size: int, shown: int) -> None:
        self.posts = [view(n) for n in range(size)]
        self.shown = shown

    def __call__(self, asked: Asked) -> Raw:
        query = {k: v[-1] for k, v in asked.query.items()}
        hits = [p for p in self.posts if p["indexedAt"] < query["until"]]
        hits = [p for p in hits if p["indexedAt"] >= query.get("since", "")][::-1][: self.shown]
        start = int(query.get("cursor", 0))
        end = start + int(query["limit"])
        return as_json({"posts": hits[start:end], **({"cursor": str(end)} if end < len(hits) else {})})


def test_a_search_goes_deeper_than_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the last result that search shows, it is asked anew: every post comes, once."""
    monkeypatch.setattr(bluesky, "DEPTH", 400)
    with Scripted(Search(1350, 500)) as server, standing(START.timestamp() + 10**6):
        found = run("bluesky", {"service": server.url, "queries": ["x"]})
    assert len(found.ids) == len(set(found.ids)) == 1350


def test_an_author_who_wants_no_outsiders_is_left_out() -> None:
    """The label !no-unauthenticated is respected: a skip, and no post."""
    hidden = view(1, author={"labels": [{"val": "!no-unauthenticated"}]})
    with Scripted(lambda _: as_json({"posts": [hidden, view(2)]})) as server, standing(START.timestamp() + 10**6):
        found = run("bluesky", {"service": server.url, "queries": ["x"]})
    assert [p[2] for p in found.posts] == ["post 2"]
    assert found.skipped == {"author asks not to be shown to outsiders": 1}


def test_a_reply_names_root_and_parent_and_a_repost_is_none() -> None:
    """Threads hang on their root; what an account only reposted is not its post."""
    at = "at://did:plc:x/app.bsky.feed.post/"
    reply = view(3, record={"reply": {"root": {"uri": f"{at}000001"}, "parent": {"uri": f"{at}000002"}}})
    feed = {"feed": [{"post": reply}, {"post": view(4), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}]}
    with Scripted(lambda _: as_json(feed)) as server, standing(START.timestamp() + 10**6):
        found = run("bluesky", {"service": server.url, "accounts": ["x.example"], "threads": False})
    assert [p[3:5] for p in found.posts] == [(f"{at}000001", f"{at}000002")]


def test_wrong_keys_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that is refused names the two variables."""
    monkeypatch.setenv("BLUESKY_HANDLE", "x.example")
    monkeypatch.setenv("BLUESKY_APP_PASSWORD", "nee")
    with Scripted(lambda _: as_json({"error": "AuthenticationRequired"}, 401)) as server, standing():
        monkeypatch.setenv("VELDWERK_BLUESKY_URL", server.url)
        with pytest.raises(PlatformRefused, match="BLUESKY_APP_PASSWORD"):
            run("bluesky", {"queries": ["x"]})
