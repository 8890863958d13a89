from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from devices.codecs.zigbee2mqtt import Zigbee2MqttCodec
from devices.codecs.zigbee2mqtt_table import profiles_of
from devices.model import Decoded, DeviceRef, Uplink
from tests.devices.captures import document, needs, rows
from tests.devices.examples import NOW

_ROWS, _CATALOG = "captures/zigbee2mqtt.jsonl", "captures/zigbee2mqtt_catalog.json"
_EVENTS = {"fall_suspected": "fall", "co": "gas"}


def _z2m(
    body: Any,
    topic: str = "zigbee2mqtt/hall",
    profile: Mapping[str, Any] | None = None,
    *,
    retained: bool = False,
    at: float = 0,
) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    uplink = Uplink(payload, NOW + timedelta(seconds=at), topic, retained)
    return Zigbee2MqttCodec().decode(uplink, DeviceRef("", "zigbee2mqtt", profile or {}))


def _types(decoded: Decoded) -> list[str | None]:
    assert decoded.error is None
    return [event.type for event in decoded.events if event.kind == "alarm"]


@needs(_ROWS)
@pytest.mark.parametrize("row", rows(_ROWS), ids=lambda row: row["id"])
def test_captured_messages(row: dict[str, Any]) -> None:
    body = row["payload_raw"].encode() if "payload_raw" in row else row["payload"]
    decoded = _z2m(body, row["topic"])
    meaning = dict(row["meaning"])
    found: dict[str, Any] = {}
    for event in decoded.events:
        found |= event.attributes
    alarm = meaning.pop("event", None) or ("water_leak" if meaning.get("water_leak") else None)
    assert _types(decoded) == ([_EVENTS.get(alarm, alarm)] if alarm else [])
    assert (found.get("suspected") is True) == (alarm == "fall_suspected")
    battery = meaning.pop("battery", decoded.events[0].battery_pct)
    assert decoded.events[0].battery_pct == (battery or None)
    meaning.pop("fall", None)
    assert {name: found[name] for name in meaning} == meaning


@needs(_CATALOG)
def test_every_model_of_the_catalogue_by_its_own_polarity() -> None:
    """Each alarm property of each model: on is an alarm, off is none, by a profile made of the gateway's list."""
    models = document(_CATALOG)["models"]
    listed = [
        {
            "friendly_name": str(index),
            "definition": {
                "model": model["model"],
                "exposes": [{"property": name, **expose} for name, expose in model["exposes"].items()],
            },
        }
        for index, model in enumerate(models)
    ]
    profiles = profiles_of(listed)
    words = {
        "sos": "sos", "smoke": "smoke", "gas": "gas", "carbon_monoxide": "gas", "water_leak": "water_leak",
        "tamper": "tamper", "battery_low": "low_battery",
    }  # fmt: skip
    seen = 0
    for index, model in enumerate(models):
        for name, expose in model["exposes"].items():
            if expose["type"] == "binary" and name in words:
                profile = profiles[str(index)]
                assert _types(_z2m({name: expose["value_on"]}, profile=profile)) == [words[name]]
                assert _types(_z2m({name: expose["value_off"]}, profile=profile)) == []
                seen += 1
            if expose["type"] == "binary" and name == "contact":
                (event,) = _z2m({name: expose["value_on"]}, profile=profiles[str(index)]).events
                assert event.attributes["door"] == "open"
                (event,) = _z2m({name: expose["value_off"]}, profile=profiles[str(index)]).events
                assert event.attributes["door"] == "closed"
            for action in expose.get("values", []) if name == "action" else []:
                expected = ["sos"] if action in ("sos", "emergency", "panic") else []
                assert _types(_z2m({"action": action})) == expected, action
    assert seen > 600


def test_one_press_on_two_topics_is_one_and_the_next_press_another() -> None:
    base = _z2m({"action": "emergency", "battery": 61}).events[0]
    assert base.key is not None
    assert base.key == _z2m(b"emergency", "zigbee2mqtt/hall/action", at=0.2).events[0].key
    assert base.key == _z2m(b'"emergency"', "zigbee2mqtt/hall/action", at=0.2).events[0].key
    assert base.key != _z2m({"action": "emergency"}, at=3).events[0].key
    assert base.key != _z2m({"action": "emergency"}, "zigbee2mqtt/bath").events[0].key


@pytest.mark.parametrize("action", ["", None])
def test_an_empty_action_says_nothing(action: str | None) -> None:
    assert [event.kind for event in _z2m({"action": action, "battery": 61}).events] == ["status"]


@pytest.mark.parametrize("body", [{"smoke": True}, {"sos": True}, {"action": "panic"}, {"fall_status": "fall_alarm"}])
def test_a_retained_message_is_a_state_never_an_alarm(body: dict[str, Any]) -> None:
    assert len(_types(_z2m(body))) == 1
    decoded = _z2m(body, retained=True)
    assert _types(decoded) == []
    assert decoded.events[0].attributes["retained"] is True


@pytest.mark.parametrize("value", [0, -1, "", None, "empty", 1000])
def test_a_battery_that_says_nothing(value: Any) -> None:
    assert _z2m({"battery": value, "smoke": True}).events[0].battery_pct is None


def test_several_alarms_of_one_message_each_count() -> None:
    decoded = _z2m({"smoke": True, "tamper": True, "battery_low": True, "contact": False})
    assert _types(decoded) == ["smoke", "tamper", "low_battery"]
    assert len({event.key for event in decoded.events if event.key}) == 3
    assert decoded.events[-1].attributes["door"] == "open"


def test_unknown_words_of_an_alarm_property_call_somebody() -> None:
    (event,) = _z2m({"smoke": "burning?"}).events
    assert (event.type, event.attributes["code"]) == ("assistance", "smoke='burning?'")
    (event,) = _z2m({"fall_status": "rolling"}).events
    assert (event.type, event.attributes["code"]) == ("assistance", "fall_status=rolling")
    assert _types(_z2m({"gas": 12})) == []  # a concentration
    assert _types(_z2m({"smoke": None})) == []


def test_the_profile_decides() -> None:
    assert _types(_z2m({"action": "hold"})) == []
    assert _types(_z2m({"action": "hold"}, profile={"actions": {"hold": "sos"}})) == ["sos"]
    assert _types(_z2m({"action": "panic"}, profile={"actions": {"panic": None}})) == []
    assert _types(_z2m({"tamper": True}, profile={"alarms": {"tamper": None}})) == []
    assert _types(_z2m({"vibration": True}, profile={"alarms": {"vibration": "tamper"}})) == ["tamper"]
    reversed_ = {"exposes": {"water_leak": {"value_on": False, "value_off": True}}}
    assert _types(_z2m({"water_leak": False}, profile=reversed_)) == ["water_leak"]
    assert _types(_z2m({"water_leak": True}, profile=reversed_)) == []
    assert _types(_z2m({"sos": True}, profile={"alarms": {"sos": "no_such"}})) == ["assistance"]


@pytest.mark.parametrize(
    ("topic", "body", "device_id", "kind", "online"),
    [
        ("zigbee2mqtt/hall/availability", {"state": "online"}, "hall", "status", True),
        ("zigbee2mqtt/hall/availability", b"offline", "hall", "status", False),
        ("zigbee2mqtt/bridge/state", b"offline", "zigbee2mqtt:bridge", "status", False),
        ("home/bridge/state", {"state": "online"}, "home:bridge", "status", True),
        ("zigbee2mqtt/bridge/logging", {"level": "info"}, "zigbee2mqtt:bridge", "unsupported", None),
        ("zigbee2mqtt/bridge/event", {"type": "device_leave", "data": {}}, "zigbee2mqtt:bridge", "status", None),
        ("zigbee2mqtt/bridge/response/x", {"status": "ok"}, "zigbee2mqtt:bridge", "reply", None),
        ("zigbee2mqtt/hall/set", {"state": "ON"}, "hall", "unsupported", None),
    ],
)
def test_topics(topic: str, body: Any, device_id: str, kind: str, online: bool | None) -> None:
    (event,) = _z2m(body, topic).events
    assert (event.device_id, event.kind, event.attributes.get("online")) == (device_id, kind, online)


def test_output_by_attribute_and_names_with_slashes() -> None:
    (event,) = _z2m(b"true", "zigbee2mqtt/floor1/bath/water_leak").events
    assert event.type == "water_leak"
    assert event.attributes["friendly_name"] == "floor1/bath"
    names = {_z2m({"sos": True}, f"zigbee2mqtt/{name}").events[0].device_id for name in ("卧室", "客厅", "floor1/bath")}
    assert len(names) == 3


@pytest.mark.parametrize("topic", ["", "zigbee2mqtt", "zigbee2mqtt/"])
def test_a_topic_without_a_name_is_an_error(topic: str) -> None:
    assert _z2m({"sos": True}, topic).error is not None


@pytest.mark.parametrize("name", ["action_code", "pin_code"])
@pytest.mark.parametrize("code", ["4711", 4711, {"user": 1, "pin_code": "4711"}])
def test_a_keypads_code_is_not_kept(name: str, code: Any) -> None:
    for action in ("disarm", "emergency"):
        (event,) = _z2m({"action": action, name: code, "action_zone": 23}).events
        assert event.attributes[f"{name}_given"] is True
        assert event.attributes["action_zone"] == 23
        assert "4711" not in repr(event)
    assert "4711" not in repr(_z2m({"users": {"1": {"status": "enabled", "pin_code": "4711"}}}))
