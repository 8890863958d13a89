"""What /metrics says beside the counters of bridge and HTTP: how the taking of uplinks goes, and what waits.

Numbers of the database are counted at most every five seconds, however many ask; they stay as they were while it is
away, and `hub_database_up` says so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from devices import Codec, Decoded, DeviceRef, Uplink
from hub.bridge import BridgeState, LaneState
from hub.clock import Clock, monotonic
from hub.ports import Incoming, Outcome
from hub.service import Ingest
from hub.store import Measures

__all__ = ["CountedIngest", "HubCollector", "TimedCodec", "hub_registry", "reason_class", "timed_codecs"]

_LAG_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_DECODE_BUCKETS = (0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.02)
_EVERY = 32
"""One uplink in so many is timed: looking at the clock for each would cost more than some codecs take."""

_CLASSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("codec", re.compile(r"\bno codec\b")),
    ("syntax", re.compile(r"\b(JSON|UTF-8|syntax|malformed|checksum|CRC|truncated|frame)\b", re.IGNORECASE)),
    ("time", re.compile(r"\b(time|clock|date|observed_at|timestamp)\b", re.IGNORECASE)),
    ("missing", re.compile(r"\b(missing|needs|required|lacks|without|empty|no)\b", re.IGNORECASE)),
    ("value", re.compile(r"\b(range|must|between|not a|unknown|outside|expected)\b", re.IGNORECASE)),
)


def hub_registry() -> CollectorRegistry:
    """An empty registry; the time each counter was made is left out, it doubles the page and says nothing."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


def reason_class(reason: str | None) -> str:
    """The class of a rejection's words: a label must not have as many values as there are messages."""
    return next((name for name, pattern in _CLASSES if pattern.search(reason or "")), "other")


class CountedIngest:
    """`Ingest` with numbers: what became of uplinks, by family, and how long they waited for their commit."""

    def __init__(self, ingest: Ingest, registry: CollectorRegistry, clock: Clock) -> None:
        self._ingest = ingest
        self._clock = clock
        self.prepare = ingest.prepare
        self._uplinks = Counter(
            "hub_uplinks", "Uplinks committed, by family and outcome", ["lane", "family", "outcome"], registry=registry
        )
        self._rejected = Counter(
            "hub_uplinks_rejected", "Uplinks rejected, by the class of the reason", ["family", "why"], registry=registry
        )
        self._alarms = Counter("hub_alarms", "Alarms raised by devices, by family", ["family"], registry=registry)
        self._quarantined = Counter(
            "hub_uplinks_kept_aside", "Uplinks that could not be taken, by family", ["family"], registry=registry
        )
        self._lag = Histogram(
            "hub_ingest_lag_seconds",
            "From the receipt of a batch's first uplink to its commit",
            ["lane"],
            buckets=_LAG_BUCKETS,
            registry=registry,
        )

    def alarms(self, batch: Sequence[Incoming]) -> list[Outcome]:
        return self._counted("alarm", batch, self._ingest.alarms(batch))

    def replayed(self, batch: Sequence[Incoming]) -> list[Outcome]:
        return self._counted("journal", batch, self._ingest.replayed(batch))

    def telemetry(self, batch: Sequence[Any], meanwhile: Any = None) -> list[Outcome]:
        return self._counted("telemetry", batch, self._ingest.telemetry(batch, meanwhile))

    def quarantine(self, item: Incoming, reason: str) -> None:
        self._ingest.quarantine(item, reason)
        self._quarantined.labels(item.family).inc()

    def _counted(self, door: str, batch: Sequence[Any], outcomes: list[Outcome]) -> list[Outcome]:
        counts: dict[tuple[str, str, str], int] = {}
        first: Incoming | None = None
        for one, outcome in zip(batch, outcomes, strict=True):
            incoming: Incoming = one if isinstance(one, Incoming) else one.incoming
            first = first or incoming
            key = (incoming.lane, incoming.family, outcome.outcome)
            counts[key] = counts.get(key, 0) + 1
            if outcome.alarms:
                self._alarms.labels(incoming.family).inc(outcome.alarms)
            if outcome.outcome == "rejected":
                self._rejected.labels(incoming.family, reason_class(outcome.reason)).inc()
        for labels, number in counts.items():
            self._uplinks.labels(*labels).inc(number)
        if first is not None:
            lag = (self._clock() - first.uplink.received_at).total_seconds()
            self._lag.labels(door).observe(max(0.0, lag))
        return outcomes


class TimedCodec:
    """A codec, one in 32 of whose calls is timed."""

    def __init__(self, codec: Codec, observe: Callable[[float], None]) -> None:
        self.family = codec.family
        self._decode = codec.decode
        self._observe = observe
        self._number = 0

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        self._number += 1
        if self._number % _EVERY != 1:
            return self._decode(uplink, device)
        began = monotonic()
        decoded = self._decode(uplink, device)
        self._observe(monotonic() - began)
        return decoded


def timed_codecs(codecs: Mapping[str, Codec], registry: CollectorRegistry) -> dict[str, Codec]:
    """The codecs, each with its times beside the others'."""
    seconds = Histogram(
        "hub_decode_seconds",
        "Time to decode one uplink (one in 32 is measured)",
        ["family"],
        buckets=_DECODE_BUCKETS,
        registry=registry,
    )
    return {name: TimedCodec(codec, seconds.labels(name).observe) for name, codec in codecs.items()}


class Watched(Protocol):
    """What the collector looks at; parts that this process does not run are None."""

    def bridge_state(self) -> BridgeState | None: ...

    def feed_seq(self) -> int | None:
        """Up to where the live feed has published; None: not running, or not begun."""

    def jobs_last_run_at(self) -> datetime | None: ...

    def pool(self) -> Mapping[str, int]: ...


def _lanes(state: BridgeState) -> Iterator[LaneState]:
    yield from (lane for lane in (state.alarm, state.mixed) if lane is not None)
    yield from state.telemetry
    yield state.downlink


class HubCollector(Collector):
    """Gauges that are read when somebody scrapes."""

    def __init__(self, watched: Watched, measures: Measures, data_dir: Path, clock: Clock) -> None:
        self._watched = watched
        self._measures = measures
        self._data_dir = data_dir
        self._clock = clock

    def register(self, registry: CollectorRegistry) -> None:
        """Puts itself, and the process's own memory and CPU, into the registry."""
        registry.register(self)
        ProcessCollector(registry=registry)

    def describe(self) -> list[Metric]:
        """Nothing: otherwise registering would look at a database that may not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._database()
        yield from self._bridge()
        yield from self._process()

    def _database(self) -> Iterator[Metric]:
        found = self._measures.look()
        up = found.error is None and found.at is not None
        yield _one("hub_database_up", "1 while the database answers", float(up))
        yield _one("hub_database_bytes", "Size of the database (each minute)", found.database_bytes)
        yield _one(
            "hub_ledger_keys", "Keys the ledger remembers, packed or not (an estimate, each minute)", found.ledger_keys
        )
        yield _one("hub_lead_held", "1 while some hub has the alarm lane", float(found.lead_held))
        yield _one("hub_schema_missing", "Migrations the database lacks", len(found.missing))
        yield _labelled(
            "hub_database_pool", "Connections of the pool, and callers that wait for one", "state", self._watched.pool()
        )
        yield _labelled("hub_devices", "Devices (each minute)", "state", found.devices)
        yield _pairs("hub_outbox_waiting", "Messages that have not left", "channel", found.outbox, 0)
        yield _pairs("hub_outbox_oldest_seconds", "Age of the oldest of them", "channel", found.outbox, 1)
        yield _pairs("hub_quarantine_waiting", "Uplinks kept aside that nobody has settled", "why", found.quarantine, 0)
        yield _pairs("hub_quarantine_oldest_seconds", "Age of the oldest of them", "why", found.quarantine, 1)
        due = {name: (rows, overdue, late) for name, (rows, overdue, late) in found.due.items()}
        yield _pairs("hub_due_rows", "Time-outs that are set", "subject", due, 0)
        yield _pairs("hub_due_overdue", "Time-outs whose time has come two seconds ago or more", "subject", due, 1)
        yield _pairs("hub_due_overdue_seconds", "How late the latest of them is", "subject", due, 2)
        live = GaugeMetricFamily("hub_incidents_live", "Live incidents", labels=["state", "priority"])
        oldest = GaugeMetricFamily(
            "hub_incidents_oldest_seconds", "Age of the oldest live incident", labels=["state", "priority"]
        )
        for labels, (number, age) in found.incidents.items():
            live.add_metric(labels, number)
            oldest.add_metric(labels, age)
        yield live
        yield oldest
        published = self._watched.feed_seq()
        behind = 0 if published is None else max(0, found.seq - published)
        yield _one("hub_feed_behind_entries", "Timeline entries the live feed has not published", behind)

    def _bridge(self) -> Iterator[Metric]:
        state = self._watched.bridge_state()
        generation = GaugeMetricFamily("hub_bridge_generation", "Connections made so far, by lane", labels=["client"])
        unsettled = GaugeMetricFamily(
            "hub_bridge_unsettled", "Messages the broker waits to have acknowledged", labels=["client"]
        )
        lead = 0.0
        if state is not None:
            lead = float(state.lead == "active")
            for lane in _lanes(state):
                generation.add_metric([lane.client_id], lane.generation)
                unsettled.add_metric([lane.client_id], lane.unsettled)
        yield generation
        yield unsettled
        yield _one("hub_lead_here", "1 while this process has the alarm lane", lead)

    def _process(self) -> Iterator[Metric]:
        last = self._watched.jobs_last_run_at()
        age = 0.0 if last is None else max(0.0, (self._clock() - last).total_seconds())
        yield _one("hub_jobs_idle_seconds", "Since the jobs last looked at what is due", age)
        try:
            usage = shutil.disk_usage(self._data_dir)
        except OSError:
            return
        yield _one("hub_disk_free_bytes", "Room left where the data directory lies", usage.free)
        yield _one("hub_disk_bytes", "Size of that disk", usage.total)


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _labelled(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _pairs(name: str, words: str, label: str, values: Mapping[str, tuple[float, ...]], place: int) -> Metric:
    return _labelled(name, words, label, {key: numbers[place] for key, numbers in values.items()})
