"""Silences whose end has come: what stands is raised, once."""

from __future__ import annotations

from hub.jobs.bounded import BoundedJob
from hub.service import WindowDesk

__all__ = ["WindowsJob"]

_BATCH = 20
_PER_SECOND = 20


class WindowsJob(BoundedJob):
    """Settles windows that are over, each in a transaction of its own; several processes share the work."""

    def __init__(self, desk: WindowDesk) -> None:
        super().__init__("windows", batch=_BATCH, per_second=_PER_SECOND)
        self._desk = desk

    def piece(self, batch: int) -> int:
        """Settles up to `batch` windows."""
        for done in range(batch):
            if not self._desk.settle_next():
                return done
        return batch
