"""Laws of what browsers captured: Zeeschuimer and 4CAT."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors import UnreadableExport, detect, load_importer
from collectors._captured import _SHAPES
from tests.real import real

from .reading import Reading, read

AT = 1_741_000_000
ISO = "Mon Mar 03 11:06:40 +0000 2025"
WHEN = datetime(2025, 3, 3, 11, 6, 40, tzinfo=UTC)

TWEET = {
    "rest_id": "190",
    "core": {"user_results": {"result": {"rest_id": "7", "core": {"screen_name": "ann_x", "name": "Ann"}}}},
    "legacy": {
        "created_at": ISO,
        "full_text": "Wie zag dit? @bo",
        "conversation_id_str": "180",
        "in_reply_to_status_id_str": "185",
        "lang": "nl",
        "entities": {"user_mentions": [{"screen_name": "bo"}]},
        "extended_entities": {"media": [{"type": "photo"}]},
    },
}
RETWEET = {
    **TWEET,
    "rest_id": "191",
    "legacy": {
        "created_at": ISO,
        "full_text": "RT @bo: afgekn…",
        "retweeted_status_result": {
            "result": {
                "core": {"user_results": {"result": {"legacy": {"screen_name": "bo"}}}},
                "legacy": {"full_text": "afgekniptelijk lang"},
            }
        },
    },
}
TIKTOK = {
    "id": "72",
    "desc": "Kijk dit @bo",
    "createTime": AT,
    "author": {"uniqueId": "ann.t", "nickname": "Ann", "id": "9"},
    "textExtra": [{"userUniqueId": "bo"}, {"hashtagName": "buurt"}],
    "stickersOnItem": [{"stickerText": ["WIE KENT HEM"]}],
    "textLanguage": "nl",
}
TIKTOK_COMMENT = {
    "cid": "73",
    "aweme_id": "72",
    "text": "ja",
    "create_time": AT,
    "reply_id": "0",
    "user": {"unique_id": "bo", "nickname": "Bo"},
}
INSTAGRAM = {
    "code": "Cabc",
    "taken_at": AT,
    "caption": {"text": "Let op"},
    "user": {"username": "ann.i", "full_name": "Ann"},
    "carousel_media": [{"media_type": 1}, {"media_type": 2}],
}
INSTAGRAM_OLD = {
    "shortcode": "Cold",
    "taken_at_timestamp": AT,
    "owner": {"username": "ann.i"},
    "edge_media_to_caption": {"edges": [{"node": {"text": "Let op"}}]},
    "__typename": "GraphVideo",
    "is_video": True,
}
INSTAGRAM_MUTE = {**INSTAGRAM, "code": "Cmute", "caption": None}
INSTAGRAM_COMMENT = {
    "comment_id": "5",
    "post_id": "2843211462316234",
    "post_shortcode": "Cabc",
    "text": "ik ook",
    "created_at": AT,
    "user": {"unique_id": "bo"},
    "parent_comment_id": None,
}
FACEBOOK = {
    "id": "S:x",
    "comet_sections": {
        "content": {
            "story": {
                "post_id": "55",
                "wwwURL": "https://www.facebook.com/groups/1/posts/55",
                "message": {"text": "Wie herkent dit?"},
                "actors": [{"id": "100", "name": "Ann A", "url": "https://www.facebook.com/ann.a"}],
                "attachments": [{"target": {"__typename": "Photo", "id": "1"}}],
            }
        },
        "context_layout": {"story": {"comet_sections": {"metadata": [{"story": {"creation_time": AT}}]}}},
    },
}
FACEBOOK_COMMENTS = {
    "id": "feedback:55",
    "comment_rendering_instance_for_feed_location": {
        "comments": {
            "edges": [
                {"node": {"legacy_fbid": "56", "body": {"text": "ik"}, "author": {"id": "101"}, "created_time": AT}},
                {
                    "node": {
                        "legacy_fbid": "57",
                        "body": {"text": "ik niet"},
                        "author": {"id": "102"},
                        "created_time": AT,
                    }
                },
            ]
        }
    },
}
LINKEDIN = {
    "updateMetadata": {"urn": f"urn:li:activity:{(AT * 1000) << 22}"},
    "actor": {"name": {"text": "Ann A"}, "navigationContext": {"actionTarget": "https://www.linkedin.com/in/ann?x=1"}},
    "commentary": {"text": {"text": "Samen veilig"}},
}
GAB = {
    "id": "9",
    "content": "<p>Hoi <b>allen</b></p>",
    "created_at": "2025-03-03T11:06:40Z",
    "account": {"acct": "ann", "display_name": "Ann"},
    "mentions": [{"acct": "bo"}],
}

SEEN = [
    ("x.com", TWEET, [("twitter", "190", "ann_x", "Wie zag dit? @bo", "180", "185", ["bo"], ("photo",))]),
    ("twitter.com", RETWEET, [("twitter", "191", "ann_x", "RT @bo: afgekniptelijk lang", "191", None, [], ())]),
    ("tiktok.com", TIKTOK, [("tiktok", "72", "ann.t", "Kijk dit @bo\nWIE KENT HEM", "72", None, ["bo"], ("video",))]),
    ("tiktok-comments", TIKTOK_COMMENT, [("tiktok", "73", "bo", "ja", "72", "72", [], ())]),
    ("instagram.com", INSTAGRAM, [("instagram", "Cabc", "ann.i", "Let op", "Cabc", None, [], ("photo", "video"))]),
    ("instagram.com", INSTAGRAM_OLD, [("instagram", "Cold", "ann.i", "Let op", "Cold", None, [], ("video",))]),
    ("instagram.com", INSTAGRAM_MUTE, [("instagram", "Cmute", "ann.i", "", "Cmute", None, [], ("photo", "video"))]),
    ("instagram-comments", INSTAGRAM_COMMENT, [("instagram", "5", "bo", "ik ook", "Cabc", "Cabc", [], ())]),
    ("facebook.com", FACEBOOK, [("facebook", "55", "100", "Wie herkent dit?", "55", None, [], ("photo",))]),
    (
        "facebook-comments",
        FACEBOOK_COMMENTS,
        [
            ("facebook", "56", "101", "ik", "55", "55", [], ()),
            ("facebook", "57", "102", "ik niet", "55", "55", [], ()),
        ],
    ),
    ("linkedin.com", LINKEDIN, [("linkedin", str((AT * 1000) << 22), "in/ann", "Samen veilig", None, None, [], ())]),
    ("gab.com", GAB, [("gab", "9", "ann", "Hoi allen", "9", None, ["bo"], ())]),
]


def line(platform: str, data: Any) -> dict[str, Any]:
    """An item as Zeeschuimer writes it, with what it tells about the collector's browser."""
    return {
        "nav_index": "1:2",
        "item_id": "x",
        "timestamp_collected": (AT + 99) * 1000,
        "source_platform": platform,
        "source_platform_url": "https://example.org/geheim",
        "source_url": "https://example.org/geheim",
        "user_agent": "Mozilla/5.0 (geheim)",
        "data": data,
    }


def told(found: Reading) -> list[tuple[Any, ...]]:
    return [
        (
            p.platform,
            p.id.reveal(),
            p.author.reveal(),
            p.text.reveal(),
            p.thread.reveal() if p.thread else None,
            p.reply_to.reveal() if p.reply_to else None,
            [m.reveal() for m in p.mentions],
            p.media,
        )
        for p in found.posts
    ]


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(("platform", "item", "wanted"), SEEN, ids=[f"{p}-{n}" for n, (p, _, _) in enumerate(SEEN)])
def test_a_capture_says_who_said_what_when_and_to_whom(
    platform: str, item: dict[str, Any], wanted: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """Zeeschuimer's lines, and the same items as 4CAT keeps them, give the same posts."""
    captured = write(tmp_path / "a.ndjson", [line(platform, item)])
    meta = {k: v for k, v in line(platform, item).items() if k != "data"}
    kept = write(tmp_path / "b.ndjson", [item | {"__import_meta": meta}])
    packed = tmp_path / "c.ndjson.gz"
    packed.write_bytes(gzip.compress(captured.read_bytes()))
    assert [detect(p) for p in (captured, kept, packed)] == ["zeeschuimer", "4cat", "zeeschuimer"]
    own_thread = [tuple(w[1] if n == 4 and v is None else v for n, v in enumerate(w)) for w in wanted]
    for path in (captured, kept, packed):
        found = read(path)
        assert told(found) == own_thread
        assert not found.skipped
        assert {p.created for p in found.posts} == {WHEN}


def test_nothing_of_the_collecting_browser_is_taken(tmp_path: Path) -> None:
    """What the file tells about who collected stays out of every part of a post."""
    found = read(write(tmp_path / "a.ndjson", [line("gab.com", GAB)]))
    assert "geheim" not in repr(told(found))
    assert all(p.permalink is None or "geheim" not in p.permalink.reveal() for p in found.posts)


def test_what_is_not_understood_is_counted(tmp_path: Path) -> None:
    """Broken lines and items of unknown shapes are skips with their reason; the rest is read."""
    path = write(
        tmp_path / "a.ndjson", [line("tiktok.com", TIKTOK), line("imgur.com", {"id": 1}), line("x.com", {}), 7]
    )
    with path.open("ab") as handle:
        handle.write(b'{"source_platform": "x.com", "da\n' + b"[" * 90_000 + b"\n\n")
    found = read(path)
    assert found.ids == ["72"]
    assert found.skipped == {
        "an item of a shape that is not known": 2,
        "line is not a JSON object": 1,
        "line is not JSON": 1,
        "nested too deeply": 1,
    }


def test_every_platform_promised_has_its_own_shape() -> None:
    """The platforms named in the manual are read by functions of their own."""
    assert set(_SHAPES) >= {"twitter", "tiktok", "instagram", "threads", "facebook", "linkedin"}


@pytest.mark.parametrize("file", ["tweets.json", "tweets_page_1.json", "tweets_page_3.json"])
def test_every_tweet_of_a_recorded_search_is_read(file: str) -> None:
    """Pages of Twitter's search give each of their tweets once, with its mentions."""
    path = real("4cat/twitter-perceval") / file
    statuses = json.loads(path.read_text(encoding="utf-8"))["statuses"]
    found = read(path)
    assert found.ids == [s["id_str"] for s in statuses]
    assert not found.skipped
    assert found.authors == [s["user"]["screen_name"] for s in statuses]
    assert [[m.reveal() for m in p.mentions] for p in found.posts] == [
        list(dict.fromkeys(m["screen_name"] for m in s["entities"]["user_mentions"])) for s in statuses
    ]


CSV = (
    "id,thread_id,timestamp,body,author,author_fullname,reply_to,mentions,link,unix_timestamp\n"
    '1,1,2025-03-03 11:06:40,"Wie zag, dit?\nIk niet",ann,Ann,,"bo,cy",https://x.com/ann/status/1,1741000000\n'
    "2,1,2025-03-03 11:06:40,ja,REDACTED,,1,,,\n"
    "3,1,,geen datum,bo,,,,,\n"
    "4,1,2025-03-03 11:06:40,te kort\n"
)


def test_the_csv_of_4cat_is_read_in_its_own_columns(tmp_path: Path) -> None:
    """Author, thread, reply, mentions and UTC come from 4CAT's columns; redacted authors stay apart."""
    path = tmp_path / "tweets.csv"
    path.write_text(CSV, encoding="utf-8")
    assert detect(path) == "4cat"
    found = read(path, platform="twitter")
    assert told(found) == [
        ("twitter", "1", "ann", "Wie zag, dit?\nIk niet", "1", None, ["bo", "cy"], ()),
        ("twitter", "2", "unknown 2", "ja", "1", "1", [], ()),
    ]
    assert [p.created for p in found.posts] == [WHEN, WHEN]
    assert found.skipped == {"no id or date": 1, "row with the wrong number of cells": 1}
    assert [p.platform for p in read(path).posts] == ["twitter", "4cat"]


@pytest.mark.parametrize("name", ["zeeschuimer", "4cat", "reddit-dump"])
@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]", b"\xff\xfe\x00", b"{" * 100_000, b"\x1f\x8b\x08kapot"])
def test_a_foreign_file_is_refused_with_a_way_out(name: str, content: bytes, tmp_path: Path) -> None:
    """Reading what is no such export says so in our words."""
    path = tmp_path / "x.ndjson"
    path.write_bytes(content)
    importer = load_importer(name)
    assert not importer.sniff(path)
    with pytest.raises(UnreadableExport, match=r"^x\.ndjson.*(again|download)"):
        list(importer.read(path, importer.Settings()))
