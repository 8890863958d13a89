"""Fall radars: Vayyar and its look-alike, ESPHome, the clouds of Tuya, Aqara and Netlia (docs/wire/fall_radar.md).

The dialect is told by the profile's `dialect`, else by the shape of the message. What decides here:
- one fall is one `timestamp`, however many messages tell of it; a suspicion and its confirmation are two alarms of one
  episode (`ref`), `attributes["suspected"]` marks the first;
- what a radar marks as simulated, learning or silent is kept as a status, never an alarm;
- the end of an episode is told as activity, a cancel as `cancel`: neither closes anything.

No message a real radar sent is public: the dialects stand on documents and on what several integrations agree on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devices.alarm_types import CANCEL, UNKNOWN_TYPE
from devices.codecs.fall_radar_clouds import aqara, aqara_gateway, netlia, tuya
from devices.codecs.fall_radar_events import Teller
from devices.codecs.json_body import as_list, as_object, device_name, read_body, truth, word
from devices.fields import clean_text, extras, metric, number, show
from devices.model import Decoded, DeviceRef, Event, Uplink

__all__ = ["FallRadarCodec"]

_VAYYAR_TOPIC = re.compile(r"/?devices/([^/]+)/([^/]+)")
_ESPHOME_TOPIC = re.compile(r"(?:.*[/ ])?([^/ ]+)/(binary_sensor|sensor|text_sensor|event)/([^/]+)/state")
_STATUS_TOPIC = re.compile(r"(?:.*[/ ])?([^/ ]+)/(?:status|availability|LWT)")

_KINDS: Mapping[int, str] = {4: "presence", 5: "fall", 8: "fall", 10: "bed_exit", 0: "presence", 1: "fall", 2: "answer"}
"""Message type to what it is. 4, 5, 8 and 10 are Vayyar's, 0, 1 and 2 its look-alike's, on the same topics."""

_SUSPECTED = frozenset({"fall_detected", "fall_suspected", "detected", "suspected"})
_CONFIRMED = frozenset({"fall_confirmed", "confirmed", "calling", "on_call"})
_ENDED = frozenset({"finished", "fall_exit", "exit", "ended"})
_CANCELED = frozenset({"canceled", "cancelled"})
_FALL_STATUS = _SUSPECTED | _CONFIRMED | _ENDED | _CANCELED
_UNCOUNTED: Mapping[str, str] = {"isSimulated": "simulated", "isLearning": "learning", "isSilent": "silent"}
_FALL_KNOWN = frozenset(
    {"timestamp", "status", "deviceId", "type", "statusUpdateTimestamp", "endTimestamp", *_UNCOUNTED}
)
_VITALS = (
    (("heart", "rate"), "heart_rate_bpm"),
    (("respira", "rate"), "respiration_rpm"),
    (("breath", "rate"), "respiration_rpm"),
)
"""Words in the name of an ESPHome sensor to the vital sign it is."""

_POSTURES = {0: "standing", 1: "sitting", 2: "lying", 3: "falling"}


class FallRadarCodec:
    """The codec of family `fall_radar`."""

    family = "fall_radar"

    def decode(self, uplink: Uplink, device: DeviceRef) -> Decoded:
        """Events of one message, whichever dialect it is written in."""
        dialect = device.profile.get("dialect")
        vayyar = _VAYYAR_TOPIC.fullmatch(uplink.topic)
        board = _ESPHOME_TOPIC.fullmatch(uplink.topic)
        if board and dialect in (None, "esphome"):
            return _esphome(uplink, device, board[1], board[2], board[3])
        status = _STATUS_TOPIC.fullmatch(uplink.topic)
        if status and (said := word(uplink.payload.decode("utf-8", "replace"))) in ("online", "offline"):
            tell = Teller(device.device_id or device_name(status[1]), uplink)
            return Decoded((tell.event("status", {"online": said == "online"}),))
        if not uplink.payload.strip():
            return Decoded()  # a retained message being wiped
        body, error = read_body(uplink.payload)
        if error is not None:
            return Decoded(error=error)
        if not isinstance(body, dict):
            return Decoded(error=f"an object was expected, not {show(body)}")
        fields = {name.lower() for name in body}
        if dialect == "netlia" or {"eventtype", "devicetype"} <= fields:
            return netlia(body, uplink, device)
        if dialect == "aqara_gateway" or {"cmd", "sid"} <= fields:
            return aqara_gateway(body, uplink, device)
        if dialect == "aqara" or any("resourceId" in as_object(one) for one in as_list(body.get("data"))):
            return aqara(body, uplink, device)
        if (found := tuya(body, uplink, device)) is not None:
            return found
        inner = as_object(body.get("payload")) or body
        own = inner.get("deviceId")
        name = device_name(vayyar[1] if vayyar else own if isinstance(own, str) and own else uplink.topic or "radar")
        tell = Teller(device.device_id or name, uplink)
        if vayyar and vayyar[2] != "events":
            return Decoded((_liveness(tell, vayyar[2], body),))
        return Decoded((_vayyar(tell, body, inner),))


# --- Vayyar and its look-alike ----------------------------------------------------------------------------------------


def _vayyar(tell: Teller, body: Mapping[str, Any], inner: Mapping[str, Any]) -> Event:
    code = number(body.get("type"))
    kind = _KINDS.get(int(code), "") if code is not None and code == int(code) else ""
    status = word(inner.get("status"))
    if not kind and (status in _FALL_STATUS or word(inner.get("type")) == "fall"):
        kind = "fall"  # a type nobody told us of, but the words of a fall
    tell.time(inner.get("timestamp", inner.get("timestampMillis")))
    if kind == "presence":
        return _presence(tell, inner)
    uncounted = [name for flag, name in _UNCOUNTED.items() if truth(inner.get(flag)) is True]
    if kind == "bed_exit":
        if uncounted:
            return _not_counted(tell, "bed_exit", uncounted, inner)
        return tell.alarm("bed_exit", {"code": show(body.get("type"))}, ref=_episode(inner), mark="bed_exit")
    if kind == "fall":
        return _fall(tell, status, inner, uncounted)
    if kind == "answer":
        return tell.event("reply", extras(inner, ("timestamp",), 16))
    return tell.event("unsupported", {"type": show(body.get("type")), "body": extras(inner, (), 16)})


def _episode(inner: Mapping[str, Any]) -> str | None:
    """The fall's own time is its name."""
    sent = inner.get("timestamp")
    found = number(sent)
    return None if not found else clean_text(show(int(found)), 64)


def _not_counted(tell: Teller, what: str, why: list[str], inner: Mapping[str, Any]) -> Event:
    found = {"logged_only": what, "status": word(inner.get("status")), **dict.fromkeys(why, True)}
    return tell.event("status", found | extras(inner, _FALL_KNOWN, 16))


def _fall(tell: Teller, status: str, inner: Mapping[str, Any], uncounted: list[str]) -> Event:
    if uncounted:
        return _not_counted(tell, "fall", uncounted, inner)
    episode = _episode(inner)
    found: dict[str, Any] = {"code": status or "none", "episode": episode}
    confidence = number(inner.get("confidenceLevel"))
    if confidence is not None:
        found["confidence"] = confidence
    found |= extras(inner, {*_FALL_KNOWN, "confidenceLevel"}, 16)
    if status in _SUSPECTED:
        return tell.alarm("fall", {**found, "suspected": True}, ref=episode, mark="fall_suspected")
    if status in _CONFIRMED:
        return tell.alarm("fall", found, ref=episode, mark="fall")
    if status in _CANCELED:
        return tell.alarm(CANCEL, found, ref=None, mark="cancel", cancels=episode)
    if status in _ENDED:
        return tell.event("activity", {"state": "fall_closed", **found}, mark="fall_closed")
    return tell.alarm(UNKNOWN_TYPE, found, ref=episode, mark=f"fall {status}")


def _presence(tell: Teller, inner: Mapping[str, Any]) -> Event:
    there = truth(inner.get("presenceDetected"))
    found: dict[str, Any] = {"state": None if there is None else "present" if there else "absent", "presence": there}
    regions = as_object(inner.get("presenceRegionMap"))  # an object, or one written as text
    if regions:
        found["regions"] = [
            int(name) if name.isdecimal() and len(name) < 6 else clean_text(name, 32)
            for name, value in list(regions.items())[:16]
            if truth(value) is True
        ]
    if isinstance(inner.get("trackerTargets"), list):
        targets = [as_object(one) for one in as_list(inner["trackerTargets"], 16)]
        found["people"] = len(inner["trackerTargets"])
        found["postures"] = [
            _POSTURES.get(int(posture), show(posture))
            for posture in (number(target.get("posture")) for target in targets)
            if posture is not None
        ]
    return tell.event("activity", found, mark="presence")


def _liveness(tell: Teller, channel: str, body: Mapping[str, Any]) -> Event:
    """The state, sent every two minutes: its absence means that nobody watches over the room."""
    status = word(body.get("status"))
    if channel != "state":
        return tell.event("unsupported", {"channel": clean_text(channel, 64), "body": extras(body, (), 16)})
    found: dict[str, Any] = {"online": status not in ("offline", "disconnected"), "status": clean_text(status, 64)}
    rssi = number(as_object(body.get("wifi")).get("rssi"))
    if rssi is not None and -200 <= rssi < 0:
        found["rssi_dbm"] = rssi
    return tell.event("status", found | extras(body, ("status", "wifi"), 16))


# --- ESPHome ----------------------------------------------------------------------------------------------------------


def _esphome(uplink: Uplink, device: DeviceRef, node: str, component: str, thing: str) -> Decoded:
    """One topic a sensor, ON or OFF as its body. A retained ON is the state that holds, not a fall now."""
    tell = Teller(device.device_id or device_name(node), uplink)
    text = clean_text(uplink.payload.decode("utf-8", "replace").strip(), 100)
    name = thing.lower()
    on = truth(text)
    if component == "binary_sensor" and on is not None:
        if "fall" in name:
            if on and not uplink.retained:
                return Decoded((tell.alarm("fall", {"code": clean_text(thing, 64)}, mark="fall"),))
            return Decoded((tell.event("status", {"online": True, "fall": on}),))
        if any(part in name for part in ("exist", "presence", "occupancy", "people", "person", "human")):
            return Decoded((tell.event("activity", {"state": "present" if on else "absent", "presence": on}),))
        if "motion" in name or "moving" in name:
            return Decoded((tell.event("activity", {"state": "motion" if on else "no_motion", "motion": on}),))
        return Decoded((tell.event("status", {"online": True, clean_text(name, 64): on}),))
    value: object = number(text)
    vital = next((vital for words, vital in _VITALS if all(part in name for part in words)), None)
    if component == "sensor" and vital is not None and value is not None and not uplink.retained:
        found = metric(vital, value, tell.faults)
        vitals = {} if found is None else {vital: found}
        attributes = {} if vitals or tell.faults else {"measurement_failed": True}  # 0: nobody lies in its beam
        return Decoded((tell.event("vitals", attributes, vitals=vitals),))
    return Decoded((tell.event("status", {"online": True, clean_text(name, 64): text if value is None else value}),))
