"""Everyday services: kinds, orders and visits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one, page_body
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Time
from hub.api.records import record_view
from hub.api.routes_assignments import step_details
from hub.api.routing import Cursor, Filter, Limit, RecordId, Uid, api_router
from hub.api.schemas import Assign, OrderNew, Reason, StepAccept, StepComplete, StepDecline, StepOnScene
from hub.api.schemas_everyday import KindFields
from hub.api.scope import (
    may_order_for,
    may_see_order,
    order_view,
    own_resident,
    own_responders,
    provider_record,
    provider_wanted,
)
from hub.api.views import CandidateList, ListOf
from hub.api.views_records import ServiceKind, ServiceKindList
from hub.api.views_services import Order, Visit
from hub.api.writes import Write, Writing
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json, OrderFilter, OrderState
from hub.service import recommendation_json

__all__ = ["router"]

router = api_router("services")
_HOME = frozenset({"family", "resident"})


@router.get("/service-kinds", response_model=ServiceKindList, summary="What can be ordered")
def list_service_kinds(hub: HubDep) -> Response:
    return JsonAnswer(page_body(hub.reads.records("service_kinds", 500, None)))


@router.get("/service-kinds/{record_id}", response_model=ServiceKind, summary="One kind of service")
def show_service_kind(hub: HubDep, record_id: RecordId) -> Response:
    return one(record_view(hub, "service_kinds", record_id))


@router.post("/service-kinds", response_model=ServiceKind, status_code=201, summary="Add a kind of service")
def post_service_kind(hub: HubDep, who: Who, write: Write, body: KindFields) -> Response:
    """It can be ordered at once, by everybody who may order; no restart."""
    fields = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: hub.services.everyday.kinds.add(fields, who.actor),
        lambda kind_id: record_view(hub, "service_kinds", kind_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/service-kinds/{view['id']}"},
    )


@router.patch("/service-kinds/{record_id}", response_model=ServiceKind, summary="Change a kind of service")
def patch_service_kind(hub: HubDep, who: Who, write: Write, record_id: RecordId, body: KindFields) -> Response:
    """`active` false: it can no longer be ordered. What is ordered keeps its duration and its carers."""
    fields = body.model_dump(exclude_unset=True)
    if "id" in fields:
        raise BadRequestError("id: cannot be changed", field="id")

    def act() -> None:
        hub.services.everyday.kinds.change(record_id, fields, who.actor, version=write.version)

    return write.once(act, lambda _done: record_view(hub, "service_kinds", record_id))


@router.get("/orders", response_model=ListOf[Order], summary="Orders")
def list_orders(
    hub: HubDep,
    who: Who,
    state: Annotated[list[OrderState], Query()] = [],  # noqa: B006
    kind: Filter = None,
    resident: Filter = None,
    day: Annotated[date | None, Query(alias="date", description="Wanted on that day, local time of the hub")] = None,
    since: Annotated[Time | None, Query(alias="from", description="Wanted then or later")] = None,
    until: Annotated[Time | None, Query(alias="to", description="Wanted before then")] = None,
    provider: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """A family and a resident see their own, an account of a provider that provider's."""
    if who.role in _HOME:
        resident = own_resident(hub, who)
    start = _midnight(hub, day) if day else None
    where = OrderFilter(
        states=tuple(state),
        kind=kind,
        resident_id=resident,
        day_from=start or since,
        day_to=start + timedelta(days=1) if start else until,
        provider_id=provider_wanted(who, provider),
    )
    return JsonAnswer(page_body(hub.reads.orders(where, limit, cursor)))


def _midnight(hub: Hub, day: date) -> datetime:
    """The beginning of a day where the hub stands."""
    return datetime.combine(day, time.min, tzinfo=hub.zone)


@router.post("/orders", response_model=Order, status_code=201, summary="Order a service")
def post_order(hub: HubDep, who: Who, write: Write, body: OrderNew) -> Response:
    """409 while the resident is away, in hospital, moved or deceased. Staff order for residents of their tasks and of
    the areas that they look after (`GET /my/residents`).
    """
    if not may_order_for(hub, who, body.resident_id):
        home = who.role in _HOME
        raise ForbiddenError(
            "an order for your own resident only" if home else "an order for somebody of your tasks or areas only"
        )
    if body.payer_hint is not None and (who.role == "staff" or (who.role in _HOME and body.payer_hint != "family")):
        raise ForbiddenError("who pays first is for the coordinator; a family may offer to pay itself")
    fields = body.model_dump(exclude_none=True)
    return write.once(
        lambda: hub.services.care.create_order(fields, who.actor),
        # Whoever ordered it is told of it, also one who is not going there.
        lambda order_id: hub.reads.orders_by_id([order_id])[order_id],
        status=201,
        headers=lambda view: {"Location": f"/api/v1/orders/{view['id']}"},
    )


@router.get("/orders/{order_id}", response_model=Order, summary="One order")
def show_order(hub: HubDep, who: Who, order_id: Uid) -> Response:
    return one(order_view(hub, who, order_id))


@router.get("/orders/{order_id}/candidates", response_model=CandidateList, summary="Who could do it")
def show_order_candidates(hub: HubDep, who: Who, order_id: Uid) -> Response:
    """Carers with the reasons for and against, best first. An account of a provider sees its own people."""
    order_view(hub, who, order_id)
    body = recommendation_json(hub.services.recommending.of_order(order_id))
    if who.provider_id is not None:
        own = own_responders(hub, who.provider_id)
        items = [one for one in body["items"] if one["responder"]["id"] in own]
        body |= {"items": items, "eligible": sum(one["eligible"] for one in items), "why_not": {}}
    return JsonAnswer(body)


@router.post("/orders/{order_id}/assign", response_model=Order, summary="Offer it to a carer")
def assign_order(hub: HubDep, who: Who, write: Write, order_id: Uid, body: Assign) -> Response:
    """409 where a rule forbids it: a service is never given to somebody who may not do it."""

    def act() -> str:
        write.expect(order_view(hub, who, order_id))
        provider_record(hub, who, "responders", body.responder_id)
        return hub.services.dispatching.assign_order(order_id, body.responder_id, who.actor, body.note)

    return write.once(act, lambda _done: order_view(hub, who, order_id))


@router.post("/orders/{order_id}/cancel", response_model=Order, summary="Cancel it")
def cancel_order(hub: HubDep, who: Who, write: Write, order_id: Uid, body: Reason) -> Response:
    """Before it has begun; whoever was to go is told why."""

    def act() -> None:
        write.expect(order_view(hub, who, order_id))
        hub.services.care.cancel_order(order_id, who.actor, body.reason)

    return write.once(act, lambda _done: order_view(hub, who, order_id))


def _visit(hub: Hub, who: Caller, visit_id: str) -> Json:
    order = hub.reads.order_of_visit(visit_id)
    if order is None or not may_see_order(hub, who, order):
        raise NotFoundError(f"no visit {visit_id}")
    return {**order["visit"], "order": order}


@router.get("/visits/{visit_id}", response_model=Visit, summary="One visit, with its order")
def show_visit(hub: HubDep, who: Who, visit_id: Uid) -> Response:
    return one(_visit(hub, who, visit_id))


def _visit_step(write: Writing, visit_id: str, action: str, body: StepAccept | None) -> Response:
    hub, who = write.hub, write.caller

    def act() -> None:
        _visit(hub, who, visit_id)
        hub.services.care.visit_step(visit_id, action, who.actor, version=write.version, **step_details(body))

    # Whoever declined no longer sees the visit; the answer to the own step still shows it.
    return write.once(act, lambda _done: _after(hub, visit_id))


def _after(hub: Hub, visit_id: str) -> Json:
    order = hub.reads.order_of_visit(visit_id)
    if order is None:
        raise NotFoundError(f"no visit {visit_id}")
    return {**order["visit"], "order": order}


@router.post("/visits/{visit_id}/accept", response_model=Visit, summary="I come")
def accept_visit(write: Write, visit_id: Uid, body: StepAccept | None = None) -> Response:
    return _visit_step(write, visit_id, "accept", body)


@router.post("/visits/{visit_id}/decline", response_model=Visit, summary="I cannot")
def decline_visit(write: Write, visit_id: Uid, body: StepDecline) -> Response:
    return _visit_step(write, visit_id, "decline", body)


@router.post("/visits/{visit_id}/start", response_model=Visit, summary="I am on my way")
def start_visit(write: Write, visit_id: Uid, body: StepAccept | None = None) -> Response:
    return _visit_step(write, visit_id, "start", body)


@router.post("/visits/{visit_id}/check-in", response_model=Visit, summary="I am at the door")
def check_in(write: Write, visit_id: Uid, body: StepOnScene | None = None) -> Response:
    return _visit_step(write, visit_id, "check-in", body)


@router.post("/visits/{visit_id}/check-out", response_model=Visit, summary="It is done")
def check_out(write: Write, visit_id: Uid, body: StepComplete) -> Response:
    return _visit_step(write, visit_id, "check-out", body)
