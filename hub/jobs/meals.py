"""Meals in the background: orders of care plans taken into the kitchen, doors nobody answered, rounds planned."""

from __future__ import annotations

import subprocess
import sys
import threading

import msgspec
from prometheus_client import CollectorRegistry, Counter

from hub.jobs.bounded import BoundedJob
from hub.ports import Json
from hub.service import MealServices

__all__ = ["MealRoundsJob", "MealsJob"]

_BATCH = 100
_LEAVING_S = 20.0
"""For the start of a process and its libraries, and for handing the answer over."""


class MealsJob(BoundedJob):
    """Takes orders into the kitchen, and raises doors that nobody answered by whatever way it was said. Several
    processes share the work.
    """

    def __init__(self, meals: MealServices, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("meals", batch=_BATCH, per_second=_BATCH, rest=4)
        self._meals = meals
        self._late = Counter(
            "hub_meals_unanswered_late",
            "Doors nobody answered that were raised by the job and not by the tap itself",
            registry=registry,
        )

    def piece(self, batch: int) -> int:
        """Gives how many orders were looked at."""
        self._late.inc(self._meals.door.catch_up(batch))
        return self._meals.kitchen.adopt(batch)


class MealRoundsJob(BoundedJob):
    """Plans rounds, one after the other, each in a process of its own that may be ended at any moment."""

    def __init__(self, meals: MealServices, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("meal-rounds", batch=1, per_second=1)
        self._meals = meals
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._planned = Counter("hub_meal_rounds_planned", "Meal rounds planned, or tried", registry=registry)

    def piece(self, batch: int) -> int:
        """Plans one of `batch`; gives whether there was one."""
        assert batch == 1
        found = self._meals.rounds.run_one(self._solve)
        self._planned.inc(found)
        return int(found)

    def request_stop(self) -> None:
        """Also ends a plan under way: another process takes it up again."""
        super().request_stop()
        with self._lock:
            self._ended = True
            if self._child is not None:
                self._child.kill()

    def _solve(self, problem: Json, seconds: float) -> Json | None:
        asked = msgspec.json.encode({"problem": problem, "seconds": seconds})
        with self._lock:
            if self._ended:
                return None
            child = self._child = subprocess.Popen(
                [sys.executable, "-m", "hub.planning.meals"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        try:
            answer, said = child.communicate(asked, timeout=seconds + _LEAVING_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise RuntimeError(f"the plan did not end within {seconds + _LEAVING_S:g} s") from None
        finally:
            with self._lock:
                self._child = None
        if self._ended:
            return None
        if child.returncode != 0:
            last = said.decode(errors="replace").strip().splitlines()[-1:] or ["no word"]
            raise RuntimeError(f"the plan's process ended with {child.returncode}: {last[0]}")
        found: Json = msgspec.json.decode(answer)
        return found
