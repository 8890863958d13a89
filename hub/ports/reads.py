"""What pages and programs read: JSON views in the shapes of docs/wire/http-v1.md. No locks, no writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hub.ports.command_reads import CommandReads
from hub.ports.day_plans import DayPlanReads
from hub.ports.desk import DeskReads
from hub.ports.load import LoadReads
from hub.ports.meals import MealReads
from hub.ports.medical import MedicalReads
from hub.ports.notices import NoticeReads
from hub.ports.plans import PlanReads
from hub.ports.records import Json
from hub.ports.register import RegisterReads
from hub.ports.report_lists import ReportLists
from hub.ports.service_reports import ServiceReads
from hub.ports.settlement import SettlementReads
from hub.ports.technical import TechnicalReads
from hub.ports.time_bank import TimeBankReads

__all__ = ["AlarmFilter", "Cursor", "IncidentFilter", "Observations", "OrderFilter", "Page", "Reads"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place on the timeline. Text form: `epoch-seq`."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next_cursor` is opaque, None on the last page."""

    items: list[Json]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Observations:
    """A series, oldest first: records (`resolution` raw, `bin_s` 0), or bins of `bin_s` seconds made of minutes, hours
    or days. A time without records has no item. `next_cursor` goes on with the records.
    """

    items: list[Json]
    resolution: str
    bin_s: int
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    states: Collection[str] = ()
    classes: Collection[str] = ()
    priorities: Collection[str] = ()
    area_id: str | None = None
    assignee: str | None = None
    resident_id: str | None = None
    supervision: str | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    states: Collection[str] = ()
    kind: str | None = None
    resident_id: str | None = None
    day_from: datetime | None = None
    day_to: datetime | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    states: Collection[str] = ()
    resident_id: str | None = None
    area_id: str | None = None
    types: Collection[str] = field(default_factory=tuple)
    since: datetime | None = None
    q: str | None = None


class Reads(
    SettlementReads,
    TimeBankReads,
    DayPlanReads,
    MealReads,
    MedicalReads,
    DeskReads,
    CommandReads,
    NoticeReads,
    TechnicalReads,
    LoadReads,
    ReportLists,
    PlanReads,
    RegisterReads,
    ServiceReads,
    Protocol,
):
    """Every call is one short read-only statement or two; lists are ordered and paged by key, never by
    offset; only the rows behind a report's number, of a span that is over, are paged by how many came before.
    """

    def cursor(self) -> Cursor:
        """The newest visible place on the timeline."""

    def incidents(self, where: IncidentFilter, limit: int, cursor: str | None) -> Page: ...

    def incidents_by_id(self, ids: Collection[str]) -> dict[str, Json]: ...

    def incident_detail(self, incident_id: str) -> Json | None: ...

    def timeline(self, subject_kind: str, subject_id: str, limit: int, cursor: str | None) -> Page: ...

    def entries_since(self, seq: int, limit: int) -> list[Json]:
        """Timeline entries after `seq`, in order, with subject_kind and subject_id."""

    def news_since(self, seq: int, limit: int) -> tuple[list[Json], dict[str, Json]]:
        """`entries_since`, and in the same exchange the incidents of those that are critical, by id."""

    def alarms(self, where: AlarmFilter, limit: int, cursor: str | None) -> Page: ...

    def assignments_by_id(self, ids: Collection[str]) -> dict[str, Json]: ...

    def orders(self, where: OrderFilter, limit: int, cursor: str | None) -> Page: ...

    def orders_by_id(self, ids: Collection[str]) -> dict[str, Json]: ...

    def order_of_visit(self, visit_id: str) -> Json | None: ...

    def asked_about(self, outcome: str | None, limit: int) -> list[str]:
        """Ids of orders whose return visit is done, the latest first; `outcome` None: whatever came of it."""

    def tasks_of(self, responder_id: str) -> list[Json]:
        """Live assignments of a responder with their incident or order: critical first, then by time."""

    def help_of(self, resident_id: str, now: datetime) -> Json | None: ...

    def positions_of(self, resident_id: str) -> list[Json]:
        """The last position of each device of a resident, the oldest first: `{id, name, family, last_fix}`."""

    def summary(self, user_id: str | None) -> Json: ...

    def records(self, table: str, limit: int, cursor: str | None, **where: str | None) -> Page:
        """Tables of `Reference`, and `alarms` (as in `alarms()`), `calls` and `users` (never a password hash).

        `where` (None: no condition): a column's name for equality; `q` a part of name, id or address; `area` an area
        and all below it; `phone` for residents and contacts, compared by its digits.
        """

    def record(self, table: str, row_id: str) -> Json | None: ...

    def calls(self, incident_id: str | None, limit: int, cursor: str | None) -> Page: ...

    def calls_incoming(self, rang_since: datetime, spoke_since: datetime) -> list[Json]: ...

    def observations(
        self,
        resident_id: str,
        metric: str,
        start: datetime,
        end: datetime,
        resolution: str,
        cursor: str | None = None,
    ) -> Observations:
        """`resolution`: raw, minute, hour, day or auto; at most 2,000 points, or else wider bins."""

    def audit(self, limit: int, cursor: str | None) -> Page: ...

    def tokens(self, now: datetime, limit: int, cursor: str | None, *, user_id: str | None, role: str | None) -> Page:
        """Bearer tokens that are still good, the latest first; never what they are made of."""
