"""Plans of a day for coordinators: asked for, dropped, compared, explained; and visits nailed down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta, tzinfo
from typing import Any

from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, Database, DayPlanRow, EntryRow, Json, RouteRow, Transaction
from hub.service.day_checks import forbidden, way_s
from hub.service.day_facts import DayFacts, Standing, gather, midnight_of
from hub.service.day_outcome import changes, standings
from hub.service.day_problem import plannable
from hub.service.guards import check_version

__all__ = ["DayPlans", "plan_of", "search_seconds", "sums"]

_FURTHEST = 366
_LEAST_S, _MOST_S, _S_A_VISIT = 5.0, 600.0, 0.2
_ENDED = ("published", "superseded", "cancelled", "failed")


def search_seconds(visits: int) -> float:
    """What the search of a fresh plan may take where nobody said."""
    return min(_MOST_S, max(_LEAST_S, visits * _S_A_VISIT))


def plan_of(tx: Transaction, plan_id: str, *, lock: bool = False) -> DayPlanRow:
    """The plan; NotFoundError."""
    row = tx.day_plans.get(plan_id, lock=lock)
    if row is None:
        raise NotFoundError(f"no plan {plan_id}")
    return row


class DayPlans:
    """Each call is one transaction; planning itself is done elsewhere (`DayPlanning`)."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone

    def ask(self, day: date, areas: Sequence[str], kinds: Sequence[str], seconds: float | None, actor: Actor) -> str:
        """A plan of the day is wanted; gives its id. It is made by a job.

        BadRequestError (field), NotFoundError for an area or a kind; ConflictError while the same is being planned.
        """
        now = self._clock()
        self._check_day(day)
        with self._database.begin() as tx:
            for area in areas:
                if tx.reference.get("areas", area) is None:
                    raise NotFoundError(f"no area {area}", field="areas")
            for kind in kinds:
                if tx.reference.get("service_kinds", kind) is None:
                    raise NotFoundError(f"no service kind {kind}", field="kinds")
            scope = tuple(sorted(set(areas))), tuple(sorted(set(kinds)))
            for other in tx.day_plans.of_day(day, ["running"]):
                if (other.area_ids, other.kinds) == scope and not other.events:
                    raise ConflictError("this is being planned already", code="already-running", plan_id=other.id)
            if seconds is None:
                start = midnight_of(day, self._zone)
                end = midnight_of(day + timedelta(days=1), self._zone)
                seconds = search_seconds(len(tx.day_plans.orders(start, end, start)))
            row = DayPlanRow(
                id=self._new_id(),
                day=day,
                state="running",
                seconds=seconds,
                created_at=now,
                area_ids=scope[0],
                kinds=scope[1],
                created_by=actor.user_id,
                progress={"share": 0.0},
            )
            tx.day_plans.insert(row)
            detail = {"day": day.isoformat(), "areas": scope[0], "kinds": scope[1]}
            tx.audit.add(actor, "day_plans.ask", f"day_plans:{row.id}", detail, now)
        return row.id

    def _check_day(self, day: date) -> None:
        today = self._clock().astimezone(self._zone).date()
        if day < today:
            raise BadRequestError("this day is past", field="date")
        if day > today + timedelta(days=_FURTHEST):
            raise BadRequestError("more than a year ahead", field="date")

    def cancel(self, plan_id: str, actor: Actor, *, version: int | None = None) -> None:
        """Stops planning, or drops a plan that is not published. ConflictError once it is."""
        now = self._clock()
        with self._database.begin() as tx:
            row = plan_of(tx, plan_id, lock=True)
            check_version(row.version, version)
            if row.state == "cancelled":
                return
            if row.state in _ENDED:
                raise ConflictError(f"the plan is {row.state}: it cannot be cancelled", state=row.state)
            reason = f"cancelled by {actor.name}"
            after = replace(
                row, state="cancelled", reason=reason, runner=None, finished_at=now, version=row.version + 1
            )
            tx.day_plans.save(after)
            tx.audit.add(actor, "day_plans.cancel", f"day_plans:{row.id}", {"was": row.state}, now)

    def pin(self, visit_id: str, pinned: bool, actor: Actor, *, version: int | None = None) -> None:
        """Nails a visit to its carers and time, or lets it go. ConflictError where nobody has it yet."""
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.orders.of_visit(visit_id, lock=True)
            if found is None:
                raise NotFoundError(f"no visit {visit_id}")
            order, visit = found
            check_version(visit.version, version)
            if visit.pinned == pinned:
                return
            if visit.state not in ("planned", "offered", "accepted"):
                raise ConflictError(f"the visit is {visit.state}", state=visit.state)
            if pinned and visit.state == "planned":
                raise ConflictError("nobody has this visit yet: there is nothing to nail down", state=visit.state)
            tx.orders.save(order, replace(visit, pinned=pinned, version=visit.version + 1))
            kind = "pinned" if pinned else "unpinned"
            body = {"visit_id": visit.id}
            tx.timeline.add(
                EntryRow(at=now, subject_kind="order", subject_id=order.id, kind=kind, actor=actor, body=body)
            )

    # --- looking at plans

    def compare(self, plan_id: str, other_id: str | None) -> Json:
        """Before and after: sums of both, and what is different. `other_id` None: what the plan was based on, else
        what stands."""
        with self._database.begin() as tx:
            row = plan_of(tx, plan_id)
            facts = gather(tx, row.day, self._zone, self._clock())
            new = standings(facts, tx.day_plans.routes([row.id]))
            base = other_id or row.based_on
            if base is not None:
                before = plan_of(tx, base)
                if before.day != row.day:
                    raise BadRequestError("both plans must be of one day", field="with")
                routes = tx.day_plans.routes([before.id])
                old, ident = standings(facts, routes), before.id
            else:
                routes, old, ident = list(facts.routes), dict(facts.standing), None
            after_routes = tx.day_plans.routes([row.id])
        old = {visit_id: one for visit_id, one in old.items() if visit_id in facts.orders}
        new = {visit_id: one for visit_id, one in new.items() if visit_id in facts.orders}
        every = {visit_id for visit_id, one in facts.orders.items() if plannable(one)}
        against = replace_standing(facts, old)
        return {
            "before": {"id": ident, **sums(facts, old, every, routes)},
            "after": {"id": row.id, **sums(facts, new, every, after_routes)},
            "changes": changes(against, new, {*old, *new}),
        }

    def why(self, plan_id: str, visit_id: str) -> Json:
        """Why these carers, and what every other one would cost. NotFoundError: no such plan, or not its visit."""
        with self._database.begin() as tx:
            row = plan_of(tx, plan_id)
            facts = gather(tx, row.day, self._zone, self._clock())
            routes = tx.day_plans.routes([row.id])
        one = facts.orders.get(visit_id)
        if one is None:
            raise NotFoundError(f"no visit {visit_id} on this day")
        stands = standings(facts, routes)
        now = stands.get(visit_id)
        reasons: list[Mapping[str, Any]] = []
        for route in routes:
            for stop in route.stops:
                if stop.visit_id == visit_id:
                    reasons += [why for why in stop.why if why not in reasons]
        if now is None:
            left = [item for item in row.unplanned if item["visit_id"] == visit_id]
            reasons += [{"code": item["code"], "zh": item["reason_zh"], "en": item["reason"]} for item in left]
        return {
            "visit_id": visit_id,
            "responder_ids": list(now.carers) if now else [],
            "reasons": reasons,
            "alternatives": _alternatives(facts, visit_id, now, stands),
        }


def replace_standing(facts: DayFacts, stands: Mapping[str, Standing]) -> DayFacts:
    """The same day as if this stood."""
    other = replace(facts)
    other.__dict__["standing"] = dict(stands)  # the cached property, filled beforehand
    return other


def sums(facts: DayFacts, stands: Mapping[str, Standing], every: Collection[str], routes: Sequence[RouteRow]) -> Json:
    """What a plan comes to."""
    planned = [visit_id for visit_id in stands if visit_id in every]
    late = [max(0, stands[v].start - facts.second(facts.orders[v].order.wanted_to)) for v in planned]
    wished = [v for v in planned if _regular(facts, v)]
    kept = sum(bool(_regular(facts, v) & set(stands[v].carers)) for v in wished)
    return {
        "planned": len(planned),
        "unplanned": len(set(every) - set(planned)),
        "travel_min": round(sum(route.travel_s for route in routes) / 60, 1),
        "service_min": round(sum(route.service_s for route in routes) / 60, 1),
        "late_min": round(sum(late) / 60, 1),
        "late_visits": sum(seconds > 60 for seconds in late),
        "carers": len({carer for v in planned for carer in stands[v].carers}),
        "continuity": round(kept / len(wished), 4) if wished else None,
    }


def _regular(facts: DayFacts, visit_id: str) -> set[str]:
    one = facts.orders[visit_id]
    named = one.order.preferred_responder_id
    return {*one.resident["regular"], *([named] if named else ())}


def _alternatives(facts: DayFacts, visit_id: str, now: Standing | None, stands: Mapping[str, Standing]) -> list[Json]:
    """Every other carer on duty: the detour at this time, or the rule that forbids it."""
    one = facts.orders[visit_id]
    start = now.start if now is not None else facts.second(one.order.wanted_from)
    end = start + one.order.duration_min * 60
    days: dict[str, list[tuple[int, int, str]]] = {}
    for other_id, other in stands.items():
        if other_id != visit_id and other_id in facts.orders:
            for carer, low, high in zip(other.carers, other.starts, other.ends, strict=True):
                days.setdefault(carer, []).append((low, high, other_id))

    def detour(carer_id: str) -> int:
        carer, day = facts.carers[carer_id], sorted(days.get(carer_id, []))
        before = max((row for row in day if row[0] <= start), default=None)
        after = min((row for row in day if row[0] > start), default=None)
        station = facts.stations.get(carer.station_id or "")
        home = (station.lat, station.lon) if station else (carer.lat, carer.lon) if carer.lat and carer.lon else None
        one_place, from_place, to_place = (
            _at(facts, visit_id),
            _at(facts, before[2]) if before else home,
            _at(facts, after[2]) if after else home,
        )
        return (
            way_s(carer, from_place, one_place) + way_s(carer, one_place, to_place) - way_s(carer, from_place, to_place)
        )

    mine = detour(now.carers[0]) if now is not None and now.carers[0] in facts.carers else 0
    found = []
    for carer_id in sorted(facts.spans):
        if now is not None and carer_id in now.carers:
            continue
        hard = forbidden(facts, one, facts.carers[carer_id])
        if hard:
            found.append((2, 0.0, carer_id, hard[0]["reason"], hard[0]["reason_zh"]))
            continue
        more = round((detour(carer_id) - mine) / 60, 1)
        busy = next((row for row in days.get(carer_id, []) if row[0] < end and row[1] > start), None)
        if not any(low <= start and end <= high for low, high in facts.spans[carer_id]):
            found.append((1, more, carer_id, "is not on duty at this time", "这个时间不在班"))
        elif busy is not None:
            name = facts.orders[busy[2]].resident["name"]
            found.append((1, more, carer_id, f"is with {name} at this time", f"这个时间在{name}家"))
        else:
            found.append((0, more, carer_id, f"{more:+.1f} min of travel", f"路程{more:+.1f}分钟"))
    found.sort(key=lambda row: row[:3])
    return [
        {"responder_ids": [carer], "costs_more": more if group < 2 else None, "reason": en, "reason_zh": zh}
        for group, more, carer, en, zh in found
    ]


def _at(facts: DayFacts, visit_id: str) -> tuple[float, float] | None:
    one = facts.orders[visit_id]
    return None if one.lat is None or one.lon is None else (one.lat, one.lon)
