"""Laws of the Discourse collector on a forum that lives on between runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import PlatformRefused, Window
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http

from .playing import run

START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Forum:
    """Topics and their posts, numbered as they come; thirty topics a page, twenty posts with a topic."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    given: int = 100  # posts by id that are given at once

    def say(self, topic: int, answers: int | None = None, **more: Any) -> int:
        """Write a post in a topic."""
        number, place = len(self.posts) + 1, sum(p["topic_id"] == topic for p in self.posts) + 1
        stamp = (START + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
        has = {"id": number, "username": f"lid{number % 3}", "cooked": f"<p>bericht {number}</p>", "topic_id": topic}
        times = {"created_at": stamp, "updated_at": stamp, "post_number": place, "reply_to_post_number": answers}
        self.posts.append({**has, **times, "post_type": 1, "version": 1, **more})
        return number

    def __call__(self, asked: Asked) -> Raw:
        path = asked.path
        if path == "/posts.json":
            return as_json({"latest_posts": self.posts[-1:]})
        if path.endswith("latest.json"):
            return as_json(self._list(int(asked.query.get("page", ["0"])[0])))
        if path.startswith("/posts/by_number/"):
            topic, number = map(int, path.removesuffix(".json").split("/")[3:5])
            found = [p for p in self.posts if (p["topic_id"], p["post_number"]) == (topic, number)]
            return as_json(found[0]) if found else http(404)
        parts = path.removesuffix(".json").split("/")
        posts = [p for p in self.posts if p["topic_id"] == int(parts[2])]
        if parts[-1] == "posts":
            wanted = set(map(int, asked.query["post_ids[]"][: self.given]))
            return as_json({"post_stream": {"posts": [p for p in posts if p["id"] in wanted]}})
        near = posts[-20:] if len(parts) == 4 else posts[:20]
        return as_json({"post_stream": {"posts": near, "stream": [p["id"] for p in posts]}})

    def _list(self, number: int) -> dict[str, Any]:
        topics = {}
        for p in self.posts:
            topics[p["topic_id"]] = {"id": p["topic_id"], "title": "onderwerp", "bumped_at": p["created_at"]}
            topics[p["topic_id"]]["highest_post_number"] = p["post_number"]
        order = sorted(topics.values(), key=lambda t: str(t["bumped_at"]), reverse=True)
        more = {"more_topics_url": "/more"} if len(order) > 30 * (number + 1) else {}
        return {"topic_list": {"topics": order[30 * number : 30 * number + 30], **more}}


def asked_for(server: Scripted) -> dict[str, Any]:
    return {"url": server.url}


def grown(topics: int, each: int) -> Forum:
    forum = Forum()
    for n in range(topics * each):
        forum.say(n % topics + 1)
    return forum


@pytest.mark.parametrize("given", [100, 20, 7])
def test_long_topics_come_whole_however_few_posts_are_given_at_once(given: int) -> None:
    """A forum may give fewer posts than it is asked for: it is asked again for the rest."""
    forum = grown(2, 130)
    forum.given = given
    with Scripted(forum) as server, standing():
        found = run("discourse", asked_for(server))
    assert len(found.ids) == len(set(found.ids)) == 260
    assert found.counts["asked"] == found.counts["received"] == 260


def test_a_list_of_many_pages_is_read_to_its_end() -> None:
    """Seventy topics stand on three pages."""
    with Scripted(grown(70, 1)) as server, standing():
        found = run("discourse", asked_for(server))
    assert len(found.posts) == 70
    assert sum(a.path == "/latest.json" for a in server.asked) == 3


def test_only_what_is_new_is_asked_for() -> None:
    """Where one topic went on, a second run asks for the list, that topic from its end, and nothing else."""
    forum = grown(5, 40)
    with Scripted(forum) as server, standing():
        first = run("discourse", asked_for(server))
        server.asked.clear()
        number = forum.say(3, answers=2)
        second = run("discourse", asked_for(server), Window(cursor=first.cursor))
    assert second.ids == [str(number)]
    assert second.posts[0][3:5] == ("t3", str(forum.posts[7]["id"]))
    assert [a.path for a in server.asked] == [
        "/posts.json",
        "/latest.json",
        "/t/3/41.json",
        "/posts/by_number/3/2.json",
    ]


def test_notices_and_deleted_posts_are_skipped_with_their_reason() -> None:
    """A moderator's notice is no post; a post that its author took back is counted as deleted."""
    forum = Forum()
    forum.say(1)
    forum.say(1, post_type=3)
    forum.say(1, user_deleted=True)
    with Scripted(forum) as server, standing():
        found = run("discourse", asked_for(server))
    assert found.skipped == {"a notice of the forum": 1, "deleted": 1}
    assert (found.ids, found.counts["deleted"]) == (["1"], 1)


def test_a_closed_topic_is_counted_and_the_others_come() -> None:
    """One topic that refuses is private; the run goes on."""
    forum = grown(3, 2)

    def answer(asked: Asked) -> Raw:
        return http(403) if asked.path == "/t/2.json" else forum(asked)

    with Scripted(answer) as server, standing():
        found = run("discourse", asked_for(server))
    assert ({p[3] for p in found.posts}, found.counts["private"]) == ({"t1", "t3"}, 1)


def test_an_unknown_category_is_named_as_a_setting() -> None:
    """A slug that the forum does not have stops the source, and says which setting is meant."""
    none = as_json({"category_list": {"categories": []}})
    with Scripted(lambda _: none) as server, standing(), pytest.raises(PlatformRefused, match=r"settings\.categories"):
        run("discourse", {**asked_for(server), "categories": ["bestaat-niet"]})
