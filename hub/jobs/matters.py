"""Deadlines of reported matters, a bounded piece at a time."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from hub.jobs.bounded import BoundedJob
from hub.service import MatterDesk

__all__ = ["MattersJob"]

_BATCH = 50


class MattersJob(BoundedJob):
    """Follows reported matters, and raises what is overdue. Several processes share the work."""

    def __init__(self, matters: MatterDesk, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("matters", batch=_BATCH, per_second=_BATCH, rest=9)
        self._matters = matters
        self._rose = Counter("hub_matters_overdue", "Reported matters that rose a level unresolved", registry=registry)

    def piece(self, batch: int) -> int:
        """Raises up to `batch` overdue matters."""
        rose = self._matters.tend(batch)
        self._rose.inc(rose)
        return rose
