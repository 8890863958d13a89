"""How long the ways of a day are, all at once: as the crow flies, corrected by roads, around what is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Closure", "Tables", "Ways", "closed", "closed_for_a_while", "crosses", "estimated", "table"]

_EARTH_RADIUS_M = 6_371_008.8
_NEVER = 10**9
Floats = NDArray[np.float64]
CLOSED_FACTOR = 2.5
CLOSED_SECONDS = 240.0
"""What a way through a closed road takes longer: a detour nobody can reckon without the network, so a cautious one."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A ring [(lat, lon), …] that cannot be crossed, or, without one, all ways `factor` times as long.

    `since` and `until` are seconds of the day; None: it is so by now, and so to the end of the day.
    """

    ring: tuple[tuple[float, float], ...] = ()
    factor: float = CLOSED_FACTOR
    since: int | None = None
    until: int | None = None

    @property
    def for_a_while(self) -> bool:
        """Whether there is a time of this plan at which ways are as they always are."""
        return self.since is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Ways:
    """What a table is made of. `places` (lat, lon); whoever goes at `speed_mps` on ways `circuity` times the crow's.

    `known`: (from, to, seconds) by a road network. What was not asked there is corrected by how much longer, on the
    whole, the asked ways are than their estimates.
    """

    places: tuple[tuple[float, float], ...]
    speed_mps: float
    circuity: float
    known: tuple[tuple[int, int, float], ...] = ()
    closures: tuple[Closure, ...] = field(default=())


def estimated(
    starts: Sequence[tuple[float, float]], ends: Sequence[tuple[float, float]], speed_mps: float, circuity: float
) -> Floats:
    """(S, E) seconds as the crow flies."""
    lat, lon = _radians(starts)
    to_lat, to_lon = _radians(ends)
    half = np.sin((lat[:, None] - to_lat) / 2) ** 2
    half += np.cos(lat)[:, None] * np.cos(to_lat) * np.sin((lon[:, None] - to_lon) / 2) ** 2
    np.minimum(half, 1.0, out=half)
    np.sqrt(half, out=half)
    np.arcsin(half, out=half)
    half *= 2 * _EARTH_RADIUS_M * circuity / speed_mps
    found: Floats = half
    return found


def _radians(places: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    at = np.radians(np.array(places, np.float64).reshape(-1, 2))
    return at[:, 0], at[:, 1]


def table(ways: Ways) -> Floats:
    """(L, L) seconds, whole, 0 on the diagonal."""
    found = estimated(ways.places, ways.places, ways.speed_mps, ways.circuity)
    if ways.known:
        starts, ends = (np.array([one[k] for one in ways.known], np.intp) for k in (0, 1))
        seconds = np.array([one[2] for one in ways.known], np.float64)
        guess = found[starts, ends]
        sure = guess > 30.0
        if sure.any():
            found *= float(np.median(seconds[sure] / guess[sure]))
        found[starts, ends] = seconds
    np.ceil(found, out=found)
    np.fill_diagonal(found, 0.0)
    return closed(found, ways)


def closed(found: Floats, ways: Ways) -> Floats:
    """The table around what is closed all the time; where nothing is, the very same."""
    return _around(found, ways, [one for one in ways.closures if not one.for_a_while])


def closed_for_a_while(found: Floats, ways: Ways) -> tuple[Floats, tuple[int, int]] | None:
    """The table while roads are closed that are open at other times, made of the one that `closed` gives, and from when
    to when; None: there are none. Several count from the first one's beginning to the last one's end: too long rather
    than too short."""
    some = [one for one in ways.closures if one.for_a_while]
    if not some:
        return None
    since = min(0 if one.since is None else one.since for one in some)
    until = max(_NEVER if one.until is None else one.until for one in some)
    return _around(found, ways, some), (since, until)


def _around(found: Floats, ways: Ways, closures: Sequence[Closure]) -> Floats:
    if not closures:
        return found
    found = found.copy()
    for closure in closures:
        if not closure.ring:
            found *= closure.factor
            continue
        rows, columns = crosses(ways.places, closure.ring)
        found[rows, columns] = found[rows, columns] * closure.factor + CLOSED_SECONDS
    np.ceil(found, out=found)
    np.fill_diagonal(found, 0.0)
    return found


class Tables:
    """Tables of ways kept from one plan to the next: a new visit adds a row and a column, not a new table."""

    def __init__(self) -> None:
        self._at: dict[tuple[float, float], int] = {}
        self._pace = (0.0, 0.0)
        self._table: Floats = np.zeros((0, 0))

    def of(self, ways: Ways) -> Floats:
        """As `table`. What is given out must not be written to."""
        if ways.known:
            return table(ways)  # what a road network said of other places changes the estimates of these
        new = [place for place in ways.places if place not in self._at]
        if self._pace != (ways.speed_mps, ways.circuity) or len(new) * 4 > len(self._at):
            self._pace = ways.speed_mps, ways.circuity
            self._at = {place: number for number, place in enumerate(ways.places)}
            self._table = table(replace(ways, closures=()))
        elif new:
            self._add(new)
        order = np.array([self._at[place] for place in ways.places], np.intp)
        whole = len(order) == len(self._table) and bool((order == np.arange(len(order))).all())
        return closed(self._table if whole else self._table[np.ix_(order, order)], ways)

    def _add(self, new: list[tuple[float, float]]) -> None:
        old = len(self._at)
        for place in new:
            self._at.setdefault(place, len(self._at))
        places = list(self._at)
        grown = np.empty((len(places), len(places)))
        grown[:old, :old] = self._table
        grown[old:, :] = estimated(places[old:], places, *self._pace)
        grown[:old, old:] = grown[old:, :old].T
        np.ceil(grown[old:, :], out=grown[old:, :])
        np.ceil(grown[:old, old:], out=grown[:old, old:])
        np.fill_diagonal(grown, 0.0)
        self._table = grown


def crosses(
    places: Sequence[tuple[float, float]], ring: Sequence[tuple[float, float]]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which straight ways between places meet the ring: one end inside, or an edge crossed. Rows and columns."""
    at = np.array(places, np.float64)
    corners = np.array(ring, np.float64)
    inside = _inside(at, corners)
    low, high = corners.min(axis=0), corners.max(axis=0)
    # Most ways are nowhere near it: those whose both ends lie on one outer side of its box.
    apart = np.zeros((len(at), len(at)), bool)
    for k in (0, 1):
        below, above = at[:, k] < low[k], at[:, k] > high[k]
        apart |= below[:, None] & below
        apart |= above[:, None] & above
    # Each way is looked at in one direction: from a point on the ring itself both must not be judged by a rounding.
    rows, columns = np.nonzero(np.triu(~apart, 1))
    one, other = at[rows], at[columns]
    met = inside[rows] | inside[columns]
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        met |= (_side(one, other, a) != _side(one, other, b)) & (_turn(a, b, one) != _turn(a, b, other))
    rows, columns = rows[met], columns[met]
    return np.concatenate((rows, columns)), np.concatenate((columns, rows))


def _side(one: Floats, other: Floats, point: Floats) -> NDArray[np.bool_]:
    """On which side of each line from one to the other a point lies."""
    found: NDArray[np.bool_] = (other[:, 0] - one[:, 0]) * (point[1] - one[:, 1]) > (other[:, 1] - one[:, 1]) * (
        point[0] - one[:, 0]
    )
    return found


def _turn(a: Floats, b: Floats, points: Floats) -> NDArray[np.bool_]:
    """On which side of the line a-b each point lies."""
    found: NDArray[np.bool_] = (b[0] - a[0]) * (points[:, 1] - a[1]) > (b[1] - a[1]) * (points[:, 0] - a[0])
    return found


def _inside(points: Floats, corners: Floats) -> NDArray[np.bool_]:
    """By the even-odd rule."""
    found = np.zeros(len(points), bool)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if a[0] == b[0]:
            continue
        between = (points[:, 0] < a[0]) != (points[:, 0] < b[0])
        edge = a[1] + (points[:, 0] - a[0]) * (b[1] - a[1]) / (b[0] - a[0])
        found ^= between & (points[:, 1] < edge)
    return found
