"""Meals from one kitchen to many doors: which courier brings which, in what order, all of them hot.

A trip begins at the kitchen and ends at its last door; the way back counts for nothing but the beginning of the next
trip. Every meal of a trip is at its door within `hot_s` of the leaving. Couriers carry so many meals at once and go
again after a while (`again_s`). This is vehicle routing with a limit on the length of a route, where PyVRP is better
than our own search (docs/planning.md). A meal that no courier can bring hot is left out, and the answer says which.

Pure: whole seconds from the time at which the first meals are ready; the caller gives the clock.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyvrp
import pyvrp.stop
from numpy.typing import NDArray
from pyvrp.exceptions import PenaltyBoundWarning

__all__ = ["Kitchen", "Trip", "nearest_first", "plan_trips", "timed"]

_PRIZE = 10_000_000
"""What leaving a meal out costs, in seconds of way: more than any plan."""
_TRIP = 300
_LATER = 900
_STALE = 3_000


@dataclass(frozen=True, slots=True)
class Kitchen:
    """`way[c][i, j]`: seconds of courier c from place i to place j; place 0 is the kitchen, stop k is place k + 1.

    `carries`: meals a courier takes at once; `door_s`: seconds at a door; `end_s`: the last moment a meal may be
    handed over, from the first leaving; `waves`: how often a courier may go.
    """

    way: Sequence[NDArray[np.int64]]
    carries: Sequence[int]
    door_s: int
    hot_s: int
    end_s: int
    again_s: int
    waves: int

    @property
    def stops(self) -> int:
        return len(self.way[0]) - 1 if self.way else 0


@dataclass(frozen=True, slots=True)
class Trip:
    """One way of one courier: `stops` in order (from 0), `leave_s`, and the seconds at which each door is reached."""

    courier: int
    wave: int
    leave_s: int
    stops: tuple[int, ...]
    arrive_s: tuple[int, ...]


@dataclass(slots=True)
class _Until:
    """Stops by the caller's clock, or when nothing better was found for a long while."""

    clock: Callable[[], float]
    time: float
    best: float = float("inf")
    since: int = 0

    def __call__(self, best_cost: float) -> bool:
        self.since = 0 if best_cost < self.best else self.since + 1
        self.best = min(self.best, best_cost)
        return self.clock() >= self.time or self.since >= _STALE


def timed(kitchen: Kitchen, courier: int, wave: int, stops: Sequence[int]) -> Trip:
    """The trip with its times."""
    way, leave = kitchen.way[courier], wave * kitchen.again_s
    at, place, arrive = leave, 0, []
    for stop in stops:
        at += int(way[place, stop + 1])
        arrive.append(at)
        at += kitchen.door_s
        place = stop + 1
    return Trip(courier, wave, leave, tuple(stops), tuple(arrive))


def _kept(kitchen: Kitchen, trip: Trip) -> bool:
    return (
        len(trip.stops) <= kitchen.carries[trip.courier]
        and all(at - trip.leave_s <= kitchen.hot_s for at in trip.arrive_s)
        and all(at <= kitchen.end_s for at in trip.arrive_s)
    )


def plan_trips(
    kitchen: Kitchen, *, seed: int, clock: Callable[[], float], until: float
) -> tuple[list[Trip], tuple[int, ...]]:
    """Trips, and the stops that nobody can bring hot and in time. Never worse than `nearest_first`."""
    simple, left = nearest_first(kitchen)
    if not kitchen.stops or not kitchen.way:
        return simple, left
    routes = _routed(kitchen, seed, clock, until)
    trips = [trip for courier, wave, stops in routes if _kept(kitchen, trip := timed(kitchen, courier, wave, stops))]
    brought = {stop for trip in trips for stop in trip.stops}
    out = tuple(stop for stop in range(kitchen.stops) if stop not in brought)
    if (len(out), _length(trips)) > (len(left), _length(simple)):
        return simple, left
    return sorted(trips, key=lambda trip: (trip.courier, trip.wave)), out


def _length(trips: Sequence[Trip]) -> int:
    return sum(trip.arrive_s[-1] - trip.leave_s for trip in trips if trip.stops)


def _routed(
    kitchen: Kitchen, seed: int, clock: Callable[[], float], until: float
) -> list[tuple[int, int, tuple[int, ...]]]:
    many = kitchen.stops + 1
    # Couriers of one pace and one box are one kind of vehicle; fewer kinds are found faster.
    kinds: dict[tuple[bytes, int], list[int]] = {}
    for courier, way in enumerate(kitchen.way):
        kinds.setdefault((way.tobytes(), kitchen.carries[courier]), []).append(courier)
    vehicles, who, matrices = [], [], []
    for profile, ((_, carries), couriers) in enumerate(kinds.items()):
        matrix = kitchen.way[couriers[0]].copy()
        matrix[1:, 0] = 0  # the way back
        matrices.append(matrix)
        for wave in range(kitchen.waves):
            leave = wave * kitchen.again_s
            vehicles.append(
                pyvrp.VehicleType(
                    num_available=len(couriers),
                    capacity=[carries],
                    fixed_cost=_TRIP + _LATER * wave,
                    tw_early=leave,
                    start_late=leave,
                    # All doors take as long as one another: so the last of them is reached within hot_s.
                    shift_duration=kitchen.hot_s + kitchen.door_s,
                    unit_distance_cost=0,
                    unit_duration_cost=1,
                    profile=profile,
                )
            )
            who.append((couriers, wave))
    problem = pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in range(many)],
        [
            pyvrp.Client(
                location=at,
                delivery=[1],
                service_duration=kitchen.door_s,
                tw_late=kitchen.end_s,
                prize=_PRIZE,
                required=False,
            )
            for at in range(1, many)
        ],
        [pyvrp.Depot(location=0)],
        vehicles,
        cast(Any, matrices),
        cast(Any, matrices),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = pyvrp.solve(problem, stop=_Until(clock, until), seed=seed, collect_stats=False, display=False)
    if not result.is_feasible():
        return []
    used: dict[int, int] = {}
    found = []
    for route in result.best.routes():
        kind = route.vehicle_type()
        couriers, wave = who[kind]
        stops = tuple(activity.idx for activity in route if activity.is_client())
        if stops:
            found.append((couriers[used.get(kind, 0)], wave, stops))
            used[kind] = used.get(kind, 0) + 1
    return found


def nearest_first(kitchen: Kitchen) -> tuple[list[Trip], tuple[int, ...]]:
    """What is done without a planner: each courier in turn takes the nearest door that is still hot, until the box is
    empty. The baseline."""
    waiting = set(range(kitchen.stops))
    trips: list[Trip] = []
    for wave in range(kitchen.waves):
        for courier in range(len(kitchen.way)):
            trip = timed(kitchen, courier, wave, ())
            while waiting:
                place = trip.stops[-1] + 1 if trip.stops else 0
                nearest = min(waiting, key=lambda stop: (int(kitchen.way[courier][place, stop + 1]), stop))
                longer = timed(kitchen, courier, wave, (*trip.stops, nearest))
                if not _kept(kitchen, longer):
                    break
                trip = longer
                waiting.discard(nearest)
            if trip.stops:
                trips.append(trip)
    return sorted(trips, key=lambda trip: (trip.courier, trip.wave)), tuple(sorted(waiting))
