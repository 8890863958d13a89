"""What goes to the planner's process and what comes back. Plain values: importing this brings no compiler along."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatch.plan.day import Day, Stop
from hub.planning.ways import Ways

__all__ = ["DayAnswer", "DayAsk", "DayMissing", "DayRoute"]


@dataclass(frozen=True, slots=True)
class DayAsk:
    """A day to plan; the table of its ways is made over there from `ways` and kept for the next time.

    `seconds`: for the search alone. `baseline`: whether the nearest-carer plan is wanted beside it.
    """

    day: Day
    ways: Ways
    seconds: float
    seed: int = 1
    threads: int = 2
    baseline: bool = True


@dataclass(frozen=True, slots=True)
class DayRoute:
    """One carer's day, in seconds after midnight. `trips`: (leave, load, visits)."""

    carer: str
    crew: str | None
    leave: int
    back: int
    stops: tuple[Stop, ...]
    breaks: tuple[tuple[int, int], ...] = ()
    trips: tuple[tuple[int, float, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class DayMissing:
    """So many more people of one kind, of a sex, from a depot (None: any), would take visits that were left out."""

    sex: str | None
    depot_id: str | None
    start: int
    end: int
    people: int
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A plan. `unplanned`: visit and code of the reason; `conflicts`: frozen visits that break a rule, by minutes;
    `missing`: who would take what is left out."""

    routes: tuple[DayRoute, ...]
    unplanned: tuple[tuple[str, str], ...]
    conflicts: tuple[tuple[str, str], ...]
    cost: dict[str, float]
    baseline: dict[str, float] = field(default_factory=dict)
    moves: int = 0
    stopped: bool = False
    kept: bool = False
    missing: tuple[DayMissing, ...] = ()
