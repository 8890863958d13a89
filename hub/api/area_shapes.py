"""Boundaries of areas as GeoJSON geometries (RFC 7946): are the rings sound, what lies in them, who lies over whom.

Plane geometry on degrees: a grid is some hundred metres wide, over which a degree is as long as it is. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

__all__ = ["Shape", "bad_rings", "boundary_moved", "check_boundary", "contains", "overlaps", "shape_of"]

Position = tuple[float, float]
"""Longitude, latitude, as GeoJSON has it."""
Ring = Sequence[Position]
MOST_POSITIONS: Final = 20_000
_LINES: Final = 32
"""So many parallels are drawn through two boundaries to measure what they share."""
_SHARED: Final = 0.01
"""Borders drawn twice by hand cross a little; from this share of the smaller area on it is an overlap."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One boundary. `polygons`: each the outer ring and then its holes; `box`: west, south, east, north."""

    id: str
    name: str
    kind: str
    polygons: tuple[tuple[Ring, ...], ...]
    box: tuple[float, float, float, float]


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon" and isinstance(coordinates, list):
        return [coordinates]
    if kind == "MultiPolygon" and isinstance(coordinates, list):
        return coordinates
    raise ValueError("a Polygon or MultiPolygon with coordinates was expected")


def bad_rings(geometry: Mapping[str, Any]) -> list[str]:
    """What is wrong with the rings, one line a ring; empty: nothing. Numbers of rings begin with 1, the outer one."""
    try:
        polygons = _polygons(geometry)
    except ValueError as error:
        return [str(error)]
    found: list[str] = []
    positions = 0
    for number, polygon in enumerate(polygons, 1):
        part = f"polygon {number}, " if len(polygons) > 1 else ""
        if not isinstance(polygon, list) or not polygon:
            found.append(f"{part}no ring at all")
            continue
        for ring_number, ring in enumerate(polygon, 1):
            where = f"{part}ring {ring_number}"
            wrong = _ring_fault(ring)
            if wrong is not None:
                found.append(f"{where}: {wrong}")
            else:
                positions += len(ring)
    if positions > MOST_POSITIONS:
        found.append(f"{positions} positions; at most {MOST_POSITIONS}: simplify it")
    return found


def _ring_fault(ring: Any) -> str | None:
    if not isinstance(ring, list) or not all(_is_position(one) for one in ring):
        return "its positions must be [longitude, latitude] in degrees"
    if len(ring) < 4:
        return f"{len(ring)} positions; a ring has four at least"
    points = [(float(one[0]), float(one[1])) for one in ring]
    if points[0] != points[-1]:
        return "it is not closed: the last position must be the first"
    crossing = _self_crossing(points)
    if crossing is not None:
        return f"it crosses itself near {crossing[1]:.5f}, {crossing[0]:.5f} (latitude, longitude)"
    return "it encloses nothing" if abs(_doubled_area(points)) < 1e-12 else None


def _is_position(one: Any) -> bool:
    return (
        isinstance(one, list)
        and len(one) >= 2
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in one[:2])
        and -180 <= one[0] <= 180
        and -90 <= one[1] <= 90
    )


def _doubled_area(points: Ring) -> float:
    # From the first position on: far from the origin the products would eat up the digits of a small grid.
    x0, y0 = points[0]
    return sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in pairwise(points))


def _turn(a: Position, b: Position, c: Position) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _self_crossing(points: Ring) -> Position | None:
    """Where two sides that are no neighbours cross; from west to east, so that far sides never meet in the loop."""
    sides = [(a, b) for a, b in pairwise(points) if a != b]
    last = len(sides) - 1
    order = sorted(range(len(sides)), key=lambda n: min(sides[n][0][0], sides[n][1][0]))
    for at, n in enumerate(order):
        a, b = sides[n]
        east, low, high = max(a[0], b[0]), min(a[1], b[1]), max(a[1], b[1])
        for m in order[at + 1 :]:
            c, d = sides[m]
            if min(c[0], d[0]) > east:
                break
            if min(c[1], d[1]) > high or max(c[1], d[1]) < low or abs(n - m) in (1, last):
                continue
            if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
                return c
    return None


def check_boundary(geometry: dict[str, Any]) -> dict[str, Any]:
    """The geometry; ValueError naming the first bad ring."""
    found = bad_rings(geometry)
    if found:
        raise ValueError(found[0])
    return geometry


def boundary_moved(geometry: Mapping[str, Any], to_wgs84: Callable[[float, float], Position]) -> dict[str, Any]:
    """The same boundary in another datum; `to_wgs84` takes and gives (lat, lon)."""

    def moved(one: Any) -> Any:
        if isinstance(one, list) and one and not isinstance(one[0], list):
            lat, lon = to_wgs84(float(one[1]), float(one[0]))
            return [round(lon, 7), round(lat, 7)]
        return [moved(inner) for inner in one] if isinstance(one, list) else one

    return {**geometry, "coordinates": moved(geometry.get("coordinates"))}


def shape_of(ident: str, name: str, kind: str, geometry: Mapping[str, Any]) -> Shape | None:
    """The boundary as a value; None for what is no polygon."""
    if bad_rings(geometry):
        return None
    polygons = tuple(
        tuple(tuple((float(one[0]), float(one[1])) for one in ring) for ring in polygon)
        for polygon in _polygons(geometry)
    )
    outer = [point for polygon in polygons for point in polygon[0]]
    lons, lats = [lon for lon, _ in outer], [lat for _, lat in outer]
    return Shape(ident, name, kind, polygons, (min(lons), min(lats), max(lons), max(lats)))


def contains(shape: Shape, lat: float, lon: float) -> bool:
    """Whether a place lies within the boundary; holes are outside."""
    west, south, east, north = shape.box
    if not (west <= lon <= east and south <= lat <= north):
        return False
    return any(low <= lon <= high for low, high in _inside(shape, lat))


def _inside(shape: Shape, lat: float) -> list[tuple[float, float]]:
    """The stretches of a parallel that lie within: even-odd over all rings, so that a hole ends what its ring began."""
    found: list[tuple[float, float]] = []
    for polygon in shape.polygons:
        cuts: list[float] = []
        for ring in polygon:
            for (x1, y1), (x2, y2) in pairwise(ring):
                if (y1 > lat) != (y2 > lat):
                    cuts.append(x1 + (lat - y1) * (x2 - x1) / (y2 - y1))
        cuts.sort()
        found += zip(cuts[::2], cuts[1::2], strict=False)
    return found


def _area(shape: Shape) -> float:
    return sum(
        abs(_doubled_area(polygon[0])) / 2 - sum(abs(_doubled_area(hole)) / 2 for hole in polygon[1:])
        for polygon in shape.polygons
    )


def overlaps(shapes: Sequence[Shape], among: Sequence[Shape] = ()) -> Iterator[tuple[Shape, Shape, float]]:
    """Pairs of one kind that lie over one another, and the share (0 to 1) of the smaller one that both have.

    Each of `shapes` against the later ones and against `among`. Measured along 32 parallels: good to some per cent.
    """
    everybody = [*shapes, *among]
    areas = {id(one): _area(one) for one in everybody}
    order = sorted(range(len(everybody)), key=lambda n: everybody[n].box[0])
    for at, n in enumerate(order):
        one = everybody[n]
        for m in order[at + 1 :]:
            other = everybody[m]
            if other.box[0] >= one.box[2]:
                break
            if other.kind != one.kind or (n >= len(shapes) and m >= len(shapes)):
                continue
            smaller = min(areas[id(one)], areas[id(other)])
            share = _shared(one, other) / smaller if smaller > 0 else 0.0
            if share >= _SHARED:
                yield (one, other, min(1.0, share)) if n < m else (other, one, min(1.0, share))


def _shared(one: Shape, other: Shape) -> float:
    """The area in both, in square degrees."""
    south, north = max(one.box[1], other.box[1]), min(one.box[3], other.box[3])
    west, east = max(one.box[0], other.box[0]), min(one.box[2], other.box[2])
    if south >= north or west >= east:
        return 0.0
    step = (north - south) / _LINES
    total = 0.0
    for line in range(_LINES):
        lat = south + (line + 0.5) * step
        theirs = _inside(other, lat)
        for low, high in _inside(one, lat):
            total += sum(max(0.0, min(high, end) - max(low, start)) for start, end in theirs) * step
    return total
