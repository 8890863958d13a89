"""A robot on VDA 5050: what it says on a real broker, and that the hub reads each word of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from devices.codecs.vda5050 import Vda5050Codec
from devices.model import DeviceRef, Event, Uplink
from simulators.device import Happening
from simulators.fleet import Report, run_scenario
from simulators.scenario import load_scenario
from simulators.tables import ScenarioError
from simulators.vda_wire import ERRORS, Action, RobotName, RobotState, encode_connection, encode_state, read_actions
from simulators.wire import WireError
from tests.waiting import wait_until

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NAME = RobotName("CareBots", "R-0001")


def read(channel: str, payload: bytes, *, retained: bool = False) -> tuple[Event, ...]:
    decoded = Vda5050Codec().decode(
        Uplink(payload, NOW, NAME.topic(channel), retained=retained), DeviceRef("", "vda5050", {})
    )
    assert decoded.error is None
    assert all(event.device_id == "CareBots:R-0001" for event in decoded.events)
    assert all("faults" not in event.attributes for event in decoded.events)
    return decoded.events


def alarms(state: RobotState) -> list[tuple[str | None, object]]:
    events = read("state", encode_state(NAME, 7, NOW, state))
    return [(event.type, event.attributes["code"]) for event in events if event.kind == "alarm"]


def test_the_hub_reads_every_state() -> None:
    (status,) = read("state", encode_state(NAME, 1, NOW, RobotState(81, driving=True, x_m=1.25, y_m=2)))
    assert (status.kind, status.battery_pct, status.observed_at) == ("status", 81, NOW)
    assert status.attributes["driving"] is True
    assert status.attributes["position"] == {
        "x_m": 1.25, "y_m": 2.0, "theta_rad": 0.0, "map": "home", "localized": True,
    }  # fmt: skip
    for type_, error in ERRORS.items():
        assert alarms(RobotState(50, errors=[error])) == [(type_, error[0])]
    both = RobotState(50, errors=list(ERRORS.values()), stop="MANUAL")
    assert sorted(alarms(both), key=str) == [
        ("device_fault", "microphoneFailure"), ("robot_stuck", "blockedPath"), ("robot_stuck", "emergency_stop"),
    ]  # fmt: skip
    assert alarms(RobotState(50, stop="REMOTE")) == [("robot_stuck", "emergency_stop")]
    assert alarms(RobotState(50, stop="AUTOACK")) == []
    done = RobotState(50, actions=[Action("a-1", "startPause", "FINISHED"), Action("a-2", "pick", "FAILED")])
    replies = [event for event in read("state", encode_state(NAME, 2, NOW, done)) if event.kind == "reply"]
    assert [(event.ref, event.attributes["status"]) for event in replies] == [("a-1", "finished"), ("a-2", "failed")]


def test_the_hub_reads_every_connection() -> None:
    said = [
        read("connection", encode_connection(NAME, 1, NOW, word))[0]
        for word in ("ONLINE", "OFFLINE", "CONNECTIONBROKEN")
    ]
    assert [(event.attributes["connection"], event.attributes["online"]) for event in said] == [
        ("online", True), ("offline", False), ("lost", False),
    ]  # fmt: skip
    assert said[2].observed_at is None  # the will was written when the robot connected


def test_names_and_actions_that_are_none_are_refused() -> None:
    assert RobotName.of("CareBots:a:b") == RobotName("CareBots", "a:b")
    for wrong in ("R-0001", ":R", "CareBots:"):
        with pytest.raises(WireError, match="MAKER:SERIAL"):
            RobotName.of(wrong)
    assert read_actions(b'{"actions":[{"actionId":"1","actionType":"startPause"},{"x":1},3]}') == [
        Action("1", "startPause")
    ]
    for body in (b"{", b"[]", b'{"actions":{}}', b"[" * 100_000):
        with pytest.raises(WireError):
            read_actions(body)


class Ear:
    """Hears all of one robot, and may ask it something."""

    def __init__(self, url: str, serial: str) -> None:
        self.name = RobotName("CareBots", serial)
        self.heard: list[tuple[str, dict[str, Any], bool]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._arrived
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(self.name.topic("+"), qos=1)
        self._client.on_subscribe = lambda *_: ready.set()
        host, _, port = url.removeprefix("mqtt://").partition(":")
        self._client.connect(host, int(port))
        self._client.loop_start()
        assert ready.wait(20)

    def _arrived(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        channel = message.topic.rpartition("/")[2]
        if channel != "instantActions":
            self.heard.append((channel, json.loads(message.payload), message.retain))

    def ask(self, action: str, ref: str) -> None:
        asked = {"actions": [{"actionId": ref, "actionType": action, "blockingType": "NONE", "actionParameters": []}]}
        self._client.publish(self.name.topic("instantActions"), json.dumps(asked), qos=1)

    def said(self, channel: str) -> list[dict[str, Any]]:
        return [body for one, body, _ in self.heard if one == channel]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(broker_url: str) -> Iterator[Ear]:
    one = Ear(broker_url, "say-0001")
    yield one
    one.close()


SCENARIO = """
title = "t"
[fleet.make]
prefix = "say"
vda_robot = 1
[[beat]]
at_s = 1
device = "robot"
type = "robot_stuck"
[[beat]]
at_s = 2
device = "robot"
do = "stop"
for_s = 1
[[beat]]
at_s = 4
device = "robot"
do = "cut"
for_s = 1
"""


def test_a_robot_on_a_broker(broker_url: str, ear: Ear, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    told: list[Happening] = []

    def told_of(happening: Happening) -> None:
        told.append(happening)
        if "released" in happening.text:
            ear.ask("startPause", "act-1")
            ear.ask("lift", "act-2")

    report: Report = asyncio.run(
        run_scenario(path, broker=broker_url, duration_s=7, retry_s=(0.05, 0.2), tell=told_of, ledger=None)
    )
    assert (report.counters.presses, report.open) == (1, 0)  # no answers on this wire: nothing is owed
    wait_until(lambda: ear.said("connection")[-1:] and ear.said("connection")[-1]["connectionState"] == "OFFLINE")
    connections = [body["connectionState"] for body in ear.said("connection")]
    assert connections == ["ONLINE", "CONNECTIONBROKEN", "ONLINE", "OFFLINE"]
    states = ear.said("state")
    assert [body["headerId"] for body in states] == sorted({int(str(body["headerId"])) for body in states})
    stops = [body["safetyState"]["eStop"] for body in states]
    assert "MANUAL" in stops
    assert stops[-1] == "NONE"
    stuck = [bool(body["errors"]) for body in states]
    assert (stuck[0], stuck[-1]) == (False, True), "an error stands in every state until it is over"
    assert states[-1]["paused"] is True
    answered = {one["actionId"]: one["actionStatus"] for one in states[-1]["actionStates"]}
    assert answered == {"act-1": "FINISHED", "act-2": "FAILED"}
    assert [happening.text for happening in told if happening.what == "command"] == ["startPause", "lift"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[[fleet.devices]]\nid = "r-1"\nkind = "robot"\nfamily = "vda5050"\n', "MAKER:SERIAL"),
        ('[[fleet.devices]]\nid = "A:1"\nkind = "watch"\nfamily = "vda5050"\n', "no watch that speaks vda5050"),
        (
            '[fleet.make]\nrobot = 1\n[[beat]]\nat_s = 1\ndevice = "robot"\ndo = "stop"\n',
            "has no emergency stop on its wire",
        ),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text('title = "t"\n' + text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=what):
        asyncio.run(run_scenario(path, broker="mqtt://127.0.0.1:1"))


def test_robots_want_a_broker() -> None:
    with pytest.raises(ScenarioError, match="VDA 5050 robots: a broker address is wanted"):
        asyncio.run(run_scenario(load_scenario("robots"), broker=None))
