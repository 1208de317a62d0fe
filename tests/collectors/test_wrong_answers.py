"""Laws of what goes wrong on the wire: each wrong answer ends in an error of ours, and none of it is repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import CollectorError, PlatformRefused, PlatformUnreachable, RateLimited, Sealed, load_collector
from collectors._http import Http, secret
from collectors._limits import Throttle
from demo.replay import Replay
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http, in_turn
from tests.loopback.shapes import LASTING, SECRET, SHAPES, dated

from .playing import run

SETTINGS: dict[str, Callable[[str], dict[str, Any]]] = {
    "reddit": lambda url: {"subreddits": ["x"], "reddit_url": url, "oauth_url": url},
    "mastodon": lambda url: {"instance": url, "hashtags": ["x"], "accounts": ["y"]},
    "bluesky": lambda url: {"service": url, "queries": ["x"]},
    "youtube": lambda url: {"url": url, "videos": ["x"]},
    "discourse": lambda url: {"url": url, "categories": ["x"]},
    "feeds": lambda url: {"urls": [f"{url}/feed"]},
    "lemmy": lambda url: {"instance": url, "communities": ["x"]},
}
TOKEN = {"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
MILD = {"feeds": {"200 with JSON cut short", "200 in an encoding it does not name", "200 with a JSON bomb"}}
"""What is wrong for an API is for a feed only an odd document: still an error, of either kind."""


def login_first(answer: Raw) -> Callable[[Asked], Raw]:
    """Log in whoever asks for a token; anything else gets *answer*."""
    return lambda asked: as_json(TOKEN) if asked.path.endswith("access_token") else answer


@pytest.mark.parametrize("name", LASTING)
@pytest.mark.parametrize("collector", SETTINGS)
def test_a_wrong_answer_that_stays_becomes_the_right_error(collector: str, name: str) -> None:
    """Every wrong answer ends in its kind of error, says nothing of its content, and waits in bounds."""
    answer, kind = LASTING[name]
    with Scripted(login_first(answer)) as server, standing() as clock:
        start = clock.moment
        with pytest.raises(CollectorError) as caught:
            run(collector, SETTINGS[collector](server.url))
    if name not in MILD.get(collector, ()):
        assert isinstance(caught.value, kind)
    assert SECRET not in str(caught.value)
    assert "Kerkstraat" not in repr(caught.value.__dict__)
    assert len(server.asked) <= 12
    assert clock.moment - start <= 900


@pytest.mark.parametrize("name", LASTING)
def test_a_wrong_answer_to_the_login_becomes_an_error_too(name: str) -> None:
    """The token endpoint of Reddit fails in the same ways, and is told in the same ways."""
    answer, _ = LASTING[name]
    with Scripted(lambda _: answer) as server, standing(), pytest.raises(CollectorError) as caught:
        run("reddit", SETTINGS["reddit"](server.url))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("collector", SETTINGS)
def test_good_json_of_another_shape_is_an_error_or_nothing(collector: str, name: str) -> None:
    """A payload in another shape than promised yields no post and no error but ours."""
    with Scripted(login_first(http(200, SHAPES[name], {"Content-Type": "application/json"}))) as server, standing():
        try:
            found = run(collector, SETTINGS[collector](server.url))
        except CollectorError as error:
            assert SECRET not in str(error)  # noqa: PT017 (some shapes raise nothing)
        else:
            assert found.posts == []


KEYS = ["data", "children", "kind", "id", "account", "content", "created_at", "posts", "feed", "post", "uri", "record"]
KEYS += ["author", "cursor", "thread", "items", "snippet", "topLevelComment", "post_stream", "stream", "topic_list"]
KEYS += ["topics", "category_list", "categories", "comments", "comment", "creator"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("collector", SETTINGS)
@settings(deadline=None, max_examples=15)
@given(value=JSON)
def test_no_json_whatever_breaks_a_collector(collector: str, value: Any) -> None:
    """Any JSON at all yields posts, nothing, or an error of ours; never another exception."""
    with Scripted(login_first(as_json(value))) as server, standing():
        try:
            run(collector, SETTINGS[collector](server.url))
            module = load_collector(collector)
            if hasattr(module, "refresh"):
                list(module.refresh(module.Settings(**SETTINGS[collector](server.url)), [Sealed("t3_x")]))
        except CollectorError:
            pass


def bent(value: Any, choose: Callable[[int], int], into: Any) -> Any:
    """A copy of a payload in which one place is something else, or missing."""
    where = value
    while isinstance(where, dict | list) and where:
        key = list(where)[choose(len(where))] if isinstance(where, dict) else choose(len(where))
        inside = where[key]
        if not isinstance(inside, dict | list) or not inside or choose(5) == 0:
            if into is DROPPED:
                del where[key]
            else:
                where[key] = into
            return value
        where = inside
    return value


DROPPED = object()
CHANGED = st.sampled_from(
    [DROPPED, None, [], {}, "", "Geheim", -1, 1e300, True, [None], {"a": 1}, "0001-01-01T00:00:00Z"]
)


@pytest.mark.parametrize("platform", ["reddit", "mastodon", "bluesky", "forum"])
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), into=CHANGED, nth=st.integers(0, 8))
def test_one_odd_value_in_a_payload_is_an_error_of_ours_or_harmless(
    replay: Replay, platform: str, seed: int, into: Any, nth: int
) -> None:
    """Whatever single value of a real payload is another or missing, nothing but an error of ours comes of it."""
    source = next(s for s in replay.sources("scam-fighters") if s.platform == platform)
    count, choose = 0, Random(seed).randrange

    def fault(method: str, path: str) -> tuple[int, dict[str, str], bytes] | None:
        nonlocal count
        count += 1
        if count - 2 != nth:
            return None
        plain, _, query = path.partition("?")
        status, headers, body = replay.reply(method, plain, parse_qs(query))
        changed = bent(json.loads(body), choose, into)
        return status, headers, json.dumps(changed).encode()

    replay.fault = fault
    try:
        with standing():
            run(source.collector, source.settings)
    except CollectorError as error:
        assert "Geheim" not in str(error)  # noqa: PT017 (most examples raise nothing)
    finally:
        replay.fault = None


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with Replay() as server:
        yield server


def client(server: Scripted, **more: Any) -> Http:
    return Http("The test", server.url, Throttle(f"test {server.url}"), **more)


def test_retry_after_is_obeyed_to_the_second() -> None:
    """A 429 with retry-after: 4 is asked again after 4 seconds, not before and not much later."""
    answers = in_turn(http(429, "", {"Retry-After": "4"}), as_json({"fine": 1}))
    with Scripted(answers) as server, standing() as clock, client(server) as web:
        start = clock.moment
        assert web.json("/x")[0] == {"fine": 1}
        assert 4.0 <= clock.moment - start <= 5.0


@pytest.mark.parametrize("skew", [-86_400.0, -3.0, 0.0, 86_400.0 * 365])
def test_a_wrong_clock_does_not_change_how_long_is_waited(skew: float) -> None:
    """A date as retry-after is measured against the server's own Date, however wrong our clock is."""
    with standing(1.8e9) as clock:
        with Scripted(in_turn(dated(30.0, skew=skew, now=1.8e9), as_json([]))) as server, client(server) as web:
            web.json("/x")
        assert 30.0 <= clock.moment - 1.8e9 <= 31.5


def test_a_long_wait_is_told_and_remembered_by_the_next_run() -> None:
    """Longer than a run should wait: RateLimited with the moment, and the next run sends nothing before it."""
    with Scripted(in_turn(http(429, "", {"Retry-After": "7200"}))) as server, standing(1.8e9):
        with client(server) as web, pytest.raises(RateLimited) as first:
            web.json("/x")
        with client(server) as web, pytest.raises(RateLimited) as second:
            web.json("/x")
    assert first.value.resume_at == second.value.resume_at
    assert 7200 <= first.value.resume_at.timestamp() - 1.8e9 <= 7201
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Remaining": "0.0", "X-RateLimit-Reset": "120"}, 120),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2027-01-15T08:05:00.000Z"}, 300),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "1800000060"}, 60),
        ({"X-RateLimit-Remaining": "nonsense", "X-RateLimit-Reset": "?"}, 0),
    ],
)
def test_the_rate_headers_of_each_platform_are_understood(headers: dict[str, str], wait: float) -> None:
    """Seconds, an epoch or a time stamp: the next request goes out when the platform allows it."""
    with Scripted(lambda _: as_json([], headers=headers)) as server, standing(1.8e9) as clock, client(server) as web:
        web.json("/x")
        web.json("/x")
        assert clock.moment - 1.8e9 == pytest.approx(wait, abs=1.0)


def test_an_answer_that_drips_is_given_up() -> None:
    """A server that sends a byte now and then does not hold a run for ever."""
    slow = Raw(http(200, "[" + " " * 4000 + "]").data, pause=0.02, piece=20)
    start = time.monotonic()
    with (
        Scripted(lambda _: slow) as server,
        standing(),
        client(server, patience=0.1) as web,
        pytest.raises(PlatformUnreachable),
    ):
        web.json("/x")
    assert time.monotonic() - start < 10


def test_a_silent_server_is_given_up() -> None:
    """A server that takes the request and says nothing is left after the time-out."""
    with (
        Scripted(lambda _: Raw(b"H", pause=1.0)) as server,
        standing(),
        client(server, timeout=0.1) as web,
        pytest.raises(PlatformUnreachable),
    ):
        web.json("/x")


def test_nobody_listens() -> None:
    """A host that refuses the connection is unreachable, in one line without its address."""
    with Scripted(lambda _: Raw(b"")) as server:
        url = server.url
    with standing(), Http("The test", url, Throttle("nobody")) as web, pytest.raises(PlatformUnreachable) as caught:
        web.json("/x")
    assert "127.0.0.1" not in str(caught.value)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer larger than any page is not kept in memory."""
    monkeypatch.setattr("collectors._http.LARGEST", 1 << 16)
    with (
        Scripted(lambda _: http(200, b"x" * (1 << 20))) as server,
        standing(),
        client(server) as web,
        pytest.raises(PlatformUnreachable),
    ):
        web.json("/x")


def test_an_authorization_is_not_carried_to_another_host() -> None:
    """A redirect away from the platform takes no key along."""
    with Scripted(lambda _: as_json([])) as other:
        away = http(302, "", {"Location": other.url.replace("127.0.0.1", "localhost") + "/y"})
        key = {"Authorization": "Bearer s"}
        with Scripted(lambda _: away) as server, standing(), client(server, headers=key) as web:
            web.json("/x")
    assert "authorization" not in other.asked[0].headers


def test_missing_keys_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its key a collector says which variable it wants; a loopback server wants none."""
    monkeypatch.delenv("REDDIT_CLIENT_ID", raising=False)
    with pytest.raises(PlatformRefused, match="REDDIT_CLIENT_ID"):
        secret("REDDIT_CLIENT_ID", "https://oauth.reddit.com", "Reddit")
    assert secret("REDDIT_CLIENT_ID", "http://127.0.0.1:1", "Reddit") == "loopback"


def test_a_short_error_name_is_told_and_a_sentence_is_not() -> None:
    """`commentsDisabled` helps; a message may quote, and stays out."""
    body = {"error": {"errors": [{"reason": "commentsDisabled"}], "message": SECRET}}
    with (
        Scripted(lambda _: as_json(body, 403)) as server,
        standing(),
        client(server) as web,
        pytest.raises(PlatformRefused, match="commentsDisabled") as caught,
    ):
        web.json("/x")
    assert SECRET not in str(caught.value)


def test_pauses_grow() -> None:
    """Each further try of a failing server waits longer, and the last one is followed by no wait."""
    with (
        Scripted(lambda _: http(500)) as server,
        standing() as clock,
        client(server) as web,
        pytest.raises(PlatformUnreachable),
    ):
        web.json("/x")
    assert len(server.asked) == 5
    assert len(clock.slept) == 4
    assert all(0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(clock.slept))
