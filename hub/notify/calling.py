"""How channels speak HTTP: one client each, short time-outs, no redirects, errors in words without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from hub.ports.notices import CallOutcome, SendFailedError

__all__ = ["HttpCaller", "NoCalls", "plain_number", "refusal"]

_TIMEOUT = httpx.Timeout(10.0, connect=4.0)
_LONGEST_ANSWER = 64 * 1024


class NoCalls:
    """An outlet whose messages are no calls: nothing rings, nothing is answered."""

    def look(self, _ref: str, /) -> CallOutcome | None:
        return None

    def hang_up(self, _ref: str, /) -> None:
        return None


def plain_number(number: str) -> str:
    """The digits as they are dialled inside the country; a leading + of other countries stays."""
    kept = "".join(char for char in number if char.isdigit() or char == "+")
    if kept.startswith("+86"):
        return kept[3:]
    return kept[4:] if kept.startswith("0086") else kept


class HttpCaller:
    """Thread-safe. `name` stands in the errors. `transport`: None, the network."""

    def __init__(self, name: str, *, auth: tuple[str, str] | None = None, timeout: httpx.Timeout = _TIMEOUT) -> None:
        self._name = name
        self._client = httpx.Client(timeout=timeout, auth=auth, follow_redirects=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, whatever its status. SendFailedError: there was none."""
        try:
            return self._client.request(
                method, url, params=params, headers=headers, json=json, content=content, data=data
            )
        except httpx.TimeoutException:
            raise SendFailedError(f"{self._name} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SendFailedError(f"{self._name} cannot be reached: {type(error).__name__}") from None

    def answer(self, response: httpx.Response) -> Any:
        """A JSON body; SendFailedError where it is none."""
        if len(response.content) > _LONGEST_ANSWER:
            raise SendFailedError(f"{self._name} answered far too much")
        try:
            return response.json()
        except ValueError:
            raise SendFailedError(f"{self._name} answered {response.status_code} and no JSON") from None

    def refuse(self, response: httpx.Response, *, final: bool | None = None, why: str = "") -> SendFailedError:
        """An answer that is a refusal, as the error to raise."""
        return refusal(self._name, response, final=final, why=why)


def refusal(name: str, response: httpx.Response, *, final: bool | None = None, why: str = "") -> SendFailedError:
    """A status that is no success as an error: what is worth trying again, and when."""
    status = response.status_code
    after = response.headers.get("retry-after", "")
    wrong = status in (401, 403)
    words = f"{name} answered {status}"
    if wrong:
        words += " (user name, password or key is wrong)"
    if why:
        words += f": {why[:200]}"
    return SendFailedError(
        words,
        final=(400 <= status < 500 and status not in (401, 403, 408, 425, 429)) if final is None else final,
        after_s=float(after) if after.isdigit() else (30.0 if status == 429 else None),
    )
