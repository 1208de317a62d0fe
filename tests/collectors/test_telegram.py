"""Laws of the Telegram collector: the unmodified Telethon against a loopback server that speaks MTProto."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import functions as f
from telethon.tl import types as t
from telethon.tl.patched import Message as Patched

from collectors import Gone, PlatformRefused, PlatformUnreachable, RateLimited, RawPost, Sealed, Window
from collectors import telegram as collector
from collectors._messages import Place, raw_post
from collectors._telethon import Telegram
from tests.loopback.clock import standing
from tests.loopback.mtproto import Channel, Fault, Forward, LoopbackTelegram, Message, User

from .playing import plain, run

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
PEOPLE = [User(20 + n, f"Naam{n}", f"handvat{n}") for n in range(4)]
HISTORY = f.messages.GetHistoryRequest


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def channel(size: int = 250, **more: Any) -> Channel:
    """A channel of posts, two of them deleted."""
    posts = [Message(n, at(n), f"melding {n}") for n in range(1, size + 1)]
    return Channel(1_000_000_001, "Buurtalarm", "buurtalarm", posts, {7, 8}, broadcast=True, **more)


def group() -> Channel:
    """A group with replies, a forward, an edit, a notice."""
    kind = t.MessageActionChatJoinedByLink(inviter_id=20)
    posts = [
        Message(1, at(1), "wie zag er iets?", PEOPLE[0]),
        Message(2, at(2), "ik, @handvat0", PEOPLE[1], reply_to=1),
        Message(3, at(3), "waar dan", PEOPLE[2], reply_to=2, edited=at(9)),
        Message(4, at(4), sender=PEOPLE[3], action=kind),
        Message(5, at(5), "doorgestuurd", PEOPLE[3], forward=Forward(at(0), PEOPLE[0])),
        Message(6, at(6), "andere draad", PEOPLE[1]),
    ]
    return Channel(1_000_000_009, "Buurtgroep", "buurtgroep", posts)


def discussed(private: bool) -> tuple[Channel, Channel]:
    """A channel of 120 posts with a discussion group: copies of posts, and comments below two of them."""
    talk = Channel(1_000_000_002, "Praat", None, private=private)
    source = channel(120, discussion=talk)
    for number, post in enumerate((10, 110)):
        first = number * 10 + 1
        talk.messages += [
            Message(first, at(post), f"melding {post}", source, forward=Forward(at(post), source, post=post)),
            Message(first + 1, at(post + 1), "reactie", PEOPLE[0], reply_to=first),
            Message(first + 2, at(post + 2), "antwoord", PEOPLE[1], reply_to=first + 1),
        ]
    return source, talk


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    def log_in(server: LoopbackTelegram) -> LoopbackTelegram:
        monkeypatch.setenv("TELEGRAM_SESSION", server.session())
        return server

    return log_in


@pytest.fixture
def served(logged_in: Any) -> Iterator[LoopbackTelegram]:
    with LoopbackTelegram([channel()]) as server:
        yield logged_in(server)


ALARM = {"channels": ["https://t.me/buurtalarm"]}
GROUP = {"channels": ["@buurtgroep"]}


def test_a_channel_comes_whole_in_the_fewest_requests(served: LoopbackTelegram) -> None:
    """250 messages come once each, in order, by pages of a hundred; the missing numbers are told as deleted."""
    with standing():
        found = run("telegram", ALARM)
    assert [p[2] for p in found.posts] == [f"melding {n}" for n in range(1, 251) if n not in {7, 8}]
    assert (found.counts["deleted"], found.counts["received"], found.counts["asked"]) == (2, 248, 250)
    assert sum(isinstance(c, HISTORY) for c in served.calls) == 4  # three pages, and one that says it is the end


def test_a_group_keeps_threads_replies_forwards_and_edits(logged_in: Any) -> None:
    """Replies point to their message, threads to their first; a forward and a mention name whom they name."""
    with LoopbackTelegram([group()]) as server, standing():
        logged_in(server)
        found = run("telegram", GROUP)
        posts = [p for p in collector.collect(collector.Settings(**GROUP), Window()) if isinstance(p, RawPost)]
    here = "1000000009"
    assert [(p[0], p[3], p[4], p[1]) for p in found.posts] == [
        (f"{here}:1", f"{here}:1", None, "user20"),
        (f"{here}:2", f"{here}:1", f"{here}:1", "user21"),
        (f"{here}:3", f"{here}:1", f"{here}:2", "user22"),
        (f"{here}:5", f"{here}:5", None, "user23"),
        (f"{here}:6", f"{here}:6", None, "user21"),
    ]
    assert found.skipped == {"a notice of the platform": 1}
    by_text = {p.text.reveal(): p for p in posts}
    assert by_text["waar dan"].edited == at(9)
    assert [m.reveal() for m in by_text["doorgestuurd"].mentions] == ["user20"]
    assert "handvat1" in [a.reveal() for a in by_text["andere draad"].aliases]


@pytest.mark.parametrize("private", [False, True])
def test_comments_stand_below_the_post_they_answer(logged_in: Any, private: bool) -> None:
    """Through the discussion group or, where that is closed, post by post: the same comments in the same places."""
    with LoopbackTelegram(discussed(private)) as server, standing(at(500).timestamp()):
        logged_in(server)
        first = run("telegram", ALARM)
        again = run("telegram", ALARM, Window(cursor=first.cursor))
    comments = {p[2]: (p[0], p[3], p[4]) for p in first.posts if p[0].startswith("1000000002:") and "12" in p[0]}
    assert comments == {
        "reactie": ("1000000002:12", "1000000001:110", "1000000001:110"),
    }
    answers = [(p[0], p[3], p[4]) for p in first.posts if p[2] == "antwoord"]
    assert answers == [
        ("1000000002:3", "1000000001:10", "1000000002:2"),
        ("1000000002:13", "1000000001:110", "1000000002:12"),
    ]
    assert len(first.posts) == 118 + 4
    assert again.posts == []


def test_a_late_comment_finds_its_post(logged_in: Any) -> None:
    """A comment that comes in a later run stands in the thread of its post, though the copy came before."""
    source, talk = discussed(private=False)
    with LoopbackTelegram([source, talk]) as server, standing():
        logged_in(server)
        first = run("telegram", ALARM)
        talk.messages.append(Message(99, at(400), "laat", PEOPLE[2], reply_to=1))
        second = run("telegram", ALARM, Window(cursor=first.cursor))
    assert [(p[2], p[3], p[4]) for p in second.posts] == [("laat", "1000000001:10", "1000000001:10")]


def test_names_are_looked_up_once(served: LoopbackTelegram) -> None:
    """Resolving a name is what Telegram limits hardest: a second run does without."""
    with standing():
        first = run("telegram", ALARM)
        served.calls.clear()
        run("telegram", ALARM, Window(cursor=first.cursor))
    kinds = [type(c).__name__ for c in served.calls]
    assert "ResolveUsernameRequest" not in kinds
    assert kinds.count("GetHistoryRequest") == 1


@pytest.mark.parametrize("page", [0, 1, 3])
def test_a_long_flood_wait_ends_the_run_and_binds_the_next(served: LoopbackTelegram, page: int) -> None:
    """Above a minute: RateLimited with the moment; until then no run of this account asks anything; then it goes on."""
    served.faults.append(Fault(HISTORY, error=(420, "FLOOD_WAIT_7200"), skip=page))
    with standing(1.8e9) as clock:
        with pytest.raises(RateLimited) as told:
            run("telegram", ALARM)
        assert told.value.resume_at == datetime.fromtimestamp(1.8e9 + 7201, UTC)
        asked = len(served.calls)
        with pytest.raises(RateLimited):
            run("telegram", ALARM)
        assert len(served.calls) == asked
        clock.moment += 7300
        assert len(run("telegram", ALARM).posts) == 248


def test_a_short_flood_wait_is_sat_out(served: LoopbackTelegram) -> None:
    """Up to a minute is waited for within the run, and nothing is lost."""
    served.faults.append(Fault(HISTORY, error=(420, "FLOOD_WAIT_30"), skip=1))
    with standing() as clock:
        found = run("telegram", ALARM)
    assert len(found.posts) == 248
    assert any(pause >= 29 for pause in clock.slept)


@pytest.mark.parametrize("cut", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("page", [0, 2])
def test_a_cut_connection_loses_and_repeats_nothing(served: LoopbackTelegram, cut: float, page: int) -> None:
    """Cut before, within or after an answer: the run goes on by itself."""
    served.faults.append(Fault(HISTORY, cut=cut, skip=page))
    with standing():
        found = run("telegram", ALARM)
    assert len(found.posts) == len(set(found.ids)) == 248


def test_another_salt_is_taken(served: LoopbackTelegram) -> None:
    """The server may change its salt at any time."""
    with standing():
        first = run("telegram", ALARM, Window(limit=100))
        served.salt += 1
        second = run("telegram", ALARM, Window(cursor=first.cursor))
    assert len({*first.ids, *second.ids}) == 248


def test_a_server_that_stays_away_is_unreachable(served: LoopbackTelegram) -> None:
    """Nobody answers: one line after a few tries, no hang."""
    served.stop()
    with standing(), pytest.raises(PlatformUnreachable):
        run("telegram", ALARM)


def test_a_silent_server_does_not_hang_a_run(served: LoopbackTelegram) -> None:
    """Telethon has no time limit of its own; we have."""
    served.delay = 30.0
    with standing(), Telegram(timeout=0.2) as client, pytest.raises(PlatformUnreachable):
        client.ask(lambda c: c.get_messages("buurtalarm", limit=1))


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (401, "AUTH_KEY_UNREGISTERED", PlatformRefused),
        (401, "SESSION_REVOKED", PlatformRefused),
        (406, "AUTH_KEY_DUPLICATED", PlatformRefused),
        (400, "CHANNEL_PRIVATE", PlatformRefused),
        (400, "CHANNEL_INVALID", PlatformRefused),
        (403, "CHAT_ADMIN_REQUIRED", PlatformRefused),
        (400, "SOMETHING_NEW Geheim", PlatformRefused),
    ],
)
def test_every_refusal_is_told_without_its_text(
    served: LoopbackTelegram, code: int, text: str, kind: type[Exception]
) -> None:
    """An error of Telegram becomes ours; what it says stays out."""
    served.faults.append(Fault(HISTORY, error=(code, text), times=50))
    with standing(), pytest.raises(kind) as told:
        run("telegram", ALARM)
    assert "Geheim" not in str(told.value)


def test_an_unknown_key_is_refused(served: LoopbackTelegram) -> None:
    """A session whose key the server does not know is told as such."""
    served.key = type(served.key)(b"x" * 256)
    with standing(), pytest.raises(PlatformRefused, match="TELEGRAM_SESSION"):
        run("telegram", ALARM)


@pytest.mark.parametrize("session", ["", "nonsense", "1" * 300])
def test_a_missing_or_broken_session_is_named(monkeypatch: pytest.MonkeyPatch, session: str) -> None:
    """Without a session nothing is sent, and the variable is named."""
    monkeypatch.setenv("TELEGRAM_SESSION", session)
    with pytest.raises(PlatformRefused, match="TELEGRAM_SESSION"):
        run("telegram", ALARM)


def test_a_name_nobody_has(served: LoopbackTelegram) -> None:
    """A name that is not taken is refused; next to one that is, it is only counted."""
    with standing():
        with pytest.raises(PlatformRefused):
            run("telegram", {"channels": ["bestaat_niet"]})
        both = run("telegram", {"channels": ["bestaat_niet", "buurtalarm"]})
    assert (len(both.posts), both.counts["private"]) == (248, 1)


@settings(deadline=None, max_examples=8)
@given(stops=st.lists(st.integers(0, 300), max_size=4), limit=st.none() | st.integers(30, 120))
def test_broken_and_limited_runs_get_through_without_loss(stops: list[int], limit: int | None) -> None:
    """However often broken off or limited, in the end every message was kept, and limits were kept too."""
    with pytest.MonkeyPatch.context() as patch, LoopbackTelegram([channel()]) as server, standing():
        patch.setenv("TELEGRAM_SESSION", server.session())
        kept: list[str] = []
        cursor = None
        for stop in [*stops, *[None] * 10]:
            part = run("telegram", ALARM, Window(cursor=cursor, limit=limit), stop)
            assert limit is None or len(part.posts) <= limit
            kept += part.ids
            cursor = part.cursor
    assert sorted(kept, key=lambda i: int(i.split(":")[1])) == [
        f"1000000001:{n}" for n in range(1, 251) if n not in {7, 8}
    ]


def test_a_window_begins_without_reading_what_is_older(served: LoopbackTelegram) -> None:
    """`since` is found by one request, not by paging up to it; a later run without it brings the rest."""
    with standing():
        part = run("telegram", ALARM, Window(since=at(200), until=at(240)))
        rest = run("telegram", ALARM, Window(cursor=part.cursor))
    assert [p[2] for p in part.posts] == [f"melding {n}" for n in range(200, 240)]
    assert len({*part.ids, *rest.ids}) == 248


def test_a_refresh_tells_edits_and_deletions(served: LoopbackTelegram) -> None:
    """By id, a hundred a request: what is there as it is now, what is not as Gone."""
    source = served.channels[1_000_000_001]
    source.messages[0] = Message(1, at(1), "nu anders", edited=at(700))
    ids = [Sealed(f"1000000001:{n}") for n in range(1, 151)]
    with standing():
        found = list(collector.refresh(collector.Settings(**ALARM), ids))
    assert [g.id.reveal() for g in found if isinstance(g, Gone)] == ["1000000001:7", "1000000001:8"]
    assert plain(next(p for p in found if isinstance(p, RawPost)))[2] == "nu anders"
    assert len(found) == 150
    assert sum(isinstance(c, f.channels.GetMessagesRequest) for c in served.calls) == 2


def tl(number: int, text: str, **more: Any) -> Any:
    """A message as Telethon hands it out."""
    message = Patched(number, t.PeerChannel(5), date=START, message=text, **more)
    message._sender = None
    return message


HERE = Place(5, "forum", None, {})


def test_a_forum_topic_is_a_thread_and_no_reply() -> None:
    """A message in a topic answers nobody; one that answers in a topic stays in its thread."""
    in_topic = t.MessageReplyHeader(reply_to_msg_id=3, forum_topic=True)
    answer = t.MessageReplyHeader(reply_to_msg_id=40, reply_to_top_id=3, forum_topic=True)
    found = [plain(raw_post(tl(n, "x", reply_to=r), HERE))[3:5] for n, r in ((40, in_topic), (41, answer))]
    assert found == [("5:3", None), ("5:3", "5:40")]


def test_a_quote_from_another_chat_is_no_reply_here() -> None:
    """An answer to a message of another chat begins its own thread."""
    header = t.MessageReplyHeader(reply_to_msg_id=3, reply_to_peer_id=t.PeerChannel(99))
    assert plain(raw_post(tl(50, "x", reply_to=header), HERE))[3:5] == ("5:50", None)


def test_mentions_are_read_by_utf16_units() -> None:
    """An emoji before a mention does not shift it; an account without a handle is named by number."""
    entities = [t.MessageEntityMention(3, 8), t.MessageEntityMentionName(12, 3, user_id=77)]
    post = raw_post(tl(1, "🌸 @bertus1 Jan", entities=entities), HERE)
    assert [m.reveal() for m in post.mentions] == ["bertus1", "user77"]


def test_an_edit_that_the_platform_hides_is_none() -> None:
    """A reaction moves edit_date with edit_hide; only a visible edit is one."""
    hidden = raw_post(tl(1, "x", edit_date=at(5), edit_hide=True), HERE)
    shown = raw_post(tl(1, "x", edit_date=at(5)), HERE)
    assert (hidden.edited, shown.edited) == (None, at(5))


def test_media_are_a_kind_and_a_poll_is_text() -> None:
    """Of media only the kind is kept; a poll's question and answers are words people wrote."""
    words = t.TextWithEntities("Wie gaat er mee?", [])
    answers = [t.PollAnswer(t.TextWithEntities(a, []), a.encode()) for a in ("ik", "niemand")]
    poll = t.MessageMediaPoll(t.Poll(1, words, answers, hash=0), t.PollResults())
    post = raw_post(tl(1, "", media=poll), HERE)
    assert (post.text.reveal(), post.media) == ("Wie gaat er mee?\n- ik\n- niemand", ("poll",))
    photo = raw_post(tl(2, "kijk", media=t.MessageMediaPhoto(photo=t.PhotoEmpty(1))), HERE)
    assert photo.text.reveal() == "kijk"
