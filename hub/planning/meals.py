"""Meal rounds from a value to a value: `python -m hub.planning.meals < problem.json > answer.json`.

A process of its own, as the planner of care days: the search takes a whole core for seconds, and whoever serves presses
shares none with it.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from dispatch import Place
from dispatch.plan.meal_trips import Kitchen, Trip, nearest_first, plan_trips
from dispatch.travel import DEFAULT_PACE, HaversineTravel, haversine_m
from hub.clock import monotonic

__all__ = ["main", "solve_rounds"]

_CIRCUITY = HaversineTravel().circuity
_NEVER = 10**7


def solve_rounds(problem: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Trips and what is left out, with its reason. The shape of both: `hub.service.meal_rounds`."""
    begun = monotonic()
    couriers = problem["couriers"]
    known = [one for one in problem["stops"] if one["lat"] is not None and one["lon"] is not None]
    out = [{"id": one["id"], "code": "no_position"} for one in problem["stops"] if one not in known]
    code = "no_kitchen" if problem["kitchen"] is None else "no_courier" if not couriers else None
    if code is not None or not known:
        out += [{"id": one["id"], "code": code} for one in known]
        return _answer([], [], out, 0, 0, 0, begun)
    places = [Place(*problem["kitchen"]), *(Place(one["lat"], one["lon"]) for one in known)]
    metres = np.array([[haversine_m(one, other) * _CIRCUITY for other in places] for one in places])
    kitchen = Kitchen(
        [_way(metres, one, known) for one in couriers],
        [one["carries"] for one in couriers],
        problem["door_s"],
        problem["hot_s"],
        problem["end_s"],
        problem["again_s"],
        problem["waves"],
    )
    simple, left = nearest_first(kitchen)
    trips, missed = plan_trips(kitchen, seed=1, clock=monotonic, until=begun + seconds)
    for stop in missed:
        out.append({"id": known[stop]["id"], "code": _why(kitchen, stop)})
    return _answer(trips, known, out, _minutes(trips), _minutes(simple), len(left), begun, couriers)


def _way(metres: NDArray[np.float64], courier: dict[str, Any], stops: list[dict[str, Any]]) -> NDArray[np.int64]:
    """Seconds between places at the courier's pace; stairs and lock are in the time at the door."""
    way: NDArray[np.int64] = np.ceil(metres / DEFAULT_PACE[courier["mode"]].speed_mps).astype(np.int64)
    for number, stop in enumerate(stops, 1):
        if courier["id"] in stop["never"]:
            way[:, number] = _NEVER
    np.fill_diagonal(way, 0)
    return way


def _why(kitchen: Kitchen, stop: int) -> str:
    direct = [int(way[0, stop + 1]) for way in kitchen.way]
    if min(direct) >= _NEVER:
        return "refused"
    return "too_far" if min(direct) > min(kitchen.hot_s, kitchen.end_s) else "no_room"


def _minutes(trips: list[Trip]) -> float:
    return round(sum(trip.arrive_s[-1] - trip.leave_s for trip in trips) / 60, 1)


def _answer(
    trips: list[Trip],
    stops: list[dict[str, Any]],
    out: list[dict[str, Any]],
    way_min: float,
    baseline_min: float,
    baseline_left: int,
    begun: float,
    couriers: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    who = couriers or []
    return {
        "trips": [
            {
                "courier": who[trip.courier]["id"],
                "wave": trip.wave,
                "leave_s": trip.leave_s,
                "stops": [
                    {"id": stops[stop]["id"], "at_s": at} for stop, at in zip(trip.stops, trip.arrive_s, strict=True)
                ],
            }
            for trip in trips
        ],
        "unplanned": out,
        "way_min": way_min,
        "baseline_min": baseline_min,
        "baseline_left": baseline_left,
        "seconds": round(monotonic() - begun, 2),
    }


def main() -> int:
    """{"problem", "seconds"} on standard input; the answer on standard output."""
    asked = msgspec.json.decode(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(solve_rounds(asked["problem"], float(asked["seconds"]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
