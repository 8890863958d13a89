"""How long it takes to get there. One Protocol; the default knows distances as the crow flies and how people move.

A road is longer than the crow's flight by about 1.3 (circuity of dense towns); each way of moving has a speed, a
fixed time for what no map knows (stairs, the bicycle's lock, the parking space).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple, Protocol

from dispatch.model import Mode, Place

__all__ = ["DEFAULT_PACE", "HaversineTravel", "Pace", "Travel", "Way", "haversine_m"]

EARTH_RADIUS_M: Final = 6_371_008.8


def haversine_m(one: Place, other: Place) -> float:
    """Great-circle distance in metres."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


class Way(NamedTuple):
    """From one place to another: metres on the road, seconds from door to door."""

    metres: float
    seconds: float


class Travel(Protocol):
    """Estimates for people who leave now. Many at once: a routing service answers a table as fast as one way."""

    def estimates(self, starts: Sequence[tuple[Place, Mode]], end: Place) -> Sequence[Way]:
        """One way for each start, in order."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed_mps` metres a second on the way; `fixed_s` seconds beside it (stairs, lock, parking)."""

    speed_mps: float
    fixed_s: float

    def __post_init__(self) -> None:
        if not self.speed_mps > 0:
            raise ValueError(f"speed_mps must be above 0, not {self.speed_mps}")
        if not self.fixed_s >= 0:
            raise ValueError(f"fixed_s must not be negative, not {self.fixed_s}")


DEFAULT_PACE: Final[Mapping[Mode, Pace]] = {
    "foot": Pace(speed_mps=1.3, fixed_s=60),
    "bike": Pace(speed_mps=4.2, fixed_s=90),
    "car": Pace(speed_mps=7.0, fixed_s=180),
    "van": Pace(speed_mps=6.0, fixed_s=210),
}


@dataclass(frozen=True, slots=True)
class HaversineTravel:
    """The crow's flight times `circuity`, at the pace of the mode."""

    circuity: float = 1.3
    pace: Mapping[Mode, Pace] = field(default_factory=lambda: DEFAULT_PACE)

    def __post_init__(self) -> None:
        if not self.circuity >= 1:
            raise ValueError(f"circuity must be at least 1 (no way is shorter than the crow's), not {self.circuity}")

    def estimates(self, starts: Sequence[tuple[Place, Mode]], end: Place) -> Sequence[Way]:
        """One way for each start, in order."""
        # The same formula as haversine_m, with all that concerns only the end taken out of the loop: districts have
        # thousands of responders, and an operator waits for the list.
        scale = 2 * EARTH_RADIUS_M * self.circuity
        pace = {mode: (1 / one.speed_mps, one.fixed_s) for mode, one in self.pace.items()}
        end_lat, end_lon, end_cos = radians(end.lat), radians(end.lon), cos(radians(end.lat))
        ways = []
        for start, mode in starts:
            lat = radians(start.lat)
            half = sin((end_lat - lat) / 2) ** 2 + cos(lat) * end_cos * sin((end_lon - radians(start.lon)) / 2) ** 2
            metres = scale * asin(min(1.0, sqrt(half)))
            slowness, fixed_s = pace[mode]
            ways.append(Way(metres, metres * slowness + fixed_s))
        return ways
