"""Calls: every one in or out, and the telephone system's word of one that rings now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import Response
from pydantic import Field

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.callers import caller_of, open_incident, owner
from hub.api.deps import Hub, HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas import CallFields, CallUpdate, IncomingCall
from hub.api.views import Call, Contact, Incident, ListOf, View
from hub.api.writes import Write
from hub.errors import ForbiddenError, NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("calls")
_RINGS = timedelta(minutes=2)
"""No telephone rings longer: whoever was not answered by then has hung up, whether the system said so or not."""
_SPOKEN = timedelta(minutes=30)
"""As long as an open call keeps a claim: nobody said that it ended."""


class Caller(View):
    """Who calls, as far as the number tells."""

    kind: Literal["resident", "contact", "responder", "unknown"]
    id: str | None
    name: str | None
    relation: str | None
    residents: list[dict[str, Any]] = Field(description="Whom it may be about; several share a telephone")
    incident: Incident | None = Field(description="Live, of one of them; of a responder the one they are on")


class IncomingAnswer(View):
    """Whose number it is."""

    call: Call
    resident: dict[str, Any] | None
    contact: Contact | None
    incident: Incident | None


class IncomingNow(View):
    call: Call
    caller: Caller


class Incoming(View):
    items: list[IncomingNow]
    server_time: datetime


def _call(hub: Hub, call_id: str) -> Json:
    view = hub.reads.record("calls", call_id)
    if view is None:
        raise NotFoundError(f"no call {call_id}")
    return view


@router.get("/calls", response_model=ListOf[Call], summary="Calls, newest first")
def list_calls(hub: HubDep, incident: Filter = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    return JsonAnswer(page_body(hub.reads.calls(incident, limit, cursor)))


@router.post("/calls", response_model=Call, status_code=201, summary="A call was placed or taken")
def post_call(hub: HubDep, write: Write, body: CallFields) -> Response:
    fields = body.model_dump(exclude_none=True)
    return write.once(
        lambda: hub.services.calls.record(fields, write.actor), lambda call_id: _call(hub, call_id), status=201
    )


@router.get("/calls/incoming", response_model=Incoming, summary="Who rings, and who is being spoken with")
def list_incoming(hub: HubDep) -> Response:
    """Calls in that are not over, the longest waiting first, each with whom the number may mean."""
    now = hub.clock()
    calls = hub.reads.calls_incoming(now - _RINGS, now - _SPOKEN)
    items = [{"call": call, "caller": caller_of(hub, call["number"])} for call in calls]
    return JsonAnswer({"items": items, "server_time": now})


@router.post("/calls/incoming", response_model=IncomingAnswer, status_code=201, summary="A call rings now")
def post_incoming(hub: HubDep, who: Who, write: Write, body: IncomingCall) -> Response:
    """From a telephone system: finds whose number it is, and what is open there."""
    resident_id, contact = owner(hub, body.number)

    def act() -> str:
        fields: Json = {"direction": "in", "number": body.number, "started_at": body.started_at or hub.clock()}
        incident = open_incident(hub, [resident_id])
        if resident_id:
            fields["resident_id"] = resident_id
            fields["party"] = f"contact:{contact['id']}" if contact else f"resident:{resident_id}"
        if incident:
            fields["incident_id"] = incident["id"]
        return hub.services.calls.record(fields, who.actor)

    def view(call_id: str) -> Json:
        resident = hub.reads.record("residents", resident_id) if resident_id else None
        if who.role == "integrator" and resident is not None:
            # The telephone system shows a name; illness and access stay with the desk.
            resident = {name: resident.get(name) for name in ("id", "name", "age", "sex", "address", "status")}
        return {
            "call": _call(hub, call_id),
            "resident": resident,
            "contact": contact,
            "incident": open_incident(hub, [resident_id]),
        }

    return write.once(act, view, status=201)


@router.get("/calls/{call_id}", response_model=Call, summary="One call")
def show_call(hub: HubDep, call_id: Uid) -> Response:
    return one(_call(hub, call_id))


@router.patch("/calls/{call_id}", response_model=Call, summary="How the call went")
def patch_call(hub: HubDep, who: Who, write: Write, call_id: Uid, body: CallUpdate) -> Response:
    """A call that came in and is answered here belongs to that seat: 409 where another one has it.

    A telephone system says of its own calls when they were answered and ended, and nothing else.
    """
    fields = body.model_dump(exclude_unset=True)
    system = who.role == "integrator"
    if system and (unknown := fields.keys() - {"answered_at", "ended_at", "outcome"}):
        raise ForbiddenError("a telephone system says when a call was answered and ended", field=min(unknown))

    def act() -> None:
        call = _call(hub, call_id)
        if system and str(call["placed_by"]) != who.user_id:
            raise NotFoundError(f"no call {call_id}")
        write.expect(call)
        hub.services.calls.update(call_id, fields, write.actor, seat=None if system else who.user_id)

    return write.once(act, lambda _done: _call(hub, call_id))
