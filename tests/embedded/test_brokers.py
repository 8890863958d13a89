"""Both brokers do what the hub builds on: queues for sessions that are away, acknowledgement after the fact, wills."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.embedded import EmbeddedBroker
from hub.embedded.broker import answers_connect
from hub.errors import SettingError
from tests.fixtures.brokers import Broker, MosquittoBroker
from tests.waiting import wait_until

EITHER = ["embedded_broker", pytest.param("mosquitto_broker", marks=pytest.mark.mosquitto)]


class Session:
    """A paho connection with what it received and was told."""

    def __init__(self, url: str, client_id: str, *, clean: bool, protocol: int, will: str | None = None) -> None:
        parts = urlsplit(url)
        self.received: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.connected = threading.Event()
        self.refused = threading.Event()
        if protocol == paho.MQTTv5:
            self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=protocol)
        else:
            self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=clean, protocol=protocol)
        if parts.username:
            self.client.username_pw_set(parts.username, unquote(parts.password or ""))
        if will:
            self.client.will_set(will, b'{"online": false}', qos=1, retain=True)
        self.client.max_inflight_messages_set(1000)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: (
            self.refused.set() if reason.is_failure else self.connected.set()
        )
        self.client.on_message = lambda _c, _u, message: self.received.put(message)
        self.client.connect(parts.hostname or "", parts.port or 1883)
        self.client.loop_start()

    def subscribe(self, topic: str) -> list[int]:
        told: queue.Queue[list[int]] = queue.Queue()
        self.client.on_subscribe = lambda _c, _u, _m, reasons, _p: told.put([reason.value for reason in reasons])
        self.client.subscribe(topic, qos=1)
        return told.get(timeout=10)

    def publish(self, topic: str, *payloads: bytes, retain: bool = False) -> None:
        sent = [self.client.publish(topic, payload, qos=1, retain=retain) for payload in payloads]
        for one in sent:
            one.wait_for_publish(10)
            assert one.is_published()

    def try_to_publish(self, topic: str, payload: bytes) -> None:
        """Until it was acknowledged or the broker cut the line: a broker may answer a forbidden topic with either."""
        sent = self.client.publish(topic, payload, qos=1)
        wait_until(lambda: sent.is_published() or not self.client.is_connected(), what="the broker's answer")

    def take(self, count: int) -> list[bytes]:
        return [self.received.get(timeout=10).payload for _ in range(count)]

    def drop(self) -> None:
        """The line breaks: no DISCONNECT is sent."""
        self.client.loop_stop()
        line = self.client.socket()
        assert line is not None
        line.shutdown(socket.SHUT_RDWR)
        line.close()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def session(url: str, client_id: str, *, clean: bool = True, protocol: int = paho.MQTTv311) -> Iterator[Session]:
    one = Session(url, client_id, clean=clean, protocol=protocol)
    try:
        assert one.connected.wait(10)
        yield one
    finally:
        one.close()


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Broker:
    found: Broker = request.getfixturevalue(request.param)
    return found


def hub_url(broker: Broker, connection: str = "hub-alarm") -> str:
    return broker.url_of(connection) if isinstance(broker, MosquittoBroker) else broker.url


@pytest.mark.parametrize("broker", EITHER, indirect=True)
def test_a_session_that_is_away_gets_what_was_sent_meanwhile(broker: Broker) -> None:
    device = broker.device_url("w1")
    with session(hub_url(broker), "hub-alarm", clean=False) as hub:
        assert hub.subscribe("care/v1/+/up/alarm") == [1]
    with session(device, "w1") as watch:
        watch.publish("care/v1/w1/up/alarm", *(b"%d" % n for n in range(500)))
    with session(hub_url(broker), "hub-alarm", clean=False) as hub:
        assert hub.take(500) == [b"%d" % n for n in range(500)]


@pytest.mark.parametrize("broker", EITHER, indirect=True)
def test_large_messages_and_both_protocol_versions_cross(broker: Broker) -> None:
    device = broker.device_url("w1")
    with session(hub_url(broker), "hub-alarm") as hub, session(broker.url_v5, "hub", protocol=paho.MQTTv5) as five:
        hub.subscribe("care/v1/+/up/vitals")
        five.subscribe("care/v1/+/up/vitals")
        with session(device, "w1") as watch:
            watch.publish("care/v1/w1/up/vitals", b"x" * 1_000_000)
        assert [len(payload) for payload in hub.take(1) + five.take(1)] == [1_000_000, 1_000_000]


@pytest.mark.parametrize("broker", EITHER, indirect=True)
def test_a_broken_line_sends_the_last_will_and_keeps_it(broker: Broker) -> None:
    device = broker.device_url("w1")
    with session(hub_url(broker), "hub-alarm") as hub:
        hub.subscribe("care/v1/+/up/status")
        watch = Session(device, "w1", clean=True, protocol=paho.MQTTv311, will="care/v1/w1/up/status")
        assert watch.connected.wait(10)
        watch.drop()
        assert hub.take(1) == [b'{"online": false}']
    with session(hub_url(broker, "hub-mixed"), "hub-mixed") as later:
        later.subscribe("care/v1/+/up/status")
        assert later.take(1) == [b'{"online": false}']


@pytest.mark.parametrize("broker", EITHER, indirect=True)
def test_a_killed_broker_comes_back_on_its_port(broker: Broker) -> None:
    port = broker.port
    broker.kill()
    broker.restart()
    assert broker.port == port
    with session(hub_url(broker), "hub-alarm") as hub:
        assert hub.subscribe("care/v1/+/up/alarm") == [1]


@pytest.mark.mosquitto
def test_mosquitto_keeps_what_it_has_queued_when_killed(mosquitto_broker: MosquittoBroker) -> None:
    device = mosquitto_broker.device_url("w1")
    hub = mosquitto_broker.url_of("hub-alarm")
    with session(hub, "hub-alarm", clean=False) as one:
        one.subscribe("care/v1/+/up/alarm")
    with session(device, "w1") as watch:
        watch.publish("care/v1/w1/up/alarm", *(b"message %d." % n for n in range(200)))
    # It writes every few seconds; what is younger than that devices repeat.
    wait_until(lambda: b"message 199." in mosquitto_broker.saved(), 15, what="the broker to save")
    mosquitto_broker.kill()
    mosquitto_broker.restart()
    with session(hub, "hub-alarm", clean=False) as one:
        assert one.take(200) == [b"message %d." % n for n in range(200)]


@pytest.mark.mosquitto
def test_a_long_queue_does_not_slow_mosquitto_down(mosquitto_broker: MosquittoBroker) -> None:
    with session(mosquitto_broker.url_of("hub-alarm"), "hub-alarm", clean=False) as hub:
        hub.subscribe("care/v1/+/up/vitals")
    with session(mosquitto_broker.device_url("w1"), "w1") as watch:
        watch.publish("care/v1/w1/up/vitals", *(b"x" * 200 for _ in range(10_000)))
        began = time.monotonic()
        watch.publish("care/v1/w1/up/vitals", *(b"x" * 200 for _ in range(1000)))
    # Some 0.2 s; with autosave_on_changes it was beyond 10 s.
    assert time.monotonic() - began < 5


@pytest.mark.mosquitto
def test_a_device_speaks_for_itself_alone(mosquitto_broker: MosquittoBroker) -> None:
    mine, other = mosquitto_broker.device_url("w1"), mosquitto_broker.device_url("w2")
    with session(mosquitto_broker.url_of("hub-alarm"), "hub-alarm") as hub, session(other, "w2") as second:
        hub.subscribe("care/v1/#")
        for topic in ("care/v1/w2/up/alarm", "care/v1/w1/down/ack", "care/v1/w2/down/ack"):
            # Taking the other's client id is of no use either: the user name is the id.
            with session(mine, "w2") as watch:
                watch.try_to_publish(topic, b"forged")
        with session(mine, "w1") as watch:
            watch.publish("care/v1/w1/up/alarm", b"mine")
        second.publish("care/v1/w2/up/alarm", b"other's")
        assert hub.take(2) == [b"mine", b"other's"]
        assert second.client.is_connected()


@pytest.mark.mosquitto
def test_a_device_hears_its_own_answers_alone(mosquitto_broker: MosquittoBroker) -> None:
    with session(mosquitto_broker.device_url("w1"), "w1") as watch:
        for topic in ("care/v1/w2/down/#", "care/v1/+/down/#", "care/v1/+/up/#", "#", "care/v1/w1/down/#"):
            watch.subscribe(topic)
        with session(mosquitto_broker.url_of("hub-down"), "hub-down") as hub:
            hub.publish("care/v1/w2/down/ack", b"for another")
            hub.publish("care/v1/w1/down/ack", b"for me")
        # Overlapping subscriptions may bring the message more than once, but never the other one.
        assert watch.take(1) == [b"for me"]


@pytest.mark.mosquitto
def test_mosquitto_turns_strangers_away(mosquitto_broker: MosquittoBroker) -> None:
    port = mosquitto_broker.port
    assert not answers_connect("127.0.0.1", port)
    assert not answers_connect("127.0.0.1", port, username="hub-probe", password="wrong")


def test_a_taken_port_is_named_by_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingError, match=f"HUB_MQTT__EMBEDDED_PORT: port {port} .*HUB_MQTT__URL"):
            EmbeddedBroker(tmp_path, port=port).start()
        with pytest.raises(SettingError, match=f"HUB_MQTT__EMBEDDED_PORT_V5: port {port} "):
            EmbeddedBroker(tmp_path, port_v5=port).start()


def test_start_finds_a_running_broker_and_its_queue(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path)
    first.start()
    try:
        with session(first.url, "hub", clean=False) as hub:
            hub.subscribe("care/v1/+/up/alarm")
        with session(first.url, "w1") as watch:
            watch.publish("care/v1/w1/up/alarm", b"kept")
        second = EmbeddedBroker(tmp_path)
        assert second.start() == first.url
        assert second.pid == first.pid
        with session(second.url, "hub", clean=False) as hub:
            assert hub.take(1) == [b"kept"]
    finally:
        first.stop()
    assert first.pid is None


def test_other_ports_than_the_running_broker_has_end_it(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path)
    first.start()
    before = first.pid
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    second = EmbeddedBroker(tmp_path, port=port)
    try:
        assert second.start() == f"mqtt://127.0.0.1:{port}"
        assert second.pid not in {None, before}
        wait_until(
            lambda: first._process is not None and first._process.poll() is not None, what="the old broker's end"
        )
    finally:
        second.stop()
