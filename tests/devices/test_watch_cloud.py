from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Decoded
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


@pytest.mark.parametrize("device_id", [None, "", "<imei>", True, ["x"], "hub-1"])
def test_a_push_that_names_no_device_is_an_error(device_id: Any) -> None:
    decoded = _push({}, device_id=device_id)
    assert decoded.events == ()
    assert decoded.error is not None
    assert "names no device" in decoded.error


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
