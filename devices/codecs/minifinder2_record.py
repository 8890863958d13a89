"""The records of a MiniFinder2 data message: what each key says. Numbers are little endian.

Sources: the maker's document, captured messages. What no capture shows (keys 40 and 41, alarm bit 2) is from the
document.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from devices.codecs.tracker import MAX_CELLS, MAX_WIFI
from devices.fields import Faults, battery, clean_text, latitude_longitude, metric
from devices.model import EventKind, Fix

__all__ = ["ALARM_BITS", "Record", "read_record"]

ALARM_BITS: Mapping[int, str] = {
    0: "low_battery",
    1: "overspeed",
    2: "fall",
    8: "power_off",
    9: "status",  # switched on
    10: "activity",  # moving
    11: "inactivity",
    12: "sos",
    13: "side_button_1",
    14: "side_button_2",
    31: "activity",  # a dog barks
}
"""Bits 4-7 are the fences 1-4: entered where bit 26-29 is set as well, else left. `profile["alarm_bits"]` replaces
entries; what care has no word for is `assistance`.
"""

_FIRST_YEAR = 2015
"""The clock begins at 2010 after a reset; the device is younger."""


@dataclass(slots=True)
class Record:
    """One record. `kind` None: nothing but measurements or an alarm. `measured`: time, vitals, attributes of each."""

    observed_at: datetime | None = None
    fix: Fix | None = None
    battery_pct: int | None = None
    alarm: int | None = None
    archived: bool = False
    positional: bool = False
    kind: EventKind | None = None
    vitals: dict[str, float] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    measured: list[tuple[datetime | None, dict[str, float], dict[str, Any]]] = field(default_factory=list)
    faults: Faults = field(default_factory=dict)


def read_record(items: Sequence[tuple[int, bytes]]) -> Record:
    """All that is usable; what is not leaves its reason in `faults`. Never raises."""
    here = Record()
    for key, value in items:
        reader = _READERS.get(key)
        try:
            if reader is None:
                here.attributes.setdefault("keys", {})[f"{key:02x}"] = value[:64].hex()
            else:
                reader(here, value)
        except (struct.error, IndexError):
            here.faults[f"key_{key:02x}"] = f"{len(value)} bytes are too few"
    keys = {key for key, _ in items}
    if here.fix is not None:
        here.fix = Fix(here.fix.lat, here.fix.lon, here.fix.accuracy_m, here.fix.source, here.observed_at)
    if here.alarm is not None or keys & (_PLACES | {0x24}):
        # Counters beside something greater are part of it, not a matter of their own.
        counted = [entry for entry in here.measured if "state" in entry[2]]
        here.measured = [entry for entry in here.measured if "state" not in entry[2]]
        for _, _, attributes in counted[:MAX_CELLS]:
            here.attributes.setdefault("counted", []).append(attributes)
    here.positional = bool(keys & _PLACES) or 0x24 in keys
    if here.alarm is None:
        here.kind = _kind(keys, here)
    return here


def _kind(keys: set[int], here: Record) -> EventKind | None:
    if keys & _PLACES:
        return "location"
    if keys & {0x10, 0x14, 0x24}:
        return "heartbeat"
    if here.vitals:
        return "vitals"
    if here.measured:
        return None
    return "unsupported" if keys - _READERS.keys() else "heartbeat"


_PLACES = {0x19, 0x20, 0x21, 0x22, 0x23, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C}


def _time(seconds: int, faults: Faults) -> datetime | None:
    found = datetime.fromtimestamp(seconds, UTC)
    if found.year >= _FIRST_YEAR:
        return found
    faults["observed_at"] = f"{found:%Y-%m-%d %H:%M:%S}: a clock that was never set"
    return None


def _alarm(here: Record, value: bytes) -> None:
    if not value:
        raise IndexError
    here.alarm = (here.alarm or 0) | int.from_bytes(value[:4], "little")
    if len(value) >= 8 and here.observed_at is None:  # when the button was pressed; key 24, if any, says the same
        here.observed_at = _time(int.from_bytes(value[4:8], "little"), {})


def _battery(here: Record, value: bytes) -> None:
    here.battery_pct = battery(value[0], here.faults) or None
    if len(value) >= 3:
        here.attributes["battery_mv"] = int.from_bytes(value[1:3], "little")


def _status(here: Record, value: bytes) -> None:
    seconds, status = struct.unpack_from("<II", value)
    here.observed_at = _time(seconds, here.faults) or here.observed_at
    here.attributes["status"] = f"{status:08x}"
    here.attributes["charging"] = bool(status >> 4 & 1)
    here.attributes["moving"] = bool(status >> 9 & 1)
    here.attributes["gsm_level"] = status >> 19 & 31
    here.archived = bool(status >> 7 & 1)
    level = battery(status >> 24, here.faults)
    if here.battery_pct is None and level:
        here.battery_pct = level


def _fix(here: Record, north: int, east: int, source: str) -> bool:
    place = latitude_longitude(round(north * 1e-7, 7), round(east * 1e-7, 7))
    if isinstance(place, str):
        here.faults["fix"] = place
        return False
    if source == "gnss":
        here.fix = Fix(place[0], place[1], None, "gnss")
    elif here.fix is None:
        here.fix = Fix(place[0], place[1], None, "beacon")
    return True


def _gnss(here: Record, value: bytes) -> None:
    north, east, speed, course, height, hdop, odometer, satellites = struct.unpack_from("<iiHHhHIB", value)
    here.attributes["satellites"] = satellites
    if hdop == 0 and satellites == 0:  # nothing was received: zeros, or the last known
        place = latitude_longitude(round(north * 1e-7, 7), round(east * 1e-7, 7))
        if not isinstance(place, str):
            here.attributes["unconfirmed_position"] = {"lat": place[0], "lon": place[1]}
        return
    if _fix(here, north, east, "gnss"):
        here.attributes |= {
            "speed_kmh": speed, "course_deg": course, "altitude_m": height, "hdop": hdop / 10, "odometer_m": odometer,
        }  # fmt: skip


def _cells(tower: struct.Struct) -> Callable[[Record, bytes], None]:
    """The network, then level, area and cell of each tower."""

    def read(here: Record, value: bytes) -> None:
        mcc, mnc = struct.unpack_from("<HB", value)
        for at in range(3, len(value) - tower.size + 1, tower.size):
            level, lac, cell = tower.unpack_from(value, at)
            towers = here.attributes.setdefault("cells", [])
            if len(towers) < MAX_CELLS and cell:
                towers.append({"mcc": mcc, "mnc": mnc, "lac": lac, "cell": cell, "level": level})

    return read


def _station(here: Record, mac: bytes, level: int) -> None:
    stations = here.attributes.setdefault("wifi", [])
    if len(stations) < MAX_WIFI and any(mac):
        stations.append({"mac": mac.hex(":"), "rssi_dbm": level - 256 if level > 127 else level})


def _wifi(here: Record, value: bytes) -> None:
    for at in range(0, len(value) - 6, 7):
        _station(here, value[at + 1 : at + 7], value[at])


def _named_wifi(here: Record, value: bytes) -> None:
    at = 0
    while at + 8 <= len(value):
        _station(here, value[at + 1 : at + 7], value[at])
        at += 8 + value[at + 7]


def _tag(here: Record, mac: bytes, level: int | None = None) -> dict[str, Any]:
    tag: dict[str, Any] = {"mac": mac[::-1].hex(":")}
    if level is not None:
        tag["rssi_dbm"] = level
    tags = here.attributes.setdefault("beacons", [])
    if len(tags) < MAX_WIFI:
        tags.append(tag)
    return tag


def _tag_at(here: Record, value: bytes) -> None:
    """A beacon, where it is and what it is called; one firmware sends the beacon alone."""
    tag = _tag(here, _six(value))
    if len(value) > 6:
        north, east = struct.unpack_from("<ii", value, 6)
        _fix(here, north, east, "beacon")
    name = value[14:].rstrip(b"\x00")
    if name:
        tag["place"] = clean_text(name.decode("utf-8", "replace"), 64)


def _six(value: bytes) -> bytes:
    if len(value) < 6:
        raise IndexError
    return value[:6]


def _reckoned_at_tag(here: Record, value: bytes) -> None:
    """A beacon, and a place with HDOP and height."""
    _tag(here, _six(value))
    _reckoned(here, value[6:])


def _reckoned(here: Record, value: bytes) -> None:
    """A place the device reckoned out of what it hears: latitude, longitude, HDOP/10, height."""
    north, east = struct.unpack_from("<ii", value)
    if _fix(here, north, east, "beacon") and here.fix is not None and here.fix.source == "beacon" and len(value) >= 12:
        hdop, height = struct.unpack_from("<Hh", value, 8)
        if hdop:
            here.attributes |= {"hdop": hdop / 10, "altitude_m": height}


def _tag_heard(here: Record, value: bytes) -> None:
    flags, level, _reference = struct.unpack_from("<B6xbb", value)
    tag = _tag(here, value[1:7], level)
    _placed(here, flags, value[9:], tag)


def _home_wifi(here: Record, value: bytes) -> None:
    flags, level = struct.unpack_from("<B6xb", value)
    _station(here, value[1:7], level & 255)
    _placed(here, flags, value[8:], here.attributes)


def _placed(here: Record, flags: int, rest: bytes, named: dict[str, Any]) -> None:
    """What may follow a beacon or the Wi-Fi of the home: where it is (bit 7), what it is called (bit 6)."""
    if flags & 0x80:
        north, east = struct.unpack_from("<ii", rest)
        _fix(here, north, east, "beacon")
        rest = rest[8:]
    if flags & 0x40:
        named["place"] = clean_text(rest.decode("utf-8", "replace"), 64)


def _tag_alive(here: Record, value: bytes) -> None:
    flags, level, _reference = struct.unpack_from("<B6xbb", value)
    tag = _tag(here, value[1:7], level)
    if len(value) > 9 and 0 < value[9] <= 100:
        tag["battery_pct"] = value[9]
    rest = value[10:]
    # Its name has a length of its own: a temperature may follow it.
    if flags & 0x40:
        at = 8 if flags & 0x80 else 0
        size = rest[at] if at < len(rest) else 0
        rest = rest[:at] + rest[at + 1 : at + 1 + size]
    _placed(here, flags, rest, tag)


def _steps(here: Record, value: bytes) -> None:
    _seconds, steps = struct.unpack_from("<II", value)
    found = metric("steps", steps, here.faults) if steps else 0
    if found is not None:
        here.vitals["steps"] = int(found)


def _counted(state: str, each: bool = False) -> Callable[[Record, bytes], None]:
    """Times and counts; the highest bit of a count says that it is over."""

    def read(here: Record, value: bytes) -> None:
        for at in range(0, len(value) - 7 if each else 8, 8):
            seconds, count = struct.unpack_from("<II", value, at)
            told: dict[str, Any] = {"state": state, "count": count & 0x7FFFFFFF}
            if count >> 31:
                told["ended"] = True
            here.measured.append((_time(seconds, here.faults), {}, told))

    return read


def _measured(name: str) -> Callable[[Record, bytes], None]:
    def read(here: Record, value: bytes) -> None:
        seconds, number = struct.unpack_from("<IB", value)
        # 0 and 1 are what the sensor says off the skin, 255 what it says when it is busy.
        found = metric(name, number, here.faults) if 1 < number < 255 else None
        vitals = {} if found is None else {name: found}
        attributes = {} if vitals else {"measurement_failed": True}
        here.measured.append((_time(seconds, here.faults), vitals, attributes))

    return read


def _nothing(here: Record, value: bytes) -> None:
    """A sign of life; one firmware adds a byte nobody has described."""
    if value:
        here.attributes["heartbeat"] = value[:8].hex()


_READERS: Mapping[int, Callable[[Record, bytes], None]] = {
    0x02: _alarm,
    0x10: _nothing,
    0x14: _battery,
    0x19: _named_wifi,
    0x20: _gnss,
    0x21: _cells(struct.Struct("<bHH")),
    0x22: _wifi,
    0x23: _tag_at,
    0x24: _status,
    0x26: _reckoned_at_tag,
    0x27: _reckoned,
    0x28: _tag_heard,
    0x29: _cells(struct.Struct("<bHI")),
    0x2A: _home_wifi,
    0x2C: _tag_alive,
    0x30: _steps,
    0x31: _counted("active", each=True),
    0x37: _counted("barking"),
    0x40: _measured("heart_rate_bpm"),
    0x41: _measured("spo2_pct"),
}
