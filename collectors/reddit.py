"""
Reddit through PRAW: submissions of a listing or a search, and all their comments in full.

A listing is read newest first down to where the last run stopped, and worked through oldest first, so
that one high-water mark per listing says it all. Reddit shows about 1,000 items of a listing (250 of a
search): when the mark lies deeper than that, what fell in between is counted as a gap. Threads younger
than `follow_days` are looked at again, a hundred a request, and read again where comments came.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from . import Gone, Item, RawPost, Sealed, Window, _clock
from ._cursor import native
from ._http import AGENT, StatusRefused, host_of, secret
from ._limits import Limit, Throttle
from ._praw import checked, mapped, raw_post, skip_reason, walk
from ._requests import SteadySession
from ._run import Run

VERSION = "reddit.v1"
LIMITS = (Limit(1000, 600.0),)
"""100 requests a minute for an OAuth client, averaged over ten minutes."""
DEEPEST = {"search": 240}
"""A listing that ends only after this many items was cut by Reddit (950 for those not named)."""

Listing = Literal["new", "hot", "top", "rising", "controversial"]


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to collect: `subreddits` (names without r/) by their `listings`, or, where `queries` are given, by
    searching in them; queries without subreddits search all of Reddit.

    Threads younger than `follow_days` are read again when comments came. The application's id and secret
    come from REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET.
    """

    subreddits: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ("new",)
    comments: bool = True
    follow_days: float = Field(default=7.0, ge=0)
    reddit_url: str | None = None
    oauth_url: str | None = None

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not (self.subreddits or self.queries):
            msg = "give subreddits, queries, or both"
            raise ValueError(msg)
        return self


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Posts of every listing, oldest first, each thread with its comments; a Mark after each thread.

    Subreddits that refuse are counted as "private"; only when all do is that an error. Raises
    PlatformRefused without keys, RateLimited and PlatformUnreachable as `_http` does.
    """
    reddit, session = _connect(settings)
    run = _Run(window, lambda: session.asked, settings=settings, reddit=reddit)
    refused: list[StatusRefused] = []
    streams = _streams(settings)
    for stream in streams:
        try:
            yield from _stream(run, stream)
        except StatusRefused as refusal:
            if refusal.status == 401:
                raise
            refused.append(refusal)
            run.counts["private"] += 1
            yield run.mark()
    if len(refused) == len(streams):
        raise refused[0]


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these posts and comments, a hundred a request; what is not there is Gone."""
    reddit, _ = _connect(settings)
    names = {native(i): i for i in ids}
    for batch in _hundreds(list(names)):
        found = _info(reddit, batch)
        for name in batch:
            there = name in found and skip_reason(found[name]) is None
            yield raw_post(found[name]) if there else Gone(names[name])


@dataclass(frozen=True)
class _Stream:
    """One listing: `name` is its key in the cursor; `ordered` says that it runs from new to old."""

    name: str
    subreddit: str
    kind: str
    query: str = ""

    @property
    def ordered(self) -> bool:
        return self.kind in {"new", "search"}


@dataclass
class _Run(Run):
    """
    One run with its settings and client.

    The state holds for each listing `high` (creation time up to which every thread was read), `edge` (ids
    of that very second), `from` (how far back was asked), `open` (younger thread -> its number of
    comments when it was read, and its time) and `part` (a thread of which a limited run read only the beginning).
    """

    settings: Settings = field(kw_only=True)
    reddit: Any = field(kw_only=True)


def _connect(settings: Settings) -> tuple[Any, SteadySession]:
    """The unmodified client, its requests paced by our session. It sends nothing yet."""
    import praw

    base = settings.reddit_url or os.environ.get("VELDWERK_REDDIT_URL") or "https://www.reddit.com"
    oauth = settings.oauth_url or os.environ.get("VELDWERK_REDDIT_OAUTH_URL") or "https://oauth.reddit.com"
    session = SteadySession("Reddit", Throttle(f"reddit {host_of(oauth)}", *LIMITS), oauth)
    reddit = praw.Reddit(
        client_id=secret("REDDIT_CLIENT_ID", oauth, "Reddit"),
        client_secret=secret("REDDIT_CLIENT_SECRET", oauth, "Reddit"),
        user_agent=os.environ.get("REDDIT_USER_AGENT") or f"python:{AGENT}",
        reddit_url=base,
        oauth_url=oauth,
        check_for_updates=False,
        requestor_kwargs={"session": session},
    )
    return reddit, session


def _streams(settings: Settings) -> list[_Stream]:
    streams = []
    for name in settings.subreddits or ("all",):
        for query in settings.queries:
            streams.append(_Stream(f"search:{name.lower()}:{query}", name, "search", query))
        for kind in settings.listings if not settings.queries else ():
            streams.append(_Stream(f"{kind}:{name.lower()}", name, kind))
    return streams


def _stream(run: _Run, stream: _Stream) -> Iterator[Item]:
    """One listing: the threads that are new in it, then those of the younger ones that grew."""
    state = _begin(run, stream)
    fresh = [] if run.full else _fresh(run, stream, state)
    yield run.mark()
    for submission in fresh:
        if run.full:
            return
        yield from _thread(run, submission, state)
        yield run.mark()
    if run.settings.comments and stream.ordered:
        yield from _follow(run, state, {s.id for s in fresh})


def _begin(run: _Run, stream: _Stream) -> dict[str, Any]:
    """The listing's state; when a run asks further back than before, it starts again from there."""
    since = run.since
    blank: dict[str, Any] = {"high": 0.0, "edge": [], "from": since, "open": {}}
    state: dict[str, Any] = run.state.setdefault(stream.name, blank)
    if since < state["from"]:
        state.update(high=0.0, edge=[], **{"from": since})
    return state


def _fresh(run: _Run, stream: _Stream, state: dict[str, Any]) -> list[Any]:
    """The listing's threads that have not been read yet, oldest first; a gap is counted."""
    high = state["high"]
    floor = max(high, state["from"] - run.settings.follow_days * 86400)
    listed, met = _read_listing(run, stream, floor)
    run.counts["listed"] += len(listed)
    if not met and len(listed) >= DEEPEST.get(stream.kind, 950):
        run.counts["gap" if high else "capped"] += 1
    if stream.ordered:
        fresh = [s for s in listed if s.created_utc >= floor and s.id not in state["edge"]]
    else:
        fresh = [s for s in listed if state["open"].get(s.id, [-1])[0] != s.num_comments]
        state["open"] = {s.id: state["open"][s.id] for s in listed if s.id in state["open"]}
    return sorted((s for s in fresh if s.created_utc < run.until), key=lambda s: (s.created_utc, s.id))


def _read_listing(run: _Run, stream: _Stream, floor: float) -> tuple[list[Any], bool]:
    """The listing down to the first item older than *floor*, and whether there was one."""
    subreddit = run.reddit.subreddit(stream.subreddit)
    listed: dict[str, Any] = {}
    with mapped():
        if stream.kind == "search":
            items = subreddit.search(stream.query, sort="new", time_filter="all", limit=None)
        else:
            items = getattr(subreddit, stream.kind)(limit=None)
        for submission in (checked(item, "t3_") for item in items):
            if stream.ordered and submission.created_utc < floor:
                return list(listed.values()), True
            listed.setdefault(submission.id, submission)
    return list(listed.values()), False


def _thread(run: _Run, submission: Any, state: dict[str, Any]) -> Iterator[Item]:
    """A submission and its comments by age, from where a limited run stopped in it; then the state moves on."""
    things = [submission]
    if run.settings.comments and submission.num_comments:
        things += _comments(run, submission)
    run.counts["asked"] += 1 + (submission.num_comments if run.settings.comments else 0)
    run.counts["received"] += len(things)
    whole = True
    part = state.get("part")
    done = tuple(part[1:]) if part and part[0] == submission.id else (0.0, "")
    for thing in sorted(things, key=_age):
        if _age(thing) <= done:
            continue
        if run.full:
            return
        whole = whole and thing.created_utc < run.until
        item = _item(run, thing)
        if item is not None:
            yield item
        state["part"] = [submission.id, *_age(thing)]
    _finish(run, submission, state, whole)


def _age(thing: Any) -> tuple[float, str]:
    return (thing.created_utc, thing.fullname)


def _item(run: _Run, thing: Any) -> Item | None:
    """The post, or why it is skipped; None for one outside the window or known."""
    reason = skip_reason(thing)
    if reason:
        run.counts["deleted"] += 1
        return run.skip(thing.fullname, reason)
    return run.admit(raw_post(thing))


def _finish(run: _Run, submission: Any, state: dict[str, Any], whole: bool) -> None:
    """The thread is read: move the mark, and remember how many comments it had, to notice more of them."""
    state.pop("part", None)
    created = submission.created_utc
    if created > state["high"]:
        state.update(high=created, edge=[])
    if created == state["high"]:
        state["edge"].append(submission.id)
    state["open"][submission.id] = [submission.num_comments if whole else -1, created]


def _comments(run: _Run, submission: Any) -> list[Any]:
    try:
        found, lost = walk(submission)
    except StatusRefused as refusal:
        if refusal.status not in {403, 404, 410}:
            raise
        run.counts["private" if refusal.status == 403 else "deleted"] += 1
        return []
    run.counts["gap"] += lost
    return found


def _follow(run: _Run, state: dict[str, Any], just_read: set[str]) -> Iterator[Item]:
    """Look at the younger threads again, and read those again that have another number of comments."""
    oldest = _clock.seconds() - run.settings.follow_days * 86400
    followed = state["open"] = {i: kept for i, kept in state["open"].items() if kept[1] >= oldest}
    for batch in _hundreds([f"t3_{i}" for i in followed if i not in just_read]):
        if run.full:
            return
        found = _info(run.reddit, batch)
        for name in batch:
            submission = found.get(name)
            if submission is None:
                del followed[name[3:]]
            elif submission.num_comments != followed[name[3:]][0] and not run.full:
                yield from _thread(run, submission, state)
                yield run.mark()
    yield run.mark()


def _info(reddit: Any, names: list[str]) -> dict[str, Any]:
    with mapped():
        return {thing.fullname: checked(thing) for thing in reddit.info(fullnames=names)}


def _hundreds(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), 100):
        yield names[start : start + 100]
