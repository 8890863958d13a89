"""Residents: who they are, where they are, and what their devices measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Time
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, api_router
from hub.api.schemas_records import ResidentFields, StatusChange
from hub.api.scope import may_see_resident
from hub.api.views import ListOf
from hub.api.views_records import ObservationList, Resident
from hub.api.writes import Write
from hub.care import ResidentStatus
from hub.errors import BadRequestError, NotFoundError
from hub.ports import Json

__all__ = ["router"]

router = api_router("residents")
Resolution = Literal["raw", "auto", "minute", "hour", "day", "1m", "5m", "15m", "1h", "1d"]
_LONGEST = timedelta(days=3_700)


def _resident(hub: Hub, who: Caller, resident_id: str) -> Json:
    if not may_see_resident(hub, who, resident_id):
        raise NotFoundError(f"no resident {resident_id}")
    return record_view(hub, "residents", resident_id)


@router.get("/residents", response_model=ListOf[Resident], summary="Residents")
def list_residents(
    hub: HubDep,
    area: Filter = None,
    status: Annotated[ResidentStatus | None, Query()] = None,
    phone: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """`area` includes everything below it; `q` is a part of name, id or address."""
    return list_answer(hub, "residents", limit, cursor, area=area, status=status, phone=phone, q=q)


@router.get("/residents/{resident_id}", response_model=Resident, summary="One resident")
def show_resident(hub: HubDep, who: Who, resident_id: RecordId) -> Response:
    """Staff see whom they are assigned to; a family and a resident their own. Every look is in the audit."""
    view = _resident(hub, who, resident_id)
    with hub.database.begin() as tx:
        tx.audit.add(who.actor, "residents.read", f"residents:{resident_id}", {}, hub.clock(), who.address)
    return one(view)


@router.post("/residents", response_model=Resident, status_code=201, summary="Add a resident")
def post_resident(write: Write, body: ResidentFields) -> Response:
    return add_record(write, "residents", body, needed=("name",))


@router.patch("/residents/{resident_id}", response_model=Resident, summary="Change a resident")
def patch_resident(write: Write, resident_id: RecordId, body: ResidentFields) -> Response:
    return change_record(write, "residents", resident_id, body)


@router.post("/residents/{resident_id}/status", response_model=Resident, summary="Where the resident is")
def post_status(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: StatusChange) -> Response:
    """From the moment of absence: no order and (but for `away`) no alarm of the resident's own devices."""

    def act() -> None:
        write.expect(_resident(hub, who, resident_id))
        hub.services.care.set_resident_status(resident_id, body.status, body.reason, who.actor)

    return write.once(act, lambda _done: _resident(hub, who, resident_id))


@router.get("/residents/{resident_id}/observations", response_model=ObservationList, summary="What was measured")
def show_observations(
    hub: HubDep,
    who: Who,
    resident_id: RecordId,
    metric: Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="e.g. heart_rate_bpm")],
    start: Annotated[Time | None, Query(alias="from")] = None,
    end: Annotated[Time | None, Query(alias="to")] = None,
    resolution: Annotated[Resolution, Query(description="raw, auto, or the width of a bin")] = "raw",
    cursor: Cursor = None,
) -> Response:
    """The last 24 hours where no span is given; at most ten years.

    An item is a record (`raw`: `at`, `value`, `state`, `device_id`; 2,000 a page) or a bin (`at`: its begin, `min`,
    `avg`, `max`, `n`, and for words `states`: how many records said which). No item: nothing was observed. Bins are
    wider than asked for where there would be more than 2,000 of them, or where the narrower ones are no longer kept;
    `auto` gives records where they are few, and else bins that fit. `resolution` and `bin_s` (0: records) say what was
    chosen.
    """
    until = end or hub.clock()
    since = start or until - timedelta(hours=24)
    if since >= until:
        raise BadRequestError("from must be earlier than to", field="from")
    if until - since > _LONGEST:
        raise BadRequestError(f"at most {_LONGEST.days} days at once", field="from")
    _resident(hub, who, resident_id)
    found = hub.reads.observations(resident_id, metric, since, until, resolution, cursor)
    body = {"items": found.items, "next": found.next_cursor, "resolution": found.resolution, "bin_s": found.bin_s}
    return JsonAnswer(body)
