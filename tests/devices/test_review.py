"""Rules that messages beyond the captured ones must keep: what was overlooked once, and stays looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices import FAMILIES, Decoded, DeviceRef, Uplink
from devices.shares import shares
from hub.decode import decode_lines
from tests.devices.captures import document, needs
from tests.devices.examples import NOW


def decode(family: str, body: Any, topic: str = "", **profile: Any) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FAMILIES[family].codec.decode(Uplink(payload, NOW, topic), DeviceRef("", family, profile))


def alarms(decoded: Decoded) -> list[str | None]:
    return [event.type for event in decoded.events if event.kind == "alarm"]


@pytest.mark.parametrize("stop", [True, "MANUAL", "REMOTE", "STUCK", 1, {"pressed": True}])
def test_a_stop_that_is_not_the_standards_word_is_a_stop(stop: Any) -> None:
    body = {"safetyState": {"activeEmergencyStop": stop}}
    assert alarms(decode("vda5050", body, "uagv/v2/C/R7/state")) == ["robot_stuck"]


@pytest.mark.parametrize("stop", [False, None, "NONE", "AUTOACK", ""])
def test_no_stop_and_the_daily_one_are_none(stop: Any) -> None:
    body = {"safetyState": {"eStop": stop}}
    assert alarms(decode("vda5050", body, "uagv/v2/C/R7/state")) == []


def test_onenet_gathers_pushes_of_several_devices() -> None:
    older = [
        {"type": 1, "dev_id": 12, "ds_id": "sos", "value": 1, "at": 1795331900000},
        {"type": 2, "dev_id": 13, "status": 0, "at": 1795331900000},
        7,
    ]
    for body in (older, {"msg": older, "nonce": "n"}, {"msg": json.dumps(older), "nonce": "n"}):
        decoded = decode("onenet", body)
        assert [(event.device_id, event.type, event.kind) for event in decoded.events] == [
            ("12", "sos", "alarm"),
            ("13", None, "status"),
        ]
        assert decoded.error is not None
    many = decode(
        "onenet",
        [{"type": 1, "dev_id": 12, "ds_id": "sos", "value": 1, "at": at} for at in range(1795331900000, 1795331900500)],
    )
    assert len(many.events) == 200
    assert "only 200" in (many.error or "")


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"alarm_type": "sos"}, "sos"), ({"name": "fall_alarm"}, "fall"), ({"level": 2}, "assistance")],
)
def test_an_alarm_of_the_huawei_platform_is_one(body: dict[str, Any], expected: str) -> None:
    push = {
        "resource": "device.alarm",
        "event": "report",
        "event_time": "20261122T071820Z",
        "notify_data": {"header": {"device_id": "d"}, "body": body},
    }
    assert alarms(decode("huawei", push)) == [expected]


@needs("captures/zigbee2mqtt_catalog.json")
def test_every_alarm_property_of_the_catalogue_is_an_alarm_where_it_is_on() -> None:
    catalogue = document("captures/zigbee2mqtt_catalog.json")
    quiet = {"contact", "occupancy", "presence", "vibration", "fall_detection", "tumble_switch"}
    wrong = []
    for model in catalogue["models"]:
        for name, exposed in model["exposes"].items():
            if exposed.get("type") != "binary" or name in quiet:
                continue
            for which, expected in (("value_on", 1), ("value_off", 0)):
                body = {name: exposed[which]}
                profile = {"model": model["model"], "exposes": {name: exposed}}
                found = alarms(decode("zigbee2mqtt", body, "zigbee2mqtt/a", **profile))
                if len(found) != expected:
                    wrong.append((model["model"], name, which, found))
    assert wrong == []


def test_hub_decode_takes_a_message_that_came_over_http() -> None:
    line = (
        '{"topic": null, "payload": {"_type": "location", "tid": "li", "lat": 31.9, "lon": 118.8, "tst": 1795331900}}'
    )
    wrong = '{"payload": {}}'
    good, bad = decode_lines("owntracks", [line, wrong], mqtt=True, received_at=NOW)
    assert good.decoded.events[0].device_id == "li"
    assert "was expected" in (bad.error or "")


# --- a push of several devices ----------------------------------------------------------------------------------------


def of(family: str, body: Any, topic: str = "") -> list[list[str]]:
    """The devices that each share speaks of."""
    payload = json.dumps(body).encode()
    return [
        sorted({event.device_id for event in decode(family, share, topic).events})
        for share in shares(family, payload, topic)
    ]


def test_a_push_is_taken_apart_by_device() -> None:
    services = [{"service_id": "w", "properties": {"sos": 1}}]
    two = [{"device_id": "a", "services": services}, {"device_id": "b", "services": services}]
    assert of("huawei", {"devices": two}) == [["a"], ["b"]]
    assert of("huawei", {"notify_data": {"header": {"device_id": "gw"}, "body": {"devices": two}}}) == [["a"], ["b"]]
    telemetry = {"a": [{"ts": 1795331900000, "values": {"sos": 1}}], "b": [{"ts": 1795331900000, "values": {"sos": 1}}]}
    assert of("thingsboard", telemetry, "v1/gateway/telemetry") == [["a"], ["b"]]
    reports = [{"subjectId": name, "resourceId": "4.31.85", "value": "1"} for name in ("a", "b", "a")]
    assert of("fall_radar", {"eventType": "resource_report", "data": reports}) == [["a"], ["b"]]


@pytest.mark.parametrize("family", [*FAMILIES])
@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[]", b"[1]", b'{"data": 5}', b'{"devices": [1, 2]}', b'{"msg": "["}']
)
def test_what_cannot_be_taken_apart_stays_whole(family: str, payload: bytes) -> None:
    for share in shares(family, payload):
        FAMILIES[family].codec.decode(Uplink(share, NOW), DeviceRef("", family))
    assert shares(family, payload)
    assert shares(family, b"[" * 50_000) == [b"[" * 50_000]


def test_when_a_zone_was_drawn_is_no_time_of_the_phone() -> None:
    body = {"_type": "waypoint", "desc": "home", "lat": 31.9, "lon": 118.8, "rad": 100, "tst": 1700000000}
    (event,) = decode("owntracks", body, "owntracks/a/b/waypoint").events
    assert (event.kind, event.observed_at) == ("status", None)
    assert event.attributes["waypoints"][0]["name"] == "home"


def test_nothing_in_a_robots_list_is_no_error() -> None:
    found = decode("vda5050", {"errors": [None, {"errorType": "x", "errorLevel": "DOOM"}]}, "uagv/v2/C/R7/state")
    assert alarms(found) == ["device_fault"]


def test_a_pressed_button_of_a_thing_model_is_pressed() -> None:
    found = decode("thingsboard", {"w1": [{"ts": 1795331704000, "values": {"sos": "pressed"}}]}, "v1/gateway/telemetry")
    assert alarms(found) == ["sos"]
