"""Rounds from one kitchen or store: vehicles with a capacity, stops with a load and a time window, nothing
synchronised.

This is the vehicle routing problem with time windows, where PyVRP is better than our own search; care visits, where
two people must meet, are not (docs/planning.md). All amounts are whole numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pyvrp
import pyvrp.stop
from numpy.typing import NDArray
from pyvrp.exceptions import PenaltyBoundWarning

__all__ = ["Rounds", "fewest_vehicles", "shortest"]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Place 0 is the depot. Shapes: matrices (n + 1, n + 1), the others (n + 1,)."""

    distance: NDArray[np.int64]
    duration: NDArray[np.int64]
    load: NDArray[np.int64]
    ready: NDArray[np.int64]
    due: NDArray[np.int64]
    service: NDArray[np.int64]
    capacity: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class _Until:
    """Stops by the caller's clock, or with the first plan that breaks no rule."""

    clock: Callable[[], float]
    time: float
    first: bool = False

    def __call__(self, best_cost: float) -> bool:
        return self.clock() >= self.time or (self.first and best_cost < float("inf"))


def _problem(rounds: Rounds, vehicles: int) -> pyvrp.ProblemData:
    many = len(rounds.load)
    return pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in range(many)],
        [
            pyvrp.Client(
                location=at,
                delivery=[int(rounds.load[at])],
                service_duration=int(rounds.service[at]),
                tw_early=int(rounds.ready[at]),
                tw_late=int(rounds.due[at]),
            )
            for at in range(1, many)
        ],
        [pyvrp.Depot(location=0)],
        [
            pyvrp.VehicleType(
                num_available=vehicles,
                capacity=[rounds.capacity],
                tw_early=int(rounds.ready[0]),
                tw_late=int(rounds.due[0]),
            )
        ],
        cast(Any, [rounds.distance]),
        cast(Any, [rounds.duration]),
    )


def _solved(
    rounds: Rounds, vehicles: int, seed: int, clock: Callable[[], float], until: float, first: bool
) -> list[list[int]] | None:
    with warnings.catch_warnings():
        # That too few vehicles may not do is what is being tried here.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        stop = _Until(clock, until, first)
        result = pyvrp.solve(_problem(rounds, vehicles), stop=stop, seed=seed, collect_stats=False, display=False)
    if not result.is_feasible():
        return None
    return [_places(route) for route in result.best.routes()]


def _places(route: pyvrp.Route) -> list[int]:
    return [activity.idx + 1 for activity in route if activity.is_client()]


def shortest(rounds: Rounds, *, seed: int, clock: Callable[[], float], until: float) -> list[list[int]] | None:
    """Rounds (places in order) of the least total distance; None if no plan keeps all rules."""
    return _solved(rounds, rounds.vehicles, seed, clock, until, False)


def fewest_vehicles(rounds: Rounds, *, seed: int, clock: Callable[[], float], until: float) -> list[list[int]] | None:
    """Rounds with as few vehicles as were found, then of the least distance.

    Fewer and fewer vehicles are allowed for as long as a whole plan is found within a slice of the time; the rest goes
    to the last number that worked.
    """
    begun = clock()
    span = until - begun
    best = _solved(rounds, rounds.vehicles, seed, clock, begun + 0.15 * span, False)
    if best is None:
        return _solved(rounds, rounds.vehicles, seed, clock, until, False)
    least = max(1, -(-int(rounds.load.sum()) // max(rounds.capacity, 1)))
    while len(best) > least and clock() < begun + 0.6 * span:
        fewer = _solved(rounds, len(best) - 1, seed, clock, min(clock() + 0.3 * span, begun + 0.7 * span), True)
        if fewer is None:
            break
        best = fewer
    polished = _solved(rounds, len(best), seed + 1, clock, until, False)
    if polished is None or len(polished) > len(best):
        return best
    return min((best, polished), key=lambda plan: (len(plan), _length(rounds, plan)))


def _length(rounds: Rounds, plan: list[list[int]]) -> int:
    total = 0
    for stops in plan:
        way = [0, *stops, 0]
        total += sum(int(rounds.distance[one, other]) for one, other in pairwise(way))
    return total
