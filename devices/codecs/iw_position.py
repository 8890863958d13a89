"""Positions of the iw family: one run of digits, then radio cells, Wi-Fi stations and, in alarms, the code.

`yymmdd A|V ddmm.mmmm N|S dddmm.mmmm E|W speed(5) hhmmss course(6) gsm(3) satellites(3) battery(3)
acc(1) armed(2) mode(2)` without blanks, then `,mcc,mnc,lac,cell` and more. Some firmwares send ddmmyy, some
four digits of the year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from devices.codecs.tracker import MAX_CELLS, MAX_WIFI, clock
from devices.fields import Faults, battery, latitude_longitude, number, show
from devices.model import Fix

__all__ = ["ALARM_CODES", "Place", "joined", "read_cells", "read_place", "read_state", "read_wifi"]

ALARM_CODES: Mapping[str, str] = {
    "01": "sos",
    "02": "low_battery",
    "03": "off_wrist",
    "04": "status",  # put on again
    "05": "fall",  # one maker: tamper
    "06": "fall",
    "07": "heart_rate_abnormal",
    "08": "heart_rate_high",
    "09": "heart_rate_low",
    "10": "blood_pressure_high",
    "14": "activity",  # sedentary
    "19": "power_off",
    "20": "geofence_enter",
    "21": "wandering",
}
"""Only 01 means the same to every maker; `profile["alarm_codes"]` replaces entries."""

_PLACE = re.compile(
    r"(\d{6}|\d{8})([AV])(\d\d)(\d\d\.\d+)([NS])(\d{3})(\d\d\.\d+)([EW])(\d{3}\.\d)(\d\d)(\d\d)(\d\d)([\d.]{6})",
    re.ASCII,
)
_STATE = re.compile(r"(\d{3})(\d{3})(\d{3})(\d*)", re.ASCII)
_WIFI = re.compile(r"\|\s*([0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})\s*\|\s*(-?\d{1,3})(?!\d)", re.ASCII)
_NEAR = timedelta(days=2)


_DATE = re.compile(r"\d{6}|\d{8}", re.ASCII)
_SPOT = re.compile(r"([AV])([\d.-]+)([NS])([\d.-]+)([EW])", re.ASCII)
_PARTS = 7
"""A comma, then date, place, speed, time, course and state: what one run of digits is where commas part it."""


def joined(fields: Sequence[str]) -> Sequence[str]:
    """The fields of a position as most firmwares send them. Some part the run of digits with commas; then a place they
    do not have is `-0.0000N-0.0000E`.
    """
    if len(fields) < _PARTS or fields[0].strip() or not _DATE.fullmatch(fields[1].strip()):
        return fields
    date, spot, speed, time, course, state = (text.strip() for text in fields[1:_PARTS])
    match = _SPOT.fullmatch(spot)
    if match is None:
        return fields
    if number(match[2]) == 0 and number(match[4]) == 0:
        spot = f"{match[1]}0000.0000{match[3]}00000.0000{match[5]}"
    return [f"{date}{spot}{speed}{time}{course}{state}", *fields[_PARTS:]]


@dataclass(slots=True)
class Place:
    """What one position says; everything may be missing."""

    observed_at: datetime | None = None
    fix: Fix | None = None
    battery_pct: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def read_place(fields: Sequence[str], profile: Mapping[str, Any], received_at: datetime, faults: Faults) -> Place:
    """`fields[0]` is the run of digits, the rest what followed it between commas. Never raises."""
    here = Place()
    match = _PLACE.match(fields[0])
    if match is None:
        faults["position"] = f"{show(fields[0])} is not a position"
    else:
        time = [int(match[index]) for index in (10, 11, 12)]
        here.observed_at = _date(_parts(match[1]), time, profile, received_at, faults)
        _read_fix(match, here, faults)
        read_state(fields[0][match.end() :], here, faults)
    if len(fields) >= 5:
        towers = read_cells(fields[1], fields[2], [f"{fields[3]}|{fields[4]}"])
        if towers:
            here.attributes["cells"] = towers
    stations = read_wifi(",".join(fields[5:]))
    if stations:
        here.attributes["wifi"] = stations
    return here


def read_state(text: str, here: Place, faults: Faults) -> None:
    """GSM strength, satellites and battery, three digits each, and what follows them as sent."""
    match = _STATE.match(text)
    if match is None:
        return
    here.attributes["gsm_pct"] = int(match[1])
    here.attributes["satellites"] = int(match[2])
    here.battery_pct = battery(match[3], faults) or None  # 000: not measured
    if match[4]:
        here.attributes["status"] = match[4][:16]


def _parts(digits: str) -> list[int]:
    """The date in the order it was sent, with two digits for the year; some firmwares send four."""
    if len(digits) == 8:
        digits = digits[2:] if digits.startswith("20") and "01" <= digits[4:6] <= "12" else digits[:4] + digits[6:]
    return [int(digits[at : at + 2]) for at in (0, 2, 4)]


def _date(
    sent: list[int], time: list[int], profile: Mapping[str, Any], received_at: datetime, faults: Faults
) -> datetime | None:
    """The order of the date is the profile's (`date_order`: ymd or dmy). Unsaid: ymd, but dmy where that alone is
    today, or ymd alone lies in the future.
    """
    mine: Faults = {}
    ymd = clock([*sent, *time], mine, profile)
    dmy = clock([*reversed(sent), *time], {}, profile)
    order = profile.get("date_order")
    if order == "dmy":
        mine = {}
        chosen = clock([*reversed(sent), *time], mine, profile)
    elif order == "ymd" or dmy is None:
        chosen = ymd
    elif ymd is None:
        chosen, mine = dmy, {}
    else:
        today = [abs(found - received_at) <= _NEAR for found in (ymd, dmy)]
        swap = today == [False, True] or (ymd > received_at + _NEAR and dmy <= received_at + _NEAR)
        chosen = dmy if swap else ymd
    faults.update(mine)
    return chosen


def _read_fix(match: re.Match[str], here: Place, faults: Faults) -> None:
    north = (int(match[3]) + float(match[4]) / 60) * (-1 if match[5] == "S" else 1)
    east = (int(match[6]) + float(match[7]) / 60) * (-1 if match[8] == "W" else 1)
    place = latitude_longitude(round(north, 7), round(east, 7))
    if match[2] == "V":
        # Zero or the last known; speed and course of such frames are fillers (323.87 out of the maker's document).
        if not isinstance(place, str):
            here.attributes["unconfirmed_position"] = {"lat": place[0], "lon": place[1]}
        return
    if isinstance(place, str):
        faults["fix"] = place
        return
    here.fix = Fix(place[0], place[1], None, "gnss", here.observed_at)
    here.attributes["speed_kmh"] = float(match[9])
    course = number(match[13])
    if course is not None:
        here.attributes["course_deg"] = course


def read_cells(mcc: str, mnc: str, towers: Sequence[str]) -> list[dict[str, int]]:
    """`lac|cell` or `lac|cell|level` each; what is no number is left out."""
    found: list[dict[str, int]] = []
    if not (_is_int(mcc) and _is_int(mnc)) or int(mcc) == 0:
        return found
    for tower in towers[:MAX_CELLS]:
        parts = [part.strip() for part in tower.split("|")]
        if len(parts) < 2 or not all(_is_int(part) for part in parts[:3]) or int(parts[1]) == 0:
            continue
        cell = {"mcc": int(mcc), "mnc": int(mnc), "lac": int(parts[0]), "cell": int(parts[1])}
        found.append(cell if len(parts) < 3 else cell | {"level": int(parts[2])})
    return found


def _is_int(text: str) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) <= 10


def read_wifi(text: str) -> list[dict[str, Any]]:
    """`name|MAC|level` joined by `&`. MACs with `-` or `:`; levels with or without their minus."""
    found: list[dict[str, Any]] = []
    for match in _WIFI.finditer(text):
        found.append({"mac": match[1].replace("-", ":").lower(), "rssi_dbm": -abs(int(match[2]))})
        if len(found) == MAX_WIFI:
            break
    return found
