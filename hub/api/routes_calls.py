"""Calls: every one in or out, and the telephone system's word of one that rings now."""

from __future__ import annotations

import re

from fastapi import Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import Hub, HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas import CallFields, CallUpdate, IncomingCall
from hub.api.views import Call, IncomingAnswer, ListOf
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import IncidentFilter, Json

__all__ = ["plain_number", "router"]

router = api_router("calls")
_NOT_DIGITS = re.compile(r"[^0-9]")


def plain_number(number: str) -> str:
    """The digits of a number as they are dialled inside the country: no blanks, no +86 or 0086."""
    digits = _NOT_DIGITS.sub("", number)
    if number.strip().startswith("+86"):
        return digits[2:]
    return digits[4:] if digits.startswith("0086") else digits


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


@router.post("/calls/incoming", response_model=IncomingAnswer, status_code=201, summary="A call rings now")
def post_incoming(hub: HubDep, who: Who, write: Write, body: IncomingCall) -> Response:
    """From a telephone system: finds whose number it is, and what is open there."""
    resident_id, contact = _owner(hub, body.number)

    def act() -> str:
        fields: Json = {"direction": "in", "number": body.number, "started_at": body.started_at or hub.clock()}
        incident = _open_incident(hub, resident_id)
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
            "incident": _open_incident(hub, resident_id),
        }

    return write.once(act, view, status=201)


def _owner(hub: Hub, number: str) -> tuple[str | None, Json | None]:
    digits = plain_number(number)
    if len(digits) < 3:
        return None, None
    residents = hub.reads.records("residents", 2, None, phone=digits).items
    if residents:
        return str(residents[0]["id"]), None
    contacts = hub.reads.records("contacts", 2, None, phone=digits).items
    # A number that belongs to contacts of several residents opens none of them: the operator asks.
    if len({row["resident_id"] for row in contacts}) == 1:
        return str(contacts[0]["resident_id"]), contacts[0]
    return None, None


def _open_incident(hub: Hub, resident_id: str | None) -> Json | None:
    if resident_id is None:
        return None
    live = IncidentFilter(states=("open", "acknowledged", "in_progress"), resident_id=resident_id)
    rows = hub.reads.incidents(live, 1, None).items
    return rows[0] if rows else None


@router.get("/calls/{call_id}", response_model=Call, summary="One call")
def show_call(hub: HubDep, call_id: Uid) -> Response:
    return one(_call(hub, call_id))


@router.patch("/calls/{call_id}", response_model=Call, summary="How the call went")
def patch_call(hub: HubDep, write: Write, call_id: Uid, body: CallUpdate) -> Response:
    fields = body.model_dump(exclude_unset=True)

    def act() -> None:
        write.expect(_call(hub, call_id))
        hub.services.calls.update(call_id, fields, write.actor)

    return write.once(act, lambda _done: _call(hub, call_id))
