"""The daily test of the alarm path, and those somebody asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import time

from prometheus_client import CollectorRegistry, Gauge

from hub.clock import monotonic
from hub.jobs.bounded import BoundedJob
from hub.service import PathTests, Probe

__all__ = ["PathTestsJob"]

log = logging.getLogger(__name__)

_FIRST_AFTER_S = 3600.0
"""A hub that has just been started has other things to do; the day's test is made up for after an hour."""
_ASK_EVERY_S = 60.0


class PathTestsJob(BoundedJob):
    """Asks for the day's test at `daily_at` (None: none by itself) and makes those that are wanted."""

    def __init__(
        self,
        tests: PathTests,
        probe: Probe,
        *,
        daily_at: time | None,
        within_s: float,
        shown: Callable[[], int | None],
        registry: CollectorRegistry | None = None,
    ) -> None:
        super().__init__("path-tests", batch=1, per_second=1)
        self._tests = tests
        self._probe = probe
        self._daily_at = daily_at
        self._within_s = within_s
        self._shown = shown
        self._passed = Gauge("hub_path_test_passed", "1 where the latest test alarm came through", registry=registry)
        self._at = Gauge("hub_path_test_timestamp_seconds", "When the latest test alarm ended", registry=registry)
        self._seconds = Gauge(
            "hub_path_test_seconds", "Of the latest test alarm, from the publishing", ["step"], registry=registry
        )
        self._ask_at = monotonic() + _FIRST_AFTER_S
        self._passed.set(1)

    def piece(self, batch: int) -> int:
        """At most one test."""
        if self._daily_at is not None and monotonic() >= self._ask_at:
            self._ask_at = monotonic() + _ASK_EVERY_S
            self._tests.ask_daily(self._daily_at)
        found = self._tests.make_next(self._probe, within_s=self._within_s, shown=self._shown, pause=self._stop.wait)
        if found is None:
            return 0
        self._passed.set(float(found["state"] == "passed"))
        self._at.set(found["finished_at"].timestamp())
        for step, seconds in found["steps"].items():
            self._seconds.labels(step).set(seconds)
        if found["state"] == "failed":
            log.error("the test of the alarm path failed: %s", found["reason"])
        else:
            log.info("the test of the alarm path came through: %s", found["steps"])
        return batch
