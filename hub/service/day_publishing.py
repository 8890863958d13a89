"""A plan becomes real: times, offers, promises, and the words to whoever something is different for. All or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from dispatch import LIVE_ASSIGNMENT_STATES, visit_state
from hub.clock import Clock, IdSource
from hub.errors import ConflictError
from hub.ports import (
    Actor,
    AssignmentRow,
    Database,
    DayPlanRow,
    EntryRow,
    Json,
    OrderRow,
    RouteRow,
    Transaction,
    VisitRow,
)
from hub.service.day_facts import DAY, DayFacts, Standing, gather
from hub.service.day_outcome import standings
from hub.service.day_plans import plan_of
from hub.service.day_telling import Told, tell_people
from hub.service.guards import check_version
from hub.service.ordering import cancel, order_entry
from hub.service.visit_states import ORDER_STATES

__all__ = ["PROMISE", "DayPublishing", "promise_of"]

PROMISE = timedelta(minutes=30)
_ROUND = 15 * 60
_BY_ASKING = frozenset({"volunteer", "neighbour", "family", "grid_officer", "guard"})
"""Whoever is not at work in a shift is asked, whatever the plan says."""
_MOST_SHOWN = 20


def promise_of(start: datetime) -> tuple[datetime, datetime]:
    """What people are told of a start: half an hour from a quarter of an hour on."""
    low = start - timedelta(seconds=start.timestamp() % _ROUND)
    return low, low + PROMISE


@dataclass(slots=True)
class _Writes:
    orders: list[OrderRow] = field(default_factory=list)
    visits: list[VisitRow] = field(default_factory=list)
    offers: list[AssignmentRow] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


class DayPublishing:
    """`publish` is one transaction: while it runs the day's orders belong to it."""

    def __init__(self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone

    def publish(
        self, plan_id: str, actor: Actor, *, accepted: bool = False, tell: bool = True, version: int | None = None
    ) -> None:
        """Makes a ready plan real.

        `accepted`: whoever is in a shift has it at once, others are asked. ConflictError `stale` where a visit that
        the plan changes has been changed since, or has begun, or where somebody has taken another one for the time of
        a visit that they would get; what was cancelled since just falls away.
        """
        now = self._clock()
        with self._database.begin() as tx:
            row = plan_of(tx, plan_id, lock=True)
            check_version(row.version, version)
            if row.state == "published":
                return
            if row.state != "ready":
                raise ConflictError(f"the plan is {row.state}: it cannot be published", state=row.state)
            routes = tx.day_plans.routes([row.id])
            touched = {str(change["visit_id"]) for change in row.changes}
            touched |= {stop.visit_id for route in routes for stop in route.stops}
            # Nobody claims an order while this gives them work for the same time.
            tx.responders.hold(*{route.responder_id for route in routes})
            tx.day_plans.lock_visits(touched)
            facts = gather(tx, row.day, self._zone, now, lock=True)
            writes = _Writes()
            self._check(facts, row, routes)
            self._take_over(facts, row, routes, writes, actor, now, accepted)
            self._write(tx, writes, now)
            self._aftermath(tx, facts, row, actor, now)
            self._supersede(tx, facts, row, touched)
            published = replace(
                row, state="published", published_at=now, published_by=actor.user_id, version=row.version + 1
            )
            tx.day_plans.save(published)
            if tell:
                tell_people(tx, facts, writes.told, now, plan_id=row.id)
            detail = {"day": row.day.isoformat(), "changes": len(row.changes), "accepted": accepted}
            tx.audit.add(actor, "day_plans.publish", f"day_plans:{row.id}", detail, now)

    # --- is it still true

    def _check(self, facts: DayFacts, row: DayPlanRow, routes: Sequence[RouteRow]) -> None:
        """Whatever the plan changes must be as it was when the plan was made, and its people free for it."""
        stale = []
        for change in row.changes:
            one = facts.orders.get(str(change["visit_id"]))
            if one is None:
                continue  # cancelled since
            stands = facts.standing.get(one.visit.id)
            if _is(facts, stands, change["now"]):
                continue
            begun = one.visit.state not in ("planned", "offered", "accepted")
            if begun or not _is(facts, stands, change["was"]):
                stale.append({"visit_id": one.visit.id, "order_id": one.order.id, "state": one.visit.state})
        stale += _taken_since(facts, row, routes)
        if stale:
            raise ConflictError(
                f"{len(stale)} visits were changed or begun since this plan was made: plan again",
                code="stale",
                visits=stale[:_MOST_SHOWN],
            )

    # --- what becomes of each visit

    def _take_over(
        self,
        facts: DayFacts,
        row: DayPlanRow,
        routes: Sequence[RouteRow],
        writes: _Writes,
        actor: Actor,
        now: datetime,
        accepted: bool,
    ) -> None:
        new = standings(facts, routes)
        first: dict[str, tuple[str, int]] = {}
        nailed = set()
        for route in routes:
            for number, stop in enumerate(route.stops, 1):
                if stop.frozen == "pinned":
                    nailed.add(stop.visit_id)
                if stop.frozen != "fixed" and (stop.visit_id not in first or stop.part <= 1):
                    first[stop.visit_id] = route.id, number
        changed = {str(change["visit_id"]): change for change in row.changes}
        for visit_id in sorted({*changed, *first}):
            one = facts.orders.get(visit_id)
            if one is None:
                continue
            change, stands = changed.get(visit_id), new.get(visit_id)
            visit, order = one.visit, one.order
            route_id, sequence = first.get(visit_id, (visit.route_id, visit.sequence))
            if change is None or (stands is None and change["now"] is not None):
                if stands is not None:
                    writes.visits.append(
                        replace(visit, route_id=route_id, sequence=sequence, planned_end=facts.at(stands.end))
                    )
                continue
            rows = self._people(facts, visit_id, stands, writes, actor, now, accepted)
            state = visit_state([one_row.state for one_row in rows], carers=order.carers)
            visit = replace(visit, state=state, version=visit.version + 1)
            if stands is None:
                visit = replace(
                    visit,
                    planned_start=order.wanted_from,
                    planned_end=None,
                    promised_from=None,
                    promised_to=None,
                    route_id=None,
                    sequence=None,
                    pinned=False,
                )
            else:
                visit = replace(
                    visit,
                    planned_start=facts.at(stands.start),
                    planned_end=facts.at(stands.end),
                    route_id=route_id,
                    sequence=sequence,
                    pinned=visit.pinned or visit_id in nailed,
                )
                visit = _promised(visit)
            writes.visits.append(visit)
            writes.orders.append(replace(order, state=ORDER_STATES[state], version=order.version + 1))
            body = {
                "plan_id": row.id,
                "responder_ids": list(stands.carers) if stands else [],
                "start": facts.at(stands.start).isoformat() if stands else None,
            }
            writes.entries.append(order_entry(now, order, "planned" if stands else "unplanned", actor, body))
            writes.told.append(Told(one, visit, facts.standing.get(visit_id), stands, frozenset(change["tell"])))

    def _people(
        self,
        facts: DayFacts,
        visit_id: str,
        stands: Standing | None,
        writes: _Writes,
        actor: Actor,
        now: datetime,
        accepted: bool,
    ) -> list[AssignmentRow]:
        """Offers to whoever is new, stands down whoever is not wanted; the live assignments after it."""
        one = facts.orders[visit_id]
        wanted = list(stands.carers) if stands is not None else []
        kept: list[AssignmentRow] = []
        for row in one.assignments:
            if row.state in LIVE_ASSIGNMENT_STATES and row.responder_id not in wanted:
                writes.downs.append(row.id)
                body = {"assignment_id": row.id, "responder_id": row.responder_id, "reason": "replanned"}
                writes.entries.append(order_entry(now, one.order, "stood_down", actor, body))
            else:
                kept.append(row)
        have = {row.responder_id for row in kept if row.state in LIVE_ASSIGNMENT_STATES}
        for carer_id in wanted:
            if carer_id in have:
                continue
            carer = facts.carers.get(carer_id)
            at_once = accepted and carer is not None and carer.kind not in _BY_ASKING and carer_id in facts.spans
            row = AssignmentRow(
                id=self._new_id(),
                responder_id=carer_id,
                state="accepted" if at_once else "offered",
                offered_at=now,
                visit_id=visit_id,
                accepted_at=now if at_once else None,
            )
            writes.offers.append(row)
            kept.append(row)
        return kept

    def _write(self, tx: Transaction, writes: _Writes, now: datetime) -> None:
        tx.day_plans.stand_down(writes.downs, "plan changed", now)
        tx.day_plans.offer(writes.offers)
        tx.day_plans.save_visits(writes.visits)
        tx.day_plans.save_order_states(writes.orders)
        for assignment_id in writes.downs:
            tx.due.clear("assignment", assignment_id)
        tx.timeline.add(*writes.entries)

    # --- what else follows

    def _aftermath(self, tx: Transaction, facts: DayFacts, row: DayPlanRow, actor: Actor, now: datetime) -> None:
        """Who is ill is out in the rota too, and what was called off is cancelled."""
        for event in row.events:
            if event["kind"] == "ill" and facts.spans.get(str(event["responder_id"])):
                self._out(tx, facts, event, actor, now)
            elif event["kind"] == "cancelled":
                found = tx.orders.get(str(event["order_id"]), lock=True)
                if found is not None and found[0].state in ("requested", "assigned"):
                    cancel(tx, *found, now, actor, str(event.get("reason") or "called off"))

    def _out(self, tx: Transaction, facts: DayFacts, event: Mapping[str, Any], actor: Actor, now: datetime) -> None:
        begins = datetime.fromisoformat(str(event["from"]))
        until = event.get("until")
        ends = datetime.fromisoformat(str(until)) if until else facts.at(DAY)
        override: Json = {
            "id": self._new_id(),
            "kind": "absent",
            "responder_id": event["responder_id"],
            "substitute_id": None,
            "shift_id": None,
            "role": None,
            "area_id": None,
            "starts_at": begins,
            "ends_at": ends,
            "reason": "ill",
            "made_by": actor.user_id,
            "made_at": now,
        }
        if ends > begins:
            tx.rota.override_add(override)

    def _supersede(self, tx: Transaction, facts: DayFacts, row: DayPlanRow, touched: set[str]) -> None:
        """Older plans of the day give way: wholly where this one covers what they did, else in what it changed."""
        for old in facts.published:
            if row.events or old.id == row.based_on or _covers(row, old):
                tx.day_plans.save(replace(old, state="superseded", version=old.version + 1))
            else:
                tx.day_plans.forget_stops(old.id, touched)


def _covers(new: DayPlanRow, old: DayPlanRow) -> bool:
    """Whether whatever the old plan may have been about is in the new one's scope."""
    areas = not new.area_ids or (bool(old.area_ids) and set(old.area_ids) <= set(new.area_ids))
    kinds = not new.kinds or (bool(old.kinds) and set(old.kinds) <= set(new.kinds))
    return areas and kinds


def _taken_since(facts: DayFacts, row: DayPlanRow, routes: Sequence[RouteRow]) -> list[Json]:
    """Visits the plan does not know, of people who would be elsewhere then: an order they claimed meanwhile."""
    known = {str(change["visit_id"]) for change in row.changes}
    known |= {stop.visit_id for route in routes for stop in route.stops}
    busy: dict[str, list[tuple[int, int]]] = {}
    for route in routes:
        spans = [(facts.second(stop.start_at), facts.second(stop.leave_at)) for stop in route.stops]
        busy.setdefault(route.responder_id, []).extend(spans)
    found: list[Json] = []
    for visit_id, stands in facts.standing.items():
        if visit_id in known:
            continue
        one = facts.orders[visit_id]
        for carer, start, end in zip(stands.carers, stands.starts, stands.ends, strict=True):
            if any(start < until and begin < end for begin, until in busy.get(carer, ())):
                found.append({"visit_id": visit_id, "order_id": one.order.id, "state": one.visit.state})
                break
    return found


def _is(facts: DayFacts, stands: Standing | None, said: Mapping[str, Any] | None) -> bool:
    """Whether a visit stands as a change says."""
    if stands is None or said is None:
        return stands is None and said is None
    start = facts.second(datetime.fromisoformat(str(said["start"])))
    return sorted(stands.carers) == sorted(said["responder_ids"]) and abs(stands.start - start) <= 1


def _promised(visit: VisitRow) -> VisitRow:
    """A promise that still holds stays as it was told."""
    told = visit.promised_from, visit.promised_to
    if told[0] is not None and told[1] is not None and told[0] <= visit.planned_start <= told[1]:
        return visit
    low, high = promise_of(visit.planned_start)
    return replace(visit, promised_from=low, promised_to=high)
