"""What PRAW hands out, as posts of ours; and the seam at which its errors become ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from . import CollectorError, PlatformRefused, PlatformUnreachable, RawPost, Sealed
from ._http import StatusRefused, refusal
from ._shape import sound
from ._text import joined

__all__ = ["checked", "mapped", "raw_post", "skip_reason", "walk"]

NOBODY = "[deleted]"
REMOVED = frozenset({"[removed]", "[ Removed by Reddit ]"})
DELETED = frozenset({NOBODY, "[deleted by user]"})
MENTION = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})")


def skip_reason(thing: Any) -> str | None:
    """Why a submission or comment is left out, if it is; a missing author alone is no reason."""
    body = _body(thing).strip()
    if body in DELETED:
        return "deleted by its author"
    if body in REMOVED:
        return "removed by moderators"
    return None


def raw_post(thing: Any) -> RawPost:
    """A PRAW submission or comment as a RawPost; ids are fullnames (t3_..., t1_...)."""
    has = vars(thing)
    body, name = _body(thing), thing.fullname
    comment = "body" in has
    author = has.get("author")
    thread = has["link_id"] if comment else name
    return RawPost(
        platform="reddit",
        id=Sealed(name),
        # Each deleted account stays a person of its own, else all of them would be one.
        author=Sealed(author.name if author else f"{NOBODY} {name}"),
        text=Sealed(body if comment else joined(has.get("title") or "", body, _link(has))),
        created=_moment(has["created_utc"]),
        thread=Sealed(thread),
        reply_to=Sealed(has["parent_id"]) if comment else None,
        mentions=tuple(Sealed(m) for m in dict.fromkeys(MENTION.findall(body))),
        edited=_edited(has.get("edited"), has["created_utc"]),
        permalink=Sealed("https://www.reddit.com" + has["permalink"]) if has.get("permalink") else None,
        media=_media(has),
    )


def checked(thing: Any, kind: str = "") -> Any:
    """The submission or comment, if it has all that is asked of it; to be called within `mapped`."""
    has = vars(thing)
    if not thing.fullname.startswith(kind):
        raise TypeError
    sound(raw_post(thing))
    if not isinstance(has["created_utc"], int | float) or not isinstance(has["id"], str):
        raise TypeError
    if not has["id"]:
        raise ValueError
    if "body" not in has and not isinstance(has["num_comments"], int):
        raise TypeError
    return thing


def _body(thing: Any) -> str:
    has = vars(thing)
    return str(has.get("body", has.get("selftext")) or "")


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _edited(value: Any, created: float) -> datetime | None:
    """`edited` is false, a time, or true for an edit of unknown date (then: when it was made)."""
    if value is True:
        return _moment(created)
    return _moment(value) if value else None


def _link(has: dict[str, Any]) -> str:
    """The address that a link post is about; pictures and films are media, not text."""
    url = has.get("url_overridden_by_dest") or ""
    return "" if has.get("is_self", True) or _media(has) else str(url)


def _media(has: dict[str, Any]) -> tuple[str, ...]:
    if has.get("is_gallery") or has.get("post_hint") == "image" or has.get("media_metadata"):
        return ("photo",)
    return ("video",) if has.get("is_video") or str(has.get("post_hint", "")).endswith(":video") else ()


def walk(submission: Any) -> tuple[list[Any], int]:
    """
    Every comment of a submission, each once, and how many stubs led nowhere.

    PRAW's `replace_more` inserts into its tree and gives the whole thread up when a parent is missing; so
    its stubs (`MoreComments`) are resolved here one by one, by PRAW, and the comments are only gathered.
    """
    from praw.models import MoreComments

    lost = 0
    found: dict[str, Any] = {}
    with mapped():
        queue = list(submission.comments)
        checked(submission, "t3_")  # fetching its comments has fetched it anew
    while queue:
        thing = queue.pop()
        if isinstance(thing, MoreComments):
            more = _resolved(thing, submission)
            lost += more is None
            queue.extend(more or ())
            continue
        with mapped():
            if checked(thing).id not in found:
                found[thing.id] = thing
                queue.extend(thing.replies)
    return list(found.values()), lost


def _resolved(more: Any, submission: Any) -> list[Any] | None:
    """What a stub stands for; None when what it hung on is gone."""
    try:
        with mapped():
            more.submission = submission
            if not more.count and not more.parent_id.startswith("t1_"):
                return None
            return list(more.comments(update=False))
    except _Odd:
        return None
    except StatusRefused as gone:
        if gone.status not in {403, 404, 410}:
            raise
        return None


class _Odd(PlatformUnreachable):
    """PRAW met a payload that it did not expect."""


@contextmanager
def mapped() -> Iterator[None]:
    """The seam: whatever PRAW and prawcore raise becomes a CollectorError; their texts are dropped."""
    import praw.exceptions
    import prawcore

    try:
        yield
    except prawcore.RequestException as error:
        if isinstance(error.original_exception, CollectorError):
            raise error.original_exception from None
        msg = "Reddit cannot be reached; try again later"
        raise PlatformUnreachable(msg) from None
    except prawcore.BadJSON:
        msg = "Reddit sent something other than JSON; try again later"
        raise PlatformUnreachable(msg) from None
    except prawcore.OAuthException:
        msg = "Reddit does not accept the keys; check REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
        raise PlatformRefused(msg) from None
    except prawcore.Redirect:
        raise refusal("Reddit", 404) from None  # an unknown subreddit leads to its search page
    except (prawcore.ResponseException, prawcore.SpecialError) as error:
        raise refusal("Reddit", error.response.status_code) from None
    except (prawcore.PrawcoreException, praw.exceptions.PRAWException):
        msg = "Reddit's API answered with an error; check the settings of this source"
        raise PlatformRefused(msg) from None
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        msg = "Reddit sent an answer in a shape that PRAW does not know; try again later"
        raise _Odd(msg) from None
