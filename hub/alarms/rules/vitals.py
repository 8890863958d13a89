"""Vital signs: fixed ranges, and what is usual for the resident at this hour.

The rules, each with the harm it prevents:

- Only what was received lately and not stored on the device before: an old reading never raises "now". The device's own
  clock decides nothing.
- Codecs give None for "no value". What still looks like a value and cannot be one (0, -1, 255, 127 % of oxygen) is left
  out, and so is what a watch says that lies on the table.
- Sensors on a wrist slip: several readings in a row must agree, unless a person entered the value.
- It is over only beyond the limit plus a margin, for a while (`hub.alarms.rules.steady`).
- A wrist reads the skin, one to two degrees low: there is no lower limit for temperature, and no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from statistics import median
from typing import Final, Literal

from hub.alarms.model import Reason
from hub.alarms.rules.model import ENTERED, Finding, Picture, Reading

__all__ = ["FRESH", "PLAUSIBLE", "TREND_METRICS", "Limit", "Trend", "fresh_readings", "limit_finding", "trend_finding"]

FRESH: Final = timedelta(minutes=15)
"""A reading received longer ago says nothing about now."""
_TREND_OVER: Final = timedelta(hours=1)
_UNKNOWN: Final = Finding("unknown")

PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "heart_rate_bpm": (20, 250),
    "spo2_pct": (50, 100),
    "systolic_mmhg": (50, 280),
    "diastolic_mmhg": (25, 200),
    "temperature_c": (30, 44),
    "respiration_rpm": (3, 70),
    "glucose_mmol_l": (0.6, 50),
}
"""Outside of these nothing was measured."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: `threshold` names the setting, `margin` is in the metric's unit, `readings` must agree in a row.

    The limit itself is bad. `entered`: it also judges what a person entered; else NEWS2 does.
    """

    metric: str
    side: Literal["high", "low"]
    threshold: str
    margin: float
    readings: int = 3
    entered: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """A value far from what is usual at this hour: at least `least` in the metric's unit, however small the spread.

    `sides`: which way is bad. `spread`: no spread is taken for smaller than this.
    """

    metric: str
    least: float
    spread: float
    sides: Literal["high", "low", "both"] = "both"
    readings: int = 3


TREND_METRICS: Final[Mapping[str, int]] = {
    "heart_rate_bpm": 1,
    "spo2_pct": 1,
    "respiration_rpm": 1,
    "systolic_mmhg": 12,
}
"""What is learned by hour, and from how many hours beside each: blood pressure is taken once or twice a day."""


def fresh_readings(picture: Picture, metric: str, now: datetime, within: timedelta, *, entered: bool) -> list[Reading]:
    """The readings that may judge now, oldest first."""
    low, high = PLAUSIBLE[metric]
    off = _off_since(picture)
    return [
        one
        for one in picture.readings.get(metric, ())
        if not one.buffered
        and now - within <= one.received_at <= now
        and isfinite(one.value)
        and low <= one.value <= high
        and (entered or one.device_id != ENTERED)
        and not (one.device_id in off and one.received_at >= off[one.device_id])
    ]


def _off_since(picture: Picture) -> dict[str, datetime]:
    """Devices that are not worn, and since when."""
    off: dict[str, datetime] = {}
    for one in picture.readings.get("wearing", ()):
        if one.buffered:
            continue
        if one.value == 0:
            off.setdefault(one.device_id, one.received_at)
        else:
            off.pop(one.device_id, None)
    return off


def limit_finding(limit: Limit, picture: Picture, now: datetime) -> Finding:
    """Whether the latest readings are beyond the limit; good: all are back by the margin."""
    readings = fresh_readings(picture, limit.metric, now, FRESH, entered=limit.entered)
    if not readings:
        return _UNKNOWN
    at = picture.thresholds.number(limit.threshold)
    sign = 1 if limit.side == "high" else -1
    needed = 1 if readings[-1].device_id == ENTERED else limit.readings
    last = readings[-needed:]
    over = [one for one in last if sign * (one.value - at) >= 0]
    values: dict[str, str | int | float | bool | None] = {
        "metric": limit.metric,
        "value": last[-1].value,
        "limit": at,
        "side": limit.side,
        "readings": len(over),
        "needed": needed,
        "received_at": last[-1].received_at.isoformat(),
    }
    word = "at or above" if sign > 0 else "at or below"
    if len(over) == needed:
        listed = ", ".join(f"{one.value:g}" for one in last)
        text = f"{limit.metric} {listed}: {word} the limit of {at:g}"
        worst = (max if sign > 0 else min)(one.value for one in last)
        reason = Reason("limit", text, values | {"worst": worst})
        return Finding("bad", (reason,), mark=_mark(last[0]))
    back = all(sign * (one.value - at) < -limit.margin for one in last)
    reason = Reason("within" if back else "near", f"{limit.metric} {last[-1].value:g}, limit {at:g}", values)
    return Finding("good" if back and len(last) == needed else "grey", (reason,))


def trend_finding(trend: Trend, picture: Picture, now: datetime) -> Finding:
    """Whether the median of the last hour is far from the usual one of this hour, in spreads."""
    readings = fresh_readings(picture, trend.metric, now, _TREND_OVER, entered=False)
    usual = picture.usual.get(trend.metric, {}).get(now.astimezone(picture.zone).hour)
    if usual is None or len(readings) < trend.readings or readings[-1].received_at < now - FRESH:
        return _UNKNOWN
    middle = median(one.value for one in readings)
    off = middle - usual.median
    spread = max(usual.spread, trend.spread)
    spreads = abs(off) / spread
    needed = picture.thresholds.number("trend_spreads")
    wrong_way = trend.sides == "both" or (off > 0) == (trend.sides == "high")
    values: dict[str, str | int | float | bool | None] = {
        "metric": trend.metric,
        "median": round(middle, 1),
        "usual": round(usual.median, 1),
        "spread": round(spread, 2),
        "spreads": round(spreads, 1),
        "needed": needed,
        "days": usual.days,
        "readings": len(readings),
    }
    text = (
        f"{trend.metric}: {middle:.4g} over the last hour, usually {usual.median:.4g} at this hour "
        f"({spreads:.1f} spreads away, {needed:g} are the limit, learned from {usual.days} days)"
    )
    if wrong_way and spreads >= needed and abs(off) >= trend.least:
        return Finding("bad", (Reason("trend", text, values),), mark=_mark(readings[0]))
    near = wrong_way and spreads >= 0.75 * needed and abs(off) >= 0.75 * trend.least
    return Finding("grey" if near else "good", (Reason("usual", text, values),))


def _mark(reading: Reading) -> str:
    return reading.received_at.isoformat()
