"""One question to a language model behind an OpenAI-compatible endpoint, with retries; foreign errors mapped here."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from .failures import ModelRejected, ModelUnreachable, RemoteModel


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the text (empty when `refused`), tokens as the endpoint counted them, seconds, tries."""

    text: str
    refused: bool = False
    asked: int = 0
    answered: int = 0
    seconds: float = 0.0
    tries: int = 1


def check_host(url: str, allowed: tuple[str, ...]) -> str:
    """The host of *url*; RemoteModel unless it is this machine or one of *allowed*."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        msg = "the language model's address must be an http(s) URL, such as http://localhost:11434/v1"
        raise ModelRejected(msg)
    if _local(host) or host in allowed:
        return host
    msg = (
        f"the language model at {host} is not on this machine, and no case policy allows it; "
        f"name it under policy.remote_models of the case, or run one here"
    )
    raise RemoteModel(msg)


def _local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Chat:
    """
    A language model at *url* (ending in `/v1`). Holds one connection; redirects are not followed.

    `patience` bounds one whole answer in seconds, slow streams included. A 408, 409, 425, 429 or 5xx, a cut
    connection and a time-out are tried again up to `tries` times, waiting as told or ever longer.
    """

    def __init__(
        self, url: str, model: str, *, allowed: tuple[str, ...] = (), key: str = "", patience: float = 120.0,
        tries: int = 4, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        check_host(url, allowed)
        self._url = url.rstrip("/") + "/chat/completions"
        self._model, self._patience, self._tries, self._sleep = model, patience, tries, sleep
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A proxy from the environment would carry posts past the host check.
        self._http = httpx.Client(headers=headers, timeout=patience, trust_env=False)

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def ask(self, messages: list[dict[str, str]], schema: dict[str, Any], *, seed: int = 0) -> Answer:
        """The model's answer to *messages*, asked for as JSON of *schema*."""
        body: dict[str, Any] = {"model": self._model, "messages": messages, "temperature": 0, "seed": seed,
                                "response_format": _format(schema)}  # fmt: skip
        began = time.monotonic()
        for attempt in range(1, self._tries + 1):
            status, payload, wait = self._send(body)
            if status == 200 and payload is not None:
                return _answer(payload, time.monotonic() - began, attempt)
            if status == 400 and body["response_format"].get("type") == "json_schema":
                # Some servers know JSON but no schema; the answer is checked here anyway.
                body["response_format"] = {"type": "json_object"}
                continue
            if status in range(400, 500) and status not in (408, 409, 425, 429):
                msg = f"the language model's server refuses the request (HTTP {status}); check model name and key"
                raise ModelRejected(msg)
            if attempt < self._tries:
                self._sleep(wait if wait is not None else min(30.0, 0.5 * 2**attempt))
        msg = f"the language model gave no usable answer in {self._tries} tries; is its server up?"
        raise ModelUnreachable(msg)

    def _send(self, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None, float | None]:
        """Status, decoded body (None: not usable) and the wait that the server asked for; status 0: no answer."""
        deadline = time.monotonic() + self._patience
        try:
            with self._http.stream("POST", self._url, json=body) as response:
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > deadline:
                        return 0, None, None
                payload = _decoded(b"".join(chunks)) if response.status_code == 200 else None
                return response.status_code, payload, _wait(response)
        except httpx.HTTPError:
            return 0, None, None


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "codes", "strict": True, "schema": schema}}


def _decoded(raw: bytes) -> dict[str, Any] | None:
    import json

    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("choices"), list) else None


def _wait(response: httpx.Response) -> float | None:
    told = response.headers.get("retry-after", "")
    return min(120.0, float(told)) if told.replace(".", "", 1).isdigit() else None


def _answer(payload: dict[str, Any], seconds: float, tries: int) -> Answer:
    choice = payload["choices"][0] if payload["choices"] else {}
    message = choice.get("message") if isinstance(choice, dict) else None
    message = message if isinstance(message, dict) else {}
    usage = payload.get("usage") if isinstance(payload.get("usage"), dict) else {}
    refused = bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter"
    text = message.get("content") if isinstance(message.get("content"), str) else ""
    return Answer("" if refused else text or "", refused, _count(usage, "prompt_tokens"),
                  _count(usage, "completion_tokens"), seconds, tries)  # fmt: skip


def _count(usage: dict[str, Any] | None, name: str) -> int:
    value = (usage or {}).get(name)
    return value if isinstance(value, int) and value >= 0 else 0
