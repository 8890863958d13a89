"""Answers about meals, teleconsults and what services must know; see `hub.api.views`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from hub.api.views import Named, View
from hub.api.views_services import Order

__all__ = [
    "KindFields",
    "MealDay",
    "MealDeskList",
    "MealList",
    "MealMenus",
    "MealOrder",
    "MealPoint",
    "MealRound",
    "MealRounds",
    "MealServed",
    "MealUnanswered",
    "MyMeals",
    "Teleconsult",
    "Teleconsults",
    "VisitResults",
    "VitalsRoundDay",
]

_Meal = Literal["breakfast", "lunch", "dinner"]


class MealPoint(View):
    """One point's numbers of one meal."""

    station_id: str = Field(description="Empty: the orders for which no point was found")
    name: str
    kept: bool = Field(description="Its hours are its own; else the defaults, and nothing is refused by time or number")
    delivers: bool
    serves: bool
    hot_min: int
    carries: int
    hours: dict[str, Any]
    offered: bool
    cutoff_at: datetime | None
    closed: bool = Field(description="The cut-off is over")
    begins_at: datetime | None
    ends_at: datetime | None
    capacity: int | None
    counts: dict[str, int]
    dishes: list[dict[str, Any]]
    diets: list[dict[str, Any]]
    round: dict[str, Any] | None
    menu: bool
    version: int


class MealDay(View):
    day: date
    meal: _Meal
    server_time: datetime
    items: list[MealPoint]
    totals: dict[str, int]


class MealOrder(View):
    order_id: str
    number: int
    visit_id: str
    state: str
    station_id: str | None
    day: date
    meal: _Meal
    mode: Literal["delivery", "dine_in"]
    dish: str | None
    diets: list[str]
    allergies: list[str]
    problem: str | None
    overridden: dict[str, Any] | None
    stop: int | None
    due_at: datetime | None
    done_at: datetime | None
    result: Literal["handed_over", "left_with", "no_answer", "served"] | None
    late: bool
    incident_id: str | None
    resident: dict[str, Any]


class MealList(View):
    """A kitchen's list."""

    items: list[MealOrder]
    next: str | None


class MealUnanswered(View):
    """Doors where nobody answered, and people who were turned away at a desk."""

    items: list[MealOrder]
    refusals: list[dict[str, Any]]
    next: str | None


class MealMenus(View):
    items: list[dict[str, Any]]
    diets: dict[str, list[str]]
    allergens: list[str]


class MealDeskList(View):
    """Whom the desk may mean."""

    day: date
    meal: _Meal
    items: list[dict[str, Any]]


class MealServed(View):
    resident_id: str
    day: date
    meal: _Meal
    station_id: str
    order_id: str
    mode: Literal["dine_in", "delivery"]
    at: datetime


class MealRound(View):
    id: str
    station_id: str
    station: str
    day: date
    meal: _Meal
    state: Literal["queued", "running", "ready", "published", "failed", "superseded"]
    seconds: float
    couriers: list[str]
    asked_at: datetime
    done_at: datetime | None
    error: str | None
    answer: dict[str, Any] | None = Field(
        description="`trips` [{courier_id, number, leave_at, stops: [{order_id, at, minutes}]}], `unplanned` "
        "[{order_id, code, reason, reason_zh}], `way_min` and, for the nearest door first, `baseline_min` and "
        "`baseline_left`"
    )
    version: int


class MealRounds(View):
    items: list[MealRound]
    next: str | None


class MyMeals(View):
    """A courier's trips of today."""

    items: list[dict[str, Any]]
    server_time: datetime


class KindFields(View):
    """What is said with an order of each kind, and after its visit."""

    items: dict[str, dict[str, list[dict[str, Any]]]]


class VisitResults(View):
    visit_id: str
    results: dict[str, Any]
    at: datetime
    recorded_at: datetime
    responder_id: str | None
    version: int


class Teleconsult(View):
    id: str
    version: int
    state: Literal["requested", "answered", "withdrawn"]
    urgent: bool
    reason: str
    vitals: list[dict[str, Any]]
    resident: dict[str, Any]
    incident_id: str | None
    order_id: str | None
    doctor: Named | None
    requested_at: datetime
    requested_by: str
    advice: Literal["advice", "visit", "120"] | None
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None
    visit_order_id: str | None


class Teleconsults(View):
    items: list[Teleconsult]
    next: str | None


class ValueTaken(View):
    """One value, and the resident's own limit that it is at or beyond."""

    metric: str
    value: float
    beyond: Literal["high", "low"] | None
    limit: float | None


class ValuesTaken(View):
    at: datetime
    by: Named
    nurse: bool = Field(description="Measured by a nurse: then NEWS2 may score it")
    news2: dict[str, Any] | None
    values: list[ValueTaken]


class VitalsRoundStop(Order):
    """A short visit of a round; `taken` null: nothing was measured yet."""

    taken: ValuesTaken | None


class VitalsRoundDay(View):
    items: list[VitalsRoundStop]
    next: str | None
    day: date
    server_time: datetime
