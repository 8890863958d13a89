"""The rota's shifts made ahead, and its gaps counted."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from hub.clock import monotonic
from hub.jobs.bounded import BoundedJob
from hub.service import RotaBoard, RotaDesk

__all__ = ["RotaJob"]

_EVERY_S = 300.0


class RotaJob(BoundedJob):
    """Every five minutes: tops up the shifts of rotations, and counts the gaps of the next two weeks."""

    def __init__(self, rota: RotaDesk, board: RotaBoard, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("rota", batch=1, per_second=1)
        self._rota = rota
        self._board = board
        self._looked_at: float | None = None
        self._gaps = Gauge("hub_rota_gaps", "Gaps of the next 14 days, by kind", ["kind"], registry=registry)

    def piece(self, batch: int) -> int:
        """Does its work where it is time for it; there is never more of it."""
        if self._looked_at is None or monotonic() - self._looked_at >= _EVERY_S:
            self._rota.top_up()
            for kind, count in self._board.count_gaps().items():
                self._gaps.labels(kind).set(count)
            self._looked_at = monotonic()
        return batch - 1
