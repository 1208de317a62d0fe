"""Laws of the live collectors, on the fieldwork set served to the unmodified clients."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import Gone, RawPost, Sealed, Window, load_collector
from demo.fieldwork import API_PLATFORMS, native_id, rows
from demo.replay import Replay, ReplaySource
from tests.loopback.clock import standing
from tests.loopback.shapes import PASSING

from .playing import expected, plain, run

CASES = sorted({r.case for r in rows()})
FEW = settings(deadline=None, max_examples=12)


@pytest.fixture(scope="module")
def server() -> Iterator[Replay]:
    with Replay() as replay:
        yield replay


def one(server: Replay, platform: str) -> ReplaySource:
    """The largest source of a platform."""
    sources = [s for case in CASES for s in server.sources(case) if s.platform == platform]
    return max(sources, key=lambda s: s.posts)


@pytest.mark.parametrize("case", CASES)
def test_every_post_of_the_set_comes_once_and_as_it_was_written(server: Replay, case: str) -> None:
    """Each post arrives exactly once, with its author, text, thread, reply and time."""
    for source in server.sources(case):
        with standing():
            found = run(source.collector, source.settings)
        assert found.by_id == expected(source)
        assert len(found.ids) == source.posts


@pytest.mark.parametrize("platform", API_PLATFORMS)
def test_a_second_run_brings_nothing_twice(server: Replay, platform: str) -> None:
    """A run from where the last one stopped yields no post again."""
    source = one(server, platform)
    with standing():
        first = run(source.collector, source.settings)
        second = run(source.collector, source.settings, Window(cursor=first.cursor))
    assert (len(first.posts), second.posts) == (source.posts, [])


@pytest.mark.parametrize("platform", API_PLATFORMS)
@FEW
@given(stops=st.lists(st.integers(0, 25), max_size=6))
def test_runs_that_break_off_anywhere_lose_nothing(server: Replay, platform: str, stops: list[int]) -> None:
    """However often and wherever runs are broken off, at the end every post is there as it was."""
    source = one(server, platform)
    kept, cursor = {}, None
    with standing():
        for stop in [*stops, None]:
            part = run(source.collector, source.settings, Window(cursor=cursor), stop)
            kept |= part.by_id
            cursor = part.cursor
    assert kept == expected(source)


@pytest.mark.parametrize("platform", API_PLATFORMS)
@FEW
@given(limit=st.integers(1, 30))
def test_limited_runs_go_on_where_the_last_one_stopped(server: Replay, platform: str, limit: int) -> None:
    """Runs of at most n posts each get through the whole source, repeat none, and each keeps to its limit."""
    source = one(server, platform)
    ids: list[str] = []
    cursor = None
    with standing():
        while True:
            part = run(source.collector, source.settings, Window(limit=limit, cursor=cursor))
            assert len(part.posts) <= limit
            ids += part.ids
            cursor = part.cursor
            if not part.posts:
                break
    assert sorted(ids) == sorted(expected(source))


@pytest.mark.parametrize("platform", API_PLATFORMS)
def test_a_window_holds_what_it_says(server: Replay, platform: str) -> None:
    """Posts come from `since` up to before `until`; a later run that asks further back brings the rest."""
    source = one(server, platform)
    every = expected(source)
    moments = sorted(datetime.fromisoformat(p[5]) for p in every.values())
    since, until = moments[len(moments) // 3], moments[2 * len(moments) // 3]
    with standing():
        part = run(source.collector, source.settings, Window(since=since, until=until))
        inside = {i for i, p in every.items() if since <= datetime.fromisoformat(p[5]) < until}
        assert set(part.ids) == inside
        rest = run(source.collector, source.settings, Window(cursor=part.cursor))
    assert set(part.ids) | set(rest.ids) == set(every)


@pytest.mark.parametrize("platform", API_PLATFORMS)
def test_a_refresh_tells_what_is_there_and_what_is_gone(server: Replay, platform: str) -> None:
    """A known id comes back as its post, an unknown one as Gone, in any number, each once."""
    source = one(server, platform)
    module = load_collector(source.collector)
    unknown = {"reddit": "t1_zzzzzz", "mastodon": "7", "bluesky": "at://x/y/z", "forum": "7"}[platform]
    ids = [Sealed(i) for i in [*expected(source), unknown]]
    with standing():
        found = list(module.refresh(module.Settings(**source.settings), ids))
    gone = [g.id.reveal() for g in found if isinstance(g, Gone)]
    there = {plain(p)[0]: plain(p)[2] for p in found if isinstance(p, RawPost)}
    assert gone == [unknown]
    assert there == {i: p[2] for i, p in expected(source).items()}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("platform", API_PLATFORMS)
def test_a_fault_that_passes_leaves_no_trace(server: Replay, platform: str, name: str) -> None:
    """One bad answer anywhere in a run, and still every post comes once, as it was."""
    source = one(server, platform)
    head, _, body = PASSING[name].data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if lines[0] else 200
    headers = dict(line.split(": ", 1) for line in lines[1:])
    headers = headers or {"Content-Length": "500", "Connection": "close"}
    asked = 0

    def fault(method: str, path: str) -> tuple[int, dict[str, str], bytes] | None:
        nonlocal asked
        asked += 1
        return (status, headers, body) if asked in {2, 5, 6} else None

    server.fault = fault
    try:
        with standing():
            found = run(source.collector, source.settings)
    finally:
        server.fault = None
    assert found.by_id == expected(source)
    assert len(found.ids) == source.posts


def test_new_comments_on_a_young_thread_are_found(server: Replay) -> None:
    """A thread that grew after it was read is read again, and its new comments come."""
    source = one(server, "reddit")
    last = max(rows(source.case, "reddit"), key=lambda r: r.created)
    early = last.created - timedelta(seconds=1)
    with standing((last.created + timedelta(hours=1)).timestamp()):
        first = run(source.collector, source.settings, Window(until=early))
        second = run(source.collector, source.settings, Window(cursor=first.cursor))
    assert native_id(last) not in first.ids
    assert native_id(last) in second.ids


def test_nothing_is_asked_again_that_brought_nothing(server: Replay) -> None:
    """A second run over a quiet subreddit costs one login and one page."""
    source = one(server, "reddit")
    with standing():
        first = run(source.collector, source.settings)
        server.requests.clear()
        run(source.collector, source.settings, Window(cursor=first.cursor))
    assert server.requests.total() == 2


def test_the_completeness_counts_add_up(server: Replay) -> None:
    """What the platform announced and what came are told, and on an untroubled source they are the same."""
    source = one(server, "reddit")
    with standing():
        found = run(source.collector, source.settings)
    assert found.counts["asked"] == found.counts["received"] == source.posts
    assert not found.counts.keys() & {"gap", "capped", "deleted", "private"}


def test_a_private_subreddit_does_not_hide_the_others(server: Replay) -> None:
    """One that refuses is counted as private; the others come."""
    source = one(server, "reddit")
    mixed = {**source.settings, "subreddits": ["no_such_place", *source.settings["subreddits"]]}
    with standing():
        found = run(source.collector, mixed)
    assert (len(found.posts), found.counts["private"]) == (source.posts, 1)


def test_an_author_who_opts_out_is_left_out(server: Replay) -> None:
    """A Mastodon account that asks not to be indexed yields skips, no posts."""
    source = one(server, "mastodon")
    every = server.reply("GET", "/api/v1/timelines/tag/x", {})
    assert every[0] == 404

    def fault(method: str, path: str) -> tuple[int, dict[str, str], bytes] | None:
        status, headers, body = server.reply(method, path.split("?")[0], _query(path))
        return status, headers, body.replace(b'"noindex": false', b'"noindex": true')

    server.fault = fault
    try:
        with standing():
            found = run(source.collector, source.settings)
    finally:
        server.fault = None
    assert (found.posts, found.skipped["author asks not to be indexed"]) == ([], source.posts)


def _query(path: str) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(path.partition("?")[2])
