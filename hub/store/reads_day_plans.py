"""Plans of a day and their routes as pages see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from hub.ports.records import Json
from hub.store.reads_base import ReadsBase, bounded, given
from hub.store.session import is_uuid

__all__ = ["DayPlanReadsPostgres"]


class DayPlanReadsPostgres(ReadsBase):
    def day_plans(
        self, day: date | None, states: Collection[str], limit: int, provider: str | None = None
    ) -> list[Json]:
        rows = self._ask("day_plans_page", day=day, states=given(states), limit=bounded(limit), provider=provider)
        return [_shown(row["view"])[0] for row in rows]

    def day_plan(self, plan_id: str, provider: str | None = None) -> Json | None:
        if not is_uuid(plan_id):
            return None
        for row in self._ask("day_plan_view", id=plan_id, provider=provider):
            view, missing = _shown(row["view"])
            lists = {name: row[name] for name in ("unplanned", "conflicts", "changes")}
            # Who is missing is the whole day's: a provider sees its own rows alone.
            return {**view, **lists, "missing": missing if provider is None else []}
        return None

    def day_counts_of(self, provider: str, plan_ids: Collection[str]) -> dict[str, Json]:
        rows = self._ask("day_plan_own_counts", provider=provider, ids=[one for one in plan_ids if is_uuid(one)])
        return {row["id"]: row["counts"] for row in rows}

    def day_matters_of(self, provider: str, ids: Collection[str]) -> frozenset[str]:
        known = sorted({one for one in ids if is_uuid(one)})
        rows = self._ask("day_own_matters", provider=provider, ids=known) if known else []
        return frozenset(one for row in rows for one in (row["order_id"], row["visit_id"]))

    def day_routes(
        self, day: date, plan_id: str | None, responder_id: str | None, provider: str | None = None
    ) -> list[Json]:
        if plan_id is not None and not is_uuid(plan_id):
            return []
        rows = self._ask("day_routes_page", day=day, plan_id=plan_id, responder_id=responder_id, provider=provider)
        return [row["view"] for row in rows]


def _shown(view: Json) -> tuple[Json, list[Json]]:
    """A plan, and who is missing in it: kept with what the search last said, shown as a list of its own."""
    progress = dict(view["progress"])
    missing: list[Json] = progress.pop("missing", [])
    return {**view, "progress": progress}, missing
