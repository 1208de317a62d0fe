"""Laws of the Telegram Desktop importer."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import UnreadableExport, detect, load_importer
from tests.real import real

from .reading import read

REAL = {
    "result.json": (24, {"service message": 61, "unsupported message": 1, "empty message": 1}),
    "result_group.json": (23, {"service message": 21, "unsupported message": 1}),
}


def message(number: int, text: Any = "hoi", **more: Any) -> dict[str, Any]:
    at = 1_730_000_000 + number * 60
    stamps = {"date": "2024-10-27T04:33:20", "date_unixtime": str(at)}
    return {"id": number, "type": "message", **stamps, "from": "Ann", "from_id": "user1", "text": text, **more}


def chat(messages: list[Any], kind: str = "private_supergroup") -> dict[str, Any]:
    return {"name": "Buurt", "type": kind, "id": 77, "messages": messages}


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


@pytest.mark.parametrize("file", REAL)
def test_every_message_of_a_real_export_is_a_post_or_has_a_reason(file: str) -> None:
    """Posts and skips of a real export add up to its messages, each post under its own id."""
    path = real("telegram/Tkonverter") / file
    found = read(path)
    posts, skipped = REAL[file]
    assert (len(found.posts), dict(found.skipped)) == (posts, skipped)
    assert posts + sum(skipped.values()) == len(json.loads(path.read_text(encoding="utf-8"))["messages"])
    assert len(set(found.ids)) == posts


def test_what_the_real_export_says_is_kept() -> None:
    """Mention, reply, edit and kinds of media come through; the person a reply answers need not be in the chat."""
    posts = {p.id.reveal(): p for p in read(real("telegram/Tkonverter/result.json")).posts}
    assert [m.reveal() for m in posts["10001:1"].mentions] == ["alice"]
    answer = posts["10001:2"]
    assert answer.reply_to is not None
    assert (answer.reply_to.reveal(), answer.edited) == ("10001:1", datetime(2026, 2, 1, 9, 3, tzinfo=UTC))
    kinds = [posts[f"10001:{n}"].media for n in range(3, 11)]
    assert kinds == [(k,) for k in ("photo", "sticker", "video", "audio", "video", "video", "audio", "contact")]


texts = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
entities = st.lists(st.one_of(texts, st.builds(lambda t: {"type": "bold", "text": t}, texts)), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(texts, entities), min_size=1, max_size=30), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_texts_come_back_whole_from_a_chat_and_from_an_account(
    written: list[Any], whole_account: bool, indent: Any
) -> None:
    """However the text is cut into pieces and the file is laid out, each message's words come back, in order."""
    import tempfile

    content: dict[str, Any] = chat([message(n, t) for n, t in enumerate(written, 1)])
    if whole_account:
        content = {"about": "", "contacts": {"list": [{"id": 1}] * 5}, "chats": {"about": "", "list": [content]}}
    said = ["".join(p if isinstance(p, str) else p["text"] for p in t) for t in written]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        path.write_text(json.dumps(content, indent=indent), encoding="utf-8")
        found = read(path, "telegram-desktop")
    assert found.texts == [t for t in said if t.strip()]
    assert found.skipped["empty message"] == len([t for t in said if not t.strip()])


def test_topics_replies_and_silences_make_threads(tmp_path: Path) -> None:
    """A topic is a thread and no answer; a reply joins what it answers; other talk is divided by silence."""
    day = 24 * 60
    found = read(
        write(
            tmp_path / "result.json",
            chat(
                [
                    {"id": 1, "type": "service", "action": "topic_created", "title": "Fietsen"},
                    message(2, reply_to_message_id=1),
                    message(3, reply_to_message_id=2),
                    message(4),
                    message(5),
                    message(6 + day),
                    message(7 + day, reply_to_message_id=4),
                    message(8 + day, reply_to_message_id=999),
                ]
            ),
        )
    )
    assert found.threads == ["77:1", "77:1", "77:4", "77:4", f"77:{6 + day}", "77:4", "77:999"]
    assert found.replies == [None, "77:2", None, None, None, "77:4", "77:999"]


def test_each_post_of_a_channel_is_a_thread(tmp_path: Path) -> None:
    """In a channel the posts stand alone, and answers join them."""
    found = read(
        write(tmp_path / "r.json", chat([message(1), message(2), message(3, reply_to_message_id=1)], "public_channel"))
    )
    assert found.threads == ["77:1", "77:2", "77:1"]


def test_an_old_export_without_unix_time_is_read_in_its_zone(tmp_path: Path) -> None:
    """A date without zone is that of the exporting computer."""
    old = message(1, date="2020-07-01T12:00:00")
    del old["date_unixtime"]
    path = write(tmp_path / "result.json", chat([old]))
    assert read(path).posts[0].created == datetime(2020, 7, 1, 10, tzinfo=UTC)
    assert read(path, timezone="UTC").posts[0].created == datetime(2020, 7, 1, 12, tzinfo=UTC)


def test_a_file_cut_off_anywhere_gives_what_is_whole(tmp_path: Path) -> None:
    """Cut after any byte, an export is refused, or gives its whole messages in order and says that it breaks off."""
    whole = json.dumps(chat([message(n, f"bericht {n} é") for n in range(1, 4)]), ensure_ascii=False).encode()
    path = tmp_path / "result.json"
    outcomes = set()
    for end in range(1, len(whole)):
        path.write_bytes(whole[:end])
        try:
            found = read(path, "telegram-desktop")
        except UnreadableExport:
            outcomes.add("refused")
            continue
        outcomes.add(len(found.posts))
        assert found.texts == [f"bericht {n} é" for n in range(1, 1 + len(found.posts))]
        assert found.skipped == {"the export breaks off here": 1}
    assert outcomes == {"refused", 1, 2, 3}


@pytest.mark.parametrize(
    "broken",
    [
        '{"name": "x", "type": "private_group", "id": 1, "messages": [{"id": 1}, oeps {"id": 2}]}',
        '{"name": "x", "type": "private_group", "id": 1}',
        '{"name": "x", "type": "private_group", "messages": [' + "[" * 100_000,
        '{"name": "x", "type": "private_group", "messages": ["' + "x" * 1000,
        '{"type": "private_group", "id": ' + "9" * 10_000 + ', "messages": [1]}',
        "[1, 2, 3]",
        "",
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_given(broken: str, tmp_path: Path) -> None:
    """A broken file gives no message at all, and the error names the file and a way out, not what it holds."""
    path = tmp_path / "result.json"
    path.write_text(broken)
    importer = load_importer("telegram-desktop")
    given_ = []
    with pytest.raises(UnreadableExport, match=r"^result\.json: .*export") as caught:
        given_.extend(importer.read(path, importer.Settings()))
    assert not given_
    assert "oeps" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "date",
                    "date_unixtime",
                    "text",
                    "from",
                    "from_id",
                    "poll",
                    "reply_to_message_id",
                    "action",
                    "action",
                ]
            ),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just("message"),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("text"), inner, max_size=1),
                max_leaves=4,
            ),
        )
        | st.integers()
        | st.none(),
        max_size=8,
    )
)
def test_messages_of_any_shape_are_posts_or_skips(messages: list[Any]) -> None:
    """Whatever a message is made of, it is given or counted once."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "result.json", chat([*messages, message(1)]))
        found = read(path, "telegram-desktop")
    assert len(found.posts) + found.skipped.total() == len(messages) + 1


PAGE = """<!DOCTYPE html>
<html><head><title>Exported Data</title></head><body><div class="page_wrap">
<div class="page_header"><div class="content"><div class="text bold"> Buurt </div></div></div>
<div class="history">
<div class="message service" id="message-1"><div class="body details">2 March 2025</div></div>
<div class="message default clearfix" id="message5"><div class="body">
 <div class="pull_right date details" title="02.03.2025 12:00:00 UTC+01:00">12:00</div>
 <div class="from_name"> Ann </div><div class="text"> Kijk eens<br>daar &amp; hier </div></div></div>
<div class="message default clearfix joined" id="message6"><div class="body">
 <div class="pull_right date details" title="02.03.2025 12:01:00 UTC+01:00">12:01</div>
 <div class="media_wrap clearfix"><a class="photo_wrap clearfix pull_left" href="photos/1.jpg"></a></div></div></div>
<div class="message default clearfix" id="message7"><div class="body">
 <div class="pull_right date details" title="02.03.2025 12:02:00">12:02</div>
 <div class="from_name"> Bo </div>
 <div class="reply_to details">In reply to <a href="#go_to_message5">this message</a></div>
 <div class="text">Ja</div></div></div>
</div></div></body></html>"""


def test_an_html_export_says_what_its_json_would(tmp_path: Path) -> None:
    """Author (also of joined messages), text, time, reply and media are read from a page, in a zip as well."""
    (tmp_path / "messages.html").write_text(PAGE, encoding="utf-8")
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(tmp_path / "messages.html", "ChatExport/messages.html")
    for path in (tmp_path / "messages.html", packed):
        assert detect(path) == "telegram-desktop"
        found = read(path)
        assert found.authors == ["Ann", "Ann", "Bo"]
        assert found.texts == ["Kijk eens\ndaar & hier", "", "Ja"]
        assert found.replies == [None, None, found.ids[0]]
        assert [p.media for p in found.posts] == [(), ("photo",), ()]
        assert [p.created.minute for p in found.posts] == [0, 1, 2]
        assert {p.created.hour for p in found.posts} == {11}
        assert found.skipped == {"service message": 1}
