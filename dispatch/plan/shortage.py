"""Who is missing: people, hours and places that would take the visits a plan leaves out.

Every answer is a day that could be worked as it is: somebody of the kind is put where such people begin, and takes what
is left out, one visit after the other, in time. Then the next one, until nobody more would help. It is what is enough,
not the fewest possible; the longer the search before, the less is left out for want of time instead of people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.plan.arrays import State
from dispatch.plan.day import Carer, Visit
from dispatch.plan.outcome import left_out
from dispatch.plan.translate import Translation

__all__ = ["Shortage", "Words", "shortages"]

Words = tuple[frozenset[str], ...]

_HELPED = frozenset({"no-room", "no-shift", "no-skill", "no-sex", "no-depot", "optional"})
"""Codes of reasons where somebody more would help: not who is refused, too far or too big."""
_LONGEST = 8 * 3600
_MOST = 500
"""Visits of one kind that are looked at: beyond, nobody reads whom else it would take."""
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class Shortage:
    """So many more `people` from `start` to `end` (seconds, whole quarters of an hour) would take `visits`.

    `words`: the skills, an entry a person of a visit; `depot_id`: where they work from, None: it does not matter.
    """

    words: Words
    sex: str | None
    depot_id: str | None
    start: int
    end: int
    people: int
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Worker:
    """Somebody who is not there: what they would take, from leaving to being back."""

    start: float
    end: float
    visits: tuple[int, ...]
    base: int


def shortages(
    made: Translation, state: State, words: Callable[[Visit], Words | None] = lambda visit: visit.skills
) -> list[Shortage]:
    """Who is missing, those who would take most visits each first. `words`: what is asked of somebody for a visit, one
    answer for all visits that the same people may do; None: nobody new may do it."""
    number = {visit.id: v for v, visit in enumerate(made.day.visits)}
    kinds: dict[tuple[Words, str | None, str | None], list[int]] = {}
    for visit, code, _ in left_out(made, state):
        asked = words(visit)
        if code not in _HELPED or asked is None or (visit.carers == 2 and visit.sync == "precedence"):
            continue
        kinds.setdefault((asked, visit.required_sex, visit.depot_id), []).append(number[visit.id])
    found: list[Shortage] = []
    for (who, sex, depot_id), visits in kinds.items():
        staffing = _Staffing(made, who, depot_id, visits)
        found += [
            Shortage(
                who,
                sex,
                depot_id or staffing.depots.get(group[0].base),
                int(min(one.start for one in group) // _QUARTER) * _QUARTER,
                -int(-max(one.end for one in group) // _QUARTER) * _QUARTER,
                len(group) * len(who),
                tuple(made.day.visits[v].id for one in group for v in one.visits),
            )
            for group in _together(staffing.workers(visits[:_MOST]), apart=bool(staffing.depots))
        ]
    return sorted(found, key=lambda one: (-len(one.visits) / one.people, one.start, str(one.depot_id)))


class _Staffing:
    """Puts people of one kind to work, who are as those on duty are."""

    def __init__(self, made: Translation, asked: Words, depot_id: str | None, visits: Sequence[int]) -> None:
        self.made = made
        self.day = made.day
        like = _like(made.day.carers, asked, depot_id)
        self.bases = sorted({one.depot for one in like})
        # Meals are no good from elsewhere: where people carry what gets cold, it matters which kitchen has too few.
        cold = any(self.day.visits[v].deliver_within is not None for v in visits)
        self.depots = {one.depot: one.depot_id for one in like if cold and one.depot_id is not None}
        self.pace = float(np.median([one.pace for one in like])) if like else 1.0
        self.extra = float(np.median([one.extra for one in like])) if like else 0.0
        loads = [one.capacity for one in like if one.capacity is not None]
        self.capacity = float(np.median(loads)) if loads else float("inf")
        self.trips = int(np.median([one.max_trips for one in like])) if like else 1

    def workers(self, visits: Sequence[int]) -> list[_Worker]:
        """People who take all of the visits, as far as a fresh one could take each."""
        left = sorted(visits, key=lambda v: (self.day.visits[v].window, v))
        found = []
        while left:
            one = self._worker(left)
            if one.visits:
                found.append(one)
            taken = {left[0], *one.visits}  # the first one goes also where nobody could: it is not asked again
            left = [v for v in left if v not in taken]
        return found

    def _way(self, start: int, ends: NDArray[np.intp]) -> NDArray[np.float64]:
        way: NDArray[np.float64] = np.ceil(self.day.travel[start, ends] * self.pace + self.extra)
        way[ends == start] = 0.0
        return way

    def _worker(self, left: Sequence[int]) -> _Worker:
        rows = [self.day.visits[v] for v in left]
        place = np.array([row.place for row in rows], np.intp)
        opens, closes = (np.array([row.window[k] for row in rows], np.float64) for k in (0, 1))
        stay = np.array([max(row.seconds) for row in rows], np.float64)
        load = np.array([row.load for row in rows], np.float64)
        fresh = np.array([np.inf if row.deliver_within is None else row.deliver_within for row in rows])
        seed = int(place[0])
        base = min(self.bases, key=lambda one: float(self.day.travel[one, seed]), default=seed)
        home = np.array([self._way(int(one), np.array([base], np.intp))[0] for one in place])
        begun = max(0.0, float(opens[0] - self._way(base, place[:1])[0]))
        if self.day.now is not None:
            begun = max(begun, float(self.day.now))
        here, free, departed, carried, trips = base, begun, begun, 0.0, 1
        end, open_ = begun, np.ones(len(left), bool)
        taken: list[int] = []
        while True:
            start = np.maximum(free + self._way(here, place), opens)
            fits = open_ & (start <= closes) & (start - departed <= fresh) & (carried + load <= self.capacity)
            fits &= start + stay + home - begun <= _LONGEST
            if not taken:
                fits[1:] = False  # begins with the one it is there for
            if not fits.any():
                if here == base or trips >= self.trips or not taken:
                    break
                free += float(self._way(here, np.array([base], np.intp))[0]) + self.day.reload
                here, departed, carried, trips = base, free, 0.0, trips + 1
                continue
            pick = int(np.where(fits, start, np.inf).argmin())
            taken.append(pick)
            open_[pick] = False
            free, here = float(start[pick] + stay[pick]), int(place[pick])
            carried += float(load[pick])
            end = free + float(home[pick])
        return _Worker(begun, end, tuple(left[at] for at in taken), base)


def _like(carers: Sequence[Carer], asked: Words, depot_id: str | None) -> list[Carer]:
    """Whom a new one would be like: who may do it and works there, else who works there, else who may, else all."""
    able = [one for one in carers if asked and asked[0] <= one.skills]
    there = [one for one in carers if depot_id is not None and one.depot_id == depot_id]
    both = [one for one in able if depot_id is None or one.depot_id == depot_id]
    return both or there or able or list(carers)


def _together(workers: Sequence[_Worker], *, apart: bool) -> list[list[_Worker]]:
    """Those whose hours are much the same; `apart`: and who work from the same place."""
    found: list[list[_Worker]] = []
    for one in sorted(workers, key=lambda each: (each.start, each.end)):
        for group in found:
            first = group[0]
            shared = min(first.end, one.end) - max(first.start, one.start)
            if (first.base == one.base or not apart) and shared >= 0.5 * max(
                first.end - first.start, one.end - one.start
            ):
                group.append(one)
                break
        else:
            found.append([one])
    return found
