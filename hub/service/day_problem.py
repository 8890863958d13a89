"""From the facts of a day to the planner's problem. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from dispatch import HaversineTravel
from dispatch.plan.day import Day, Objective, Promise, Stop, Visit
from hub.planning.ways import Closure, Ways
from hub.ports import DayOrder, FrozenWhy
from hub.service.day_carers import BASE_MODE, RELOAD, People, Places
from hub.service.day_facts import DAY, NOT_VISITED, DayFacts

__all__ = ["DayEdits", "DayProblem", "build", "frozen_why", "plannable", "sex_needed"]

PRIORITIES: Mapping[str, float] = {"low": 0.0, "medium": 1.0, "high": 3.0, "critical": 9.0}
STALE_PROMISE = 4 * 3600
IMMINENT, OVERDUE = 900, 3600
"""Whoever has a visit in a quarter of an hour is on the way, said or not; an hour later nobody believes it any more."""


@dataclass(frozen=True, slots=True)
class DayEdits:
    """What is otherwise than the facts say, because something happened.

    `released`: visits that may move though promised; `pinned`: visit -> carers and starts; `absent`: carer -> spans;
    `gone`: visits that do not take place; `urgent`: visits that must fit; `longer`: seconds a visit takes more;
    `open`: visits that may be planned though nobody planned them before.
    """

    released: frozenset[str] = frozenset()
    pinned: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]] = field(default_factory=dict)
    absent: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    urgent: frozenset[str] = frozenset()
    longer: Mapping[str, int] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DayProblem:
    """The day for the planner, without its table of ways, and what was settled before it is asked.

    `frozen`: why each frozen visit is; `left`: visits that cannot be planned at all, with the code of the reason.
    """

    day: Day
    ways: Ways
    frozen: Mapping[str, FrozenWhy]
    left: Mapping[str, str]
    scope: frozenset[str]


def plannable(one: DayOrder) -> bool:
    """Whether planning has anything to do with an order: alive, at a home, not waiting to be claimed."""
    if one.order.state not in ("requested", "assigned", "in_service") or one.order.kind in NOT_VISITED:
        return False
    return one.order.open_to != "claim" or bool(one.assignments)


def frozen_why(facts: DayFacts, visit_id: str, scope: Collection[str], edits: DayEdits) -> FrozenWhy | None:
    """Why a visit does not move; None: it may."""
    one = facts.orders[visit_id]
    under_way = one.visit.state in ("en_route", "in_service") or any(
        row.state in ("en_route", "on_scene") for row in one.assignments
    )
    if under_way:
        return "started"
    if visit_id in edits.pinned:
        return "pinned"
    if not facts.whole(visit_id) or visit_id in edits.released:
        return None
    if one.visit.pinned:
        return "pinned"
    if one.visit.state == "accepted" and one.visit.promised_from is not None:
        return "promised"
    if facts.now_s is not None and one.visit.route_id is not None:
        ahead = facts.standing[visit_id].start - facts.now_s
        if -OVERDUE <= ahead <= IMMINENT:
            return "started"
    if visit_id not in scope or one.on_trip or (one.order.open_to == "claim" and one.visit.state == "accepted"):
        return "fixed"
    return None


def sex_needed(one: DayOrder) -> Literal["f", "m"] | None:
    """The sex the carer must be of."""
    same = (one.kind.get("attributes") or {}).get("same_sex")
    sex = one.resident.get("sex")
    return sex if same and sex in ("f", "m") else None


class _Builder:
    def __init__(self, facts: DayFacts, scope: frozenset[str], edits: DayEdits) -> None:
        self.facts, self.scope, self.edits = facts, scope, edits
        self.places = Places()
        self.left: dict[str, str] = {}
        self.frozen: dict[str, FrozenWhy] = {}
        self.kinds: dict[str, DayOrder] = {}
        self.areas: dict[str, DayOrder] = {}

    # --- visits

    def visits(self) -> list[Visit]:
        found = []
        kitchens = self._kitchens()
        for visit_id, one in self.facts.orders.items():
            if not plannable(one) or visit_id in self.edits.gone:
                continue
            why = frozen_why(self.facts, visit_id, self.scope, self.edits)
            if why is None and visit_id not in self.scope:
                continue
            if one.lat is None or one.lon is None:
                self.left[visit_id] = "no-place"
                continue
            if why == "started" and visit_id not in self.edits.pinned and not self.facts.whole(visit_id):
                self.left[visit_id] = "one-of-two"
                continue
            visit = self._visit(visit_id, one, why, self.places.number(one.lat, one.lon), kitchens)
            if visit is None:
                self.left[visit_id] = "over"
                continue
            if why is not None:
                self.frozen[visit_id] = why
            found.append(visit)
        return found

    def _visit(
        self, visit_id: str, one: DayOrder, why: FrozenWhy | None, place: int, kitchens: Mapping[str, str]
    ) -> Visit | None:
        order, attributes = one.order, one.kind.get("attributes") or {}
        length = order.duration_min * 60 + self.edits.longer.get(visit_id, 0)
        window = self._window(one, visit_id)
        if window is None and why is None:
            return None
        gap = attributes.get("gap_min")
        behind = order.carers == 2 and attributes.get("sync") == "precedence" and gap
        frozen = self._promise(visit_id, why)
        hot = int(attributes.get("deliver_within_min") or 0)
        carried = hot > 0 and not one.on_trip
        kitchen = kitchens.get(visit_id)
        return Visit(
            id=visit_id,
            place=place,
            skills=self._words(visit_id, one),
            seconds=(length,) * order.carers,
            window=window or (0, DAY),
            sync="precedence" if behind else "simultaneous",
            gap=_gap(gap) if behind else (0, 10**9),
            prefer=frozenset(
                {*one.resident["regular"], *([order.preferred_responder_id] if order.preferred_responder_id else ())}
            ),
            avoid=frozenset(one.resident["never"]),
            required_sex=sex_needed(one),
            priority=PRIORITIES["critical"]
            if visit_id in self.edits.urgent
            else PRIORITIES.get(str(one.kind.get("priority")), 0.0),
            mandatory=self.facts.second(order.wanted_to) <= DAY,
            deliver_within=hot * 60 if carried else None,
            load=1.0 if carried else 0.0,
            depot_id=kitchen if carried else None,
            frozen=frozen,
        )

    def _window(self, one: DayOrder, visit_id: str) -> tuple[int, int] | None:
        """When it may start and should have started, of this day; None: it is over."""
        low, high = self.facts.second(one.order.wanted_from), self.facts.second(one.order.wanted_to)
        if low < 0:  # a window of several days opens each morning when it did on the first
            low %= DAY
        if high > DAY:
            closes = high % DAY
            high = closes if closes > low else DAY
        visit = one.visit
        if visit.promised_from is not None and visit.promised_to is not None and visit_id not in self.edits.released:
            told = self.facts.second(visit.promised_from), self.facts.second(visit.promised_to)
            if 0 <= told[0] < DAY:
                low, high = max(low, told[0]), max(told[1], max(low, told[0]))
        now = self.facts.now_s
        if now is not None and high + STALE_PROMISE < now and not self.facts.standing.get(visit_id):
            return None  # nobody had it, and nobody comes hours later
        return low, max(low, high)

    def _words(self, visit_id: str, one: DayOrder) -> tuple[frozenset[str], ...]:
        order = one.order
        self.kinds.setdefault(order.kind, one)
        words = {f"kind:{order.kind}"}
        if one.area_path:
            self.areas.setdefault(one.area_path[-1], one)
            words.add(f"at:{one.area_path[-1]}")
        if order.provider_id is not None:
            words.add(f"by:{order.provider_id}")
        bound = self._bound(visit_id, one)
        parts = [frozenset(words | {f"who:{carer}"}) for carer in bound]
        return tuple(parts + [frozenset(words)] * (order.carers - len(parts)))

    def _bound(self, visit_id: str, one: DayOrder) -> list[str]:
        """Whom somebody chose by hand, or who claimed it: no plan gives it to another."""
        if one.visit.route_id is not None or visit_id in self.edits.released:
            return []
        rows = [row for row in one.assignments if row.state in ("offered", "accepted") and row.offered_by is not None]
        return [row.responder_id for row in rows][: one.order.carers]

    def _promise(self, visit_id: str, why: FrozenWhy | None) -> Promise | None:
        if why is None:
            return None
        if visit_id in self.edits.pinned:
            return Promise(*self.edits.pinned[visit_id])
        stands = self.facts.standing.get(visit_id)
        one = self.facts.orders[visit_id]
        assert stands is not None
        starts = stands.starts
        now = self.facts.now_s
        if why == "started" and now is not None and one.visit.state == "en_route":
            starts = tuple(max(start, now) for start in starts)
        return Promise(stands.carers, starts)

    def _kitchens(self) -> dict[str, str]:
        """Where each hot meal comes from: the station the order names, else the nearest that somebody works from."""
        hot = {
            visit_id: one
            for visit_id, one in self.facts.orders.items()
            if (one.kind.get("attributes") or {}).get("deliver_within_min") and not one.on_trip
        }
        if not hot:
            return {}
        manned = {
            carer.station_id
            for carer in self.facts.carers.values()
            if carer.id in self.facts.spans and carer.station_id in self.facts.stations
        }
        points = [one for one in self.facts.stations.values() if one.kind == "meal_point" and one.id in manned]
        found, at = {}, np.array([(point.lat, point.lon) for point in points]).reshape(-1, 2)
        for visit_id, one in hot.items():
            named = one.order.station_id or one.order.attributes.get("station_id")
            if named is not None:
                found[visit_id] = str(named)
            elif points and one.lat is not None and one.lon is not None:
                away = (at[:, 0] - one.lat) ** 2 + (at[:, 1] - one.lon) ** 2
                found[visit_id] = points[int(away.argmin())].id
        return found


def _gap(minutes: Any) -> tuple[int, int]:
    low, high = minutes
    return int(low) * 60, 10**9 if high is None else int(high) * 60


def build(
    facts: DayFacts,
    scope: Iterable[str],
    *,
    edits: DayEdits | None = None,
    before: Mapping[str, tuple[Stop, ...]] | None = None,
    left_out: Iterable[str] = (),
    travel: HaversineTravel | None = None,
) -> DayProblem:
    """The problem of a day: visits of `scope` to be planned around what is frozen.

    `before`: the plan so far, carer to stops; where it is given only what is disturbed changes. `left_out`: visits it
    left out.
    """
    travel = travel or HaversineTravel()
    wanted, edits = frozenset(scope), edits or DayEdits()
    builder = _Builder(facts, wanted, edits)
    visits = builder.visits()
    speed_mps = travel.pace[BASE_MODE].speed_mps
    people = People(
        facts,
        builder.places,
        kinds=builder.kinds,
        areas=builder.areas,
        absent=edits.absent,
        speed_mps=speed_mps,
    )
    carers = people.carers(visits)
    there = {visit.id for visit in visits}
    known_carers = {carer.id for carer in carers}
    kept = None
    if before is not None:
        kept = {
            carer: tuple(stop for stop in stops if stop.visit in there)
            for carer, stops in before.items()
            if carer in known_carers
        }
    day = Day(
        carers=carers,
        visits=visits,
        travel=np.zeros((0, 0)),
        objective=Objective(),
        reload=RELOAD,
        now=facts.now_s,
        before=kept,
        left_out_before=frozenset(left_out) & there,
    )
    ways = Ways(
        tuple(builder.places.at),
        speed_mps,
        travel.circuity,
        closures=edits.closures,
    )
    return DayProblem(day, ways, builder.frozen, builder.left, wanted)
