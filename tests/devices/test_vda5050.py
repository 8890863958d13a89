from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from devices.codecs.vda5050 import Vda5050Codec
from devices.model import Decoded, DeviceRef, Event, Uplink
from tests.devices.captures import needs, rows
from tests.devices.examples import NOW

_ROWS = "captures/vda5050.jsonl"
_TYPES = {"robot_emergency_stop": {"robot_stuck"}, "robot_error": {"robot_stuck", "device_fault"}}


def _decode(
    body: Any,
    topic: str = "uagv/v2/Carrier/R7/state",
    profile: Mapping[str, Any] | None = None,
    *,
    retained: bool = False,
    at: float = 0,
) -> Decoded:
    uplink = Uplink(json.dumps(body).encode(), NOW + timedelta(seconds=at), topic, retained)
    return Vda5050Codec().decode(uplink, DeviceRef("", "vda5050", profile or {}))


def _alarms(body: Any, **more: Any) -> list[Event]:
    decoded = _decode(body, **more)
    assert decoded.error is None
    return [event for event in decoded.events if event.kind == "alarm"]


def _error(kind: str = "blocked", level: str | None = "FATAL", **references: str) -> dict[str, Any]:
    found = [{"referenceKey": name, "referenceValue": value} for name, value in references.items()]
    return {"errorType": kind, "errorLevel": level, "errorReferences": found}


@needs(_ROWS)
@pytest.mark.parametrize("row", rows(_ROWS), ids=lambda row: row["id"])
def test_captured_messages(row: dict[str, Any]) -> None:
    decoded = _decode(row["payload"], row["topic"])
    assert decoded.error is None
    meaning = row["meaning"]
    found: dict[str, Any] = {}
    for event in decoded.events:
        found |= event.attributes
        assert event.device_id == f"{row['payload']['manufacturer']}:{row['payload']['serialNumber']}"
    alarms = [event for event in decoded.events if event.kind == "alarm"]
    assert len(alarms) == (1 if "event" in meaning else 0)
    if alarms:
        assert alarms[0].type in _TYPES[meaning["event"]]
        assert alarms[0].attributes.get("severity") == meaning.get("severity")
    for name in ("connection", "command", "needs", "battery_raw", "estop"):
        assert name not in meaning or found[name] == meaning[name]
    if "battery" in meaning:
        assert decoded.events[-1].battery_pct == meaning["battery"]
    assert found.get("error_count", 0) == meaning.get("count", found.get("error_count", 0))
    if "suspect" in meaning:
        assert decoded.events[0].battery_pct is None
        assert "fraction" in found["faults"]["battery"]
    if meaning.get("connection") == "lost":
        assert decoded.events[0].observed_at is None


def test_each_error_is_an_alarm_of_its_own_until_it_is_gone() -> None:
    errors = [_error(nodeId="n1"), _error(nodeId="n2"), _error("gripperFault"), _error(nodeId="n1")]
    alarms = _alarms({"errors": errors})
    assert [alarm.type for alarm in alarms] == ["robot_stuck", "robot_stuck", "device_fault"]
    again = _alarms({"headerId": 1, "errors": list(reversed(errors))}, at=30)
    assert {alarm.key for alarm in again} == {alarm.key for alarm in alarms}
    assert not {alarm.key for alarm in _alarms({"errors": errors}, at=3600)} & {alarm.key for alarm in alarms}
    assert _alarms({"errors": []}) == []


@pytest.mark.parametrize(
    ("level", "count"),
    [("WARNING", 0), ("URGENT", 1), ("CRITICAL", 1), ("FATAL", 1), ("fatal", 1), ("DOOM", 1), (None, 1)],
)
def test_levels_of_both_versions(level: str | None, count: int) -> None:
    assert len(_alarms({"errors": [_error(level=level)]})) == count
    assert len(_alarms({"errors": [_error(level="WARNING")]}, profile={"error_levels": {"warning": True}})) == 1


@pytest.mark.parametrize(
    ("stop", "types"),
    [("NONE", []), ("AUTOACK", []), ("MANUAL", ["robot_stuck"]), ("REMOTE", ["robot_stuck"]), ("ODD", ["robot_stuck"])],
)
@pytest.mark.parametrize("name", ["eStop", "activeEmergencyStop"])
def test_emergency_stops(stop: str, types: list[str], name: str) -> None:
    assert [alarm.type for alarm in _alarms({"safetyState": {name: stop, "fieldViolation": True}})] == types


def test_a_retained_state_is_no_alarm() -> None:
    assert _alarms({"errors": [_error()], "safetyState": {"eStop": "MANUAL"}}, retained=True) == []


def test_profile_of_a_robot() -> None:
    assert _alarms({"errors": [_error("gripperFault")]}, profile={"errors": {"gripperFault": None}}) == []
    (alarm,) = _alarms({"errors": [_error("tilted", "WARNING")]}, profile={"errors": {"tilted": "robot_stuck"}})
    assert alarm.type == "robot_stuck"
    body = {"batteryState": {"batteryCharge": 0.8}}
    assert _decode(body, profile={"battery_scale": "fraction"}).events[0].battery_pct == 80
    assert _decode({"powerSupply": {"stateOfCharge": 20}}).events[0].battery_pct == 20


@pytest.mark.parametrize(
    ("state", "online", "word"),
    [
        ("ONLINE", True, "online"),
        ("OFFLINE", False, "offline"),
        ("HIBERNATING", True, "hibernating"),
        ("CONNECTIONBROKEN", False, "lost"),
        ("CONNECTION_BROKEN", False, "lost"),
    ],
)
def test_connections(state: str, online: bool, word: str) -> None:
    body = {"connectionState": state, "timestamp": "2026-11-22T07:00:00.123456789"}
    (event,) = _decode(body, "meili/v3/Carrier/R7/connection").events
    assert (event.attributes["online"], event.attributes["connection"]) == (online, word)
    assert (event.observed_at is None) == (word == "lost")


def test_finished_actions_answer_commands() -> None:
    states = [{"actionId": "c1", "actionStatus": "FINISHED"}, {"actionId": "c2", "actionStatus": "RUNNING"}]
    events = _decode(
        {"actionStates": states, "instantActionStates": [{"actionId": "c3", "actionStatus": "FAILED"}]}
    ).events
    assert [(event.ref, event.attributes["status"]) for event in events if event.kind == "reply"] == [
        ("c3", "failed"),
        ("c1", "finished"),
    ]


def test_the_topic_names_the_robot() -> None:
    (event,) = _decode({"serialNumber": "R8"}).events
    assert event.device_id == "Carrier:R7"
    assert "the topic decides" in event.attributes["faults"]["serialNumber"]
    assert _decode({}, "state").error is not None
    assert _decode([1]).error is not None
