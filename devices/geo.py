"""Chinese map datums to WGS-84 and back.

GCJ-02 ("Mars" coordinates of Gaode and Tencent maps) shifts WGS-84 by 300-700 m inside China through a published closed
formula; BD-09 (Baidu) adds a further small twist. Neither has a closed inverse: both inverses here iterate the forward
formula, which brings a round trip under 1e-6 degrees (0.1 m), where the common one-step inverse is 1-2 m off.

Arguments and results are always (lat, lon), degrees. Outside the bounding box of China GCJ-02 equals WGS-84.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, hypot, pi, sin, sqrt

__all__ = ["bd09_to_gcj02", "bd09_to_wgs84", "gcj02_to_bd09", "gcj02_to_wgs84", "in_china", "wgs84_to_gcj02"]

Point = tuple[float, float]

_AXIS_M = 6378245.0  # Krasovsky 1940, the ellipsoid of the published formula
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_ANGLE = pi * 3000.0 / 180.0
_ROUNDS = 3  # two reach 1e-6 degrees everywhere in China; the third costs a microsecond and reaches 1e-9


def in_china(lat: float, lon: float) -> bool:
    """Inside the box in which the GCJ-02 shift applies (it covers parts of the neighbours too, as the maps do)."""
    return 0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347


def wgs84_to_gcj02(lat: float, lon: float) -> Point:
    """WGS-84 to GCJ-02."""
    if not in_china(lat, lon):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north_m += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north_m += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east_m += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east_m += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0

    phi = lat / 180.0 * pi
    flat = 1.0 - _ECCENTRICITY_SQUARED * sin(phi) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (flat * sqrt(flat))
    parallel_m = _AXIS_M / sqrt(flat) * cos(phi)
    return lat + north_m * 180.0 / (meridian_m * pi), lon + east_m * 180.0 / (parallel_m * pi)


def gcj02_to_bd09(lat: float, lon: float) -> Point:
    """GCJ-02 to BD-09."""
    radius = hypot(lon, lat) + 0.00002 * sin(lat * _BD_ANGLE)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BD_ANGLE)
    return radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065


def _inverse(forward: Callable[[float, float], Point], lat: float, lon: float, guess: Point) -> Point:
    for _ in range(_ROUNDS):
        there = forward(*guess)
        guess = guess[0] + lat - there[0], guess[1] + lon - there[1]
    return guess


def gcj02_to_wgs84(lat: float, lon: float) -> Point:
    """GCJ-02 to WGS-84, within 1e-6 degrees."""
    if not in_china(lat, lon):
        return lat, lon
    return _inverse(wgs84_to_gcj02, lat, lon, (lat, lon))


def bd09_to_gcj02(lat: float, lon: float) -> Point:
    """BD-09 to GCJ-02, within 1e-6 degrees."""
    return _inverse(gcj02_to_bd09, lat, lon, (lat - 0.006, lon - 0.0065))


def bd09_to_wgs84(lat: float, lon: float) -> Point:
    """BD-09 to WGS-84, within 1e-6 degrees."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon))
