"""Pushes of a watch cloud: position and alarm frames of the `[3G*..]` family, already taken apart into JSON.

`{"deviceId", "flag": "AL"|"UD"|…, "data": {"time", "latitude", "longitude", "status", …}}`; `data.time` is UTC. The
push is answered with the word `Success`. The key is that of the frame itself, so the same press by both ways is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.codecs.json_body import device_name
from devices.codecs.watch_position import TRUST, position_events, read_position
from devices.fields import Faults, battery, clean_text, extras, latitude_longitude, metric, show
from devices.model import Decoded, DeviceRef, Event, Reply

__all__ = ["decode_push"]

_TIME = re.compile(r"20(\d\d)-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_JSON = msgspec.json.Decoder(dict[str, Any])
_MAX_LIST = 200
_SUCCESS = Reply(b"Success", after_commit=True)
_HEALTH = {
    "heart": "heart_rate_bpm",
    "oxygen": "spo2_pct",
    "spo2": "spo2_pct",
    "temperature": "temperature_c",
    "temp": "temperature_c",
    "steps": "steps",
}
_KNOWN = frozenset({*_HEALTH, "blood", "battery"})
_PUSHED = frozenset({"deviceId", "flag", "data", "results", "latitude", "status"})


def decode_push(payload: bytes, device: DeviceRef) -> Decoded:
    """One push. An `AL` push is an alarm whatever is missing in it, as long as it names its device."""
    try:
        body = _JSON.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return Decoded(error=f"not a push of a watch cloud: {problem}")
    if _PUSHED.isdisjoint(body):
        return Decoded(error=f"not a push of a watch cloud: none of {', '.join(sorted(_PUSHED))} is in it")
    sent, faults = body.get("deviceId"), Faults()
    named = isinstance(sent, str | int) and not isinstance(sent, bool) and sent != ""
    # An alarm whose device is not named well is an alarm all the same: it is shown under a name made of what was sent.
    device_id = device_name(sent) if named else device.device_id
    if not device_id:
        faults["deviceId"] = "missing" if sent is None else f"{show(sent)} names no device"
    if isinstance(body.get("results"), list):
        return Decoded(_measured(device_id, body["results"], faults), (_SUCCESS,))
    flag = clean_text(body["flag"].strip(), 32) if isinstance(body.get("flag"), str) else ""
    # A location object of the cloud's own interface is the inside of a push.
    data = body.get("data", None if flag else body)
    if not isinstance(data, dict):
        faults["data"] = "missing" if data is None else f"{show(data)} is not an object"
        data = {}
    here = read_position(_fields(flag, data), faults)
    if not device_id:
        here.stamp = ""  # two of them may be two people: no key, no ref
    must_alarm = flag.upper().startswith("AL")
    events = position_events(device_id, flag or "UD", device.profile, here, faults, must_alarm)
    return Decoded(events, (_SUCCESS,))


def _measured(device_id: str, results: list[Any], faults: Faults) -> tuple[Event, ...]:
    """Records of the health and sport lists: `{"heart"}`, `{"blood": [systolic, diastolic]}`, `{"steps", "battery"}`.

    `createdAt` carries no zone, and the cloud writes UTC in one place and +08:00 in another: it is kept as sent.
    """
    found: list[Event] = []
    for record in results[:_MAX_LIST]:
        if not isinstance(record, dict):
            continue
        mine: Faults = dict(faults)
        values = {metric_name: record[name] for name, metric_name in _HEALTH.items() if name in record}
        blood = _list(record.get("blood"))
        if len(blood) >= 2:
            values |= {"systolic_mmhg": blood[0], "diastolic_mmhg": blood[1]}
        vitals = {name: value for name in values if (value := metric(name, values[name], mine)) is not None}
        attributes: dict[str, Any] = {"trust": TRUST, "message": "results", **extras(record, _KNOWN, 8)}
        if mine:
            attributes["faults"] = mine
        level = battery(record.get("battery"), mine) or None
        found.append(Event(device_id, "vitals", vitals=vitals, battery_pct=level, attributes=attributes))
    return tuple(found)


def _fields(flag: str, data: Mapping[str, Any]) -> list[str]:
    """The push as the list of the frame it was made from."""
    time = _TIME.fullmatch(_text(data.get("time")))
    date, clock = (f"{time[3]}{time[2]}{time[1]}", f"{time[4]}{time[5]}{time[6]}") if time else ("", "")
    lat, lon = data.get("latitude"), data.get("longitude")
    # The cloud drops the A|V letter; what it sends without a fix is 0,0.
    valid = "V" if isinstance(latitude_longitude(lat, lon), str) else "A"
    names = ("speed", "angle", "altitude", "stars", "gsm", "battery", "steps", "rolls", "status")
    plain = [_text(data.get(name)) for name in names]
    return [flag, date, clock, valid, _text(lat), "", _text(lon), "", *plain, *_around(data)]


def _around(data: Mapping[str, Any]) -> list[str]:
    sites = [_text(item) for item in _list(data.get("sites"))]
    cells = [str((len(sites) - 3) // 3), *sites] if len(sites) >= 6 else ["0"]
    wifi: list[str] = []
    for station in _list(data.get("wifis")):
        if isinstance(station, list) and len(station) >= 2:
            wifi += ["", *(_text(item) for item in station[-2:])]
    return [*cells, str(len(wifi) // 3), *wifi]


def _list(value: object) -> list[Any]:
    return value[:_MAX_LIST] if isinstance(value, list) else []


def _text(value: object) -> str:
    """A value of the push as the frame would have written it."""
    if isinstance(value, str):
        return value.replace(",", " ")
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
