"""Where things are, and how long it takes from one to the other, in whole seconds, rounded up: nobody arrives too
early on paper."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from dispatch.travel import EARTH_RADIUS_M
from hub.planning.reading import wrong

__all__ = ["Places", "Travel"]


class Travel(msgspec.Struct):
    """`matrix` in minutes, or a speed. Positions on the globe are taken as the crow flies times `circuity`; `x`, `y`
    are kilometres on a plane, as they are. `fixed_min` comes on top of every way between two places: stairs, the
    lock."""

    speed_kmh: float = 15.0
    matrix: list[list[float]] | None = None
    circuity: float = 1.3
    fixed_min: float = 0.0


class Located(Protocol):
    """What has a position."""

    lat: float | None
    lon: float | None
    x: float | None
    y: float | None
    place: int | None


class Places:
    """Gathers positions, each once."""

    def __init__(self, path: Path, travel: Travel) -> None:
        self._path = path
        self._travel = travel
        self._spots: list[tuple[float, float]] = []
        self._known: dict[tuple[float, float], int] = {}
        self._globe: bool | None = None
        for name in ("speed_kmh", "circuity", "fixed_min"):
            value = getattr(travel, name)
            if not isfinite(value) or value < 0 or (name != "fixed_min" and value == 0):
                raise wrong(path, f"$.travel.{name}: {value} is not possible")

    def add(self, where: str, one: Located, index: int | None) -> int:
        """The number of this position. With a matrix: `place`, or else `index`, the turn in depots and visits."""
        if self._travel.matrix is not None:
            number = one.place if one.place is not None else index
            if number is None:
                raise wrong(self._path, f"{where}: with a matrix, a place needs its number in it: place")
            if not 0 <= number < len(self._travel.matrix):
                raise wrong(self._path, f"{where}: the matrix has no place {number}")
            return number
        globe = one.lat is not None and one.lon is not None
        first, second = (one.lat, one.lon) if globe else (one.x, one.y)
        if first is None or second is None:
            raise wrong(self._path, f"{where}: lat and lon, or x and y, are missing")
        if not (isfinite(first) and isfinite(second)) or (globe and (abs(first) > 90 or abs(second) > 180)):
            raise wrong(self._path, f"{where}: this is no position")
        if self._globe not in (None, globe):
            raise wrong(self._path, f"{where}: positions are either all lat, lon or all x, y")
        self._globe = globe
        spot = (first, second)
        if spot not in self._known:
            self._known[spot] = len(self._spots)
            self._spots.append(spot)
        return self._known[spot]

    def table(self, expected: int) -> NDArray[np.float64]:
        """(L, L) whole seconds."""
        matrix = self._travel.matrix
        if matrix is None:
            return self._reckoned()
        if any(len(row) != len(matrix) for row in matrix):
            raise wrong(self._path, f"$.travel.matrix: {len(matrix)} rows of {len(matrix)} numbers are expected")
        table: NDArray[np.float64] = np.array(matrix, np.float64).reshape(len(matrix), len(matrix))
        if not np.isfinite(table).all() or (table < 0).any():
            raise wrong(self._path, "$.travel.matrix: a time is negative or no number")
        if not len(matrix) and expected:
            raise wrong(self._path, "$.travel.matrix: is empty")
        return np.ceil(table * 60 - 1e-6)

    def _reckoned(self) -> NDArray[np.float64]:
        spots = np.array(self._spots, np.float64).reshape(-1, 2)
        if self._globe:
            lat, lon = np.radians(spots[:, 0]), np.radians(spots[:, 1])
            half = np.sin((lat[:, None] - lat) / 2) ** 2
            half += np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
            kilometres = 2 * EARTH_RADIUS_M / 1000 * np.arcsin(np.sqrt(np.minimum(1.0, half))) * self._travel.circuity
        else:
            kilometres = np.hypot(spots[:, 0][:, None] - spots[:, 0], spots[:, 1][:, None] - spots[:, 1])
        seconds: Any = kilometres / self._travel.speed_kmh * 3600 + self._travel.fixed_min * 60
        np.fill_diagonal(seconds, 0.0)
        table: NDArray[np.float64] = np.ceil(seconds - 1e-6)
        return table
