"""How long it takes to get there. One Protocol; the default knows distances as the crow flies and how people move.

A road is longer than the crow's flight by about 1.3 (circuity of dense towns); each way of moving has a speed, a
fixed time for what no map knows (stairs, the bicycle's lock, the parking space).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from dispatch.model import Mode, Place

__all__ = [
    "DEFAULT_PACE",
    "ESTIMATE",
    "WHY_ESTIMATED",
    "HaversineTravel",
    "Pace",
    "Travel",
    "Way",
    "haversine_m",
]

ESTIMATE: Final = "estimate"
"""What a way goes by where no road network was asked."""

WHY_ESTIMATED: Final[Mapping[str, str]] = {
    "timeout": "the routing service did not answer in time",
    "down": "the routing service cannot be reached",
    "bad_answer": "the routing service gave an answer that cannot be read",
    "resting": "the routing service failed a moment ago and is left alone for a while",
    "no_road": "the routing service knows no road there",
    "mode": "the routing service does not know this way of moving",
    "not_asked": "further off than those for whom the routing service is asked",
}
"""Why a way is only an estimate, code and sentence."""

Seconds = npt.NDArray[np.float64]
EARTH_RADIUS_M: Final = 6_371_008.8


def haversine_m(one: Place, other: Place) -> float:
    """Great-circle distance in metres."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


class Way(NamedTuple):
    """From one place to another: metres on the road, seconds from door to door.

    `by`: what it goes by, such as `osrm`. `why`: a code of `WHY_ESTIMATED` where a road network should have been asked
    and it is an estimate all the same; None: nothing to say.
    """

    metres: float
    seconds: float
    by: str = ESTIMATE
    why: str | None = None


class Travel(Protocol):
    """Estimates for people who leave now. Many at once: a routing service answers a table as fast as one way.

    An implementation never fails: where a road network does not answer it estimates, and says why in the way.
    """

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

    def seconds(self, lats: Sequence[float], lons: Sequence[float], modes: Sequence[Mode], end: Place) -> Seconds:
        """The same as `estimates`, of thousands of starts at once, as an array: to see whom a closer look is for."""
        lat, end_lat = np.radians(np.asarray(lats, dtype=np.float64)), radians(end.lat)
        lon = np.radians(np.asarray(lons, dtype=np.float64)) - radians(end.lon)
        half = np.sin((lat - end_lat) / 2) ** 2 + np.cos(lat) * (cos(end_lat) * np.sin(lon / 2) ** 2)
        metres = np.arcsin(np.sqrt(np.minimum(half, 1.0))) * (2 * EARTH_RADIUS_M * self.circuity)
        known = {mode: number for number, mode in enumerate(self.pace)}
        kinds = np.fromiter(map(known.__getitem__, modes), dtype=np.intp, count=len(modes))
        slowness = np.array([1 / one.speed_mps for one in self.pace.values()])
        fixed = np.array([one.fixed_s for one in self.pace.values()])
        found: Seconds = metres * slowness[kinds] + fixed[kinds]
        return found

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
