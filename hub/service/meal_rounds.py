"""Meal rounds: asked for, planned in a process of their own, looked at, published, left with.

`MealRounds` writes what is to be planned into a value (`problem_of`) and takes the answer; who plans it, and where, is
the job's affair (`hub.jobs.meal_rounds`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from dispatch import LIVE_ASSIGNMENT_STATES, Responder, Travel, propose
from dispatch.meals import Meal
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, Json, MealOrderRow, MealRoundRow, MealTripRow, Transaction
from hub.service.meal_kitchen import MealKitchen
from hub.service.ordering import order_entry, stand_down
from hub.service.requests import request_of_order
from hub.service.visit_states import settle_visit
from hub.service.writing import offered

__all__ = ["MealRounds", "Solve"]

Solve = Callable[[Json, float], Json | None]
"""A problem and the seconds it may take; the answer. Raises where there is none; None: the process is ending, somebody
else shall plan it."""

_DOOR_S: Final = 150
_REST_MIN: Final = 10
_WAVES: Final = 3
_ABANDONED: Final = timedelta(minutes=5)
_LONGEST: Final = 60.0
_PLAN_AHEAD: Final = timedelta(hours=36)


class MealRounds:
    """`zone`: the place's time; `travel`: for the reasons of an offer."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, kitchen: MealKitchen, travel: Travel
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._kitchen = kitchen
        self._travel = travel

    def ask(
        self,
        station_id: str,
        day: date,
        meal: Meal,
        actor: Actor,
        *,
        seconds: float = 5.0,
        couriers: Sequence[str] = (),
    ) -> str:
        """Asks for the rounds of a point's meal; gives the id under which they will be. Whatever was asked and not
        begun for the same meal is superseded. BadRequestError, NotFoundError; ConflictError where nothing is to bring.
        """
        now = self._clock()
        if not 0.5 <= seconds <= _LONGEST:
            raise BadRequestError(f"seconds: from 0.5 to {_LONGEST:g}", field="seconds")
        with self._database.begin() as tx:
            point = tx.meals.point(station_id)
            if point is None:
                raise NotFoundError(f"no meal point {station_id}", field="station_id")
            if self._kitchen.hours(point, meal) is None:
                raise ConflictError(f"{point.name} does not serve {meal}", code="not-offered")
            for one in couriers:
                if tx.responders.get(one) is None:
                    raise NotFoundError(f"no responder {one}", field="couriers")
            if not tx.meals.deliveries(station_id, day, meal):
                raise ConflictError(f"{point.name}: no meal of this day waits to be brought", code="nothing-to-bring")
            for before in tx.meals.rounds_of(station_id, day, meal):
                if before.state in ("queued", "running", "ready"):
                    tx.meals.save_round(replace(before, state="superseded"))
            row = MealRoundRow(
                self._new_id(), station_id, day, meal, "queued", seconds, tuple(couriers), now, asked_by=actor.user_id
            )
            tx.meals.add_round(row)
        return row.id

    def run_one(self, solve: Solve) -> bool:
        """Plans the next that waits, outside of any transaction; False where none waits."""
        now = self._clock()
        with self._database.begin() as tx:
            row = tx.meals.take_round(now - _ABANDONED)
            if row is None:
                return False
            try:
                problem = self._problem(tx, row)
            except NotFoundError as gone:
                # The point is none any more: said to whoever asked, and in nobody's way.
                tx.meals.save_round(replace(row, state="failed", taken_at=now, done_at=now, error=gone.detail[:500]))
                return True
            tx.meals.save_round(replace(row, state="running", taken_at=now))
        answer, error = None, None
        try:
            solved = solve(problem, row.seconds)
            answer = None if solved is None else _told(problem, solved)
        except Exception as failure:  # whatever it was, the coordinator must read it
            error = f"planning failed: {type(failure).__name__}: {failure}"[:500]
        with self._database.begin() as tx:
            kept = tx.meals.round(row.id, lock=True)
            if kept is not None and kept.state == "running":
                if answer is None and error is None:
                    tx.meals.save_round(replace(kept, state="queued", taken_at=None))
                else:
                    done = replace(kept, state="failed" if error else "ready", done_at=self._clock(), error=error)
                    tx.meals.save_round(replace(done, answer=answer))
        return True

    def _problem(self, tx: Transaction, row: MealRoundRow) -> Json:
        point = tx.meals.point(row.station_id)
        hours = self._kitchen.hours(point, row.meal) if point else None
        if point is None or hours is None:
            raise NotFoundError(f"{point.name if point else row.station_id} does not serve {row.meal} any more")
        begin, end = hours.window(row.day, self._zone)
        # A round that is planned while the meal runs begins now.
        leave = max(begin, self._clock() + timedelta(minutes=1)) if self._clock() < end else begin
        hot = point.hot_min
        kitchen = None if point.lat is None or point.lon is None else [point.lat, point.lon]
        stops = tx.meals.deliveries(row.station_id, row.day, row.meal)
        eaters = tx.residents.get_many({one["resident_id"] for one in stops})
        return {
            "kitchen": kitchen,
            "leave_at": leave.isoformat(),
            "stops": [
                {
                    "id": one["order_id"],
                    "lat": one["lat"],
                    "lon": one["lon"],
                    "never": sorted(eaters[one["resident_id"]].never_responders),
                }
                for one in stops
            ],
            "couriers": [
                {"id": one["id"], "mode": one["mode"], "carries": point.carries}
                for one in tx.meals.couriers(row.station_id, leave, row.couriers)
            ],
            "hot_s": hot * 60,
            "door_s": _DOOR_S,
            "end_s": max(60, int((end - leave).total_seconds())),
            "again_s": (hot + _REST_MIN) * 60,
            "waves": _WAVES,
            "hot_min": hot,
        }

    def publish(self, round_id: str, actor: Actor) -> int:
        """Gives each stop to its courier; gives how many. What was published before for the same meal and has not left
        the kitchen is taken over stop by stop; what this round has no room for stays with whoever has it. A stop that
        cannot be given (withdrawn meanwhile, a rule forbids it) is left out.
        """
        now = self._clock()
        with self._database.begin() as tx:
            asked = tx.meals.round(round_id)
            if asked is None:
                raise NotFoundError(f"no meal round {round_id}")
            # All of the meal in one order: who publishes another of them at once waits, and neither is in a ring.
            rounds = tx.meals.rounds_of(asked.station_id, asked.day, asked.meal)
            row = next(one for one in rounds if one.id == asked.id)
            if row.state == "published":
                return 0
            if row.state != "ready" or row.answer is None:
                raise ConflictError(f"the round is {row.state}: it cannot be published", state=row.state)
            for before in rounds:
                if before.id != row.id and before.state in ("published", "ready"):
                    tx.meals.save_round(replace(before, state="superseded"))
            given = 0
            for trip in row.answer["trips"]:
                given += self._publish_trip(tx, row, trip, actor, now)
            tx.meals.save_round(replace(row, state="published"))
            detail = {"station_id": row.station_id, "meal": row.meal, "day": row.day.isoformat(), "stops": given}
            tx.audit.add(actor, "meal-rounds.publish", f"meal_rounds:{row.id}", detail, now)
        return given

    def _publish_trip(self, tx: Transaction, row: MealRoundRow, trip: Json, actor: Actor, now: datetime) -> int:
        courier = tx.responders.get(trip["courier_id"])
        if courier is None:
            return 0
        kept = MealTripRow(
            self._new_id(),
            row.id,
            row.station_id,
            row.day,
            row.meal,
            courier.id,
            int(trip["number"]),
            datetime.fromisoformat(trip["leave_at"]),
            int(trip["hot_min"]),
        )
        tx.meals.add_trip(kept)
        number = 0
        for stop in trip["stops"]:
            due_at = datetime.fromisoformat(stop["at"])
            if self._give(tx, stop["order_id"], kept, number + 1, due_at, courier, actor, now):
                number += 1
        return number

    def _give(
        self,
        tx: Transaction,
        order_id: str,
        trip: MealTripRow,
        number: int,
        due_at: datetime,
        courier: Responder,
        actor: Actor,
        now: datetime,
    ) -> bool:
        found = tx.orders.get(order_id, lock=True)
        meal: MealOrderRow | None = tx.meals.get(order_id, lock=True)
        if found is None or meal is None or found[0].state not in ("requested", "assigned") or meal.result is not None:
            return False
        order, visit = found
        local = now.astimezone(self._zone)
        candidate = propose(request_of_order(tx, order), [courier], now=local, travel=self._travel)[0]
        if not candidate.eligible:
            return False
        has = False
        for row in tx.assignments.of_visit(visit.id):
            if row.state not in LIVE_ASSIGNMENT_STATES:
                continue
            if row.responder_id == courier.id:
                has = True
            else:
                stand_down(tx, order, row, now, actor, f"another round: {courier.name}")
        if not has:
            row = offered(self._new_id(), candidate, actor, now, visit_id=visit.id)
            tx.assignments.insert(row)
            body = {"assignment_id": row.id, "responder_id": courier.id, "responder_name": courier.name}
            tx.timeline.add(order_entry(now, order, "offered", actor, body))
        tx.meals.put(replace(meal, trip_id=trip.id, stop=number, due_at=due_at))
        settle_visit(tx, order, replace(visit, planned_start=due_at), now)
        return True

    def leave(self, trip_id: str, actor: Actor, *, at: datetime | None = None) -> None:
        """The boxes are on the bicycle: from now on the meals cool. All stops of the trip are accepted with it.

        By the courier, or the desk for one. Said twice, the first counts. ForbiddenError, NotFoundError.
        """
        now = self._clock()
        with self._database.begin() as tx:
            trip = tx.meals.trip(trip_id, lock=True)
            if trip is None:
                raise NotFoundError(f"no trip {trip_id}")
            if actor.role == "staff" and actor.person_id != trip.courier_id:
                raise ForbiddenError("this trip is somebody else's")
            if trip.left_at is not None:
                return
            left = min(at or now, now)
            if left < trip.leave_at - _PLAN_AHEAD:
                raise BadRequestError("this is long before the meal", field="at")
            for visit_id in tx.meals.visits_of_trip(trip_id):
                self._accept(tx, visit_id, trip.courier_id, actor, now, left)
            tx.meals.save_trip(replace(trip, left_at=left))

    @staticmethod
    def _accept(tx: Transaction, visit_id: str, courier_id: str, actor: Actor, now: datetime, at: datetime) -> None:
        found = tx.orders.of_visit(visit_id, lock=True)
        if found is None:
            return
        for row in tx.assignments.of_visit(visit_id):
            if row.responder_id == courier_id and row.state == "offered":
                happened = max(at, row.offered_at)
                tx.assignments.save(replace(row, state="accepted", accepted_at=happened, version=row.version + 1))
                body = {"assignment_id": row.id, "responder_id": courier_id, "responder_name": actor.name}
                tx.timeline.add(order_entry(happened, found[0], "accepted", actor, body))
                settle_visit(tx, *found, now)


def _told(problem: Json, answer: Json) -> Json:
    """The answer in the words of pages: courier, times of the clock, reasons for what is left out."""
    leave = datetime.fromisoformat(problem["leave_at"])
    trips = [
        {
            "courier_id": trip["courier"],
            "number": trip["wave"] + 1,
            "leave_at": (leave + timedelta(seconds=trip["leave_s"])).isoformat(),
            "hot_min": problem["hot_min"],
            "stops": [
                {
                    "order_id": stop["id"],
                    "at": (leave + timedelta(seconds=stop["at_s"])).isoformat(),
                    "minutes": round((stop["at_s"] - trip["leave_s"]) / 60, 1),
                }
                for stop in trip["stops"]
            ],
        }
        for trip in answer["trips"]
    ]
    left_out = [{"order_id": one["id"], "code": one["code"], **_WHY[one["code"]]} for one in answer["unplanned"]]
    return {**{name: answer[name] for name in _NUMBERS}, "trips": trips, "unplanned": left_out}


_NUMBERS: Final = ("way_min", "baseline_min", "baseline_left", "seconds")
_WHY: Final[Mapping[str, Mapping[str, Any]]] = {
    "no_kitchen": {"reason": "the meal point has no position", "reason_zh": "助餐点没有位置坐标"},
    "no_position": {"reason": "the home has no position", "reason_zh": "住址没有位置坐标"},
    "no_courier": {"reason": "no courier who may deliver", "reason_zh": "没有可送餐的人员"},
    "refused": {"reason": "the resident refuses every courier there is", "reason_zh": "老人不接受现有送餐员"},
    "too_far": {"reason": "too far to arrive hot", "reason_zh": "路程太远，到家已凉"},
    "no_room": {"reason": "no courier has time or room left", "reason_zh": "送餐员时间或箱位不够"},
}
