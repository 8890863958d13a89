"""What a day is made of, as values: its orders, who is on duty, what stands already. Read once, judged everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property

from dispatch import LIVE_ASSIGNMENT_STATES
from hub.ports import DayCarer, DayOrder, DayPlanRow, DayStation, RouteRow, StopRow, Transaction
from hub.rota import Duty, duties

__all__ = ["DAY", "NOT_VISITED", "DayFacts", "Standing", "gather", "in_crews", "latest", "midnight_of"]

DAY = 86_400
_EARLIEST = timedelta(days=31)
NOT_VISITED = frozenset({"meal_dine_in"})
"""Kinds for which nobody goes anywhere."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who goes to a visit as things stand, by part, and when: seconds after midnight."""

    carers: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def start(self) -> int:
        return min(self.starts)

    @property
    def end(self) -> int:
        return max(self.ends)


@dataclass(frozen=True)
class DayFacts:
    """One day. `orders` by visit id; `spans`: each carer's hours on duty, seconds after midnight, in order; `served`:
    the areas they serve then (empty: everywhere); `stops`: the published routes' stops by visit, carer beside each."""

    day: date
    midnight: datetime
    now: datetime | None
    orders: Mapping[str, DayOrder]
    carers: Mapping[str, DayCarer]
    spans: Mapping[str, tuple[tuple[int, int], ...]]
    served: Mapping[str, frozenset[str]]
    stations: Mapping[str, DayStation]
    stops: Mapping[str, tuple[tuple[str, StopRow], ...]] = field(default_factory=dict)
    published: tuple[DayPlanRow, ...] = ()
    routes: tuple[RouteRow, ...] = ()

    def second(self, at: datetime) -> int:
        """Seconds after this day's midnight."""
        return round((at - self.midnight).total_seconds())

    def at(self, second: float) -> datetime:
        return self.midnight + timedelta(seconds=second)

    @property
    def now_s(self) -> int | None:
        """The present, where the day is today."""
        return None if self.now is None else self.second(self.now)

    @cached_property
    def by_order(self) -> dict[str, str]:
        """Visit of each order."""
        return {one.order.id: visit_id for visit_id, one in self.orders.items()}

    @cached_property
    def standing(self) -> dict[str, Standing]:
        """What stands for each visit that somebody has."""
        found = {}
        for visit_id, one in self.orders.items():
            stands = self._standing(visit_id, one)
            if stands is not None:
                found[visit_id] = stands
        return found

    def _standing(self, visit_id: str, one: DayOrder) -> Standing | None:
        rows = [row for row in one.assignments if row.state in LIVE_ASSIGNMENT_STATES]
        if not rows:
            return None
        known = dict(self.stops.get(visit_id, ()))
        rows.sort(key=lambda row: (known[row.responder_id].part if row.responder_id in known else 9, row.offered_at))
        start = self.second(one.visit.started_at or one.visit.planned_start)
        planned = self.second(one.visit.planned_start)
        starts, ends = [], []
        for row in rows[: one.order.carers]:
            stop = known.get(row.responder_id)
            # Of a visit of two, one after the other, the second begins later; only its route knows.
            later = 0 if stop is None else max(0, self.second(stop.start_at) - planned)
            starts.append(start + later)
            ends.append(start + later + one.order.duration_min * 60)
        return Standing(tuple(row.responder_id for row in rows[: one.order.carers]), tuple(starts), tuple(ends))

    def whole(self, visit_id: str) -> bool:
        """Whether as many stand as are needed."""
        stands = self.standing.get(visit_id)
        return stands is not None and len(stands.carers) == self.orders[visit_id].order.carers


def midnight_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def gather(tx: Transaction, day: date, zone: tzinfo, now: datetime, *, lock: bool = False) -> DayFacts:
    """Reads the day in one transaction. `lock`: its published plans are held until the end of it."""
    start, end = midnight_of(day, zone), midnight_of(day + timedelta(days=1), zone)
    orders = {one.visit.id: one for one in tx.day_plans.orders(start, end, start - _EARLIEST)}
    carers = {one.id: one for one in tx.day_plans.carers(day)}
    rota = tx.rota.slice(start, end)
    spans, served = _on_duty(duties(rota.shifts, rota.overrides, start, end), carers, start)
    carers, spans = in_crews(carers, spans)
    published = tuple(tx.day_plans.of_day(day, ["published"], lock=lock))
    routes = latest(published, tx.day_plans.routes([one.id for one in published]))
    stops: dict[str, list[tuple[str, StopRow]]] = {}
    for route in routes:
        for stop in route.stops:
            stops.setdefault(stop.visit_id, []).append((route.responder_id, stop))
    return DayFacts(
        day=day,
        midnight=start,
        now=now if start <= now < end else None,
        orders=orders,
        carers=carers,
        spans=spans,
        served=served,
        stations={one.id: one for one in tx.day_plans.stations()},
        stops={visit_id: tuple(found) for visit_id, found in stops.items()},
        published=published,
        routes=routes,
    )


def latest(published: Sequence[DayPlanRow], routes: Sequence[RouteRow]) -> tuple[RouteRow, ...]:
    """One route a carer: plans of different scopes stand beside one another, and the newest shows a whole day."""
    order = {row.id: row.published_at or row.created_at for row in published}
    found: dict[str, RouteRow] = {}
    for route in sorted(routes, key=lambda one: order[one.plan_id]):
        found[route.responder_id] = route
    return tuple(sorted(found.values(), key=lambda one: one.responder_id))


def in_crews(
    carers: Mapping[str, DayCarer], spans: Mapping[str, tuple[tuple[int, int], ...]]
) -> tuple[dict[str, DayCarer], dict[str, tuple[tuple[int, int], ...]]]:
    """Whose crew goes out in hours of its own is on duty in those alone; who is not there then goes without the crew.

    `spans`: seconds after midnight, as in `DayFacts`.
    """
    people, hours = dict(carers), dict(spans)
    for carer in carers.values():
        if carer.crew_begins is None or carer.crew_ends is None:
            continue
        low, high = (one.hour * 3600 + one.minute * 60 for one in (carer.crew_begins, carer.crew_ends))
        within = tuple(
            (max(start, low), min(end, high))
            for start, end in hours.get(carer.id, ())
            if max(start, low) < min(end, high)
        )
        if within:
            hours[carer.id] = within
        else:
            people[carer.id] = replace(carer, crew_id=None)
    return people, hours


def _on_duty(
    found: Sequence[Duty], carers: Mapping[str, DayCarer], midnight: datetime
) -> tuple[dict[str, tuple[tuple[int, int], ...]], dict[str, frozenset[str]]]:
    spans: dict[str, list[tuple[int, int]]] = {}
    served: dict[str, frozenset[str]] = {}
    for duty in found:
        if duty.responder_id not in carers:
            continue
        low = round((duty.starts_at - midnight).total_seconds())
        high = round((duty.ends_at - midnight).total_seconds())
        mine = spans.setdefault(duty.responder_id, [])
        if mine and low <= mine[-1][1]:
            mine[-1] = (mine[-1][0], max(mine[-1][1], high))
        else:
            mine.append((low, high))
        before = served.get(duty.responder_id)
        everywhere = not duty.area_ids or (before is not None and not before)
        served[duty.responder_id] = frozenset() if everywhere else (before or frozenset()) | duty.area_ids
    return {carer: tuple(one) for carer, one in spans.items()}, served
