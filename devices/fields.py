"""Reading single values of unsure quality: what is usable comes back, what is not leaves its reason in `faults`.

`faults` maps a field's name to one English sentence; a codec puts it into the event's `attributes["faults"]`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

__all__ = [
    "METRICS",
    "TEXT_LIMIT",
    "Faults",
    "battery",
    "clean_text",
    "extras",
    "latitude_longitude",
    "metric",
    "number",
    "show",
    "utc_time",
]

Faults = dict[str, str]

TEXT_LIMIT = 2000

METRICS: Mapping[str, tuple[float, float]] = {
    "heart_rate_bpm": (10, 350),
    "spo2_pct": (30, 100),
    "systolic_mmhg": (30, 350),
    "diastolic_mmhg": (10, 250),
    "temperature_c": (20, 46),
    "respiration_rpm": (1, 120),
    "glucose_mmol_l": (0.3, 80),
    "steps": (0, 1_000_000),
}
"""Vital signs: what a living body or a pedometer can give at all. Not alarm thresholds: a fever must pass."""

_FIRST_YEAR = 2001  # before: 1970, 1980 (GPS), 2000 are what a clock says that was never set


def show(value: object) -> str:
    """A value as it may stand in a reason: short, printable, never raising."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a deep nest
        text = type(value).__name__
    text = clean_text(text, 60)
    return repr(text) if isinstance(value, str) else text


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text` as PostgreSQL and JSON can keep it: no NUL, no lone surrogates, at most `limit` characters."""
    text = text[:limit]
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def number(value: object) -> float | None:
    """A finite number (also one written as text), else None. True and False are not numbers."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > 40 or "_" in text:
            return None
        try:
            value = float(text)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if isfinite(value) else None
    except OverflowError:  # an integer no float can hold
        return None


def metric(name: str, value: object, faults: Faults) -> float | None:
    """One vital sign: None for the fillers 0, -1, "" and null; dropped with its reason where out of range."""
    if value is None or value == "":
        return None
    low, high = METRICS[name]
    if (type(value) is int or type(value) is float) and low <= value <= high:
        return value  # nearly every one; bool is no number here
    found = number(value)
    if found is None:
        faults[name] = f"{show(value)} is not a number"
        return None
    if low <= found <= high:
        return found
    if found not in (0, -1):
        faults[name] = f"{show(value)} is outside {low:g} to {high:g}"
    return None


def battery(value: object, faults: Faults, name: str = "battery_pct") -> int | None:
    """Battery in whole percent, 0-100; -1, "" and null are "unknown"."""
    if value is None or value == "":
        return None
    found = number(value)
    if found is None:
        faults[name] = f"{show(value)} is not a number"
        return None
    if 0 <= found <= 100:
        return round(found)
    if found != -1:
        faults[name] = f"{show(value)} is outside 0 to 100"
    return None


def utc_time(value: object, faults: Faults, name: str = "observed_at") -> datetime | None:
    """An RFC 3339 time with an offset, in UTC; None with the reason where it is missing or cannot be used."""
    if value is None:
        faults[name] = "missing"
        return None
    if not isinstance(value, str):
        faults[name] = f"{show(value)} is not RFC 3339 text"
        return None
    if value[10:11] == "T" and value[4:5] == "-" and len(value) <= 64:
        # As nearly every device writes it. What is wrong with the rest is found out below.
        try:
            plain = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if plain.tzinfo is UTC and plain.year >= _FIRST_YEAR:
                return plain
    text = value.strip()
    try:
        if len(text) > 64 or text[4:5] != "-" or text[10:11] not in ("T", "t", " "):
            raise ValueError
        parsed = datetime.fromisoformat(text.upper().replace(":60", ":59", 1) if text[17:19] == "60" else text.upper())
    except ValueError:
        faults[name] = f"{show(value)} is not RFC 3339"
        return None
    if parsed.tzinfo is None:
        faults[name] = f"{show(value)} has no offset"
        return None
    try:
        parsed = parsed.astimezone(UTC)
    except OverflowError:
        faults[name] = f"{show(value)} is outside the calendar"
        return None
    if parsed.year < _FIRST_YEAR:
        faults[name] = f"{show(value)}: a clock that was never set"
        return None
    return parsed


def latitude_longitude(lat: object, lon: object) -> tuple[float, float] | str:
    """A usable pair of degrees, or the reason why it is none. 0,0 is what receivers without a fix send."""
    north, east = number(lat), number(lon)
    if north is None or east is None:
        return f"lat {show(lat)}, lon {show(lon)}: not numbers"
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        return f"lat {show(lat)}, lon {show(lon)}: outside the globe"
    if north == 0 and east == 0:
        return "lat 0, lon 0 means no position"
    return float(north), float(east)


def extras(body: Mapping[str, Any], known: Collection[str], limit: int = 32) -> dict[str, Any]:
    """The fields of `body` that are not `known`, made storable: plain values as they are, nested ones as JSON text."""
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name in known:
            continue
        if len(kept) == limit:
            break
        kept[clean_text(name, 64)] = _storable(value)
    return kept


def _storable(value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        found = number(value)
        return show(value) if found is None else found
    try:
        return clean_text(json.dumps(value, ensure_ascii=False), TEXT_LIMIT)
    except (ValueError, TypeError, RecursionError):
        return show(value)
