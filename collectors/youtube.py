"""
YouTube comments: of videos, of all videos of a channel, or of the videos that a search finds.

Threads come newest first; a run goes down from now to where the last one began. Threads younger than
`follow_days` are read again when their number of replies has changed. YouTube wants data refreshed or
deleted within 30 days: `veldwerk refresh` does the one, the case's retention the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, model_validator

from . import Gone, Item, RawPost, Sealed, Window, _clock
from ._cursor import native
from ._http import Http, StatusRefused, host_of, secret
from ._limits import Limit, Throttle
from ._run import Run
from ._shape import moment, shaped, sound
from ._text import plain

VERSION = "youtube.v1"
LIMITS = (Limit(10_000, 86_400.0), Limit(1_800, 60.0))
"""Units of quota a day, and requests a minute for one user. A page of comments costs 1 unit, a search 100."""
SEARCH = 100
PAGE = 100
ADDRESS = "https://www.googleapis.com/youtube/v3"
CLOSED = {
    "commentsDisabled": "private",
    "forbidden": "private",
    "videoNotFound": "deleted",
    "channelNotFound": "deleted",
}
MENTION = re.compile(r"(?<![\w@])(@[\w.-]{3,30})")


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    Whose comments to collect: `videos` and `channels` by id, and the newest videos of each of `queries`.

    The key comes from YOUTUBE_API_KEY.
    """

    videos: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    videos_per_query: int = Field(default=50, ge=1, le=500)
    follow_days: float = Field(default=7.0, ge=0)
    url: str = ADDRESS

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not (self.videos or self.channels or self.queries):
            msg = "give videos, channels or queries"
            raise ValueError(msg)
        return self


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Comments with their replies, newest thread first; a Mark after each page.

    Videos that are gone or closed to comments are counted. Raises PlatformRefused without a key, RateLimited
    when the day's quota is spent, and PlatformUnreachable as `_http` does.
    """
    with _client(settings) as http:
        run = _Run(window, lambda: http.requests, settings=settings, http=http)
        for name, params in _places(run):
            try:
                yield from _place(run, name, params)
            except StatusRefused as refusal:
                if refusal.reason not in CLOSED:
                    raise
                run.counts[CLOSED[refusal.reason]] += 1
                yield run.mark()


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these comments, 50 a request; what is not there any more is Gone."""
    with _client(settings) as http:
        for start in range(0, len(ids), 50):
            batch = {native(i): i for i in ids[start : start + 50]}
            found = _ask(http, "comments", {"part": "snippet", "id": ",".join(batch)})
            with shaped("YouTube"):
                there = {c["id"]: sound(_post(c)) for c in found["items"]}
            for number, sealed_id in batch.items():
                yield there.get(number) or Gone(sealed_id)


@dataclass
class _Run(Run):
    """
    One run with its settings and client.

    The state holds for each place `top` (when the last complete run began), `low` and `rise` (how far down
    a run came that did not end, and from when), `from` (how far back was asked) and `open` (younger thread
    -> its number of replies); and `found`, the videos that each search has found so far.
    """

    settings: Settings = field(kw_only=True)
    http: Http = field(kw_only=True)


def _client(settings: Settings) -> Http:
    base = settings.url.rstrip("/")
    key = secret("YOUTUBE_API_KEY", base, "YouTube")
    throttle = Throttle(f"youtube {host_of(base)}", *LIMITS)
    return Http("YouTube", base, throttle, headers={"X-Goog-Api-Key": key})


def _ask(http: Http, method: str, params: dict[str, Any], units: int = 1) -> Any:
    """One request; a spent quota closes the gate until it is filled again, at midnight in California."""
    try:
        return http.json(f"/{method}", params, units=units)[0]
    except StatusRefused as refusal:
        if refusal.reason not in {"quotaExceeded", "dailyLimitExceeded"}:
            raise
    there = _clock.now().astimezone(ZoneInfo("America/Los_Angeles"))
    midnight = (there + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0)
    raise http.throttle.close(midnight.timestamp())


def _places(run: _Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name in the cursor and parameter of each video or channel."""
    for channel in run.settings.channels:
        yield f"c:{channel}", {"allThreadsRelatedToChannelId": channel}
    videos = dict.fromkeys(run.settings.videos)
    for query in run.settings.queries:
        videos.update(dict.fromkeys(_found(run, query)))
    for video in videos:
        if not run.full:
            yield f"v:{video}", {"videoId": video}


def _found(run: _Run, query: str) -> list[str]:
    """The newest videos for a query, with those that earlier runs found; one search a day, for it is dear."""
    known = run.state.setdefault("found", {}).setdefault(query, {"at": 0.0, "videos": []})
    if _clock.seconds() - known["at"] < 86_400:
        return list(known["videos"])
    asked: dict[str, Any] = {"part": "id", "type": "video", "q": query, "order": "date", "maxResults": 50}
    videos: list[str] = []
    while len(videos) < run.settings.videos_per_query:
        page = _ask(run.http, "search", asked, units=SEARCH)
        with shaped("YouTube"):
            videos += [item["id"]["videoId"] for item in page["items"]]
        if "nextPageToken" not in page:
            break
        asked["pageToken"] = page["nextPageToken"]
    newest = list(dict.fromkeys(videos[: run.settings.videos_per_query] + known["videos"]))
    known.update(at=_clock.seconds(), videos=newest)
    return newest


def _place(run: _Run, name: str, params: dict[str, Any]) -> Iterator[Item]:
    """The threads of one place downwards: first the rest of a run that broke off, then what came since."""
    state = run.state.setdefault(name, {"top": 0.0, "from": run.since, "open": {}})
    if run.since < state["from"]:
        state.update(top=0.0, **{"from": run.since})
    rest = True
    while rest and not run.full:
        rest = "low" in state
        state.setdefault("rise", min(_clock.seconds(), run.until))
        state.setdefault("low", state["rise"])
        yield from _down(run, params, state)
        if run.full:
            return
        state["top"] = state.pop("rise")
        del state["low"]
        _forget(run, state)
        yield run.mark()


def _forget(run: _Run, state: dict[str, Any]) -> None:
    """Threads older than `follow_days` are not looked at again, once the way down has passed them."""
    oldest, low = _clock.seconds() - run.settings.follow_days * 86_400, state.get("low", 0.0)
    state["open"] = {t: kept for t, kept in state["open"].items() if kept[1] >= oldest or kept[1] <= low}


def _down(run: _Run, params: dict[str, Any], state: dict[str, Any]) -> Iterator[Item]:
    """From `low` down to the oldest thread that is still followed: comments may be shown late, or grow."""
    floor = max(state["top"] - run.settings.follow_days * 86_400, state["from"])
    asked = {"part": "snippet,replies", "maxResults": PAGE, "order": "time", "textFormat": "plainText", **params}
    seen: set[str] = set()
    while True:
        page = _ask(run.http, "commentThreads", asked)
        with shaped("YouTube"):
            threads = [(_at(t), t, t["snippet"]["totalReplyCount"]) for t in page["items"] if t["id"] not in seen]
            seen.update(t["id"] for _, t, _ in threads)
        run.counts["asked"] += len(threads)
        run.counts["received"] += len(threads)
        for at, thread, replies in threads:
            if not floor <= at <= state["low"] or state["open"].get(thread["id"], [-1])[0] == replies:
                continue
            yield from _thread(run, thread, state)
            if "part" not in state:
                state["open"][thread["id"]] = [replies, at]
            if run.full:
                yield run.mark()
                return
        state["low"] = min([state["low"], *(at for at, _, _ in threads)])
        _forget(run, state)
        yield run.mark()
        if "nextPageToken" not in page or not threads or max(at for at, _, _ in threads) < floor:
            return
        asked["pageToken"] = page["nextPageToken"]


def _at(thread: dict[str, Any]) -> float:
    """When a thread began; a thread that is none raises what `shaped` maps."""
    sound(_post(thread["snippet"]["topLevelComment"]))
    return moment(thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"]).timestamp()


def _thread(run: _Run, thread: dict[str, Any], state: dict[str, Any]) -> Iterator[Item]:
    """A comment and its replies; a thread comes with few of them, the others are asked for."""
    with shaped("YouTube"):
        top = thread["snippet"]["topLevelComment"]
        promised = thread["snippet"]["totalReplyCount"]
        replies = {c["id"]: c for c in (thread.get("replies") or {}).get("comments", []) if sound(_post(c))}
    run.counts["asked"] += promised
    if len(replies) < promised:
        replies |= {c["id"]: c for c in _replies(run, thread["id"])}
    run.counts["received"] += len(replies)
    run.counts["deleted"] += max(0, promised - len(replies))
    part = state.get("part", ["", "", ""])
    done = tuple(part[1:]) if part[0] == thread["id"] else ("", "")
    for comment in [top, *sorted(replies.values(), key=_age)]:
        if done[0] and (comment is top or _age(comment) <= done):
            continue
        if run.full:
            return
        with shaped("YouTube"):
            post = run.admit(_post(comment))
        if post is not None:
            yield post
        state["part"] = [thread["id"], *_age(comment)]
    state.pop("part", None)


def _age(comment: dict[str, Any]) -> tuple[str, str]:
    return comment["snippet"]["publishedAt"], comment["id"]


def _replies(run: _Run, thread: str) -> Iterator[dict[str, Any]]:
    asked = {"part": "snippet", "parentId": thread, "maxResults": PAGE, "textFormat": "plainText"}
    while True:
        page = _ask(run.http, "comments", asked)
        with shaped("YouTube"):
            comments = [c for c in page["items"] if sound(_post(c))]
        yield from comments
        if "nextPageToken" not in page:
            return
        asked["pageToken"] = page["nextPageToken"]


def _post(comment: dict[str, Any]) -> RawPost:
    """A comment resource as a RawPost; the author is the channel's id, its name an alias."""
    has, number = comment["snippet"], comment["id"]
    parent = has.get("parentId") or (number.split(".")[0] if "." in number else None)
    created, updated = moment(has["publishedAt"]), moment(has.get("updatedAt") or has["publishedAt"])
    text = has["textOriginal"] if "textOriginal" in has else plain(has["textDisplay"])
    name = has.get("authorDisplayName")
    author = (has.get("authorChannelId") or {}).get("value") or f"[no channel] {number}"
    video = has.get("videoId")
    return RawPost(
        platform="youtube",
        id=Sealed(number),
        author=Sealed(author),
        text=Sealed(text.strip()),
        created=created.astimezone(UTC),
        thread=Sealed(parent or number),
        reply_to=Sealed(parent) if parent else None,
        aliases=(Sealed(name),) if name else (),
        mentions=tuple(Sealed(m) for m in dict.fromkeys(MENTION.findall(text))),
        edited=updated if updated > created else None,
        permalink=Sealed(f"https://www.youtube.com/watch?v={video}&lc={number}") if video else None,
    )
