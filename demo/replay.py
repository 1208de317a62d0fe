"""
A loopback server that answers as the platforms do, from the fieldwork set, so that a study runs without a network.

    with Replay() as server:
        for source in server.sources("scam-fighters"):
            collect(load_collector(source.collector), source.settings)

The unmodified clients talk to it: the code that runs is that of a real collection. Nobody else can reach it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import as_bluesky, as_discourse, as_mastodon, as_reddit
from .fieldwork import API_PLATFORMS, COLLECTORS, rows

__all__ = ["Replay", "ReplaySource"]

Reply = tuple[int, dict[str, str], bytes]
REDDIT_RATES = {"x-ratelimit-remaining": "995.0", "x-ratelimit-used": "5", "x-ratelimit-reset": "300"}
BLUESKY_RATES = {"RateLimit-Limit": "3000", "RateLimit-Remaining": "2950", "RateLimit-Reset": "300"}


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """A source of the set that has an API: which case, which platform, and the collector with its settings."""

    case: str
    platform: str
    collector: str
    settings: dict[str, Any]
    posts: int


class Replay:
    """
    The server, on a free port of 127.0.0.1, in a thread of its own; `requests` counts what was asked by path.

    `fault` may be set to a function of (method, path) that answers a request in the server's place: a status,
    headers and a body, or None to let it through.
    """

    def __init__(self, port: int = 0) -> None:
        self.requests: Counter[str] = Counter()
        self.fault: Callable[[str, str], Reply | None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Replay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sources(self, case: str) -> list[ReplaySource]:
        """The sources of this case that the server can play."""
        here = [p for p in API_PLATFORMS if p in {r.platform for r in rows(case)}]
        return [ReplaySource(case, p, COLLECTORS[p], self._settings(case, p), len(rows(case, p))) for p in here]

    def _settings(self, case: str, platform: str) -> dict[str, Any]:
        match platform:
            case "reddit":
                return {
                    "subreddits": [as_reddit.subreddit(case)],
                    "reddit_url": self.url,
                    "oauth_url": self.url,
                }
            case "mastodon":
                return {"instance": self.url, "hashtags": [as_mastodon.hashtag(case)]}
            case "bluesky":
                return {"service": self.url, "queries": [as_bluesky.query(case)]}
            case "forum":
                return {"url": self.url, "categories": [case]}
        raise LookupError(platform)

    def reply(self, method: str, path: str, query: dict[str, list[str]]) -> Reply:
        """What the platform to which *path* belongs would answer; 404 in its manner for anything else."""
        single = {name: values[-1] for name, values in query.items()}
        if path.startswith("/xrpc/"):
            return _json(as_bluesky.answer(path.removeprefix("/xrpc/"), query), BLUESKY_RATES)
        if path.startswith("/api/v1/") and path != "/api/v1/access_token":
            found = as_mastodon.answer(path, single, self.url)
            return _json(*(found or (None,)))
        if path.endswith(".json"):
            return _json(as_discourse.answer(path, query))
        return _json(as_reddit.answer(method, path, single), REDDIT_RATES)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # one packet an answer, else the other side waits 40 ms for the second

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                query = parse_qs(f"{parts.query}&{body.decode('utf-8', 'replace')}")
                replay.requests[parts.path] += 1
                fault = replay.fault(self.command, self.path) if replay.fault else None
                status, headers, content = fault or replay.reply(self.command, parts.path, query)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _answer  # noqa: N815 (names that http.server calls)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in http.server)
                """Nothing: a request line may hold an id."""

        return Handler


def _json(answer: Any | None, headers: dict[str, str] | None = None) -> Reply:
    """The answer as JSON; for None what an unknown thing gets."""
    status = 200 if answer is not None else 404
    body = json.dumps(answer if answer is not None else {"error": "Not Found"}, ensure_ascii=False).encode()
    return status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body
