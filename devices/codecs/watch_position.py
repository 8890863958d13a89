"""The position layout of the watch family: one comma-separated list shared by UD*, WT and AL* frames.

`type,ddmmyy,hhmmss,A|V,lat,N|S,lon,E|W,km/h,course,altitude m,satellites,gsm %,battery %,steps,tumbles,status`, then
radio cells, Wi-Fi stations and the accuracy in metres, each of them optional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from devices.alarm_types import UNKNOWN_TYPE
from devices.codecs.watch_table import alarm_bits, states
from devices.fields import Faults, battery, clean_text, latitude_longitude, metric, number, show
from devices.model import Event, EventKind, Fix

__all__ = ["TRUST", "Position", "position_events", "read_cells", "read_position"]

TRUST = "unauthenticated"
"""What `attributes["trust"]` of every event says: whoever knows a watch's id can speak in its name."""

_STATUS = 16
_MAX_CELLS = 16
_MOST_CELL = 0xFFFFFFF
"""A cell has 28 bits; 2147483647 is what some 4G watches send of one they did not hear."""
_MAX_WIFI = 32
_WIFI = re.compile(r",([0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}),(-?\d{1,3})(?=,|$)")
_HEX = re.compile(r"[0-9A-Fa-f]{1,8}")


@dataclass(slots=True)
class Position:
    """What one position frame says. `stamp` is date and time as sent ("" where unusable), `status` the word as sent."""

    observed_at: datetime | None = None
    stamp: str = ""
    fix: Fix | None = None
    battery_pct: int | None = None
    vitals: dict[str, float] = field(default_factory=dict)
    status: str = ""
    status_word: int | None = None
    state_only: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)


def read_position(fields: Sequence[str], faults: Faults) -> Position:
    """All that is usable; what is not leaves its reason in `faults`. Never raises, however short the list."""
    cells = [text.strip() for text in fields]
    here = Position()
    _read_status(_at(cells, _STATUS), here, faults)
    here.observed_at = _read_time(_at(cells, 1), _at(cells, 2), faults)
    if here.observed_at is not None:
        here.stamp = _at(cells, 1) + _at(cells, 2)
    valid = _at(cells, 3).upper() == "A"
    accuracy_m = _read_surroundings(cells[_STATUS + 1 :], here.attributes)
    _read_place(cells, valid, accuracy_m, here, faults)
    _read_extras(cells, valid, here)

    level = battery(_at(cells, 13), faults)
    # 0 in a live message is a filler, unless the watch itself says that its battery is low.
    if level == 0 and not (here.status_word or 0) & 0x20001:
        level = None
    here.battery_pct = level
    steps = metric("steps", _at(cells, 14), faults)
    if steps is not None:
        here.vitals["steps"] = int(steps)
    return here


_STORED = re.compile(r"UD[2-9]", re.IGNORECASE)


def position_events(
    device_id: str, word: str, profile: Mapping[str, Any], here: Position, faults: Faults, must_alarm: bool
) -> tuple[Event, ...]:
    """An alarm for each alarm bit; without any, a location, or `assistance` where the message (`must_alarm`) is one."""
    attributes: dict[str, Any] = {"trust": TRUST, "message": word}
    if here.status:
        attributes["status"] = clean_text(here.status, 16)
    if here.status_word is not None:
        attributes["states"] = states(here.status_word)
    attributes |= here.attributes
    if faults:
        attributes["faults"] = faults
    # A damaged status word may be anything; in the key it stands as its digest.
    status = here.status
    if here.status_word is None:
        status = "?" + blake2b(status.encode("utf-8", "replace"), digest_size=8).hexdigest()

    def event(kind: EventKind, mark: str, type_: str | None = None, code: str | None = None) -> Event:
        return Event(
            device_id=device_id,
            kind=kind,
            type=type_,
            observed_at=here.observed_at,
            fix=here.fix,
            vitals=here.vitals,
            battery_pct=here.battery_pct,
            # The protocol names no press; its date, time and status word do, for whoever compares ledgers.
            ref=f"{here.stamp}-{status}"[:64] if kind == "alarm" and here.stamp else None,
            buffered=_STORED.match(word) is not None,
            attributes=attributes if code is None else attributes | {"code": code},
            key=f"watch/{device_id}/{here.stamp}/{status}/{mark}" if here.stamp else None,
        )

    bits = here.status_word or 0
    found = tuple(
        event("alarm", str(bit), type_ or UNKNOWN_TYPE, None if type_ else f"bit {bit}")
        for bit, type_ in alarm_bits(bits, profile)
    )
    if found:
        return found
    if not must_alarm:
        return (event("location", "at"),)
    if here.state_only and bits & 1:  # the oldest firmware has no alarm half: its low-battery state is what it means
        return (event("alarm", "0", "low_battery"),)
    return (event("alarm", "none", UNKNOWN_TYPE, clean_text(here.status, 16) or "none"),)


def _at(cells: Sequence[str], index: int) -> str:
    return cells[index] if index < len(cells) else ""


def _read_status(text: str, here: Position, faults: Faults) -> None:
    here.status = text.lower()
    if _HEX.fullmatch(text):
        here.status_word = int(text, 16)
        here.state_only = len(text) <= 4
    else:
        faults["status"] = f"{show(text)} is not a status word" if text else "missing"


def _read_time(date: str, time: str, faults: Faults) -> datetime | None:
    """ddmmyy and hhmmss, UTC."""
    sent = date + time
    if len(date) == len(time) == 6 and sent.isascii() and sent.isdigit():
        day, month, year, hour, minute, second = (int(sent[at : at + 2]) for at in range(0, 12, 2))
        try:
            found = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            found = None
        if found is not None and year == 0:  # as a key it would make each press after a reset look like the first
            faults["observed_at"] = f"{show(f'{date},{time}')}: a clock that was never set"
            return None
        if found is not None:
            return found
    faults["observed_at"] = f"{show(f'{date},{time}')} is not ddmmyy,hhmmss"
    return None


def _read_place(cells: Sequence[str], valid: bool, accuracy_m: float | None, here: Position, faults: Faults) -> None:
    place = latitude_longitude(_signed(_at(cells, 4), _at(cells, 5), "S"), _signed(_at(cells, 6), _at(cells, 7), "W"))
    if not valid:
        # Without a fix the numbers are zero, empty, garbage or the last known: not a position, but worth a look.
        if not isinstance(place, str):
            here.attributes["unconfirmed_position"] = {"lat": place[0], "lon": place[1]}
        return
    if isinstance(place, str):
        faults["fix"] = place
        return
    here.fix = Fix(place[0], place[1], accuracy_m, "gnss", here.observed_at)


def _signed(text: str, letter: str, negative: str) -> float | None:
    """Some firmwares send -33.4 together with N: the letter only ever makes a number negative."""
    found = number(text)
    if found is None:
        return None
    return -abs(found) if letter.upper() == negative else found


def _read_extras(cells: Sequence[str], valid: bool, here: Position) -> None:
    # Speed, course and height of a frame without fix are fillers (22.0 km/h, -1 and 100 m are common).
    if valid:
        for name, index in (("speed_kmh", 8), ("course_deg", 9), ("altitude_m", 10)):
            found = number(_at(cells, index))
            if found is not None:
                here.attributes[name] = found
    for name, index in (("satellites", 11), ("gsm_pct", 12), ("tumbles", 15)):
        found = number(_at(cells, index))
        if found is not None and found >= 0:
            here.attributes[name] = int(found)


def _read_surroundings(cells: Sequence[str], attributes: dict[str, Any]) -> float | None:
    """Radio cells and Wi-Fi stations into `attributes`; gives the accuracy in metres where the frame ends with one."""
    towers, used = read_cells(cells)
    if towers:
        attributes["cells"] = towers
    rest = cells[used:]
    # Names may hold commas and anything else, so stations are found by their MAC address, not by counting.
    text = "," + ",".join(rest)
    wifi: list[dict[str, Any]] = []
    end = 0
    for match in _WIFI.finditer(text):
        if len(wifi) < _MAX_WIFI:
            # Some firmwares leave the leading zeros away.
            mac = ":".join(part.zfill(2) for part in match[1].lower().split(":"))
            wifi.append({"mac": mac, "rssi_dbm": int(match[2])})
        end = match.end()
    if wifi:
        attributes["wifi"] = wifi
        last = text[end:].split(",")[1:]
    else:
        # SG firmwares leave the count of stations empty, and two digits behind it are no metres.
        last = list(rest[1:]) if _at(rest, 0) else []
    accuracy_m = number(last[0]) if len(last) == 1 else None
    return accuracy_m if accuracy_m is not None and accuracy_m > 0 else None


def read_cells(cells: Sequence[str]) -> tuple[list[dict[str, int]], int]:
    """`n,timing advance,mcc,mnc,(lac,cell,level)*n` at the head of `cells`: the towers, and how many items were used.

    `level` is kept as sent: firmwares disagree about its sign and offset. SG firmwares write area and cell in
    hexadecimal.
    """
    count = _int(_at(cells, 0))
    if count is None or count < 0:
        return [], 0
    if count == 0:
        return [], 1
    mcc, mnc = _int(_at(cells, 2)), _int(_at(cells, 3))
    used = min(4 + 3 * count, len(cells))
    towers: list[dict[str, int]] = []
    for index in range(4, used - 1, 3):
        lac, cell, level = _tower(_at(cells, index)), _tower(_at(cells, index + 1)), _int(_at(cells, index + 2))
        if mcc is None or not 0 < mcc < 1000 or mnc is None or lac is None or cell is None or cell <= 0:
            continue  # FFFF and the like: no cell was heard
        tower = {"mcc": mcc, "mnc": mnc, "lac": lac, "cell": cell}
        towers.append(tower if level is None else tower | {"level": level})
        if len(towers) == _MAX_CELLS:
            break
    return towers, used


def _tower(text: str) -> int | None:
    """An area or a cell: decimal, or hexadecimal where a letter says so."""
    found = _int(text)
    if found is None and re.fullmatch(r"[0-9A-Fa-f]{1,8}", text) and text.strip("Ff"):  # only F: not heard
        found = int(text, 16)
    return found if found is not None and found <= _MOST_CELL else None


def _int(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else None
