"""Whatever a broker or a cloud hands to the JSON families: no exception, no flood, nothing that could not be kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.json_body import MAX_EVENTS
from devices.model import KINDS, Decoded, DeviceRef, Uplink
from devices.registry import FAMILIES
from devices.topics import is_device_id
from hub.alarms import table
from hub.decode import to_json
from tests.devices.examples import EXAMPLES, NOW

_FAMILIES = ("zigbee2mqtt", "owntracks", "fall_radar", "vda5050", "alink", "onenet", "huawei", "thingsboard")
_TOPICS = {
    "zigbee2mqtt": [
        "zigbee2mqtt/a",
        "zigbee2mqtt/a/action",
        "zigbee2mqtt/bridge/event",
        "zigbee2mqtt/卧室/availability",
    ],
    "owntracks": ["owntracks/a/b", "", "owntracks/a/b/event"],
    "fall_radar": [
        "/devices/a/events",
        "devices/a/state",
        "",
        "n/binary_sensor/fall/state",
        "tylink/x/thing/property/report",
    ],
    "vda5050": ["uagv/v2/M/S/state", "uagv/v3/M/S/connection", "uagv/v2/M/S/order", "uagv/v2/M/S/visualization"],
    "alink": [
        "/sys/p/d/thing/event/property/post",
        "/sys/p/d/thing/event/x/post",
        "/sys/p/d/thing/event/pack/post",
        "",
    ],
    "onenet": ["$sys/p/d/thing/property/post", "$sys/p/d/thing/event/post", "$sys/p/d/thing/pack/post", ""],
    "huawei": ["$oc/devices/d/sys/properties/report", "", "$oc/devices/d/sys/events/up"],
    "thingsboard": [
        "v1/devices/me/telemetry",
        "v1/gateway/telemetry",
        "v1/gateway/connect",
        "v1/devices/me/rpc/request/1",
    ],
}
_WORDS = {
    "zigbee2mqtt": "action battery last_seen linkquality smoke gas contact occupancy presence sos tamper fall_status "
    "sensor_status state type data device illuminance",
    "owntracks": "_type tst lat lon acc alt batt bs vel cog t event desc rid wtst conn created_at _id steps "
    "waypoints topic",
    "fall_radar": "type payload timestamp status isLearning presenceDetected presenceRegionMap trackerTargets result "
    "code value data subjectId resourceId cmd sid model EventType DeviceType EventId bizData properties t devId",
    "vda5050": "timestamp serialNumber connectionState errors errorType errorLevel errorReferences safetyState eStop "
    "batteryState batteryCharge powerSupply actionStates actionId actionStatus actions agvPosition orderId",
    "alink": "id params method items value time identifier type deviceName status code sys properties events "
    "subDevices identity HeartRate sos GeoLocation Latitude alarmType",
    "onenet": "id params value time msg messageType notifyType data status deviceName type dev_id ds_id at sos",
    "huawei": "services service_id properties event_time event_type paras notify_data header body device_id "
    "devices status",
    "thingsboard": "ts values device sos fall heartRate battery latitude longitude bp wear method params id data",
}
_VALUES = "location transition lwt steps waypoints sos fall_detected FATAL MANUAL calling ON notify leave"
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(_VALUES.split())
    | st.sampled_from(["1e400", "\x00", "20231108T102030Z", "9999-12-31T23:59:59-14:00", "20261122071820", "\ud800"])
    | st.sampled_from([0, 1, 5, 8, -1, 1795331900, 1795331900000, 10**17, 0.5])
)


def _bodies(family: str) -> st.SearchStrategy[Any]:
    names = st.sampled_from(_WORDS[family].split()) | st.text(max_size=6)
    return st.recursive(
        _SCALARS, lambda inner: st.dictionaries(names, inner, max_size=7) | st.lists(inner, max_size=3), max_leaves=14
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _check(decoded: Decoded, size: int) -> None:
    assert decoded.error is None or decoded.error.strip()
    assert len(decoded.events) <= MAX_EVENTS + 1
    for event in decoded.events:
        text = json.dumps(to_json(event), allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
        assert all("\x00" not in found for found in _texts(json.loads(text)))
        assert len(text) < 20 * size + 40_000
        assert event.kind in KINDS
        assert is_device_id(event.device_id)
        assert (event.type in table.ALARM_TYPES) == (event.kind == "alarm")
        assert event.key is None or (len(event.key) < 200 and event.key.isascii())
        assert event.ref is None or 1 <= len(event.ref) <= 64
    for reply in decoded.replies:
        assert json.loads(reply.payload)


def _decode(family: str, topic: str, payload: bytes, retained: bool = False, **profile: Any) -> Decoded:
    uplink = Uplink(payload, NOW, topic, retained)
    decoded = FAMILIES[family].codec.decode(uplink, DeviceRef("", family, profile))
    _check(decoded, len(payload))
    # with an id given, every event is filed under it
    named = FAMILIES[family].codec.decode(uplink, DeviceRef("dev-1", family, profile))
    assert {event.device_id for event in named.events} <= {"dev-1"}
    return decoded


@pytest.mark.parametrize("family", _FAMILIES)
@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_json(family: str, data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(_TOPICS[family]) | st.text(max_size=20))
    _decode(family, topic, json.dumps(data.draw(_bodies(family))).encode(), data.draw(st.booleans()))


@pytest.mark.parametrize("family", _FAMILIES)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bytes_and_damaged_examples(family: str, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([example.payload for example in EXAMPLES[family]]))
    at, cut = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 4))
    payload = data.draw(
        st.binary(max_size=60) | st.binary(max_size=3).map(lambda put: good[:at] + put + good[at + cut :])
    )
    _decode(family, data.draw(st.sampled_from(_TOPICS[family])), payload)


@pytest.mark.parametrize("family", _FAMILIES)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_profile(family: str, data: st.DataObject) -> None:
    """A profile is data somebody typed: it may be wrong, it may not cost a message."""
    names = (
        "exposes alarms actions falls window_s model enter leave datum battery_scale errors error_levels properties "
    )
    names += "events alarm_codes scale zone_minutes dialect beacon_leave"
    profile = data.draw(
        st.dictionaries(
            st.sampled_from(names.split()),
            _SCALARS
            | st.dictionaries(st.sampled_from(["sos", "smoke", "FATAL", "fall", "blocked"]), _SCALARS, max_size=3),
            max_size=6,
        )
    )
    example = data.draw(st.sampled_from(EXAMPLES[family]))
    _decode(family, example.topic, example.payload, **profile)


@pytest.mark.parametrize("family", _FAMILIES)
def test_deep_nests_and_long_lists(family: str) -> None:
    many = ",".join('{"errorType":"x","errorLevel":"FATAL","code":"sos","value":true}' for _ in range(3000))
    bodies = [b"[" * 100_000, b'{"params":' * 50_000, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", b"9" * 10_000]
    bodies += [
        f'{{"{name}":[{many}]}}'.encode() for name in ("errors", "status", "data", "services", "params", "waypoints")
    ]
    bodies += [json.dumps({"params": {f"sos{n}": {"value": 1} for n in range(5000)}}).encode()]
    bodies += [json.dumps({f"p{n}": n for n in range(5000)}).encode()]
    for topic in _TOPICS[family]:
        for body in bodies:
            _decode(family, topic, body)
