from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import geo
from tests.devices.captures import document, needs

_POINTS = "geo/gcj02_points.json"
_CONVERSIONS = {
    ("WGS-84", "GCJ-02"): geo.wgs84_to_gcj02,
    ("GCJ-02", "WGS-84"): geo.gcj02_to_wgs84,
    ("GCJ-02", "BD-09"): geo.gcj02_to_bd09,
    ("BD-09", "GCJ-02"): geo.bd09_to_gcj02,
    ("BD-09", "WGS-84"): geo.bd09_to_wgs84,
}


@needs(_POINTS)
def test_published_points() -> None:
    points: list[dict[str, Any]] = document(_POINTS)["points"]
    assert len(points) >= 6
    for point in points:
        lat, lon = _CONVERSIONS[point["from"], point["to"]](point["lat"], point["lon"])
        assert lat == pytest.approx(point["expect_lat"], abs=point["tolerance_deg"]), point["name"]
        assert lon == pytest.approx(point["expect_lon"], abs=point["tolerance_deg"]), point["name"]


_CHINA = st.tuples(st.floats(4, 53), st.floats(74, 135))


@given(_CHINA)
def test_gcj02_round_trip_is_exact(point: tuple[float, float]) -> None:
    back = geo.gcj02_to_wgs84(*geo.wgs84_to_gcj02(*point))
    assert back == pytest.approx(point, abs=1e-6)


@given(_CHINA)
def test_bd09_round_trip_is_exact(point: tuple[float, float]) -> None:
    back = geo.bd09_to_wgs84(*geo.gcj02_to_bd09(*geo.wgs84_to_gcj02(*point)))
    assert back == pytest.approx(point, abs=1e-6)


@given(_CHINA)
def test_the_shift_is_hundreds_of_metres_and_never_kilometres(point: tuple[float, float]) -> None:
    there = geo.wgs84_to_gcj02(*point)
    assert 1e-5 < max(abs(there[0] - point[0]), abs(there[1] - point[1])) < 0.02


def test_outside_china_nothing_moves() -> None:
    assert geo.wgs84_to_gcj02(48.2, 16.37) == (48.2, 16.37)
    assert geo.gcj02_to_wgs84(48.2, 16.37) == (48.2, 16.37)
