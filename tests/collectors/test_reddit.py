"""Laws of the Reddit collector that need a larger or odder subreddit than the fieldwork set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from collectors import RawPost, Window, reddit
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http

from .playing import run

TOKEN = {"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
EPOCH = 1_735_700_000


def submission(n: int, **more: Any) -> dict[str, Any]:
    """The n-th submission of the subreddit, a minute after the one before."""
    has = {"id": f"s{n}", "name": f"t3_s{n}", "title": f"onderwerp {n}", "selftext": f"verhaal {n}", "author": "piet"}
    return {**has, "created_utc": float(EPOCH + 60 * n), "edited": False, "num_comments": 0, "is_self": True, **more}


def comment(name: str, top: str, parent: str, at: int, **more: Any) -> dict[str, Any]:
    """A comment below *parent* in the thread of *top*."""
    has = {"id": name, "name": f"t1_{name}", "link_id": top, "parent_id": parent, "body": f"zegt {name}", "replies": ""}
    return {**has, "author": "kees", "created_utc": float(EPOCH + at), "edited": False, **more}


def listing(kind: str, items: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    children = [i if "kind" in i else {"kind": kind, "data": i} for i in items]
    return {"kind": "Listing", "data": {"children": children, "after": after}}


@dataclass
class Subreddit:
    """Shows the newest thousand submissions, a hundred a page, as Reddit does."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    trees: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    more: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken_off: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Raw:
        if asked.path.endswith("access_token"):
            return as_json(TOKEN)
        if asked.path.startswith("/r/"):
            return self._page(asked)
        if "morechildren" in asked.path:
            things = [{"kind": "t1", "data": c} for c in self.more.get(asked.query["children"][0], [])]
            return as_json({"json": {"errors": [], "data": {"things": things}}})
        if "/api/info" in asked.path:
            wanted = asked.query["id"][0].split(",")
            return as_json(listing("t3", [p for p in self.posts if p["name"] in wanted]))
        number, _, deeper = asked.path.removeprefix("/comments/").strip("/").partition("/_/")
        post = next((p for p in self.posts if p["id"] == number), None)
        if post is None:
            return http(404)
        tree = self.broken_off.get(deeper, []) if deeper else self.trees.get(number, [])
        return as_json([listing("t3", [post]), listing("t1", tree)])

    def _page(self, asked: Asked) -> Raw:
        shown = sorted(self.posts, key=lambda p: -p["created_utc"])[:1000]
        names = [p["name"] for p in shown]
        start = names.index(asked.query["after"][0]) + 1 if "after" in asked.query else 0
        after = names[start + 99] if start + 100 < len(names) else None
        return as_json(listing("t3", shown[start : start + 100], after))


def settings_of(server: Scripted, **more: Any) -> dict[str, Any]:
    return {"subreddits": ["x"], "reddit_url": server.url, "oauth_url": server.url, **more}


def late(days: float = 365) -> float:
    return EPOCH + 86_400 * days


def test_a_subreddit_deeper_than_the_listing_is_told_as_capped() -> None:
    """Of 1,200 submissions Reddit shows a thousand: they come, in eleven requests, and the cap is told."""
    with Scripted(Subreddit([submission(n) for n in range(1200)])) as server, standing(late()):
        found = run("reddit", settings_of(server))
    assert found.ids == [f"t3_s{n}" for n in range(200, 1200)]
    assert (found.counts["capped"], found.counts["gap"], len(server.asked)) == (1, 0, 11)


@pytest.mark.parametrize(("new", "gap"), [(950, 0), (1100, 1)])
def test_a_gap_between_two_runs_is_told(new: int, gap: int) -> None:
    """When more came than the listing shows, what fell in between is lost, and that is said; otherwise not."""
    place = Subreddit([submission(n) for n in range(300)])
    with Scripted(place) as server, standing(late()):
        first = run("reddit", settings_of(server))
        place.posts += [submission(n) for n in range(300, 300 + new)]
        second = run("reddit", settings_of(server), Window(cursor=first.cursor))
    assert second.counts["gap"] == gap
    assert second.counts["capped"] == first.counts["capped"] == 0
    assert len(second.posts) == min(new, 1000)


def test_submissions_of_one_second_are_all_read() -> None:
    """Two in the same second, the second one seen only later: neither is lost or repeated."""
    place = Subreddit([submission(1), submission(2)])
    with Scripted(place) as server, standing(late()):
        first = run("reddit", settings_of(server))
        place.posts.append({**submission(3), "created_utc": float(EPOCH + 120)})
        second = run("reddit", settings_of(server), Window(cursor=first.cursor))
    assert (first.ids, second.ids) == (["t3_s1", "t3_s2"], ["t3_s3"])


def test_all_of_a_thread_comes_however_reddit_hides_it() -> None:
    """Comments behind "more", behind "continue this thread", and one whose parent is gone; a dead end is counted."""
    top = "t3_s1"
    deep = comment("b", top, "t1_a", 2)
    hidden = {"kind": "more", "data": {"count": 2, "children": ["c", "d"], "id": "c", "name": "t1_c", "parent_id": top}}
    onward = {"kind": "more", "data": {"count": 0, "children": [], "id": "_", "name": "t1__", "parent_id": "t1_b"}}
    dead = {"kind": "more", "data": {"count": 0, "children": [], "id": "_", "name": "t1__", "parent_id": "t1_zz"}}
    deep["replies"] = listing("t1", [onward])
    first = comment("a", top, top, 1, replies=listing("t1", [deep]))
    place = Subreddit([submission(1, num_comments=6)], {"s1": [first, hidden, dead]})
    place.more["c,d"] = [comment("c", top, top, 3), comment("d", top, "t1_vanished", 4)]
    place.broken_off["b"] = [comment("b", top, "t1_a", 2, replies=listing("t1", [comment("e", top, "t1_b", 5)]))]
    with Scripted(place) as server, standing(late()):
        found = run("reddit", settings_of(server))
    assert {p[0]: p[4] for p in found.posts} == {
        top: None,
        "t1_a": top,
        "t1_b": "t1_a",
        "t1_c": top,
        "t1_d": "t1_vanished",
        "t1_e": "t1_b",
    }
    assert {p[3] for p in found.posts} == {top}
    assert (found.counts["asked"], found.counts["received"], found.counts["gap"]) == (7, 6, 1)


def test_a_deleted_author_keeps_their_words_and_a_deleted_body_is_skipped() -> None:
    """A missing author is nobody in particular, and no two of them are one; a missing body is no post."""
    posts = [
        submission(1, author="[deleted]"),
        submission(2, author="[deleted]"),
        submission(3, selftext="[removed]"),
        submission(4, selftext="[deleted]", author="[deleted]"),
    ]
    with Scripted(Subreddit(posts)) as server, standing(late()):
        found = run("reddit", settings_of(server))
    assert len({p[1] for p in found.posts}) == 2
    assert found.ids == ["t3_s1", "t3_s2"]
    assert found.skipped == {"removed by moderators": 1, "deleted by its author": 1}
    assert found.counts["deleted"] == 2


def test_edits_links_media_and_mentions() -> None:
    """`edited` is false, a time or true; a link belongs to the text, a picture is a kind; u/name is a mention."""
    posts = [
        submission(1, edited=float(EPOCH + 999)),
        submission(2, edited=True, selftext="dank u/jan_1 en /u/Piet-2, niet x/u/klaas"),
        submission(3, selftext="", is_self=False, url_overridden_by_dest="https://nieuws.example/1"),
        submission(4, selftext="", is_self=False, post_hint="image", url_overridden_by_dest="https://i.example/1.jpg"),
    ]
    with Scripted(Subreddit(posts)) as server, standing(late()):
        wanted = reddit.Settings(**settings_of(server))
        one, two, three, four = (p for p in reddit.collect(wanted, Window()) if isinstance(p, RawPost))
    assert one.edited is not None
    assert one.edited.timestamp() == EPOCH + 999
    assert two.edited == two.created
    assert [m.reveal() for m in two.mentions] == ["jan_1", "Piet-2"]
    assert three.text.reveal() == "onderwerp 3\n\nhttps://nieuws.example/1"
    assert (four.text.reveal(), four.media) == ("onderwerp 4", ("photo",))


def test_a_young_thread_that_grew_costs_one_look_and_one_read() -> None:
    """Of many young threads only the one with more comments is read again, and only its new comment comes."""
    place = Subreddit([submission(n, num_comments=1) for n in range(150)])
    place.trees = {f"s{n}": [comment(f"c{n}", f"t3_s{n}", f"t3_s{n}", 60 * n + 1)] for n in range(150)}
    with Scripted(place) as server, standing(late(2)):
        first = run("reddit", settings_of(server))
        place.posts[7]["num_comments"] = 2
        place.trees["s7"].append(comment("nieuw", "t3_s7", "t1_c7", 100_000))
        server.asked.clear()
        second = run("reddit", settings_of(server), Window(cursor=first.cursor))
    assert second.ids == ["t1_nieuw"]
    paths = [a.path.split("/")[1] for a in server.asked]
    assert (paths.count("r"), paths.count("comments")) == (1, 1)
    assert sum("/api/info" in a.path for a in server.asked) == 2


def test_a_search_has_its_own_mark() -> None:
    """Queries and listings do not share a high-water mark."""
    with Scripted(Subreddit([submission(n) for n in range(5)])) as server, standing(late()):
        first = run("reddit", settings_of(server))
        second = run("reddit", settings_of(server, queries=["gijzeling"]), Window(cursor=first.cursor))
    assert any(a.path.endswith("/search/") or a.path.endswith("/search") for a in server.asked)
    assert second.posts == []  # found again by another way, and known
    assert second.counts["asked"] == 5
