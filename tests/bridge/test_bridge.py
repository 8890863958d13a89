"""The bridge as the composition root starts it: lanes, gateway and downlink together, on real brokers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from devices import ack_reply
from devices.dialects import DIALECTS
from hub.bridge import BatchOptions, Bridge, BridgeOptions, Lead, SoleLead, TcpOptions
from hub.bridge.downlink import order_of
from hub.bridge.intake import telemetry_client_id, telemetry_filters
from hub.clock import utc_now
from hub.errors import SettingError, UnavailableError
from hub.ports.records import OutboxRow
from tests.bridge.parts import MemoryIngest, broker_options, device, numbered
from tests.bridge.tcp_parts import ALARM, ID, Watch, linked
from tests.fixtures.brokers import Broker
from tests.waiting import wait_until


class MemoryOutbox:
    """An outbox in memory, with the store's promise: a claimed row becomes due again unless it is marked."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.rows: dict[int, OutboxRow] = {}
        self.due: set[int] = set()
        self.sent_ids: list[int] = []
        self.failures: list[tuple[int, str, bool]] = []
        self.family = {"w-001": "care", ID: "watch", "z-1": "zigbee2mqtt"}
        self.away = False
        self.hastened: set[str] = set()
        self.tidied = 0
        self._lock = threading.Lock()

    def add(self, target: str, body: Mapping[str, Any], **changes: Any) -> int:
        now = utc_now()
        with self._lock:
            row_id = len(self.rows) + 1
            values = {"channel": "device", "created_at": now, "due_at": now, "id": row_id, **changes}
            self.rows[row_id] = OutboxRow(target=target, body=body, **values)
            self.due.add(row_id)
        self.wake.set()
        return row_id

    def make_due(self, row_id: int) -> None:
        with self._lock:
            self.due.add(row_id)
        self.wake.set()

    def claim(self, limit: int) -> Sequence[OutboxRow]:
        if self.away:
            raise UnavailableError("the database is away")
        with self._lock:
            ids = sorted(self.due)[:limit]
            self.due -= set(ids)
            return [self.rows[row_id] for row_id in ids]

    def families(self, device_ids: Collection[str]) -> Mapping[str, str]:
        return {device_id: self.family[device_id] for device_id in device_ids if device_id in self.family}

    def hasten(self, device_ids: Collection[str]) -> None:
        with self._lock:
            waiting = {row_id for row_id, row in self.rows.items() if row.target in device_ids}
            self.due |= waiting - set(self.sent_ids)
            self.hastened |= set(device_ids)

    def tidy(self) -> None:
        self.tidied += 1

    def sent(self, row_ids: Sequence[int]) -> None:
        self.sent_ids += row_ids

    def failed(self, row_id: int, error: str, *, final: bool) -> None:
        self.failures.append((row_id, error, final))


class Running:
    def __init__(self, broker: Broker, acquire_lead: Callable[[], Lead | None] = SoleLead, **changes: Any) -> None:
        self.alarms = MemoryIngest(
            replies=lambda item: (ack_reply(item.device_id, "r", "received"),) if item.family == "care" else ()
        )
        self.telemetry = MemoryIngest()
        self.outbox = MemoryOutbox()
        self.registry = CollectorRegistry()
        options = BridgeOptions(
            broker=broker_options(broker),
            alarm=BatchOptions(size=200, backoff_min_s=0.02, backoff_max_s=0.1),
            telemetry=BatchOptions(size=500, linger_s=0.02, backoff_min_s=0.02, backoff_max_s=0.1),
            **{"tcp": (TcpOptions(),), **changes},
        )
        self.bridge = Bridge(
            options,
            ingest_alarms=self.alarms,
            ingest_telemetry=self.telemetry,
            quarantine=self.alarms.keep,
            outbox_port=self.outbox,
            acquire_lead=acquire_lead,
            registry=self.registry,
        )

    @property
    def watch_port(self) -> int:
        (tcp,) = self.bridge.state().tcp
        return tcp.port

    def wait_ready(self) -> None:
        wait_until(
            lambda: self.bridge.state().ready and self.bridge.state().lead == "active",
            20,
            what=f"the bridge: {self.bridge.state()}",
        )


@contextmanager
def running(broker: Broker, **changes: Any) -> Iterator[Running]:
    found = Running(broker, **changes)
    found.bridge.start()
    try:
        found.wait_ready()
        yield found
    finally:
        found.alarms.gate.set()
        assert found.bridge.stop(5)


def test_everything_together(broker: Broker) -> None:
    with running(broker) as hub, device(broker, listen=True) as phone, closing(Watch(hub.watch_port)) as watch:
        phone.publish(numbered(20))
        phone.publish(numbered(30), "vitals")
        linked(watch)
        watch.send(ALARM)
        wait_until(lambda: len(hub.alarms.rows) == 21 and len(hub.telemetry.rows) == 31)
        wait_until(lambda: len(phone.told) == 20)
        lanes = {item.lane for item in hub.alarms.order}
        assert lanes == {"alarm", "tcp"}
        assert {item.lane for item in hub.telemetry.order} == {"telemetry", "tcp"}
    assert hub.bridge.state().lead == "stopped"
    assert not hub.bridge.state().ready


def test_stopping_takes_less_than_two_seconds_and_leaves_no_thread(broker: Broker) -> None:
    before = set(threading.enumerate())
    hub = Running(broker)
    hub.bridge.start()
    hub.wait_ready()
    assert hub.bridge.stop(2.0)
    assert set(threading.enumerate()) <= before


def test_stopping_without_a_broker_is_clean_too(embedded_broker: Broker) -> None:
    hub = Running(embedded_broker)
    embedded_broker.kill()
    hub.bridge.start()
    wait_until(lambda: hub.bridge.state().telemetry[0].error)
    assert not hub.bridge.state().ready
    assert hub.bridge.stop(2.0)


def test_a_database_that_is_away_is_not_ready(embedded_broker: Broker) -> None:
    with running(embedded_broker) as hub, device(embedded_broker) as phone:
        hub.alarms.away = True
        phone.publish([b"x"])
        wait_until(lambda: not hub.bridge.state().ready)
        hub.alarms.away = False
        wait_until(lambda: hub.bridge.state().ready)


class OneLead:
    """A lead that one can have at a time, and that can be taken away."""

    def __init__(self) -> None:
        self.free = threading.Lock()
        self.lost = threading.Event()

    def acquire(self) -> Lead | None:
        return _Held(self) if self.free.acquire(blocking=False) else None


class _Held:
    def __init__(self, lead: OneLead) -> None:
        self._lead = lead

    def __enter__(self) -> _Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lead.lost.clear()
        self._lead.free.release()

    def held(self) -> bool:
        return not self._lead.lost.is_set()


def test_one_hub_has_the_alarm_lane_and_the_other_takes_it_over(broker: Broker) -> None:
    if broker.user_per_connection:
        pytest.skip("a second telemetry connection needs a user of its own on a site broker")
    lead = OneLead()
    with running(broker, acquire_lead=lead.acquire, nodes=2, node=0) as first:
        second = Running(broker, acquire_lead=lead.acquire, nodes=2, node=1)
        second.bridge.start()
        try:
            wait_until(lambda: second.bridge.state().ready)
            assert second.bridge.state().lead == "standby"
            with device(broker) as phone:
                phone.publish([b"one"])
                wait_until(lambda: b"one" in first.alarms.payloads())
                assert first.bridge.stop(5)
                wait_until(lambda: second.bridge.state().lead == "active")
                phone.publish([b"two"])
                wait_until(lambda: b"two" in second.alarms.payloads())
            assert not second.alarms.payloads() & first.alarms.payloads()
        finally:
            assert second.bridge.stop(5)


def test_a_lead_that_was_lost_is_given_up_and_taken_again(embedded_broker: Broker) -> None:
    lead = OneLead()
    with running(embedded_broker, acquire_lead=lead.acquire) as hub, device(embedded_broker) as phone:
        lead.lost.set()
        wait_until(lambda: not lead.lost.is_set(), 10, what="the lead to be given back")
        phone.publish([b"meanwhile"])
        wait_until(lambda: b"meanwhile" in hub.alarms.payloads())


def test_several_workers_share_the_telemetry(embedded_broker: Broker) -> None:
    with running(embedded_broker, workers=2, tcp=()) as hub, device(embedded_broker) as phone:
        sent = numbered(400)
        phone.publish(sent, "vitals")
        phone.publish([b'{"online": true}'], "status")
        wait_until(lambda: hub.telemetry.payloads() == {*sent, b'{"online": true}'})
        wait_until(lambda: all(lane.unsettled == 0 for lane in hub.bridge.state().telemetry))
    assert set(hub.telemetry.rows.values()) == {1}
    assert [lane.client_id for lane in hub.bridge.state().telemetry] == ["hub-telemetry", "hub-telemetry-1"]


def test_the_filters_of_each_worker(embedded_broker: Broker) -> None:
    broker = broker_options(embedded_broker)
    alone, left = telemetry_filters(BridgeOptions(broker), 0)
    assert "care/v1/+/up/vitals" in alone
    assert all(topic.startswith("$share/hub/") for topic in left)
    several = BridgeOptions(broker, workers=2, nodes=2, node=1)
    assert telemetry_client_id(several, 1) == "hub-telemetry-3"
    shared, left = telemetry_filters(several, 1)
    assert all(topic.startswith("$share/hub/") for topic in shared)
    assert not any(topic.endswith("/up/status") for topic in shared), "status would come without its last wills"
    assert set(alone) <= set(left)
    first, _ = telemetry_filters(BridgeOptions(broker, workers=2), 0)
    assert "care/v1/+/up/status" in first
    for filters in (alone, shared, first):
        assert not any("alarm" in topic for topic in filters)
    with pytest.raises(SettingError):
        BridgeOptions(broker, nodes=2, node=2)


# --- downlink ---------------------------------------------------------------------------------------------------------


def test_answers_and_commands_reach_their_device(broker: Broker) -> None:
    with running(broker) as hub, device(broker, listen=True) as phone, closing(Watch(hub.watch_port)) as watch:
        linked(watch)
        rows = [
            hub.outbox.add("w-001", {"kind": "ack", "ref": "7", "status": "hold"}),
            hub.outbox.add("w-001", {"kind": "command", "id": "c1", "command": "speak", "fields": {"text": "来了"}}),
            hub.outbox.add(ID, {"kind": "command", "id": "c2", "command": "locate", "fields": {}}),
        ]
        wait_until(lambda: sorted(hub.outbox.sent_ids) == rows)
        wait_until(lambda: len(phone.told) == 2)
        assert [json.loads(told) for told in phone.told] == [
            {"ref": "7", "status": "hold"},
            {"id": "c1", "command": "speak", "text": "来了"},
        ]
        assert watch.read(len(f"[3G*{ID}*0002*CR]")) == f"[3G*{ID}*0002*CR]".encode()
    assert not hub.outbox.failures


def test_what_can_never_be_delivered_is_said(embedded_broker: Broker) -> None:
    past = utc_now() - timedelta(seconds=1)
    with running(embedded_broker) as hub, closing(Watch(hub.watch_port)) as watch:
        linked(watch)
        command = {"kind": "command", "id": "c", "command": "locate"}
        expected = {
            hub.outbox.add("nobody", command): "there is no device nobody",
            hub.outbox.add("w-001", command, expires_at=past): "expired",
            hub.outbox.add("w-001", {"kind": "riddle"}): "riddle",
            hub.outbox.add("w-001", {"kind": "command", "id": "c"}): "command",
            hub.outbox.add("w-001", {"kind": "command", "id": "c", "command": "Not a word"}): "Not a word",
            hub.outbox.add(ID, {"kind": "command", "id": "c", "command": "listen_in"}): "listen_in",
            hub.outbox.add(ID, {"kind": "ack", "ref": "1", "status": "hold"}): "no word",
            hub.outbox.add("z-1", command): "zigbee2mqtt",
        }
        wait_until(lambda: len(hub.outbox.failures) == len(expected))
        assert not hub.outbox.sent_ids
    for row_id, error, final in hub.outbox.failures:
        assert final, error
        assert expected[row_id] in error


def test_a_watch_that_is_not_connected_is_tried_again(embedded_broker: Broker) -> None:
    with running(embedded_broker) as hub:
        row = hub.outbox.add(ID, {"kind": "command", "id": "c", "command": "find"})
        wait_until(lambda: hub.outbox.failures)
        assert hub.outbox.failures == [(row, "the device is not connected", False)]
        with closing(Watch(hub.watch_port)) as watch:
            linked(watch)  # nothing else: it leaves because the watch has come
            wait_until(lambda: hub.outbox.sent_ids == [row])
            assert hub.outbox.hastened == {ID}


def test_downlinks_survive_a_broker_and_a_database_that_were_away(broker: Broker) -> None:
    with running(broker) as hub:
        broker.kill()
        wait_until(lambda: not hub.bridge.state().downlink.connected)
        row = hub.outbox.add("w-001", {"kind": "ack", "ref": "1", "status": "handled"})
        wait_until(lambda: hub.outbox.failures)
        assert hub.outbox.failures[0] == (row, "the broker is away", False)
        broker.restart()
        wait_until(lambda: hub.bridge.state().downlink.connected, 20)
        hub.outbox.away = True
        with device(broker, listen=True) as phone:
            hub.outbox.make_due(row)
            hub.outbox.away = False
            wait_until(lambda: phone.told, 10)
        wait_until(lambda: hub.outbox.sent_ids == [row])


def test_the_watchs_own_dialect_is_spoken() -> None:
    now = utc_now()
    row = OutboxRow("device", ID, {"kind": "command", "id": "c", "command": "locate"}, now, now)

    def said(last_frame: str) -> bytes:
        return DIALECTS["watch"].encode(order_of(row, now, last_frame.encode())).payload

    assert said(f"[SG*{ID}*0002*LK]") == f"[SG*{ID}*0002*CR]".encode()
    assert said(f"[ZJ*{ID}*00a7*0002*LK]") == f"[ZJ*{ID}*00a7*0002*CR]".encode()
