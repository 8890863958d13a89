"""The shapes of answers about care plans, claiming, return visits and the visit programme."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from hub.api.views import Named, View
from hub.api.views_services import Order

__all__ = [
    "CarePlan",
    "CarePlanDone",
    "CoverageRow",
    "MyVisits",
    "Occurrences",
    "OpenOrder",
    "OrderFor",
    "Participant",
    "Programme",
    "ReturnVisitDue",
    "TapDone",
    "VisitResultView",
]


class CarePlan(View):
    id: str
    number: int
    version: int
    resident: Named
    kind: str
    rule: str
    starts_on: date
    ends_on: date | None
    begins: str
    ends: str
    duration_min: int
    holidays: Literal["keep", "skip", "move"]
    preferred_responder: Named | None
    payer_hint: str | None
    active: bool
    pauses: list[dict[str, Any]]
    open_orders: int
    next_at: datetime | None
    made_until: date | None


class Followed(View):
    made: int
    changed: int
    taken_up: int
    cancelled: int
    kept: list[str]


class CarePlanDone(CarePlan):
    """The plan after a write; `orders` is what became of its orders, `kept` those that no longer fit and stay."""

    orders: Followed


class Occurrence(View):
    on: date
    wanted_from: datetime | None
    wanted_to: datetime | None
    moved: bool
    left_out: Literal["holiday", "paused", "absent", "ended"] | None
    order: dict[str, Any] | None


class Occurrences(View):
    items: list[Occurrence]
    rule: str
    made_until: date | None
    resident_status: str | None


class OpenOrder(View):
    """Before it is claimed nobody is told whose it is."""

    id: str
    kind: str
    kind_zh: str
    kind_en: str
    wanted_from: datetime
    wanted_to: datetime
    duration_min: int
    carers: int
    area: str | None
    distance_m: int | None
    known: bool


class OrderFor(View):
    """Somebody whom a member of staff may order a service for. `task`: they are sent to this person."""

    id: str
    name: str
    age: int | None
    address: str | None
    status: str
    task: bool


class ReturnVisitDue(View):
    order_id: str
    due_at: datetime
    order: Order


class Programme(View):
    id: str
    zh: str
    en: str
    kind: str
    groups: list[str]
    area_ids: list[str]
    per_month: dict[str, int]
    makes: Literal["orders", "targets"]
    begins: str
    ends: str
    active: bool
    version: int


class Participant(View):
    resident: Named
    area_id: str | None
    groups: list[str]
    risk: Literal["high", "medium", "low"]
    stands: Literal["in", "out"] | None
    target: int
    expected: int
    visited: int
    pending: bool
    behind: bool
    last_result: str | None
    last_at: datetime | None


class MyVisit(Participant):
    programme_id: str
    programme_zh: str
    programme_en: str


class MyVisits(View):
    items: list[MyVisit]
    month: date


class CoverageRow(View):
    area_id: str | None
    area: str | None
    path: str
    people: int
    high: int
    target: int
    visited: int
    people_visited: int
    not_visited: int
    behind: int
    absent: int
    needs_help: int


class VisitResultView(View):
    id: str
    resident: Named
    result: str
    at: datetime
    responder: Named | None


class TapDone(View):
    id: str
    incident_id: str | None
    result: str
