"""VDA 5050 2.0, 2.1 and 3.0: mobile robots (docs/wire/vda5050.md).

Topics `{interface}/v{major}/{maker}/{serial}/{connection|state|visualization|factsheet|order|instantActions|…}`, the
first level free. What decides here:
- the topic names the robot; the body's serial number may differ and is only noted;
- `errors[]` is the full list of what is wrong now, without ids, sent again with every state: an error is told from
  the next by its type, its references and the stretch of time; it is over when it is no longer listed;
- the last will was written when the robot connected: its time says nothing of when the connection broke;
- an automatically acknowledged stop and a protective-field violation are everyday work.

Profile entries: `battery_scale` ("percent" or "fraction"), `errors` (errorType to alarm type or null), `error_levels`
(level to true: an alarm, or false), `window_s` (repeats of one error within it are one alarm; 600).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from devices.alarm_types import ALARM_TYPES
from devices.codecs.json_body import as_list, as_object, device_name, event_key, moment, read_body, window, word
from devices.fields import Faults, clean_text, extras, number, show
from devices.model import Decoded, DeviceRef, Event, EventKind, Uplink

__all__ = ["Vda5050Codec"]

_MAX_ERRORS = 50
_WINDOW_S = 600.0
_HEADER = frozenset({"headerId", "timestamp", "version", "manufacturer", "serialNumber"})
_LEVELS: Mapping[str, bool] = {"warning": False, "urgent": True, "critical": True, "fatal": True}
_CONNECTIONS: Mapping[str, tuple[str, bool]] = {
    "online": ("online", True),
    "offline": ("offline", False),
    "hibernating": ("hibernating", True),  # reachable, but sends no state until woken
    "connectionbroken": ("lost", False),
    "connection_broken": ("lost", False),
}
_STUCK = (
    "stuck", "block", "obstacle", "locali", "navig", "path", "route", "lost", "collision", "bump", "trapped", "drive",
    "driving", "position", "traffic", "deadlock", "elevator", "lift", "door", "unreachable", "noorder", "cliff",
)  # fmt: skip
"""Parts of error types that mean: it stands where it should not, and somebody may have to fetch it."""

_STOPS: Mapping[str, str] = {"manual": "acknowledge at the robot", "remote": "remote acknowledge"}


@dataclass(slots=True)
class _Message:
    """One message of one robot."""

    device_id: str
    body: Mapping[str, Any]
    uplink: Uplink
    profile: Mapping[str, Any]
    faults: Faults = field(default_factory=dict)
    observed_at: datetime | None = None

    def event(self, kind: EventKind, attributes: Mapping[str, Any], **more: Any) -> Event:
        found = dict(attributes)
        if self.uplink.retained:
            found["retained"] = True
        if self.faults:
            found["faults"] = self.faults
        more.setdefault("observed_at", self.observed_at)
        return Event(self.device_id, kind, attributes=found, **more)

    def key(self, *parts: object) -> str:
        return event_key("vda5050", self.device_id, *parts)

    def stretch(self) -> int:
        return window(self.uplink.received_at, number(self.profile.get("window_s")) or _WINDOW_S)


class Vda5050Codec:
    """The codec of family `vda5050`."""

    family = "vda5050"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one message: a state gives a status and an alarm for each serious error and emergency stop."""
        levels = uplink.topic.rsplit("/", 3)
        if len(levels) < 3 or not all(levels[-3:]):
            return Decoded(error=f"topic {show(uplink.topic)} is not …/{{maker}}/{{serial}}/{{channel}}")
        maker, serial, channel = levels[-3:]
        if not uplink.payload.strip():
            return Decoded()  # a retained message being wiped
        body, error = read_body(uplink.payload)
        if error is None and not isinstance(body, dict):
            error = f"an object was expected, not {show(body)}"
        if error is not None:
            return Decoded(error=error)
        message = _Message(device.device_id or device_name(maker, serial), body, uplink, device.profile)
        # The standard's times are UTC also where the Z is missing.
        message.observed_at = moment(body.get("timestamp"), message.faults, "timestamp", timedelta(0))
        said = body.get("serialNumber")
        if said not in (None, serial):
            message.faults["serialNumber"] = f"{show(said)} in the body, {show(serial)} in the topic: the topic decides"
        return _READERS.get(channel, _other)(message)


def _other(message: _Message) -> Decoded:
    """Orders and instant actions are what a robot is told, not what it says; the rest is of a later version."""
    channel = message.uplink.topic.rsplit("/", 1)[-1]
    found: dict[str, Any] = {"channel": clean_text(channel, 64)}
    commands = [
        clean_text(action["actionType"], 64)
        for action in map(as_object, as_list(message.body.get("actions"), _MAX_ERRORS))
        if isinstance(action.get("actionType"), str)
    ]
    if commands:
        found["command"] = commands[0]
        found["commands"] = commands
    found |= extras(message.body, (*_HEADER, "actions"), 8)
    return Decoded((message.event("unsupported", found),))


def _connection(message: _Message) -> Decoded:
    sent = message.body.get("connectionState")
    known = _CONNECTIONS.get(word(sent))
    version = message.body.get("version")
    found: dict[str, Any] = {} if version is None else {"version": show(version).strip("'")}
    if known is None:
        return Decoded((message.event("unsupported", {"channel": "connection", "state": show(sent)}),))
    found["connection"], found["online"] = known
    if known[0] == "lost":
        if message.observed_at is not None:
            found["connected_at"] = message.observed_at.isoformat()
        return Decoded((message.event("status", found, observed_at=None),))
    key = None if message.observed_at is None else message.key("connection", message.observed_at.isoformat(), known[0])
    return Decoded((message.event("status", found, key=key),))


def _factsheet(message: _Message) -> Decoded:
    return Decoded((message.event("status", {"factsheet": extras(message.body, _HEADER, 16)}),))


def _visualization(message: _Message) -> Decoded:
    found = _pose(message.body)
    return Decoded((message.event("location", found),))


def _pose(body: Mapping[str, Any]) -> dict[str, Any]:
    """Where it stands on the map of its building: metres, not degrees, so no `fix`."""
    pose = as_object(body.get("agvPosition")) or as_object(body.get("mobileRobotPosition"))
    names = {"x": "x_m", "y": "y_m", "theta": "theta_rad"}
    found: dict[str, Any] = {
        ours: value for name, ours in names.items() if (value := number(pose.get(name))) is not None
    }
    if isinstance(pose.get("mapId"), str):
        found["map"] = clean_text(pose["mapId"], 64)
    localized = pose.get("localized", pose.get("positionInitialized"))
    if isinstance(localized, bool):
        found["localized"] = localized
    return {"position": found} if found else {}


def _state(message: _Message) -> Decoded:
    body, profile = message.body, message.profile
    found: dict[str, Any] = {"online": True}
    for name, ours in (("operatingMode", "mode"), ("orderId", "order"), ("lastNodeId", "last_node")):
        if isinstance(body.get(name), str) and body[name]:
            found[ours] = clean_text(body[name], 64)
    if found.get("mode") == "TEACHIN":
        found["mode"] = "TEACH_IN"
    for name in ("driving", "paused"):
        if isinstance(body.get(name), bool):
            found[name] = body[name]
    found |= _pose(body)
    power = as_object(body.get("batteryState")) or as_object(body.get("powerSupply"))
    level = _battery(power, profile, message.faults, found)
    if isinstance(power.get("charging"), bool):
        found["charging"] = power["charging"]

    alarms = _stop(message, found, level)
    listed = [one for one in as_list(body.get("errors"), _MAX_ERRORS) if one is not None]
    errors = [one if isinstance(one, dict) else {"errorType": show(one)} for one in listed]
    for one in errors:
        alarms += _error(message, one, level)
    if errors:
        found["errors"] = [_brief(one) for one in errors]
        found["error_count"] = len(body["errors"])
    status = message.event("status", found, battery_pct=level)
    if message.uplink.retained:
        alarms = []  # an old state the broker kept: true then, perhaps not now
    unique: dict[str | None, Event] = {}
    for alarm in alarms:
        unique.setdefault(alarm.key, alarm)
    return Decoded((*unique.values(), status, *_answers(message)))


def _battery(power: Mapping[str, Any], profile: Mapping[str, Any], faults: Faults, found: dict[str, Any]) -> int | None:
    """Percent by the standard. 0.8 may be 0.8 % or 80 %: which, the profile says; it is not guessed."""
    sent = power.get("batteryCharge", power.get("stateOfCharge"))
    level = number(sent)
    if level is None:
        if sent not in (None, ""):
            faults["battery"] = f"{show(sent)} is not a number"
        return None
    if profile.get("battery_scale") == "fraction":
        level *= 100
    elif 0 < level <= 1:
        found["battery_raw"] = level
        faults["battery"] = f"{show(sent)} may be a fraction instead of percent: set battery_scale in the profile"
        return None
    if not 0 <= level <= 100:
        if level != -1:
            faults["battery"] = f"{show(sent)} is outside 0 to 100"
        return None
    return round(level) or None


def _stop(message: _Message, found: dict[str, Any], level: int | None) -> list[Event]:
    safety = as_object(message.body.get("safetyState"))
    if isinstance(safety.get("fieldViolation"), bool):
        found["field_violation"] = safety["fieldViolation"]
    sent = safety.get("activeEmergencyStop", safety.get("eStop"))
    if isinstance(sent, bool):  # some bridges only know whether it is pressed
        sent = "manual" if sent else "none"
    stop = word(sent)
    if sent is not None and not isinstance(sent, str):
        stop = show(sent)  # a word nobody told us of is not to be overlooked
    if sent is None or stop in ("none", ""):
        found["estop"] = None
        return []
    found["estop"] = clean_text(stop, 32)
    if stop == "autoack":
        return []
    attributes = {
        "code": "emergency_stop",
        "estop": clean_text(stop, 32),
        "needs": _STOPS.get(stop, "somebody to look"),
        **_context(message.body),
    }
    key = message.key("estop", stop, found.get("order", ""), message.stretch())
    return [message.event("alarm", attributes, type="robot_stuck", battery_pct=level, key=key)]


def _error(message: _Message, error: Mapping[str, Any], level: int | None) -> list[Event]:
    if not error:
        return []
    severity = word(error.get("errorLevel"))
    levels = message.profile.get("error_levels")
    serious = levels.get(severity) if isinstance(levels, dict) else None
    if not isinstance(serious, bool):
        serious = _LEVELS.get(severity, True)  # a level nobody told us of is not to be overlooked
    chosen = message.profile.get("errors")
    sent = error.get("errorType")
    kind = clean_text(sent, 64) if isinstance(sent, str) else show(sent)
    if isinstance(chosen, dict) and kind in chosen:
        type_ = chosen[kind]
        serious = type_ is not None
    else:
        folded = kind.lower()
        type_ = "robot_stuck" if any(part in folded for part in _STUCK) else "device_fault"
    if not serious:
        return []
    if not isinstance(type_, str) or type_ not in ALARM_TYPES:
        type_ = "device_fault"
    brief = _brief(error)
    attributes = {"code": kind, "severity": severity or "unknown", **brief, **_context(message.body)}
    references = sorted(f"{name}={value}" for name, value in brief["references"])
    key = message.key("error", kind, references, message.stretch())
    return [message.event("alarm", attributes, type=type_, battery_pct=level, key=key)]


def _brief(error: Mapping[str, Any]) -> dict[str, Any]:
    """An error as it may be stored: its words cut, its references as pairs."""
    found: dict[str, Any] = {
        name: clean_text(error[sent], 200)
        for sent, name in (
            ("errorType", "error"),
            ("errorLevel", "level"),
            ("errorDescription", "description"),
            ("errorHint", "hint"),
        )
        if isinstance(error.get(sent), str)
    }
    references = [as_object(one) for one in as_list(error.get("errorReferences"), 8)]
    found["references"] = [
        [show(one.get("referenceKey")).strip("'"), show(one.get("referenceValue")).strip("'")]
        for one in references
        if one
    ]
    return found


def _context(body: Mapping[str, Any]) -> dict[str, Any]:
    order = body.get("orderId")
    return {"order": clean_text(order, 64)} if isinstance(order, str) and order else {}


def _answers(message: _Message) -> list[Event]:
    """Instant actions that came to their end: the answer to a command of ours, by its id."""
    listed = as_list(message.body.get("instantActionStates"), _MAX_ERRORS)
    listed += as_list(message.body.get("actionStates"), _MAX_ERRORS)
    found: list[Event] = []
    for action in map(as_object, listed):
        ref, status = action.get("actionId"), word(action.get("actionStatus"))
        if isinstance(ref, str) and ref and status in ("finished", "failed"):
            ref = clean_text(ref, 64)
            attributes = {"status": status, **extras(action, ("actionId", "actionStatus"), 8)}
            found.append(message.event("reply", attributes, ref=ref, key=message.key("action", ref, status)))
    return found


_READERS: Mapping[str, Callable[[_Message], Decoded]] = {
    "connection": _connection,
    "state": _state,
    "visualization": _visualization,
    "factsheet": _factsheet,
}
