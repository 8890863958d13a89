"""The places of the sample community: areas with their borders, stations, flats. All invented."""

from __future__ import annotations

import math
import random
from typing import Any, Final

from hub.demo.people import LIUAN

__all__ = ["GRIDS", "MICRO_GRIDS", "area_rows", "home_in", "station_rows"]

Row = dict[str, Any]

GRIDS: Final = 6
MICRO_GRIDS: Final = (4, 4, 4, 3, 3, 3)  # 21 in all
_HOUSEHOLDS: Final = (372, 401, 392, 355, 380, 380)  # 2,280; grid 3 has 392
_ESTATE: Final = ("东园", "南苑", "西里", "北庭", "春晓里", "秋实里")

_WEST, _SOUTH, _WIDTH, _HEIGHT = -0.009, -0.006, 0.006, 0.006  # of the first grid's corner and of one grid, degrees


def _corner(column: int, line: int) -> tuple[float, float]:
    """(lon, lat) of a crossing of two grid borders, a little off the straight: streets are."""
    lat, lon = LIUAN
    rng = random.Random(f"corner {column} {line}")
    return (
        lon + _WEST + column * _WIDTH + rng.uniform(-0.0006, 0.0006),
        lat + _SOUTH + line * _HEIGHT + rng.uniform(-0.0006, 0.0006),
    )


def _street(column: int, line: int, share: float) -> tuple[float, float]:
    """The point at `share` (0..1) of the street along the south of grid (column, line): a gentle bend."""
    (x0, y0), (x1, y1) = _corner(column, line), _corner(column + 1, line)
    bend = random.Random(f"bend {column} {line}").uniform(-0.0005, 0.0005)
    return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share + bend * math.sin(math.pi * share)


def _along(column: int, line: int, start: float, end: float) -> list[tuple[float, float]]:
    return [_street(column, line, start + (end - start) * step / 6) for step in range(7)]


def _polygon(points: list[tuple[float, float]]) -> Row:
    ring = [[round(lon, 6), round(lat, 6)] for lon, lat in points]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _block(column: int, line: int, start: float = 0.0, end: float = 1.0) -> Row:
    """A grid, or the part of it between two shares of its width."""
    return _polygon(_along(column, line, start, end) + _along(column, line + 1, end, start))


def _area(area_id: str, parent: str | None, kind: str, name: str, boundary: Row | None, **more: Any) -> Row:
    lat, lon = LIUAN
    if boundary is not None:
        points = boundary["coordinates"][0][:-1]
        lon = sum(point[0] for point in points) / len(points)
        lat = sum(point[1] for point in points) / len(points)
    return {
        "id": area_id,
        "parent_id": parent,
        "kind": kind,
        "name": name,
        "lat": round(lat, 6),
        "lon": round(lon, 6),
        "boundary": boundary,
        **more,
    }


def area_rows() -> list[Row]:
    """District, street, community, its grids and micro-grids; parents first."""
    outer = [point for column in range(3) for point in _along(column, 0, 0.0, 1.0)]
    outer += [_corner(3, 1)]
    outer += [point for column in (2, 1, 0) for point in _along(column, 2, 1.0, 0.0)]
    outer += [_corner(0, 1)]
    rows = [
        _area("LJ", None, "district", "柳江区", None),
        _area("LJ-HB", "LJ", "street", "河畔街道", None),
        _area("LJ-HB-LA", "LJ-HB", "community", "柳岸社区", _polygon(outer), households=sum(_HOUSEHOLDS)),
    ]
    for number in range(GRIDS):
        column, line = number % 3, 1 - number // 3
        grid = f"LA-G{number + 1}"
        rows.append(
            _area(
                grid,
                "LJ-HB-LA",
                "grid",
                f"第{number + 1}网格",
                _block(column, line),
                households=_HOUSEHOLDS[number],
            )
        )
        parts = MICRO_GRIDS[number]
        rows += [
            _area(
                f"{grid}-M{part + 1}",
                grid,
                "micro_grid",
                f"第{number + 1}网格{part + 1}号微网格",
                _block(column, line, part / parts, (part + 1) / parts),
                households=_HOUSEHOLDS[number] // parts,
            )
            for part in range(parts)
        ]
    return rows


def station_rows() -> list[Row]:
    """One care station, one canteen, one clinic."""
    lat, lon = LIUAN
    rows = (
        ("ST-CARE", "care_station", "柳岸居家养老服务站", 0.0006, -0.0012, "0553-5550101"),
        ("ST-MEAL", "meal_point", "柳岸社区食堂", -0.0008, 0.0009, "0553-5550102"),
        ("ST-CLINIC", "clinic", "柳岸社区卫生服务站", 0.0011, 0.0021, "0553-5550103"),
    )
    found: list[Row] = []
    for station_id, kind, name, up, right, phone in rows:
        found.append(
            {
                "id": station_id,
                "kind": kind,
                "name": name,
                "area_id": "LJ-HB-LA",
                "address": f"柳岸路{10 + len(found) * 8}号",
                "phone": phone,
                "lat": round(lat + up, 6),
                "lon": round(lon + right, 6),
            }
        )
    return found


def home_in(rng: random.Random, grid: int, building: int | None = None) -> tuple[float, float, str, int]:
    """(lat, lon, address, micro-grid) of a flat in a grid."""
    lat, lon = LIUAN
    column, line = (grid - 1) % 3, (grid - 1) // 3
    parts = MICRO_GRIDS[grid - 1]
    building = building or rng.randrange(1, 13)
    micro = (building - 1) * parts // 12
    west = lon - 0.009 + column * 0.006
    south = lat + 0.006 - (line + 1) * 0.006
    x = west + 0.006 * (building - 0.5) / 12
    y = south + 0.006 * (0.15 + 0.7 * rng.random())
    unit, floor, door = rng.randrange(1, 4), rng.randrange(1, 7), rng.randrange(1, 3)
    return round(y, 6), round(x, 6), f"柳岸新村{_ESTATE[grid - 1]} {building} 幢 {unit} 单元 {floor}0{door}", micro + 1
