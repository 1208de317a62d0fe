"""A loopback server that sends, byte for byte, what a test says: broken, late, cut or endless."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Raw:
    """Bytes to send as they are, with a `pause` in seconds between pieces of `piece` bytes."""

    data: bytes
    pause: float = 0.0
    piece: int = 1 << 20


def http(status: int = 200, body: bytes | str = b"", headers: dict[str, str] | None = None) -> Raw:
    """A whole answer; `headers` may lie about its length or encoding."""
    content = body.encode() if isinstance(body, str) else body
    told = {"Content-Length": str(len(content)), "Connection": "close", **(headers or {})}
    head = f"HTTP/1.1 {status} Told\r\n" + "".join(f"{k}: {v}\r\n" for k, v in told.items()) + "\r\n"
    return Raw(head.encode("latin-1") + content)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Raw:
    """A JSON answer."""
    return http(status, json.dumps(value), {"Content-Type": "application/json", **(headers or {})})


class Scripted:
    """The server; `asked` holds the requests in order. `answer` may be exchanged at any time."""

    def __init__(self, answer: Callable[[Asked], Raw]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        scripted = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 20

            def handle(self) -> None:
                asked = _read(self.rfile)
                if asked is None:
                    return
                scripted.asked.append(asked)
                self._send(scripted.answer(asked))

            def _send(self, raw: Raw) -> None:
                try:
                    for start in range(0, len(raw.data), raw.piece):
                        self.connection.sendall(raw.data[start : start + raw.piece])
                        time.sleep(raw.pause)
                    self.connection.shutdown(socket.SHUT_WR)
                except OSError:
                    return  # the client had enough

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _read(stream: Any) -> Asked | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    for raw in iter(stream.readline, b"\r\n"):
        if not raw:
            return None
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    parts = urlsplit(line[1])
    body = stream.read(int(headers.get("content-length", 0)))
    query = parse_qs(f"{parts.query}&{body.decode('utf-8', 'replace')}")
    return Asked(line[0], parts.path, query, headers, body)


def in_turn(*answers: Raw) -> Callable[[Asked], Raw]:
    """These answers one after the other, the last one for ever."""
    queue = list(answers)
    return lambda _: queue.pop(0) if len(queue) > 1 else queue[0]
