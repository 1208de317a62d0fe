"""Recorded exchanges (betamax JSON, vcr YAML), to be served again byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from .scripted import Raw, http

DROPPED = {"content-length", "transfer-encoding", "connection", "keep-alive", "alt-svc"}


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    source: str
    method: str
    path: str
    form: dict[str, list[str]]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def raw(self) -> Raw:
        """The answer as it goes over the wire again."""
        return http(self.status, self.body, self.headers)

    def json(self) -> Any:
        return json.loads(self.body)


def exchanges(path: Path) -> Iterator[Exchange]:
    """Every exchange of one recording."""
    text = path.read_text(encoding="utf-8")
    found = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=_Loader)
    for entry in found.get("interactions") or found.get("http_interactions") or ():
        request, response = entry["request"], entry["response"]
        body, packed = _body(response.get("body"))
        asked, _ = _body(request.get("body"))
        headers = {k: v[0] if isinstance(v, list) else str(v) for k, v in response["headers"].items()}
        dropped = DROPPED if packed else DROPPED | {"content-encoding"}
        told = {k: v for k, v in headers.items() if k.lower() not in dropped}
        status = response["status"]
        yield Exchange(
            path.name,
            request["method"],
            urlsplit(str(request["uri"])).path,
            parse_qs(asked.decode("utf-8", "replace")),
            int(status["code"] if isinstance(status, dict) else status),
            {k: v for k, v in told.items() if v.isascii()},
            body,
        )


def _body(body: Any) -> tuple[bytes, bool]:
    """The bytes of a body, and whether they are still packed as they were sent."""
    if not isinstance(body, dict):
        return (body if isinstance(body, bytes) else str(body or "").encode()), False
    if body.get("base64_string"):
        return base64.b64decode(body["base64_string"]), True
    string = body.get("string") or ""
    return (string if isinstance(string, bytes) else string.encode()), False


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
