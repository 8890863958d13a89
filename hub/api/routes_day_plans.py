"""Plans of a day: asked for, watched, compared, changed by what happens, published; and the routes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Hub, HubDep, Reader, Who
from hub.api.fields import Day
from hub.api.provider_days import own_plan, own_plans, own_routes, own_why
from hub.api.routing import Filter, Limit, Uid, api_router
from hub.api.schemas_day_plans import (
    CheckAsk,
    DayPlan,
    DayPlanList,
    PinAsk,
    PlanAsk,
    PlanChecked,
    PlanCompared,
    PublishAsk,
    ReplanAsk,
    RouteList,
    VisitWhy,
)
from hub.api.views_services import Visit
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.ports import DayPlanState, Json
from hub.wording import Language, worded

__all__ = ["router"]

router = api_router("day plans")


def _plan(hub: Hub, plan_id: str, language: Language | None) -> Json:
    view = hub.reads.day_plan(plan_id)
    if view is None:
        raise NotFoundError(f"no plan {plan_id}")
    return worded(view, language, "reason")


def _event(event: BaseModel) -> dict[str, Any]:
    return event.model_dump(by_alias=True, exclude_none=True)


@router.get("/plans", response_model=DayPlanList, summary="Plans of a day")
def list_plans(
    hub: HubDep,
    who: Who,
    reader: Reader,
    day: Annotated[Day | None, Query(alias="date")] = None,
    state: Annotated[list[DayPlanState], Query()] = [],  # noqa: B006
    limit: Limit = 50,
) -> Response:
    """Without their lists, the newest first. An account of a provider sees its own part of those published."""
    found = own_plans(hub, who, hub.reads.day_plans(day, state, limit, who.provider_id))
    return JsonAnswer({"items": [worded(plan, reader, "reason") for plan in found]})


@router.post("/plans", response_model=DayPlan, status_code=202, summary="Plan a day")
def post_plan(hub: HubDep, write: Write, reader: Reader, body: PlanAsk) -> Response:
    """A job: watch `progress`; the plan is ready in `seconds` at the latest. Nothing is real before it is published."""
    return write.once(
        lambda: hub.services.day.plans.ask(body.date, body.areas, body.kinds, body.seconds, write.actor),
        lambda plan_id: _plan(hub, plan_id, reader),
        status=202,
        headers=lambda view: {"Location": f"/api/v1/plans/{view['id']}"},
    )


@router.post("/plans/replan", response_model=DayPlan, status_code=201, summary="Something happened: plan around it")
def post_replan(hub: HubDep, write: Write, reader: Reader, body: ReplanAsk) -> Response:
    """A new plan, ready and not published, in which only what must be different is. 409 where a hard rule forbids it.

    `running` after ten seconds: no planner was free, watch it like any plan.
    """
    events = [_event(one) for one in body.events]
    return write.once(
        lambda: hub.services.day.replans.replan(body.date, events, write.actor, seconds=body.seconds, on=body.on),
        lambda plan_id: _plan(hub, plan_id, reader),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/plans/{view['id']}"},
    )


@router.post("/plans/check", response_model=PlanChecked, summary="What speaks against a swap or a move")
def check_change(hub: HubDep, write: Write, body: CheckAsk) -> Response:
    """Nothing is changed or kept: for a page, while somebody drags."""
    return write.once(
        lambda: hub.services.day.replans.check(body.date, _event(body.event), body.on), lambda found: found
    )


@router.get("/plans/{plan_id}", response_model=DayPlan, summary="One plan")
def show_plan(hub: HubDep, who: Who, reader: Reader, plan_id: Uid) -> Response:
    return one(worded(own_plan(hub, who, plan_id), reader, "reason"))


@router.post("/plans/{plan_id}/cancel", response_model=DayPlan, summary="Stop planning, or drop a plan")
def cancel_plan(hub: HubDep, write: Write, reader: Reader, plan_id: Uid) -> Response:
    """409 once it is published."""

    def act() -> None:
        hub.services.day.plans.cancel(plan_id, write.actor, version=write.version)

    return write.once(act, lambda _done: _plan(hub, plan_id, reader))


@router.post("/plans/{plan_id}/publish", response_model=DayPlan, summary="Make it real")
def publish_plan(hub: HubDep, write: Write, reader: Reader, plan_id: Uid, body: PublishAsk | None = None) -> Response:
    """Visits get their times, carers their offers, residents and family are told of what is different for them.

    All of it or nothing. 409 where something has happened since that does not fit: plan again.
    """
    asked = body or PublishAsk()

    def act() -> None:
        hub.services.day.publishing.publish(
            plan_id, write.actor, accepted=asked.accepted, tell=asked.tell, version=write.version
        )

    return write.once(act, lambda _done: _plan(hub, plan_id, reader))


@router.get("/plans/{plan_id}/compare", response_model=PlanCompared, summary="Before and after")
def compare_plans(
    hub: HubDep,
    plan_id: Uid,
    other: Annotated[
        str | None, Query(alias="with", max_length=64, description="A plan; absent: what the plan was based on")
    ] = None,
) -> Response:
    return JsonAnswer(hub.services.day.plans.compare(plan_id, other))


@router.get("/plans/{plan_id}/visits/{visit_id}/why", response_model=VisitWhy, summary="Why this carer")
def why_this_carer(hub: HubDep, who: Who, plan_id: Uid, visit_id: Uid) -> Response:
    """Reasons, and every other carer with what it would cost more or the rule that forbids it."""
    return JsonAnswer(own_why(hub, who, plan_id, visit_id, hub.services.day.plans.why))


@router.post("/visits/{visit_id}/pin", response_model=Visit, summary="Nail a visit down")
def pin_visit(hub: HubDep, write: Write, visit_id: Uid, body: PinAsk) -> Response:
    """No plan moves it then."""

    def act() -> None:
        hub.services.day.plans.pin(visit_id, body.pinned, write.actor, version=write.version)

    def view(_done: None) -> Json:
        order = hub.reads.order_of_visit(visit_id)
        if order is None:
            raise NotFoundError(f"no visit {visit_id}")
        return {**order["visit"], "order": order}

    return write.once(act, view)


@router.get("/routes", response_model=RouteList, summary="Routes of a day")
def list_routes(
    hub: HubDep,
    who: Who,
    day: Annotated[Day | None, Query(alias="date", description="Today where absent")] = None,
    plan: Annotated[str | None, Query(max_length=64, description="Absent: of what is published")] = None,
    responder: Filter = None,
) -> Response:
    """Of every carer, with stops in order. Staff see their own, of what is published; a provider its people's."""
    asked: date = day or hub.clock().astimezone(hub.zone).date()
    if who.role == "staff":
        plan, responder = None, who.person_id or ""
    return JsonAnswer({"items": own_routes(who, hub.reads.day_routes(asked, plan, responder, who.provider_id))})
