"""People's sessions at the hub's HTTP API, for a story: signed in when first needed, again after an outage."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulators.roster import StaffSpec

__all__ = ["NotHereError", "NotYetError", "RefusedError", "Seats"]


class NotYetError(Exception):
    """It cannot be done now; it is tried again."""


class NotHereError(Exception):
    """It cannot be done with this hub: a part of it is not there."""


class RefusedError(NotYetError):
    """The hub said no, with status and reason. The state may be another one at the next try."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status


@dataclass(slots=True)
class _Seat:
    spec: StaffSpec
    client: httpx.AsyncClient
    user_id: str | None = None


@dataclass(slots=True)
class Seats:
    """Everybody of a world file who has an account, by name and by user name.

    Operators sign in off duty: whoever sits at the desk on duty is then a visitor, or a colleague.
    """

    api: str
    people: tuple[StaffSpec, ...]
    ca_file: str | None = None
    _open: dict[str, _Seat] = field(default_factory=dict)
    _paths: frozenset[str] | None = None

    def spec(self, who: str) -> StaffSpec:
        """NotHereError where nobody of that name has an account."""
        for one in self.people:
            if who in (one.username, one.name):
                return one
        raise NotHereError(f"nobody called {who} has an account")

    async def user_id(self, who: str) -> str:
        """The hub's id of that person's account."""
        seat = await self._seat(who)
        assert seat.user_id is not None
        return seat.user_id

    async def has(self, who: str, path: str) -> bool:
        """Whether this hub's API has the path, as its own description writes it (`/plans/{plan_id}`)."""
        if self._paths is None:
            found = await self._ask(who, "GET", "/api/v1/openapi.json")
            self._paths = frozenset(found["paths"])
        return f"/api/v1{path}" in self._paths

    async def get(self, who: str, path: str, **query: str | int) -> Any:
        """GET /api/v1{path} as that person."""
        return await self._ask(who, "GET", f"/api/v1{path}", params=query)

    async def post(self, who: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST /api/v1{path} as that person."""
        return await self._ask(who, "POST", f"/api/v1{path}", json=body)

    async def close(self) -> None:
        """Closes the connections; the sessions end by themselves."""
        for seat in self._open.values():
            await seat.client.aclose()
        self._open.clear()

    async def _ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        seat = await self._seat(who)
        response = await self._send(seat, method, path, **more)
        if response.status_code == 401:
            await self._sign_in(seat)
            response = await self._send(seat, method, path, **more)
        if response.status_code == 404 and "json" not in response.headers.get("content-type", ""):
            raise NotHereError(f"{method} {path}: this hub has no such thing")
        if response.status_code >= 500 or response.status_code == 429:
            raise NotYetError(f"{method} {path}: {_why(response)}")
        if response.status_code >= 400:
            raise RefusedError(response.status_code, _why(response))
        return response.json() if response.content else None

    async def _seat(self, who: str) -> _Seat:
        spec = self.spec(who)
        seat = self._open.get(spec.username)
        if seat is None:
            client = httpx.AsyncClient(
                base_url=self.api.rstrip("/"),
                headers={"Sec-Fetch-Site": "same-origin"},
                timeout=30.0,
                trust_env=False,
                verify=self._trust(),
            )
            seat = self._open[spec.username] = _Seat(spec, client)
        if seat.user_id is None:
            await self._sign_in(seat)
        return seat

    async def _sign_in(self, seat: _Seat) -> None:
        body = {"username": seat.spec.username, "password": seat.spec.password}
        response = await self._send(seat, "POST", "/api/v1/session", json=body)
        if response.status_code != 200:
            raise NotYetError(f"{seat.spec.username} cannot sign in: {_why(response)}")
        found = response.json()
        if found.get("on_duty") and found["user"]["role"] == "operator":
            await self._send(seat, "PATCH", "/api/v1/session", json={"on_duty": False})
        seat.user_id = found["user"]["id"]

    async def _send(self, seat: _Seat, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await seat.client.request(method, path, **more)
        except httpx.TransportError as error:
            raise NotYetError(f"{method} {path}: {type(error).__name__}") from None

    def _trust(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=self.ca_file) if self.api.startswith("https:") else False


def _why(response: httpx.Response) -> str:
    try:
        detail = response.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    return f"{response.status_code} {detail or response.reason_phrase}"
