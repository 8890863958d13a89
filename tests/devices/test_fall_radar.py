from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from devices.codecs.fall_radar import FallRadarCodec
from devices.model import Decoded, DeviceRef, Event, Uplink
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW

_ROWS = "captures/fall_radars.jsonl"
_FALL = 1795331900000


def _decode(
    body: Any, topic: str = "/devices/bath/events", profile: Mapping[str, Any] | None = None, *, retained: bool = False
) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FallRadarCodec().decode(Uplink(payload, NOW, topic, retained), DeviceRef("", "fall_radar", profile or {}))


def _one(body: Any, *args: Any, **more: Any) -> Event:
    decoded = _decode(body, *args, **more)
    assert decoded.error is None
    (event,) = decoded.events
    return event


def _vayyar(status: str, number: int = 5, **more: Any) -> dict[str, Any]:
    return {"type": number, "payload": {"timestamp": _FALL, "status": status, **more}}


@needs(_ROWS)
@pytest.mark.parametrize("row", rows(_ROWS), ids=lambda row: row["id"])
def test_documented_messages(row: dict[str, Any]) -> None:
    body = row["payload_raw"].encode() if "payload_raw" in row else row["payload"]
    decoded = _decode(body, row["topic"])
    assert decoded.error is None
    meaning = dict(row["meaning"])
    found: dict[str, Any] = {}
    for event in decoded.events:
        found |= event.attributes
    expected = {
        "fall_suspected": "fall", "fall": "fall", "sos": "sos", "bed_exit": "bed_exit", "fall_canceled": "cancel",
        None: None, "fall_closed": None,
    }[meaning.get("event")]  # fmt: skip
    expected = "test_call" if meaning.get("test") else expected
    assert [event.type for event in decoded.events if event.kind == "alarm"] == ([expected] if expected else [])
    assert (found.get("suspected") is True) == (meaning.get("event") == "fall_suspected")
    if meaning.get("event") == "fall_closed":
        assert found["state"] == "fall_closed"
    if "episode" in meaning:
        assert found["episode"] == str(meaning.pop("episode"))
    meaning.pop("event", None)
    assert {name: found[name] for name in meaning} == meaning


def test_one_fall_is_one_suspicion_and_one_alarm() -> None:
    told = [_one(_vayyar(status)) for status in ("fall_detected", "fall_confirmed", "calling", "on_call")]
    assert [event.type for event in told] == ["fall"] * 4
    assert [event.attributes.get("suspected", False) for event in told] == [True, False, False, False]
    assert len({event.key for event in told}) == 2
    assert {event.ref for event in told} == {str(_FALL)}
    cancel = _one(_vayyar("canceled"))
    assert (cancel.type, cancel.cancels) == ("cancel", str(_FALL))
    assert [_one(_vayyar(status)).kind for status in ("finished", "fall_exit")] == ["activity", "activity"]


@pytest.mark.parametrize("status", ["fall detected", "Fall_Detected", "fall-detected"])
def test_spellings_of_the_look_alike(status: str) -> None:
    assert _one(_vayyar(status, 1)).attributes["suspected"] is True


@pytest.mark.parametrize("flag", ["isSimulated", "isLearning", "isSilent"])
@pytest.mark.parametrize("number", [5, 8, 10])
def test_what_does_not_count_is_kept_but_no_alarm(flag: str, number: int) -> None:
    event = _one(_vayyar("calling", number, **{flag: True}))
    assert event.kind == "status"
    assert event.attributes[flag.removeprefix("is").lower()] is True
    assert _one(_vayyar("calling", number, **{flag: False})).kind == "alarm"


def test_an_unknown_status_calls_somebody_and_an_unknown_type_is_kept() -> None:
    event = _one(_vayyar("rolling"))
    assert (event.type, event.attributes["code"]) == ("assistance", "rolling")
    assert _one(_vayyar("calling", 77)).type == "fall"
    assert _one({"type": 77, "payload": {"timestamp": _FALL}}).kind == "unsupported"


@pytest.mark.parametrize("regions", [{"0": 0, "2": 1}, '{"0": 0, "2": 1}'])
def test_regions_come_as_an_object_or_as_text(regions: Any) -> None:
    payload = {"timestamp": _FALL, "presenceDetected": True, "presenceRegionMap": regions}
    assert _one({"type": 4, "payload": payload}).attributes["regions"] == [2]


@pytest.mark.parametrize(
    "body",
    [
        {"devId": "t1", "status": [{"code": "drop_state", "value": "slip", "t": _FALL}]},
        {
            "bizCode": "x",
            "bizData": {"devId": "t1", "properties": [{"code": "fall_state", "value": "fall", "time": _FALL}]},
        },
        {"data": {"devId": "t1", "properties": {"drop_state": {"value": "slip", "time": _FALL}}}},
    ],
)
def test_envelopes_of_tuya(body: dict[str, Any]) -> None:
    event = _decode(body, "").events[0]
    assert (event.device_id, event.type) == ("t1", "fall")
    assert event.observed_at is not None


@pytest.mark.parametrize(
    ("value", "type_"), [("maybe_fall", "fall"), ("normal", None), ("none", None), ("upside", "assistance")]
)
def test_fall_words_of_tuya(value: str, type_: str | None) -> None:
    event = _decode({"devId": "t1", "status": [{"code": "drop_state", "value": value}]}, "").events[0]
    assert event.type == type_
    assert event.attributes.get("suspected", False) == (value == "maybe_fall")


def test_each_resource_of_an_aqara_report() -> None:
    data = [{"subjectId": "l.1", "resourceId": "4.31.85", "value": value, "time": str(_FALL)} for value in "0127"[:3]]
    events = _decode({"eventType": "resource_report", "data": data}, "").events
    assert [event.type for event in events] == [None, "fall", "assistance"]


def test_a_retained_fall_of_a_board_is_not_now() -> None:
    assert _one(b"ON", "n1/binary_sensor/fall_alarm/state").type == "fall"
    assert _one(b"ON", "n1/binary_sensor/fall_alarm/state", retained=True).kind == "status"
    assert _one(b"OFF", "home/n1/binary_sensor/fall_alarm/state").attributes["fall"] is False
    assert _one(b"offline", "n1/status").attributes["online"] is False


@pytest.mark.parametrize(
    ("name", "sent", "vitals"),
    [
        ("real-time_heart_rate", "71.0", {"heart_rate_bpm": 71}),
        ("bed_respiratory_rate", "15", {"respiration_rpm": 15}),
        ("breath_rate_rpm", "14", {"respiration_rpm": 14}),
        ("real-time_heart_rate", "0", {}),
        ("real-time_heart_rate", "9999", {}),
    ],
)
def test_what_a_board_measures_of_who_lies_in_its_beam(name: str, sent: str, vitals: dict[str, float]) -> None:
    topic = f"bed-2/sensor/{name}/state"
    event = _one(sent.encode(), topic)
    assert (event.kind, event.device_id, dict(event.vitals)) == ("vitals", "bed-2", vitals)
    assert bool(vitals) != bool(event.attributes)  # without a value there is its reason
    assert _one(sent.encode(), topic, retained=True).kind == "status"
    for noise in (b"nan", b"unavailable", b"", b"\xff\xfe", b"7e400"):
        assert _one(noise, topic).vitals == {}


@pytest.mark.parametrize(
    ("thing", "what", "type_"),
    [
        ("sos-button", "event-start", "sos"),
        ("smoke-detector", "event-start", "smoke"),
        ("smoke-detector", "event-end", None),
        ("sos-button", "event-stop", None),
        ("toaster", "event-start", "assistance"),
        ("motion-detector", "event-start", None),
        ("sos-button", "low-battery", "low_battery"),
        ("fall-detector", "alarm", "fall"),
        ("toaster", "alarm", "assistance"),
        ("fall-detector", "alarm-end", None),
        ("fall-detector", "configured", None),
    ],
)
@pytest.mark.parametrize("camel", [False, True])
def test_events_of_netlia(thing: str, what: str, type_: str | None, camel: bool) -> None:
    fields = {"DeviceId": "n1", "DeviceType": thing, "EventId": "e-1", "EventTime": "2026-11-22T07:18:20.1234567Z"}
    fields["EventType"] = what
    event = _one({(name[0].lower() + name[1:] if camel else name): value for name, value in fields.items()}, "")
    assert (event.device_id, event.type, event.ref) == ("n1", type_, "e-1")
    assert event.key is not None


@pytest.mark.parametrize(
    ("body", "online"),
    [
        ({"bizCode": "online", "devId": "bf1", "ts": 1795331704000}, True),
        ({"bizCode": "deviceOffline", "bizData": {"devId": "bf1", "productId": "p", "time": 1795331704000}}, False),
    ],
)
def test_tuya_says_who_is_reachable(body: dict[str, Any], online: bool) -> None:
    event = _one(body, "tuya")
    assert (event.device_id, event.kind, event.attributes["online"]) == ("bf1", "status", online)
    assert event.observed_at is not None


def test_a_battery_beside_an_alarm_of_tuya_is_not_lost() -> None:
    body = {"devId": "b", "status": [{"code": "sos_state", "value": True}, {"code": "battery_percentage", "value": 40}]}
    decoded = FallRadarCodec().decode(Uplink(json.dumps(body).encode(), NOW, "tuya"), DeviceRef(""))
    assert [(event.kind, event.type, event.battery_pct) for event in decoded.events] == [
        ("alarm", "sos", None), ("status", None, 40),
    ]  # fmt: skip


def test_buttons_of_the_local_gateway_by_profile() -> None:
    body = {"cmd": "report", "model": "switch", "sid": "s1", "data": '{"status": "long_click_press"}'}
    assert _one(body, "").attributes["button"] == "long"
    event = _one(body, "", {"actions": {"long": "sos"}})
    assert (event.type, event.key) == ("sos", None)
    assert _one(body | {"model": "smoke", "data": '{"alarm": "1"}'}, "").type == "smoke"
    assert _one(body | {"model": "smoke", "data": '{"alarm": "9"}'}, "").type == "assistance"


@pytest.mark.parametrize(
    ("model", "sent", "said"),
    [
        ("sensor_motion.aq2", '{"no_motion": "120"}', {"state": "no_motion", "motion": False}),
        ("sensor_motion.aq2", '{"status": "motion"}', {"state": "motion", "motion": True}),
        ("magnet", '{"no_close": "60"}', {"state": "door_open", "door": "open"}),
        ("magnet", '{"status": "close"}', {"state": "door_closed", "door": "closed"}),
    ],
)
def test_how_long_nothing_has_changed_at_an_aqara_gateway(model: str, sent: str, said: dict[str, Any]) -> None:
    event = _one({"cmd": "report", "model": model, "sid": "s7", "data": sent}, "")
    assert event.kind == "activity"
    assert said.items() <= event.attributes.items()
