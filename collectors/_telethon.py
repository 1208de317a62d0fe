"""
Telethon, called from ordinary code: its event loop in a thread, its waits in our clock, its errors as ours.

Telethon is left unmodified. It waits for no flood itself (`flood_sleep_threshold=0`), so that each wait is
kept in a file, shared by all runs of the account; and no request of it is waited for without end.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from . import PlatformRefused, PlatformUnreachable, _clock
from ._http import TRIES, is_loopback
from ._limits import Limit, Throttle

__all__ = ["Closed", "Telegram"]

LIMITS = (Limit(60, 60.0),)
"""Telegram publishes no limit; a request a second is what Telethon's own pauses amount to."""
PATIENCE = 60.0
"""Seconds of flood wait that a run sits out; a longer one ends it."""
TIMEOUT = 90.0
T = TypeVar("T")


class Closed(PlatformRefused):
    """This one chat is private, gone or not what it should be; others may still answer."""


class Telegram:
    """
    A logged-in client. `ask` runs one request; `requests` counts them.

    The session (TELEGRAM_SESSION, a Telethon StringSession) is as good as the account itself: it is read
    from the environment and never written anywhere.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self.requests = 0
        self._timeout = timeout
        self._session = os.environ.get("TELEGRAM_SESSION", "").strip()
        if not self._session:
            msg = "Telegram needs a session: set TELEGRAM_SESSION (see docs/install.md and `veldwerk doctor`)"
            raise PlatformRefused(msg)
        self._throttle = Throttle(f"telegram {self._place()}", *LIMITS, patience=PATIENCE)
        self._keys = self._application()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
        self._client: Any = None

    def __enter__(self) -> Telegram:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._drop(), 10.0, quiet=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        if not self._loop.is_running():
            self._loop.close()

    def ask(self, request: Callable[[Any], Awaitable[T]]) -> T:
        """
        What *request* brings, given the client; tried again where the connection or Telegram fails.

        Raises RateLimited for a long flood wait, Closed for a chat that does not answer, PlatformRefused
        for a session that is not accepted, PlatformUnreachable when nothing helps.
        """
        for attempt in range(TRIES):
            self._throttle.take()
            self.requests += 1
            try:
                return self._run(self._request(request), self._timeout)
            except _Flood as flood:
                self._throttle.block(_clock.seconds() + flood.seconds + 1.0)
            except _Passing:
                if attempt + 1 < TRIES:
                    _clock.sleep(2.0**attempt * random.uniform(0.5, 1.0))
        msg = f"Telegram cannot be reached or does not answer, {TRIES} times; try again later"
        raise PlatformUnreachable(msg)

    def _place(self) -> str:
        """The data centre of the session, as a name for its limits; refuses what is no session."""
        from telethon.sessions import StringSession

        try:
            session = StringSession(self._session)
        except (ValueError, TypeError, IndexError):
            session = None
        if session is None or not session.server_address:
            msg = "TELEGRAM_SESSION is not a Telethon StringSession"
            raise PlatformRefused(msg)
        address = str(session.server_address)
        return f"{address}.{session.port}" if is_loopback(f"http://{address}") else f"account-{session.dc_id}"

    def _application(self) -> tuple[int, str]:
        """Id and hash of the application; a loopback server wants none."""
        number, secret = os.environ.get("TELEGRAM_API_ID", ""), os.environ.get("TELEGRAM_API_HASH", "")
        if number.isdigit() and secret:
            return int(number), secret
        if "127.0.0.1" in self._throttle.name:
            return 1, "loopback"
        msg = "Telegram needs keys: set TELEGRAM_API_ID and TELEGRAM_API_HASH (my.telegram.org)"
        raise PlatformRefused(msg)

    def _run(self, work: Coroutine[Any, Any, T], limit: float, *, quiet: bool = False) -> T:
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit), self._loop)
        try:
            return future.result(limit + 5.0)
        except (TimeoutError, FutureTimeout):
            future.cancel()
            if quiet:
                return None  # type: ignore[return-value]
            raise _Passing from None

    async def _request(self, request: Callable[[Any], Awaitable[T]]) -> T:
        try:
            client = await self._connected()
            return await request(client)
        except Exception as error:  # noqa: BLE001 (the seam: every error of Telethon is mapped or passed on)
            mapped = _mapped(error)
            if isinstance(mapped, _Passing):
                await self._drop()
            raise mapped from None

    async def _connected(self) -> Any:
        from telethon import TelegramClient
        from telethon.sessions import StringSession

        if self._client is None:
            self._client = TelegramClient(
                StringSession(self._session),
                *self._keys,
                receive_updates=False,
                flood_sleep_threshold=0,
                request_retries=0,
                connection_retries=1,
                retry_delay=0,
                timeout=15,
                raise_last_call_error=True,
            )
            await self._client.connect()
        return self._client

    async def _drop(self) -> None:
        """Let the client go; the next request makes a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.disconnect()


class _Passing(Exception):
    """A failure that may pass by itself."""


class _Flood(Exception):
    """Telegram asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def _mapped(error: Exception) -> Exception:
    """The seam: any error of Telethon as one of ours, without its text."""
    from telethon import errors

    match error:
        case errors.FloodError():
            return _Flood(float(getattr(error, "seconds", 60) or 60))
        case errors.UnauthorizedError() | errors.AuthKeyError() | errors.AuthKeyNotFound():
            return PlatformRefused("Telegram does not accept the session; log in again for a new TELEGRAM_SESSION")
        case errors.ServerError() | errors.TimedOutError() | errors.InvalidDCError():
            return _Passing()
        case errors.RPCError():
            return Closed(f"Telegram does not give access to a chat of this source ({type(error).__name__})")
        case errors.TypeNotFoundError() | errors.InvalidChecksumError() | errors.InvalidBufferError():
            return _Passing()
        case errors.SecurityError() | OSError() | EOFError() | TimeoutError() | asyncio.TimeoutError():
            return _Passing()
        case ValueError():
            return Closed("Telegram knows no chat of this name (settings.channels)")
    return error
