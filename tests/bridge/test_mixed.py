"""The mixed lane on real brokers: whose a message is, what it says, and that what the broker kept is no press."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry

from devices import FAMILIES, Decoded, DeviceRef
from devices.maker_topics import DEFAULT_TOPICS, TOPIC_FAMILIES, filters_of, topic_device
from devices.topics import is_device_id
from hub.bridge import BatchOptions, BridgeOptions
from hub.bridge.batches import Batcher
from hub.bridge.client import LaneClient
from hub.bridge.metrics import BridgeMetrics
from hub.bridge.mixed import MIXED_CLIENT_ID, mixed_filters, mixed_route
from hub.clock import utc_now
from hub.errors import SettingError, UnavailableError
from hub.ports.records import Incoming
from hub.settings import load_settings, parse_mqtt_url
from tests.bridge.parts import MemoryIngest, broker_options
from tests.devices.captures import needs, rows
from tests.fixtures.brokers import Broker, MosquittoBroker
from tests.waiting import wait_until

TOPICS = {
    **DEFAULT_TOPICS,
    "/sys": "alink",
    "oc/devices": "huawei",
    "v1/gateway": "thingsboard",
    "onenet": "onenet",
    "home/z2m": "zigbee2mqtt",
}
CAPTURES = {"zigbee2mqtt": "captures/zigbee2mqtt.jsonl", "owntracks": "captures/owntracks.jsonl"}


class Mixed:
    def __init__(self, broker: Broker, topics: Mapping[str, str]) -> None:
        metrics = BridgeMetrics(CollectorRegistry())
        limits = BatchOptions(size=200, backoff_min_s=0.02, backoff_max_s=0.1)
        self.ingest = MemoryIngest()
        self.lists: list[tuple[str, bytes]] = []
        self.away = False
        self.batcher = Batcher(
            "mixed", limits, ingest=self.ingest, quarantine=self.ingest.keep, metrics=metrics, clock=utc_now
        )
        self.client = LaneClient(
            "mixed",
            MIXED_CLIENT_ID,
            broker_options(broker),
            filters=mixed_filters(topics),
            batcher=self.batcher,
            limits=limits,
            route=mixed_route(topics, self.note),
            metrics=metrics,
            clock=utc_now,
        )
        address = parse_mqtt_url(broker.url)
        self.gateway = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub-alarm")
        if address.username:
            self.gateway.username_pw_set("hub-alarm", address.password)
        self.gateway.connect(address.host, address.port)
        self.gateway.loop_start()

    def note(self, gateway_id: str, payload: bytes) -> None:
        if self.away:
            raise UnavailableError("the database is away")
        self.lists.append((gateway_id, payload))

    def publish(self, topic: str, body: object, *, retain: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = self.gateway.publish(topic, payload, qos=1, retain=retain)
        sent.wait_for_publish(10)

    def by_topic(self, topic: str) -> list[Incoming]:
        return [item for item in self.ingest.order if item.uplink.topic == topic]


@contextmanager
def mixed(broker: Broker, topics: Mapping[str, str] = TOPICS, *, wait: bool = True) -> Iterator[Mixed]:
    found = Mixed(broker, topics)
    if wait:
        found.batcher.start()
        found.client.start()
        wait_until(lambda: found.client.connected, 20, what=str(found.client.state()))
    try:
        yield found
    finally:
        found.gateway.disconnect()
        found.gateway.loop_stop()
        assert found.batcher.stop(5)
        assert found.client.stop(5)


def decoded(item: Incoming) -> Decoded:
    return FAMILIES[item.family].codec.decode(item.uplink, DeviceRef(item.device_id, item.family))


def alarms(item: Incoming) -> list[str | None]:
    return [event.type for event in decoded(item).events if event.kind == "alarm"]


@pytest.mark.parametrize("family", [pytest.param(family, marks=needs(name)) for family, name in CAPTURES.items()])
def test_what_gateways_and_phones_sent_arrives_whole(broker: Broker, family: str) -> None:
    sent = [row for row in rows(CAPTURES[family]) if row.get("topic")]
    with mixed(broker) as lane:
        for row in sent:
            body = row["payload_raw"].encode() if "payload_raw" in row else row["payload"]
            lane.publish(row["topic"], body)
        wait_until(lambda: sum(lane.ingest.rows.values()) + len(lane.ingest.quarantined) >= len(sent), 20)
        taken = list(lane.ingest.order)
    assert {item.family for item in taken} == {family}
    assert {item.lane for item in taken} == {"mixed"}
    assert all(is_device_id(item.device_id) for item in taken)
    for item in taken:
        alone = FAMILIES[family].codec.decode(item.uplink, DeviceRef("", family))
        assert [event.type for event in decoded(item).events] == [event.type for event in alone.events]
        assert {event.device_id for event in alone.events} <= {item.device_id}


@pytest.mark.parametrize(
    ("topic", "body", "family", "device_id", "raised"),
    [
        ("zigbee2mqtt/bath", {"action": "emergency"}, "zigbee2mqtt", "bath", ["sos"]),
        ("home/z2m/floor1/bath", {"smoke": True}, "zigbee2mqtt", None, ["smoke"]),
        ("zigbee2mqtt/bridge/state", {"state": "offline"}, "zigbee2mqtt", "zigbee2mqtt:bridge", []),
        ("owntracks/wang/pixel/event", {"_type": "transition", "event": "leave", "tst": 1}, "owntracks", "wang:pixel",
         ["wandering"]),
        ("uagv/v2/Carrier/R7/state", {"errors": [{"errorType": "blockedPath", "errorLevel": "FATAL"}]}, "vda5050",
         "Carrier:R7", ["robot_stuck"]),
        ("/sys/pk1/band-4/thing/event/FallAlarm/post", {"id": "7", "params": {"value": {}, "time": 1795331900000}},
         "alink", "band-4", ["fall"]),
        ("oc/devices/b-9/sys/properties/report", {"services": [{"service_id": "w", "properties": {"sos": 1}}]},
         "huawei", "b-9", ["sos"]),
        ("v1/gateway/telemetry", {"bed-3": [{"ts": 1795331900000, "values": {"sos": True}}]}, "thingsboard", "bed-3",
         ["sos"]),
    ],
)  # fmt: skip
def test_whose_a_message_is(
    embedded_broker: Broker, topic: str, body: object, family: str, device_id: str | None, raised: list[str]
) -> None:
    with mixed(embedded_broker) as lane:
        lane.publish(topic, body)
        (item,) = wait_until(lambda: lane.by_topic(topic), 10)
    assert item.family == family
    assert item.device_id == device_id if device_id else is_device_id(item.device_id)
    assert alarms(item) == raised


def test_what_the_broker_kept_is_a_state_and_no_press(broker: Broker) -> None:
    topic = "zigbee2mqtt/kept"
    with mixed(broker, wait=False) as before:
        before.publish(topic, {"sos": True, "battery": 70}, retain=True)
    try:
        with mixed(broker) as lane:
            (item,) = wait_until(lambda: lane.by_topic(topic), 10)
            assert item.uplink.retained
            assert alarms(item) == []
            assert decoded(item).events[0].battery_pct == 70
            lane.publish(topic, {"sos": True})
            pressed = wait_until(lambda: [one for one in lane.by_topic(topic) if not one.uplink.retained], 10)
            assert alarms(pressed[0]) == ["sos"]
    finally:
        with mixed(broker, wait=False) as after:
            after.publish(topic, b"", retain=True)


def test_the_list_of_a_gateways_sensors_is_handed_on(embedded_broker: Broker) -> None:
    with mixed(embedded_broker) as lane:
        lane.publish("zigbee2mqtt/bridge/devices", [{"friendly_name": "bath"}])
        wait_until(lambda: lane.lists)
        assert lane.lists == [("zigbee2mqtt:bridge", b'[{"friendly_name": "bath"}]')]
        lane.away = True  # it is not worth holding up an alarm
        lane.publish("zigbee2mqtt/bridge/devices", [])
        lane.publish("zigbee2mqtt/bath", {"action": "sos"})
        wait_until(lambda: lane.by_topic("zigbee2mqtt/bath"))


@pytest.mark.mosquitto
def test_topics_that_begin_with_a_dollar_sign(mosquitto_broker: MosquittoBroker) -> None:
    """On a site's broker, with the rules of deploy/mosquitto; the embedded one has no such topics."""
    topics = {"$oc/devices": "huawei", "$sys": "onenet"}
    with mixed(mosquitto_broker, topics) as lane:
        device = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub")
        device.username_pw_set("hub", parse_mqtt_url(mosquitto_broker.url_of("hub")).password)
        device.connect("127.0.0.1", mosquitto_broker.port)
        device.loop_start()
        body = {"services": [{"service_id": "w", "properties": {"sos": 1}, "event_time": "20261122T071820Z"}]}
        topic = "$oc/devices/b-9/sys/properties/report"
        try:
            device.publish(topic, json.dumps(body), qos=1).wait_for_publish(10)
            (item,) = wait_until(lambda: lane.by_topic(topic), 30)
        finally:
            device.disconnect()
            device.loop_stop()
    assert (item.family, item.device_id) == ("huawei", "b-9")
    assert alarms(item) == ["sos"]


@pytest.mark.parametrize("prefix", ["$oc/devices=huawei", "$sys=onenet"])
def test_the_embedded_broker_refuses_a_dollar_sign_at_the_start(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    monkeypatch.setenv("HUB_MQTT__TOPICS", prefix)
    with pytest.raises(SettingError) as caught:
        load_settings()
    said = str(caught.value)
    assert "\n" not in said.strip()
    assert "HUB_MQTT__TOPICS: the embedded broker has no topics that begin with $" in said
    monkeypatch.setenv("HUB_MQTT__URL", "mqtt://127.0.0.1:1883")
    assert load_settings().mqtt.topics == dict([prefix.split("=")])


def test_what_nobody_can_read_is_kept_aside(embedded_broker: Broker) -> None:
    with mixed(embedded_broker) as lane:
        lane.publish("v1/gateway/telemetry", b"\xff\xfe not json")
        lane.publish("zigbee2mqtt/bath", {"action": "sos"})
        wait_until(lambda: lane.by_topic("zigbee2mqtt/bath"))
        wait_until(lambda: lane.ingest.quarantined)
    assert [item.uplink.payload for item, _reason in lane.ingest.quarantined] == [b"\xff\xfe not json"]


def test_the_longest_prefix_decides() -> None:
    topics = {"home": "owntracks", "home/z2m": "zigbee2mqtt"}
    route = mixed_route(topics)

    class Message:
        payload, retain, topic, mid = b'{"action": "sos"}', False, "home/z2m/bath", 1

    class Arrived:
        message, received_at = Message(), utc_now()

    assert route(Arrived(), False).family == "zigbee2mqtt"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("topics", "says"),
    [
        ("zigbee2mqtt", "expected prefix=family"),
        ("a=watch", "family 'watch' does not come by MQTT topics"),
        ("a/#=owntracks", "is no topic prefix"),
        ("a/=owntracks", "is no topic prefix"),
        ("care/v1=owntracks", "is the hub's own wire"),
        ("$oc/devices=huawei", "the embedded broker has no topics that begin with $"),
    ],
)
def test_a_wrong_mapping_stops_the_start(monkeypatch: pytest.MonkeyPatch, topics: str, says: str) -> None:
    monkeypatch.setenv("HUB_MQTT__TOPICS", topics)
    with pytest.raises(SettingError, match="HUB_MQTT__TOPICS") as caught:
        load_settings()
    assert says in str(caught.value)


def test_the_mapping_is_a_setting(monkeypatch: pytest.MonkeyPatch, embedded_broker: Broker) -> None:
    assert load_settings().mqtt.topics == DEFAULT_TOPICS
    monkeypatch.setenv("HUB_MQTT__TOPICS", " z2m/home-1 = zigbee2mqtt , owntracks=owntracks")
    assert load_settings().mqtt.topics == {"z2m/home-1": "zigbee2mqtt", "owntracks": "owntracks"}
    monkeypatch.setenv("HUB_MQTT__TOPICS", "none")
    assert load_settings().mqtt.topics == {}
    with pytest.raises(SettingError, match="HUB_MQTT__TOPICS"):
        BridgeOptions(broker_options(embedded_broker), topics={"x": "gt06"})


@pytest.mark.parametrize("family", TOPIC_FAMILIES)
def test_any_topic_is_read_or_left(family: str) -> None:
    found: list[Any] = [topic_device(family, "p", f"p/{rest}") for rest in ("", "/", "a", "a/b", "a/b/c/d", "//", "#")]
    assert all(one is None or is_device_id(one) for one in found)
    assert all(one.startswith("p/") for one in filters_of(family, "p"))
