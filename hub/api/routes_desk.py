"""The desk itself: what it is called, who sits there, who looks at what."""

from __future__ import annotations

from fastapi import Response
from pydantic import Field

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, Who
from hub.api.fields import Request, Uuid
from hub.api.routing import api_router
from hub.api.views import ListOf, Named
from hub.api.views_desk import PresenceRow, Site
from hub.api.writes import Write
from hub.ports import Json

__all__ = ["router"]

router = api_router("desk")


class Looking(Request):
    """What this seat looks at now; null: at nothing."""

    incident_id: Uuid | None = Field(default=None)


@router.get("/site", response_model=Site, summary="What the pages must know of the site")
def show_site(hub: HubDep) -> Response:
    """Name, number, time zone, base map, and how long what is kept."""
    site, tiles = hub.settings.site, hub.settings.map
    body: Json = {
        "name": site.name,
        "phone": site.phone,
        "time_zone": site.time_zone,
        "tiles": None,
        "retention_days": hub.retention_days,
        "session_hours": hub.settings.session.hours,
        "lease_seconds": hub.settings.incidents.lease_seconds,
        "supervision_sample": hub.settings.supervision.sample,
    }
    if tiles.tiles_url is not None:
        body["tiles"] = {
            "url": tiles.tiles_url,
            "subdomains": tiles.tiles_subdomains,
            "crs": tiles.tiles_crs,
            "attribution": tiles.tiles_attribution,
            "max_zoom": tiles.tiles_max_zoom,
        }
    return JsonAnswer(body)


@router.get("/presence", response_model=ListOf[PresenceRow], summary="Who looks at what")
def show_presence(hub: HubDep, who: Who) -> Response:
    items = hub.reads.presence(hub.clock()) if who.provider_id is None else []
    return JsonAnswer({"items": items, "next": None})


@router.post("/presence", response_model=ListOf[PresenceRow], summary="Say what this seat looks at")
def post_presence(hub: HubDep, who: Who, write: Write, body: Looking) -> Response:
    """Repeated every ten seconds while a page shows an incident; after thirty without a word nobody looks.

    Answers with everybody's; the others learn of a change by `presence.updated`. Saying it twice is saying it once.
    """
    del write
    seat = who.found.session.token_hash
    with hub.database.begin() as tx:
        if body.incident_id is None:
            moved = tx.desk.leave(seat)
        else:
            moved = tx.desk.look(seat, who.user_id, body.incident_id, hub.clock())
    rows = hub.reads.presence(hub.clock())
    if moved:
        with hub.database.begin() as tx:
            tx.timeline.beside("presence.updated", {"present": rows})
    return JsonAnswer({"items": rows, "next": None})


@router.post("/desk/sound-test", status_code=204, summary="The seat's sound was tried")
def post_sound_test(hub: HubDep, who: Who, write: Write) -> Response:
    """Noted for the hand-over: a desk that cannot be heard is found at the change of shift."""
    with hub.database.begin() as tx:
        tx.audit.add(write.actor, "desk.sound_test", f"user:{who.user_id}", {}, hub.clock(), who.address)
    return Response(status_code=204)


@router.get("/desk/seats", response_model=ListOf[Named], summary="Who can take an incident over")
def show_seats(hub: HubDep, who: Who) -> Response:
    """Active accounts that may hold incidents, the caller's own left out."""
    return JsonAnswer({"items": [one for one in _handlers(hub) if one["id"] != who.user_id], "next": None})


def _handlers(hub: Hub) -> list[Json]:
    rows: list[Json] = []
    for role in ("operator", "supervisor", "admin"):
        found = hub.reads.records("users", 500, None, role=role).items
        rows += [{"id": one["id"], "name": one["name"], "role": role} for one in found if one["active"]]
    return rows
