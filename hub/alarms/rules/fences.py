"""Wandering: positions against the fences of a resident.

The rules, each with the harm it prevents:

- A position proves something only as far as it is accurate: a person is out when the whole circle of the fix lies
  beyond the line, in when its middle lies inside. A fix of 3 km proves nothing, wherever it points.
- What a device remembers (`last_known`) or had stored proves nothing about now.
- Two positions in a row must agree, or one that is far beyond any doubt: single fixes jump between houses.
- Fences have a schedule. Without an active safe fence nobody can be out; with several, inside one of them is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from math import cos, hypot, isfinite, radians
from typing import Final

from hub.alarms.model import Reason
from hub.alarms.positions import accuracy_m
from hub.alarms.rules.model import Fence, Finding, Picture, Position

__all__ = [
    "MOST_CORNERS",
    "accuracy_of",
    "check_ring",
    "fence_active",
    "forbidden_place",
    "metres_outside",
    "wandering",
]

FRESH: Final = timedelta(minutes=30)
MOST_CORNERS: Final = 500
_METRES_A_DEGREE: Final = 111_195.0
"""On a sphere of 6,371 km; within a city the earth is flat enough."""
_DOUBTLESS_M: Final = 500.0
"""A single position counts where it is further beyond the line than this and twice its accuracy."""
_AGREE: Final = 2
_UNKNOWN: Final = Finding("unknown")


def fence_active(fence: Fence, at: datetime, zone: tzinfo) -> bool:
    """Whether the fence holds at `at`. A span past midnight belongs to the day on which it began."""
    if not fence.active:
        return False
    local = at.astimezone(zone)
    minute, day = local.hour * 60 + local.minute, local.weekday()
    if fence.from_min == fence.to_min:
        return day in fence.days
    if fence.from_min < fence.to_min:
        return day in fence.days and fence.from_min <= minute < fence.to_min
    if minute >= fence.from_min:
        return day in fence.days
    return minute < fence.to_min and (day - 1) % 7 in fence.days


def metres_outside(fence: Fence, lat: float, lon: float) -> float:
    """How far beyond the line a place lies, in metres; inside: minus its distance from the line."""
    east = _METRES_A_DEGREE * cos(radians(lat))
    corners = [((c_lon - lon) * east, (c_lat - lat) * _METRES_A_DEGREE) for c_lat, c_lon in fence.ring]
    inside = False
    nearest = float("inf")
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        nearest = min(nearest, _to_segment(ax, ay, bx, by))
        if (ay > 0) != (by > 0) and ax + (0 - ay) * (bx - ax) / (by - ay) > 0:
            inside = not inside
    return -nearest if inside else nearest


def _to_segment(ax: float, ay: float, bx: float, by: float) -> float:
    """From the origin to the segment a-b."""
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else max(0.0, min(1.0, -(ax * dx + ay * dy) / length))
    return hypot(ax + along * dx, ay + along * dy)


def check_ring(ring: Sequence[tuple[float, float]]) -> str | None:
    """What is wrong with a fence's corners (lat, lon); None: nothing."""
    if not 3 <= len(ring) <= MOST_CORNERS:
        return f"a fence has 3 to {MOST_CORNERS} corners, not {len(ring)}"
    for lat, lon in ring:
        if not (isfinite(lat) and isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):
            return f"{lat:g}, {lon:g} is no place"
    lats, lons = [lat for lat, _ in ring], [lon for _, lon in ring]
    if max(lats) - min(lats) > 2 or max(lons) - min(lons) > 2:
        return "a fence is at most two degrees wide: are latitude and longitude in the right order?"
    area = sum(
        a_lon * b_lat - b_lon * a_lat for (a_lat, a_lon), (b_lat, b_lon) in zip(ring, [*ring[1:], ring[0]], strict=True)
    )
    east = _METRES_A_DEGREE * cos(radians(lats[0]))
    if abs(area) / 2 * _METRES_A_DEGREE * east < 100:
        return "its corners enclose less than 100 square metres"
    return None


def accuracy_of(position: Position) -> float | None:
    """In metres, assumed by the source where the device did not say; None: the position proves nothing."""
    if position.source == "last_known":
        return None
    return accuracy_m(position.accuracy_m, position.source)


def _proving(picture: Picture, now: datetime) -> list[tuple[Position, float]]:
    worst = picture.thresholds.number("fix_accuracy_m")
    found = [
        (one, accuracy)
        for one in picture.positions
        if not one.buffered and now - FRESH <= one.received_at <= now and (accuracy := accuracy_of(one)) is not None
    ]
    return [(one, accuracy) for one, accuracy in found if accuracy <= worst]


def wandering(picture: Picture, now: datetime) -> Finding:
    """Whether the resident is outside of every safe fence that holds now."""
    fences = [one for one in picture.fences if one.kind == "safe" and fence_active(one, now, picture.zone)]
    positions = _proving(picture, now)
    if not fences or not positions:
        return _UNKNOWN
    judged = []
    for position, accuracy in positions[-_AGREE:]:
        fence = min(fences, key=lambda one: metres_outside(one, position.lat, position.lon) - one.slack_m)
        judged.append((position, accuracy, fence, metres_outside(fence, position.lat, position.lon) - fence.slack_m))
    last, accuracy, fence, beyond = judged[-1]
    out = [over > acc for _, acc, _, over in judged]
    values: dict[str, str | int | float | bool | None] = {
        "fence": fence.name,
        "fence_id": fence.id,
        "beyond_m": round(beyond),
        "accuracy_m": round(accuracy),
        "source": last.source,
        "lat": last.lat,
        "lon": last.lon,
        "positions": len(judged),
        "received_at": last.received_at.isoformat(),
    }
    if all(out) and (len(out) == _AGREE or beyond > max(_DOUBTLESS_M, 2 * accuracy)):
        text = f"{beyond:.0f} m beyond {fence.name}, accurate to {accuracy:.0f} m, {len(out)} position(s) agree"
        return Finding("bad", (Reason("outside", text, values),), mark=last.received_at.isoformat())
    if beyond <= 0:
        return Finding("good", (Reason("inside", f"inside {fence.name}", values),))
    text = f"{beyond:.0f} m beyond {fence.name}, accurate to {accuracy:.0f} m: not proved yet"
    return Finding("grey", (Reason("not_proved", text, values),))


def forbidden_place(picture: Picture, now: datetime) -> Finding:
    """Whether the resident is inside a fence where nobody should be alone: water, a main road."""
    fences = [one for one in picture.fences if one.kind == "forbidden" and fence_active(one, now, picture.zone)]
    positions = _proving(picture, now)
    if not fences or not positions:
        return _UNKNOWN
    last, accuracy = positions[-1]
    fence = min(fences, key=lambda one: metres_outside(one, last.lat, last.lon))
    depth = -metres_outside(fence, last.lat, last.lon)
    values: dict[str, str | int | float | bool | None] = {
        "fence": fence.name,
        "fence_id": fence.id,
        "inside_m": round(depth),
        "accuracy_m": round(accuracy),
        "source": last.source,
        "received_at": last.received_at.isoformat(),
    }
    if depth >= min(accuracy, fence.slack_m):
        text = f"{depth:.0f} m inside {fence.name}, accurate to {accuracy:.0f} m"
        reason = Reason("forbidden", text, values)
        return Finding("bad", (reason,), mark=f"{fence.id}@{last.received_at.isoformat()}")
    if -depth > accuracy:
        return Finding("good", (Reason("clear_of", f"clear of {fence.name}", values),))
    return Finding("grey", (Reason("not_proved", f"near {fence.name}: not proved", values),))
