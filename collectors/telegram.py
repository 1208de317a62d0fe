"""
Telegram through Telethon: public channels and groups, the comments below channel posts, forum topics.

A chat is read from its oldest message on, so that one number says where to go on. Numbers run without
holes in a channel: those that are missing were deleted, and are counted. Comments of a channel are read
from its discussion group where that is open, and post by post where it is not; either way they stand in
the thread of the post. Names are looked up once, as Telegram limits nothing harder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from . import Gone, Item, PlatformRefused, RawPost, Sealed, Skip, Window, _clock
from ._cursor import native
from ._messages import Place, raw_post, skip_reason, thread_of
from ._run import Run
from ._telethon import Closed, Telegram

VERSION = "telegram.v1"
PAGE = 100
KEPT = 1000
"""Copies of channel posts in a discussion group that the cursor remembers."""


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to collect: `channels` by name (name, @name or t.me/name), with their `comments` where there are any.

    Comments that can only be read post by post are looked for during `follow_days`. The account comes from
    TELEGRAM_SESSION, TELEGRAM_API_ID and TELEGRAM_API_HASH.
    """

    channels: tuple[str, ...] = Field(min_length=1)
    comments: bool = True
    follow_days: float = Field(default=7.0, ge=0)


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Messages of every channel, oldest first, then its comments; a Mark after each page.

    Chats that do not open are counted as "private"; only when all do so is that an error. Raises
    PlatformRefused without a session, RateLimited for a long flood wait, PlatformUnreachable.
    """
    with Telegram() as telegram:
        run = _Run(window, lambda: telegram.requests, settings=settings, telegram=telegram)
        closed: list[Closed] = []
        for name in settings.channels:
            if run.full:
                return
            try:
                yield from _channel(run, name)
            except Closed as refusal:
                closed.append(refusal)
                run.counts["private"] += 1
            yield run.mark()
        if len(closed) == len(settings.channels):
            raise closed[0]


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """
    The present state of these messages, a hundred a request; what is not there any more is Gone.

    A channel that does not open any more is gone with all its messages. Of a discussion group that is
    closed nothing can be told, as its messages were read another way: they are left out.
    """
    with Telegram() as telegram:
        run = _Run(Window(), lambda: telegram.requests, settings=settings, telegram=telegram)
        chats = {chat.id: chat for name in settings.channels for chat in _chats(run, name)}
        for number, batch in _by_chat(ids):
            if number in chats:
                yield from _present(run, chats[number], batch)


def _present(run: _Run, chat: _Chat, batch: dict[str, Sealed]) -> Iterator[RawPost | Gone]:
    try:
        found = _by_id(run, chat, [int(i) for i in batch])
        copies = _copies(run, chat, [m for m in found if m])
    except Closed:
        if chat.channel is None:
            yield from (Gone(sealed_id) for sealed_id in batch.values())
        return
    for sealed_id, message in zip(batch.values(), found, strict=True):
        gone = message is None or skip_reason(message)
        yield Gone(sealed_id) if gone else raw_post(message, _placed(chat, copies))


@dataclass(frozen=True)
class _Chat:
    """A channel or group: how to ask for it, and of a discussion group the channel that it belongs to."""

    id: int
    access: int
    name: str
    broadcast: bool = False
    channel: int | None = None

    @property
    def peer(self) -> Any:
        from telethon.tl.types import InputPeerChannel

        return InputPeerChannel(self.id, self.access)


@dataclass
class _Run(Run):
    """
    One run with its settings and client.

    The state holds `chats` (name -> numbers by which its chats are asked for), and for each chat `min` (last
    message read), `from` (how far back was asked), `copies` (message of a discussion group -> channel post
    of which it is the copy, 0 for an ordinary one) and `posts` (followed post -> its time, its number of
    comments, its last comment).
    """

    settings: Settings = field(kw_only=True)
    telegram: Telegram = field(kw_only=True)

    def chat(self, number: int) -> dict[str, Any]:
        """The state of one chat."""
        blank: dict[str, Any] = {"min": 0, "from": None, "copies": {}, "posts": {}}
        state: dict[str, Any] = self.state.setdefault(str(number), blank)
        return state


def _channel(run: _Run, name: str) -> Iterator[Item]:
    """A channel or group, and the comments of a channel."""
    chat, *discussion = _chats(run, name)
    yield run.mark()
    yield from _history(run, chat)
    if not (run.settings.comments and chat.broadcast) or run.full:
        return
    try:
        for group in discussion:
            yield from _history(run, group)
    except Closed:
        yield from _post_by_post(run, chat, discussion[0])


def _chats(run: _Run, name: str) -> list[_Chat]:
    """The chat of this name and, of a channel with comments, its discussion group. Looked up once."""
    known = run.state.setdefault("chats", {})
    if name not in known:
        known[name] = _look_up(run, name)
    number, access, broadcast, *linked = known[name]
    public = name.rstrip("/").rsplit("/", 1)[-1].lstrip("@")
    group = [_Chat(linked[0], linked[1], linked[2], channel=number)] if linked else []
    return [_Chat(number, access, public, broadcast=broadcast), *group]


def _look_up(run: _Run, name: str) -> list[Any]:
    from telethon.tl.functions.channels import GetFullChannelRequest
    from telethon.tl.types import Channel

    public = name.rstrip("/").rsplit("/", 1)[-1].lstrip("@")
    found = run.telegram.ask(lambda client: client.get_entity(public))
    if not isinstance(found, Channel):
        msg = "a name in settings.channels is a person or a small group, not a channel or public group"
        raise PlatformRefused(msg)
    known: list[Any] = [found.id, found.access_hash, bool(found.broadcast)]
    if found.broadcast:
        full = run.telegram.ask(lambda client: client(GetFullChannelRequest(found)))
        linked = [c for c in full.chats if c.id == full.full_chat.linked_chat_id]
        known += [x for c in linked[:1] for x in (c.id, c.access_hash or 0, getattr(c, "username", None) or "")]
    return known


def _history(run: _Run, chat: _Chat) -> Iterator[Item]:
    """The messages of a chat from where the last run stopped, a page a request."""
    state = _begin(run, chat)
    while not run.full:
        page = _page(run, chat, state["min"])
        copies = _copies(run, chat, page)
        for message in page:
            if run.full or message.date.timestamp() >= run.until:
                yield run.mark()
                return
            run.counts["asked"] += message.id - state["min"]
            run.counts["received"] += 1
            run.counts["deleted"] += message.id - state["min"] - 1
            state["min"] = message.id
            _remember(state, chat, message)
            item = _item(run, message, _placed(chat, copies))
            if item is not None:
                yield item
        yield run.mark()
        if len(page) < PAGE:
            return


def _begin(run: _Run, chat: _Chat) -> dict[str, Any]:
    """The chat's state; when a run asks further back than before, it starts again from there."""
    state = run.chat(chat.id)
    if state["from"] is None or run.since < state["from"]:
        state.update({"min": 0, "from": run.since})
        since = run.window.since
        if since is not None:
            before = run.telegram.ask(lambda client: client.get_messages(chat.peer, limit=1, offset_date=since))
            state["min"] = before[0].id if before else 0
    return state


def _placed(chat: _Chat, copies: dict[int, int]) -> Place:
    return Place(chat.id, chat.name, chat.channel, copies)


def _remember(state: dict[str, Any], chat: _Chat, message: Any) -> None:
    """A channel post that can have comments is followed for a while."""
    if chat.broadcast and getattr(message, "replies", None) is not None and message.replies.comments:
        state["posts"][str(message.id)] = [message.date.timestamp(), 0, 0]


def _item(run: _Run, message: Any, place: Place) -> Item | None:
    """The post, or why it is skipped; None for one outside the window."""
    reason = skip_reason(message) or place.copy_reason(message)
    return Skip(reason) if reason else run.admit(raw_post(message, place))


def _copies(run: _Run, chat: _Chat, page: list[Any]) -> dict[int, int]:
    """Of a discussion group: which of its messages are copies of which channel posts, as far as *page* needs it."""
    if chat.channel is None:
        return {}
    kept = run.chat(chat.id)["copies"]
    for message in page:
        if post := Place(chat.id, chat.name, chat.channel, {}).copied(message):
            kept[str(message.id)] = post
    here = {m.id for m in page}
    tops = {top for m in page if (top := thread_of(m)) and top not in here and str(top) not in kept}
    for batch in _hundreds(sorted(tops)):
        for top, message in zip(batch, _by_id(run, chat, batch), strict=True):
            kept[str(top)] = Place(chat.id, chat.name, chat.channel, {}).copied(message) if message else 0
    for old in sorted(kept, key=int)[:-KEPT]:
        del kept[old]
    return {int(copy): post for copy, post in kept.items() if post}


def _post_by_post(run: _Run, chat: _Chat, group: _Chat) -> Iterator[Item]:
    """The comments of the followed posts whose number has changed, for a discussion group that is closed."""
    posts = run.chat(chat.id)["posts"]
    oldest = _clock.seconds() - run.settings.follow_days * 86_400
    for batch in _hundreds(sorted(map(int, posts))):
        for number, message in zip(batch, _by_id(run, chat, batch), strict=True):
            post = posts[str(number)]
            claimed = message.replies.replies if message is not None and message.replies else 0
            if claimed and claimed != post[1]:
                yield from _comments(run, chat, group, number, claimed)
                if run.full:
                    return
                post[1] = claimed
            if post[0] < oldest:
                del posts[str(number)]
        yield run.mark()


def _comments(run: _Run, chat: _Chat, group: _Chat, number: int, claimed: int) -> Iterator[Item]:
    """The comments below one post, from the last known on, until as many came as are claimed, or none."""
    post = run.chat(chat.id)["posts"][str(number)]
    missing = max(1, claimed - post[1])  # where some were deleted, as many may be new
    while missing > 0 and not run.full:
        page = _page(run, chat, post[2], reply_to=number)
        run.counts["asked"] += len(page)
        run.counts["received"] += len(page)
        for message in page:
            if run.full:
                break
            item = _item(run, message, Place(group.id, group.name, chat.id, {thread_of(message) or 0: number}))
            if item is not None:
                yield item
            post[2] = message.id
        yield run.mark()
        missing = missing - len(page) if len(page) == PAGE else 0


def _page(run: _Run, chat: _Chat, low: int, reply_to: int | None = None) -> list[Any]:
    """
    The hundred messages above *low*, oldest first: of the chat, or below one post.

    Telethon asks on until it has a hundred or the server has no more: fewer are the end.
    """
    asked = {"limit": PAGE, "reverse": True, "min_id": low, "reply_to": reply_to}
    found: list[Any] = run.telegram.ask(lambda client: client.get_messages(chat.peer, **asked))
    return found


def _by_id(run: _Run, chat: _Chat, numbers: list[int]) -> list[Any]:
    """These messages in this order, None for what is gone."""
    found: list[Any] = run.telegram.ask(lambda client: client.get_messages(chat.peer, ids=numbers))
    return found


def _by_chat(ids: list[Sealed]) -> Iterator[tuple[int, dict[str, Sealed]]]:
    """Native ids (chat:message) by chat, a hundred at most together."""
    chats: dict[int, dict[str, Sealed]] = {}
    for sealed_id in ids:
        chat, _, message = native(sealed_id).partition(":")
        if chat.isdigit() and message.isdigit():
            chats.setdefault(int(chat), {})[message] = sealed_id
    for chat_id, messages in chats.items():
        for batch in _hundreds([int(m) for m in messages]):
            yield chat_id, {str(m): messages[str(m)] for m in batch}


def _hundreds(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), PAGE):
        yield numbers[start : start + PAGE]
