"""Response plans: who is called when; and the plan of one incident, how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import AfterValidator, Field, Strict

from hub.alarms.model import Priority
from hub.api.answers import JsonAnswer, one
from hub.api.deps import HubDep, Who
from hub.api.fields import Change, Flag, Free, Name, NewId, Request, SaidText, Text, storable
from hub.api.records import list_answer, record_view
from hub.api.routing import Cursor, Filter, Limit, RecordId, Uid, api_router
from hub.api.schemas import Nothing
from hub.api.scope import incident_view
from hub.api.views import ListOf, View
from hub.api.writes import Write
from hub.errors import NotFoundError
from hub.service import plan_progress

__all__ = ["PlanChange", "PlanNew", "router"]

router = api_router("response plans")
_TABLE = "response_plans"

Tiers = Annotated[list[dict[str, Any]], Field(max_length=20), AfterValidator(storable)]
Code = Annotated[str, Field(min_length=1, max_length=32), AfterValidator(storable)]


class ResponsePlanView(View):
    id: str
    zh: str
    en: str
    note: str | None
    active: bool
    conditions: dict[str, Any] = Field(description="types, classes, priorities, area_id, hours, days, flags")
    voice: dict[str, Any] = Field(description="seconds until contact with the resident counts as failed, by_type")
    tiers: list[dict[str, Any]] = Field(description="In the order of calling")
    access: dict[str, Any] = Field(description="ways through the door in their order, consent, zh, en")
    clocks: dict[str, Any] = Field(description="accept_s, on_scene_s, welfare_s, welfare_grace_s; null: the policy's")
    priority: Priority | None
    at_once: bool
    card: bool
    built_in: bool
    edited: bool
    changed_at: datetime | None
    version: int


class PlanVersion(View):
    version: int
    at: datetime
    record: dict[str, Any]


class PlanProgress(View):
    """The copy of a plan on one incident, and how far it has come."""

    incident_id: str
    plan: dict[str, Any]
    chosen: dict[str, Any] | None = Field(description="Why this plan: code, text, values")
    round: int
    state: Literal["ready", "voice", "spoken", "calling", "exhausted", "stopped"]
    since: datetime | None
    due_at: datetime | None
    reason: str
    voice: dict[str, Any]
    tiers: list[dict[str, Any]]
    access: dict[str, Any]
    card: bool


class PlanNew(Request):
    """A plan. What its parts may hold is in docs/howto/add-a-response-plan.md; every fault is named with its place."""

    id: NewId
    zh: Name
    en: Name
    note: Text | None = None
    active: Flag = True
    conditions: Free = Field(default_factory=dict)
    voice: Free = Field(default_factory=dict)
    tiers: Tiers
    access: Free = Field(default_factory=dict)
    clocks: Free = Field(default_factory=dict)
    priority: Priority | None = None
    at_once: Flag = False
    card: Flag = True


class PlanChange(Change):
    """Changes of a plan; its parts are replaced whole. Running incidents keep the copy they opened with."""

    zh: Name = ""
    en: Name = ""
    note: Text | None = None
    active: Flag = True
    conditions: Free = Field(default_factory=dict)
    voice: Free = Field(default_factory=dict)
    tiers: Tiers = Field(default_factory=list)
    access: Free = Field(default_factory=dict)
    clocks: Free = Field(default_factory=dict)
    priority: Priority | None = None
    at_once: Flag = False
    card: Flag = True


class SkipTierNow(Request):
    tier: Code
    reason: SaidText


class VoiceSaid(Request):
    """Whether somebody spoke with the resident."""

    reached: Annotated[bool, Strict()]
    note: Text | None = None


@router.get("/response-plans", response_model=ListOf[ResponsePlanView], summary="Response plans")
def list_plans(hub: HubDep, q: Filter = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    return list_answer(hub, _TABLE, limit, cursor, q=q)


@router.get("/response-plans/{plan_id}", response_model=ResponsePlanView, summary="One response plan")
def show_plan(hub: HubDep, plan_id: RecordId) -> Response:
    return one(record_view(hub, _TABLE, plan_id))


@router.get("/response-plans/{plan_id}/versions", response_model=ListOf[PlanVersion], summary="What it used to be")
def show_versions(hub: HubDep, plan_id: RecordId) -> Response:
    """Newest first, 200 at most. Who changed it is in the audit."""
    record_view(hub, _TABLE, plan_id)
    return JsonAnswer({"items": list(hub.reads.plan_versions(plan_id)), "next": None})


@router.post("/response-plans", response_model=ResponsePlanView, status_code=201, summary="Add a response plan")
def post_plan(hub: HubDep, write: Write, body: PlanNew) -> Response:
    """Every fault is named: 422 with the field."""
    return write.once(
        lambda: hub.services.response_plans.add(body.model_dump(), write.actor),
        lambda plan_id: record_view(hub, _TABLE, plan_id),
        status=201,
        headers=lambda view: {"Location": f"/api/v1/response-plans/{view['id']}"},
    )


@router.patch("/response-plans/{plan_id}", response_model=ResponsePlanView, summary="Change a response plan")
def patch_plan(hub: HubDep, write: Write, plan_id: RecordId, body: PlanChange) -> Response:
    """The next incident opens with it; one that is running keeps its copy."""
    changes = body.model_dump(exclude_unset=True)
    return write.once(
        lambda: hub.services.response_plans.change(plan_id, changes, write.actor, version=write.version),
        lambda _done: record_view(hub, _TABLE, plan_id),
    )


@router.post("/response-plans/{plan_id}/reset", response_model=ResponsePlanView, summary="As the hub brought it")
def reset_plan(hub: HubDep, write: Write, plan_id: RecordId, _body: Nothing | None = None) -> Response:
    return write.once(
        lambda: hub.services.response_plans.reset(plan_id, write.actor),
        lambda _done: record_view(hub, _TABLE, plan_id),
    )


def _progress(hub: HubDep, who: Who, incident_id: str) -> dict[str, Any]:
    incident_view(hub, who, incident_id)
    row = hub.reads.plan_of(incident_id)
    if row is None:
        raise NotFoundError(f"no incident {incident_id}")
    return plan_progress(row)


@router.get("/incidents/{incident_id}/plan", response_model=PlanProgress, summary="Its response plan")
def show_progress(hub: HubDep, who: Who, incident_id: Uid) -> Response:
    """Each tier: done, running until when, next, left out, stood down; whom it reached, by which channel."""
    return JsonAnswer(_progress(hub, who, incident_id))


@router.post("/incidents/{incident_id}/plan/skip", response_model=PlanProgress, summary="Leave a tier out")
def skip_tier(write: Write, incident_id: Uid, body: SkipTierNow) -> Response:
    """With a reason. Of the tier being called: the next one is called now. `POST …/escalate` calls the next at once."""
    desk = write.hub.services.plan_desk
    return write.once(
        lambda: desk.skip(incident_id, body.tier, body.reason, write.actor, version=write.version),
        lambda _done: _progress(write.hub, write.caller, incident_id),
    )


@router.post("/incidents/{incident_id}/plan/voice", response_model=PlanProgress, summary="Spoke with the resident")
def say_voice(write: Write, incident_id: Uid, body: VoiceSaid) -> Response:
    """Where no call of the hub's says so. Not reached: others are called now."""
    desk = write.hub.services.plan_desk
    return write.once(
        lambda: desk.voice(incident_id, body.reached, body.note, write.actor, version=write.version),
        lambda _done: _progress(write.hub, write.caller, incident_id),
    )
