"""Solomon and Gehring-Homberger instances, and the two conventions their best known values are published under.

`distance`: arcs truncated to one decimal, the least total distance whatever the number of vehicles. `vehicles`: the
fewest vehicles, then the least real distance. They are two problems; each gets a search of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.plan.rounds import Rounds
from hub.planning.reading import wrong

__all__ = ["FINE", "Instance", "read", "real_rounds", "score", "truncated_rounds"]

FINE = 10_000
"""Parts of a unit in which real distances are reckoned; durations are rounded up, so that no window is missed by
rounding."""
COLUMNS = 7


@dataclass(frozen=True, slots=True)
class Instance:
    """Rows of `stops`: number, x, y, demand, ready time, due date, service time; row 0 is the depot."""

    name: str
    vehicles: int
    capacity: int
    stops: NDArray[np.float64]

    def distances(self) -> NDArray[np.float64]:
        """Euclidean."""
        across = self.stops[:, 1][:, None] - self.stops[:, 1]
        up = self.stops[:, 2][:, None] - self.stops[:, 2]
        return np.sqrt(across**2 + up**2)


def read(path: Path, raw: bytes) -> Instance:
    """The instance; raises BadRequestError with file, line and reason."""
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise wrong(path, f"is not UTF-8 text: {error}") from error
    name = ""
    fleet: list[float] | None = None
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if not name:
            name = words[0]
            continue
        try:
            values = [float(word) for word in words]
        except ValueError:
            if fleet is not None and rows:
                raise wrong(path, f"line {number}: numbers are expected: {line.strip()[:60]}") from None
            continue  # headings
        if not all(math.isfinite(value) for value in values):
            raise wrong(path, f"line {number}: is not finite")
        if fleet is None:
            if len(values) != 2 or min(values) < 1:
                raise wrong(path, f"line {number}: the number of vehicles and their capacity are expected")
            fleet = values
        elif len(values) != COLUMNS:
            raise wrong(path, f"line {number}: {COLUMNS} numbers are expected, not {len(values)}")
        else:
            _check(path, number, values, len(rows))
            rows.append(values)
    if fleet is None:
        raise wrong(path, "no line with the number of vehicles and their capacity")
    if len(rows) < 2:
        raise wrong(path, "no customers")
    return Instance(name, int(fleet[0]), int(fleet[1]), np.array(rows))


def _check(path: Path, number: int, values: list[float], expected: int) -> None:
    if values[0] != expected:
        raise wrong(path, f"line {number}: customer {expected} is expected, not {values[0]:g}")
    if min(values[3:]) < 0:
        raise wrong(path, f"line {number}: a demand or time is negative")
    if values[4] > values[5]:
        raise wrong(path, f"line {number}: the due date is before the ready time")


def _rounds(instance: Instance, distance: NDArray[np.int64], duration: NDArray[np.int64], parts: int) -> Rounds:
    whole = (instance.stops[:, 3:] * [1, parts, parts, parts]).round().astype(np.int64)
    return Rounds(
        distance=distance,
        duration=duration,
        load=whole[:, 0],
        ready=whole[:, 1],
        due=whole[:, 2],
        service=whole[:, 3],
        capacity=instance.capacity,
        vehicles=instance.vehicles,
    )


def truncated_rounds(instance: Instance) -> Rounds:
    """In tenths, every arc truncated."""
    arcs = np.floor(instance.distances() * 10 + 1e-9).astype(np.int64)
    return _rounds(instance, arcs, arcs, 10)


def real_rounds(instance: Instance) -> Rounds:
    """In ten-thousandths; durations rounded up."""
    exact = instance.distances() * FINE
    return _rounds(instance, exact.round().astype(np.int64), np.ceil(exact - 1e-6).astype(np.int64), FINE)


def score(instance: Instance, routes: list[list[int]]) -> dict[str, Any]:
    """What both conventions say of routes: truncated distance, vehicles, real distance."""
    exact = instance.distances()
    arcs = [(one, other) for stops in routes for one, other in zip([0, *stops], [*stops, 0], strict=True)]
    truncated = sum(math.floor(exact[arc] * 10 + 1e-9) for arc in arcs) / 10
    return {
        "distance_truncated": truncated,
        "vehicles": len(routes),
        "distance_real": round(sum(float(exact[arc]) for arc in arcs), 4),
    }
