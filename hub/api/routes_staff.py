"""Whoever can go: responders, their crews and shifts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from hub.api.answers import one
from hub.api.deps import HubDep, Who
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import CrewFields, ResponderFields, ShiftFields
from hub.api.schemas_rota import RotaId
from hub.api.scope import provider_record, provider_wanted
from hub.api.views import ListOf
from hub.api.views_records import Crew, Responder, Shift
from hub.api.writes import Write
from hub.errors import ConflictError
from hub.ports import Transaction

__all__ = ["router"]

router = api_router("staff")


@router.get("/responders", response_model=ListOf[Responder], summary="Responders")
def list_responders(
    hub: HubDep,
    who: Who,
    limit: Limit = 100,
    cursor: Cursor = None,
    area: Filter = None,
    kind: Filter = None,
    station: Filter = None,
    provider: Filter = None,
    on_duty: Annotated[bool | None, Query(description="true: at work now")] = None,
    q: Filter = None,
) -> Response:
    where = {"area": area, "kind": kind, "station_id": station, "provider": provider_wanted(who, provider), "q": q}
    duty = None if on_duty is None else str(on_duty).lower()
    return list_answer(hub, "responders", limit, cursor, on_duty=duty, **where)


@router.get("/responders/{record_id}", response_model=Responder, summary="One responder")
def show_responder(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "responders", record_id)
    return one(record_view(hub, "responders", record_id))


@router.post("/responders", response_model=Responder, status_code=201, summary="Add a responder")
def post_responder(write: Write, body: ResponderFields) -> Response:
    """Skills with an `expires_on` in the past block assignment to services."""
    return add_record(write, "responders", body, needed=("name", "kind"))


@router.patch("/responders/{record_id}", response_model=Responder, summary="Change a responder")
def patch_responder(write: Write, record_id: RecordId, body: ResponderFields) -> Response:
    """`active` false: off duty for good, nobody is sent any more. 409 `has-tasks` while they still have some."""
    if "active" not in body.model_fields_set or body.active:
        return change_record(write, "responders", record_id, body)

    def leaves(tx: Transaction) -> None:
        tx.responders.hold(record_id)
        me = tx.responders.get(record_id)
        if me is not None and me.live:
            raise ConflictError(
                f"{me.name} still has {me.live} task(s): give them to somebody else first",
                code="has-tasks",
                live=me.live,
            )

    return change_record(write, "responders", record_id, body, also={"on_duty": False}, check=leaves)


@router.get("/crews", response_model=ListOf[Crew], summary="Crews")
def list_crews(hub: HubDep, who: Who, limit: Limit = 100, cursor: Cursor = None, q: Filter = None) -> Response:
    return list_answer(hub, "crews", limit, cursor, q=q, provider=who.provider_id)


@router.get("/crews/{record_id}", response_model=Crew, summary="One crew")
def show_crew(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "crews", record_id)
    return one(record_view(hub, "crews", record_id))


@router.post("/crews", response_model=Crew, status_code=201, summary="Add a crew")
def post_crew(write: Write, body: CrewFields) -> Response:
    """People, vehicle and equipment that go together."""
    return add_record(write, "crews", body, needed=("name",))


@router.patch("/crews/{record_id}", response_model=Crew, summary="Change a crew")
def patch_crew(write: Write, record_id: RecordId, body: CrewFields) -> Response:
    return change_record(write, "crews", record_id, body)


@router.get("/shifts", response_model=ListOf[Shift], summary="Shifts")
def list_shifts(
    hub: HubDep, who: Who, limit: Limit = 100, cursor: Cursor = None, responder: Filter = None, area: Filter = None
) -> Response:
    return list_answer(hub, "shifts", limit, cursor, responder_id=responder, area_id=area, provider=who.provider_id)


@router.get("/shifts/{record_id}", response_model=Shift, summary="One shift")
def show_shift(hub: HubDep, who: Who, record_id: RecordId) -> Response:
    provider_record(hub, who, "shifts", record_id)
    return one(record_view(hub, "shifts", record_id))


@router.post("/shifts", response_model=Shift, status_code=201, summary="Add a shift")
def post_shift(write: Write, body: ShiftFields) -> Response:
    """When somebody works."""
    return add_record(write, "shifts", body, needed=("responder_id", "starts_at", "ends_at"))


@router.patch("/shifts/{record_id}", response_model=Shift, summary="Change a shift")
def patch_shift(write: Write, record_id: RecordId, body: ShiftFields) -> Response:
    """A shift that a rotation made is left alone by it from then on."""
    return change_record(write, "shifts", record_id, body, also={"changed": True})


@router.delete("/shifts/{record_id}", response_model=RotaId, summary="Take away a shift")
def delete_shift(write: Write, record_id: RecordId) -> Response:
    """One that was entered by mistake and has not begun; 409 for one that a rotation makes."""
    return write.once(
        lambda: write.hub.services.rota.remove_shift(record_id, write.actor), lambda _done: {"id": record_id}
    )
