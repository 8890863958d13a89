"""The kitchen's rules: which point, which dish, until when; and who decided otherwise, and why.

An order of a meal is an order like any other (`service.care`) with a row beside it that the kitchen works by. Whoever
makes one by hand is refused with every reason at once; what a care plan made is taken as it is, its problem shown to
the coordinator until somebody solves it.

A point that never set its hours refuses nothing by time or number: the defaults are shown, and nobody has promised
them. What could harm the person (allergy, diet) is refused everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from dispatch import Place, haversine_m
from dispatch.meals import (
    DIETS,
    MEAL_KINDS,
    MEALS,
    Dish,
    Meal,
    MealHours,
    Objection,
    first_right,
    hours_of,
    meal_at,
    objections,
)
from hub.care import Resident
from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, Database, EntryRow, MealOrderRow, MealPointRow, OrderRow, Transaction

__all__ = ["OVERRIDERS", "MealKitchen", "day_and_meal"]

OVERRIDERS: Final = frozenset({"coordinator", "supervisor", "admin"})
"""Who may decide against the kitchen's rules, with a reason."""
_SHOWN_LATE: Final = timedelta(days=2)
_CLOCK: Final = "%m-%d %H:%M"


def day_and_meal(asked: Mapping[str, Any], wanted_from: datetime, zone: tzinfo) -> tuple[date, Meal]:
    """Which day and meal an order is for: what was said, else by its time. BadRequestError names the field."""
    local = wanted_from.astimezone(zone)
    said = asked.get("meal")
    meal = next((one for one in MEALS if one == said), None)
    if said is not None and meal is None:
        raise BadRequestError(f"there is no meal {said!r}; known: {', '.join(MEALS)}", field="attributes.meal")
    return local.date(), meal or meal_at(local)


class MealKitchen:
    """`zone`: the place's time, for days and cut-offs."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    # --- points and menus ---------------------------------------------------------------------------------------------

    def hours(self, point: MealPointRow, meal: Meal) -> MealHours | None:
        """None: this meal is not offered there."""
        return hours_of(point.hours)[meal]

    def set_point(self, station_id: str, fields: Mapping[str, Any], actor: Actor, version: int | None = None) -> None:
        """Sets what is given of delivers, dine_in, hot_min, carries, hours; from then on its hours are promised."""
        with self._database.begin() as tx:
            point = self._point(tx, station_id, lock=True)
            if version is not None and version != point.version:
                raise ConflictError(f"{point.name} was changed meanwhile", code="version", version=point.version)
            stored = dict(point.hours) | dict(fields.get("hours") or {})
            try:
                hours_of(stored)
            except ValueError as error:
                raise BadRequestError(str(error), field=str(error).partition(":")[0]) from None
            rest = {name: fields[name] for name in ("delivers", "dine_in", "hot_min", "carries") if name in fields}
            tx.meals.save_point(replace(point, hours=stored, **rest))
            tx.audit.add(actor, "meal-points.change", f"stations:{station_id}", dict(fields), self._clock())

    def set_menu(
        self, station_id: str, day: date, meal: Meal, dishes: Sequence[Mapping[str, Any]], actor: Actor
    ) -> None:
        """Replaces the menu of a day's meal. Orders for a dish that went are looked at again and shown as problems."""
        with self._database.begin() as tx:
            self._point(tx, station_id, lock=True)
            tx.meals.set_menu(station_id, day, meal, [dict(one) for one in dishes])
            detail = {"day": day.isoformat(), "meal": meal, "dishes": [str(one["dish_id"]) for one in dishes]}
            tx.audit.add(actor, "meal-menus.change", f"stations:{station_id}", detail, self._clock())

    @staticmethod
    def _point(tx: Transaction, station_id: str, *, lock: bool = False) -> MealPointRow:
        point = tx.meals.point(station_id, lock=lock)
        if point is None:
            raise NotFoundError(f"no meal point {station_id}", field="station_id")
        return point

    # --- orders -------------------------------------------------------------------------------------------------------

    def place(self, tx: Transaction, order: OrderRow, resident: Resident, actor: Actor, now: datetime) -> None:
        """Takes an order that somebody makes now. Other kinds are let pass.

        `order.attributes` may say meal, station_id, dish_id, diets and override_reason. ConflictError
        (code `meal-refused`) with `objections`: every reason against it; ForbiddenError where who has no right to
        decide otherwise gives a reason all the same.
        """
        if order.kind not in MEAL_KINDS:
            return
        row, against = self._judged(tx, order, resident, order.attributes, now)
        tx.meals.put(_decided(row, against, order.attributes.get("override_reason"), actor, now))

    def adopt(self, limit: int = 100) -> int:
        """Takes orders that came by another way (care plans), and looks again at problems that may be solved and at
        meals of people of whom an allergy or a diet was noted since.

        Nothing is refused here: what is wrong is the order's `problem`. Gives how many were looked at.
        """
        now = self._clock()
        today = now.astimezone(self._zone).date()
        with self._database.begin() as tx:
            ids = tx.meals.unplaced(now - _SHOWN_LATE, today, limit)
        for order_id in ids:
            with self._database.begin() as tx:
                found = tx.orders.get(order_id, lock=True)
                resident = tx.residents.get(found[0].person) if found else None
                if found is None or resident is None:
                    continue
                order = found[0]
                before = tx.meals.get(order_id, lock=True)
                asked = dict(order.attributes)
                if before is not None and before.dish_id is not None:
                    asked["dish_id"] = before.dish_id
                try:
                    row, against = self._judged(tx, order, resident, asked, now, by_plan=True)
                    codes = {one.code for one in against}
                    if codes & {"allergy", "diet"} and "cutoff" not in codes and "dish_id" not in order.attributes:
                        # Nobody chose this dish: another one may be right, while it is not being cooked.
                        row, against = self._judged(tx, order, resident, order.attributes, now, by_plan=True)
                except (BadRequestError, NotFoundError):
                    # The plan names a point or a meal that is none: the order stands, and somebody must look.
                    row, against = self._bare(tx, order, resident), (Objection("plan", "计划有误", "bad plan"),)
                # A plan is made long before any cut-off; that it reaches the kitchen later is not the resident's fault.
                speaking = [one.code for one in against if one.code != "cutoff"]
                row = replace(row, problem=speaking[0] if speaking else row.problem)
                tx.meals.put(_in_its_box(row, before))
        return len(ids)

    def change(self, order_id: str, changes: Mapping[str, Any], actor: Actor) -> None:
        """Another dish, point or diet for an order, by the same rules; None of them: only the decision is taken anew.

        `changes`: dish_id, station_id, diets, note, override_reason.
        """
        now = self._clock()
        with self._database.begin() as tx:
            found = tx.orders.get(order_id, lock=True)
            if found is None or found[0].kind not in MEAL_KINDS:
                raise NotFoundError(f"no meal order {order_id}")
            order, visit = found
            before = tx.meals.get(order_id, lock=True)
            if order.state not in ("requested", "assigned"):
                raise ConflictError(f"the order is {order.state}: it cannot be changed", state=order.state)
            trip = tx.meals.trip(before.trip_id) if before and before.trip_id else None
            if trip is not None and trip.left_at is not None:
                raise ConflictError("the meal has left the kitchen", code="meal-on-its-way")
            resident = tx.residents.get(order.person)
            if resident is None:
                raise NotFoundError(f"no resident {order.person}")
            asked = dict(order.attributes)
            if before is not None:
                asked |= {"station_id": before.station_id, "dish_id": before.dish_id}
            asked |= {name: changes[name] for name in ("dish_id", "station_id", "diets") if name in changes}
            if changes.get("station_id") and "dish_id" not in changes:
                asked["dish_id"] = None  # another kitchen, another menu
            asked = {name: value for name, value in asked.items() if value is not None}
            row, against = self._judged(tx, order, resident, asked, now, station=changes.get("station_id"))
            row = _decided(row, against, changes.get("override_reason"), actor, now)
            tx.meals.put(_in_its_box(row, before))
            kept = {name: value for name, value in asked.items() if name != "override_reason"}
            note = changes.get("note", order.note)
            tx.orders.save(replace(order, attributes=kept, note=note, version=order.version + 1), visit)
            body = {"dish": row.dish, "station_id": row.station_id, "overridden": row.overridden}
            tx.timeline.add(_entry(now, order.id, "changed", actor, body))

    def may_cancel(self, tx: Transaction, order: OrderRow, actor: Actor, now: datetime) -> None:
        """After the cut-off the meal is cooked: only who may decide otherwise cancels. ConflictError `meal-cutoff`."""
        if order.kind not in MEAL_KINDS or actor.kind == "system" or actor.role in OVERRIDERS:
            return
        row = tx.meals.get(order.id)
        point = tx.meals.point(row.station_id) if row and row.station_id else None
        hours = self.hours(point, row.meal) if row and point and point.kept else None
        if row is None or hours is None:
            return
        until = hours.cutoff_at(row.day, self._zone)
        if now > until:
            raise ConflictError(
                f"{point.name if point else ''}: cancelled until {until.strftime(_CLOCK)}, the meal is being cooked; "
                "a coordinator can still cancel it, with the reason",
                code="meal-cutoff",
                cutoff_at=until.isoformat(),
            )

    # --- judging ------------------------------------------------------------------------------------------------------

    def _bare(self, tx: Transaction, order: OrderRow, resident: Resident) -> MealOrderRow:
        day, meal = day_and_meal({}, order.wanted_from, self._zone)
        standing, allergies = tx.meals.eater(resident.id) or ((), ())
        diets = tuple(sorted({*standing} - {"regular"}))
        return MealOrderRow(order.id, None, day, meal, _mode(order), diets=diets, allergies=allergies, problem="plan")

    def _judged(
        self,
        tx: Transaction,
        order: OrderRow,
        resident: Resident,
        asked: Mapping[str, Any],
        now: datetime,
        *,
        by_plan: bool = False,
        station: str | None = None,
    ) -> tuple[MealOrderRow, tuple[Objection, ...]]:
        day, meal = day_and_meal(asked, order.wanted_from, self._zone)
        mode = _mode(order)
        standing, allergies = tx.meals.eater(resident.id) or ((), ())
        diets = tuple(sorted({*standing, *_diets(asked)} - {"regular"}))
        row = MealOrderRow(order.id, None, day, meal, mode, diets=diets, allergies=allergies)
        point = self._choose_point(tx, station or asked.get("station_id") or order.station_id, resident, mode, by_plan)
        if point is None:
            return replace(row, problem="no_point"), ()
        # Numbers are counted while nobody else orders there.
        point = tx.meals.point(point.station_id, lock=True) or point
        row = replace(row, station_id=point.station_id)
        against = list(self._of_point(tx, point, row, now))
        menu = tx.meals.menu(point.station_id, day, meal)
        dish_id = asked.get("dish_id")
        if dish_id is not None:
            dish = next((one for one in menu if one.id == dish_id), None)
            if dish is None:
                against.append(
                    Objection("not_on_menu", "当餐菜单没有这道菜", f"{dish_id} is not on the menu of that meal")
                )
                return row, tuple(against)
            before = tx.meals.get(order.id)
            if before is not None and before.dish_id == dish.id and dish.left is not None:
                dish = replace(dish, left=dish.left + 1)  # its own portion
            against += objections(dish, diets=diets, allergies=allergies)
        else:
            dish = first_right(menu, diets=diets, allergies=allergies)
            if dish is None and menu:
                against += _why_none(menu, diets, allergies)
        problem = "no_menu" if not menu else None
        return (
            replace(row, dish_id=dish.id if dish else None, dish=dish.name if dish else None, problem=problem),
            tuple(against),
        )

    def _of_point(self, tx: Transaction, point: MealPointRow, row: MealOrderRow, now: datetime) -> list[Objection]:
        found = []
        if row.mode == "delivery" and not point.delivers:
            found.append(Objection("no_delivery", f"{point.name}不送餐", f"{point.name} does not deliver"))
        if row.mode == "dine_in" and not point.dine_in:
            found.append(Objection("no_dine_in", f"{point.name}没有堂食", f"{point.name} serves nobody there"))
        hours = self.hours(point, row.meal)
        if hours is None:
            found.append(
                Objection("not_offered", f"{point.name}不供应这一餐", f"{point.name} does not serve {row.meal}")
            )
            return found
        if not point.kept:
            return found
        until = hours.cutoff_at(row.day, self._zone)
        if now > until:
            clock = until.strftime(_CLOCK)
            found.append(Objection("cutoff", f"订餐截止 {clock}，已过时间", f"orders were taken until {clock}"))
        ordered = tx.meals.ordered(point.station_id, row.day, row.meal, but=row.order_id)
        if ordered >= hours.capacity:
            text = f"{point.name} cooks {hours.capacity} meals, all are ordered"
            found.append(Objection("full", f"{point.name}只能做{hours.capacity}份，已订满", text))
        return found

    def _choose_point(
        self, tx: Transaction, asked: str | None, resident: Resident, mode: str, by_plan: bool
    ) -> MealPointRow | None:
        if asked is not None:
            point = tx.meals.point(asked)
            if point is not None:
                return point
            # A care plan may name the station that is responsible for it, which need not be one that cooks.
            if not by_plan or tx.reference.get("stations", asked) is None:
                raise NotFoundError(f"no meal point {asked}", field="attributes.station_id")
        fit = [one for one in tx.meals.points() if (one.delivers if mode == "delivery" else one.dine_in)]
        return min(fit, key=lambda one: _remote(one, resident), default=None)


def _in_its_box(row: MealOrderRow, before: MealOrderRow | None) -> MealOrderRow:
    """The order judged anew stays in its courier's box, unless another kitchen cooks it."""
    if before is None or before.station_id != row.station_id:
        return row
    return replace(row, trip_id=before.trip_id, stop=before.stop, due_at=before.due_at)


def _mode(order: OrderRow) -> Any:
    return "dine_in" if order.kind == "meal_dine_in" else "delivery"


def _diets(asked: Mapping[str, Any]) -> list[str]:
    said = asked.get("diets", asked.get("diet")) or []
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, list) or any(not isinstance(one, str) or one not in DIETS for one in words):
        raise BadRequestError(f"diets must be of {', '.join(DIETS)}", field="attributes.diets")
    return words


def _why_none(menu: Sequence[Dish], diets: Sequence[str], allergies: Sequence[str]) -> list[Objection]:
    """No dish is right: the reasons of all of them, so that somebody can choose the least wrong."""
    found = [Objection("no_safe_dish", "菜单里没有适合的菜", "no dish of the menu is right for this person")]
    for dish in menu:
        found += objections(dish, diets=diets, allergies=allergies)
    return found


def _remote(point: MealPointRow, resident: Resident) -> tuple[float, float, str]:
    """By distance; where a position is missing by the areas both have in common."""
    shared = sum(one in resident.area_path for one in point.area_path)
    if None in (point.lat, point.lon, resident.lat, resident.lon):
        return 1.0, -float(shared), point.station_id
    metres = haversine_m(
        Place(float(point.lat or 0), float(point.lon or 0)), Place(float(resident.lat or 0), float(resident.lon or 0))
    )
    return 0.0, metres, point.station_id


def _decided(row: MealOrderRow, against: Sequence[Objection], why: Any, actor: Actor, now: datetime) -> MealOrderRow:
    if not against:
        return row
    reason = str(why or "").strip()
    shown = [{"code": one.code, "zh": one.zh, "en": one.en} for one in against]
    if not reason:
        raise ConflictError(
            "; ".join(one.en for one in against[:4]),
            code="meal-refused",
            objections=shown,
            said_zh="；".join(one.zh for one in against[:4]),
        )
    if actor.role not in OVERRIDERS:
        raise ForbiddenError(
            "only a coordinator decides against these reasons: " + "; ".join(one.en for one in against[:4]),
            code="meal-refused",
            objections=shown,
            said_zh="只有协调员可以不顾以下情况作出决定：" + "；".join(one.zh for one in against[:4]),
        )
    overridden = {
        "by": actor.name,
        "user_id": actor.user_id,
        "at": now.isoformat(),
        "reason": reason[:500],
        "of": sorted({one.code for one in against}),
    }
    return replace(row, problem=against[0].code, overridden=overridden)


def _entry(now: datetime, order_id: str, kind: str, actor: Actor, body: Mapping[str, Any]) -> EntryRow:
    return EntryRow(at=now, subject_kind="order", subject_id=order_id, kind=kind, actor=actor, body=body)
