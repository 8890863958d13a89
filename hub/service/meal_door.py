"""Three taps at the door: handed over, left with whom, no answer. No answer is an alarm, at once.

What was tapped commits first, and the alarm right after it from what was committed: if the hub dies between the two,
the job finds the door that nobody answered and raises it then. The same for a courier who said "no answer" on the
ordinary task card, or an operator who wrote it down by telephone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, Literal, get_args

from dispatch import LIVE_ASSIGNMENT_STATES
from dispatch.meals import MEAL_KINDS
from hub.alarms import SYSTEM, Alarm, classify
from hub.alarms.rules import nobody_answered
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import (
    Actor,
    AssignmentRow,
    Database,
    EntryRow,
    MealOrderRow,
    MealServingRow,
    MealTripRow,
    OrderRow,
    Transaction,
    VisitRow,
)
from hub.service.ordering import order_entry
from hub.service.proof import Given, Proofs
from hub.service.raising import NewAlarm, Raising, again_where_raced
from hub.service.ruling import picture_of, remembered
from hub.service.visit_states import settle_visit

__all__ = ["DoorTap", "MealDoor"]

DoorTap = Literal["handed_over", "left_with", "no_answer"]
TAPS: Final[tuple[DoorTap, ...]] = get_args(DoorTap)
_CONSOLE: Final = frozenset({"operator", "coordinator", "supervisor", "admin"})
_OPEN: Final = frozenset({"requested", "assigned", "in_service", "missed"})
_LOOK_BACK: Final = timedelta(hours=6)
_ZH: Final[Mapping[str, str]] = {"breakfast": "早餐", "lunch": "午餐", "dinner": "晚餐"}


class MealDoor:
    """`zone`: the place's time. Thread-safe."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, raising: Raising, proofs: Proofs
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._raising = raising
        self._proofs = proofs

    def tap(
        self,
        visit_id: str,
        result: str,
        actor: Actor,
        *,
        at: datetime | None = None,
        left_with: str | None = None,
        note: str | None = None,
        fix: Mapping[str, Any] | None = None,
    ) -> str | None:
        """One tap by the courier, or by the desk for one; gives the courier's assignment (None: there was none).

        `at`: when it was tapped; it may be long ago (no signal). The same tap twice is one. "Nobody there" may still
        become "handed over", when the door opens after all; the incident stays, and says so. ConflictError where the
        order was withdrawn or is done.
        """
        if result not in TAPS:
            raise BadRequestError(f"result must be one of {', '.join(TAPS)}", field="result")
        if result == "left_with" and not (left_with or "").strip():
            raise BadRequestError("say with whom it was left", field="left_with")
        assignment_id, order_id = again_where_raced(
            lambda: self._tap(visit_id, result, actor, at, left_with, note, fix)
        )
        if result == "no_answer":
            self.raise_unanswered(order_id)
        return assignment_id

    def _tap(
        self,
        visit_id: str,
        result: str,
        actor: Actor,
        at: datetime | None,
        left_with: str | None,
        note: str | None,
        fix: Mapping[str, Any] | None,
    ) -> tuple[str | None, str]:
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.orders.of_visit(visit_id)
            if found is None or found[0].kind not in MEAL_KINDS:
                raise NotFoundError(f"no meal visit {visit_id}")
            tx.rules.wake(found[0].person)  # before the order, wherever both are locked
            found = tx.orders.of_visit(visit_id, lock=True) or found
            order, visit = found
            row = tx.meals.get(order.id, lock=True) or self._unknown(order)
            mine = _own(tx.assignments.of_visit(visit_id), actor)
            if row.result == result:
                return mine.id if mine else None, order.id
            opened = row.result == "no_answer" and order.state == "aborted"
            if order.state not in _OPEN and not opened:
                raise ConflictError(
                    f"the order is {order.state}" + (f": {order.reason}" if order.reason else ""),
                    state=order.state,
                    reason=order.reason,
                )
            happened = min(at or now, now)
            if mine is not None:
                happened = max(happened, mine.offered_at)
                self._move(tx, found, mine, result, actor, now, happened, Given(at, fix), note=_note(left_with, note))
            else:
                self._by_desk(tx, order, visit, result, happened, _note(left_with, note))
            trip = tx.meals.trip(row.trip_id) if row.trip_id else None
            minutes = _minutes(trip, happened)
            tx.meals.put(
                replace(
                    row,
                    result=result,  # type: ignore[arg-type]
                    left_with=(left_with or "").strip() or None if result == "left_with" else None,
                    done_at=happened,
                    recorded_at=now,
                    minutes=minutes,
                    late=minutes is not None and trip is not None and minutes > trip.hot_min,
                )
            )
            twice = False
            if result != "no_answer":
                twice = not tx.meals.serve(
                    MealServingRow(
                        order.person,
                        row.day,
                        row.meal,
                        row.station_id,
                        order.id,
                        "delivery",
                        None,
                        happened,
                        actor.name,
                    )
                )
            body: dict[str, Any] = {"result": result, "left_with": left_with, "minutes": minutes, "stop": row.stop}
            if twice:
                body["twice"] = True
            tx.timeline.add(order_entry(happened, order, "door", actor, body))
            if opened and row.incident_id is not None:
                said = {"order_id": order.id, "door": result, "at": happened.isoformat(), "by": actor.name}
                tx.timeline.add(EntryRow(now, "incident", row.incident_id, "noted", actor=actor, body=said))
        return mine.id if mine else None, order.id

    def _unknown(self, order: OrderRow) -> MealOrderRow:
        """An order that the kitchen has not looked at yet: the door does not wait for it."""
        local = order.wanted_from.astimezone(self._zone)
        meal: Any = order.attributes.get("meal")
        if meal not in _ZH:
            meal = "breakfast" if local.hour < 10 else "lunch" if local.hour < 15 else "dinner"
        return MealOrderRow(order.id, None, local.date(), meal, "delivery")

    def _move(
        self,
        tx: Transaction,
        matter: tuple[OrderRow, VisitRow],
        row: AssignmentRow,
        result: str,
        actor: Actor,
        now: datetime,
        at: datetime,
        given: Given,
        note: str | None,
    ) -> None:
        """The courier came and went at one moment. In one write, so that another task under way is in nobody's way."""
        order, visit = matter
        responder = tx.responders.get(row.responder_id)
        if responder is None:
            raise NotFoundError(f"no responder {row.responder_id}")
        after = replace(
            row,
            state="completed",
            accepted_at=row.accepted_at or at,
            on_scene_at=row.on_scene_at or at,
            ended_at=at,
            outcome=result,
            note=note or row.note,
            version=row.version + 1,
        )
        tx.assignments.save(after)
        if given.fix is not None and "lat" in given.fix and "lon" in given.fix:
            lat, lon = float(given.fix["lat"]), float(given.fix["lon"])
            tx.responders.moved(row.responder_id, lat, lon, at, given.fix.get("accuracy_m"))
        for kind in ("on_scene", "completed"):
            body = {
                "assignment_id": row.id,
                "responder_id": row.responder_id,
                "responder_name": responder.name,
                "outcome": result if kind == "completed" else None,
            }
            tx.timeline.add(order_entry(at, order, kind, actor, body))
        settle_visit(tx, order, visit, now, outcome=result, note=note)
        if row.state in LIVE_ASSIGNMENT_STATES:
            if row.state != "on_scene":
                self._proofs.arrived(tx, matter, after, responder, given, actor, now)
            self._proofs.left(tx, matter, after, responder, given, actor, now, done=result != "no_answer")
        tx.due.clear("assignment", row.id)

    @staticmethod
    def _by_desk(
        tx: Transaction, order: OrderRow, visit: VisitRow, result: str, at: datetime, note: str | None
    ) -> None:
        undone = result == "no_answer"
        tx.orders.save(
            replace(
                order,
                state="aborted" if undone else "completed",
                reason=result if undone else None,
                version=order.version + 1,
            ),
            replace(
                visit,
                state="aborted" if undone else "completed",
                started_at=visit.started_at or at,
                ended_at=at,
                outcome=result,
                note=note or visit.note,
                version=visit.version + 1,
            ),
        )

    # --- nobody answered ----------------------------------------------------------------------------------------------

    def catch_up(self, limit: int = 50) -> int:
        """Raises what was noted as unanswered by any way and has no alarm yet; gives how many."""
        with self._database.begin() as tx:
            tx.meals.mark_unanswered(self._clock() - _LOOK_BACK)
            waiting = tx.meals.unanswered(limit)
        for order_id in waiting:
            self.raise_unanswered(order_id)
        return len(waiting)

    def raise_unanswered(self, order_id: str) -> str | None:
        """Raises one door that nobody answered, once; gives the incident (None: the resident is away, or it was).

        It joins whatever stands open about the person, and says what the home's sensors know.
        """
        return again_where_raced(lambda: self._raise(order_id))

    def _raise(self, order_id: str) -> str | None:
        now = self._clock()
        with self._database.begin() as tx:
            seen = tx.orders.get(order_id)
            if seen is None:
                return None
            tx.rules.wake(seen[0].person)
            row = tx.meals.get(order_id, lock=True)
            if row is None or row.result != "no_answer" or row.alarmed_at is not None:
                return row.incident_id if row else None
            new = self._alarm(tx, seen[0], row, now)
            self._raising.raise_alarms(tx, [new], now)
            tx.meals.put(replace(row, alarmed_at=now, incident_id=new.incident_id))
            body = {"alarm_id": new.alarm.id, "incident_id": new.incident_id, "priority": new.alarm.priority}
            tx.timeline.add(order_entry(now, seen[0], "no_answer", SYSTEM, body))
        return new.incident_id

    def _alarm(self, tx: Transaction, order: OrderRow, row: MealOrderRow, now: datetime) -> NewAlarm:
        seen = tx.rules.seen([order.person], now)
        person = seen.people[0]
        known = remembered(person["known"], seen, order.person)
        hearing = [one.since if one.up else now for one in tx.supervision.hearing(now).values()]
        picture = picture_of(person, seen, known, person["usual"], max(hearing, default=None), self._zone)
        trip = tx.meals.trip(row.trip_id) if row.trip_id else None
        courier = tx.responders.get(trip.courier_id) if trip else None
        stops = len(tx.meals.visits_of_trip(trip.id)) if trip else None
        what = row.meal + (f", stop {row.stop} of {stops}" if row.stop and stops else "")
        values: dict[str, str | int | float | bool | None] = {
            "order_id": order.id,
            "meal": row.meal,
            "stop": row.stop,
            "stops": stops,
            "courier": courier.name if courier else None,
        }
        priority, reasons = nobody_answered(picture, now, at=row.done_at or now, what=what, values=values)
        said_zh = f"{_ZH[row.meal]}送到无人应答"
        alarm_class, _ = classify("inactivity")
        alarm = Alarm(
            id=self._new_id(),
            device_id=None,
            resident_id=order.person,
            type="inactivity",
            alarm_class=alarm_class,
            priority=priority,
            received_at=now,
            observed_at=row.done_at,
            note=f"{said_zh} · {'; '.join(one.text for one in reasons)}",
            source="rule",
            attributes={
                "rule": "meal_no_answer",
                "order_id": order.id,
                "reasons": [{"code": one.code, "text": one.text, "values": dict(one.values)} for one in reasons],
            },
            reasons=reasons,
        )
        return NewAlarm(alarm, family="rule", actor=SYSTEM, area_id=person["area_id"])


def _own(rows: list[AssignmentRow], actor: Actor) -> AssignmentRow | None:
    """The assignment that is meant: the courier's own, or for the desk the live one. ForbiddenError for a stranger."""
    desk = actor.role in _CONSOLE
    mine = [row for row in rows if desk or row.responder_id == actor.person_id]
    mine = [row for row in mine if row.state in LIVE_ASSIGNMENT_STATES or row.state == "completed"] or (
        [] if desk else mine
    )
    if not mine and not desk:
        raise ForbiddenError("you have no assignment to this visit")
    mine.sort(key=lambda row: (row.state in LIVE_ASSIGNMENT_STATES, row.state == "completed", row.offered_at))
    found = mine[-1] if mine else None
    if found is not None and found.state in ("stood_down", "declined"):
        raise ConflictError(
            f"you were stood down: {found.reason or 'no longer needed'}", state=found.state, reason=found.reason
        )
    return found


def _note(left_with: str | None, note: str | None) -> str | None:
    return "; ".join(part.strip() for part in (left_with, note) if part and part.strip()) or None


def _minutes(trip: MealTripRow | None, at: datetime) -> float | None:
    if trip is None or trip.left_at is None:
        return None
    return round(max(0.0, (at - trip.left_at) / timedelta(minutes=1)), 1)
