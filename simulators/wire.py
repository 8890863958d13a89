"""care/v1, the hub's own MQTT wire, from the device's side: an encoder and decoder written from docs/wire alone.

Nothing here is shared with the hub, so that two independent readings of the same page check each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "ALARM_TYPES",
    "VITAL_FIELDS",
    "Ack",
    "Alarm",
    "Command",
    "Fix",
    "Told",
    "WireError",
    "activity",
    "decode_ack",
    "decode_alarms",
    "decode_command",
    "down_topic",
    "dump",
    "encode_ack",
    "encode_alarm",
    "encode_command",
    "is_device_id",
    "load_uplink",
    "location",
    "parse_topic",
    "reply",
    "rfc3339",
    "status",
    "up_topic",
    "vitals",
]

Told = Literal["received", "hold", "handled", "rejected"]
TOLD: tuple[Told, ...] = ("received", "hold", "handled", "rejected")

ALARM_TYPES: tuple[str, ...] = (
    *("sos", "fall", "voice_help", "smoke", "gas", "assistance", "inactivity", "water_leak"),
    *("heart_rate_high", "heart_rate_low", "heart_rate_abnormal", "spo2_low", "blood_pressure_high"),
    *("blood_pressure_low", "fever", "bed_exit", "medication_missed", "wandering", "door", "geofence_enter"),
    *("low_battery", "power_off", "power_fail", "device_fault", "off_wrist", "tamper", "robot_stuck", "offline"),
    *("test_call", "cancel"),
)
VITAL_FIELDS: tuple[str, ...] = (
    *("heart_rate_bpm", "spo2_pct", "systolic_mmhg", "diastolic_mmhg", "temperature_c", "respiration_rpm"),
    *("glucose_mmol_l", "steps", "wearing"),
)
FIX_SOURCES = ("gnss", "wifi", "cell", "beacon", "manual", "last_known")
CRS = ("wgs84", "gcj02", "bd09")
BATCH_LIMIT = 500

_DEVICE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_TOPIC = re.compile(r"care/v1/([^/]+)/(up|down)/([^/]+)")
UP_CHANNELS = ("alarm", "vitals", "location", "activity", "status", "reply")
DOWN_CHANNELS = ("ack", "command")


class WireError(ValueError):
    """A message is not what the wire allows: says which field and why."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A position in degrees; WGS-84 unless `crs` says otherwise."""

    lat: float
    lon: float
    accuracy_m: float | None = None
    source: str = "gnss"
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cry of a device. A repeat has the same `ref`, `type` and `observed_at`."""

    ref: str
    type: str
    observed_at: datetime
    fix: Fix | None = None
    battery_pct: int | None = None
    test: bool = False
    note: str | None = None
    cancels: str | None = None


@dataclass(frozen=True, slots=True)
class Ack:
    """What the hub told a device about one alarm; `ref` is None when the body could not be read."""

    ref: str | None
    status: Told
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A wish of the hub; `values` are its further fields."""

    id: str
    command: str
    values: Mapping[str, Any] = field(default_factory=dict)


def is_device_id(text: str) -> bool:
    """True for ids a device may carry on care/v1."""
    return _DEVICE_ID.fullmatch(text) is not None and not text.startswith("hub-")


def up_topic(device_id: str, channel: str) -> str:
    """Topic of an uplink: `care/v1/{device_id}/up/{channel}`."""
    return f"care/v1/{_checked_id(device_id)}/up/{_one_of(channel, UP_CHANNELS, 'channel')}"


def down_topic(device_id: str, channel: str) -> str:
    """Topic of a downlink; channel `+` is allowed for a subscription."""
    return f"care/v1/{_checked_id(device_id)}/down/{_one_of(channel, (*DOWN_CHANNELS, '+'), 'channel')}"


def parse_topic(topic: str) -> tuple[str, str, str] | None:
    """`(device_id, "up"|"down", channel)`, or None for a topic that is not care/v1."""
    match = _TOPIC.fullmatch(topic)
    return None if match is None or not is_device_id(match[1]) else (match[1], match[2], match[3])


def rfc3339(moment: datetime) -> str:
    """RFC 3339 with offset, milliseconds kept."""
    if moment.tzinfo is None:
        raise WireError(f"the time {moment.isoformat()} has no offset")
    return moment.isoformat(timespec="milliseconds")


def dump(body: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bytes:
    """One object, or an array of up to 500, as UTF-8 JSON."""
    if not isinstance(body, Mapping) and not 1 <= len(body) <= BATCH_LIMIT:
        raise WireError(f"an array of {len(body)} objects; 1 to {BATCH_LIMIT} are allowed")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def encode_alarm(alarm: Alarm) -> bytes:
    """The body of `up/alarm`; fields without a value are left out."""
    if not 1 <= len(alarm.ref) <= 64:
        raise WireError(f"ref is {len(alarm.ref)} characters long; 1 to 64 are allowed")
    body: dict[str, Any] = {"ref": alarm.ref, "type": alarm.type, "observed_at": rfc3339(alarm.observed_at)}
    if alarm.fix is not None:
        body["fix"] = _fix_object(alarm.fix)
    if alarm.battery_pct is not None:
        body["battery_pct"] = alarm.battery_pct
    if alarm.test:
        body["test"] = True
    if alarm.note is not None:
        body["note"] = alarm.note
    if alarm.cancels is not None:
        body["cancels"] = alarm.cancels
    return dump(body)


def decode_alarms(payload: bytes) -> list[Alarm]:
    """The alarms of an `up/alarm` body (one object or an array)."""
    return [_alarm(body) for body in load_uplink(payload)]


def load_uplink(payload: bytes) -> list[dict[str, Any]]:
    """The objects of an uplink body. Raises WireError for anything but one object or 1 to 500 of them."""
    body = _json(payload)
    bodies = body if isinstance(body, list) else [body]
    if not 1 <= len(bodies) <= BATCH_LIMIT:
        raise WireError(f"an array of {len(bodies)} objects; 1 to {BATCH_LIMIT} are allowed")
    for item in bodies:
        if not isinstance(item, dict):
            raise WireError(f"an uplink is a JSON object or an array of them, not {type(item).__name__}")
    return bodies


def vitals(observed_at: datetime, values: Mapping[str, float | bool]) -> dict[str, Any]:
    """A `up/vitals` object; unknown names are refused."""
    for name in values:
        _one_of(name, VITAL_FIELDS, "vitals field")
    return {"observed_at": rfc3339(observed_at), **values}


def location(observed_at: datetime, fix: Fix) -> dict[str, Any]:
    """A `up/location` object."""
    return {"observed_at": rfc3339(observed_at), "fix": _fix_object(fix)}


def activity(observed_at: datetime, state: str) -> dict[str, Any]:
    """A `up/activity` object."""
    return {"observed_at": rfc3339(observed_at), "state": state}


def status(
    *,
    online: bool,
    battery_pct: int | None = None,
    rssi_dbm: int | None = None,
    firmware: str | None = None,
    observed_at: datetime | None = None,
) -> dict[str, Any]:
    """A `up/status` object; the last will is `status(online=False)`."""
    body: dict[str, Any] = {"online": online}
    optional = {"battery_pct": battery_pct, "rssi_dbm": rssi_dbm, "firmware": firmware}
    body.update({name: value for name, value in optional.items() if value is not None})
    if observed_at is not None:
        body["observed_at"] = rfc3339(observed_at)
    return body


def reply(command: Command, observed_at: datetime, state: str, **values: Any) -> dict[str, Any]:
    """A `up/reply` object: the answer to a command, carrying its id."""
    return {"id": command.id, "observed_at": rfc3339(observed_at), "status": state, **values}


def encode_ack(ack: Ack) -> bytes:
    """The body of `down/ack`."""
    body: dict[str, Any] = {"ref": ack.ref, "status": ack.status}
    if ack.reason is not None:
        body["reason"] = ack.reason
    if ack.message is not None:
        body["message"] = ack.message
    return dump(body)


def decode_ack(payload: bytes) -> Ack:
    """An `Ack`. Unknown further fields are ignored, an unknown status is an error."""
    body = _object(payload, "ack")
    ref = body.get("ref")
    if ref is not None and not isinstance(ref, str):
        raise WireError(f"ack.ref is {ref!r}; a string or null is wanted")
    told = body.get("status")
    for known in TOLD:
        if told == known:
            return Ack(ref, known, _text(body, "reason"), _text(body, "message"))
    raise WireError(f"ack.status is {told!r}; one of {', '.join(TOLD)} is wanted")


def encode_command(command: Command) -> bytes:
    """The body of `down/command`."""
    return dump({**command.values, "id": command.id, "command": command.command})


def decode_command(payload: bytes) -> Command:
    """A `Command`; its id and its word must be there."""
    body = _object(payload, "command")
    name, word = body.pop("id", None), body.pop("command", None)
    if not isinstance(name, str) or not name:
        raise WireError(f"command.id is {name!r}; a string is wanted")
    if not isinstance(word, str) or not word:
        raise WireError(f"command.command is {word!r}; a string is wanted")
    return Command(name, word, body)


def _alarm(body: dict[str, Any]) -> Alarm:
    ref = body.get("ref")
    if not isinstance(ref, str) or not 1 <= len(ref) <= 64:
        raise WireError(f"alarm.ref is {ref!r}; 1 to 64 characters are wanted")
    kind = body.get("type")
    if not isinstance(kind, str) or not kind:
        raise WireError(f"alarm.type is {kind!r}; a word is wanted")
    battery = body.get("battery_pct")
    if battery is not None and (isinstance(battery, bool) or not isinstance(battery, int) or not 0 <= battery <= 100):
        raise WireError(f"alarm.battery_pct is {battery!r}; 0 to 100 is wanted")
    return Alarm(
        ref=ref,
        type=kind,
        observed_at=_time(body.get("observed_at")),
        fix=None if body.get("fix") is None else _fix(body["fix"]),
        battery_pct=battery,
        test=body.get("test") is True,
        note=_text(body, "note"),
        cancels=_text(body, "cancels"),
    )


def _fix(value: Any) -> Fix:
    if not isinstance(value, dict):
        raise WireError(f"fix is {value!r}; an object is wanted")
    for name, limit in (("lat", 90), ("lon", 180)):
        number = value.get(name)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not -limit <= number <= limit:
            raise WireError(f"fix.{name} is {number!r}; -{limit} to {limit} is wanted")
    accuracy, crs = value.get("accuracy_m"), value.get("crs")
    return Fix(value["lat"], value["lon"], accuracy, str(value.get("source", "gnss")), crs)


def _fix_object(fix: Fix) -> dict[str, Any]:
    if not -90 <= fix.lat <= 90 or not -180 <= fix.lon <= 180:
        raise WireError(f"the position {fix.lat}, {fix.lon} is not on the earth")
    body: dict[str, Any] = {"lat": fix.lat, "lon": fix.lon, "source": _one_of(fix.source, FIX_SOURCES, "fix.source")}
    if fix.accuracy_m is not None:
        body["accuracy_m"] = fix.accuracy_m
    if fix.crs is not None:
        body["crs"] = _one_of(fix.crs, CRS, "fix.crs")
    return body


def _time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise WireError(f"observed_at is {value!r}; an RFC 3339 time is wanted") from None
    if moment.tzinfo is None:
        raise WireError(f"observed_at is {value!r}; it has no offset")
    return moment


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError(f"the body is not JSON: {error}") from None


def _object(payload: bytes, what: str) -> dict[str, Any]:
    body = _json(payload)
    if not isinstance(body, dict):
        raise WireError(f"the {what} is {type(body).__name__}; an object is wanted")
    return body


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise WireError(f"{name} is {value!r}; text is wanted")
    return value


def _one_of(value: str, allowed: Sequence[str], what: str) -> str:
    if value not in allowed:
        raise WireError(f"{what} is {value!r}; one of {', '.join(allowed)} is wanted")
    return value


def _checked_id(device_id: str) -> str:
    if not is_device_id(device_id):
        raise WireError(f"{device_id!r} is no device id: 1 to 64 of A-Z a-z 0-9 _ . : - and not beginning with hub-")
    return device_id
