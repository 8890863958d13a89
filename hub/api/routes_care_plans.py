"""Care plans: services that come again and again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query, Response

from hub.api.answers import JsonAnswer, one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.routing import Cursor, Filter, Limit, Uid, api_router
from hub.api.schemas_everyday import CarePlanChange, CarePlanNew, PauseNew, needed
from hub.api.scope import own_resident, provider_wanted
from hub.api.views import ListOf
from hub.api.views_everyday import CarePlan, CarePlanDone, Occurrences
from hub.api.writes import Write
from hub.errors import BadRequestError, NotFoundError
from hub.ports import CarePlanFilter, Json

__all__ = ["router"]

router = api_router("care plans")
_HOME = frozenset({"family", "resident"})
_NEVER_EMPTY = ("starts_on", "begins", "ends")
Several = Annotated[int, Query(ge=1, le=60, description="How many occurrences")]


def _plan(hub: Hub, who: Caller, plan_id: str) -> Json:
    view = hub.services.everyday.care_plans.view(plan_id)
    strange = who.role in _HOME and view["resident"]["id"] != own_resident(hub, who)
    if strange or (who.provider_id is not None and view["provider_id"] != who.provider_id):
        raise NotFoundError(f"no care plan {plan_id}")
    return view


def _fields(body: CarePlanChange) -> dict[str, Any]:
    fields = body.model_dump(exclude_unset=True, exclude={"also_promised"})
    for name in _NEVER_EMPTY:
        if name in fields:
            needed(name, fields[name])
    return {name: tuple(value) if name in ("exdates", "rdates") else value for name, value in fields.items()}


@router.get("/care-plans", response_model=ListOf[CarePlan], summary="Care plans")
def list_care_plans(
    hub: HubDep,
    who: Who,
    resident: Filter = None,
    kind: Filter = None,
    area: Filter = None,
    provider: Filter = None,
    active: bool | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """A family and a resident see their own, an account of a provider that provider's."""
    if who.role in _HOME:
        resident = own_resident(hub, who)
    where = CarePlanFilter(resident, kind, area, provider_wanted(who, provider), active)
    found = hub.services.everyday.care_plans.listed(where, limit + 1, _after(cursor))
    return JsonAnswer({"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None})


def _after(cursor: str | None) -> str | None:
    if cursor is not None and (len(cursor) != 36 or cursor.count("-") != 4):
        raise BadRequestError("cursor: not one of this list's cursors", field="cursor")
    return cursor


@router.post("/care-plans", response_model=CarePlanDone, status_code=201, summary="Add a care plan")
def post_care_plan(hub: HubDep, who: Who, write: Write, body: CarePlanNew) -> Response:
    """Its orders of the coming weeks are there with the answer."""

    def act() -> Json:
        plan_id, followed = hub.services.everyday.care_plans.add(_fields(body), who.actor)
        return {"id": plan_id, "orders": asdict(followed)}

    return write.once(
        act,
        lambda done: {**_plan(hub, who, done["id"]), "orders": done["orders"]},
        status=201,
        headers=lambda view: {"Location": f"/api/v1/care-plans/{view['id']}"},
    )


@router.post("/care-plans/preview", response_model=Occurrences, summary="What a plan would give")
def preview_care_plan(hub: HubDep, write: Write, body: CarePlanNew, count: Several = 10) -> Response:
    """Nothing is kept. 422 says what is wrong with the rule."""
    del write  # nothing is written, and nothing needs to be remembered
    return JsonAnswer(hub.services.everyday.care_plans.preview(_fields(body), count))


@router.get("/care-plans/{plan_id}", response_model=CarePlan, summary="One care plan")
def show_care_plan(hub: HubDep, who: Who, plan_id: Uid) -> Response:
    return one(_plan(hub, who, plan_id))


@router.patch("/care-plans/{plan_id}", response_model=CarePlanDone, summary="Change or end a care plan")
def patch_care_plan(hub: HubDep, who: Who, write: Write, plan_id: Uid, body: CarePlanChange) -> Response:
    """Orders that nobody counts on follow at once; promised ones stay and are named in `orders.kept`."""

    def act() -> Json:
        desk = hub.services.everyday.care_plans
        fields = _fields(body)
        return asdict(desk.change(plan_id, fields, who.actor, version=write.version, also_promised=body.also_promised))

    return write.once(act, lambda done: {**_plan(hub, who, plan_id), "orders": done})


@router.get("/care-plans/{plan_id}/occurrences", response_model=Occurrences, summary="The next times")
def show_occurrences(hub: HubDep, who: Who, plan_id: Uid, count: Several = 10) -> Response:
    """With their orders, and why one does not come."""
    _plan(hub, who, plan_id)
    return JsonAnswer(hub.services.everyday.care_plans.upcoming(plan_id, count))


@router.post("/care-plans/{plan_id}/pauses", response_model=CarePlanDone, status_code=201, summary="Let it rest")
def post_pause(hub: HubDep, who: Who, write: Write, plan_id: Uid, body: PauseNew) -> Response:
    """Orders in these days are cancelled; whoever was to go is told why."""

    def act() -> Json:
        desk = hub.services.everyday.care_plans
        return asdict(desk.pause(plan_id, body.from_on, body.to_on, body.reason, who.actor, version=write.version))

    return write.once(act, lambda done: {**_plan(hub, who, plan_id), "orders": done}, status=201)


@router.post("/care-plans/{plan_id}/pauses/{pause_id}/lift", response_model=CarePlanDone, summary="It comes again")
def lift_pause(hub: HubDep, who: Who, write: Write, plan_id: Uid, pause_id: Uid) -> Response:
    """From today on; what the pause took away comes back."""

    def act() -> Json:
        return asdict(hub.services.everyday.care_plans.resume(plan_id, pause_id, who.actor))

    return write.once(act, lambda done: {**_plan(hub, who, plan_id), "orders": done})
