"""What requests carry, and what answers look like: plans of a day and routes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, model_validator

from hub.api.fields import Count, Day, Flag, Lat, Lon, Request, Time, Uuid, Word
from hub.api.views import Named, View
from hub.ports import DayPlanState, FrozenWhy

__all__ = [
    "CheckAsk",
    "DayPlan",
    "DayPlanList",
    "DayPlanShort",
    "PinAsk",
    "PlanAsk",
    "PlanChecked",
    "PlanCompared",
    "PublishAsk",
    "ReplanAsk",
    "Route",
    "RouteList",
    "VisitWhy",
]

Minutes = Annotated[Count, Field(ge=-720, le=720)]
Ring = Annotated[
    list[Annotated[tuple[Lat, Lon], Field()]],
    Field(min_length=3, max_length=200, description="[latitude, longitude] of each corner"),
]


class PlanAsk(Request):
    """A day to plan. `areas` and `kinds`: only these (what lies below an area counts); absent: all."""

    date: Day
    areas: Annotated[list[Word], Field(max_length=100)] = Field(default_factory=list)
    kinds: Annotated[list[Word], Field(max_length=100)] = Field(default_factory=list)
    seconds: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] | None = Field(
        default=None, description="What the search may take; absent: by the number of visits, at most ten minutes"
    )


class Ill(Request):
    """A carer is not there from then on."""

    kind: Literal["ill"]
    responder_id: Word
    from_: Time = Field(alias="from")
    until: Time | None = Field(default=None, description="Absent: for the rest of the day")


class Urgent(Request):
    """An order of today that must fit in."""

    kind: Literal["urgent"]
    order_id: Uuid


class RoadClosed(Request):
    """Ways through a ring are closed, or all ways take `factor` times as long, between two times."""

    kind: Literal["road_closed"]
    ring: Ring | None = None
    factor: Annotated[float, Field(gt=1, le=10, allow_inf_nan=False)] | None = None
    from_: Time = Field(alias="from")
    until: Time | None = None

    @model_validator(mode="after")
    def _one(self) -> RoadClosed:
        if self.ring is None and self.factor is None:
            raise ValueError("give the ring that is closed, or the factor by which ways are longer")
        return self


class Late(Request):
    """A visit begins or ends so many minutes later than planned."""

    kind: Literal["late"]
    visit_id: Uuid
    minutes: Minutes


class Swap(Request):
    """A visit goes to another carer, or two visits exchange theirs, or two carers exchange all that is left."""

    kind: Literal["swap"]
    visit_id: Uuid | None = None
    responder_id: Word | None = None
    with_visit_id: Uuid | None = None
    with_responder_id: Word | None = None

    @model_validator(mode="after")
    def _one(self) -> Swap:
        given = {name for name, value in self if name != "kind" and value is not None}
        ways = ({"visit_id", "responder_id"}, {"visit_id", "with_visit_id"}, {"responder_id", "with_responder_id"})
        if given not in ways:
            raise ValueError("give visit_id and responder_id, visit_id and with_visit_id, or two carers")
        return self


class Move(Request):
    """A visit begins at another time, with another carer where one is named."""

    kind: Literal["move"]
    visit_id: Uuid
    start: Time
    responder_id: Word | None = None


class Cancelled(Request):
    """An order that does not take place."""

    kind: Literal["cancelled"]
    order_id: Uuid


Event = Annotated[Ill | Urgent | RoadClosed | Late | Swap | Move | Cancelled, Field(discriminator="kind")]


class ReplanAsk(Request):
    """What happened. The answer is a new plan around what is frozen; nothing is real before it is published."""

    date: Day
    events: Annotated[list[Event], Field(min_length=1, max_length=50)]
    seconds: Annotated[float, Field(ge=0.2, le=60, allow_inf_nan=False)] | None = None
    on: Uuid | None = Field(default=None, description="On this plan, ready and not published; absent: on what stands")


class CheckAsk(Request):
    """A swap or a move, only looked at."""

    date: Day
    on: Uuid | None = Field(default=None, description="In this plan, ready and not published; absent: as things stand")
    event: Annotated[Swap | Move, Field(discriminator="kind")]


class PublishAsk(Request):
    """`accepted`: carers on the rota have it at once; else they are asked."""

    accepted: Flag = False
    tell: Flag = Field(default=True, description="Whether residents, family and carers are told of what changes")


class PinAsk(Request):
    """Nails a visit to its carer and time, or lets it go."""

    pinned: Annotated[bool, Strict()]


class Progress(View):
    share: float = Field(default=0, description="0 to 1")
    cost: float | None = None
    planned: int | None = None
    unplanned: int | None = None
    seconds: float | None = None


class Unplanned(View):
    order_id: str
    visit_id: str
    kind: str
    resident: Named
    wanted_from: datetime
    code: str
    reason: str
    reason_zh: str


class Conflict(View):
    """`code`: travel, shift, skill, sex, overlap, refused, promise, off_rota, no_place, crew. `hard`: it refuses."""

    code: str
    hard: bool
    order_id: str | None
    visit_id: str | None
    responder_id: str | None
    reason: str
    reason_zh: str


class Side(View):
    responder_id: str
    responder_ids: list[str]
    start: datetime
    end: datetime


class PlanChange(View):
    order_id: str
    visit_id: str
    kind: str
    resident: Named
    was: Side | None
    now: Side | None
    tell: list[Literal["resident", "contact", "responder"]]


class DayPlanShort(View):
    """A plan without its lists."""

    id: str
    version: int
    date: date
    areas: list[str]
    kinds: list[str]
    state: DayPlanState
    seconds: float
    based_on: str | None
    events: list[dict[str, Any]]
    progress: Progress
    cost: dict[str, float] = Field(description="Weighed parts, and the plain minutes behind them")
    baseline: dict[str, float] = Field(description="The same of the nearest-carer plan")
    counts: dict[str, int] = Field(description="orders, responders, planned, unplanned, frozen, conflicts, changes")
    reason: str | None
    created_at: datetime
    created_by: str | None
    finished_at: datetime | None
    published_at: datetime | None
    published_by: str | None


class Missing(View):
    """So many more people, from when to when, at a station where it depends on one, would take these visits."""

    kind: str
    station: Named | None
    sex: Literal["f", "m"] | None
    people: int
    from_: datetime = Field(alias="from")
    to: datetime
    visit_ids: list[str]


class DayPlan(DayPlanShort):
    """A plan with what is left out, who would take it, what conflicts, and what changes against what stood."""

    unplanned: list[Unplanned]
    missing: list[Missing]
    conflicts: list[Conflict]
    changes: list[PlanChange]


class DayPlanList(View):
    items: list[DayPlanShort]


class Stop(View):
    visit_id: str
    order_id: str
    kind: str
    state: str
    resident: Named
    lat: float | None
    lon: float | None
    sequence: int
    part: int = Field(description="Of a visit of two: which one this carer is there for; 0: it takes one")
    arrive_at: datetime
    start_at: datetime
    leave_at: datetime
    wanted_from: datetime
    wanted_to: datetime
    frozen: FrozenWhy | None
    why: list[dict[str, Any]] = Field(description="code, zh, en")


class Route(View):
    """One carer's day."""

    id: str
    plan_id: str
    date: date
    responder_id: str
    responder: Named
    crew_id: str | None
    leave_at: datetime
    back_at: datetime
    breaks: list[dict[str, Any]] = Field(description="start, end")
    trips: list[dict[str, Any]] = Field(description="Of a courier: leave, load, visits")
    travel_min: float
    service_min: float
    stops: list[Stop]


class RouteList(View):
    items: list[Route]


class Compared(View):
    """The sums of one plan."""

    id: str | None
    planned: int
    unplanned: int
    travel_min: float
    service_min: float
    late_min: float
    late_visits: int
    carers: int
    continuity: float | None = Field(description="Share of visits by a regular carer, of those who have one; 0 to 1")


class PlanCompared(View):
    """Before and after. `before.id` null: what stands, published or assigned by hand."""

    before: Compared
    after: Compared
    changes: list[PlanChange]


class PlanChecked(View):
    """What speaks against a swap or a move. `allowed` false: a hard rule does."""

    allowed: bool
    conflicts: list[Conflict]


class Alternative(View):
    responder_ids: list[str]
    costs_more: float | None = Field(description="Minutes of travel; null: a rule forbids it")
    reason: str
    reason_zh: str


class VisitWhy(View):
    """Why this carer, and what every other one would cost."""

    visit_id: str
    responder_ids: list[str]
    reasons: list[dict[str, Any]] = Field(description="code, zh, en")
    alternatives: list[Alternative]
