"""Plans of a day as use cases see them: what a plan is made of, the plan itself, and what it becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Literal, Protocol

from hub.ports.notices import NoticeRow
from hub.ports.records import AssignmentRow, Json, OrderRow, VisitRow

__all__ = [
    "DayCarer",
    "DayOrder",
    "DayPlanReads",
    "DayPlanRow",
    "DayPlanState",
    "DayPlans",
    "DayStation",
    "FrozenWhy",
    "RouteRow",
    "StopRow",
]

DayPlanState = Literal["running", "ready", "published", "cancelled", "failed", "superseded"]
FrozenWhy = Literal["started", "promised", "pinned", "fixed"]
"""Why a visit does not move: it has begun, it was promised and accepted, a person nailed it down, another plan has
it."""


@dataclass(frozen=True, slots=True)
class DayPlanRow:
    """A plan of one day. What it says in detail is JSON as pages show it."""

    id: str
    day: date
    state: DayPlanState
    seconds: float
    created_at: datetime
    area_ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    seed: int = 1
    based_on: str | None = None
    events: tuple[Mapping[str, Any], ...] = ()
    progress: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    unplanned: tuple[Mapping[str, Any], ...] = ()
    conflicts: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    runner: str | None = None
    beat_at: datetime | None = None
    tries: int = 0
    created_by: str | None = None
    finished_at: datetime | None = None
    published_by: str | None = None
    published_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class StopRow:
    """One visit on a route; of a visit of two, `part` says which one this carer is there for."""

    visit_id: str
    arrive_at: datetime
    start_at: datetime
    leave_at: datetime
    part: int = 0
    frozen: FrozenWhy | None = None
    why: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One carer's day in a plan; its stops in order."""

    id: str
    plan_id: str
    day: date
    responder_id: str
    crew_id: str | None
    leave_at: datetime
    back_at: datetime
    travel_s: int
    service_s: int
    stops: tuple[StopRow, ...] = ()
    breaks: tuple[Mapping[str, Any], ...] = ()
    trips: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class DayOrder:
    """An order of the day with all that planning looks at. `lat`, `lon`: the home, else the middle of its area.

    `on_trip`: a meal that a round of its kitchen has on a courier's trip already.
    """

    order: OrderRow
    visit: VisitRow
    kind: Json
    resident: Json
    assignments: tuple[AssignmentRow, ...] = ()
    lat: float | None = None
    lon: float | None = None
    area_path: tuple[str, ...] = ()
    on_trip: bool = False


@dataclass(frozen=True, slots=True)
class DayStation:
    """Where days begin, or meals are cooked."""

    id: str
    kind: str
    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class DayCarer:
    """Somebody who can be planned. `skills`: skill to the day its credential ends (None: never). `crew_begins` and
    `crew_ends`: between which hours (wall clock of the site) the crew goes out on the day; None: those of its people.
    """

    id: str
    name: str
    kind: str
    sex: str | None
    skills: Mapping[str, date | None]
    area_ids: frozenset[str]
    mode: str
    station_id: str | None = None
    lat: float | None = None
    lon: float | None = None
    provider_id: str | None = None
    crew_id: str | None = None
    crew_begins: time | None = None
    crew_ends: time | None = None


class DayPlans(Protocol):
    """Plans of a day, their routes, and what they are made of."""

    def insert(self, row: DayPlanRow) -> None:
        """Makes it and wakes whoever plans."""

    def get(self, plan_id: str, *, lock: bool = False) -> DayPlanRow | None: ...

    def save(self, row: DayPlanRow) -> None: ...

    def claim(self, runner: str, now: datetime, dead_before: datetime, *, replans: bool) -> DayPlanRow | None:
        """The oldest running plan nobody works at, or whose process gave no sign since `dead_before`; now ours.

        `replans`: those made around what stands, or the others.
        """

    def beat(self, plan_id: str, runner: str, progress: Mapping[str, Any], now: datetime) -> bool:
        """A sign of life with the progress. False: it is no longer running, or no longer ours."""

    def of_day(self, day: date, states: Collection[str], *, lock: bool = False) -> list[DayPlanRow]:
        """By id."""

    def put_routes(self, routes: Sequence[RouteRow]) -> None:
        """Writes the routes of a plan with their stops; what it had is gone."""

    def forget_stops(self, plan_id: str, visit_ids: Collection[str]) -> None:
        """Takes visits off the routes of a plan: another one has them."""

    def routes(self, plan_ids: Collection[str]) -> list[RouteRow]:
        """The routes of plans, by plan and carer, stops in order."""

    def orders(self, start: datetime, end: datetime, earliest: datetime) -> list[DayOrder]:
        """Orders that may be served in [start, end), whatever their state but cancelled, by id.

        Those whose window opens before `earliest` are not looked for. Assignments: live and completed ones.
        """

    def lock_visits(self, visit_ids: Collection[str]) -> None:
        """Holds visits and their orders, in the order of the orders' ids."""

    def carers(self, day: date) -> list[DayCarer]:
        """Active people, by id; with the crew that goes out on the day."""

    def stations(self) -> list[DayStation]:
        """Stations with a place, by id."""

    def save_visits(self, visits: Sequence[VisitRow]) -> None:
        """Writes planned times, route, sequence, promise, pin, state and version."""

    def save_order_states(self, orders: Sequence[OrderRow]) -> None:
        """Writes state and version."""

    def offer(self, assignments: Sequence[AssignmentRow]) -> None:
        """New assignments, many at once."""

    def stand_down(self, assignment_ids: Collection[str], reason: str, now: datetime) -> None:
        """Ends live assignments, many at once."""

    def parties(self, resident_ids: Collection[str]) -> dict[str, list[str]]:
        """Whom a change at these residents concerns, as `kind:id`: the resident and the first of the family."""

    def tell(self, notices: Sequence[NoticeRow]) -> int:
        """Keeps many notices at once; one under a known key is there already. Gives how many are new."""

    def prune(self, before: datetime) -> int:
        """Forgets plans never published that were made before; gives how many."""


class DayPlanReads(Protocol):
    """Plans and routes as pages show them."""

    def day_plans(
        self, day: date | None, states: Collection[str], limit: int, provider: str | None = None
    ) -> list[Json]:
        """Without their lists, the newest first; `provider`: those published in which it has a part."""

    def day_plan(self, plan_id: str, provider: str | None = None) -> Json | None:
        """`provider`: None where it has no part in it. The lists are whole."""

    def day_counts_of(self, provider: str, plan_ids: Collection[str]) -> dict[str, Json]:
        """Of each plan the provider's `responders`, `planned`, `unplanned`."""

    def day_matters_of(self, provider: str, ids: Collection[str]) -> frozenset[str]:
        """The provider's own of these orders and visits: ids of both, whichever was asked for."""

    def day_routes(
        self, day: date, plan_id: str | None, responder_id: str | None, provider: str | None = None
    ) -> list[Json]:
        """Routes with stops; without a plan those of published plans. `provider`: its people's, with its own orders."""
