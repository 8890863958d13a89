"""Days that are wanted planned: two lines, so that a plan around what just happened never waits for a night's plan.

The search runs in processes of its own (`WarmPlanner`); these threads read, wait, keep, and say how far it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from hub.clock import monotonic, new_id
from hub.errors import HubError, UnavailableError
from hub.planning.warm import PlannerDiedError, WarmPlanner
from hub.ports import DayPlanRow
from hub.service import DayPlanning, DayWork

__all__ = ["DayPlansJob"]

log = logging.getLogger(__name__)

_IDLE_S = 1.0
_BEAT_S = 1.0
_WARM_EVERY_S = 60.0
_TIDY_EVERY_S = 3600.0
_LONGEST_PAUSE_S = 15.0


class DayPlansJob:
    """`wake` waits up to so many seconds for somebody asking for a plan; it belongs to the quick line alone."""

    def __init__(
        self, planning: DayPlanning, *, wake: Callable[[float], bool], registry: CollectorRegistry | None = None
    ) -> None:
        self._planning = planning
        self._wake = wake
        self._runner = new_id()
        self._quick = WarmPlanner(nice=3)
        self._long = WarmPlanner(nice=15)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._prepared: int | None = None
        self._warm_at = monotonic() + _WARM_EVERY_S
        self._tidy_at = monotonic() + _TIDY_EVERY_S
        self._made = Counter(
            "hub_day_plans", "Plans of a day, by how they ended", ["kind", "outcome"], registry=registry
        )
        self._took = Histogram(
            "hub_day_plan_seconds",
            "From the asking for a plan to its being ready",
            ["kind"],
            buckets=(0.5, 1, 2, 3, 4, 5, 7.5, 10, 30, 60, 120, 300, 600, 1200),
            registry=registry,
        )

    def start(self) -> None:
        """Starts the threads; returns at once. The planner's processes start when they are first needed."""
        self._threads = [
            threading.Thread(target=self._run, args=(replans,), name=name, daemon=True)
            for name, replans in (("jobs-replans", True), ("jobs-day-plans", False))
        ]
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Tells the threads to end; does not wait."""
        self._stop.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends threads and processes; a plan under way is given back and begun anew by whoever is there."""
        self._stop.set()
        self._quick.close(0.5)
        self._long.close(0.5)
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, replans: bool) -> None:
        pause = _IDLE_S
        while not self._stop.is_set():
            try:
                row = self._planning.claim(self._runner, replans=replans)
                pause = _IDLE_S
                if row is not None:
                    self._make(row, replans)
                elif replans:
                    self._keep_warm()
                    self._wake(_IDLE_S)
                else:
                    self._stop.wait(_IDLE_S)
                continue
            except UnavailableError as error:
                log.warning("planning waits: %s", error.detail)
            except Exception:
                log.exception("planning failed and goes on in a moment")
            self._stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _keep_warm(self) -> None:
        now = monotonic()
        if now >= self._warm_at:
            self._warm_at = now + _WARM_EVERY_S
            # Once a process: what is new later adds to its table.
            if self._quick.pid is None or self._quick.pid != self._prepared:
                ways = self._planning.ways_today()
                if ways is not None:
                    self._quick.prepare(ways)
                    self._prepared = self._quick.pid
        if now >= self._tidy_at:
            self._tidy_at = now + _TIDY_EVERY_S
            self._planning.tidy()

    def _make(self, row: DayPlanRow, replans: bool) -> None:
        kind, begun = ("replan" if replans else "plan"), monotonic()
        try:
            work = self._planning.work(row)
            done = self._planned(work, replans)
        except PlannerDiedError as error:
            # Taken again, by this process or another; after three times it has failed.
            log.warning("plan %s: %s", row.id, error.detail)
            self._made.labels(kind, "died").inc()
            self._planning.release(row, self._runner, again=not self._stop.is_set())
            return
        except UnavailableError:
            raise
        except HubError as error:
            log.warning("plan %s cannot be made: %s", row.id, error.detail)
            self._made.labels(kind, "failed").inc()
            self._planning.fail(row, self._runner, error.detail)
            return
        except Exception as error:
            self._made.labels(kind, "failed").inc()
            self._planning.fail(row, self._runner, f"planning failed: {type(error).__name__}: {error}")
            raise
        self._made.labels(kind, "ready" if done else "cancelled").inc()
        if done:
            self._took.labels(kind).observe(monotonic() - begun)

    def _planned(self, work: DayWork, replans: bool) -> bool:
        begun = beaten = monotonic()
        going = True

        def told(cost: float, share: float) -> bool:
            nonlocal beaten, going
            now = monotonic()
            if self._stop.is_set():
                going = False
            elif now - beaten >= _BEAT_S:
                beaten = now
                said = {
                    "share": round(min(share, 0.99), 3),
                    "cost": None if cost == float("inf") else round(cost, 1),
                    "seconds": round(now - begun, 1),
                }
                try:
                    going = self._planning.beat(work, self._runner, said)
                except UnavailableError:
                    going = True  # the plan is not worth less because nobody could be told how far it is
            return going

        planner = self._quick if replans else self._long
        answer = planner.plan(work.ask, told)
        if self._stop.is_set():
            raise PlannerDiedError("the hub is stopping")
        if not going:
            return False
        return self._planning.finish(work, self._runner, answer, monotonic() - begun)
