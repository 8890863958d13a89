"""Pushes of a watch cloud: position and alarm frames of the `[3G*..]` family, already taken apart into JSON.

`{"deviceId", "flag": "AL"|"UD"|…, "data": {"time", "latitude", "longitude", "status", …}}`; `data.time` is UTC. The
push is answered with the word `Success`. The key is that of the frame itself, so the same press by both ways is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from devices.codecs.watch_position import position_events, read_position
from devices.fields import Faults, clean_text, latitude_longitude, show
from devices.model import Decoded, DeviceRef, Reply
from devices.topics import is_device_id

__all__ = ["decode_push"]

_TIME = re.compile(r"20(\d\d)-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_JSON = msgspec.json.Decoder(dict[str, Any])
_MAX_LIST = 200


def decode_push(payload: bytes, device: DeviceRef) -> Decoded:
    """One push. An `AL` push is an alarm whatever is missing in it, as long as it names its device."""
    try:
        body = _JSON.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return Decoded(error=f"not a push of a watch cloud: {problem}")
    device_id = body.get("deviceId")
    if isinstance(device_id, int) and not isinstance(device_id, bool):
        device_id = show(device_id)
    if not isinstance(device_id, str) or not is_device_id(device_id):
        return Decoded(error=f"deviceId {show(device_id)} names no device")
    flag = clean_text(body["flag"].strip(), 32) if isinstance(body.get("flag"), str) else ""
    data = body.get("data")
    faults: Faults = {}
    if not isinstance(data, dict):
        faults["data"] = "missing" if data is None else f"{show(data)} is not an object"
        data = {}
    here = read_position(_fields(flag, data), faults)
    must_alarm = flag.upper().startswith("AL")
    events = position_events(device_id, flag, device.profile, here, faults, must_alarm)
    return Decoded(events, (Reply(b"Success", after_commit=True),))


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
