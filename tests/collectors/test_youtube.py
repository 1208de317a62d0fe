"""Laws of the YouTube collector, on a loopback API that counts its quota."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import Gone, RateLimited, RawPost, Sealed, Window, youtube
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http
from tests.real import real

from .playing import run

START = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Video:
    """A video with threads: number -> how many replies; thread n is of n hours after the start."""

    threads: dict[int, int] = field(default_factory=lambda: {n: (7 if n % 10 == 0 else n % 3) for n in range(1, 231)})
    spent: int = 0
    quota: int = 10_000
    closed: str = ""

    def __call__(self, asked: Asked) -> Raw:
        cost = 100 if asked.path == "/search" else 1
        if self.spent + cost > self.quota:
            return as_json({"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}]}}, 403)
        self.spent += cost
        query = {k: v[-1] for k, v in asked.query.items()}
        match asked.path:
            case "/commentThreads" if self.closed:
                return as_json({"error": {"code": 403, "errors": [{"reason": self.closed}]}}, 403)
            case "/commentThreads":
                return as_json(self._page([self._thread(n) for n in sorted(self.threads, reverse=True)], query))
            case "/comments" if "parentId" in query:
                number = int(query["parentId"][1:])
                return as_json(self._page([self._reply(number, k) for k in range(self.threads[number])], query))
            case "/comments":
                found = [n for n in self.threads if f"T{n}" in query["id"].split(",")]
                return as_json({"items": [self._comment(f"T{n}", n, 0) for n in found]})
            case "/search":
                return as_json({"items": [{"id": {"videoId": "V1"}}]})
        return http(404)

    def _page(self, items: list[Any], query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("pageToken", "0"))
        end = start + int(query["maxResults"])
        more = {"nextPageToken": str(end)} if end < len(items) else {}
        return {"items": items[start:end], "pageInfo": {"totalResults": 3}, **more}

    def _thread(self, n: int) -> dict[str, Any]:
        shown = [self._reply(n, k) for k in range(self.threads[n])][:5]
        top = {"id": f"T{n}", "snippet": self._comment(f"T{n}", n, 0)["snippet"]}
        snippet = {"totalReplyCount": self.threads[n], "topLevelComment": top}
        return {"id": f"T{n}", "snippet": snippet, **({"replies": {"comments": shown}} if shown else {})}

    def _reply(self, n: int, k: int) -> dict[str, Any]:
        comment = self._comment(f"T{n}.R{k}", n, k + 1)
        comment["snippet"]["parentId"] = f"T{n}"
        return comment

    def _comment(self, number: str, hours: int, minutes: int) -> dict[str, Any]:
        stamp = (START + timedelta(hours=hours, minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        has = {"textOriginal": f"zegt {number}", "authorDisplayName": "@kijker", "authorChannelId": {"value": "UC1"}}
        return {"id": number, "snippet": {**has, "publishedAt": stamp, "updatedAt": stamp, "videoId": "V1"}}

    def ids(self) -> set[str]:
        return {f"T{n}" for n in self.threads} | {f"T{n}.R{k}" for n, many in self.threads.items() for k in range(many)}


@pytest.fixture
def video() -> Video:
    return Video()


@pytest.fixture
def served(video: Video) -> Iterator[Scripted]:
    with Scripted(video) as server:
        yield server


def settings_of(server: Scripted, **more: Any) -> dict[str, Any]:
    return {"url": server.url, "videos": ["V1"], **more}


AFTER = (START + timedelta(hours=240)).timestamp()


def test_every_comment_and_reply_comes_once(served: Scripted, video: Video) -> None:
    """Replies beyond the few that a thread shows are asked for; each stands below its comment."""
    with standing(AFTER):
        found = run("youtube", settings_of(served))
    assert set(found.ids) == video.ids()
    assert len(found.ids) == len(video.ids())
    assert {p[4] for p in found.posts if p[0] == "T10.R6"} == {"T10"}
    busy = sum(many > 5 for many in video.threads.values())
    assert video.spent == 3 + busy


def test_a_second_run_reads_only_what_changed(served: Scripted, video: Video) -> None:
    """New threads, and young ones that grew; an old one that grew is left to the refresh."""
    with standing(AFTER) as clock:
        first = run("youtube", settings_of(served))
        video.threads |= {231: 2}
        video.threads[229] += 1
        video.threads[1] += 1
        clock.moment += 3600
        second = run("youtube", settings_of(served), Window(cursor=first.cursor))
    assert set(second.ids) == {"T231", "T231.R0", "T231.R1", f"T229.R{video.threads[229] - 1}"}


@settings(deadline=None, max_examples=10)
@given(stops=st.lists(st.integers(0, 90), max_size=3), limit=st.none() | st.integers(25, 90))
def test_broken_and_limited_runs_lose_nothing(stops: list[int], limit: int | None) -> None:
    """However often a run breaks off or is limited, in the end every comment was kept."""
    video = Video({n: (7 if n % 10 == 0 else n % 3) for n in range(1, 41)})
    kept: set[str] = set()
    cursor = None
    with pytest.MonkeyPatch.context() as patch, Scripted(video) as server, standing(AFTER):
        patch.setattr(youtube, "PAGE", 15)
        for stop in [*stops, *[None] * 6]:
            part = run("youtube", settings_of(server), Window(cursor=cursor, limit=limit), stop)
            assert limit is None or len(part.posts) <= limit
            kept |= set(part.ids)
            cursor = part.cursor
    assert kept == video.ids()


def test_a_spent_quota_ends_the_run_until_midnight_in_california(served: Scripted, video: Video) -> None:
    """What came is kept, the moment to go on is told, nothing is asked before it, and then it goes on."""
    video.quota = 6
    with standing(AFTER) as clock:
        module_items, kept = youtube.collect(youtube.Settings(**settings_of(served)), Window()), []
        with pytest.raises(RateLimited) as told:
            kept += list(module_items)
        assert told.value.resume_at.timestamp() > clock.moment
        assert told.value.resume_at.astimezone(UTC).strftime("%H:%M") == "07:01"
        asked = len(served.asked)
        with pytest.raises(RateLimited):
            run("youtube", settings_of(served))
        assert len(served.asked) == asked
        clock.moment, video.quota = told.value.resume_at.timestamp() + 1, 10_000
        assert len(run("youtube", settings_of(served)).posts) == len(video.ids())


@pytest.mark.parametrize(("reason", "count"), [("commentsDisabled", "private"), ("videoNotFound", "deleted")])
def test_a_video_without_comments_is_counted(served: Scripted, video: Video, reason: str, count: str) -> None:
    """A closed or vanished video is told in the counts and stops nobody."""
    video.closed = reason
    with standing(AFTER):
        found = run("youtube", settings_of(served))
    assert (found.posts, found.counts[count]) == ([], 1)


def test_a_search_is_made_once_a_day(served: Scripted, video: Video) -> None:
    """A search costs as much as a hundred pages: its videos are remembered, and searched again the next day."""
    asked = {"url": served.url, "queries": ["oplichter"]}
    with standing(AFTER) as clock:
        first = run("youtube", asked)
        second = run("youtube", asked, Window(cursor=first.cursor))
        assert sum(a.path == "/search" for a in served.asked) == 1
        clock.moment += 90_000
        run("youtube", asked, Window(cursor=second.cursor))
    assert sum(a.path == "/search" for a in served.asked) == 2
    assert len(first.posts) == len(video.ids())


def test_a_refresh_asks_fifty_at_once(served: Scripted, video: Video) -> None:
    """Known comments come back, unknown ones are Gone."""
    ids = [Sealed(f"T{n}") for n in range(1, 241)]
    with standing(AFTER):
        found = list(youtube.refresh(youtube.Settings(**settings_of(served)), ids))
    assert sum(isinstance(i, RawPost) for i in found) == 230
    assert [g.id.reveal() for g in found if isinstance(g, Gone)] == [f"T{n}" for n in range(231, 241)]
    assert len(served.asked) == 5


def test_recorded_comments_become_posts() -> None:
    """Real pages of threads and comments are read in full."""
    page = real("youtube/python-youtube/comment_threads/comment_threads_by_video_paged_1.json").read_bytes()
    told = json.loads(page)
    told.pop("nextPageToken", None)
    with Scripted(lambda a: as_json(told if a.path == "/commentThreads" else {"items": []})) as server, standing():
        found = run("youtube", {"url": server.url, "videos": ["F1UP7wRCPH8"]})
    assert {i["id"] for i in told["items"]} <= set(found.ids)


def test_every_recorded_answer_is_taken_or_refused() -> None:
    """Whatever YouTube was recorded to answer, to whatever question: posts, or an error of ours."""
    for path in sorted(real("youtube").rglob("*.json")):
        body = path.read_bytes()
        with Scripted(lambda _, b=body: http(200, b, {"Content-Type": "application/json"})) as server, standing():
            try:
                run("youtube", {"url": server.url, "videos": ["x"]}, Window(limit=50))
            except Exception as error:  # noqa: BLE001 (the kind is the law)
                assert type(error).__module__.startswith("collectors")  # noqa: PT017
