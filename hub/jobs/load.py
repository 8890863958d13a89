"""Looking once a second at what rang, at whose seat, and whether it is a flood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.alarms.load import bad_actors
from hub.clock import Clock
from hub.jobs.bounded import BoundedJob
from hub.ports import LoadReads, ReportSpan
from hub.service import LoadDesk

__all__ = ["LoadJob"]

_BATCH = 1
_PRUNE_EVERY = timedelta(hours=1)
_STANDING_EVERY = timedelta(seconds=15)
_ACTORS_EVERY = timedelta(minutes=10)
_DAY = timedelta(days=1)
_CLASSES = ("emergency", "health", "whereabouts", "technical")


class LoadJob(BoundedJob):
    """Looks each second, at once again while a burst is worked off; several processes share the work."""

    def __init__(
        self, desk: LoadDesk, reads: LoadReads, clock: Clock, *, registry: CollectorRegistry | None = None
    ) -> None:
        super().__init__("load", batch=_BATCH, per_second=10, rest=2)
        self._desk = desk
        self._clock = clock
        self._gauges = _Gauges(reads, registry)
        self._pruned_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._rings = Counter("hub_load_rings", "Alarms that rang at the desk", registry=registry)
        self._spilled = Counter("hub_load_spilled", "Alarms given to another seat in a flood", registry=registry)
        self._flood_s = Counter("hub_load_flood_seconds", "Seconds of seats in a flood", registry=registry)
        self._seats = Gauge("hub_load_seats", "Seats on duty", registry=registry)
        self._floods = Gauge("hub_load_seats_in_flood", "Seats with ten alarms in ten minutes", registry=registry)

    def piece(self, batch: int) -> int:
        """One look; gives `batch` while there is more."""
        now = self._clock()
        if self._pruned_at is None or now - self._pruned_at > _PRUNE_EVERY:
            self._pruned_at = now
            self._desk.prune(now)
        found = self._desk.look()
        if found is not None:
            self._rings.inc(found.rings)
            self._spilled.inc(found.spilled)
            self._seats.set(found.seats)
            self._floods.set(found.floods)
            if self._looked_at is not None:
                self._flood_s.inc(found.floods * min(60.0, max(0.0, (now - self._looked_at).total_seconds())))
            self._looked_at = now
        self._gauges.refresh(now)
        return batch if found is not None and found.behind else 0


class _Gauges:
    """What stands at the desk, for /metrics; read now and then, whoever looks."""

    def __init__(self, reads: LoadReads, registry: CollectorRegistry | None) -> None:
        self._reads = reads
        self._standing_at: datetime | None = None
        self._actors_at: datetime | None = None
        names = {
            "alarms_an_hour_a_seat": ("hub_load_alarms_per_seat_hour", "Alarms of the last hour a seat on duty"),
            "stale": ("hub_load_stale", "Incidents about people that stand for more than 24 hours"),
            "stale_technical": ("hub_load_stale_technical", "Technical incidents that stand for more than 24 hours"),
            "shelved": ("hub_load_shelved", "Incidents on the shelf"),
            "chattering": ("hub_load_chattering", "Live incidents of something that chatters"),
            "silences": ("hub_load_silences", "Silences and maintenance windows in force"),
        }
        self._standing = {key: Gauge(name, text, registry=registry) for key, (name, text) in names.items()}
        self._mix = Gauge(
            "hub_load_share", "Share of the last day's alarms, by urgency", ["priority"], registry=registry
        )
        self._actors: Callable[[float], None] = Gauge(
            "hub_load_bad_actors", "Devices among the few that made half of the last day's alarms", registry=registry
        ).set

    def refresh(self, now: datetime) -> None:
        if self._standing_at is None or now - self._standing_at >= _STANDING_EVERY:
            self._standing_at = now
            found = self._reads.load_now(now)
            for key, gauge in self._standing.items():
                gauge.set(float(found.get(key) or 0))
            for priority, part in found["mix"].items():
                self._mix.labels(priority).set(part["share"] or 0.0)
        if self._actors_at is None or now - self._actors_at >= _ACTORS_EVERY:
            self._actors_at = now
            total, actors, _ = self._reads.bad_actor_counts(ReportSpan(now - _DAY, now), _CLASSES)
            self._actors(float(sum(one.bad for one in bad_actors(actors, total, days=1.0))))
