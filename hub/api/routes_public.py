"""Codes of areas, and the page behind one: the only place where somebody without an account can say something."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import StringConstraints

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, address_of
from hub.api.fields import TEXT, Phone, Word
from hub.api.fields import Request as Fields
from hub.api.public_gate import Rate
from hub.api.routing import RecordId, api_router
from hub.api.views import ListOf
from hub.api.views_home import AreaCode, AreaCodeInForce, MatterTaken, PublicArea
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.service import MATTERS

__all__ = ["router"]

router = api_router("public")

_LOOKS = Rate(burst=60, every_s=2)
_SAYS = Rate(burst=5, every_s=120)
"""Of one address. A shared address (a mobile network) is several people, a nuisance is one."""
_SAYS_OF_CODE = Rate(burst=30, every_s=60)

Code = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]{10,64}$", description="As printed")]


class MatterSaid(Fields):
    """What somebody saw. `key`: made by the page, so that a second press of the button is the same matter."""

    kind: Word
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), TEXT] | None = None
    phone: Phone | None = None
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")] | None = None


@router.get("/area-codes", response_model=ListOf[AreaCodeInForce], summary="Which areas have a code")
def list_codes(hub: HubDep) -> Response:
    return JsonAnswer({"items": hub.services.area_codes.in_force(), "next": None})


@router.get("/areas/{record_id}/code", response_model=AreaCode, summary="Whether an area has a code")
def show_code(hub: HubDep, record_id: RecordId) -> Response:
    _area(hub, record_id)
    return JsonAnswer({**hub.services.area_codes.state(record_id), "code": None, "url": None})


@router.post("/areas/{record_id}/code", response_model=AreaCode, status_code=201, summary="Print a code for an area")
def post_code(hub: HubDep, write: Write, record_id: RecordId) -> Response:
    """`url` is what the QR code carries; told once. An older one is worth nothing any more."""
    made: list[str] = []

    def view(_done: None) -> dict[str, object]:
        return {**hub.services.area_codes.state(record_id), "code": None, "url": None}

    answer = write.once(lambda: made.append(hub.services.area_codes.make(record_id, write.actor)), view, status=201)
    if not made:
        return answer
    return JsonAnswer({**view(None), "code": made[0], "url": f"/q/{made[0]}"}, status_code=201)


@router.delete("/areas/{record_id}/code", status_code=204, summary="Withdraw the code of an area")
def delete_code(hub: HubDep, write: Write, record_id: RecordId) -> Response:
    hub.services.area_codes.withdraw(record_id, write.actor)
    return Response(status_code=204)


@router.get("/q/{code}", response_model=PublicArea, summary="Where this code hangs, and what can be said")
def show_public(hub: HubDep, request: Request, code: Code) -> Response:
    """For anybody who scanned it. Changes nothing."""
    hub.public_gate.admit("look", address_of(request), _LOOKS)
    area = hub.services.area_codes.area_of(code)
    path = (hub.reads.record("areas", str(area["id"])) or {}).get("path") or []
    kinds = [{"kind": kind, "zh": one.zh, "en": one.en} for kind, one in MATTERS.items()]
    name = " · ".join(str(step["name"]) for step in path[-2:]) or str(area["name"])
    return JsonAnswer({"area": name, "phone": hub.settings.site.phone, "kinds": kinds})


@router.post("/q/{code}", response_model=MatterTaken, status_code=201, summary="Say what you saw")
def post_public(hub: HubDep, request: Request, code: Code, body: MatterSaid) -> Response:
    """A matter for the desk, never a critical incident: nobody is sent out by it alone. 429 where it is too much."""
    hub.public_gate.admit("say", address_of(request), _SAYS)
    hub.services.area_codes.area_of(code)
    hub.public_gate.admit("code", code, _SAYS_OF_CODE)
    alarm_id = hub.services.area_codes.raise_matter(code, body.kind, body.note, body.phone, body.key)
    alarm = hub.reads.record("alarms", alarm_id) or {}
    incident_id = alarm.get("incident_id")
    incident = hub.reads.incidents_by_id([incident_id]).get(incident_id) if incident_id else None
    taken = {"received_at": alarm.get("received_at"), "number": incident["number"] if incident else None}
    return JsonAnswer(taken, status_code=201)


def _area(hub: Hub, area_id: str) -> None:
    if hub.reads.record("areas", area_id) is None:
        raise NotFoundError(f"no area {area_id}")
