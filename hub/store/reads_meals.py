"""Meals as pages read them."""

from __future__ import annotations

from datetime import date

from dispatch.meals import Meal
from hub.clock import utc_now
from hub.ports.records import Json
from hub.store.reads_base import ReadsBase
from hub.store.session import is_uuid

__all__ = ["MealReadsPostgres"]


class MealReadsPostgres(ReadsBase):
    def meal_day(self, day: date, meal: Meal, area: str | None, provider: str | None = None) -> list[Json]:
        with self._session() as session:
            return session.all("meal_day", day=day, meal=meal, area=area, provider=provider, now=utc_now())

    def meal_list(self, station_id: str, day: date, meal: Meal) -> list[Json]:
        """`station_id` "": the orders of no point."""
        return self._listed("meal_list", station_id=station_id, day=day, meal=meal, now=utc_now())

    def meal_menus(self, station_id: str, start: date, end: date) -> list[Json]:
        return self._listed("meal_menus_view", station_id=station_id, start=start, end=end)

    def meal_desk(self, q: str, day: date, meal: Meal, limit: int) -> list[Json]:
        escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return self._listed("meal_desk", q=q, like=f"%{escaped}%", day=day, meal=meal, limit=limit)

    def meal_unanswered(self, day: date, provider: str | None = None) -> list[Json]:
        return self._listed("meal_unanswered_view", day=day, provider=provider, now=utc_now())

    def meal_refusals(self, day: date, provider: str | None = None) -> list[Json]:
        return self._listed("meal_refusals_view", day=day, provider=provider)

    def meal_rounds(
        self, day: date, meal: Meal | None, station_id: str | None, provider: str | None = None
    ) -> list[Json]:
        return self._listed("meal_rounds_view", day=day, meal=meal, station_id=station_id, provider=provider)

    def meal_round(self, round_id: str) -> Json | None:
        return self._one("meal_round_view", round_id, id=round_id)

    def meal_trips(self, courier_id: str, day: date) -> list[Json]:
        return self._listed("meal_trips_view", courier_id=courier_id, day=day)

    def meal_trips_of_round(self, round_id: str) -> list[Json]:
        return self._listed("meal_trips_of_round", round_id=round_id) if is_uuid(round_id) else []

    def meal_order(self, order_id: str) -> Json | None:
        return self._one("meal_order_view", order_id, order_id=order_id, now=utc_now())

    def visit_results(self, visit_id: str) -> Json | None:
        return self._one("visit_results_get", visit_id, visit_id=visit_id)

    def _listed(self, block: str, **params: object) -> list[Json]:
        with self._session() as session:
            return [row["view"] for row in session.all(block, **params)]

    def _one(self, block: str, ident: str, **params: object) -> Json | None:
        if not is_uuid(ident):
            return None
        with self._session() as session:
            row = session.one(block, **params)
        return row["view"] if row else None
