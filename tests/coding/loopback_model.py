"""A language model's server on this machine that answers as it is told: well, badly, slowly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted reply: status, headers, body, how many bytes of it are sent, and the pause between pieces."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    pause: float = 0.0
    piece: int = 1 << 16


def answer(content: str | None, *, refusal: str | None = None, finish: str = "stop") -> Reply:
    """A chat completion with this content."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if refusal:
        message["refusal"] = refusal
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return Reply(body=json.dumps({"choices": [{"message": message, "finish_reason": finish}], "usage": usage}).encode())


def codes(*given: tuple[str, float, str]) -> Reply:
    """A chat completion that gives these codes: id, confidence, quote."""
    rows = [{"code": c, "confidence": s, "quote": q} for c, s, q in given]
    return answer(json.dumps({"codes": rows}))


class LoopbackModel:
    """Serves `/v1/chat/completions`; `script` says what to answer to the request so far (by its body)."""

    def __init__(self, script: Callable[[dict[str, Any], int], Reply]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.requests.append(body)
                owner.headers.append(dict(self.headers))
                self._send(script(body, len(owner.requests)))

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                whole = reply.body if reply.sent is None else reply.body[: reply.sent]
                for start in range(0, len(whole), reply.piece):
                    self.wfile.write(whole[start : start + reply.piece])
                    self.wfile.flush()
                    time.sleep(reply.pause)
                if reply.sent is not None:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> LoopbackModel:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
