"""OwnTracks: phones that report where they are and when they cross a zone's edge (docs/wire/owntracks.md).

Topics `owntracks/{user}/{device}[/event|step|waypoint|waypoints|cmd|status|info|beacon|lwt]`; the body's `_type`
decides, over HTTP there is no topic. The wire has no SOS. Profile entries: `beacon_leave`, `beacon_enter`, `leave`,
`enter`: an alarm type, or null for an activity; `datum`: where a phone sends other than WGS-84.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.alarm_types import ALARM_TYPES, UNKNOWN_TYPE
from devices.codecs.json_body import (
    MAX_EVENTS,
    as_list,
    as_object,
    charge,
    device_name,
    event_key,
    moment,
    place,
    read_body,
    word,
)
from devices.fields import Faults, clean_text, extras, metric, number, show
from devices.model import Decoded, DeviceRef, Event, EventKind, Uplink

__all__ = ["OwnTracksCodec"]

_BATTERY_STATES = {1: "unplugged", 2: "charging", 3: "full"}
_CONNECTIONS = {"w": "wifi", "o": "offline", "m": "mobile"}
_TRIGGERS = {
    "p": "ping", "c": "circular_region", "C": "follow", "b": "beacon", "r": "report", "u": "manual", "t": "timer",
    "v": "monitoring",
}  # fmt: skip
_LOCATION = frozenset(
    {"_type", "lat", "lon", "tst", "acc", "alt", "vac", "batt", "bs", "vel", "cog", "p", "t", "conn", "created_at"}
    | {"_id", "image", "topic"}
)
_TRANSITION = frozenset({"_type", "lat", "lon", "tst", "acc", "event", "desc", "rid", "wtst", "t", "_id", "topic"})
_CROSSINGS = {"enter": "geofence_enter", "leave": "wandering"}
_WAYPOINTS = 100


@dataclass(slots=True)
class _Message:
    """One object and what is known of it."""

    device_id: str
    body: Mapping[str, Any]
    uplink: Uplink
    profile: Mapping[str, Any]
    faults: Faults = field(default_factory=dict)

    def event(self, kind: EventKind, attributes: Mapping[str, Any], **more: Any) -> Event:
        found = dict(attributes)
        if self.uplink.retained:
            found["retained"] = True
        if self.faults:
            found["faults"] = self.faults
        return Event(self.device_id, kind, attributes=found, buffered=self.uplink.retained, **more)

    def key(self, *parts: object) -> str:
        return event_key("owntracks", self.device_id, *parts)

    def time(self) -> datetime | None:
        """`tst`: when the fix was made (seconds; some apps write it as text)."""
        if self.body.get("tst") in (None, ""):
            self.faults["tst"] = "missing"
        return moment(self.body.get("tst"), self.faults, "tst")


class OwnTracksCodec:
    """The codec of family `owntracks`."""

    family = "owntracks"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one message; an array (the recorder's answer, a queue sent at once) gives each of its objects."""
        body, error = read_body(uplink.payload)
        if error is not None:
            return Decoded() if not uplink.payload.strip() and uplink.topic else Decoded(error=error)
        if isinstance(body, dict):
            return _one(body, uplink, device)
        if not isinstance(body, list):
            return Decoded(error=f"an OwnTracks object was expected, not {show(body)}")
        events: list[Event] = []
        errors: list[str] = [] if len(body) <= MAX_EVENTS else [f"{len(body)} objects: only {MAX_EVENTS} were taken"]
        for index, item in enumerate(body[:MAX_EVENTS]):
            decoded = (
                _one(item, uplink, device) if isinstance(item, dict) else Decoded(error=f"{show(item)} is no object")
            )
            events.extend(decoded.events)
            if decoded.error is not None and len(errors) < 3:
                errors.append(f"item {index}: {decoded.error}")
        return Decoded(tuple(events), error="; ".join(errors) or None)


def _one(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded:
    kind = body.get("_type")
    if not isinstance(kind, str) or not kind:
        return Decoded(error=f"_type {show(kind)}: not an OwnTracks message")
    message = _Message(device.device_id or _name(uplink.topic, body), body, uplink, device.profile)
    read = _READERS.get(kind)
    if read is None:
        return Decoded((_unsupported(message),))
    return Decoded((read(message),))


def _name(topic: str, body: Mapping[str, Any]) -> str:
    """`user:device` of the topic; without one, of the body's topic, else the two letters of the tracker."""
    for text in (topic, body.get("topic")):
        parts = text.split("/") if isinstance(text, str) else []
        if len(parts) >= 3 and parts[1] and parts[2]:
            return device_name(parts[1], parts[2])
    tid = body.get("tid")
    return device_name(tid) if isinstance(tid, str) and tid.strip() else "owntracks"


def _known(value: object) -> float | None:
    """A measure; -1 says that the phone does not know."""
    found = number(value)
    return None if found is None or found == -1 else found


def _location(message: _Message) -> Event:
    body, faults = message.body, message.faults
    observed_at = message.time()
    fix = place(
        body.get("lat"), body.get("lon"), faults,
        accuracy_m=body.get("acc"), datum=message.profile.get("datum"), observed_at=observed_at,
        source="beacon" if body.get("t") == "b" else "gnss",
    )  # fmt: skip
    if fix is None and "fix" not in faults:
        faults["fix"] = "missing"
    written_at = moment(body.get("created_at"), faults, "created_at")
    vertical = _known(body.get("vac"))
    measures = {
        "speed_kmh": _known(body.get("vel")),
        "course_deg": _known(body.get("cog")),
        "altitude_m": number(body.get("alt")) if vertical is None or vertical > 0 else None,
        "pressure_kpa": _known(body.get("p")),
    }
    attributes: dict[str, Any] = {name: value for name, value in measures.items() if value is not None}
    attributes |= _words(body)
    power = body.get("bs")
    if isinstance(power, int) and power in _BATTERY_STATES:
        attributes["power"] = _BATTERY_STATES[power]
    if written_at is not None and written_at != observed_at:
        attributes["created_at"] = written_at.isoformat()
    attributes |= extras(body, _LOCATION)
    # Without a time of its own a report cannot be told from the next one at the same place.
    known = body.get("_id") or (observed_at and (observed_at.isoformat(), fix, str(body.get("t")), str(written_at)))
    return message.event(
        "location",
        attributes,
        observed_at=observed_at,
        fix=fix,
        battery_pct=charge(body.get("batt"), faults),
        key=message.key("location", show(body["_id"]) if body.get("_id") else known) if known else None,
    )


def _words(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    trigger, connection = body.get("t"), body.get("conn")
    if isinstance(trigger, str) and trigger:
        found["trigger"] = _TRIGGERS.get(trigger, clean_text(trigger, 16))
    if isinstance(connection, str) and connection:
        found["connection"] = _CONNECTIONS.get(connection, clean_text(connection, 16))
    return found


def _transition(message: _Message) -> Event:
    body, faults = message.body, message.faults
    observed_at = message.time()
    beacon = body.get("t") == "b"
    crossing = word(body.get("event"))
    # A beacon has no place of its own: 0,0 is not a fault there.
    unplaced = beacon and number(body.get("lat")) == 0 and number(body.get("lon")) == 0
    fix = None
    if not unplaced:
        fix = place(
            body.get("lat"), body.get("lon"), faults,
            accuracy_m=body.get("acc"), datum=message.profile.get("datum"), observed_at=observed_at,
            source="beacon" if beacon else "gnss",
        )  # fmt: skip
    zone = body.get("desc")
    attributes: dict[str, Any] = {"event": crossing or show(body.get("event")), **_words(body)}
    if isinstance(zone, str) and zone:
        attributes["zone"] = clean_text(zone, 200)
    if body.get("rid"):
        attributes["zone_id"] = clean_text(str(show(body["rid"])).strip("'"), 64)
    if beacon:
        attributes["beacon"] = True
    attributes |= extras(body, _TRANSITION)
    type_: object = _CROSSINGS.get(crossing, UNKNOWN_TYPE)
    for name in (crossing, f"beacon_{crossing}") if beacon else (crossing,):
        type_ = message.profile.get(name, type_) if crossing in _CROSSINGS else type_
    if crossing not in _CROSSINGS:
        attributes["code"] = attributes["event"]
    # Two zones are crossed in the same second: the zone is part of what tells transitions apart.
    zone_key = (show(body.get("rid")), show(body.get("wtst")), show(zone), show(body.get("_id")))
    key = None if observed_at is None else message.key("transition", observed_at.isoformat(), crossing, zone_key)
    if type_ is None:
        attributes["state"] = f"{'beacon' if beacon else 'zone'}_{crossing}"
        return message.event("activity", attributes, observed_at=observed_at, fix=fix, key=key)
    if not isinstance(type_, str) or type_ not in ALARM_TYPES:
        faults["profile"] = f"{show(type_)} is not an alarm type"
        type_ = UNKNOWN_TYPE
    return message.event("alarm", attributes, type=type_, observed_at=observed_at, fix=fix, key=key)


def _will(message: _Message) -> Event:
    """The last will. Its time is that of the connect; a dozing phone loses its connection every few minutes."""
    attributes: dict[str, Any] = {"online": False, "last_will": True}
    connected_at = moment(message.body.get("tst"), message.faults, "tst")
    if connected_at is not None:
        attributes["connected_at"] = connected_at.isoformat()
    return message.event("status", attributes)


def _steps(message: _Message) -> Event:
    body, faults = message.body, message.faults
    count = metric("steps", body.get("steps"), faults)
    begun = moment(body.get("from"), faults, "from")
    ended = moment(body.get("to"), faults, "to")
    attributes = extras(body, ("_type", "steps", "tst", "from", "to"))
    if begun is not None:
        attributes["from"] = begun.isoformat()
    observed_at = ended or moment(body.get("tst"), faults, "tst")
    key = None if observed_at is None else message.key("steps", observed_at.isoformat(), show(body.get("steps")))
    vitals = {} if count is None else {"steps": count}
    return message.event("vitals", attributes, observed_at=observed_at, vitals=vitals, key=key)


def _zones(message: _Message) -> Event:
    """Zones drawn on the phone: configuration, not a position of anybody."""
    body = message.body
    listed = as_list(body.get("waypoints"), _WAYPOINTS) if body.get("_type") == "waypoints" else [body]
    zones: list[dict[str, Any]] = []
    for one in listed:
        zone = as_object(one)
        reasons: Faults = {}
        where = place(zone.get("lat"), zone.get("lon"), reasons, datum=message.profile.get("datum"))
        name = zone.get("desc")
        zones.append(
            {
                "name": clean_text(name, 200) if isinstance(name, str) else None,
                "lat": None if where is None else where.lat,
                "lon": None if where is None else where.lon,
                "radius_m": _known(zone.get("rad")),
            }
        )
    # `tst` is when the zone was drawn, which names it; nobody observed anything then.
    return message.event("status", {"waypoints": zones})


def _status(message: _Message) -> Event:
    attributes = {"online": True, **extras(message.body, ("_type",))}
    return message.event("status", attributes, observed_at=moment(message.body.get("tst"), message.faults, "tst"))


def _beacon(message: _Message) -> Event:
    attributes = {"state": "beacon_seen", **extras(message.body, ("_type", "tst"))}
    return message.event("activity", attributes, observed_at=moment(message.body.get("tst"), message.faults, "tst"))


def _unsupported(message: _Message) -> Event:
    """Commands echoed to us, cards, dumps, and what is encrypted with a key the hub does not hold."""
    body = message.body
    found: dict[str, Any] = {"type": clean_text(str(body.get("_type")), 32)}
    if body.get("_type") == "encrypted":
        sent = body.get("data")
        found["reason"] = "encrypted: the hub holds no key of this phone"
        found["characters"] = len(sent) if isinstance(sent, str) else 0
    elif isinstance(body.get("action"), str):
        found["command"] = clean_text(body["action"], 64)
    return message.event("unsupported", found)


_READERS: Mapping[str, Callable[[_Message], Event]] = {
    "location": _location,
    "transition": _transition,
    "lwt": _will,
    "steps": _steps,
    "waypoint": _zones,
    "waypoints": _zones,
    "status": _status,
    "beacon": _beacon,
}
