from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.codecs.owntracks import OwnTracksCodec
from devices.model import Decoded, DeviceRef, Event, Uplink
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW

_ROWS = "captures/owntracks.jsonl"
_KINDS = {
    "location": "location", "lwt": "status", "transition": "alarm", "steps": "vitals", "waypoints": "status",
    "encrypted": "unsupported", "cmd": "unsupported",
}  # fmt: skip
_EXPECTED = {"geofence_enter": "geofence_enter", "beacon_leave": "wandering"}


def _decode(body: Any, topic: str = "owntracks/li/phone", profile: Mapping[str, Any] | None = None) -> Decoded:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return OwnTracksCodec().decode(Uplink(payload, NOW, topic), DeviceRef("", "owntracks", profile or {}))


def _one(body: Any, **more: Any) -> Event:
    decoded = _decode(body, **more)
    assert decoded.error is None
    (event,) = decoded.events
    return event


@needs(_ROWS)
@pytest.mark.parametrize("row", rows(_ROWS), ids=lambda row: row["id"])
def test_captured_messages(row: dict[str, Any]) -> None:
    expect = row.get("expect", {})
    if "payload_raw" in row:
        decoded = _decode(row["payload_raw"].encode(), row["topic"])
        assert decoded.events == ()
        assert decoded.error is not None
        assert decoded.error.startswith(expect["error"])
        return
    sent = row["payload"]
    event = _one(sent, topic=row["topic"] or "")
    assert event.kind == _KINDS[row["_type"]]
    if event.kind == "location":
        assert event.battery_pct == sent.get("batt")
        assert ("speed_kmh" in event.attributes) == (sent.get("vel", -1) != -1)
        if sent["lat"] > 90:
            assert event.fix is None
            assert "outside the globe" in event.attributes["faults"]["fix"]
        else:
            assert event.fix is not None
            assert (event.fix.lat, event.fix.lon, event.fix.accuracy_m) == (sent["lat"], sent["lon"], sent.get("acc"))
        at = None if sent["tst"] < 10**9 else datetime.fromtimestamp(sent["tst"], UTC)
        assert event.observed_at == at
    for traccar in expect.get("traccar", []):
        assert event.observed_at is not None
        assert event.observed_at.isoformat() == traccar["fixTime"].replace(".000Z", "+00:00")
        assert event.attributes["speed_kmh" if traccar["speed_kmh"] else "trigger"] in (traccar["speed_kmh"], "manual")
    if row["_type"] == "transition":
        assert event.type == {"enter": "geofence_enter", "leave": "wandering"}[sent["event"]]
        assert event.type == _EXPECTED.get(expect.get("event", ""), event.type)
        assert event.attributes.get("zone") == expect.get("zone", sent.get("desc"))
        assert (event.fix is None) == (not sent.get("lat"))
    if "steps" in expect:
        assert event.vitals == {"steps": expect["steps"]}
    if row["_type"] == "lwt":
        assert (event.observed_at, event.attributes["online"]) == (None, False)


def test_transitions_of_the_same_second_are_two() -> None:
    one = {"_type": "transition", "event": "leave", "tst": 1795331900, "rid": "a1", "wtst": 1700000000}
    keys = {_one(one | change).key for change in ({}, {"rid": "b2"}, {"wtst": 1}, {"event": "enter"})}
    assert len(keys) == 4
    assert None not in keys
    assert _one(one).key == _one(dict(reversed(one.items()))).key


def test_a_transition_without_a_time_is_an_alarm_without_a_key() -> None:
    event = _one({"_type": "transition", "event": "leave"})
    assert (event.type, event.key, event.fix) == ("wandering", None, None)
    assert event.attributes["faults"]["tst"] == "missing"


def test_an_unknown_crossing_calls_somebody() -> None:
    event = _one({"_type": "transition", "event": "dwell", "tst": 1795331900})
    assert (event.type, event.attributes["code"]) == ("assistance", "dwell")


def test_a_profile_may_make_beacons_quiet() -> None:
    body = {"_type": "transition", "event": "leave", "t": "b", "lat": 0, "lon": 0, "tst": 1795331900}
    event = _one(body)
    assert (event.type, event.fix, "faults" in event.attributes) == ("wandering", None, False)
    event = _one(body, profile={"beacon_leave": None})
    assert (event.kind, event.attributes["state"]) == ("activity", "beacon_leave")
    assert _one(body | {"t": "c"}, profile={"beacon_leave": None}).type == "wandering"


def test_fillers_are_not_values() -> None:
    event = _one(
        {"_type": "location", "tst": "1795331900", "lat": 0, "lon": 0, "vel": -1, "cog": -1, "batt": -1, "acc": 0}
    )
    assert event.observed_at == datetime.fromtimestamp(1795331900, UTC)
    assert (event.fix, event.battery_pct) == (None, None)
    assert not {"speed_kmh", "course_deg"} & event.attributes.keys()
    assert _one({"_type": "steps", "steps": -1, "tst": 1795331900}).vitals == {}


def test_many_at_once_and_what_is_no_message() -> None:
    location = {"_type": "location", "tst": 1795331900, "lat": 31.9, "lon": 118.8}
    decoded = _decode([location, 5, location | {"tst": 1795331960}])
    assert len({event.key for event in decoded.events}) == 2
    assert decoded.error == "item 1: 5 is no object"
    assert _decode({"lat": 1}).error == "_type None: not an OwnTracks message"
    assert _one({"_type": "card", "name": "Li"}).kind == "unsupported"
