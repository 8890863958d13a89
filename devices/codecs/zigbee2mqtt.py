"""Zigbee2MQTT: the states, presses and availability of Zigbee sensors behind one gateway (docs/wire/zigbee2mqtt.md).

What decides here:
- a press counts where its action word is; the empty action that follows it says nothing;
- a retained message is the state that holds, never an alarm: the broker sends it again at every subscription;
- the wire numbers nothing. Repeats are told by device, alarm and the stretch of time they arrived in;
- `occupancy: true` beside a light reading is the gateway's cached value, not new motion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.alarm_types import ALARM_TYPES, UNKNOWN_TYPE
from devices.codecs.json_body import (
    as_list,
    as_object,
    charge,
    device_name,
    event_key,
    moment,
    read_body,
    truth,
    window,
    word,
)
from devices.codecs.zigbee2mqtt_table import (
    ACTION_ALARMS,
    ALARM_PROPERTIES,
    FALL_WORDS,
    PRESS_WINDOW_S,
    REVERSED_MODELS,
    STATE_PROPERTIES,
    STATE_WINDOW_S,
    WINDOWS_S,
)
from devices.fields import Faults, clean_text, extras, number, show
from devices.model import Decoded, DeviceRef, Event, EventKind, Uplink

__all__ = ["Zigbee2MqttCodec"]

_DOWN = frozenset({"set", "get"})
_RADAR = frozenset({"presence", "fall_status", "fall_down_status", "sensor_status", "target_distance"})
_LIGHT = frozenset({"illuminance", "illuminance_lux", "illumination"})
_QUIET = frozenset({"", "normal", "none", "unknown", "unavailable", "null", "false", "off", "0"})
_CODES = frozenset({"action_code", "pin_code"})
"""What keypads and locks say of the codes that open a home. Only that one was given is kept."""
_KNOWN = frozenset({"action", "battery", "last_seen", "linkquality", "device"})
_NOT_ON_OFF = frozenset({"gas", "carbon_monoxide"})  # a number there is a concentration


@dataclass(slots=True)
class _Message:
    """One message of one sensor."""

    device_id: str
    name: str
    uplink: Uplink
    profile: Mapping[str, Any]
    faults: Faults = field(default_factory=dict)
    observed_at: datetime | None = None
    battery_pct: int | None = None
    events: list[Event] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def event(self, kind: EventKind, **more: Any) -> Event:
        found: dict[str, Any] = dict(more.pop("attributes", {}))
        if self.name != self.device_id:
            found["friendly_name"] = self.name
        if self.uplink.retained:
            found["retained"] = True
        if self.faults:
            found["faults"] = self.faults
        return Event(
            self.device_id,
            kind,
            observed_at=self.observed_at,
            battery_pct=self.battery_pct,
            attributes=found,
            **more,
        )

    def alarm(self, type_: str, code: str, seconds: float, **attributes: Any) -> None:
        """One alarm; nothing where the message is retained."""
        if self.uplink.retained:
            return
        if type_ not in ALARM_TYPES:
            attributes["faults_profile"] = f"{show(type_)} is not an alarm type"
            type_ = UNKNOWN_TYPE
        stretch = window(self.uplink.received_at, number(_map(self.profile, "window_s").get(type_)) or seconds)
        suspected = "suspected" if attributes.get("suspected") else ""
        key = event_key("zigbee2mqtt", self.device_id, type_, suspected, stretch)
        if any(event.key == key for event in self.events):
            return  # the same alarm under two names in one message
        self.events.append(
            self.event("alarm", type=type_, key=key, attributes={**self.said, "code": code, **attributes})
        )


class Zigbee2MqttCodec:
    """The codec of family `zigbee2mqtt`."""

    family = "zigbee2mqtt"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one message. The device id is that given, else the friendly name in the topic."""
        base, *rest = uplink.topic.split("/")
        if not rest or not rest[0]:
            return Decoded(error=f"topic {show(uplink.topic)} is not {{base}}/{{friendly name}}[/…]")
        if rest[0] == "bridge" and len(rest) > 1:
            bridge_id = device.device_id or device_name(base, "bridge")
            return _bridge("/".join(rest[1:]), _Message(bridge_id, bridge_id, uplink, device.profile))
        last = rest[-1] if len(rest) > 1 else ""
        named = "/".join(rest[:-1]) if last in _DOWN or last in ("availability", "action") else "/".join(rest)
        body, error = read_body(uplink.payload)
        if error is not None or not isinstance(body, dict):
            # output by attribute: one topic a property, the bare value as its body
            text = clean_text(uplink.payload.decode("utf-8", "replace").strip(), 200)
            value: Any = text if error is not None else body
            if last in _ATTRIBUTES and last != "availability":
                named, body = "/".join(rest[:-1]), {last: value}
            elif last != "availability":
                if not text:
                    return Decoded()  # a retained state being wiped
                return Decoded(error=error or f"an object was expected, not {show(body)}")
            else:
                body = {"state": value}
        name = clean_text(named, 200)
        message = _Message(device.device_id or device_name(name), name, uplink, device.profile)
        if last in _DOWN:
            return Decoded((message.event("unsupported", attributes={"command": last, "body": extras(body, ())}),))
        if last == "availability":
            return _availability(message, body)
        return Decoded(tuple(_state(message, body)))


# --- the gateway ------------------------------------------------------------------------------------------------------


def _availability(message: _Message, body: Mapping[str, Any]) -> Decoded:
    state = word(body.get("state"))
    if state not in ("online", "offline"):
        return Decoded(error=f"availability {show(body.get('state'))} is neither online nor offline")
    found = {"online": state == "online", "availability": state}
    return Decoded((message.event("status", attributes=found),))


def _bridge(channel: str, message: _Message) -> Decoded:
    """What the gateway says of itself. Its silence blinds every sensor behind it, so its state is a device's state."""
    body, error = read_body(message.uplink.payload)
    if channel == "state":
        state = word(body.get("state")) if isinstance(body, dict) else word(body)
        state = state or word(message.uplink.payload.decode("utf-8", "replace"))
        if state not in ("online", "offline"):
            return Decoded(error=f"bridge state {show(state)} is neither online nor offline")
        return Decoded((message.event("status", attributes={"online": state == "online", "bridge": state}),))
    if error is not None:
        return Decoded(error=error)
    found: dict[str, Any] = {"channel": clean_text(channel, 64)}
    if channel == "devices":
        names = [as_object(one).get("friendly_name") for one in as_list(body, 1000)]
        found["count"] = len(body) if isinstance(body, list) else 0
        found["devices"] = [clean_text(name, 64) for name in names[:100] if isinstance(name, str)]
        return Decoded((message.event("status", attributes=found),))
    if channel in ("info", "health"):
        found |= extras(as_object(body), ("config", "config_schema"), 16) | {"online": True}
        return Decoded((message.event("status", attributes=found),))
    if channel == "event":
        sent = as_object(body)
        found["event"] = word(sent.get("type"))
        found |= extras(as_object(sent.get("data")), ("definition",), 16)
        return Decoded((message.event("status", attributes=found),))
    if channel.startswith("response/"):
        answer = as_object(body)
        ref = answer.get("transaction")
        found |= extras(answer, ("data",), 16)
        return Decoded(
            (
                message.event(
                    "reply", ref=clean_text(ref, 64) or None if isinstance(ref, str) else None, attributes=found
                ),
            )
        )
    return Decoded((message.event("unsupported", attributes=found),))


# --- a sensor ---------------------------------------------------------------------------------------------------------


def _state(message: _Message, body: Mapping[str, Any]) -> list[Event]:
    profile, faults = message.profile, message.faults
    exposes = _polarity(profile, body)
    message.observed_at = moment(body.get("last_seen"), faults)
    message.battery_pct = charge(body.get("battery"), faults)
    said = message.said
    if message.battery_pct is None and body.get("battery") is not None:
        said |= extras({"battery_raw": body["battery"]}, ())
    quality = number(body.get("linkquality"))
    if quality is not None:
        said["linkquality"] = quality

    coded = [name for name, value in body.items() if _holds_code(name, value)]
    said |= {f"{clean_text(name, 64)}_given": True for name in coded}

    alarms = {**ALARM_PROPERTIES, **_map(profile, "alarms")}
    falls: dict[str, Any] = {**FALL_WORDS, **_map(profile, "falls")}
    activity = _activity(body, exposes)
    if "temperature" in body and (degrees := number(body["temperature"])) is not None:
        said["temperature_c"] = degrees  # of the room, not of a person
    on: list[tuple[str, str]] = []
    odd: list[tuple[str, Any]] = []
    for name, type_ in alarms.items():
        if name not in body or name in falls:
            continue
        if name in _NOT_ON_OFF and number(body[name]) is not None and not isinstance(body[name], str):
            continue
        active = _active(name, body[name], exposes)
        if active is not None:
            said[name] = active
        if active and isinstance(type_, str):
            on.append((name, type_))
        elif active is None and type_ is not None and not _says_nothing(body[name]):
            odd.append((name, body[name]))
    known = {*_KNOWN, *said, *activity, *alarms, *falls, *STATE_PROPERTIES, "temperature"} - _NOT_ON_OFF
    known |= {*coded, *(name for name in _NOT_ON_OFF if name in said)}
    said.update({f"property_{name}" if name in said else name: value for name, value in extras(body, known).items()})

    _press(message, body.get("action"))
    for name, type_ in on:
        message.alarm(type_, name, WINDOWS_S.get(type_, STATE_WINDOW_S))
    for name, value in odd:
        message.alarm(UNKNOWN_TYPE, f"{name}={show(value)}", STATE_WINDOW_S)
    for name, words in falls.items():
        _fall(message, name, body.get(name), words if isinstance(words, dict) else {})
    if activity:
        message.events.append(message.event("activity", attributes={**said, **activity}))
    elif not message.events:
        message.events.append(message.event("status", attributes={**said, "online": True}))
    return message.events


def _holds_code(name: str, value: object) -> bool:
    """Also deeper, as in a lock's `users`."""
    if name in _CODES:
        return value is not None and value != ""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if not _CODES.isdisjoint(one):
                return True
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return False


def _press(message: _Message, action: object) -> None:
    pressed = word(action)
    if pressed in ("", "none", "null"):
        return
    message.said["action"] = clean_text(str(action), 64)
    chosen = _map(message.profile, "actions")
    if pressed in chosen or str(action) in chosen:
        type_ = chosen.get(pressed, chosen.get(str(action)))
    else:
        type_ = next((ACTION_ALARMS[part] for part in pressed.split("_") if part in ACTION_ALARMS), None)
    if isinstance(type_, str):
        message.alarm(type_, pressed, PRESS_WINDOW_S)
    else:
        message.events.append(
            message.event("activity", attributes={**message.said, "state": "button", "button": pressed})
        )


def _fall(message: _Message, name: str, value: object, words: Mapping[str, Any]) -> None:
    if value is None:
        return
    said = word(value) or show(value).lower()
    default = "fall" if value is True else None if said in _QUIET else UNKNOWN_TYPE
    verdict = words.get(said, default)
    message.said[name] = clean_text(said, 64)
    if verdict == "suspected":
        message.alarm("fall", f"{name}={said}", WINDOWS_S["fall"], suspected=True)
    elif verdict is not None:
        message.alarm(str(verdict), f"{name}={said}", WINDOWS_S["fall"])


def _activity(body: Mapping[str, Any], exposes: Mapping[str, Any]) -> dict[str, Any]:
    """What the message says of people's whereabouts and doors, `state` first."""
    found: dict[str, Any] = {}
    if "contact" in body and (is_open := _is_open(body["contact"], exposes)) is not None:
        found["state"] = "door_open" if is_open else "door_closed"
        found["door"] = "open" if is_open else "closed"
        found["contact"] = not is_open
    if (vibration := _active("vibration", body.get("vibration"), exposes)) is not None:
        found.setdefault("state", "vibration" if vibration else "still")
        found["vibration"] = vibration
    there = _active("presence", body.get("presence"), exposes)
    occupied = _active("occupancy", body.get("occupancy"), exposes)
    if occupied is not None:
        found["occupancy"] = occupied
    if not _RADAR.isdisjoint(body):
        there = occupied if there is None else there
        if there is not None:
            found.setdefault("state", "present" if there else "absent")
            found["presence"] = there
    elif occupied is not None:
        cached = occupied and not _LIGHT.isdisjoint(body)
        found.setdefault("state", "occupied" if cached else "motion" if occupied else "no_motion")
        found["motion"] = None if cached else occupied
        if cached:
            found["cached"] = True
    status = word(body.get("sensor_status"))
    if status:
        found["activity"] = {"activity": "active", "inactivity": "inactive"}.get(status, status)
        found.setdefault("state", found["activity"])
    return found


# --- polarity ---------------------------------------------------------------------------------------------------------


def _map(profile: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = profile.get(name)
    return found if isinstance(found, dict) else {}


def _polarity(profile: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Property to its `value_on` and `value_off`: the profile's, else those of a model known to differ."""
    device = as_object(body.get("device"))
    for model in (profile.get("model"), device.get("model"), device.get("modelId"), device.get("modelID")):
        if isinstance(model, str) and model in REVERSED_MODELS:
            return {**REVERSED_MODELS[model], **_map(profile, "exposes")}
    return _map(profile, "exposes")


def _active(name: str, value: object, exposes: Mapping[str, Any]) -> bool | None:
    """Whether a binary property is on; None: unknown."""
    polarity = exposes.get(name)
    if isinstance(polarity, dict):
        for key, meaning in (("value_on", True), ("value_off", False)):
            # `1 == True` in Python: a number is not the profile's true
            if key in polarity and value == polarity[key] and type(value) is type(polarity[key]):
                return meaning
    return truth(value)


def _is_open(value: object, exposes: Mapping[str, Any]) -> bool | None:
    """A contact: true means the magnet is near, so CLOSED; words say what they say (ON: open)."""
    polarity = exposes.get("contact")
    if isinstance(polarity, dict) and value in (polarity.get("value_on"), polarity.get("value_off")):
        return _active("contact", value, exposes)
    said = truth(value)
    if said is None or (isinstance(value, str) and word(value) not in ("true", "false", "1", "0")):
        return said
    return not said


def _says_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and word(value) in _QUIET)


_ATTRIBUTES = frozenset({*ALARM_PROPERTIES, *FALL_WORDS, *STATE_PROPERTIES, *_KNOWN, "availability"}) - {"device"}
