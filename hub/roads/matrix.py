"""Ways from a file: for places without a routing service, worked out once and carried along.

A JSON object: `{"places": [[lat, lon], …], "modes": {"bike": {"seconds": [[…], …], "metres": [[…], …]}, …}}`, rows
from, columns to; `null` where there is no road. Whoever is within `snap_m` of a place counts as there, and goes the
rest as the crow flies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from dispatch import HaversineTravel, Mode, Place
from hub.errors import SettingError
from hub.roads.model import RoadWay

__all__ = ["MatrixRoads", "read_matrix"]

_Table = npt.NDArray[np.float64]
_MOST_PLACES = 5_000


@dataclass(frozen=True)
class MatrixRoads:
    """Tables by mode, NaN where there is no road. `places`: n x 2, latitude and longitude in degrees."""

    places: _Table
    seconds: Mapping[Mode, _Table]
    metres: Mapping[Mode, _Table]
    snap_m: float = 400.0
    estimate: HaversineTravel = field(default_factory=HaversineTravel)
    name: str = "matrix"

    def knows(self, mode: Mode) -> bool:
        """Whether the file has a table for it."""
        return mode in self.seconds

    def table(self, starts: Sequence[Place], end: Place, mode: Mode) -> Sequence[RoadWay | None]:
        """One way for each start; None where a start, the end or a road is not in the file."""
        last = self._nearest(end)
        if last is None:
            return [None] * len(starts)
        return [self._way(start, last, mode) for start in starts]

    def close(self) -> None:
        """Nothing is open."""

    def _way(self, start: Place, last: tuple[int, Place, float], mode: Mode) -> RoadWay | None:
        first = self._nearest(start)
        if first is None:
            return None
        seconds = float(self.seconds[mode][first[0], last[0]])
        metres = float(self.metres[mode][first[0], last[0]])
        if not np.isfinite(seconds) or not np.isfinite(metres):
            return None
        rest = (first[2] + last[2]) * self.estimate.circuity
        return RoadWay(metres + rest, seconds + rest / self.estimate.pace[mode].speed_mps)

    def _nearest(self, place: Place) -> tuple[int, Place, float] | None:
        """(row, its place, metres to it) of the nearest place in the file, None where it is further than `snap_m`."""
        # A flat earth does within some hundred metres, and thousands of rows are looked at for each person.
        north = (self.places[:, 0] - place.lat) * 111_195.0
        east = (self.places[:, 1] - place.lon) * 111_195.0 * np.cos(np.radians(place.lat))
        far = np.hypot(north, east)
        row = int(far.argmin())
        if far[row] > self.snap_m:
            return None
        return row, Place(float(self.places[row, 0]), float(self.places[row, 1])), float(far[row])


def read_matrix(path: Path, *, snap_m: float = 400.0, estimate: HaversineTravel | None = None) -> MatrixRoads:
    """The file's tables. SettingError, one line, names what is wrong with it."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingError(f"{path}: is no JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("modes"), dict) or not body["modes"]:
        raise SettingError(f"{path}: must be an object with `places` and `modes`")
    places = _numbers(path, "places", body.get("places"), (None, 2))
    if not np.isfinite(places).all() or (np.abs(places) > (90, 180)).any():
        raise SettingError(f"{path}: places must be [lat, lon] in degrees")
    known: tuple[Mode, ...] = get_args(Mode)
    seconds: dict[Mode, _Table] = {}
    metres: dict[Mode, _Table] = {}
    for mode, tables in body["modes"].items():
        if mode not in known or not isinstance(tables, dict):
            raise SettingError(f"{path}: modes are {', '.join(known)}, not {mode!r}")
        for name, into in (("seconds", seconds), ("metres", metres)):
            table = _numbers(path, f"modes.{mode}.{name}", tables.get(name), (len(places), len(places)))
            if (table < 0).any():
                raise SettingError(f"{path}: modes.{mode}.{name}: must not be negative")
            into[mode] = table
    return MatrixRoads(places, seconds, metres, snap_m, estimate or HaversineTravel())


def _numbers(path: Path, name: str, rows: Any, shape: tuple[int | None, int]) -> _Table:
    if not isinstance(rows, list) or not rows or len(rows) > _MOST_PLACES:
        raise SettingError(f"{path}: {name}: must be a list of 1 to {_MOST_PLACES} rows")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != shape[1]:
            raise SettingError(f"{path}: {name}: row {number + 1} must have {shape[1]} numbers")
        if any(one is not None and (not isinstance(one, int | float) or isinstance(one, bool)) for one in row):
            raise SettingError(f"{path}: {name}: row {number + 1} holds what is no number")
    if shape[0] is not None and len(rows) != shape[0]:
        raise SettingError(f"{path}: {name}: must have {shape[0]} rows, one a place, not {len(rows)}")
    return np.array([[np.nan if one is None else one for one in row] for row in rows], dtype=np.float64)
