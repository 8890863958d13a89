"""Trips from a kitchen: every meal hot, no box too full, nobody brought twice; better than the nearest door first."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.plan.meal_trips import Kitchen, Trip, nearest_first, plan_trips
from hub.planning.meals import solve_rounds


def kitchen_of(spots: list[tuple[int, int]], paces: list[int], carries: list[int], hot_s: int, waves: int) -> Kitchen:
    places = np.array([(0, 0), *spots], dtype=np.int64).reshape(-1, 2)
    metres = np.abs(places[:, None, :] - places[None, :, :]).sum(axis=2)
    ways = [np.asarray(metres // pace, dtype=np.int64) for pace in paces]
    return Kitchen(ways, carries, door_s=60, hot_s=hot_s, end_s=7200, again_s=hot_s + 600, waves=waves)


def check(kitchen: Kitchen, trips: list[Trip], out: tuple[int, ...]) -> None:
    """By reckoning each way again, not by asking the planner."""
    brought = [stop for trip in trips for stop in trip.stops]
    assert sorted([*brought, *out]) == list(range(kitchen.stops))
    assert len({(trip.courier, trip.wave) for trip in trips}) == len(trips)
    for trip in trips:
        assert 0 < len(trip.stops) <= kitchen.carries[trip.courier]
        assert trip.leave_s == trip.wave * kitchen.again_s
        assert trip.wave < kitchen.waves
        at, place = trip.leave_s, 0
        for stop, told in zip(trip.stops, trip.arrive_s, strict=True):
            at += int(kitchen.way[trip.courier][place, stop + 1])
            assert at == told
            assert at - trip.leave_s <= kitchen.hot_s, "it is cold"
            assert at <= kitchen.end_s
            at, place = at + kitchen.door_s, stop + 1


@st.composite
def kitchens(draw: st.DrawFn) -> Kitchen:
    spot = st.tuples(st.integers(-4000, 4000), st.integers(-4000, 4000))
    couriers = draw(st.integers(0, 3))
    return kitchen_of(
        draw(st.lists(spot, max_size=14)),
        draw(st.lists(st.integers(1, 6), min_size=couriers, max_size=couriers)),
        draw(st.lists(st.integers(1, 8), min_size=couriers, max_size=couriers)),
        draw(st.integers(60, 2700)),
        draw(st.integers(1, 2)),
    )


@settings(max_examples=25, deadline=None)
@given(kitchens())
def test_no_plan_breaks_a_rule(kitchen: Kitchen) -> None:
    simple, left = nearest_first(kitchen)
    if kitchen.way:
        check(kitchen, simple, left)
    trips, out = plan_trips(kitchen, seed=1, clock=time.monotonic, until=time.monotonic() + 0.05)
    if not kitchen.way:
        assert trips == []
        return
    check(kitchen, trips, out)
    assert len(out) <= len(left)


def test_a_lunch_of_sixty_doors_is_shorter_than_the_nearest_door_first() -> None:
    rng = np.random.default_rng(7)
    spots = [tuple(map(int, row)) for row in rng.integers(-2500, 2500, size=(60, 2))]
    kitchen = kitchen_of(spots, [4, 4, 4, 4], [24, 24, 24, 24], 2700, 2)  # type: ignore[arg-type]
    simple, left = nearest_first(kitchen)
    trips, out = plan_trips(kitchen, seed=3, clock=time.monotonic, until=time.monotonic() + 2.0)
    check(kitchen, trips, out)
    assert len(out) <= len(left)

    def way(plan: list[Trip]) -> int:
        return sum(trip.arrive_s[-1] - trip.leave_s for trip in plan)

    assert (len(out), way(trips)) < (len(left), way(simple))


def test_each_meal_left_out_says_why_and_a_refused_courier_never_comes() -> None:
    home = {"lat": 31.3396, "lon": 118.3962}
    problem: dict[str, Any] = {
        "kitchen": [31.338, 118.395],
        "stops": [
            {"id": "a", **home, "never": ["S3"]},
            {"id": "b", "lat": 31.33, "lon": 118.39, "never": []},
            {"id": "nowhere", "lat": None, "lon": None, "never": []},
            {"id": "far", "lat": 32.4, "lon": 118.39, "never": []},
            {"id": "nobody", **home, "never": ["S3", "S4"]},
        ],
        "couriers": [{"id": "S3", "mode": "bike", "carries": 24}, {"id": "S4", "mode": "foot", "carries": 24}],
        "hot_s": 2700,
        "door_s": 150,
        "end_s": 6000,
        "again_s": 3300,
        "waves": 2,
    }
    answer = solve_rounds(problem, 0.5)
    assert {one["id"]: one["code"] for one in answer["unplanned"]} == {
        "nowhere": "no_position",
        "far": "too_far",
        "nobody": "refused",
    }
    who = {stop["id"]: trip["courier"] for trip in answer["trips"] for stop in trip["stops"]}
    assert set(who) == {"a", "b"}
    assert who["a"] == "S4"
    full = {
        **problem,
        "couriers": [{"id": "S3", "mode": "bike", "carries": 1}],
        "waves": 1,
        "stops": problem["stops"][1:2] * 3,
    }
    assert [one["code"] for one in solve_rounds(full, 0.3)["unplanned"]] == ["no_room", "no_room"]
    for change, code in (({"kitchen": None}, "no_kitchen"), ({"couriers": []}, "no_courier")):
        left = solve_rounds({**problem, "stops": problem["stops"][:2], **change}, 0.3)["unplanned"]
        assert [one["code"] for one in left] == [code, code]
