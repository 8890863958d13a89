"""Silences whose end has come, and power cuts: what is one matter becomes one."""

from __future__ import annotations

from hub.jobs.bounded import BoundedJob
from hub.service import PowerCuts, WindowDesk

__all__ = ["PowerJob", "WindowsJob"]

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


class PowerJob(BoundedJob):
    """Folds what a power cut has opened into one matter of its area, and ends what is over, about once a second."""

    def __init__(self, power: PowerCuts) -> None:
        super().__init__("power", batch=_BATCH, per_second=_PER_SECOND)
        self._power = power

    def piece(self, batch: int) -> int:  # noqa: ARG002
        """One look."""
        self._power.fold()
        self._power.end()
        return 0
