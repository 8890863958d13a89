"""Ordering meals by day and meal, and the canteen's desk: find the person, tick served, never twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from dispatch import LIVE_ASSIGNMENT_STATES
from dispatch.meals import Meal, meal_at
from hub.care import ABSENT_STATUSES, Resident
from hub.clock import Clock, IdSource
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import (
    Actor,
    Database,
    MealOrderRow,
    MealPointRow,
    MealServingRow,
    OrderRow,
    Transaction,
    VisitRow,
)
from hub.service.care import Care
from hub.service.meal_kitchen import OVERRIDERS, MealKitchen
from hub.service.ordering import cancel, kind_of, order_entry, place, stand_down

__all__ = ["MealDesk"]

_EARLY: Final = timedelta(hours=1)


class MealDesk:
    """`zone`: the place's time."""

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, zone: tzinfo, kitchen: MealKitchen, care: Care
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._zone = zone
        self._kitchen = kitchen
        self._care = care

    def order(self, fields: Mapping[str, Any], actor: Actor) -> str:
        """Orders a meal; gives the order's id. Errors as `Care.create_order` and `MealKitchen.place`.

        `fields`: resident_id, day (date), meal, mode, optionally station_id, dish_id, diets, note, override_reason.
        """
        day: date = fields["day"]
        meal: Meal = fields["meal"]
        with self._database.begin() as tx:
            point = tx.meals.point(fields["station_id"]) if fields.get("station_id") else None
            if fields.get("station_id") and point is None:
                raise NotFoundError(f"no meal point {fields['station_id']}", field="station_id")
            hours = self._kitchen.hours(point or MealPointRow("", ""), meal)
            if hours is None:
                raise ConflictError(f"{point.name if point else ''} does not serve {meal}", code="meal-refused")
        begin, end = hours.window(day, self._zone)
        asked = {"meal": meal, **{name: fields[name] for name in _ASKED if fields.get(name)}}
        mode = fields.get("mode") or "delivery"
        order = {
            "kind": "meal_dine_in" if mode == "dine_in" else "meal_delivery",
            "resident_id": fields["resident_id"],
            "wanted_from": begin,
            "wanted_to": end,
            "attributes": asked,
            **({"note": fields["note"]} if fields.get("note") else {}),
        }
        return self._care.create_order(order, actor)

    def give_card(self, resident_id: str, card: str, actor: Actor) -> None:
        """A card for a person; the ones before are worth nothing from now on. ConflictError where it is another's."""
        now = self._clock()
        with self._database.begin() as tx:
            if tx.residents.get(resident_id) is None:
                raise NotFoundError(f"no resident {resident_id}", field="resident_id")
            if not tx.meals.give_card(card, resident_id, now):
                raise ConflictError(f"card {card} belongs to somebody else", code="card-taken")
            tx.audit.add(actor, "meal-cards.give", f"residents:{resident_id}", {"card": card}, now)

    # --- the desk -----------------------------------------------------------------------------------------------------

    def serve(self, station_id: str, fields: Mapping[str, Any], actor: Actor) -> MealServingRow:
        """Ticks that somebody eats here now; an order that is there is completed, else one is made and completed.

        `fields`: resident_id or card, optionally meal (else by the clock) and override_reason. ConflictError, kept as
        a refusal: `meal-served-twice` (with `served`: where, when, by whom), `resident-absent`, `meal-on-its-way`.
        """
        now = self._clock()
        with self._database.begin() as tx:
            point = tx.meals.point(station_id)
            if point is None:
                raise NotFoundError(f"no meal point {station_id}", field="station_id")
            resident, card = self._eater(tx, fields)
            meal = fields.get("meal") or self._meal_now(point, now)
            day = now.astimezone(self._zone).date()
            # Orders before points, as whoever changes one of them does: neither waits for the other in a ring.
            for order_id in tx.meals.of_meal(resident.id, day, meal):
                tx.orders.get(order_id, lock=True)
            point = tx.meals.point(station_id, lock=True) or point
            row = MealServingRow(resident.id, day, meal, station_id, None, "dine_in", card, now, actor.name)
            refused = self._refused(tx, resident, row)
            if refused is None:
                return self._served(tx, point, resident, row, fields.get("override_reason"), actor, now)
            tx.meals.refuse(
                {
                    "id": self._new_id(),
                    "at": now,
                    "station_id": station_id,
                    "resident_id": resident.id,
                    "day": day,
                    "meal": meal,
                    "code": refused.code,
                    "detail": refused.detail,
                    "card": card,
                    "by_name": actor.name,
                }
            )
        # After the commit: that somebody was turned away is kept.
        raise refused

    @staticmethod
    def _eater(tx: Transaction, fields: Mapping[str, Any]) -> tuple[Resident, str | None]:
        card, resident_id = fields.get("card"), fields.get("resident_id")
        if card:
            resident_id = tx.meals.card(card)
            if resident_id is None:
                raise NotFoundError(f"card {card} is not in force", field="card")
        if not resident_id:
            raise BadRequestError("say who: resident_id or card", field="resident_id")
        resident = tx.residents.get(resident_id)
        if resident is None:
            raise NotFoundError(f"no resident {resident_id}", field="resident_id")
        return resident, card

    def _meal_now(self, point: MealPointRow, now: datetime) -> Meal:
        local = now.astimezone(self._zone)
        for meal in ("breakfast", "lunch", "dinner"):
            hours = self._kitchen.hours(point, meal)
            begin, end = hours.window(local.date(), self._zone) if hours else (None, None)
            if begin is not None and end is not None and begin - _EARLY <= local <= end + _EARLY:
                return meal
        return meal_at(local)

    def _refused(self, tx: Transaction, resident: Resident, row: MealServingRow) -> ConflictError | None:
        if resident.status in ABSENT_STATUSES:
            return ConflictError(
                f"{resident.name} is {resident.status}: set the status first",
                code="resident-absent",
                status_of_resident=resident.status,
            )
        before = tx.meals.serving(resident.id, row.day, row.meal)
        if before is not None:
            station = tx.reference.get("stations", before.station_id) if before.station_id else None
            at = before.at.astimezone(self._zone).strftime("%H:%M")
            where = station["name"] if station else ""
            return ConflictError(
                f"{resident.name} had {row.meal} already: {at} {where} ({before.by_name})",
                code="meal-served-twice",
                served={"at": before.at.isoformat(), "station": where, "mode": before.mode, "by": before.by_name},
            )
        for order_id in tx.meals.of_meal(resident.id, row.day, row.meal):
            one = tx.meals.get(order_id)
            trip = tx.meals.trip(one.trip_id) if one and one.trip_id else None
            if one and one.mode == "delivery" and trip is not None and trip.left_at is not None:
                return ConflictError(f"the meal of {resident.name} is on its way to the home", code="meal-on-its-way")
        return None

    def _served(
        self,
        tx: Transaction,
        point: MealPointRow,
        resident: Resident,
        row: MealServingRow,
        why: str | None,
        actor: Actor,
        now: datetime,
    ) -> MealServingRow:
        orders = [tx.orders.get(ident, lock=True) for ident in tx.meals.of_meal(resident.id, row.day, row.meal)]
        mine = [found for found in orders if found is not None]
        eaten = next((found for found in mine if found[0].kind == "meal_dine_in"), None)
        for order, visit in mine:
            if order.kind == "meal_delivery" and order.state in ("requested", "assigned"):
                cancel(tx, order, visit, now, actor, "eaten at the canteen")
        order, visit = eaten or self._walk_in(tx, point, resident, row, why, actor, now)
        kept = tx.meals.get(order.id, lock=True)
        for assignment in tx.assignments.of_visit(visit.id):
            if assignment.state in LIVE_ASSIGNMENT_STATES and assignment.state != "on_scene":
                stand_down(tx, order, assignment, now, actor, "served at the canteen")
        row = row._replace(order_id=order.id)
        if not tx.meals.serve(row):
            # Two desks in the same moment: the other was first.
            raise ConflictError(f"{resident.name} had {row.meal} a moment ago", code="meal-served-twice")
        if kept is not None:
            tx.meals.put(
                replace(
                    kept, result="served", done_at=now, recorded_at=now, station_id=kept.station_id or row.station_id
                )
            )
        done = replace(order, state="completed", version=order.version + 1)
        tx.orders.save(
            done,
            replace(
                visit,
                state="completed",
                started_at=visit.started_at or now,
                ended_at=now,
                outcome="served",
                version=visit.version + 1,
            ),
        )
        body = {"outcome": "served", "station_id": row.station_id, "card": row.card}
        tx.timeline.add(order_entry(now, order, "completed", actor, body))
        return row

    def _walk_in(
        self,
        tx: Transaction,
        point: MealPointRow,
        resident: Resident,
        row: MealServingRow,
        why: str | None,
        actor: Actor,
        now: datetime,
    ) -> tuple[OrderRow, VisitRow]:
        hours = self._kitchen.hours(point, row.meal)
        overridden = None
        if point.kept and hours is not None:
            ordered = tx.meals.ordered(point.station_id, row.day, row.meal)
            if ordered >= hours.capacity and not (why and actor.role in OVERRIDERS):
                raise ConflictError(f"{point.name}: all {hours.capacity} meals are ordered", code="meal-refused")
            if ordered >= hours.capacity:
                overridden = {
                    "by": actor.name,
                    "user_id": actor.user_id,
                    "at": now.isoformat(),
                    "reason": why,
                    "of": ["full"],
                }
        kind = kind_of(tx, "meal_dine_in", active=False)
        order = OrderRow(
            id=self._new_id(),
            kind=kind.id,
            resident_id=resident.id,
            state="requested",
            wanted_from=now,
            wanted_to=now + timedelta(minutes=30),
            duration_min=kind.duration_min,
            carers=1,
            source=actor.kind,
            created_at=now,
            created_by=actor.user_id,
            attributes={"meal": row.meal, "walk_in": True},
            station_id=point.station_id,
        )
        visit = place(tx, order, self._new_id, actor, now, walk_in=True)
        diets, allergies = tx.meals.eater(resident.id) or ((), ())
        tx.meals.put(
            MealOrderRow(
                order.id,
                point.station_id,
                row.day,
                row.meal,
                "dine_in",
                diets=diets,
                allergies=allergies,
                overridden=overridden,
            )
        )
        return order, visit


_ASKED: Final = ("station_id", "dish_id", "diets", "override_reason")
