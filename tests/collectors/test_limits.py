"""Laws of the limits: never tripped, hardly a request lost, remembered and shared."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import RateLimited, discourse, mastodon, reddit
from collectors._limits import Limit, Throttle, folder
from tests.loopback.clock import standing

UNHURRIED = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def most_in_any(sent: list[float], span: float) -> int:
    """The largest number of moments within any stretch of *span* seconds."""
    return max(sum(start <= s < start + span for s in sent) for start in sent)


@UNHURRIED
@given(
    st.integers(3, 40),
    st.floats(1.0, 600.0),
    st.lists(st.floats(0.0, 30.0), min_size=20, max_size=60),
    st.floats(0, 1e6),
)
def test_no_stretch_of_time_holds_more_requests_than_published(
    allowed: int, span: float, pauses: list[float], phase: float
) -> None:
    """Whenever requests are wanted, no stretch as long as the window holds more of them than allowed."""
    name = uuid.uuid4().hex
    with standing(1.8e9 + phase) as clock:
        two = [Throttle(name, Limit(allowed, span)) for _ in range(2)]
        sent = []
        for n, pause in enumerate(pauses):
            clock.moment += pause if n % 3 == 0 else 0.0
            two[n % 2].take()
            sent.append(clock.moment)
    assert most_in_any(sent, span) <= allowed


@pytest.mark.parametrize("limits", [reddit.LIMITS, mastodon.LIMITS, discourse.ANONYMOUS, discourse.KEYED])
def test_a_long_run_reaches_95_percent_of_the_published_rate(limits: tuple[Limit, ...]) -> None:
    """Whoever always wants to send sends at least 95 % of what is allowed."""
    wanted = 3 * max(limit.requests for limit in limits)
    with standing(1.8e9) as clock:
        gate = Throttle("pace", *limits)
        for _ in range(wanted + 1):
            gate.take()
        rate = wanted / (clock.moment - 1.8e9)
    assert rate >= 0.95 * min(limit.requests / limit.seconds for limit in limits)


def test_a_block_outlives_the_process_and_binds_all_others() -> None:
    """What one run was told to wait, the next run is told at once, with the moment to go on."""
    with standing(1.8e9):
        with pytest.raises(RateLimited) as first:
            Throttle("telegram x", patience=60.0).block(1.8e9 + 3600)
        with pytest.raises(RateLimited) as second:
            Throttle("telegram x", patience=60.0).take()
    moment = datetime.fromtimestamp(1.8e9 + 3600, UTC)
    assert (first.value.resume_at, second.value.resume_at) == (moment, moment)


def test_a_short_block_is_waited_for() -> None:
    """A wait that a run can afford is slept, and then the request goes out."""
    with standing(1.8e9) as clock:
        gate = Throttle("short", patience=60.0)
        gate.block(1.8e9 + 40)
        gate.take()
        assert clock.moment == pytest.approx(1.8e9 + 40)


@UNHURRIED
@given(st.integers(0, 30), st.floats(1.0, 300.0))
def test_what_the_platform_says_is_left_is_what_may_go_out(left: int, span: float) -> None:
    """After the platform said how many are left, just so many go out before its reset."""
    with standing(1.8e9) as clock:
        gate = Throttle(uuid.uuid4().hex, Limit(10_000, 600.0))
        gate.heed(left, 1.8e9 + span)
        for _ in range(left):
            gate.take()
        assert clock.moment == 1.8e9
        gate.take()
        assert clock.moment == pytest.approx(1.8e9 + span)


def test_another_user_of_the_same_key_is_noticed() -> None:
    """A run that has more left by its own count believes the platform's smaller number."""
    with standing(1.8e9) as clock:
        gate = Throttle("shared key", Limit(100, 60.0))
        gate.heed(50, 1.8e9 + 60)
        gate.heed(2, 1.8e9 + 60)
        gate.heed(40, 1.8e9 + 60)  # an answer that was overtaken on its way
        gate.take()
        gate.take()
        gate.take()
        assert clock.moment == pytest.approx(1.8e9 + 60)


@pytest.mark.parametrize("left", ["", "{", "[]", '{"counted": 3}', '{"counted": {}, "else": 1}', "\0\0\0"])
def test_a_torn_state_file_starts_anew(left: str) -> None:
    """A state that was cut off or is not ours stops nobody."""
    (folder() / "torn.json").write_text(left)
    with standing():
        Throttle("torn", Limit(2, 1.0)).take()
    assert json.loads((folder() / "torn.json").read_text())["counted"]


def test_old_states_are_swept_away(tmp_path: Path) -> None:
    """Limits of test servers and of platforms long left alone do not pile up."""
    old = folder() / "old.json"
    old.write_text("{}")
    os.utime(old, (0, 0))
    assert not list(folder().glob("old.json"))


def test_units_of_a_quota_are_counted_as_what_they_cost() -> None:
    """A search for 100 units takes the room of 100 requests, and a day's wait ends the run."""
    with standing(1.8e9):
        gate = Throttle("quota", Limit(250, 86_400.0))
        gate.take(100)
        gate.take(100)
        with pytest.raises(RateLimited):
            gate.take(100)
        gate.take(50)


def test_parallel_runs_share_one_limit() -> None:
    """Four threads at once, on the real clock, never send more than allowed in any window."""
    sent: list[float] = []
    lock = threading.Lock()

    def work() -> None:
        gate = Throttle("together", Limit(20, 0.4))
        for _ in range(12):
            gate.take()
            with lock:
                sent.append(time.time())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A moment is noted after the gate opened, so that two may look closer than they went out.
    assert len(sent) == 48
    assert most_in_any(sorted(sent), 0.35) <= 20
