"""
The only HTTP client, and the only place where a request is tried again.

What can come back, and what becomes of it:

    200 and readable                 an `Answer`
    429, 503 with Retry-After        waited for; RateLimited(resume_at) if longer than a run should wait
    408, 425, 5xx, cut, slow, HTML   tried again with growing pauses, then PlatformUnreachable
    other 4xx, 3xx                   StatusRefused (a PlatformRefused) with its status

Nothing of an answer's body or of an address beyond its host gets into a message.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from . import PlatformRefused, PlatformUnreachable, _clock

if TYPE_CHECKING:
    from ._limits import Throttle

__all__ = ["AGENT", "Answer", "Cut", "Http", "StatusRefused", "host_of", "is_loopback", "secret", "steadily"]

AGENT = f"veldwerk/0.1 (academic research; {os.environ.get('VELDWERK_CONTACT') or 'contact: see project'})"
TRIES = 5
PASSING = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
LARGEST = 64 * 2**20
"""Bytes of one answer; no platform's page comes near it."""

WHY = {
    400: "does not understand the request",
    401: "does not accept the keys",
    402: "asks for payment",
    403: "does not give access (private, banned or not permitted)",
    404: "has no such thing (gone, renamed or private)",
    410: "says it is gone",
    451: "withholds it for legal reasons",
}


class StatusRefused(PlatformRefused):
    """
    The platform answered with an HTTP status that trying again will not change.

    `reason` is the error's short name where the API gives one ("commentsDisabled"), else empty.
    """

    def __init__(self, message: str, status: int, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Cut(Exception):
    """
    A try that brought no usable answer; `reason` is a fixed phrase. Never leaves this package.

    `again` says whether another try may help.
    """

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class Response(Protocol):
    """What both httpx and requests answer with."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def not_json(body: bytes) -> Cut:
    """The Cut for a body that should have been JSON."""
    page = body.lstrip()[:1] == b"<"
    return Cut("sent a web page in place of JSON" if page else "sent JSON that is cut short or broken")


R = TypeVar("R", bound=Response)


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its status, its body, its headers (lower-case names) and its Link relations."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    links: Mapping[str, str]
    url: str

    def json(self) -> Any:
        """The body as JSON; Cut when it is none."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise Cut("sent JSON nested beyond reason") from None
        except UnicodeDecodeError:
            raise Cut("sent text in an encoding that it did not name") from None
        except ValueError:
            raise not_json(self.content) from None


def steadily(what: str, throttle: Throttle, send: Callable[[], R], units: int = 1) -> R:
    """
    Send until an answer comes that is worth having, at the pace that *throttle* allows.

    `send` raises Cut for a try that failed on the way. Returns the answer whatever its status, other than
    those that pass by themselves. Raises PlatformUnreachable or RateLimited; *what* names the platform.
    """
    reason = ""
    for attempt in range(TRIES):
        throttle.take(units)
        try:
            answer = send()
        except Cut as cut:
            reason = cut.reason
            if not cut.again:
                break
        else:
            _heed(throttle, answer.headers)
            if answer.status_code == 429 or (answer.status_code == 503 and "retry-after" in answer.headers):
                reason = "asks for fewer requests"
                throttle.block(_clock.seconds() + _asked_pause(answer.headers, attempt))
                continue
            if answer.status_code not in PASSING:
                return answer
            reason = f"has a fault of its own (status {answer.status_code})"
        if attempt + 1 < TRIES:
            _clock.sleep(2.0**attempt * random.uniform(0.5, 1.0))
    msg = f"{what} {reason} (tried {attempt + 1} times); try again later"
    raise PlatformUnreachable(msg)


def _asked_pause(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds that a 429 asks for; where it names none, longer each time."""
    asked = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(asked)) + 0.5
    except ValueError:
        moment = _moment(asked)
    if moment is None:
        return 15.0 * 2.0**attempt
    return max(0.0, moment - _their_now(headers)) + 0.5


def _heed(throttle: Throttle, headers: Mapping[str, str]) -> None:
    """Pass on the limit in the headers: x-ratelimit-* (Reddit, Mastodon) or ratelimit-* (Bluesky)."""
    for prefix in ("x-ratelimit-", "ratelimit-"):
        remaining, reset = headers.get(prefix + "remaining"), headers.get(prefix + "reset")
        if remaining and reset:
            try:
                throttle.heed(float(remaining), _clock.seconds() + _until(reset, headers))
            except ValueError:
                return  # a header in no known form binds nobody
            return


def _until(reset: str, headers: Mapping[str, str]) -> float:
    """Seconds until a reset, given as seconds from now, an epoch or a time stamp, whatever our clock says."""
    try:
        number = float(reset)
    except ValueError:
        return datetime.fromisoformat(reset).timestamp() - _their_now(headers)
    return number if number < 10_000_000 else number - _their_now(headers)


def _their_now(headers: Mapping[str, str]) -> float:
    """Their clock as the Date header tells it; ours may be wrong."""
    return _moment(headers.get("date", "")) or _clock.seconds()


def _moment(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Http:
    """
    A client for one platform: `get` and `post` of paths below `base`, paced by `throttle`.

    `patience` bounds one answer in seconds, however slowly it drips in.
    """

    def __init__(
        self,
        what: str,
        base: str,
        throttle: Throttle,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        patience: float = 120.0,
    ) -> None:
        self.what = what
        self.requests = 0
        self.throttle = throttle
        self._patience = patience
        self._client = httpx.Client(
            base_url=base,
            headers={"User-Agent": AGENT, **(headers or {})},
            timeout=timeout,
            follow_redirects=True,
            max_redirects=5,
            trust_env=not is_loopback(base),
            verify=_certificates(),
        )

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def authorise(self, value: str) -> None:
        """Send this Authorization from now on."""
        self._client.headers["Authorization"] = value

    def json(self, path: str, params: Mapping[str, Any] | None = None, units: int = 1) -> tuple[Any, Answer]:
        """The JSON at *path*, and the answer it came in; *units* is what it costs of the quota."""
        kept: list[Any] = []
        answer = self._ask("GET", path, params, None, lambda a: kept.append(a.json()), units=units)
        return kept[-1], answer

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a POST of this JSON *body* brings."""
        kept: list[Any] = []
        self._ask("POST", path, None, body, lambda a: kept.append(a.json()))
        return kept[-1]

    def content(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The bytes at *path* (a whole address is allowed); a 304 is an answer with an empty body."""
        return self._ask("GET", path, None, None, lambda _: None, headers)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        check: Callable[[Answer], None],
        headers: Mapping[str, str] | None = None,
        units: int = 1,
    ) -> Answer:
        answers: list[Answer] = []

        def send() -> httpx.Response:
            request = self._client.build_request(method, path, params=params, json=body, headers=headers)
            response, answer = self._send(request)
            if response.status_code < 300:
                check(answer)
            answers.append(answer)
            return response

        response = steadily(self.what, self.throttle, send, units)
        if response.status_code >= 300 and response.status_code != 304:
            raise refusal(self.what, response.status_code, _reason(answers[-1].content))
        return answers[-1]

    def _send(self, request: httpx.Request) -> tuple[httpx.Response, Answer]:
        self.requests += 1
        with cutting():
            response = self._client.send(request, stream=True)
            try:
                content = self._body(response)
            finally:
                response.close()
        links = {rel: str(link.get("url", "")) for rel, link in response.links.items() if rel}
        return response, Answer(response.status_code, content, response.headers, links, str(response.url))

    def _body(self, response: httpx.Response) -> bytes:
        start, size, parts = time.monotonic(), 0, []
        for part in response.iter_bytes():
            size += len(part)
            parts.append(part)
            if size > LARGEST:
                raise Cut(f"sent more than {LARGEST >> 20} MB in one answer")
            if time.monotonic() - start > self._patience:
                raise Cut("answers too slowly")
        return b"".join(parts)


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities to trust, read once for all clients."""
    return httpx.create_ssl_context()


@contextmanager
def cutting() -> Iterator[None]:
    """The seam: whatever httpx raises becomes a Cut with a fixed phrase."""
    try:
        yield
    except httpx.TooManyRedirects:
        raise Cut("redirects in a circle", again=False) from None
    except httpx.TimeoutException:
        raise Cut("does not answer in time") from None
    except httpx.DecodingError:
        raise Cut("sent a body that does not unpack") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise Cut("redirects to an address that is none", again=False) from None
    except httpx.HTTPError:
        raise Cut("cannot be reached or broke off") from None


def refusal(what: str, status: int, reason: str = "") -> StatusRefused:
    """The error for a status that trying again will not change."""
    told = f"status {status}: {reason}" if reason else f"status {status}"
    return StatusRefused(f"{what} {WHY.get(status, 'refuses')} ({told})", status, reason)


def _reason(body: bytes) -> str:
    """The short name of an error in a JSON body: one word of letters, never a sentence, which may quote."""
    try:
        error = json.loads(body)["error"]
        found = error["errors"][0]["reason"] if isinstance(error, dict) else error
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and re.fullmatch("[A-Za-z]{3,40}", found) else ""


def host_of(url: str) -> str:
    """The host of an address; on this machine with its port, so that test servers do not share a limit."""
    parts = urlsplit(url)
    return (parts.netloc if is_loopback(url) else parts.hostname) or url


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine: a replay server, which wants no real keys."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secret(variable: str, base: str, what: str) -> str:
    """
    The secret in this environment *variable*. A loopback address needs none.

    Raises PlatformRefused naming the variable when it is missing.
    """
    found = os.environ.get(variable, "").strip()
    if found:
        return found
    if is_loopback(base):
        return "loopback"
    msg = f"{what} needs keys: set {variable} (see docs/install.md and `veldwerk doctor`)"
    raise PlatformRefused(msg)
