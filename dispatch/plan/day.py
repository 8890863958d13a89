"""A day to plan, as values: who works when, who needs what when. Times are whole seconds after the day's midnight.

Hard: skills, shift, breaks, required sex, never this carer, the opening of the window, both carers, the gap between
them, capacity, freshness, what is frozen. Soft, and weighed in `Objective`: everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Break", "Carer", "Day", "Objective", "Promise", "Stop", "Visit"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a minute, or one case, costs. Travel is the measure: one minute of it costs 1."""

    travel: float = 1.0
    late: float = 2.0
    worst_late: float = 0.0
    waiting: float = 0.2
    overtime: float = 3.0
    continuity: float = 15.0
    preferred_time: float = 0.1
    fairness: float = 0.05
    unplanned: float = 240.0
    unplanned_mandatory: float = 10_000.0
    change: float = 60.0
    """Another carer than in the plan before, for each visit."""
    change_time: float = 0.5
    """A minute away from the start in the plan before."""


@dataclass(frozen=True, slots=True)
class Break:
    """A pause of `seconds` within [earliest, latest end]."""

    earliest: int
    latest: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Carer:
    """One person at work. Carers of one `crew` share a vehicle and stay together. `start`, `end` and `depot` are
    places."""

    id: str
    shift: tuple[int, int]
    skills: frozenset[str] = frozenset()
    sex: str | None = None
    breaks: tuple[Break, ...] = ()
    start: int = 0
    end: int = 0
    depot: int = 0
    depot_id: str | None = None
    crew: str | None = None
    capacity: float | None = None
    max_trips: int = 1
    overtime: int = 0
    """Seconds after the shift's end by which this carer may be home later."""
    pace: float = 1.0
    extra: int = 0
    """A way takes this carer `pace` times what `travel` says and `extra` seconds, rounded up; to where one is: none."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is frozen: these carers, these starts (one a carer)."""

    carers: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; `skills` has an entry a carer. `gap` bounds the time between the two starts of a precedence."""

    id: str
    place: int
    skills: tuple[frozenset[str], ...]
    seconds: tuple[int, ...]
    window: tuple[int, int]
    sync: Literal["simultaneous", "precedence"] = "simultaneous"
    gap: tuple[int, int] = (0, 10**9)
    prefer: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    required_sex: str | None = None
    priority: float = 0.0
    mandatory: bool = True
    deliver_within: int | None = None
    load: float = 1.0
    depot_id: str | None = None
    preferred_start: int | None = None
    frozen: Promise | None = None

    @property
    def carers(self) -> int:
        """How many people it takes."""
        return len(self.skills)


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit on a carer's route; `part` 1 or 2 is the entry of its skills this carer is there for, 0: not known."""

    visit: str
    arrive: int
    start: int
    leave: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """The problem. `travel` (L, L) in seconds; `before` the plan so far: carer to stops, with the visits it left
    out."""

    carers: Sequence[Carer]
    visits: Sequence[Visit]
    travel: NDArray[np.float64]
    objective: Objective = field(default_factory=Objective)
    reload: int = 0
    now: int | None = None
    shut: tuple[int, int] | None = None
    """From when to when roads are closed for a while; ways then take what `travel_shut` (L, L) says, in seconds."""
    travel_shut: NDArray[np.float64] | None = None
    before: Mapping[str, Sequence[Stop]] | None = None
    left_out_before: frozenset[str] = frozenset()
