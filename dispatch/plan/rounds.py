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

_NO_PLAN = 2**62
"""Costs from here on are the solver's word for: no plan yet that breaks no rule."""
_OPENING, _DESCENT = 0.1, 0.7
"""Of the time: what the first plan takes, and when looking for fewer vehicles ends at the latest."""
_SLICES = (0.08, 0.22)
"""Of the time: how long one vehicle less is tried for, each time with other luck: what it finds it finds soon."""


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
        return self.clock() >= self.time or (self.first and best_cost < _NO_PLAN)


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
    rounds: Rounds,
    vehicles: int,
    seed: int,
    clock: Callable[[], float],
    until: float,
    *,
    first: bool = False,
    start: list[list[int]] | None = None,
) -> list[list[int]] | None:
    problem = _problem(rounds, vehicles)
    begin = None if start is None else pyvrp.Solution(problem, [[place - 1 for place in way] for way in start])
    with warnings.catch_warnings():
        # That too few vehicles may not do is what is being tried here.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        stop = _Until(clock, until, first)
        result = pyvrp.solve(problem, stop=stop, seed=seed, collect_stats=False, display=False, initial_solution=begin)
    if not result.is_feasible():
        return None
    return [_places(route) for route in result.best.routes()]


def _places(route: pyvrp.Route) -> list[int]:
    return [activity.idx + 1 for activity in route if activity.is_client()]


def shortest(rounds: Rounds, *, seed: int, clock: Callable[[], float], until: float) -> list[list[int]] | None:
    """Rounds (places in order) of the least total distance; None if no plan keeps all rules."""
    return _solved(rounds, rounds.vehicles, seed, clock, until)


def fewest_vehicles(rounds: Rounds, *, seed: int, clock: Callable[[], float], until: float) -> list[list[int]] | None:
    """Rounds with as few vehicles as were found, then of the least distance.

    Fewer and fewer vehicles are allowed for as long as a whole plan is found within slices of the time; the rest goes
    to the last number that worked, from the plan that was found for it.
    """
    begun = clock()
    span = until - begun
    best = _solved(rounds, rounds.vehicles, seed, clock, begun + _OPENING * span)
    if best is None:
        return _solved(rounds, rounds.vehicles, seed, clock, until)
    least = max(1, -(-int(rounds.load.sum()) // max(rounds.capacity, 1)))
    while len(best) > least:
        fewer = None
        for luck, share in enumerate(_SLICES):
            limit = min(clock() + share * span, begun + _DESCENT * span)
            fewer = fewer or _solved(rounds, len(best) - 1, seed + luck, clock, limit, first=True)
        if fewer is None:
            break
        best = fewer
    polished = _solved(rounds, len(best), seed + 1, clock, until, start=best)
    if polished is None or len(polished) > len(best):
        return best
    return min((best, polished), key=lambda plan: (len(plan), _length(rounds, plan)))


def _length(rounds: Rounds, plan: list[list[int]]) -> int:
    total = 0
    for stops in plan:
        way = [0, *stops, 0]
        total += sum(int(rounds.distance[one, other]) for one, other in pairwise(way))
    return total
