"""Orders of the coming weeks, and return visits, a bounded piece at a time."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from hub.jobs.bounded import BoundedJob
from hub.service import Everyday

__all__ = ["EverydayJob"]

_BATCH = 20
_PER_SECOND = 20


class EverydayJob(BoundedJob):
    """Tops up the orders of care plans and visit programmes. Several processes share the work."""

    def __init__(self, everyday: Everyday, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("everyday", batch=_BATCH, per_second=_PER_SECOND, rest=9)
        self._everyday = everyday
        self._looked = Counter(
            "hub_care_plans_followed",
            "Care plans whose orders were made or changed for the coming weeks",
            registry=registry,
        )

    def piece(self, batch: int) -> int:
        """Looks at up to `batch` care plans."""
        looked = self._everyday.tend(batch)
        self._looked.inc(looked)
        return looked
