"""The wall screen, nobody signed in: its own token opens the wall alone, shows no names, and can be shut off.

A screen hangs where everybody passes and nobody sits. Its token is told once; it opens two addresses that answer with
what kind of matter waits how long in which grid, and nothing about whose it is. Positions are rounded to about a
hundred metres, so that a point on the map is a block and not a door.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, get_args

import msgspec
from fastapi import Request, Response

from hub.alarms.model import LIVE_STATES, AlarmClass
from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, address_of
from hub.api.fields import Name
from hub.api.fields import Request as Fields
from hub.api.problems import UnauthorizedError
from hub.api.routing import Uid, api_router
from hub.api.views import ListOf
from hub.api.views_desk import WallAreas, WallPicture, WallScreen, WallScreenMade
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import IncidentFilter, Json

__all__ = ["router"]

router = api_router("wall")

_PREFIX = "wall_"
_MOST = 2000
_SEEN_AFTER = timedelta(minutes=1)
_PLACES = 3
"""Decimals of a degree: about a hundred metres."""
_ON_THE_WALL = tuple(one for one in get_args(AlarmClass) if one != "technical")
_SHOWN = (
    "id",
    "number",
    "seq",
    "version",
    "state",
    "class",
    "type",
    "types",
    "priority",
    "alarms",
    "opened_at",
    "first_alarm_at",
    "last_alarm_at",
    "shelved_until",
    "acknowledged_at",
    "on_scene",
    "under_way",
)


class ScreenNew(Fields):
    """`name`: where it hangs."""

    name: Name


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii", "replace")).digest()


def _screen(hub: Hub, request: Request) -> None:
    """UnauthorizedError unless the request brings the token of a screen in use. A look is noted once a minute."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    address = address_of(request)
    now = hub.clock()
    found = None
    if scheme.lower() == "bearer" and token.startswith(_PREFIX) and len(token) < 100:
        with hub.database.begin("brief") as tx:
            found = tx.desk.screen_of(_digest(token))
            if found is not None and (found[1] is None or now - found[1] >= _SEEN_AFTER):
                tx.desk.screen_seen(found[0], now, address)
    if found is None:
        hub.gate.failed(address)
        raise UnauthorizedError("this token opens no wall screen, or not any more", code="no-screen")


def _nameless(view: Json) -> Json:
    """An incident as anybody may see it: what, how urgent, since when, in which area."""
    at: Json = view.get("place") or {}
    shown: Json = {name: view.get(name) for name in _SHOWN}
    block = {name: round(at[name], _PLACES) for name in ("lat", "lon") if at.get(name) is not None}
    return {
        **shown,
        "area": view.get("area"),
        "fix": block if len(block) == 2 else None,
        "place": block if len(block) == 2 else None,
        "resident": None,
        "device": None,
        "assignments": [],
    }


@router.get("/wall", response_model=WallPicture, summary="What a wall screen shows")
def show_wall(hub: HubDep, request: Request) -> Response:
    """With `Authorization: Bearer` and a screen's token. Asked for again every few seconds."""
    _screen(hub, request)
    where = IncidentFilter(states=tuple(sorted(LIVE_STATES)), classes=_ON_THE_WALL)
    items: list[Json] = []
    cursor: str | None = None
    while len(items) < _MOST:
        page = hub.reads.incidents(where, 500, cursor)
        items += [_nameless(view) for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    summary = hub.reads.summary(None)
    with hub.database.begin() as tx:
        on_duty = tx.desk.responders_on_duty()
    body: dict[str, Any] = {
        "name": hub.settings.site.name,
        "time_zone": hub.settings.site.time_zone,
        "server_time": hub.clock(),
        "incidents": items,
        "on_duty": on_duty,
        "devices": summary["devices"],
    }
    return JsonAnswer(body)


@router.get("/wall/areas", response_model=WallAreas, summary="The map of a wall screen")
def show_wall_areas(hub: HubDep, request: Request) -> Response:
    """Areas with their boundaries; they change rarely."""
    _screen(hub, request)
    items: list[Json] = []
    cursor: str | None = None
    while True:
        page = hub.reads.records("areas", 500, cursor)
        items += [
            {name: view.get(name) for name in ("id", "parent_id", "kind", "name", "lat", "lon", "boundary")}
            for view in page.items
        ]
        cursor = page.next_cursor
        if cursor is None:
            return JsonAnswer({"items": items})


@router.get("/wall-screens", response_model=ListOf[WallScreen], summary="Wall screens")
def list_screens(hub: HubDep) -> Response:
    with hub.database.begin() as tx:
        return JsonAnswer({"items": [row._asdict() for row in tx.desk.screens()], "next": None})


@router.post("/wall-screens", response_model=WallScreenMade, status_code=201, summary="Let a wall screen in")
def post_screen(hub: HubDep, write: Write, body: ScreenNew) -> Response:
    """`token` and `url` are told once; the same `Idempotency-Key` gives neither again."""
    made: list[Json] = []

    def act() -> str:
        token = _PREFIX + secrets.token_urlsafe(32)
        row_id, now = hub.new_id(), hub.clock()
        with hub.database.begin() as tx:
            tx.desk.screen_add(row_id, body.name, _digest(token), write.actor.name or "", now)
            subject = f"wall-screens:{row_id}"
            tx.audit.add(write.actor, "wall_screens.add", subject, {"name": body.name}, now, write.caller.address)
        made.append({"token": token, "url": f"/#/wall?token={token}"})
        return row_id

    answer = write.once(act, lambda row_id: {"id": row_id, "name": body.name, "token": None, "url": None}, status=201)
    return JsonAnswer({**msgspec.json.decode(answer.body), **made[0]}, status_code=201) if made else answer


@router.delete("/wall-screens/{screen_id}", status_code=204, summary="Shut a wall screen off")
def delete_screen(hub: HubDep, write: Write, screen_id: Uid) -> Response:
    """Its next look is refused. The row stays, with who did it and when."""
    now = hub.clock()
    with hub.database.begin() as tx:
        if not tx.desk.screen_revoke(screen_id, write.actor.name or "", now):
            raise NotFoundError(f"no wall screen {screen_id} in use")
        subject = f"wall-screens:{screen_id}"
        tx.audit.add(write.actor, "wall_screens.revoke", subject, {}, now, write.caller.address)
    return Response(status_code=204)
