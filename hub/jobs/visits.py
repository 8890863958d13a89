"""Visits that are late, missed or unfinished, a bounded piece at a time."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from hub.jobs.bounded import BoundedJob
from hub.service import VisitDesk

__all__ = ["VisitsJob"]

_BATCH = 50


class VisitsJob(BoundedJob):
    """Marks visits by how late they are; finds carers and check-outs that did not come. Several processes share it."""

    def __init__(self, visits: VisitDesk, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("visits", batch=_BATCH, per_second=_BATCH, rest=9)
        self._visits = visits
        self._late = Counter("hub_visits_late", "Visits that became late, by level", ["level"], registry=registry)
        for level in ("yellow", "red", "missed"):
            self._late.labels(level)

    def piece(self, batch: int) -> int:
        """Tends up to `batch` visits of each kind."""
        done = self._visits.tend(batch)
        for level, count in done.late.items():
            self._late.labels(level).inc(count)
        return sum(done.late.values())
