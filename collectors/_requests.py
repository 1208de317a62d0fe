"""The session that libraries on `requests` (PRAW) get: the same retries and limits as everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from requests.structures import CaseInsensitiveDict

from ._http import Cut, is_loopback, not_json, steadily

if TYPE_CHECKING:
    from ._limits import Throttle

__all__ = ["SteadySession"]


class SteadySession(requests.Session):
    """
    A `requests.Session` paced and retried by `_http.steadily`.

    The rate headers are taken off an answer before the library sees it: the waiting has been done, and
    for all processes together. `asked` counts what went out.
    """

    def __init__(self, what: str, throttle: Throttle, base: str) -> None:
        super().__init__()
        self.what = what
        self.asked = 0
        self.trust_env = not is_loopback(base)
        self._throttle = throttle

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Send, as `requests.Session.request` does; raises CollectorError where no usable answer comes."""

        def send() -> requests.Response:
            self.asked += 1
            try:
                response = super(SteadySession, self).request(method, url, *args, **kwargs)
            except requests.Timeout:
                raise Cut("does not answer in time") from None
            except requests.TooManyRedirects:
                raise Cut("redirects in a circle", again=False) from None
            except requests.RequestException:
                raise Cut("cannot be reached or broke off") from None
            if response.status_code == 200:
                _check(response)
            return response

        response = steadily(self.what, self._throttle, send)
        response.headers = CaseInsensitiveDict(_without_rates(response.headers))
        _complete(response)
        return response


def _complete(response: requests.Response) -> None:
    """prawcore reads the kind of a 401 or 403 from a header and stumbles where it is missing or strange."""
    told = response.headers.get("www-authenticate", "")
    if response.status_code in {401, 403} and not told.endswith(('"invalid_token"', '"insufficient_scope"')):
        response.headers.pop("www-authenticate", None)
        if response.status_code == 401:
            response.headers["www-authenticate"] = 'Bearer error="invalid_token"'


def _check(response: requests.Response) -> None:
    """A good status must come with JSON or with nothing; Cut otherwise."""
    if not response.content:
        return
    try:
        response.json()
    except (ValueError, RecursionError):
        raise not_json(response.content) from None


def _without_rates(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.lower().startswith("x-ratelimit-")}
