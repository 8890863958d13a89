"""Pictures of residents for the tests of the rules. Noon of a Monday in China is where they begin."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hub.alarms.rules import (
    RULES,
    Fence,
    Picture,
    Position,
    Reading,
    Standing,
    Thresholds,
    Verdict,
    Word,
    judge,
)

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOME = (31.3396, 118.3962)


def ago(seconds: float, now: datetime = NOON) -> datetime:
    return now - timedelta(seconds=seconds)


def local(clock: str, *, day: int = 23) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 11, day, int(hour), int(minute), tzinfo=CHINA)


def picture(own: dict[str, Any] | None = None, **fields: Any) -> Picture:
    return Picture("R1", CHINA, Thresholds(own or {}), **fields)


def readings(
    values: Iterable[float], *, now: datetime = NOON, every_s: float = 60, device: str = "W1", buffered: bool = False
) -> tuple[Reading, ...]:
    """The last of them 10 s before `now`."""
    listed = list(values)
    times = [ago(10 + every_s * (len(listed) - 1 - index), now) for index in range(len(listed))]
    return tuple(Reading(value, at, at, device, buffered) for value, at in zip(listed, times, strict=True))


def word(state: str, at: datetime, *, buffered: bool = False, received_at: datetime | None = None) -> Word:
    return Word(state, received_at or at, at, "Z1", buffered)


def position(
    lat: float, lon: float, *, seconds: float = 10, accuracy: float | None = 10, now: datetime = NOON, **more: Any
) -> Position:
    at = ago(seconds, now)
    return Position(lat, lon, accuracy, more.pop("source", "gnss"), at, at, **more)


def square(half_m: float = 200, *, kind: Any = "safe", centre: tuple[float, float] = HOME, **more: Any) -> Fence:
    """A square around a place, so many metres to each side."""
    lat, lon = centre
    up, side = half_m / 111_195, half_m / (111_195 * 0.8541)
    ring = ((lat - up, lon - side), (lat - up, lon + side), (lat + up, lon + side), (lat + up, lon - side))
    return Fence("F1", "柳岸", kind, ring, **more)


def north(metres: float, place: tuple[float, float] = HOME) -> tuple[float, float]:
    return place[0] + metres / 111_195, place[1]


def ask(rule: str, seen: Picture, *, now: datetime = NOON, standing: Standing | None = None) -> Verdict:
    """One rule alone."""
    stood = {} if standing is None else {rule: standing}
    return judge(seen, stood, now=now, rules={rule: RULES[rule]})[0]
