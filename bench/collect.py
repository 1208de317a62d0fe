"""
How many requests the live collectors need for 1,000 posts, and how close they keep to the published rates.

    python -m bench.collect

Each collector, with its unmodified client, reads 1,000 invented posts from a loopback server in the
platform's own shapes and page sizes; "least" is what no client could do without (each page once). For the
rates a loopback server enforces the published limit over every stretch of time, with answers that travel
up to 0.8 s, on a clock that only waiting moves; a request too many is answered with 429 and counted.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors import RawPost, Window, bluesky, discourse, load_collector, mastodon, reddit, youtube
from collectors._http import Http
from collectors._limits import Limit, Throttle
from tests.loopback.clock import Standing, standing
from tests.loopback.mtproto import Channel, LoopbackTelegram, Message
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http

POSTS = 1000
START = datetime(2025, 1, 1, tzinfo=UTC)
PUBLISHED = {
    "reddit": reddit.LIMITS,
    "mastodon": mastodon.LIMITS,
    "bluesky": bluesky.LIMITS,
    "discourse": discourse.ANONYMOUS,
    "youtube": youtube.LIMITS[1:],
}


def stamp(number: int) -> str:
    return (START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def page(items: list[Any], asked: Asked, name: str, size: int) -> tuple[list[Any], str | None]:
    """The page that a numeric token names, and the token of the next."""
    start = int(asked.query.get(name, ["0"])[0])
    return items[start : start + size], str(start + size) if start + size < len(items) else None


def as_reddit(asked: Asked) -> Raw:
    """A hundred submissions with nine comments each."""
    if asked.path.endswith("access_token"):
        return as_json({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"})
    epoch = START.timestamp()
    posts = [
        {"id": f"s{n}", "name": f"t3_s{n}", "title": f"onderwerp {n}", "selftext": "", "is_self": True}
        | {"created_utc": epoch + n, "num_comments": 9, "author": "a", "edited": False, "permalink": "/x"}
        for n in range(100, 0, -1)
    ]
    if asked.path.startswith("/r/"):
        shown, after = page(posts, asked, "after", 100)
        return as_json(
            {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": p} for p in shown], "after": after}}
        )
    number = asked.path.split("/")[2]
    comments = [
        {"id": f"{number}c{k}", "name": f"t1_{number}c{k}", "body": "reactie", "author": "b", "replies": ""}
        | {"created_utc": epoch + 200 + k, "link_id": f"t3_{number}", "parent_id": f"t3_{number}", "edited": False}
        for k in range(9)
    ]
    post = next(p for p in posts if p["id"] == number)
    trees = [("t3", [post]), ("t1", comments)]
    return as_json([{"kind": "Listing", "data": {"children": [{"kind": k, "data": d} for d in ds]}} for k, ds in trees])


def as_mastodon(asked: Asked) -> Raw:
    """A hashtag with a thousand statuses that nobody answered."""
    above = int(asked.query["min_id"][0])
    shown = [n for n in range(1, POSTS + 1) if n > above][:40]
    account = {"acct": "a@b.example", "username": "a", "display_name": "A", "note": ""}
    has = {"account": account, "content": "<p>bericht</p>", "visibility": "public", "replies_count": 0}
    return as_json([{"id": str(n), "created_at": stamp(n), **has} for n in reversed(shown)])


def as_bluesky(asked: Asked) -> Raw:
    """A search with a thousand posts that nobody answered."""
    author = {"did": "did:plc:x", "handle": "x.example"}
    posts = [
        {"uri": f"at://did:plc:x/app.bsky.feed.post/{n}", "author": author, "indexedAt": stamp(n), "replyCount": 0}
        | {"record": {"text": "bericht", "createdAt": stamp(n)}}
        for n in range(POSTS, 0, -1)
    ]
    shown, cursor = page(posts, asked, "cursor", 100)
    return as_json({"posts": shown, "cursor": cursor} if cursor else {"posts": shown})


def as_youtube(asked: Asked) -> Raw:
    """A video with a thousand comments without replies."""
    threads = []
    for n in range(POSTS, 0, -1):
        has = {"textOriginal": "reactie", "publishedAt": stamp(n), "authorChannelId": {"value": "UC"}}
        top = {"id": f"T{n}", "snippet": has}
        threads.append({"id": f"T{n}", "snippet": {"totalReplyCount": 0, "topLevelComment": top}})
    shown, token = page(threads, asked, "pageToken", 100)
    return as_json({"items": shown, **({"nextPageToken": token} if token else {})})


def as_discourse(asked: Asked) -> Raw:
    """Ten topics of a hundred posts each."""
    if asked.path == "/posts.json":
        return as_json({"latest_posts": [{"id": POSTS}]})
    if asked.path.endswith("latest.json"):
        topics = [{"id": n, "title": "onderwerp", "bumped_at": stamp(n), "posts_count": 100} for n in range(10, 0, -1)]
        return as_json({"topic_list": {"topics": topics}})
    topic = int(asked.path.removesuffix(".json").split("/")[2])
    stream = [(topic - 1) * 100 + k for k in range(1, 101)]
    wanted = [int(i) for i in asked.query.get("post_ids[]", [])] or stream[:20]
    posts = [
        {"id": i, "username": "a", "cooked": "<p>bericht</p>", "created_at": stamp(i), "topic_id": topic}
        | {"post_number": i - (topic - 1) * 100, "post_type": 1}
        for i in wanted
    ]
    return as_json({"post_stream": {"posts": posts, "stream": stream}})


def _reddit(url: str) -> dict[str, Any]:
    return {"subreddits": ["x"], "reddit_url": url, "oauth_url": url}


Case = tuple[Callable[[Asked], Raw], Callable[[str], dict[str, Any]], int, str]
COSTS: dict[str, Case] = {
    "reddit": (
        as_reddit,
        _reddit,
        102,
        "login, 1 page, 100 threads",
    ),
    "mastodon": (as_mastodon, lambda u: {"instance": u, "hashtags": ["x"]}, 26, "25 pages of 40, and the end"),
    "bluesky": (as_bluesky, lambda u: {"service": u, "queries": ["x"]}, 10, "10 pages of 100"),
    "youtube": (as_youtube, lambda u: {"url": u, "videos": ["x"]}, 10, "10 pages of 100"),
    "discourse": (as_discourse, lambda u: {"url": u, "categories": ["x/1"]}, 21, "1 list, 10 topics, 10 rests"),
}


def cost(name: str) -> tuple[int, int, float]:
    """Posts, requests and seconds of one first collection."""
    answer, settings, *_ = COSTS[name]
    module = load_collector(name)
    with Scripted(answer) as server, standing():
        start = time.perf_counter()
        found = module.collect(module.Settings(**settings(server.url)), Window())
        posts = sum(isinstance(i, RawPost) for i in found)
        return posts, len(server.asked), time.perf_counter() - start


def telegram_cost() -> tuple[int, int, float]:
    """The same for Telegram; requests include the four with which Telethon connects."""
    channel = Channel(1_000_000_001, "x", "bench", broadcast=True)
    channel.messages = [Message(n, START + timedelta(minutes=n), "bericht") for n in range(1, POSTS + 1)]
    module = load_collector("telegram")
    with LoopbackTelegram([channel]) as server, standing():
        os.environ["TELEGRAM_SESSION"] = server.session()
        start = time.perf_counter()
        posts = sum(isinstance(i, RawPost) for i in module.collect(module.Settings(channels=("bench",)), Window()))
        return posts, len(server.calls), time.perf_counter() - start


@dataclass
class Enforcing:
    """A server that lets no stretch of time hold more requests than published."""

    limits: tuple[Limit, ...]
    clock: Standing
    tripped: int = 0

    def __post_init__(self) -> None:
        self._seen: list[deque[float]] = [deque() for _ in self.limits]
        self._random = random.Random(1)
        self._last = 0.0

    def __call__(self, _: Asked) -> Raw:
        self._last = arrival = max(self._last, self.clock.moment + self._random.uniform(0.0, 0.8))
        for limit, seen in zip(self.limits, self._seen, strict=True):
            while seen and seen[0] <= arrival - limit.seconds:
                seen.popleft()
            if len(seen) >= limit.requests:
                self.tripped += 1
                return http(429, "", {"Retry-After": "5"})
            seen.append(arrival)
        return as_json([])


def rate(name: str) -> tuple[float, float, int]:
    """Requests a minute that are allowed, that were reached by two runs together, and how many were too many."""
    limits = PUBLISHED[name]
    allowed = min(limit.requests / limit.seconds for limit in limits)
    wanted = 3 * max(limit.requests for limit in limits)
    with standing(1.8e9) as clock:
        enforcing = Enforcing(limits, clock)
        with Scripted(enforcing) as server:
            runs = [Http(name, server.url, Throttle(f"bench {name}", *limits)) for _ in range(2)]
            for n in range(wanted):
                runs[n % 2].json("/x")
            runs[0].json("/x")
            return allowed * 60, wanted / (clock.moment - 1.8e9) * 60, enforcing.tripped


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["VELDWERK_HOME"] = home
        print(f"{'collector':<10} {'posts':>6} {'requests':>9} {'least':>6}  {'posts/s':>8}")
        for name, (_, _, least, why) in COSTS.items():
            posts, asked, seconds = cost(name)
            print(f"{name:<10} {posts:>6} {asked:>9} {least:>6}  {posts / seconds:>8.0f}  ({why})")
        posts, asked, seconds = telegram_cost()
        why = "connect 4, name 2, 10 pages, end"
        print(f"{'telegram':<10} {posts:>6} {asked:>9} {17:>6}  {posts / seconds:>8.0f}  ({why})")
        print(f"\n{'platform':<10} {'allowed/min':>11} {'reached/min':>11} {'share':>7} {'too many':>9}")
        for name in PUBLISHED:
            allowed, reached, tripped = rate(name)
            print(f"{name:<10} {allowed:>11.1f} {reached:>11.1f} {reached / allowed:>7.1%} {tripped:>9}")


if __name__ == "__main__":
    main()
