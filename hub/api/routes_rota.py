"""The rota: rotations, wanted cover, holidays, overrides, swaps, gaps ahead and who is on call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import AwareDatetime

from hub.api.answers import JsonAnswer, one
from hub.api.deps import HubDep
from hub.api.fields import Day
from hub.api.records import add_record, change_record, list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, Uid, api_router
from hub.api.schemas_rota import (
    CoverFields,
    CoverView,
    HolidayFields,
    HolidayNew,
    HolidayView,
    OnCall,
    OverrideNew,
    Preview,
    RotaBoardView,
    RotaGaps,
    RotaId,
    RotationFields,
    RotationMade,
    RotationView,
    SwapNew,
    SwapStep,
    SwapView,
    rotation_of,
)
from hub.api.views import ListOf
from hub.api.writes import Write, Writing
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json
from hub.rota import SwapAction
from hub.service.rota import Made
from hub.service.rota_board import GAPS_AHEAD_DAYS

__all__ = ["router"]

router = api_router("rota")

_NEEDED = ("name", "role", "starts_on", "begins", "minutes")


# --- what is there


@router.get("/rota", response_model=RotaBoardView, summary="Days of the rota")
def show_rota(
    hub: HubDep,
    start: Annotated[Day | None, Query(alias="from", description="The first day; today where absent")] = None,
    days: Annotated[int, Query(ge=1, le=62)] = 7,
    role: Filter = None,
    area: Filter = None,
) -> Response:
    """Who is on duty after overrides and swaps, gaps from now on, which days are worked."""
    return JsonAnswer(hub.services.rota_board.board(start, days, role=role, area_id=area))


@router.get("/rota/gaps", response_model=RotaGaps, summary="Gaps ahead")
def show_gaps(
    hub: HubDep,
    days: Annotated[int, Query(ge=1, le=62)] = GAPS_AHEAD_DAYS,
    role: Filter = None,
    area: Filter = None,
) -> Response:
    """Fewer people than wanted, absences that nobody stands in for, rotations without enough members."""
    return JsonAnswer(hub.services.rota_board.gaps_ahead(days, role=role, area_id=area))


@router.get("/rota/on-call", response_model=OnCall, summary="Who is on call")
def show_on_call(
    hub: HubDep,
    role: Annotated[str, Query(min_length=1, max_length=64)],
    area: Filter = None,
    at: Annotated[AwareDatetime | None, Query(description="Now where absent")] = None,
) -> Response:
    """Whom a response plan calls, in its order: nearest area first; where nobody is on shift, whoever has the role."""
    return JsonAnswer(hub.services.rota_board.on_call(role, area, _moment(at)))


def _moment(at: datetime | None) -> datetime | None:
    if at is not None and not 1900 < at.year < 2200:
        raise BadRequestError("at: must lie between the years 1900 and 2200", field="at")
    return at


# --- rotations


@router.get("/rotations", response_model=ListOf[RotationView], summary="Rotations")
def list_rotations(
    hub: HubDep, limit: Limit = 100, cursor: Cursor = None, role: Filter = None, area: Filter = None, q: Filter = None
) -> Response:
    return list_answer(hub, "rotations", limit, cursor, role=role, area=area, q=q)


@router.get("/rotations/{record_id}", response_model=RotationView, summary="One rotation")
def show_rotation(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "rotations", record_id))


@router.post("/rotations", response_model=RotationMade, status_code=201, summary="Add a rotation")
def post_rotation(write: Write, body: RotationFields) -> Response:
    """Its shifts are made 60 days ahead, and topped up every day."""
    fields = _needed(body, _NEEDED)
    fields.setdefault("id", write.hub.new_id())
    return write.once(
        lambda: write.hub.services.rota.add_rotation(fields, write.actor),
        lambda done: _made(write, *done),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/rotations/{view['id']}"},
    )


@router.patch("/rotations/{record_id}", response_model=RotationMade, summary="Change a rotation")
def patch_rotation(write: Write, record_id: RecordId, body: RotationFields) -> Response:
    """Shifts that have not begun follow; those that somebody touched stay and are named in `kept`."""
    fields = body.model_dump(exclude_unset=True)
    if "id" in fields:
        raise BadRequestError("id: cannot be changed", field="id")
    return write.once(
        lambda: write.hub.services.rota.change_rotation(record_id, fields, write.actor, version=write.version),
        lambda made: _made(write, record_id, made),
    )


@router.post("/rotations/preview", response_model=Preview, summary="What a rotation would give")
def preview_rotation(write: Write, body: RotationFields) -> Response:
    """Four weeks of it, from today or its first day on; nothing is kept."""
    _needed(body, ("role", "starts_on", "begins", "minutes"))
    return write.once(
        lambda: write.hub.services.rota.preview(rotation_of(body)),
        lambda found: {
            "items": [
                {"seat": s.seat, "starts_at": s.starts_at, "ends_at": s.ends_at, "responder_id": s.responder_id}
                for s in found
            ]
        },
    )


def _needed(body: RotationFields, names: tuple[str, ...]) -> Json:
    fields = body.model_dump(exclude_unset=True)
    for name in names:
        if fields.get(name) in (None, ""):
            raise BadRequestError(f"{name}: is missing", field=name)
    fields.setdefault("rule", "FREQ=DAILY")
    return fields


def _made(write: Writing, rotation_id: str, made: Made) -> Json:
    kept = [
        {"id": k.id, "starts_at": k.starts_at, "ends_at": k.ends_at, "responder_id": k.responder_id} for k in made.kept
    ]
    view = record_view(write.hub, "rotations", rotation_id)
    return {**view, "made": made.made, "changed": made.changed, "removed": made.removed, "kept": kept}


# --- wanted cover


@router.get("/rota-cover", response_model=ListOf[CoverView], summary="Wanted cover")
def list_cover(
    hub: HubDep, limit: Limit = 100, cursor: Cursor = None, role: Filter = None, area: Filter = None
) -> Response:
    return list_answer(hub, "rota_cover", limit, cursor, role=role, area=area)


@router.get("/rota-cover/{record_id}", response_model=CoverView, summary="One wanted cover")
def show_cover(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "rota_cover", record_id))


@router.post("/rota-cover", response_model=CoverView, status_code=201, summary="Want cover")
def post_cover(write: Write, body: CoverFields) -> Response:
    """How many of a role an area wants, at what hours; gaps are measured against it."""
    return add_record(write, "rota_cover", body, needed=("role",))


@router.patch("/rota-cover/{record_id}", response_model=CoverView, summary="Change wanted cover")
def patch_cover(write: Write, record_id: RecordId, body: CoverFields) -> Response:
    return change_record(write, "rota_cover", record_id, body)


# --- holidays


@router.get("/holidays", response_model=ListOf[HolidayView], summary="Holidays and make-up days")
def list_holidays(hub: HubDep, limit: Limit = 500, cursor: Cursor = None, q: Filter = None) -> Response:
    return list_answer(hub, "holidays", limit, cursor, q=q)


@router.get("/holidays/{record_id}", response_model=HolidayView, summary="One day")
def show_holiday(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "holidays", record_id))


@router.post("/holidays", response_model=HolidayView, status_code=201, summary="Enter a day")
def post_holiday(write: Write, body: HolidayNew) -> Response:
    """A day that is entered already becomes what is said here. Rotations by working days follow at once."""
    day = body.id.isoformat()
    fields = {"kind": body.kind, "name": body.name, "source": "local"}
    return write.once(
        lambda: write.hub.services.rota.set_holiday(day, fields, write.actor),
        lambda _done: record_view(write.hub, "holidays", day),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/holidays/{view['id']}"},
    )


@router.patch("/holidays/{record_id}", response_model=HolidayView, summary="Change a day")
def patch_holiday(write: Write, record_id: RecordId, body: HolidayFields) -> Response:
    record_view(write.hub, "holidays", record_id)
    fields = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: write.hub.services.rota.set_holiday(record_id, fields, write.actor, version=write.version),
        lambda _done: record_view(write.hub, "holidays", record_id),
    )


# --- overrides


@router.post("/rota/overrides", response_model=RotaId, status_code=201, summary="Override the rota")
def post_override(write: Write, body: OverrideNew) -> Response:
    """Somebody is absent, is stood in for, or is there besides."""
    fields = body.model_dump(exclude_none=True)
    return write.once(
        lambda: write.hub.services.rota.override(fields, write.actor), lambda found: {"id": found}, status=201
    )


@router.post("/rota/overrides/{override_id}/withdraw", response_model=RotaId, summary="Withdraw an override")
def withdraw_override(write: Write, override_id: Uid) -> Response:
    return write.once(
        lambda: write.hub.services.rota.withdraw_override(override_id, write.actor),
        lambda _done: {"id": override_id},
    )


# --- swaps


@router.get("/rota/swaps", response_model=ListOf[SwapView], summary="Swaps")
def list_swaps(hub: HubDep, open_only: Annotated[bool, Query(alias="open")] = False) -> Response:
    """The newest first, 200 at most."""
    with hub.database.begin() as tx:
        return JsonAnswer({"items": tx.rota.swaps_view(open_only=open_only), "next": None})


@router.post("/rota/swaps", response_model=SwapView, status_code=201, summary="Ask for a swap")
def post_swap(write: Write, body: SwapNew) -> Response:
    """By whoever has the shift, or by a coordinator in that person's name. 409 says what forbids it."""
    return write.once(
        lambda: write.hub.services.rota.ask_swap(
            body.shift_id.lower(),
            body.asked_of,
            write.actor,
            return_id=body.return_id.lower() if body.return_id else None,
            note=body.note,
        ),
        lambda swap_id: _swap(write, swap_id),
        status=201,
    )


@router.post("/rota/swaps/{swap_id}/agree", response_model=SwapView, summary="Agree to a swap")
def agree_swap(write: Write, swap_id: Uid, body: SwapStep | None = None) -> Response:
    return _step(write, swap_id, "agree", body)


@router.post("/rota/swaps/{swap_id}/decline", response_model=SwapView, summary="Decline a swap")
def decline_swap(write: Write, swap_id: Uid, body: SwapStep) -> Response:
    return _step(write, swap_id, "decline", body)


@router.post("/rota/swaps/{swap_id}/withdraw", response_model=SwapView, summary="Withdraw a swap")
def withdraw_swap(write: Write, swap_id: Uid, body: SwapStep | None = None) -> Response:
    return _step(write, swap_id, "withdraw", body)


@router.post("/rota/swaps/{swap_id}/approve", response_model=SwapView, summary="Approve a swap")
def approve_swap(write: Write, swap_id: Uid, body: SwapStep | None = None) -> Response:
    """The shifts change hands. By somebody without a part in it."""
    return _step(write, swap_id, "approve", body)


@router.post("/rota/swaps/{swap_id}/refuse", response_model=SwapView, summary="Refuse a swap")
def refuse_swap(write: Write, swap_id: Uid, body: SwapStep) -> Response:
    return _step(write, swap_id, "refuse", body)


def _step(write: Writing, swap_id: str, action: SwapAction, body: SwapStep | None) -> JsonAnswer:
    reason = body.reason if body else None
    return write.once(
        lambda: write.hub.services.rota.step_swap(swap_id, action, write.actor, reason=reason, version=write.version),
        lambda _done: _swap(write, swap_id),
    )


def _swap(write: Writing, swap_id: str) -> Json:
    with write.hub.database.begin() as tx:
        found = tx.rota.swaps_view(swap_id=swap_id)
    if not found:
        raise NotFoundError(f"no swap {swap_id}")
    view = found[0]
    mine = write.caller.person_id
    if write.caller.role == "staff" and mine not in (view["asked_by"]["id"], view["asked_of"]["id"]):
        raise ForbiddenError("this swap is somebody else's")
    return view
