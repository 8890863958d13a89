"""Parts the bridge's tests share: an ingest with a ledger in memory, devices that publish, a lane on a real broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from devices.topics import ALARM_FILTER, TELEMETRY_FILTERS
from hub.bridge import BatchOptions, BrokerOptions
from hub.bridge.batches import Batcher
from hub.bridge.client import LaneClient
from hub.bridge.intake import care_route
from hub.bridge.metrics import BridgeMetrics
from hub.clock import utc_now
from hub.errors import UnavailableError
from hub.ports.records import Incoming, Outcome
from hub.settings import parse_mqtt_url
from tests.fixtures.brokers import Broker
from tests.waiting import wait_until


@dataclass
class MemoryIngest:
    """An ingest with its ledger in memory: exactly-once by key, faults on demand.

    `gate` closed: calls wait inside (the transaction is under way). `away`: the database is away. A payload that
    contains `poison` fails every batch it is in. Payloads that begin with `keyless` have no key: only `dup` tells a
    repeat.
    """

    poison: bytes | None = None
    away: bool = False
    quarantine_away: int = 0
    rows: dict[tuple[str, bytes], int] = field(default_factory=dict)
    """Committed uplinks with how often each came."""
    order: list[Incoming] = field(default_factory=list)
    presses: list[Incoming] = field(default_factory=list)
    """Keyless ones that were taken as new."""
    quarantined: list[tuple[Incoming, str]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    replies: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, batch: Sequence[Incoming]) -> list[Outcome]:
        self.entered.release()
        assert self.gate.wait(60)
        with self._lock:
            self.calls.append(len(batch))
            if self.away:
                raise UnavailableError("the database is away")
            if self.poison is not None and any(self.poison in item.uplink.payload for item in batch):
                raise ValueError("poison in the batch")
            return [self._one(item) for item in batch]

    def _one(self, item: Incoming) -> Outcome:
        key = (item.device_id, item.uplink.payload)
        self.order.append(item)
        if item.uplink.payload.startswith(b"keyless"):
            fresh = not item.dup
            if fresh:
                self.presses.append(item)
        else:
            fresh = key not in self.rows
        self.rows[key] = self.rows.get(key, 0) + 1
        replies = self.replies(item) if self.replies else ()
        return Outcome("accepted" if fresh else "repeat", replies=replies)

    def keep(self, item: Incoming, reason: str) -> None:
        """The quarantine."""
        with self._lock:
            if self.quarantine_away:
                self.quarantine_away -= 1
                raise UnavailableError("the database is away")
            self.quarantined.append((item, reason))

    def payloads(self) -> set[bytes]:
        with self._lock:
            return {payload for _, payload in self.rows}


def broker_options(broker: Broker, **changes: Any) -> BrokerOptions:
    address = parse_mqtt_url(broker.url)
    return BrokerOptions(
        host=address.host,
        port=address.port,
        username=address.username,
        password=address.password,
        user_per_connection=broker.user_per_connection,
        **{"backoff_min_s": 0.05, "backoff_max_s": 0.3, **changes},
    )


class Lane:
    """A lane on a real broker with its batcher and metrics."""

    def __init__(
        self,
        broker: Broker,
        ingest: MemoryIngest,
        *,
        kind: str = "alarm",
        batch: BatchOptions | None = None,
        options: BrokerOptions | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self.metrics = BridgeMetrics(self.registry)
        self.name = kind
        alarm = kind == "alarm"
        limits = batch or BatchOptions(size=200, backoff_min_s=0.02, backoff_max_s=0.1)
        self.batcher = Batcher(kind, limits, ingest=ingest, quarantine=ingest.keep, metrics=self.metrics, clock=utc_now)
        self.client = LaneClient(
            kind,
            "hub-alarm" if alarm else "hub-telemetry",
            options or broker_options(broker),
            filters=[ALARM_FILTER] if alarm else TELEMETRY_FILTERS,
            batcher=self.batcher,
            limits=limits,
            route=care_route("alarm" if alarm else "telemetry"),
            metrics=self.metrics,
            clock=utc_now,
        )

    def value(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(name, {"lane": self.name, **labels})
        return found or 0.0

    def start(self) -> None:
        self.batcher.start()
        self.client.start()

    def wait_connected(self, generation: int = 1) -> None:
        wait_until(
            lambda: self.client.connected and self.client.state().generation >= generation,
            20,
            what=f"generation {generation}; {self.client.state()}",
        )

    def wait_acknowledged(self) -> None:
        """Until the broker has read every acknowledgement: a message sent after them is a fence."""
        wait_until(lambda: self.client.state().unsettled == 0, 20)
        passed = threading.Event()
        self.client.publish("care/v1/fence/down/command", b"", lambda _: passed.set())
        assert passed.wait(30)

    def stop(self) -> None:
        assert self.batcher.stop(5)
        assert self.client.stop(5)


@contextmanager
def running_lane(broker: Broker, ingest: MemoryIngest, **kwargs: Any) -> Iterator[Lane]:
    lane = Lane(broker, ingest, **kwargs)
    lane.start()
    try:
        lane.wait_connected()
        yield lane
    finally:
        ingest.gate.set()
        lane.stop()


class Device:
    """A device on the broker: publishes, and remembers what it is told."""

    def __init__(self, broker: Broker, device_id: str, *, listen: bool = False) -> None:
        address = parse_mqtt_url(broker.device_url(device_id))
        self.device_id = device_id
        self.told: list[bytes] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device_id)
        self._client.max_inflight_messages_set(500)
        if address.username:
            self._client.username_pw_set(address.username, address.password)
        subscribed = threading.Event()
        connected = threading.Event()

        def on_connect(client: mqtt.Client, *_: Any) -> None:
            if listen:
                client.subscribe(f"care/v1/{device_id}/down/#", 1)
            connected.set()

        self._client.on_connect = on_connect
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = lambda _c, _u, message: self.told.append(message.payload)
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        assert connected.wait(10)
        if listen:
            assert subscribed.wait(10)

    def publish(self, payloads: Sequence[bytes], channel: str = "alarm", *, qos: int = 1, retain: bool = False) -> None:
        """Publishes and waits until the broker has everything."""
        topic = f"care/v1/{self.device_id}/up/{channel}"
        sent = [self._client.publish(topic, payload, qos=qos, retain=retain) for payload in payloads]
        for one in sent:
            one.wait_for_publish(30)
            assert one.is_published()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def device(broker: Broker, device_id: str = "w-001", *, listen: bool = False) -> Iterator[Device]:
    found = Device(broker, device_id, listen=listen)
    try:
        yield found
    finally:
        found.close()


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b'{"n": %d}' % number for number in range(start, start + count)]
