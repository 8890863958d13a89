"""VDA 5050 from the robot's side: topics and messages of version 2.0, written from docs/wire/vda5050.md. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from simulators.wire import WireError

__all__ = ["ERRORS", "Action", "RobotName", "RobotState", "Stop", "encode_connection", "encode_state", "read_actions"]

Stop = Literal["NONE", "AUTOACK", "MANUAL", "REMOTE"]
Connection = Literal["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]

ERRORS: Mapping[str, tuple[str, str]] = {
    "robot_stuck": ("blockedPath", "The way is blocked and there is no other"),
    "device_fault": ("microphoneFailure", "The microphone gives no sound"),
}
"""Alarm type to the type and the words of the FATAL error that says so."""

_VERSION = "2.0.0"


@dataclass(frozen=True, slots=True)
class RobotName:
    """Who the robot is: the wire names it by its maker and its serial number."""

    maker: str
    serial: str
    interface: str = "uagv"

    @classmethod
    def of(cls, device_id: str) -> RobotName:
        """From `MAKER:SERIAL`. Raises WireError."""
        maker, _, serial = device_id.partition(":")
        if not maker or not serial:
            raise WireError(f"{device_id!r} is no robot's id on VDA 5050: MAKER:SERIAL is wanted")
        return cls(maker, serial)

    def topic(self, channel: str) -> str:
        """The topic of one channel."""
        return f"{self.interface}/v2/{self.maker}/{self.serial}/{channel}"


@dataclass(frozen=True, slots=True)
class Action:
    """An instant action somebody wants of the robot, or what became of it."""

    id: str
    type: str
    status: Literal["RUNNING", "FINISHED", "FAILED"] = "RUNNING"


@dataclass(frozen=True, slots=True)
class RobotState:
    """What one state message says; `errors` are types with their words, all that is wrong at this moment."""

    battery_pct: int
    charging: bool = False
    driving: bool = False
    paused: bool = False
    x_m: float = 0.0
    y_m: float = 0.0
    stop: Stop = "NONE"
    errors: Sequence[tuple[str, str]] = ()
    actions: Sequence[Action] = field(default_factory=tuple)


def encode_connection(name: RobotName, number: int, at: datetime, state: Connection) -> bytes:
    """Whether it is there. The last will is this message, too, written when the robot connects."""
    return _dump({**_header(name, number, at), "connectionState": state})


def encode_state(name: RobotName, number: int, at: datetime, state: RobotState) -> bytes:
    """The whole state, sent at every change and at least every 30 s."""
    body = {
        **_header(name, number, at),
        "orderId": "",
        "orderUpdateId": 0,
        "lastNodeId": "",
        "lastNodeSequenceId": 0,
        "driving": state.driving,
        "paused": state.paused,
        "operatingMode": "AUTOMATIC",
        "nodeStates": [],
        "edgeStates": [],
        "agvPosition": {
            "x": round(state.x_m, 2),
            "y": round(state.y_m, 2),
            "theta": 0.0,
            "mapId": "home",
            "positionInitialized": True,
        },
        "actionStates": [
            {"actionId": action.id, "actionType": action.type, "actionStatus": action.status}
            for action in state.actions
        ],
        "batteryState": {"batteryCharge": float(state.battery_pct), "charging": state.charging},
        "errors": [
            {"errorType": kind, "errorLevel": "FATAL", "errorDescription": words, "errorReferences": []}
            for kind, words in state.errors
        ],
        "information": [],
        "safetyState": {"eStop": state.stop, "fieldViolation": False},
    }
    return _dump(body)


def read_actions(payload: bytes) -> list[Action]:
    """The actions of an `instantActions` message, in order. Raises WireError."""
    try:
        body: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError(f"instantActions is no JSON: {error}") from None
    listed = body.get("actions") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise WireError("instantActions has no actions")
    return [
        Action(str(one["actionId"]), str(one["actionType"]))
        for one in listed
        if isinstance(one, dict) and "actionId" in one and "actionType" in one
    ]


def _header(name: RobotName, number: int, at: datetime) -> dict[str, Any]:
    return {
        "headerId": number,
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": _VERSION,
        "manufacturer": name.maker,
        "serialNumber": name.serial,
    }


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
