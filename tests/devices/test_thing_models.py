from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from devices.codecs.thing_model_table import ALARM_WORDS, PROPERTY_NAMES, alarm_of
from devices.fields import METRICS
from devices.geo import wgs84_to_gcj02
from devices.model import Decoded, DeviceRef, Uplink
from devices.registry import FAMILIES
from hub.alarms import table
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW

_ROWS = "captures/thing_models.jsonl"
_FAMILY = {"alink": "alink", "onenet": "onenet", "iotda": "huawei", "thingsboard": "thingsboard"}
_OURS = [row for row in rows(_ROWS) if row["platform"] in _FAMILY]
_T = 1795331900000
_AT = "2026-11-22T07:18:20+00:00"
_POST = "/sys/pk/band/thing/event/property/post"


def _decode(family: str, body: Any, topic: str = "", profile: Mapping[str, Any] | None = None) -> Decoded:
    decoded = FAMILIES[family].codec.decode(
        Uplink(json.dumps(body).encode(), NOW, topic), DeviceRef("", family, profile or {})
    )
    assert decoded.error is None
    return decoded


def _post(params: Any, profile: Mapping[str, Any] | None = None) -> Decoded:
    return _decode("alink", {"id": "1", "params": params, "method": "thing.event.property.post"}, _POST, profile)


@needs(_ROWS)
@pytest.mark.parametrize("row", _OURS, ids=lambda row: row["id"])
def test_documented_messages(row: dict[str, Any]) -> None:
    decoded = _decode(_FAMILY[row["platform"]], row["payload"], row["topic"])
    meaning = dict(row["meaning"])
    event = decoded.events[0]
    found = {
        **event.attributes,
        "battery": event.battery_pct,
        "devices": len({one.device_id for one in decoded.events}),
    }
    found |= {"heart_rate": event.vitals.get("heart_rate_bpm"), "spo2": event.vitals.get("spo2_pct")}
    found |= {"temperature_c": event.vitals.get("temperature_c"), "event": event.type}
    if "ts_ms" in meaning:
        assert event.observed_at is not None
        assert round(event.observed_at.timestamp() * 1000) == meaning.pop("ts_ms")
    assert {name: found[name] for name in meaning} == meaning


def test_tables_lead_to_words_there_are() -> None:
    assert set(ALARM_WORDS.values()) <= set(table.ALARM_TYPES)
    other = {"battery_pct", "lat", "lon", "accuracy_m", "datum", "wearing", "blood_pressure", "alarm_code"}
    assert set(PROPERTY_NAMES.values()) == set(METRICS) | other


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("SosAlarm", "sos"), ("SOS_EVENT", "sos"), ("fallDetected", "fall"), ("跌倒报警", "fall"),
        ("LowBatteryWarning", "low_battery"),
        ("leaveFence", "wandering"), ("heartRateAlarm", "heart_rate_abnormal"), ("lichuang", "bed_exit"),
        ("strangeAlarm", "assistance"), ("bootReport", None),
    ],
)  # fmt: skip
def test_names_of_events(name: str, type_: str | None) -> None:
    assert alarm_of(name) == type_


def test_properties_of_several_moments_are_told_apart() -> None:
    params = {
        "HeartRate": {"value": 71, "time": _T},
        "xueyang": {"value": 96, "time": _T - 600_000},
        "SBP": [{"value": 130, "time": _T}, {"value": 131, "time": _T - 60_000}],
        "dianliang": 55,
        "Mode": "night",
    }
    events = _post(params).events
    told = [(event.vitals, event.battery_pct, event.buffered) for event in events]
    assert ({"heart_rate_bpm": 71, "systolic_mmhg": 130}, None, False) in told
    assert ({"spo2_pct": 96}, None, True) in told
    assert ({"systolic_mmhg": 131}, None, False) in told
    assert events[-1].attributes["properties"] == {"Mode": "night"}
    assert events[-1].battery_pct == 55


@pytest.mark.parametrize(
    ("value", "types"), [(1, ["sos"]), (True, ["sos"]), ("on", ["sos"]), (0, []), ("", []), (None, []), (7, ["sos"])]
)
def test_an_alarm_property_is_on_or_off(value: Any, types: list[str]) -> None:
    assert [event.type for event in _post({"sos": value}).events if event.kind == "alarm"] == types


def test_alarm_codes_are_the_profiles() -> None:
    (event,) = _post({"alarmType": 3}).events
    assert (event.type, event.attributes["code"]) == ("assistance", "alarmType=3")
    assert _post({"alarmType": 3}, {"alarm_codes": {"3": "fall"}}).events[0].type == "fall"
    assert _post({"alarmType": 3}, {"alarm_codes": {"3": None}}).events[0].kind == "status"
    assert _post({"alarmType": "fall_detected"}).events[0].type == "fall"
    assert _post({"alarmType": 0}).events[0].kind == "status"


def test_names_and_scales_are_the_profiles() -> None:
    profile = {"properties": {"p1": "temperature_c", "sos": None, "k2": "fall"}, "scale": {"p1": 0.1}}
    events = _post({"p1": 365, "sos": 1, "k2": 1}, profile).events
    assert [event.type for event in events] == ["fall", None]
    assert events[1].vitals == {"temperature_c": 36.5}
    assert events[1].attributes["properties"] == {"sos": 1}


def test_datums_are_made_wgs84() -> None:
    lat, lon = wgs84_to_gcj02(31.9, 118.8)
    spelt = {"GeoLocation": {"Latitude": lat, "Longitude": lon, "CoordinateSystem": 2}}
    for params, profile in (
        (spelt, {}),
        ({"lat": lat, "lng": lon}, {"datum": "gcj02"}),
        ({"lat": 31.9, "lon": 118.8}, {}),
    ):
        (event,) = _post(params, profile).events
        assert event.fix is not None
        assert (round(event.fix.lat, 6), round(event.fix.lon, 6)) == (31.9, 118.8)
    assert _post({"lat": 0, "lon": 0}).events[0].fix is None


def test_what_is_not_worn_measures_nothing() -> None:
    (event,) = _post({"wear": 0, "HeartRate": 80, "steps": 10}).events
    assert event.vitals == {"wearing": 0.0, "steps": 10}


def test_an_alink_event_is_one_alarm_with_what_it_brings() -> None:
    topic = "/sys/pk/band/thing/event/SosAlarm/post"
    body = {"id": "9", "params": {"value": {"sos": 1, "HeartRate": 99, "lat": 31.9, "lon": 118.8}, "time": _T}}
    decoded = _decode("alink", body | {"method": "thing.event.SosAlarm.post"}, topic)
    alarm = decoded.events[0]
    assert [event.type for event in decoded.events] == ["sos", None, None]
    assert alarm.observed_at is not None
    assert alarm.observed_at.isoformat() == _AT
    assert alarm.fix is not None
    (reply,) = decoded.replies
    assert (reply.topic, reply.after_commit) == (topic + "_reply", True)
    assert json.loads(reply.payload) == {
        "code": 200, "data": {}, "id": "9", "message": "success", "method": "thing.event.SosAlarm.post",
        "version": "1.0",
    }  # fmt: skip
    assert _decode("alink", body | {"sys": {"ack": 0}}, topic).replies == ()


def test_an_unexplained_code_beside_an_alarms_name_is_no_second_alarm() -> None:
    body = {"id": "4", "params": {"value": {"alarmType": 1, "fall": True}, "time": 1795331704000}}
    topic = "/sys/p1/w1/thing/event/{}/post"
    events = _decode("alink", body, topic.format("sos")).events
    assert [event.type for event in events] == ["sos", "fall"]
    assert events[0].attributes["properties"] == {"alarmType": "1"}
    explained = _decode("alink", body, topic.format("sos"), {"alarm_codes": {"1": "gas"}})
    assert [event.type for event in explained.events] == ["sos", "gas", "fall"]
    alone = _decode("alink", body, topic.format("alarm"))
    assert [event.type for event in alone.events] == ["assistance", "fall"]


def test_gathered_data_points_of_onenet_are_not_lost() -> None:
    points = [
        {"type": 1, "dev_name": "w1", "ds_id": "sos", "value": 1, "at": 1795331704000},
        {"type": 1, "dev_name": "w2", "ds_id": "spo2", "value": "97", "at": 1795331704000},
        {"type": 2, "dev_name": "w2", "status": 0, "at": 1795331704000},
    ]
    decoded = _decode("onenet", {"msg": points, "nonce": "n", "signature": "s"})
    said = [(event.device_id, event.kind, event.type, dict(event.vitals)) for event in decoded.events]
    assert said == [("w1", "alarm", "sos", {}), ("w2", "vitals", None, {"spo2_pct": 97}), ("w2", "status", None, {})]
    assert decoded.events[2].attributes["online"] is False


def test_pushes_and_packs_of_alink() -> None:
    push = {"deviceName": "band", "identifier": "fall", "name": "x", "type": "alert", "value": {}, "time": _T}
    assert _decode("alink", push, "/pk/band/thing/event/fall/post").events[0].type == "fall"
    odd = _decode("alink", push | {"identifier": "zz9"}, "").events[0]
    assert (odd.type, odd.attributes["level"]) == ("assistance", "alert")
    assert _decode("alink", push | {"identifier": "zz9", "type": "info"}, "").events[0].kind == "unsupported"
    at = {"value": 1, "time": _T}
    own = {"properties": {"HeartRate": {"value": 70, "time": _T}}, "events": {"sos": {"value": {}, "time": _T}}}
    sub = {"identity": {"deviceName": "s2"}, "properties": {"sos": at}}
    pack = {"params": {**own, "subDevices": [sub]}}
    events = _decode("alink", pack, "/sys/pk/gw/thing/event/property/pack/post").events
    assert [(event.device_id, event.type) for event in events] == [("gw", None), ("gw", "sos"), ("s2", "sos")]
    (status,) = _decode("alink", {"status": "offline", "deviceName": "band"}, "/as/mqtt/status/pk/band").events
    assert status.attributes["online"] is False
    history = {"params": [{"identity": {"deviceName": "s2"}, "properties": [{"HeartRate": {"value": 70, "time": _T}}]}]}
    (old,) = _decode("alink", history, "/sys/pk/gw/thing/event/property/history/post").events
    assert (old.device_id, old.buffered) == ("s2", True)


def test_what_a_device_of_onenet_is_told_is_no_event_of_it() -> None:
    for path in ("property/set", "property/get", "service/find/invoke"):
        decoded = _decode("onenet", {"id": "5", "params": {"sos": {"value": 1}}}, f"$sys/p/band/thing/{path}")
        assert [event.kind for event in decoded.events] == ["unsupported"]
        assert decoded.replies == ()


def test_onenet() -> None:
    params = {"sos": {"value": {}, "time": _T}, "fall": [{"value": {}, "time": _T}, {"value": {}, "time": _T + 9000}]}
    decoded = _decode("onenet", {"id": "5", "params": params}, "$sys/p/band/thing/event/post")
    assert [event.type for event in decoded.events] == ["sos", "fall", "fall"]
    assert len({event.key for event in decoded.events}) == 3
    assert decoded.replies[0].topic == "$sys/p/band/thing/event/post/reply"
    push = {
        "messageType": "notify",
        "notifyType": "property",
        "deviceName": "b",
        "data": {"params": {"xinlv": {"value": 70, "time": _T}}},
    }
    assert _decode("onenet", push).events[0].vitals == {"heart_rate_bpm": 70}
    assert _decode("onenet", {"msg": json.dumps(push), "nonce": "n", "signature": "s"}).events[0].device_id == "b"
    event = push | {"notifyType": "event", "data": {"params": {"sos": {"value": {}, "time": _T}}}}
    assert _decode("onenet", event).events[0].type == "sos"
    older = {"msg": {"type": 1, "dev_id": 77, "ds_id": "sos", "at": _T, "value": 1}}
    assert [(one.device_id, one.type) for one in _decode("onenet", older).events] == [("77", "sos")]


@pytest.mark.parametrize("at", ["20261122T071820Z", "2026-11-22T07:18:20.000Z", "2026-11-22T15:18:20+08:00"])
def test_huawei(at: str) -> None:
    service = {"service_id": "w", "event_time": at, "properties": {"xueyang": 95, "fall": True}}
    alarm, vitals = _decode("huawei", {"services": [service]}, "$oc/devices/band/sys/properties/report").events
    assert (alarm.device_id, alarm.type, vitals.vitals) == ("band", "fall", {"spo2_pct": 95})
    assert alarm.observed_at is not None
    assert alarm.observed_at.isoformat() == _AT
    happened = {"service_id": "w", "event_type": "sosAlarm", "event_time": at, "paras": {"HeartRate": 90}}
    sub = {"devices": [{"device_id": "s1", "services": [happened]}]}
    events = _decode("huawei", sub, "$oc/devices/gw/sys/gateway/sub_devices/properties/report").events
    assert [(event.device_id, event.kind) for event in events] == [("s1", "alarm"), ("s1", "vitals")]
    push = {
        "resource": "device.status",
        "event": "update",
        "notify_data": {"header": {"device_id": "b"}, "body": {"status": "OFFLINE"}},
    }
    assert _decode("huawei", push).events[0].attributes["online"] is False


def test_thingsboard() -> None:
    topic = "v1/devices/me/telemetry"
    late, now = _decode(
        "thingsboard", [{"ts": _T - 600_000, "values": {"hr": 70}}, {"ts": _T, "values": {"hr": 72}}], topic
    ).events
    assert (late.buffered, now.buffered) == (True, False)
    assert _decode("thingsboard", {"sos": True}, topic).events[0].type == "sos"
    body = {"Room 1": [{"ts": _T, "values": {"fall": 1}}], "band-2": {"battery": 5}}
    events = _decode("thingsboard", body, "v1/gateway/telemetry").events
    assert [event.type for event in events] == ["fall", None]
    assert events[1].device_id == "band-2"
    assert _decode("thingsboard", {"device": "band-2"}, "v1/gateway/disconnect").events[0].attributes["online"] is False
    answer = _decode("thingsboard", {"ok": True}, "v1/devices/me/rpc/response/31").events[0]
    assert (answer.kind, answer.ref) == ("reply", "31")


def test_events_behind_a_known_gateway_are_filed_under_it() -> None:
    uplink = Uplink(json.dumps({"Room 1": {"sos": 1}}).encode(), NOW, "v1/gateway/telemetry")
    (event,) = FAMILIES["thingsboard"].codec.decode(uplink, DeviceRef("gw-1", "thingsboard")).events
    assert (event.device_id, event.attributes["sub_device"]) == ("gw-1", "Room 1")
