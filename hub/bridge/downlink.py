"""What devices must be told: outbox rows of channel "device", to the broker or to a device's open connection.

A row of kind `forget` has the broker drop what it keeps of a revoked device: its retained status.

A row counts as sent when the broker has acknowledged it, or the system has taken the bytes of a TCP device. Until then
it stays due: a crash means that it is sent again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from devices import Reply, ack_reply
from devices.dialects import DIALECTS, Dialect, Order
from devices.topics import up_topic
from hub.bridge.backoff import Backoff
from hub.bridge.client import LaneClient
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.tcp import TcpGateway
from hub.clock import Clock, monotonic
from hub.errors import UnavailableError
from hub.ports.records import OutboxRow

__all__ = ["DeviceOutbox", "Downlink", "ack_message", "order_of"]

_CLAIM = 200
_LOOK_EVERY_S = 1.0
_PUBACK_S = 10.0
_TIDY_EVERY_S = 5.0

_log = logging.getLogger(__name__)


class DeviceOutbox(Protocol):
    """The outbox as the bridge sees it. Each call is a short transaction of its own; UnavailableError: try again."""

    wake: threading.Event
    """Set by whoever put rows in the outbox in this process; rows of other processes are found by looking."""

    def claim(self, limit: int) -> Sequence[OutboxRow]:
        """Due rows of channel "device", moved on by a retry time before they are given."""
        ...

    def families(self, device_ids: Collection[str]) -> Mapping[str, str]:
        """The family of each device there is."""
        ...

    def hasten(self, device_ids: Collection[str]) -> None:
        """What waits for these devices becomes due now: they have just connected."""
        ...

    def tidy(self) -> None:
        """Commands whose time is over expire; those nothing was heard of are sent again."""
        ...

    def sent(self, row_ids: Sequence[int]) -> None: ...

    def failed(self, row_id: int, error: str, *, final: bool) -> None:
        """Not `final`: it becomes due again."""
        ...


def ack_message(row: OutboxRow) -> Reply:
    """An outbox row as a `care/v1` answer. ValueError: it cannot be one."""
    body = row.body
    if body.get("kind") != "ack":
        raise ValueError(f"a row of kind {body.get('kind')!r} says nothing to a device")
    return ack_reply(row.target, body.get("ref"), body["status"], body.get("reason"), body.get("message"))


def order_of(row: OutboxRow, at: datetime, last_frame: bytes = b"") -> Order:
    """An outbox row as a command. ValueError: it is none."""
    body = row.body
    if body.get("kind") != "command":
        raise ValueError(f"such a device has no word for a row of kind {body.get('kind')!r}")
    return Order(row.target, body["id"], body["command"], body.get("fields") or {}, last_frame, at)


class Downlink:
    """One thread that delivers rows. `client` publishes; each of `gateways` holds the devices of its family."""

    def __init__(
        self,
        outbox: DeviceOutbox,
        *,
        client: LaneClient,
        gateways: Sequence[TcpGateway] = (),
        metrics: BridgeMetrics,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._gateways = {gateway.family.name: gateway for gateway in gateways}
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._tidied_at = monotonic()
        for gateway in gateways:
            gateway.on_claim(self._device_came)
        self._clock = clock
        self._metrics = metrics
        self._stopping = threading.Event()
        self._published: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
        self._on_the_way: dict[int, float] = {}
        self._to_mark: list[int] = []
        self._thread = threading.Thread(target=self._run, name="downlink", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        self._stopping.set()
        self._outbox.wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        backoff = Backoff(0.1, 5.0)
        away = False
        while not self._stopping.is_set():
            self._outbox.wake.clear()
            try:
                more = self._round()
                backoff.reset()
                if away:
                    away = False
                    _log.warning("messages for devices go out again")
            except UnavailableError as error:
                if not away:
                    away = True
                    _log.warning("messages for devices wait: %s", error.detail)
                self._stopping.wait(backoff.pause_s())
                continue
            except Exception:
                _log.exception("messages for devices: a round failed, what was not sent becomes due again")
                self._stopping.wait(backoff.pause_s())
                continue
            if not more:
                self._outbox.wake.wait(_LOOK_EVERY_S)

    def _round(self) -> bool:
        """Delivers what is due. True: there may be more."""
        if not self._client.connected and not self._gateways:
            return False  # rows stay due; claiming them now would only use up their attempts
        self._mark()
        self._greet()
        if monotonic() - self._tidied_at >= _TIDY_EVERY_S:
            self._tidied_at = monotonic()
            self._outbox.tidy()
        rows = self._outbox.claim(_CLAIM)
        if not rows:
            self._collect()
            return False
        families = self._outbox.families({row.target for row in rows})
        for row in rows:
            self._deliver(row, families.get(row.target))
        self._collect()
        return len(rows) == _CLAIM

    def _device_came(self, device_id: str) -> None:
        self._arrived.put(device_id)
        self._outbox.wake.set()

    def _greet(self) -> None:
        """What waits for devices that have just connected leaves now, not at its next turn."""
        came: set[str] = set()
        with contextlib.suppress(queue.Empty):
            while True:
                came.add(self._arrived.get_nowait())
        if came:
            try:
                self._outbox.hasten(came)
            except Exception:
                for device_id in came:
                    self._arrived.put(device_id)
                raise

    def _deliver(self, row: OutboxRow, family: str | None) -> None:
        assert row.id is not None
        if row.id in self._on_the_way:
            return  # the broker has not answered yet; paho repeats it by itself
        try:
            if row.expires_at is not None and row.expires_at <= self._clock():
                raise ValueError("expired before it could be delivered")
            if family is None:
                raise ValueError(f"there is no device {row.target}")
            if family == "care" and row.body.get("kind") == "ack":
                self._publish(row.id, ack_message(row))
                return
            if family == "care" and row.body.get("kind") == "forget":
                self._publish(row.id, Reply(b"", up_topic(row.target, "status")), retain=True)
                return
            dialect = DIALECTS.get(family)
            if dialect is None:
                raise ValueError(f"devices of family {family} cannot be told anything")
            if dialect.via == "mqtt":
                self._publish(row.id, dialect.encode(order_of(row, self._clock())))
            elif family in self._gateways:
                self._send(row.id, row, self._gateways[family], dialect)
            else:
                self._put_off(row.id, "tcp", f"the {family} gateway is not part of this process")
        except (ValueError, KeyError) as error:
            self._metrics.downlinks.labels(_via(family), "failed").inc()
            self._outbox.failed(row.id, str(error) or repr(error), final=True)

    def _publish(self, row_id: int, message: Reply, *, retain: bool = False) -> None:
        if not self._client.connected:
            self._put_off(row_id, "mqtt", "the broker is away")
            return
        self._on_the_way[row_id] = monotonic()
        self._client.publish(
            message.topic, message.payload, lambda error: self._published.put((row_id, error)), retain=retain
        )

    def _send(self, row_id: int, row: OutboxRow, gateway: TcpGateway, dialect: Dialect) -> None:
        now = self._clock()
        if gateway.send(row.target, lambda last_frame: dialect.encode(order_of(row, now, last_frame)).payload):
            self._metrics.downlinks.labels("tcp", "sent").inc()
            self._to_mark.append(row_id)
        else:
            self._put_off(row_id, "tcp", "the device is not connected")

    def _put_off(self, row_id: int, via: str, why: str) -> None:
        self._metrics.downlinks.labels(via, "put_off").inc()
        self._outbox.failed(row_id, why, final=False)

    def _collect(self) -> None:
        """Waits a moment for the broker's acknowledgements of this round, and marks what is through."""
        deadline = monotonic() + _PUBACK_S
        while self._on_the_way and not self._stopping.is_set():
            try:
                row_id, error = self._published.get(timeout=max(0.0, min(deadline - monotonic(), 0.25)))
            except queue.Empty:
                if monotonic() >= deadline or not self._client.connected:
                    break
                continue
            self._on_the_way.pop(row_id, None)
            if error is None:
                self._metrics.downlinks.labels("mqtt", "sent").inc()
                self._to_mark.append(row_id)
            else:
                self._put_off(row_id, "mqtt", error)
        self._mark()

    def _mark(self) -> None:
        if self._to_mark:
            self._outbox.sent(self._to_mark)
            self._to_mark = []


def _via(family: str | None) -> str:
    dialect = DIALECTS.get(family or "")
    return dialect.via if dialect is not None else "none"
