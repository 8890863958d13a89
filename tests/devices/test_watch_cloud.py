from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Decoded
from devices.topics import is_device_id
from tests.devices.captures import needs, rows
from tests.devices.examples import al_frame, watch, watch_text

_PUSHES = "captures/watch_cloud_webhook.jsonl"


def _push(data: Any, flag: Any = "AL", device_id: Any = "5550001234") -> Decoded:
    return watch(json.dumps({"deviceId": device_id, "flag": flag, "data": data}).encode())


@needs(_PUSHES)
@pytest.mark.parametrize("row", [row for row in rows(_PUSHES) if "flag" in row["payload"]], ids=lambda row: row["id"])
def test_captured_pushes(row: dict[str, Any]) -> None:
    decoded = _push(row["payload"]["data"], row["payload"]["flag"])
    (event,) = decoded.events
    meaning = row["meaning"]
    assert event.type == {"alarm_unspecified": "assistance"}.get(meaning["event"], meaning["event"])
    assert event.battery_pct == meaning.get("battery")
    assert (None if event.fix is None else [event.fix.lat, event.fix.lon]) == meaning["position"]
    assert event.observed_at is not None
    assert event.observed_at.isoformat() == row["payload"]["data"]["time"].replace(" ", "T") + "+00:00"
    assert len(event.attributes["cells"]) == 1
    assert len(event.attributes["wifi"]) == meaning.get("wifi", 1)
    assert [reply.payload for reply in decoded.replies] == [b"Success"]
    assert decoded.replies[0].after_commit


def test_the_same_press_by_both_ways_is_one() -> None:
    direct = watch_text(al_frame("00210000"))
    pushed = _push({"time": "2026-11-22 07:15:04", "status": "00210000", "latitude": 0, "longitude": 0})
    assert [event.key for event in pushed.events] == [event.key for event in direct.events]
    assert [event.type for event in pushed.events] == ["sos", "fall"]


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {"status": [5]}, {"time": "now", "latitude": "north", "wifis": [[]]}]
)
def test_a_broken_alarm_push_is_still_an_alarm(data: Any) -> None:
    decoded = _push(data)
    assert [event.type for event in decoded.events] == ["assistance"]
    assert decoded.events[0].attributes["faults"]


def test_a_position_push_is_a_location() -> None:
    decoded = _push({"time": "2026-11-22 07:15:04", "latitude": 31.9, "longitude": 118.8, "status": "00000000"}, "UD")
    assert [event.kind for event in decoded.events] == ["location"]
    assert decoded.events[0].fix is not None


@pytest.mark.parametrize("device_id", [None, "", True, ["x"]])
def test_an_alarm_of_nobody_is_an_alarm_without_a_key(device_id: Any) -> None:
    (event,) = _push({"time": "2026-11-22 07:15:04", "status": "00010000"}, device_id=device_id).events
    assert (event.type, event.device_id, event.key, event.ref) == ("sos", "", None, None)
    assert event.attributes["faults"]["deviceId"]


@pytest.mark.parametrize("device_id", ["<imei>", "hub-1", 5550001234])
def test_a_badly_named_device_gets_a_name_that_can_be_one(device_id: Any) -> None:
    (event,) = _push({"time": "2026-11-22 07:15:04", "status": "00010000"}, device_id=device_id).events
    assert is_device_id(event.device_id)
    assert event.key is not None


@needs(_PUSHES)
@pytest.mark.parametrize("row", rows(_PUSHES), ids=lambda row: row["id"])
def test_every_row_decodes_to_what_it_means(row: dict[str, Any]) -> None:
    decoded = watch(json.dumps(row["payload"]).encode())
    assert decoded.error is None
    vitals = {name: value for event in decoded.events for name, value in event.vitals.items()}
    meaning = row["meaning"]
    if "heart_rate" in meaning:
        assert vitals["heart_rate_bpm"] == meaning["heart_rate"]
        assert [vitals["systolic_mmhg"], vitals["diastolic_mmhg"]] == meaning["bp"]
    if "steps" in meaning:
        assert vitals["steps"] == meaning["steps"]
    if meaning.get("event") is None:
        assert not any(event.kind == "alarm" for event in decoded.events)


@pytest.mark.parametrize("body", [b"{}", b'{"a": 1}', b'{"deviceid": "x"}'])
def test_what_is_no_push_is_an_error(body: bytes) -> None:
    decoded = watch(body)
    assert decoded.events == ()
    assert "not a push" in (decoded.error or "")


@given(
    st.dictionaries(
        st.sampled_from(["time", "latitude", "longitude", "status", "sites", "wifis", "battery", "steps"]),
        st.none()
        | st.floats()
        | st.integers()
        | st.text(max_size=9)
        | st.lists(st.lists(st.text(max_size=5), max_size=4)),
    )
)
def test_any_push(data: dict[str, Any]) -> None:
    decoded = watch(json.dumps({"deviceId": "5550001234", "flag": "AL", "data": data}).encode())
    assert all(event.kind == "alarm" for event in decoded.events)
    assert bool(decoded.events) == (decoded.error is None)
