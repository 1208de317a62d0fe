"""
Mastodon, and servers that speak its API: hashtags, accounts and public timelines, with whole conversations.

Timelines are read upwards from the last id seen (`min_id`), so that pages stand still while people
post, and so that an id alone says where to go on. Ids hold their own time, so that a first run can
begin at `since`. Boosts are not posts; authors who ask not to be indexed are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import BaseModel, Field, model_validator

from . import Gone, Item, RawPost, Sealed, Skip, Window, _clock
from ._cursor import native
from ._http import Http, StatusRefused, host_of
from ._limits import Limit, Throttle
from ._run import Run
from ._shape import moment, shaped, sound
from ._text import joined, plain

VERSION = "mastodon.v1"
LIMITS = (Limit(300, 300.0),)
"""300 requests in five minutes, an address and an account."""
PAGE = 40
CAPPED = 60
"""Without a token a server shows no more descendants than this."""
OPT_OUT = re.compile(r"#(nobots?|noindex|noresearch|noarchive)\b", re.IGNORECASE)
KINDS = {"image": "photo", "gifv": "video", "video": "video", "audio": "audio"}


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    What to collect from `instance`: `hashtags` (without #), `accounts` (user or user@host), or its `public`
    timeline ("local" or "all").

    With `threads` the conversation around each status comes too, and is looked at again for `follow_days`.
    A token from MASTODON_ACCESS_TOKEN is used where there is one; many servers need none.
    """

    instance: str = Field(pattern=r"^https?://[^/]+/?$")
    hashtags: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    public: str | None = Field(default=None, pattern=r"^(local|all)$")
    threads: bool = True
    follow_days: float = Field(default=2.0, ge=0)

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not (self.hashtags or self.accounts or self.public):
            msg = "give hashtags, accounts or public"
            raise ValueError(msg)
        return self


def collect(settings: Settings, window: Window) -> Iterator[Item]:
    """
    Statuses of every timeline, oldest first, each with its conversation; a Mark after each.

    Raises PlatformRefused, RateLimited and PlatformUnreachable as `_http` does.
    """
    with _client(settings) as http:
        run = _Run(window, lambda: http.requests, settings=settings, http=http)
        for name, path, params in _timelines(run):
            yield from _timeline(run, name, path, params)
        yield from _follow(run)


def refresh(settings: Settings, ids: list[Sealed]) -> Iterator[RawPost | Gone]:
    """The present state of these statuses; what was deleted or made private is Gone. Threads are not told."""
    with _client(settings) as http:
        for sealed_id in ids:
            try:
                status, _ = http.json(f"/api/v1/statuses/{quote(native(sealed_id), safe='')}")
            except StatusRefused as refusal:
                if refusal.status not in {404, 410, 403, 401}:
                    raise
                yield Gone(sealed_id)
            else:
                yield from (_post(s, None, host_of(settings.instance)) for s in _checked([status]))


@dataclass
class _Run(Run):
    """
    One run with its settings and client; `met` holds the roots of the conversations it has read.

    The state holds `min` (timeline -> last id read), `from` (timeline -> how far back was asked), `open`
    (first status of a followed conversation -> when it was made) and `part` (a conversation that a limited
    run read only the beginning of).
    """

    settings: Settings = field(kw_only=True)
    http: Http = field(kw_only=True)
    met: set[str] = field(default_factory=set)


def _client(settings: Settings) -> Http:
    base = settings.instance.rstrip("/")
    token = os.environ.get("MASTODON_ACCESS_TOKEN", "").strip()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Http("Mastodon", base, Throttle(f"mastodon {host_of(base)}", *LIMITS), headers=headers)


def _timelines(run: _Run) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name in the cursor, path and parameters of each timeline."""
    for tag in run.settings.hashtags:
        yield f"#{tag.lower()}", f"/api/v1/timelines/tag/{quote(tag.lstrip('#'), safe='')}", {}
    for account in run.settings.accounts:
        if not run.full:
            found, _ = run.http.json("/api/v1/accounts/lookup", {"acct": account.lstrip("@")})
            with shaped("Mastodon"):
                path = f"/api/v1/accounts/{found['id']}/statuses"
            yield f"@{account}", path, {"exclude_reblogs": "true"}
    if run.settings.public:
        yield (
            run.settings.public,
            "/api/v1/timelines/public",
            {"local": str(run.settings.public == "local").lower()},
        )


def _timeline(run: _Run, name: str, path: str, params: dict[str, Any]) -> Iterator[Item]:
    """One timeline upwards from where the last run stopped."""
    place = _begin(run, name)
    while not run.full:
        page, answer = run.http.json(path, {**params, "limit": PAGE, "min_id": place})
        statuses = sorted(_checked(page), key=_order)
        run.counts["asked"] += len(statuses)
        run.counts["received"] += len(statuses)
        for status in statuses:
            if run.full or (run.window.until and moment(status["created_at"]) >= run.window.until):
                return
            yield from _conversation(run, status)
            if run.full and "part" in run.state:
                yield run.mark()
                return
            run.state["min"][name] = status["id"]
            yield run.mark()
        higher = _next(answer.links.get("prev", ""), statuses)
        if not statuses or higher == place:
            break
        place = higher
    yield run.mark()


def _begin(run: _Run, name: str) -> str:
    """The id to go on from; when a run asks further back than before, the id of that moment."""
    # What was written since may answer something older, by which alone it is found.
    since = max(0.0, run.since - (run.settings.follow_days * 86_400 if run.settings.threads else 0.0))
    starts, places = run.state.setdefault("from", {}), run.state.setdefault("min", {})
    if since < starts.get(name, -1.0):
        run.forget()
    if name not in starts or since < starts[name]:
        starts[name] = since
        places[name] = str(int(since * 1000) << 16)
    return str(places[name])


def _next(link: str, statuses: list[dict[str, Any]]) -> str:
    """The place above this page: as the server says, else its highest id."""
    told = parse_qs(urlsplit(link).query).get("min_id", [])
    return told[0] if told else str(statuses[-1]["id"]) if statuses else ""


def _conversation(run: _Run, status: dict[str, Any]) -> Iterator[Item]:
    """A status with the conversation around it, unless an earlier one of this run brought it."""
    if status.get("reblog"):
        yield Skip("a boost, not a post")
    elif not run.knows(status["id"]) or run.state.get("part", [""])[0] == status["id"]:
        items = [status]
        if run.settings.threads and (status.get("replies_count") or status.get("in_reply_to_id")):
            items = _around(run, status)
        root = items[0]
        run.met.add(root["id"])
        run.state.setdefault("open", {})[root["id"]] = moment(root["created_at"]).timestamp()
        yield from _tell(run, status["id"], root["id"], items)


def _around(run: _Run, status: dict[str, Any]) -> list[dict[str, Any]]:
    """Ancestors, the status, descendants, as far as the server shows them."""
    try:
        context, _ = run.http.json(f"/api/v1/statuses/{status['id']}/context")
    except StatusRefused as refusal:
        if refusal.status not in {401, 403, 404, 410}:
            raise
        run.counts["private" if refusal.status in {401, 403} else "deleted"] += 1
        return [status]
    with shaped("Mastodon"):
        above, below = _checked(context["ancestors"]), _checked(context["descendants"])
    run.counts["received"] += len(above) + len(below)
    run.counts["asked"] += len(above) + len(below)
    run.counts["capped"] += len(below) == CAPPED and "MASTODON_ACCESS_TOKEN" not in os.environ
    return [*above, status, *below]


def _tell(run: _Run, key: str, root: str, items: list[dict[str, Any]]) -> Iterator[Item]:
    """These statuses in order of id, from where a limited run stopped among them."""
    part = run.state.get("part", ["", ""])
    done = _order({"id": part[1]}) if part[0] == key else (0, "")
    for status in sorted(items, key=_order):
        if _order(status) <= done:
            continue
        if run.full:
            return
        item = _item(run, status, root)
        if item is not None:
            yield item
        run.state["part"] = [key, status["id"]]
    run.state.pop("part", None)


def _item(run: _Run, status: dict[str, Any], root: str) -> Item | None:
    """The post, or why it is skipped; None for one outside the window or known."""
    reason = _reason(status)
    if reason:
        run.counts["private"] += reason == "not public"
        return run.skip(status["id"], reason)
    return run.admit(_post(status, root, host_of(run.settings.instance)))


def _reason(status: dict[str, Any]) -> str | None:
    """Why a status is left out, if it is."""
    account = status["account"]
    if status.get("visibility") not in ("public", "unlisted"):
        return "not public"
    asks = account.get("noindex") or OPT_OUT.search(plain(account.get("note") or ""))
    return "author asks not to be indexed" if asks else None


def _follow(run: _Run) -> Iterator[Item]:
    """Look again at the younger conversations that this run has not met."""
    followed = run.state.get("open", {})
    oldest = (_clock.now() - timedelta(days=run.settings.follow_days)).timestamp()
    for root, created in list(followed.items()):
        if run.full:
            return
        if created < oldest or not run.settings.threads:
            del followed[root]
        elif root not in run.met:
            try:
                status, _ = run.http.json(f"/api/v1/statuses/{root}")
            except StatusRefused:
                run.counts["deleted"] += 1
                del followed[root]
            else:
                yield from _tell(run, root, root, _around(run, *_checked([status])))
            yield run.mark()
    yield run.mark()


def _post(status: dict[str, Any], root: str | None, host: str) -> RawPost:
    """A status of the API as a RawPost; accounts of the server itself get its host, as elsewhere."""
    account = status["account"]
    options = [f"- {o['title']}" for o in (status.get("poll") or {}).get("options", [])]
    names = (account.get("display_name"), account.get("username"), account["acct"])
    reply_to = status.get("in_reply_to_id")
    return RawPost(
        platform="mastodon",
        id=Sealed(status["id"]),
        author=Sealed(_whole(account, host)),
        text=Sealed(joined(status.get("spoiler_text") or "", plain(status["content"]), "\n".join(options))),
        created=moment(status["created_at"]),
        thread=Sealed(root) if root else None,
        reply_to=Sealed(reply_to) if reply_to else None,
        aliases=tuple(Sealed(n) for n in dict.fromkeys(names) if n),
        mentions=tuple(Sealed(_whole(m, host)) for m in status.get("mentions", [])),
        edited=moment(status["edited_at"]) if status.get("edited_at") else None,
        permalink=Sealed(status["url"]) if status.get("url") else None,
        language=status.get("language"),
        media=tuple(KINDS.get(m["type"], "file") for m in status.get("media_attachments", [])),
    )


def _whole(account: dict[str, Any], host: str) -> str:
    """user@host, as other servers name the account; for one of this server the host of its page."""
    acct: str = account["acct"]
    return acct if "@" in acct else f"{acct}@{urlsplit(account.get('url') or '').hostname or host}"


def _order(status: dict[str, Any]) -> tuple[int, str]:
    """Ids are numbers in text: longer is later."""
    return (len(status["id"]), status["id"])


def _checked(page: Any) -> list[dict[str, Any]]:
    """The page, if each of its entries is a status; PlatformUnreachable otherwise."""
    with shaped("Mastodon"):
        if not isinstance(page, list):
            raise TypeError
        for status in page:
            sound(_post(status, None, ""))
            _order(status)
            _reason(status)
        return page
