"""What answers about services look like: orders, visits and their checks, one's own tasks, what those at home see."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from dispatch.model import AssignmentState
from hub.api.views import Assignment, Incident, ResidentShort, View
from hub.ports import OrderState, VisitState

__all__ = ["Help", "Order", "Task", "Tasks", "Visit", "VisitCheck"]


class VisitCheck(View):
    """A check-in or check-out. `at` by the phone, `recorded_at` by the hub; `flags`: what failed.

    Those at home are told who, what and when, and nothing of the rest.
    """

    id: str
    kind: Literal["in", "out"]
    at: datetime
    responder_id: str
    recorded_at: datetime | None = None
    distance_m: float | None = None
    accuracy_m: float | None = None
    flags: list[str] = Field(default=[])
    findings: list[dict[str, Any]] = Field(default=[])
    photo_sha256: str | None = None
    verdict: Literal["verified", "flagged"] | None = None
    review: dict[str, Any] | None = None


class Visit(View):
    id: str
    order_id: str
    state: VisitState
    planned_start: datetime
    started_at: datetime | None
    ended_at: datetime | None
    assignments: list[Assignment]
    outcome: str | None
    planned_end: datetime | None = None
    promised_from: datetime | None = None
    promised_to: datetime | None = None
    route_id: str | None = None
    sequence: int | None = None
    pinned: bool = False
    late: Literal["yellow", "red", "missed"] | None = Field(default=None, description="15, 30, 60 min past the window")
    expected_at: datetime | None = Field(default=None, description="Its carer is elsewhere, and not free before")
    checks: list[VisitCheck] = Field(default=[])
    tasks: list[dict[str, Any]] = Field(default=[], description="`{code, zh, en, done, note, responder_id, at}`")
    gate: dict[str, Any] | None = Field(default=None, description="`{verdict: pass|stop, at, by, outcome}` of a bath")


class Order(View):
    id: str
    number: int
    version: int
    kind: str
    state: OrderState
    resident: ResidentShort | None = Field(description="null: a repair where nobody lives, at `area`")
    area: dict[str, Any] | None = Field(default=None, description="Of a repair where nobody lives")
    device: dict[str, Any] | None = Field(default=None, description="Of a repair")
    wanted_from: datetime
    wanted_to: datetime
    duration_min: int
    carers: int
    note: str | None
    attributes: dict[str, Any]
    source: str
    created_at: datetime
    visit: Visit


class Task(View):
    assignment: Assignment
    incident: Incident | None
    order: Order | None
    next: Literal["accept", "en-route", "on-scene", "complete"] | None
    kit: dict[str, Any] | None = Field(default=None, description="Of a visit: its list, its gate, whether values count")


class Tasks(View):
    items: list[Task]
    server_time: datetime


class Coming(View):
    name: str
    kind: str
    state: AssignmentState
    eta_s: int | None


class Help(View):
    resident: dict[str, Any]
    incident: Incident | None
    coming: list[Coming]
    today: list[Order]
    shown: dict[str, Any] = Field(description="`heard_at` and `values` of the last 24 h; null where not allowed")
    phone: str = Field(description="The desk's number; empty where the site set none")
