"""A small day of services: carers on shifts, homes around a square, orders of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hub.clock import new_id
from hub.planning.warm import WarmPlanner
from hub.ports import Actor, DayPlanRow, Json
from hub.service.day_planning import DayWork

if TYPE_CHECKING:
    from tests.service.conftest import World

CHINA = timezone(timedelta(hours=8))
DAY = date(2026, 11, 23)
"""The day after the world's beginning: 22 November, ten in the morning."""


def at(clock: str, day: date = DAY) -> datetime:
    """A time of the day in China."""
    hours, minutes = clock.split(":")
    return datetime(day.year, day.month, day.day, int(hours), int(minutes), tzinfo=CHINA)


@dataclass
class DayWorld:
    """The world with a day to plan, and the planner's process."""

    world: World
    planner: WarmPlanner

    @property
    def coordinator(self) -> Actor:
        return self.world.actors["fanglei"]

    def carer(
        self,
        carer_id: str,
        *skills: str,
        sex: str = "f",
        shift: tuple[str, str] | None = ("08:00", "17:00"),
        expires: str | None = None,
        **fields: Any,
    ) -> str:
        row = {
            "id": carer_id,
            "name": f"护理{carer_id}",
            "kind": "carer",
            "sex": sex,
            "skills": [{"skill": skill, "expires_on": expires} for skill in skills],
            "area_ids": ["C"],
            "lat": 31.335,
            "lon": 118.393,
            **fields,
        }
        with self.world.database.begin() as tx:
            tx.reference.upsert("responders", [row])
        if shift is not None:
            self.shift(carer_id, *shift)
        return carer_id

    def shift(self, carer_id: str, begins: str, ends: str) -> None:
        with self.world.database.begin() as tx:
            shift = {
                "id": new_id(),
                "responder_id": carer_id,
                "starts_at": at(begins),
                "ends_at": at(ends),
                "role": "carer",
            }
            tx.reference.upsert("shifts", [shift])

    def resident(self, number: int, **fields: Any) -> str:
        row = {
            "id": f"D{number}",
            "name": f"老人{number}",
            "sex": "f",
            "phone": f"139000000{number:02d}",
            "area_id": "G3",
            "lat": 31.330 + 0.002 * (number % 5),
            "lon": 118.390 + 0.002 * (number // 5),
            **fields,
        }
        with self.world.database.begin() as tx:
            tx.reference.upsert("residents", [row])
        return str(row["id"])

    def order(self, kind: str, resident_id: str, begins: str, ends: str, **fields: Any) -> str:
        return self.world.services.care.create_order(
            {"kind": kind, "resident_id": resident_id, "wanted_from": at(begins), "wanted_to": at(ends), **fields},
            self.coordinator,
        )

    # --- planning

    def plan(self, *areas: str, kinds: tuple[str, ...] = (), seconds: float = 0.3) -> str:
        """Asks for a plan and makes it."""
        plan_id = self.world.services.day.plans.ask(DAY, areas, kinds, seconds, self.coordinator)
        self.make(replans=False)
        return plan_id

    def replan(self, *events: Mapping[str, Any], on: str | None = None, seconds: float = 0.3) -> str:
        plan_id = self.world.services.day.replans.replan(
            DAY, events, self.coordinator, seconds=seconds, on=on, wait_s=0.0
        )
        self.make(replans=True)
        return plan_id

    def make(self, *, replans: bool, runner: str = "here") -> DayWork:
        planning = self.world.services.day.planning
        row = planning.claim(runner, replans=replans)
        assert row is not None
        work = planning.work(row)
        assert planning.finish(work, runner, self.planner.plan(work.ask), 0.1)
        return work

    def publish(self, plan_id: str, **asked: Any) -> None:
        self.world.services.day.publishing.publish(plan_id, self.coordinator, **asked)

    # --- looking

    def row(self, plan_id: str) -> DayPlanRow:
        with self.world.database.begin() as tx:
            found = tx.day_plans.get(plan_id)
        assert found is not None
        return found

    def stands(self) -> dict[str, tuple[tuple[str, ...], str]]:
        """Order -> who has it and when, as the database says."""
        rows = self.world.rows(
            "SELECT v.order_id, v.planned_start, array_agg(a.responder_id ORDER BY a.responder_id) AS who"
            " FROM visits v JOIN assignments a ON a.visit_id = v.id"
            " WHERE a.state IN ('offered', 'accepted', 'en_route', 'on_scene') GROUP BY 1, 2"
        )
        return {
            str(row["order_id"]): (tuple(row["who"]), row["planned_start"].astimezone(CHINA).strftime("%H:%M:%S"))
            for row in rows
        }

    def planned(self, plan_id: str) -> dict[str, tuple[tuple[str, ...], str]]:
        """The same, as the routes of a plan say."""
        rows = self.world.rows(
            "SELECT v.order_id, min(s.start_at) AS start, array_agg(r.responder_id ORDER BY r.responder_id) AS who"
            " FROM route_stops s JOIN routes r ON r.id = s.route_id JOIN visits v ON v.id = s.visit_id"
            " WHERE r.plan_id = %s GROUP BY 1",
            plan_id,
        )
        return {
            str(row["order_id"]): (tuple(row["who"]), row["start"].astimezone(CHINA).strftime("%H:%M:%S"))
            for row in rows
        }

    def visit(self, order_id: str) -> Json:
        return self.world.row("SELECT * FROM visits WHERE order_id = %s", order_id)

    def accept_all(self) -> None:
        """Every carer accepts what was offered."""
        for row in self.world.rows("SELECT id FROM assignments WHERE state = 'offered' AND visit_id IS NOT NULL"):
            self.world.services.dispatching.step(str(row["id"]), "accept", self.coordinator)
