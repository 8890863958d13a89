"""Ways by road for planning: for each place the nearest others, asked once and remembered. The rest is estimated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from dispatch import ESTIMATE, HaversineTravel, Mode, Place, Travel
from hub.clock import monotonic

__all__ = ["RoadWays"]

Known = tuple[tuple[int, int, float], ...]
Spot = tuple[float, float]

_NEAREST = 40
"""A day's legs are short: further ones are rarely gone, and estimated well enough."""
_MOST_KEPT = 1_000_000


class RoadWays:
    """Over a `dispatch.Travel`; where that is the crow's flight itself nothing is asked. Any number of threads."""

    def __init__(self, travel: Travel, mode: Mode) -> None:
        self._travel = travel
        self._mode = mode
        self._guard = threading.Lock()
        self._kept: dict[tuple[Spot, Spot], float] = {}
        self.estimate = travel if isinstance(travel, HaversineTravel) else HaversineTravel()

    def known(self, places: Sequence[Spot], within_s: float, sign: Callable[[], None] = lambda: None) -> Known:
        """(from, to, seconds on the way) between near places, asking for no longer than `within_s`; `sign` is called
        after each answer.
        """
        if isinstance(self._travel, HaversineTravel) or len(places) < 2:
            return ()
        until = monotonic() + within_s
        fixed_s = self.estimate.pace[self._mode].fixed_s
        found: list[tuple[int, int, float]] = []
        for end, starts in enumerate(_near(places)):
            missing = [at for at in starts if (places[at], places[end]) not in self._kept]
            if missing and monotonic() < until:
                asked = [(Place(*places[at]), self._mode) for at in missing]
                ways = self._travel.estimates(asked, Place(*places[end]))
                with self._guard:
                    if len(self._kept) > _MOST_KEPT:
                        self._kept.clear()
                    for at, way in zip(missing, ways, strict=True):
                        if way.by != ESTIMATE:
                            self._kept[places[at], places[end]] = max(0.0, way.seconds - fixed_s)
                sign()
            for at in starts:
                seconds = self._kept.get((places[at], places[end]))
                if seconds is not None:
                    found.append((at, end, seconds))
        return tuple(found)


def _near(places: Sequence[Spot]) -> list[list[int]]:
    """For each place the nearest others."""
    at = np.array(places, np.float64)
    at[:, 1] *= np.cos(np.radians(at[:, 0].mean()))
    many = min(_NEAREST, len(at) - 1)
    found = []
    for one in range(len(at)):
        away = ((at - at[one]) ** 2).sum(axis=1)
        away[one] = np.inf
        found.append([int(other) for other in np.argpartition(away, many - 1)[:many]])
    return found
