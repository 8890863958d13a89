"""The clouds and gateways fall radars (and the buttons and detectors sold with them) report through.

Tuya (device status and message push), Aqara (open platform push, and the gateway's local protocol), Netlia (event
forwarding). Each function takes one decoded body; the codec chose it by the body's shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.alarm_types import ALARM_TYPES, UNKNOWN_TYPE
from devices.codecs.fall_radar_events import Teller
from devices.codecs.json_body import (
    MAX_EVENTS,
    as_list,
    as_object,
    charge,
    device_name,
    event_key,
    truth,
    word,
)
from devices.fields import clean_text, extras, number, show
from devices.model import Decoded, DeviceRef, Event, EventKind, Uplink

__all__ = ["aqara", "aqara_gateway", "netlia", "tuya"]

# --- Tuya -------------------------------------------------------------------------------------------------------------

_FALL_CODES = frozenset({"drop_state", "fall_down_status", "fall_state", "fall_status", "fall_alarm", "fall_down"})
_FALL_WORDS = frozenset({"slip", "fall", "fall_down", "falldown", "fall_alarm", "drop", "tumble", "fell", "alarm", "1"})
_MAYBE = ("maybe", "suspect", "warning")
_QUIET = frozenset({"", "normal", "none", "no", "no_fall", "unknown", "0", "false", "null"})
_REACHABLE = {"online": True, "deviceonline": True, "offline": False, "deviceoffline": False}
"""Tuya's `bizCode` of messages that bring no data points."""
_TUYA_ALARMS: Mapping[str, str] = {
    "sos": "sos",
    "sos_state": "sos",
    "smoke_sensor_state": "smoke",
    "smoke_sensor_status": "smoke",
    "gas_sensor_state": "gas",
    "gas_sensor_status": "gas",
    "co_state": "gas",
    "co_status": "gas",
    "watersensor_state": "water_leak",
    "temper_alarm": "tamper",
    "battery_low": "low_battery",
    "bed_exit": "bed_exit",
}


def tuya(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded | None:
    """Data points `{"code", "value", "t"|"time"}` of one device, in any of Tuya's envelopes; None: it is none."""
    push = as_object(body.get("bizData")) or as_object(body.get("data")) or body
    points: list[Mapping[str, Any]] = []
    for holder in (body, push):
        for name in ("status", "result", "properties"):
            points += [one for one in map(as_object, as_list(holder.get(name))) if "code" in one]
        if points:
            break
    if not points:
        sent = as_object(push.get("properties")) or (push if uplink.topic.startswith("tylink/") else {})
        points = [
            {"code": code, **as_object(value)} if isinstance(value, dict) else {"code": code, "value": value}
            for code, value in list(sent.items())[:MAX_EVENTS]
        ]
    reachable = _REACHABLE.get(word(body.get("bizCode")))
    if not points and reachable is None:
        return None
    names = [holder.get(name) for holder in (push, body) for name in ("devId", "dev_id", "deviceId", "device_id")]
    topic = uplink.topic.split("/")
    names += [topic[1] if topic[0] == "tylink" and len(topic) > 1 else None, uplink.topic or "tuya"]
    tell = Teller(
        device.device_id or device_name(next(name for name in names if isinstance(name, str) and name)), uplink
    )
    if not points:
        tell.time(next((one[name] for one in (push, body) for name in ("time", "ts", "t") if one.get(name)), None))
        return Decoded((tell.event("status", {"online": reachable}),))
    state: dict[str, Any] = {}
    events: list[Event] = []
    level = None
    for point in points[:MAX_EVENTS]:
        code, value = word(point.get("code")), point.get("value")
        tell.time(next((point[name] for name in ("t", "time") if point.get(name)), body.get("t")))
        if code in _FALL_CODES:
            events += _fall_word(tell, code, value)
            state["fall"] = clean_text(word(value) or show(value), 32)
        elif code in _TUYA_ALARMS:
            on = truth(value)
            state[code] = value if isinstance(value, bool) else clean_text(show(value), 32)
            if on or (on is None and word(value) not in _QUIET and isinstance(value, str)):
                code_said = {"code": f"{code}={show(value)}"}
                events.append(tell.alarm(_TUYA_ALARMS[code], code_said, mark=f"{code} {show(value)}"))
        elif code in ("presence_state", "human_presence", "presence"):
            there = (
                word(value) not in ("none", "absent", "no", "0", "false") if isinstance(value, str) else truth(value)
            )
            state |= {
                "state": "present" if there else "absent",
                "presence": there,
                "presence_state": show(value).strip("'"),
            }
        elif code in ("battery_percentage", "battery", "va_battery"):
            level = charge(value, tell.faults)
        elif code:
            state |= extras({code: value}, ())
    kind: EventKind = "activity" if "presence" in state else "status"
    if kind == "activity" or not events or level is not None:
        events.append(tell.event(kind, state if kind == "activity" else {"online": True, **state}, battery_pct=level))
    return Decoded(tuple(events))


def _fall_word(tell: Teller, code: str, value: object) -> list[Event]:
    said = word(value) if isinstance(value, str) else word(show(value))
    if said in _QUIET:
        return []
    found: dict[str, Any] = {"code": clean_text(f"{code}={said}", 80)}
    if any(part in said for part in _MAYBE):
        return [tell.alarm("fall", {**found, "suspected": True}, mark="fall_suspected")]
    return [tell.alarm("fall" if said in _FALL_WORDS or value is True else UNKNOWN_TYPE, found, mark=f"fall {said}")]


# --- Aqara, open platform ---------------------------------------------------------------------------------------------

_AQARA_FALL, _AQARA_PRESENCE = "4.31.85", "3.51.85"


def aqara(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded:
    """`resource_report`: resources by number, values and times (ms) as text."""
    events: list[Event] = []
    listed = as_list(body.get("data"))
    for one in map(as_object, listed):
        subject, resource = one.get("subjectId"), one.get("resourceId")
        name = subject if isinstance(subject, str) and subject else uplink.topic or "aqara"
        tell = Teller(device.device_id or device_name(name), uplink)
        tell.time(one.get("time", one.get("timeStamp")))
        value = show(one.get("value")).strip("'")
        found = {"resource": show(resource).strip("'"), "value": value}
        if resource == _AQARA_FALL:
            if value in _QUIET:
                events.append(tell.event("activity", {"state": "no_fall", **found}, mark="no_fall"))
            else:
                known = value == "1"
                code = {"code": f"{resource}={value}", **found}
                events.append(tell.alarm("fall" if known else UNKNOWN_TYPE, code, mark=f"fall {value}"))
        elif resource == _AQARA_PRESENCE and (there := truth(one.get("value"))) is not None:
            state = "present" if there else "absent"
            events.append(
                tell.event("activity", {"state": state, "presence": there, **found}, mark=f"presence {value}")
            )
        else:
            events.append(tell.event("status", {"online": True, **found}))
    if not events:
        tell = Teller(device.device_id or device_name(uplink.topic or "aqara"), uplink)
        events.append(tell.event("unsupported", {"type": show(body.get("eventType")), "body": extras(body, (), 16)}))
    return Decoded(tuple(events))


# --- Aqara, the gateway's local protocol ------------------------------------------------------------------------------

_CLICKS = {
    "click": "single",
    "double_click": "double",
    "long_click_press": "long",
    "long_click": "long",
    "long_click_release": "release",
}
_DETECTORS = {"smoke": "smoke", "natgas": "gas"}


def aqara_gateway(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded:
    """`{"cmd", "model", "sid", "data"}`, `data` being JSON written as text. Early models never tell motion's end."""
    sid, model = body.get("sid"), word(body.get("model"))
    tell = Teller(device.device_id or device_name(sid if isinstance(sid, str) and sid else "gateway"), uplink)
    values = as_object(body.get("data"))
    status = word(values.get("status"))
    found: dict[str, Any] = {"model": model, **extras(values, ("status",), 16)}
    millivolts = number(values.get("voltage"))
    if millivolts is not None:
        found["battery_mv"] = millivolts
    detector = next((type_ for part, type_ in _DETECTORS.items() if part in model), None)
    if detector and "alarm" in values:
        level = number(values["alarm"])
        test = level == 2
        found |= {detector: level == 1, "code": f"alarm={show(values['alarm']).strip(chr(39))}"}
        if test:
            return Decoded((tell.alarm("test_call", {**found, "test": True}, mark="test", test=True),))
        if level != 0:
            return Decoded((tell.alarm(detector if level == 1 else UNKNOWN_TYPE, found, mark=f"{detector} {level}"),))
        return Decoded((tell.event("status", {"online": True, **found}),))
    if "wleak" in model and status in ("leak", "no_leak"):
        found["water_leak"] = status == "leak"
        if status == "leak":
            return Decoded((tell.alarm("water_leak", {**found, "code": status}, mark="leak"),))
        return Decoded((tell.event("status", {"online": True, **found}),))
    if "magnet" in model and (status in ("open", "close") or "no_close" in values):  # no_close: open so many seconds
        door = "closed" if status == "close" else "open"
        return Decoded((tell.event("activity", {**found, "state": f"door_{door}", "door": door}),))
    if status == "motion" or "no_motion" in values:  # no_motion: for so many seconds
        moving = status == "motion"
        return Decoded(
            (tell.event("activity", {**found, "state": "motion" if moving else "no_motion", "motion": moving}),)
        )
    if status in _CLICKS or ("switch" in model and status):
        button = _CLICKS.get(status, status)
        actions = device.profile.get("actions")
        type_ = actions.get(button) if isinstance(actions, dict) else None
        if isinstance(type_, str):
            known = type_ if type_ in ALARM_TYPES else UNKNOWN_TYPE
            return Decoded((tell.alarm(known, {**found, "code": button}, mark=f"press {button}", key=None),))
        return Decoded((tell.event("activity", {**found, "state": "button", "button": button}),))
    if status:
        found["status"] = status
    return Decoded((tell.event("status", {"online": True, **found}),))


# --- Netlia -----------------------------------------------------------------------------------------------------------

_THINGS: tuple[tuple[str, str], ...] = (
    ("sos", "sos"),
    ("panic", "sos"),
    ("emergency", "sos"),
    ("fall", "fall"),
    ("smoke", "smoke"),
    ("fire", "smoke"),
    ("gas", "gas"),
    ("carbon", "gas"),
    ("flood", "water_leak"),
    ("leak", "water_leak"),
    ("water", "water_leak"),
    ("bed", "bed_exit"),
)
_CRIES = ("alarm", "alert", "detected", "pressed", "triggered", "sos", "fall")
_TROUBLES: tuple[tuple[str, str], ...] = (
    ("low_battery", "low_battery"),
    ("battery_low", "low_battery"),
    ("battery", "low_battery"),
    ("tamper", "tamper"),
    ("fault", "device_fault"),
    ("error", "device_fault"),
)


def netlia(body: Mapping[str, Any], uplink: Uplink, device: DeviceRef) -> Decoded:
    """Event forwarding, at least once: `EventId` makes it once. Keys come in PascalCase or camelCase."""
    fields = {name.lower(): value for name, value in body.items()}
    sent_id = fields.get("deviceid")
    name = sent_id if isinstance(sent_id, str | int) and sent_id else uplink.topic or "netlia"
    tell = Teller(device.device_id or device_name(name), uplink)
    tell.time(fields.get("eventtime"))
    thing, what = word(fields.get("devicetype")), word(fields.get("eventtype"))
    event_id = clean_text(show(fields["eventid"]).strip("'"), 64) if fields.get("eventid") else None
    key = None if event_id is None else event_key("fall_radar", tell.device_id, "netlia", event_id)
    known = ("protocolversion", "deviceid", "devicetype", "eventid", "eventtime", "eventtype")
    found: dict[str, Any] = {
        "device_type": clean_text(thing, 64),
        "event": clean_text(what, 64),
        **extras(fields, known, 16),
    }
    common: dict[str, Any] = {"key": key, "ref": event_id} if key else {}
    if what == "alive":
        return Decoded((tell.event("status", {**found, "online": True}, **common),))
    if what.startswith("measured"):
        degrees = number(fields.get("temperature"))
        if degrees is not None:
            found["temperature_c"] = degrees  # of the room
        return Decoded((tell.event("status", {**found, "online": True}, **common),))
    starts, ends = what in ("event_start", "event", "start"), what in ("event_end", "end", "event_stop", "stop")
    if starts or ends:
        if any(part in thing for part in ("magnet", "door", "window", "contact")):
            door = "open" if starts else "closed"
            return Decoded((tell.event("activity", {**found, "state": f"door_{door}", "door": door}, **common),))
        if any(part in thing for part in ("motion", "presence", "occupancy", "pir")):
            word_ = "motion" if starts else "no_motion"
            return Decoded((tell.event("activity", {**found, "state": word_, "motion": starts}, **common),))
        if ends:
            return Decoded((tell.event("status", {**found, "online": True, "active": False}, **common),))
        type_ = next((type_ for part, type_ in _THINGS if part in thing), UNKNOWN_TYPE)
        return Decoded((tell.alarm(type_, {**found, "code": thing or "none"}, mark=f"{thing} {what}", **common),))
    over = what.endswith(("_end", "_restored", "_ok", "_normal"))
    trouble = next((type_ for part, type_ in _TROUBLES if part in what), None)
    if trouble and not over:
        return Decoded((tell.alarm(trouble, {**found, "code": what}, mark=what, **common),))
    if not over and any(part in what for part in _CRIES):
        # Not a word we were told of; of a thing that calls for help it means what the thing is for.
        type_ = next((type_ for part, type_ in _THINGS if part in thing), UNKNOWN_TYPE)
        return Decoded((tell.alarm(type_, {**found, "code": what}, mark=f"{thing} {what}", **common),))
    return Decoded((tell.event("unsupported", found, **common),))
