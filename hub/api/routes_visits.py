"""Proof of visit: values measured there, the gate before a bath, and flagged checks that a person decides on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Request, SaidText, Text, Time
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas import Measured
from hub.api.scope import may_see_order, provider_wanted
from hub.api.views import View
from hub.api.views_services import Visit
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import Json
from hub.ports.proof import ReviewFilter, ReviewState

__all__ = ["router"]

router = api_router("visits")


class GatePassed(Request):
    """The check before a bath. `consent` unable: the resident could not say. `at`: the phone's own time."""

    consent: Literal["given", "refused", "unable"]
    vitals: Measured | None = None
    at: Time | None = None
    note: Text | None = None


class VitalsTaken(Request):
    """What was measured at a visit, and when."""

    vitals: Measured
    at: Time | None = None


class Decided(Request):
    """What a person makes of a flagged check."""

    verdict: Literal["accepted", "rejected"]
    reason: SaidText


class VisitVitals(View):
    """`gate` with its values and reasons; null where there was none."""

    items: list[dict[str, Any]]
    gate: dict[str, Any] | None


class FlaggedCheck(View):
    """A check with its evidence: where the phone was, photos of the assignment, what was ordered of whom."""

    check: dict[str, Any]
    resident: dict[str, Any]
    responder: dict[str, Any]
    order: dict[str, Any]
    visit: dict[str, Any]
    fix: dict[str, Any] | None
    photos: list[dict[str, Any]]


class FlaggedChecks(View):
    items: list[FlaggedCheck]
    next: str | None
    server_time: datetime


def _visit(hub: Hub, who: Caller, visit_id: str) -> Json:
    order = hub.reads.order_of_visit(visit_id)
    if order is None or not may_see_order(hub, who, order):
        raise NotFoundError(f"no visit {visit_id}")
    return {**order["visit"], "order": order}


@router.post("/visits/{visit_id}/gate", response_model=Visit, summary="Vital signs and consent before a bath")
def post_gate(write: Write, visit_id: Uid, body: GatePassed) -> Response:
    """By a carer who has arrived. Outside the limits it says stop: the visit ends as aborted, a nurse is ordered."""
    hub, who = write.hub, write.caller
    vitals = body.vitals.model_dump(exclude_unset=True) if body.vitals else {}

    def act() -> None:
        _visit(hub, who, visit_id)
        hub.services.visits.gate(
            visit_id, write.actor, body.consent, vitals, at=body.at, note=body.note, version=write.version
        )

    return write.once(act, lambda _done: _visit(hub, who, visit_id))


@router.get("/visits/{visit_id}/vitals", response_model=VisitVitals, summary="What was measured at a visit")
def show_vitals(hub: HubDep, who: Who, visit_id: Uid) -> Response:
    """Health: for the desk and whoever is at the visit; every look of the desk is in the audit."""
    view = _visit(hub, who, visit_id)
    if who.role != "staff":
        hub.services.visits.saw_vitals(visit_id, str(view["order"]["resident"]["id"]), who.actor)
    return one(hub.services.visits.vitals(visit_id))


@router.post("/visits/{visit_id}/vitals", response_model=VisitVitals, status_code=201, summary="Enter measured values")
def post_vitals(write: Write, visit_id: Uid, body: VitalsTaken) -> Response:
    """They become observations of the resident. A nurse's are scored by NEWS2; of anybody else they are kept only."""
    hub, who = write.hub, write.caller
    values = body.vitals.model_dump(exclude_unset=True)

    def act() -> None:
        _visit(hub, who, visit_id)
        hub.services.visits.measure(visit_id, write.actor, values, at=body.at, version=write.version)

    return write.once(act, lambda _done: hub.services.visits.vitals(visit_id), status=201)


@router.get("/visit-checks", response_model=FlaggedChecks, summary="Checks that somebody must look at")
def list_checks(
    hub: HubDep,
    who: Who,
    state: Annotated[ReviewState, Query(description="open: not decided yet")] = "open",
    flag: Filter = None,
    kind: Filter = None,
    responder: Filter = None,
    provider: Filter = None,
    area: Filter = None,
    q: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Flagged check-ins and check-outs with their evidence, the latest first. An organisation's people see its own."""
    where = ReviewFilter(state, flag, kind, responder, provider_wanted(who, provider), area, q)
    rows, following = hub.services.visits.reviews(where, limit, cursor)
    return JsonAnswer({"items": rows, "next": following, "server_time": hub.clock()})


@router.get("/visit-checks/{check_id}", response_model=FlaggedCheck, summary="One check with its evidence")
def show_check(hub: HubDep, who: Who, check_id: Uid) -> Response:
    return one(hub.services.visits.review_of(check_id, provider_wanted(who, None)))


@router.post("/visit-checks/{check_id}/review", response_model=FlaggedCheck, summary="Accept or reject a check")
def review_check(write: Write, check_id: Uid, body: Decided) -> Response:
    """With a reason, audited; `If-Match` with the check's version. What the check told is never changed."""
    hub, who = write.hub, write.caller
    return write.once(
        lambda: hub.services.visits.review(
            check_id,
            body.verdict,
            body.reason,
            write.actor,
            provider_id=provider_wanted(who, None),
            version=write.version,
        ),
        lambda view: view,
    )
