"""Meals' rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import msgspec

from dispatch.meals import Dish, Meal
from hub.errors import BadRequestError
from hub.ports.meals import MealOrderRow, MealPointRow, MealRoundRow, MealServingRow, MealTripRow
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["MealsDrawer"]


def _params(row: MealOrderRow | MealRoundRow | MealTripRow) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(row)}


def _json_or_none(value: Any) -> str | None:
    return None if value is None else as_json(value)


class MealsDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    # --- points and menus

    def points(self) -> list[MealPointRow]:
        return [_point(row) for row in self._session.all("meal_points_all")]

    def point(self, station_id: str, *, lock: bool = False) -> MealPointRow | None:
        if lock:
            self._session.run("meal_points_lock", station_id=station_id)
        row = self._session.one("meal_points_one", station_id=station_id)
        return _point(row) if row else None

    def save_point(self, row: MealPointRow) -> None:
        self._session.run(
            "meal_points_save",
            station_id=row.station_id,
            delivers=row.delivers,
            dine_in=row.dine_in,
            hot_min=row.hot_min,
            carries=row.carries,
            hours=as_json(row.hours),
        )

    def menu(self, station_id: str, day: date, meal: Meal) -> list[Dish]:
        rows = self._session.all("meal_menu", station_id=station_id, day=day, meal=meal)
        return [
            Dish(row["id"], row["name"], frozenset(row["allergens"]), frozenset(row["diets"]), row["left"])
            for row in rows
        ]

    def set_menu(self, station_id: str, day: date, meal: Meal, dishes: Sequence[Json]) -> None:
        ids = [str(one["dish_id"]) for one in dishes]
        known = {row["id"] for row in self._session.all("meal_dish_known", ids=ids, station_id=station_id)}
        for number, ident in enumerate(ids):
            if ident not in known:
                raise BadRequestError(f"there is no dish {ident} for this point", field=f"dishes.{number}.dish_id")
        if len(known) < len(ids):
            raise BadRequestError("a dish is there twice", field="dishes")
        self._session.run("meal_menu_clear", station_id=station_id, day=day, meal=meal)
        rows = [
            {"dish_id": one["dish_id"], "position": place, "portions": one.get("portions")}
            for place, one in enumerate(dishes)
        ]
        if rows:
            self._session.run("meal_menu_add", station_id=station_id, day=day, meal=meal, rows=as_json(rows))

    def eater(self, resident_id: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        row = self._session.one("meal_eater", resident_id=resident_id)
        return None if row is None else (tuple(row["diets"]), tuple(row["allergies"]))

    # --- orders

    def ordered(self, station_id: str, day: date, meal: Meal, *, but: str | None = None) -> int:
        return int(self._session.value("meal_ordered", station_id=station_id, day=day, meal=meal, but=but) or 0)

    def get(self, order_id: str, *, lock: bool = False) -> MealOrderRow | None:
        if not is_uuid(order_id):
            return None
        row = self._session.one("meal_order_locked" if lock else "meal_order_get", order_id=order_id)
        return msgspec.convert(row["row"], MealOrderRow) if row else None

    def put(self, row: MealOrderRow) -> None:
        given = _params(row)
        given |= {"diets": list(row.diets), "allergies": list(row.allergies)}
        given["overridden"] = _json_or_none(row.overridden)
        self._session.run("meal_order_put", **given)

    def unplaced(self, since: datetime, today: date, limit: int) -> list[str]:
        return [row["id"] for row in self._session.all("meal_unplaced", since=since, today=today, limit=limit)]

    def of_meal(self, resident_id: str, day: date, meal: Meal) -> list[str]:
        rows = self._session.all("meal_of_person", resident_id=resident_id, day=day, meal=meal)
        return [row["id"] for row in rows]

    def unanswered(self, limit: int) -> list[str]:
        return [row["order_id"] for row in self._session.all("meal_unanswered_open", limit=limit)]

    def mark_unanswered(self, since: datetime) -> int:
        return self._session.run("meal_unanswered_mark", since=since)

    # --- who had it

    def serve(self, row: MealServingRow) -> bool:
        return self._session.run("meal_serve", **row._asdict()) > 0

    def serving(self, resident_id: str, day: date, meal: Meal) -> MealServingRow | None:
        row = self._session.one("meal_serving", resident_id=resident_id, day=day, meal=meal)
        return MealServingRow(**row) if row else None

    def refuse(self, row: Json) -> None:
        self._session.run("meal_refuse", **row)

    def card(self, card: str) -> str | None:
        row = self._session.one("meal_card", card=card)
        return str(row["resident_id"]) if row else None

    def give_card(self, card: str, resident_id: str, at: datetime) -> bool:
        if not self._session.run("meal_card_give", card=card, resident_id=resident_id, at=at):
            return False
        self._session.run("meal_card_end", card=card, resident_id=resident_id)
        return True

    # --- rounds and trips

    def add_round(self, row: MealRoundRow) -> None:
        given = {name: value for name, value in _params(row).items() if name not in _LATER}
        self._session.run("meal_round_add", **(given | {"couriers": list(row.couriers)}))

    def round(self, round_id: str, *, lock: bool = False) -> MealRoundRow | None:
        if not is_uuid(round_id):
            return None
        row = self._session.one("meal_round_locked" if lock else "meal_round_get", id=round_id)
        return msgspec.convert(row["row"], MealRoundRow) if row else None

    def save_round(self, row: MealRoundRow) -> None:
        self._session.run(
            "meal_round_save",
            id=row.id,
            state=row.state,
            taken_at=row.taken_at,
            done_at=row.done_at,
            error=row.error,
            answer=_json_or_none(row.answer),
        )

    def take_round(self, abandoned: datetime) -> MealRoundRow | None:
        row = self._session.one("meal_round_take", abandoned=abandoned)
        return msgspec.convert(row["row"], MealRoundRow) if row else None

    def rounds_of(self, station_id: str, day: date, meal: Meal) -> list[MealRoundRow]:
        rows = self._session.all("meal_rounds_of", station_id=station_id, day=day, meal=meal)
        return [msgspec.convert(row["row"], MealRoundRow) for row in rows]

    def deliveries(self, station_id: str, day: date, meal: Meal) -> list[Json]:
        return self._session.all("meal_deliveries", station_id=station_id, day=day, meal=meal)

    def couriers(self, station_id: str, at: datetime, ids: Collection[str]) -> list[Json]:
        return self._session.all("meal_couriers", station_id=station_id, at=at, ids=sorted(ids))

    def add_trip(self, row: MealTripRow) -> None:
        self._session.run("meal_trip_add", **{k: v for k, v in _params(row).items() if k != "version"})

    def trip(self, trip_id: str, *, lock: bool = False) -> MealTripRow | None:
        if not is_uuid(trip_id):
            return None
        row = self._session.one("meal_trip_locked" if lock else "meal_trip_get", id=trip_id)
        return msgspec.convert(row["row"], MealTripRow) if row else None

    def save_trip(self, row: MealTripRow) -> None:
        self._session.run("meal_trip_save", id=row.id, left_at=row.left_at)

    def visits_of_trip(self, trip_id: str) -> list[str]:
        return [row["id"] for row in self._session.all("meal_trip_visits", id=trip_id)]

    # --- results of a visit

    def results(self, visit_id: str) -> Json | None:
        row = self._session.one("visit_results_get", visit_id=visit_id) if is_uuid(visit_id) else None
        return row["view"] if row else None

    def put_results(self, row: Json) -> None:
        self._session.run("visit_results_put", **(row | {"results": as_json(row["results"])}))


_LATER = frozenset({"taken_at", "done_at", "error", "answer", "version"})


def _point(row: Json) -> MealPointRow:
    return MealPointRow(**{**row, "area_path": tuple(row["area_path"])})
