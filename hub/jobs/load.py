"""Looking once a second at what rang, at whose seat, and whether it is a flood."""

from __future__ import annotations

from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.clock import Clock
from hub.jobs.bounded import BoundedJob
from hub.service import LoadDesk

__all__ = ["LoadJob"]

_BATCH = 1
_PRUNE_EVERY = timedelta(hours=1)


class LoadJob(BoundedJob):
    """Looks each second, at once again while a burst is worked off; several processes share the work."""

    def __init__(self, desk: LoadDesk, clock: Clock, *, registry: CollectorRegistry | None = None) -> None:
        super().__init__("load", batch=_BATCH, per_second=10, rest=2)
        self._desk = desk
        self._clock = clock
        self._pruned_at: datetime | None = None
        self._rings = Counter("hub_load_rings", "Alarms that rang at the desk", registry=registry)
        self._spilled = Counter("hub_load_spilled", "Alarms given to another seat in a flood", registry=registry)
        self._seats = Gauge("hub_load_seats", "Seats on duty", registry=registry)
        self._floods = Gauge("hub_load_seats_in_flood", "Seats with ten alarms in ten minutes", registry=registry)

    def piece(self, batch: int) -> int:
        """One look; gives `batch` while there is more."""
        now = self._clock()
        if self._pruned_at is None or now - self._pruned_at > _PRUNE_EVERY:
            self._pruned_at = now
            self._desk.prune(now)
        found = self._desk.look()
        if found is None:
            return 0
        self._rings.inc(found.rings)
        self._spilled.inc(found.spilled)
        self._seats.set(found.seats)
        self._floods.set(found.floods)
        return batch if found.behind else 0
