"""Everyday services as the use cases see them: kinds, care plans, the visit programme, what follows an order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, Protocol

from dispatch import HolidayPolicy, Risk, ServiceKind, VisitResult
from hub.accounts import Payer
from hub.ports.records import Json, OrderRow, VisitRow

__all__ = [
    "Aftercare",
    "CarePlanFilter",
    "CarePlanRow",
    "CarePlans",
    "Everyday",
    "Kinds",
    "MemberRow",
    "OwnVisit",
    "PauseRow",
    "ProgrammeRow",
    "Programmes",
    "ResultRow",
    "ReturnVisitRow",
    "SatisfactionRow",
    "VisitedPerson",
]

ReturnVisitWhy = Literal["sample", "first", "undone", "low_score", "complaint", "asked"]
ReturnVisitOutcome = Literal["content", "not_content", "not_given", "unreachable"]


@dataclass(frozen=True, slots=True)
class CarePlanRow:
    """A service that comes again and again. `begins` and `ends`: the window in which it may begin, local time.

    `duration_min` None: as the kind says. `made_until`: its orders exist up to that day; None: it is looked at again.
    """

    id: str
    resident_id: str
    kind: str
    rule: str
    starts_on: date
    begins: time
    ends: time
    created_at: datetime
    changed_at: datetime
    ends_on: date | None = None
    exdates: tuple[date, ...] = ()
    rdates: tuple[date, ...] = ()
    duration_min: int | None = None
    holidays: HolidayPolicy = "keep"
    preferred_responder_id: str | None = None
    provider_id: str | None = None
    station_id: str | None = None
    payer_hint: Payer | None = None
    open_to: Literal["claim"] | None = None
    note: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    active: bool = True
    created_by: str | None = None
    made_until: date | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class OwnVisit:
    """A visit that somebody has to do: at its planned time, or for as long as it takes where it has begun."""

    visit_id: str
    order_id: str
    kind: str
    kind_zh: str
    kind_en: str
    resident: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PauseRow:
    """A rest of a plan, given by hand; both days within, `to_on` None: until it is lifted."""

    id: str
    care_plan_id: str
    from_on: date
    to_on: date | None
    reason: str
    created_at: datetime
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class CarePlanFilter:
    """None narrows nothing. `area_id`: the area and all below it."""

    resident_id: str | None = None
    kind: str | None = None
    area_id: str | None = None
    provider_id: str | None = None
    active: bool | None = None


class Kinds(Protocol):
    """The service kinds of this site."""

    def get(self, kind_id: str) -> ServiceKind | None: ...

    def all(self) -> dict[str, ServiceKind]:
        """Those switched off as well."""


class CarePlans(Protocol):
    def insert(self, row: CarePlanRow) -> None: ...

    def get(self, plan_id: str, *, lock: bool = False) -> CarePlanRow | None:
        """A lock is taken before those of its orders."""

    def save(self, row: CarePlanRow) -> None: ...

    def pauses(self, plan_id: str) -> list[PauseRow]: ...

    def add_pause(self, row: PauseRow) -> None: ...

    def end_pause(self, plan_id: str, pause_id: str, to_on: date | None) -> bool:
        """Ends it with that day, or takes it away (None); False where the plan has no such pause."""

    def due(self, horizon: date, today: date, limit: int) -> list[str]:
        """Ids of plans whose orders do not reach the horizon; those never looked at first."""

    def of_resident(self, resident_id: str) -> list[CarePlanRow]:
        """Active plans, locked."""

    def look_again(self) -> int:
        """Every plan that minds holidays is looked at again: the calendar has changed."""

    def orders(self, plan_id: str, since: date) -> list[tuple[OrderRow, VisitRow]]:
        """Its orders of occurrences from that day on, locked."""

    def views(self, where: CarePlanFilter, limit: int, after: str | None) -> list[Json]:
        """By id; with resident, kind, carer, pauses, and how many orders wait."""

    def view(self, plan_id: str) -> Json | None: ...


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A visit programme. `per_month`: visits a month by risk."""

    id: str
    zh: str
    en: str
    kind: str
    groups: tuple[str, ...]
    area_ids: tuple[str, ...]
    per_month: Mapping[Risk, int]
    makes: Literal["orders", "targets"]
    begins: time
    ends: time
    active: bool
    made_until: date | None
    version: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Where a person decided who takes part, or how great the risk is."""

    programme_id: str
    resident_id: str
    stands: Literal["in", "out"]
    risk: Risk | None
    reason: str
    changed_at: datetime
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class VisitedPerson:
    """A resident who may take part, with what was found since a day. `counted`: visits that count."""

    id: str
    name: str
    status: str
    address: str | None
    phone: str | None
    area_id: str | None
    area_path: tuple[str, ...]
    lat: float | None
    lon: float | None
    flags: frozenset[str]
    lives_alone: bool
    ability_level: int | None
    born_on: date | None
    stands: Literal["in", "out"] | None
    risk: Risk | None
    counted: int
    last_result: VisitResult | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What came of one visit of a programme. `at` when it was tapped, `recorded_at` when it reached the hub."""

    id: str
    programme_id: str
    resident_id: str
    result: VisitResult
    at: datetime
    recorded_at: datetime
    note: str | None = None
    by_phone: bool = False
    responder_id: str | None = None
    recorded_by: str | None = None
    order_id: str | None = None
    incident_id: str | None = None


class Programmes(Protocol):
    def get(self, programme_id: str, *, lock: bool = False) -> ProgrammeRow | None: ...

    def all(self, *, active: bool | None = None) -> list[ProgrammeRow]: ...

    def made(self, programme_id: str, until: date | None) -> None:
        """Its orders exist up to that day; None: they are looked at again."""

    def people(
        self,
        programme: ProgrammeRow,
        since: datetime,
        until: datetime,
        *,
        grown_old_by: date,
        flags: Collection[str],
        below: Collection[str] | None = None,
        resident_id: str | None = None,
    ) -> list[VisitedPerson]:
        """Residents who could be in one of its groups, or whom a person put in; by id.

        `flags`: the words that mean a group; `grown_old_by`: born until then is of advanced age. `below`: only who
        lives in or under one of these areas.
        """

    def put_member(self, row: MemberRow) -> None: ...

    def drop_member(self, programme_id: str, resident_id: str) -> bool: ...

    def add_result(self, row: ResultRow) -> None: ...

    def results(self, programme_id: str, resident_id: str | None, since: datetime, limit: int) -> list[Json]:
        """The newest first, with who was visited and by whom."""

    def orders(self, programme_id: str, since: date, residents: Collection[str]) -> list[tuple[OrderRow, VisitRow]]:
        """Its orders for these residents of that day and later, locked."""

    def holders(self, programme_id: str, month: date) -> set[str]:
        """Residents who have orders of it for that month."""

    def open_order(self, programme_id: str, resident_id: str, until: datetime) -> str | None:
        """The first order of the resident that is not done yet and wanted by then."""


@dataclass(frozen=True, slots=True)
class SatisfactionRow:
    """What the resident or the family thinks of a service: 1 (bad) to 5 (good)."""

    order_id: str
    score: int
    given_by: Literal["resident", "family", "phone"]
    at: datetime
    words: str | None = None
    complaint: bool = False
    incident_id: str | None = None
    recorded_by: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class ReturnVisitRow:
    """Somebody asks afterwards how it was."""

    order_id: str
    why: ReturnVisitWhy
    due_at: datetime
    made_at: datetime
    tries: int = 0
    done_at: datetime | None = None
    way: Literal["phone", "door"] | None = None
    outcome: ReturnVisitOutcome | None = None
    note: str | None = None
    done_by: str | None = None
    version: int = 1


class Aftercare(Protocol):
    """Satisfaction and return visits of orders, and orders that are open to claim."""

    def satisfaction(self, order_id: str) -> SatisfactionRow | None: ...

    def put_satisfaction(self, row: SatisfactionRow) -> None: ...

    def return_visit(self, order_id: str) -> ReturnVisitRow | None:
        """Locked."""

    def put_return_visit(self, row: ReturnVisitRow) -> None: ...

    def draw(self, since: datetime, now: datetime, within: timedelta, share: float) -> int:
        """Makes return visits for orders wanted since then that ended, due `within` after their end; gives how many.

        Every one that was not done, the first of each care plan, and `share` (0 to 1) of the others, always the same.
        """

    def due(self, until: datetime, limit: int, after: tuple[datetime, str] | None) -> list[Json]:
        """Return visits not done and due by then, the longest due first: `due_at`, `order_id`."""

    def open_to_claim(
        self, now: datetime, area_ids: Collection[str], responder_id: str, limit: int
    ) -> list[tuple[OrderRow, VisitRow]]:
        """Orders that wait for somebody to claim them, soonest first; `area_ids` empty: everywhere.

        Without those this responder has, gave back or had taken away.
        """


class Everyday(Protocol):
    """The drawers of everyday services."""

    kinds: Kinds
    care_plans: CarePlans
    programmes: Programmes
    aftercare: Aftercare
