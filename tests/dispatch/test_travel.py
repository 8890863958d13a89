"""Distances and times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import DEFAULT_PACE, HaversineTravel, Mode, Pace, Place, haversine_m

places = st.builds(Place, st.floats(-85, 85), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        (Place(31.33, 118.38), Place(31.33, 118.38), 0),
        (Place(0, 0), Place(0, 1), 111_195),
        (Place(31.2304, 121.4737), Place(39.9042, 116.4074), 1_067_300),  # Shanghai, Beijing
    ],
)
def test_known_distances(one: Place, other: Place, metres: float) -> None:
    assert haversine_m(one, other) == pytest.approx(metres, rel=0.001, abs=0.001)


@given(places, places)
def test_a_distance_is_the_same_both_ways_and_never_negative(one: Place, other: Place) -> None:
    assert haversine_m(one, other) == pytest.approx(haversine_m(other, one), abs=1e-3)
    assert 0 <= haversine_m(one, other) <= 20_016_000


@given(st.lists(st.tuples(places, st.sampled_from(["foot", "bike", "car", "van"])), max_size=5), places)
def test_a_table_is_its_single_ways(starts: list[tuple[Place, Mode]], end: Place) -> None:
    ways = HaversineTravel().estimates(starts, end)
    assert len(ways) == len(starts)
    for (start, mode), way in zip(starts, ways, strict=True):
        metres = haversine_m(start, end) * 1.3
        pace = DEFAULT_PACE[mode]
        assert way.metres == pytest.approx(metres, rel=1e-9, abs=1e-3)
        assert way.seconds == pytest.approx(metres / pace.speed_mps + pace.fixed_s, rel=1e-9, abs=1e-3)


def test_stairs_and_parking_count_at_the_door_too() -> None:
    here = Place(31.33, 118.38)
    (way,) = HaversineTravel().estimates([(here, "car")], here)
    assert (way.metres, way.seconds) == (0, 180)


def test_wrong_paces_are_refused() -> None:
    with pytest.raises(ValueError, match="speed_mps"):
        Pace(0, 60)
    with pytest.raises(ValueError, match="fixed_s"):
        Pace(1, -1)
    with pytest.raises(ValueError, match="circuity"):
        HaversineTravel(circuity=0.9)
