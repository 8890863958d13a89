"""Plans of a day as rows, and what they are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import msgspec

from hub.errors import NotFoundError
from hub.ports.day_plans import DayCarer, DayOrder, DayPlanRow, DayStation, RouteRow, StopRow
from hub.ports.notices import NoticeRow
from hub.ports.records import AssignmentRow, Json, OrderRow, VisitRow
from hub.store.session import Session, as_json, is_uuid

__all__ = ["DayPlansDrawer"]

_JSON = ("events", "progress", "cost", "baseline", "unplanned", "conflicts", "changes", "counts")
_LISTS = ("area_ids", "kinds", "events", "unplanned", "conflicts", "changes")
_ROWS_AT_ONCE = 5_000


def _plan(row: Mapping[str, Any]) -> DayPlanRow:
    found: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in row.items()}
    return DayPlanRow(**found)


def _params(row: DayPlanRow) -> dict[str, Any]:
    found: dict[str, Any] = {one.name: getattr(row, one.name) for one in fields(row)}
    for name in _JSON:
        found[name] = as_json(found[name])
    found["area_ids"], found["kinds"] = list(row.area_ids), list(row.kinds)
    return found


class _Order(msgspec.Struct):
    """A row of `day_orders`."""

    order: OrderRow
    visit: VisitRow
    resident: Json
    assignments: tuple[AssignmentRow, ...]
    lat: float | None
    lon: float | None
    area_path: tuple[str, ...]
    on_trip: bool


_ORDER = msgspec.json.Decoder(_Order)


def _order(text: str, kinds: Mapping[str, Json]) -> DayOrder:
    row = _ORDER.decode(text)
    return DayOrder(
        order=row.order,
        visit=row.visit,
        kind=kinds[row.order.kind],
        resident=row.resident,
        assignments=row.assignments,
        lat=row.lat,
        lon=row.lon,
        area_path=row.area_path,
        on_trip=row.on_trip,
    )


def _carer(row: Json) -> DayCarer:
    skills = {
        one["skill"]: date.fromisoformat(one["expires_on"]) if one.get("expires_on") else None for one in row["skills"]
    }
    return DayCarer(**{**row, "skills": skills, "area_ids": frozenset(row["area_ids"])})


def _route(row: Json) -> RouteRow:
    stops = tuple(msgspec.convert(one, StopRow) for one in row["stops"])
    return RouteRow(**{**row, "stops": stops, "breaks": tuple(row["breaks"]), "trips": tuple(row["trips"])})


class DayPlansDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    # --- plans

    def insert(self, row: DayPlanRow) -> None:
        self._session.run("day_plans_insert", **_params(row))
        self._session.run("day_plans_wake")

    def get(self, plan_id: str, *, lock: bool = False) -> DayPlanRow | None:
        if not is_uuid(plan_id):
            return None
        row = self._session.one("day_plans_get_locked" if lock else "day_plans_get", id=plan_id)
        return _plan(row) if row else None

    def save(self, row: DayPlanRow) -> None:
        if not self._session.run("day_plans_save", **_params(row)):
            raise NotFoundError(f"there is no plan {row.id}")

    def claim(self, runner: str, now: datetime, dead_before: datetime, *, replans: bool) -> DayPlanRow | None:
        row = self._session.one("day_plans_claim", runner=runner, now=now, dead_before=dead_before, replans=replans)
        return _plan(row) if row else None

    def beat(self, plan_id: str, runner: str, progress: Mapping[str, Any], now: datetime) -> bool:
        return bool(self._session.run("day_plans_beat", id=plan_id, runner=runner, progress=as_json(progress), now=now))

    def of_day(self, day: date, states: Collection[str], *, lock: bool = False) -> list[DayPlanRow]:
        block = "day_plans_of_day_locked" if lock else "day_plans_of_day"
        return [_plan(row) for row in self._session.all(block, day=day, states=list(states))]

    def prune(self, before: datetime) -> int:
        return self._session.run("day_plans_prune", before=before)

    # --- routes

    def put_routes(self, routes: Sequence[RouteRow]) -> None:
        self._session.run("routes_clear", plan_ids=sorted({one.plan_id for one in routes}))
        stops = [
            {**_fields(stop), "route_id": route.id, "sequence": number}
            for route in routes
            for number, stop in enumerate(route.stops, 1)
        ]
        self._many("routes_insert", ({**_fields(one), "stops": None} for one in routes))
        self._many("route_stops_insert", stops)

    def forget_stops(self, plan_id: str, visit_ids: Collection[str]) -> None:
        self._session.run("route_stops_forget", plan_id=plan_id, ids=sorted(visit_ids))

    def routes(self, plan_ids: Collection[str]) -> list[RouteRow]:
        known = [one for one in plan_ids if is_uuid(one)]
        return [_route(row) for row in self._session.all("routes_of", plan_ids=known)] if known else []

    # --- what a day is made of

    def orders(self, start: datetime, end: datetime, earliest: datetime) -> list[DayOrder]:
        kinds = {row["id"]: row for row in self._session.all("day_kinds")}
        rows = self._session.all("day_orders", start=start, end=end, earliest=earliest)
        return [_order(row["row"], kinds) for row in rows]

    def lock_visits(self, visit_ids: Collection[str]) -> None:
        self._session.all("day_visits_lock", ids=sorted(visit_ids))

    def carers(self, day: date) -> list[DayCarer]:
        return [_carer(row) for row in self._session.all("day_carers", day=day)]

    def stations(self) -> list[DayStation]:
        return [DayStation(**row) for row in self._session.all("day_stations")]

    # --- what a plan becomes

    def save_visits(self, visits: Sequence[VisitRow]) -> None:
        self._many("day_visits_save", (_fields(one) for one in visits))

    def save_order_states(self, orders: Sequence[OrderRow]) -> None:
        self._many("day_orders_save", ({"id": one.id, "state": one.state, "version": one.version} for one in orders))

    def offer(self, assignments: Sequence[AssignmentRow]) -> None:
        self._many("day_offers_insert", (_fields(one) for one in assignments))

    def stand_down(self, assignment_ids: Collection[str], reason: str, now: datetime) -> None:
        if assignment_ids:
            self._session.run("day_stand_down", ids=sorted(assignment_ids), reason=reason, now=now)

    def parties(self, resident_ids: Collection[str]) -> dict[str, list[str]]:
        rows = self._session.all("day_parties", ids=sorted(resident_ids))
        return {row["id"]: list(row["parties"]) for row in rows}

    def tell(self, notices: Sequence[NoticeRow]) -> int:
        made = self._many("day_notices_add", (_fields(one) for one in notices))
        if made:
            self._session.run("notices_notify")
        return made

    def _many(self, block: str, rows: Iterable[Json]) -> int:
        whole, written = list(rows), 0
        for at in range(0, len(whole), _ROWS_AT_ONCE):
            written += self._session.run(block, rows=as_json(whole[at : at + _ROWS_AT_ONCE]))
        return written


def _fields(row: Any) -> Json:
    return {one.name: getattr(row, one.name) for one in fields(row)}
