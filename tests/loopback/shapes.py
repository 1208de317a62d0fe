"""Every wrong answer that a platform has been seen to give, and what a collector must make of it."""

from __future__ import annotations

import gzip
from email.utils import formatdate

from collectors import CollectorError, PlatformRefused, PlatformUnreachable, RateLimited

from .scripted import Raw, http

SECRET = "Geheim: Fatima uit de Kerkstraat"
"""Stands in every wrong body; no error may repeat it."""
HTML = f"<!doctype html><html><body><h1>{SECRET}</h1></body></html>"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
TRUNCATED = f'{{"data": {{"children": [{{"kind": "t3", "data": {{"title": "{SECRET}"'
LATIN = f'{{"error": "{SECRET} \xe9\xe8"}}'.encode("latin-1")

LASTING: dict[str, tuple[Raw, type[CollectorError]]] = {
    "400 with an HTML body": (http(400, HTML, {"Content-Type": "text/html"}), PlatformRefused),
    "401 without a body": (http(401), PlatformRefused),
    "403 private, as JSON": (http(403, f'{{"reason": "private", "message": "{SECRET}"}}', JSON), PlatformRefused),
    "403 of a firewall, as HTML": (http(403, HTML, {"Content-Type": "text/html"}), PlatformRefused),
    "404 as JSON": (http(404, f'{{"error": "{SECRET}"}}', JSON), PlatformRefused),
    "410": (http(410), PlatformRefused),
    "451": (http(451, SECRET), PlatformRefused),
    "429 as HTML with retry-after: 4": (http(429, HTML, {"Retry-After": "4"}), PlatformUnreachable),
    "429 as JSON without retry-after": (http(429, f'{{"message": "{SECRET}"}}', JSON), PlatformUnreachable),
    "429 until tomorrow": (http(429, "", {"Retry-After": "86400"}), RateLimited),
    "500 with an empty body labelled JSON": (http(500, "", JSON), PlatformUnreachable),
    "502 as HTML": (http(502, HTML), PlatformUnreachable),
    "503 empty": (http(503), PlatformUnreachable),
    "504 empty": (http(504), PlatformUnreachable),
    "520 as HTML": (http(520, HTML), PlatformUnreachable),
    "200 as HTML": (http(200, HTML, {"Content-Type": "text/html"}), PlatformUnreachable),
    "200 with JSON cut short": (http(200, TRUNCATED, JSON), PlatformUnreachable),
    "200 in an encoding it does not name": (http(200, LATIN, JSON), CollectorError),
    "200 with a JSON bomb": (http(200, "[" * 200_000, JSON), PlatformUnreachable),
    "200 gzip that is none": (http(200, SECRET, {**JSON, "Content-Encoding": "gzip"}), PlatformUnreachable),
    "200 gzip cut short": (
        http(200, gzip.compress(TRUNCATED.encode() * 50)[:40], {**JSON, "Content-Encoding": "gzip"}),
        PlatformUnreachable,
    ),
    "cut in the middle": (http(200, TRUNCATED, {**JSON, "Content-Length": "100000"}), PlatformUnreachable),
    "nothing at all": (Raw(b""), PlatformUnreachable),
    "no HTTP": (Raw(b"SSH-2.0-OpenSSH_9.2\r\n"), PlatformUnreachable),
    "a redirect in a circle": (http(302, "", {"Location": "/somewhere"}), CollectorError),
    "a redirect to nowhere": (http(301, "", {"Location": "http://[::1"}), CollectorError),
}
"""What comes again and again, and the error it must end in."""

SHAPES = {
    "null": "null",
    "a number": "17",
    "a text": f'"{SECRET}"',
    "an empty list": "[]",
    "an empty object": "{}",
    "a list of the wrong": f'[{{"id": "{SECRET}"}}, 3]',
    "an object of the wrong": f'{{"data": "{SECRET}", "posts": 3, "items": {{}}, "topic_list": []}}',
    "an error with status 200": f'{{"error": "NotFound", "message": "{SECRET}"}}',
}
"""Good JSON that is not what was asked for."""

PASSING: dict[str, Raw] = {
    name: LASTING[name][0]
    for name in (
        "429 as HTML with retry-after: 4",
        "429 as JSON without retry-after",
        "500 with an empty body labelled JSON",
        "502 as HTML",
        "503 empty",
        "200 as HTML",
        "200 with JSON cut short",
        "200 gzip that is none",
        "cut in the middle",
        "nothing at all",
    )
}
"""What comes once and must leave no trace in what was collected."""


def dated(pause: float, *, skew: float, now: float) -> Raw:
    """A 429 that names a moment *pause* seconds away, by a clock that is *skew* seconds off ours."""
    moment = {"Date": formatdate(now + skew, usegmt=True), "Retry-After": formatdate(now + skew + pause, usegmt=True)}
    return http(429, "", moment)
