"""Laws of dumps and downloads: Reddit, Mastodon, Facebook and Instagram."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from collectors import RawPost, UnreadableExport, detect, load_importer
from tests.real import real

from .reading import read

AT = 1_741_000_000
WHEN = datetime(2025, 3, 3, 11, 6, 40, tzinfo=UTC)


def lines(records: list[Any]) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in records).encode()


# Reddit


def recorded_things() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every submission and comment in the recorded answers of Reddit, with its kind."""
    for path in sorted(real("reddit").rglob("*.json")):
        cassette = json.loads(path.read_text(encoding="utf-8"))
        for interaction in cassette.get("interactions", []):
            try:
                yield from things(json.loads(body_of(interaction["response"])))
            except ValueError:
                continue


def body_of(response: dict[str, Any]) -> bytes:
    body = response["body"]
    data = base64.b64decode(body["base64_string"]) if "base64_string" in body else str(body.get("string", "")).encode()
    try:
        return zlib.decompress(data, 47)
    except zlib.error:
        return data


def things(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(found, dict):
        if found.get("kind") in {"t1", "t3"} and isinstance(found.get("data"), dict) and "created_utc" in found["data"]:
            yield found["kind"], found["data"]
        for value in found.values():
            yield from things(value)
    elif isinstance(found, list):
        for value in found:
            yield from things(value)


def seen(post: RawPost) -> tuple[Any, ...]:
    """Everything about a post that can be compared."""

    def opened(value: Any) -> Any:
        return value.reveal() if hasattr(value, "reveal") else value

    names = (
        "platform",
        "id",
        "author",
        "text",
        "created",
        "thread",
        "reply_to",
        "edited",
        "permalink",
        "media",
        "kind",
    )
    return (*(opened(getattr(post, n)) for n in names), [m.reveal() for m in post.mentions])


def test_a_dump_gives_the_posts_that_the_live_collector_gives(tmp_path: Path) -> None:
    """Recorded submissions and comments, as a dump and through PRAW, are the same posts with the same ids."""
    import praw
    from praw.models import Comment, Submission

    from collectors._praw import raw_post, skip_reason

    reddit = praw.Reddit(client_id="x", client_secret="x", user_agent="x", check_for_updates=False)
    kinds = {"t1": Comment, "t3": Submission}
    found = list({d["name"]: (k, d) for k, d in recorded_things()}.values())
    assert len(found) > 300
    live = [kinds[k](reddit, _data=dict(d)) for k, d in found]
    path = tmp_path / "RC_2016-03.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=3).compress(lines([d for _, d in found])))
    assert detect(path) == "reddit-dump"
    dumped = read(path)
    assert [seen(p) for p in dumped.posts] == [seen(raw_post(t)) for t in live if skip_reason(t) is None]
    assert dumped.skipped.total() == len([t for t in live if skip_reason(t)])


SUBMISSION = {
    "id": "abc",
    "subreddit": "Tilburg",
    "title": "Let op",
    "selftext": "witte bus",
    "author": "ann",
    "created_utc": AT,
}
COMMENT = {
    "id": "c1",
    "subreddit": "Tilburg",
    "body": "gezien",
    "author": "[deleted]",
    "created_utc": str(AT),
    "link_id": "t3_abc",
    "parent_id": 13368,
    "edited": AT + 60,
}


def test_a_dump_is_cut_to_a_community_and_a_period(tmp_path: Path) -> None:
    """What lies outside the wanted subreddits or the period is counted; odd old fields are understood."""
    path = tmp_path / "RS.ndjson"
    other = SUBMISSION | {"id": "def", "subreddit": "pics"}
    removed = COMMENT | {"id": "c2", "body": "[removed]"}
    later = SUBMISSION | {"id": "ghi", "created_utc": AT + 9_999_999}
    path.write_bytes(lines([SUBMISSION, COMMENT, other, removed, later, {"id": "x"}]) + b'{"id": "cut')
    found = read(path, subreddits=["r/tilburg"], until="2025-04-01T00:00:00+01:00")
    assert (found.ids, found.texts) == (["t3_abc", "t1_c1"], ["Let op\n\nwitte bus", "gezien"])
    assert (found.threads, found.replies) == (["t3_abc", "t3_abc"], [None, "t1_abc"])
    assert found.authors == ["ann", "[deleted] t1_c1"]
    assert found.posts[1].edited == datetime.fromtimestamp(AT + 60, UTC)
    assert found.skipped == {
        "another subreddit": 2,
        "removed by moderators": 1,
        "outside the period": 1,
        "line is not JSON": 1,
    }


def test_a_dump_with_a_window_of_two_gigabytes_is_read(tmp_path: Path) -> None:
    """The real dumps need a larger window than zstd allows by default."""
    long = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=False, compression_level=1)
    path = tmp_path / "RC.zst"
    path.write_bytes(zstandard.ZstdCompressor(compression_params=long).compress(lines([COMMENT])))
    assert read(path).ids == ["t1_c1"]


# Mastodon

HOME = "https://mastodon.example"


def activity(number: int, **more: Any) -> dict[str, Any]:
    note = {
        "id": f"{HOME}/users/ann/statuses/{109_000_000 + number}",
        "type": "Note",
        "published": "2025-03-03T11:06:40Z",
        "attributedTo": f"{HOME}/users/ann",
        "content": f"<p>bericht {number} &amp; meer</p>",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "tag": [],
        "attachment": [],
        **more,
    }
    return {"id": note["id"] + "/activity", "type": "Create", "actor": note["attributedTo"], "object": note}


OUTBOX = [
    activity(1, tag=[{"type": "Mention", "href": f"{HOME}/users/bo", "name": "@bo@elders.example"}], summary="pas op"),
    activity(
        2,
        inReplyTo=f"{HOME}/users/bo/statuses/109000000",
        contentMap={"nl": "x"},
        attachment=[{"mediaType": "image/png"}],
    ),
    activity(3, inReplyTo="https://elders.example/notes/7f"),
    activity(4, to=[f"{HOME}/users/bo"]),
    {"type": "Announce", "object": f"{HOME}/users/bo/statuses/1", "actor": f"{HOME}/users/ann"},
    {"type": "Create", "object": {"type": "Tombstone"}},
]


def outbox(items: list[Any]) -> bytes:
    document = {"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection"}
    return json.dumps(document | {"totalItems": len(items), "orderedItems": items}).encode()


@pytest.mark.parametrize("shape", ["outbox.json", "archive.zip", "archive.tar.gz", "folder"])
def test_an_archive_of_mastodon_gives_its_public_posts(shape: str, tmp_path: Path) -> None:
    """In every shape of archive the public posts come with their ids on the server; the rest is counted."""
    path = tmp_path / shape
    if shape == "folder":
        path.mkdir()
        (path / "outbox.json").write_bytes(outbox(OUTBOX))
        (path / "actor.json").write_text("{}")
    elif shape == "archive.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("actor.json", "{}")
            archive.writestr("outbox.json", outbox(OUTBOX))
    elif shape == "archive.tar.gz":
        with tarfile.open(path, "w:gz") as tar:
            for name, data in {"media_attachments/a.png": b"x" * 9999, "outbox.json": outbox(OUTBOX)}.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    else:
        path.write_bytes(outbox(OUTBOX))
    assert detect(path) == "mastodon-archive"
    found = read(path)
    assert found.ids == ["109000001", "109000002", "109000003"]
    assert found.texts == ["pas op\n\nbericht 1 & meer", "bericht 2 & meer", "bericht 3 & meer"]
    assert found.replies == [None, "109000000", "https://elders.example/notes/7f"]
    assert set(found.authors) == {"ann@mastodon.example"}
    assert [m.reveal() for m in found.posts[0].mentions] == ["bo@elders.example"]
    assert (found.posts[1].language, found.posts[1].media) == ("nl", ("photo",))
    assert found.skipped == {"not public": 1, "boost of another's post": 1, "not a post": 1}
    assert len(read(path, private=True).posts) == 4


def test_a_broken_outbox_gives_nothing(tmp_path: Path) -> None:
    """An outbox that is not JSON half-way is refused before its first post."""
    path = tmp_path / "outbox.json"
    path.write_bytes(outbox(OUTBOX).replace(b'"type": "Announce"', b'"type" "Announce"'))
    importer = load_importer("mastodon-archive")
    given: list[Any] = []
    with pytest.raises(UnreadableExport, match=r"outbox\.json: not JSON .*line 1"):
        given.extend(importer.read(path, importer.Settings()))
    assert not given


# Facebook and Instagram


def wrong(text: str) -> str:
    """A text as Facebook writes it: each byte of its UTF-8 as a character."""
    return text.encode().decode("latin-1")


FACEBOOK = {
    "group_posts_v2": [
        {
            "timestamp": AT,
            "data": [{"post": wrong("Let op in de straat 🚨 één bus")}, {"update_timestamp": AT}],
            "attachments": [{"data": [{"media": {"uri": "photos/1.jpg"}}]}],
            "title": wrong("Ann Ä posted in Buurt Zuid."),
        },
        {"timestamp": AT + 60, "title": "Ann joined a group."},
        {"timestamp": AT + 90, "attachments": [{"data": [{"media": {"uri": "v/1.mp4"}}]}]},
    ]
}
COMMENTS = {
    "group_comments_v2": [
        {
            "timestamp": AT,
            "data": [
                {"comment": {"timestamp": AT, "comment": wrong("Já"), "author": wrong("Ann Ä"), "group": "Buurt Zuid"}}
            ],
            "title": "Ann commented on a post.",
        }
    ]
}
PROFILE = {"profile_v2": {"name": {"full_name": wrong("Ann Ä"), "first_name": "Ann"}}}


def test_a_download_of_facebook_gives_its_posts_and_comments_in_groups(tmp_path: Path) -> None:
    """Texts come with their letters mended, group posts and comments in one thread, under the holder's name."""
    path = tmp_path / "facebook-ann.zip"
    with zipfile.ZipFile(path, "w") as archive:
        folder = "your_facebook_activity/groups"
        archive.writestr(f"{folder}/group_posts_and_comments.json", json.dumps(FACEBOOK))
        archive.writestr(f"{folder}/your_comments_in_groups.json", json.dumps(COMMENTS))
        archive.writestr("personal_information/profile_information/profile_information.json", json.dumps(PROFILE))
        archive.writestr("messages/inbox/x/message_1.json", json.dumps({"messages": [{"content": "prive"}]}))
    assert detect(path) == "meta-download"
    found = read(path)
    assert found.texts == ["Let op in de straat 🚨 één bus", "", "Já"]
    assert found.authors == ["Ann Ä"] * 3
    assert found.threads[0] == found.threads[2] != found.threads[1]
    assert [p.media for p in found.posts] == [("photo",), ("video",), ()]
    assert found.skipped == {"no words or media of the account's holder": 1}
    assert read(path).ids == found.ids


def test_a_download_of_instagram_gives_captions_and_comments(tmp_path: Path) -> None:
    """Captions stand with their pictures; comments are found under Dutch and English headings."""
    folder = tmp_path / "instagram"
    (folder / "content").mkdir(parents=True)
    media = {"uri": "media/1.jpg", "creation_timestamp": AT, "title": wrong("Zó")}
    album = {"media": [{"uri": "a.jpg"}, {"uri": "b.mp4"}], "title": "album", "creation_timestamp": AT}
    (folder / "content" / "posts_1.json").write_text(json.dumps([{"media": [media]}, album]))
    comment = {"string_map_data": {"Comment": {"value": wrong("één")}, "Time": {"timestamp": AT}}}
    dutch = {"string_map_data": {"Opmerking": {"value": "nee"}, "Tijd": {"timestamp": AT + 1}}}
    (folder / "content" / "post_comments_1.json").write_text(json.dumps([comment, dutch]))
    assert detect(folder) == "meta-download"
    found = read(folder, author="holder-1")
    assert found.texts == ["één", "nee", "Zó", "album"]
    assert {p.platform for p in found.posts} == {"instagram"}
    assert [p.media for p in found.posts[2:]] == [("photo",), ("photo", "video")]
    assert set(found.authors) == {"holder-1"}
    assert found.posts[0].created == WHEN


@pytest.mark.parametrize("name", ["mastodon-archive", "meta-download"])
@pytest.mark.parametrize("content", [b"", b"[]", b"<html></html>", gzip.compress(b"x")[:-5], b"PK\x03\x04"])
def test_what_is_no_download_is_refused_with_a_way_out(name: str, content: bytes, tmp_path: Path) -> None:
    """A foreign or damaged file is refused in our words."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    importer = load_importer(name)
    assert not importer.sniff(path)
    with pytest.raises(UnreadableExport, match=r"^x\.json.*again"):
        list(importer.read(path, importer.Settings()))
