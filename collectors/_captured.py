"""
Items as a browser captured them from a platform's own interface: the shapes that Zeeschuimer and 4CAT keep.

Each platform has one function from an item to what a post needs; an item of another platform or shape goes
through `_anything`, which takes a post only where it finds an id, a text, a person and a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import RawPost, Sealed, Skip
from ._dates import when
from ._stream import text_of
from ._text import plain

Item = dict[str, Any]
_SHORTCODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a shape says about one post, before it is known to be whole."""

    id: object
    author: object
    text: object
    created: object
    thread: object = ""
    reply_to: object = ""
    names: tuple[object, ...] = ()
    mentions: tuple[object, ...] = ()
    media: tuple[str, ...] = ()
    permalink: object = ""
    language: object = ""


def posts(platform: str, item: Item) -> Iterator[RawPost | Skip]:
    """The posts in one captured *item* of a *platform* ("tiktok.com", "x.com", "instagram-comments", ...)."""
    name = platform_name(platform)
    found = list(_SHAPES.get(name, _anything)(item))
    if not found:
        yield Skip("an item of a shape that is not known")
    for each in found:
        yield _post(name, each)


def platform_name(source: str) -> str:
    """The platform's plain name: without address, ending or what kind of item it is; X is twitter."""
    name = source.casefold().removeprefix("www.").partition("/")[0].partition("-")[0].partition(".")[0]
    return {"x": "twitter", "ig_stories": "instagram", "truthsocial": "truth"}.get(name, name) or "unknown"


def _post(platform: str, found: _Found) -> RawPost | Skip:
    native, author, text = _name(found.id), _name(found.author), text_of(found.text).strip()
    created = when(found.created)
    if created is None:
        return Skip("no usable date")
    if not native:
        return Skip("no id")
    if not text and not found.media:
        return Skip("empty message")
    thread, answered = _name(found.thread), _name(found.reply_to)
    names = dict.fromkeys(n for n in map(_name, found.names) if n and n != author)
    return RawPost(
        platform=platform,
        id=Sealed(native),
        author=Sealed(author or f"unknown {native}"),
        text=Sealed(text),
        created=created,
        thread=Sealed(thread or answered or native),
        reply_to=Sealed(answered) if answered and answered != native else None,
        aliases=tuple(map(Sealed, names)),
        mentions=tuple(Sealed(n) for n in dict.fromkeys(map(_name, found.mentions)) if n),
        permalink=Sealed(text_of(found.permalink)) if found.permalink else None,
        language=text_of(found.language)[:8] or None,
        media=tuple(dict.fromkeys(found.media)),
    )


def _name(value: object) -> str:
    """An id or name as text; numbers count, nothing else does."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return text_of(str(value)).strip().removeprefix("@")


def dig(item: object, path: str) -> Any:
    """What lies at the dotted *path*; None where the way ends. A number is a place in a list."""
    for key in path.split("."):
        if isinstance(item, dict):
            item = item.get(key)
        elif isinstance(item, list) and key.isdigit() and int(key) < len(item):
            item = item[int(key)]
        else:
            return None
    return item


def _first(item: object, *paths: str) -> Any:
    """The first of these places where something stands."""
    return next((found for path in paths if (found := dig(item, path)) not in (None, "", [], {})), None)


def _list(item: object, *paths: str) -> list[Item]:
    found = _first(item, *paths)
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _twitter(item: Item) -> Iterator[_Found]:
    inner = item.get("tweet")
    tweet: Item = inner if isinstance(inner, dict) and "legacy" in inner else item
    legacy = tweet.get("legacy") if isinstance(tweet.get("legacy"), dict) else tweet
    user = _first(tweet, "core.user_results.result", "user") or {}
    handle = _first(user, "legacy.screen_name", "core.screen_name", "screen_name")
    if not handle:
        return
    native = _first(tweet, "rest_id", "legacy.id_str", "id_str", "id")
    media = _list(legacy, "extended_entities.media", "entities.media")
    yield _Found(
        native,
        handle,
        _tweet_text(tweet, legacy),
        _first(legacy, "created_at"),
        _first(legacy, "conversation_id_str", "in_reply_to_status_id_str"),
        _first(legacy, "in_reply_to_status_id_str"),
        (_first(user, "legacy.name", "core.name", "name"), _first(user, "rest_id", "id_str")),
        tuple(m.get("screen_name") for m in _list(legacy, "entities.user_mentions")),
        tuple("photo" if m.get("type") == "photo" else "video" for m in media),
        f"https://x.com/{handle}/status/{native}",
        _first(legacy, "lang"),
    )


def _tweet_text(tweet: Item, legacy: Any) -> object:
    """The whole text: a long tweet's note, a retweet's original, which is cut in the retweet itself."""
    again = _first(legacy, "retweeted_status_result.result.tweet", "retweeted_status_result.result", "retweeted_status")
    if isinstance(again, dict) and again is not tweet:
        inner = again.get("legacy") if isinstance(again.get("legacy"), dict) else again
        who = _first(
            again,
            "core.user_results.result.legacy.screen_name",
            "core.user_results.result.core.screen_name",
            "user.screen_name",
        )
        original = _first(again, "note_tweet.note_tweet_results.result.text") or _first(inner, "full_text", "text")
        if who and original:
            return f"RT @{who}: {original}"
    return _first(tweet, "note_tweet.note_tweet_results.result.text") or _first(legacy, "full_text", "text")


def _tiktok(item: Item) -> Iterator[_Found]:
    if "cid" in item:
        answered = _name(item.get("reply_id"))
        thread = item.get("aweme_id")
        yield _Found(
            item["cid"],
            _first(item, "user.unique_id", "user.uid"),
            item.get("text"),
            item.get("create_time"),
            thread,
            answered if answered not in ("", "0") else thread,
            (dig(item, "user.nickname"),),
            media=tuple("photo" for _ in _list(item, "image_list")[:1]),
        )
        return
    if "desc" not in item and "createTime" not in item:
        return
    handle = _first(item, "author.uniqueId") or (item.get("author") if isinstance(item.get("author"), str) else None)
    stickers = [text_of(words) for s in _list(item, "stickersOnItem") for words in _each(s.get("stickerText"))]
    yield _Found(
        item.get("id"),
        handle,
        "\n".join(filter(None, [text_of(item.get("desc")), *stickers])),
        item.get("createTime"),
        names=(_first(item, "author.nickname", "nickname"), dig(item, "author.id")),
        mentions=tuple(t.get("userUniqueId") for t in _list(item, "textExtra")),
        media=("photo",) if item.get("imagePost") else ("video",),
        permalink=f"https://www.tiktok.com/@{handle}/video/{item.get('id')}",
        language=item.get("textLanguage"),
    )


def _instagram(item: Item) -> Iterator[_Found]:
    if "post_id" in item and "text" in item:
        thread = item.get("post_shortcode") or _shortcode(item.get("post_id"))
        yield _Found(
            _first(item, "comment_id", "pk", "id"),
            _first(item, "user.unique_id", "user.username", "owner.username"),
            item["text"],
            _first(item, "created_at", "created_at_utc"),
            thread,
            item.get("parent_comment_id") or thread,
            (_first(item, "user.nickname", "user.full_name"),),
        )
        return
    native = _first(item, "code", "shortcode")
    if not native:
        return
    handle = _first(item, "user.username", "owner.username")
    tagged = [dig(t, "user.username") for t in _list(item, "usertags.in")]
    tagged += [dig(t, "node.user.username") for t in _list(item, "edge_media_to_tagged_user.edges")]
    yield _Found(
        native,
        handle,
        _first(item, "caption.text", "edge_media_to_caption.edges.0.node.text") or "",
        _first(item, "taken_at", "taken_at_timestamp"),
        names=(_first(item, "user.full_name", "owner.full_name"),),
        mentions=tuple(tagged),
        media=_instagram_media(item),
        permalink=f"https://www.instagram.com/p/{native}/",
    )


def _instagram_media(item: Item) -> tuple[str, ...]:
    """Photo or video, of each part of a carousel."""
    parts = _list(item, "carousel_media")
    parts = parts or [n for e in _list(item, "edge_sidecar_to_children.edges") if isinstance(n := e.get("node"), dict)]
    if "media_type" not in item and "__typename" not in item and not parts:
        return ()
    is_video = [p.get("media_type") == 2 or bool(p.get("is_video") or p.get("video_versions")) for p in parts or [item]]
    return tuple("video" if video else "photo" for video in is_video)


def _shortcode(number: object) -> str:
    """The code in a post's address, from the number by which its comments name it."""
    digits = _name(number).partition("_")[0]
    if not digits.isdecimal() or len(digits) > 30:
        return ""
    value, code = int(digits), ""
    while value:
        value, rest = divmod(value, 64)
        code = _SHORTCODE[rest] + code
    return code


def _threads(item: Item) -> Iterator[_Found]:
    for found in _instagram(item):
        yield _Found(
            found.id,
            found.author,
            found.text,
            found.created,
            names=found.names,
            mentions=(*found.mentions, dig(item, "text_post_app_info.reply_to_author.username")),
            media=found.media,
            permalink=f"https://www.threads.net/@{_name(found.author)}/post/{_name(found.id)}",
        )


def _facebook(item: Item) -> Iterator[_Found]:
    comments = _list(item, "comment_rendering_instance_for_feed_location.comments.edges")
    for node in (n for e in comments if isinstance(n := e.get("node"), dict)):
        thread = _name(_first(node, "parent_feedback.share_fbid") or item.get("id")).removeprefix("feedback:")
        yield _Found(
            _first(node, "legacy_fbid", "id"),
            _first(node, "author.id", "author.url", "author.name"),
            _first(node, "body.text", "preferred_body.text") or "",
            node.get("created_time"),
            thread,
            _first(node, "comment_parent.legacy_fbid", "comment_direct_parent.legacy_fbid") or thread,
            (dig(node, "author.name"),),
            media=("photo",) if _list(node, "attachments") else (),
        )
    story = dig(item, "comet_sections.content.story")
    if not isinstance(story, dict):
        return
    actor = _first(story, "actors.0", "comet_sections.context_layout.story.comet_sections.actor_photo.story.actors.0")
    yield _Found(
        _first(story, "post_id", "id"),
        _first(actor, "id", "url", "name"),
        _first(story, "message.text", "comet_sections.message.story.message.text") or "",
        _deep(item.get("comet_sections"), "creation_time"),
        names=(dig(actor, "name"), text_of(dig(actor, "url")).rstrip("/").rpartition("/")[2]),
        media=tuple(
            "video" if dig(a, "target.__typename") == "Video" else "photo" for a in _list(story, "attachments")
        ),
        permalink=_first(story, "wwwURL", "permalink_url"),
    )


def _deep(value: object, key: str) -> object:
    """The first value under *key* anywhere below; a thousand containers are looked at, not more."""
    waiting = [value]
    for _ in range(1000):
        if not waiting:
            return None
        here = waiting.pop(0)
        if isinstance(here, dict):
            if here.get(key) is not None:
                return here[key]
            waiting.extend(v for v in here.values() if isinstance(v, (dict, list)))
        elif isinstance(here, list):
            waiting.extend(v for v in here if isinstance(v, (dict, list)))
    return None


def _linkedin(item: Item) -> Iterator[_Found]:
    urn = text_of(_first(item, "updateMetadata.urn", "preDashEntityUrn", "metadata.backendUrn", "entityUrn"))
    number = urn.partition("urn:li:activity:")[2]
    native = number[: next((n for n, c in enumerate(number) if not c.isdecimal()), len(number))]
    actor = item.get("actor")
    if not native or not isinstance(actor, dict):
        return
    address = text_of(dig(actor, "navigationContext.actionTarget")).partition("?")[0]
    yield _Found(
        native,
        address.partition("linkedin.com/")[2] or dig(actor, "name.text"),
        _first(item, "commentary.text.text") or "",
        # The number holds when it was given, in milliseconds; the page shows no more than "3 w".
        int(native) >> 22 if len(native) < 25 else None,
        names=(dig(actor, "name.text"),),
        media=("photo",) if _first(item, "content.images", "content.imageComponent") else (),
        permalink=f"https://www.linkedin.com/feed/update/urn:li:activity:{native}",
    )


_TEXTS = ("text", "body", "content", "caption", "desc", "description", "message", "full_text", "title", "display_title")
_TIMES = (
    "time",
    "created_at",
    "createTime",
    "create_time",
    "taken_at",
    "timestamp",
    "created",
    "creationTs",
    "published",
    "date",
)
_PEOPLE = ("author", "user", "account", "owner", "creator", "username", "screen_name", "pinner")
_HANDLES = ("username", "unique_id", "uniqueId", "acct", "screen_name", "handle", "nickname", "name", "id")


def _anything(item: Item) -> Iterator[_Found]:
    """A post in an item of no known platform, where it has all four: an id, a text, a person and a time."""
    native = _first(item, "id", "id_str", "cid", "comment_id", "uri", "code", "aweme_id", "note_id")
    text = next((t for key in _TEXTS if (t := _words(item.get(key)))), "")
    created = next((item[key] for key in _TIMES if when(item.get(key)) is not None), None)
    who = next((w for key in _PEOPLE if (w := item.get(key))), None)
    author = who if isinstance(who, str) else next((n for key in _HANDLES if (n := _name(dig(who, key)))), "")
    if not (native and text and created is not None and author):
        return
    yield _Found(
        native,
        author,
        text,
        created,
        _first(item, "thread_id", "conversation_id", "in_reply_to_id"),
        _first(item, "in_reply_to_id", "parent_id", "reply_to"),
        tuple(dig(who, key) for key in ("display_name", "nickname", "full_name", "name")),
        tuple(_first(m, "acct", "username") for m in _list(item, "mentions")),
        tuple("video" if "video" in str(m.get("type")) else "photo" for m in _list(item, "media_attachments")),
        _first(item, "url", "uri"),
        _first(item, "language", "lang"),
    )


def _words(value: object) -> str:
    found = text_of(dig(value, "text") if isinstance(value, dict) else value)
    return plain(found) if "</" in found or "<br" in found else found


_SHAPES: dict[str, Callable[[Item], Iterator[_Found]]] = {
    "twitter": _twitter,
    "tiktok": _tiktok,
    "instagram": _instagram,
    "threads": _threads,
    "facebook": _facebook,
    "linkedin": _linkedin,
}
