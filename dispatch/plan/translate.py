"""A day's values as arrays: crews become units, rules become tables of who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model
from dispatch.plan.day import Break, Carer, Day, Visit
from dispatch.plan.modelling import NEVER, make_model
from dispatch.plan.ordering import global_order
from dispatch.plan.search import Plan, empty_plan

__all__ = ["Translation", "translate", "units_of"]

MINUTE = 60.0


def units_of(carers: Sequence[Carer]) -> list[list[Carer]]:
    """Crews together, everybody else alone, in the order given."""
    units: dict[str, list[Carer]] = {}
    for carer in carers:
        units.setdefault(f"crew {carer.crew}" if carer.crew else f"carer {carer.id}", []).append(carer)
    return list(units.values())


@dataclass(frozen=True)
class Translation:
    """A day, its units, its arrays. Unit `r` of the arrays is `units[r]`, visit `v` is `day.visits[v]`."""

    day: Day
    units: list[list[Carer]]
    model: Model

    @cached_property
    def unit_of(self) -> dict[str, int]:
        """The unit each carer belongs to."""
        return {carer.id: r for r, unit in enumerate(self.units) for carer in unit}

    def start(self) -> Plan:
        """What is frozen, and what the plan before says of the rest, without what is impossible by now."""
        plan = empty_plan(self.model.n)
        ways: dict[int, list[tuple[float, int]]] = {}
        before: dict[str, list[tuple[int, int, str]]] = {}
        for carer, stops in (self.day.before or {}).items():
            for stop in stops:
                before.setdefault(stop.visit, []).append((stop.part, stop.start, carer))
        for v, visit in enumerate(self.day.visits):
            if visit.frozen is not None:
                pairs = list(zip(visit.frozen.starts, visit.frozen.carers, strict=True))
            else:
                pairs = self._ordered(v, visit, before.get(visit.id, []))
            if len(pairs) == visit.carers and all(carer in self.unit_of for _, carer in pairs):
                units = [self.unit_of[carer] for _, carer in pairs]
                together = len(units) == 2 and units[0] == units[1]
                if visit.frozen is None and not self._may(v, units, together):
                    continue
                plan.unit[2 * v] = units[0]
                if len(units) == 2:
                    plan.unit[2 * v + 1] = a.ALONG if together else units[1]
                for r, (start, _) in zip(units[:1] if together else units, pairs, strict=False):
                    ways.setdefault(r, []).append((start, v))
                plan.turn[v, a.WINDOW] = self.model.ids[v, a.WINDOWS] - 1
        for v, label in global_order([sorted(way) for way in ways.values()]):
            plan.turn[v, a.LABEL] = label
        return plan

    def _ordered(self, v: int, visit: Visit, found: list[tuple[int, int, str]]) -> list[tuple[int, str]]:
        """Who does the first operation, who the second: by part where it is known, else by start, else by skill."""
        pairs = [(start, carer) for _, start, carer in sorted(found)]
        if all(part for part, _, _ in found):
            return pairs
        if len(pairs) != 2 or (visit.sync == "precedence" and pairs[0][0] != pairs[1][0]):
            return pairs
        units = [self.unit_of.get(carer, -1) for _, carer in pairs]
        if -1 not in units and units[0] != units[1] and not self._may(v, units, False):
            pairs.reverse()
        return pairs

    def _may(self, v: int, units: list[int], together: bool) -> bool:
        fit = self.model.fit
        if together:
            return bool(np.isfinite(fit[2 * self.model.n + v, units[0]]))
        return all(np.isfinite(fit[2 * v + k, r]) for k, r in enumerate(units))


def _able(carer: Carer, visit: Visit, k: int) -> bool:
    return visit.skills[k] <= carer.skills and visit.required_sex in (None, carer.sex)


def _team(unit: Sequence[Carer], visit: Visit) -> bool:
    """Whether two people of one crew can do both parts of a visit at once."""
    return visit.sync == "simultaneous" and any(
        _able(one, visit, 0) and _able(other, visit, 1) for one, other in permutations(unit, 2)
    )


class _Able:
    """Who is able to what, as masks over all carers: districts have thousands of visits, and somebody waits."""

    def __init__(self, units: list[list[Carer]], unit_of: dict[str, int]) -> None:
        carers = [carer for unit in units for carer in unit]
        self._carers, self._units, self._r = carers, units, len(units)
        self._unit = np.array([unit_of[carer.id] for carer in carers], np.intp)
        self._skill: dict[str, NDArray[np.bool_]] = {}
        self._sex = {sex: np.array([carer.sex == sex for carer in carers], bool) for sex in {c.sex for c in carers}}
        self._depots = np.array([unit[0].depot_id for unit in units], object)
        self._teams = [r for r, unit in enumerate(units) if len(unit) > 1]

    def units(self, visit: Visit, k: int) -> NDArray[np.float64]:
        """(r,): 0 for the units that may do part `k` of a visit (2: both parts at once), inf for the others."""
        row = np.full(self._r, np.inf)
        if k == 2:
            row[[r for r in self._teams if _team(self._units[r], visit)]] = 0.0
        else:
            able = np.ones(len(self._carers), bool)
            for skill in visit.skills[k]:
                able &= self._having(skill)
            if visit.required_sex is not None:
                able &= self._sex.get(visit.required_sex, np.zeros(len(able), bool))
            row[self._unit[able]] = 0.0
        if visit.depot_id is not None:
            row[self._depots != visit.depot_id] = np.inf
        return row

    def _having(self, skill: str) -> NDArray[np.bool_]:
        if skill not in self._skill:
            self._skill[skill] = np.array([skill in carer.skills for carer in self._carers], bool)
        return self._skill[skill]


def _fits(day: Day, units: list[list[Carer]], unit_of: dict[str, int]) -> NDArray[np.float64]:
    """(3n, r): 0, or inf where a hard rule forbids it; preferences come on top."""
    n, r = len(day.visits), len(units)
    fit = np.full((3 * n, r), np.inf)
    able = _Able(units, unit_of)
    rows: dict[tuple[object, ...], NDArray[np.float64]] = {}
    for v, visit in enumerate(day.visits):
        for k in range(visit.carers + (visit.carers == 2)):
            what = (visit.skills, visit.sync) if k == 2 else (visit.skills[k],)
            kind = (k == 2, *what, visit.required_sex, visit.depot_id)
            if kind not in rows:
                rows[kind] = able.units(visit, k)
            row = 2 * n + v if k == 2 else 2 * v + k
            fit[row] = rows[kind]
            for carer in visit.avoid:
                if carer in unit_of:
                    fit[row, unit_of[carer]] = np.inf
    return fit


def _wishes(day: Day, unit_of: dict[str, int], fit: NDArray[np.float64]) -> None:
    """Adds what it costs that somebody else comes: than the regular carer, than planned before. Frozen is always
    allowed."""
    n, weights = len(day.visits), day.objective
    before: dict[str, set[int]] = {}
    for carer, stops in (day.before or {}).items():
        for stop in stops:
            if carer in unit_of:
                before.setdefault(stop.visit, set()).add(unit_of[carer])
    for v, visit in enumerate(day.visits):
        rows = [2 * v, 2 * v + 1, 2 * n + v][: 3 if visit.carers == 2 else 1]
        for row in rows:
            share = 2.0 if row >= 2 * n else 1.0
            if visit.prefer:
                liked = [unit_of[carer] for carer in visit.prefer if carer in unit_of]
                extra = np.full(fit.shape[1], weights.continuity * share)
                extra[liked] = 0.0
                fit[row] += extra
            if visit.id in before:
                extra = np.full(fit.shape[1], weights.change * share)
                extra[list(before[visit.id])] = 0.0
                fit[row] += extra
        if visit.frozen is not None:
            for k, carer in enumerate(visit.frozen.carers):
                for row in (2 * v + k, 2 * n + v):
                    if not np.isfinite(fit[row, unit_of[carer]]):
                        fit[row, unit_of[carer]] = 0.0


def _joined(unit: list[Carer]) -> Carer:
    """A crew as one: the shift they share, everybody's breaks within it, the smallest capacity, the least overtime."""
    first = unit[0]
    caps = [carer.capacity for carer in unit if carer.capacity is not None]
    shift = max(carer.shift[0] for carer in unit), min(carer.shift[1] for carer in unit)
    breaks = {cut for carer in unit for one in carer.breaks if (cut := _within(one, shift)) is not None}
    return replace(
        first,
        shift=shift,
        breaks=tuple(sorted(breaks, key=lambda one: (one.latest - one.seconds, one.earliest))),
        capacity=min(caps) if caps else None,
        overtime=min(carer.overtime for carer in unit),
        max_trips=min(carer.max_trips for carer in unit),
    )


def _within(one: Break, shift: tuple[int, int]) -> Break | None:
    """What of a break falls into the shift; None if it is over before, or begins after."""
    earliest = max(one.earliest, shift[0])
    seconds = min(one.seconds, one.latest - earliest)
    if seconds <= 0 or earliest >= shift[1]:
        return None
    return Break(earliest, one.latest, seconds)


def _past(one: Break, now: int | None) -> bool:
    """Whether it is too late to begin this break: it was taken, or was not; the rest of the day goes on either way."""
    return now is not None and one.latest - one.seconds < now


def translate(day: Day) -> Translation:
    """The day as arrays."""
    units = units_of(day.carers)
    joined = [_joined(unit) for unit in units]
    unit_of = {carer.id: r for r, unit in enumerate(units) for carer in unit}
    n, weights = len(day.visits), day.objective
    fit = _fits(day, units, unit_of)
    _wishes(day, unit_of, fit)
    span, fixed = np.zeros(2 * n), np.full(2 * n, np.nan)
    want = np.full(n, np.nan)
    drop = np.zeros(n)
    before = {stop.visit: stop.start for stops in (day.before or {}).values() for stop in stops}
    for v, visit in enumerate(day.visits):
        span[2 * v : 2 * v + visit.carers] = visit.seconds
        if visit.frozen is not None:
            fixed[2 * v : 2 * v + visit.carers] = visit.frozen.starts
        if visit.id in before:
            want[v] = before[visit.id]
        elif visit.preferred_start is not None and day.before is None:
            want[v] = visit.preferred_start
        price = weights.unplanned_mandatory if visit.mandatory else weights.unplanned
        drop[v] = price * (1.0 + max(0.0, visit.priority))
    delivering = any(visit.deliver_within is not None for visit in day.visits) or any(
        one.capacity is not None for one in joined
    )
    work = float(span.sum())
    shut = day.shut if day.shut is not None and day.travel_shut is not None else (-NEVER, -NEVER)
    model = make_model(
        dist=day.travel,
        shut=day.travel_shut,
        ids={
            a.PLACE: [visit.place for visit in day.visits],
            a.OPS: [visit.carers for visit in day.visits],
            a.SYNC: [_sync(visit) for visit in day.visits],
            a.WINDOWS: 1 if day.before is None else 2,
        },
        visit={
            a.GAP_LO: [visit.gap[0] for visit in day.visits],
            a.GAP_HI: [visit.gap[1] for visit in day.visits],
            a.DROP: drop,
            a.WANT: want,
            a.NEEDS: [visit.load for visit in day.visits],
            a.FRESH: [np.inf if visit.deliver_within is None else visit.deliver_within for visit in day.visits],
        },
        op={a.SPAN: span, a.FIXED: fixed},
        base={a.DEPART: [one.start for one in joined], a.ARRIVE: [one.end for one in joined]},
        crew={
            a.SHIFT_LO: [one.shift[0] for one in joined],
            a.SHIFT_HI: [one.shift[1] for one in joined],
            a.LIMIT: [one.shift[1] + one.overtime for one in joined],
            a.CAP: [np.inf if one.capacity is None else one.capacity for one in joined],
            a.MAX_TRIPS: [one.max_trips for one in joined],
            a.PACE: [one.pace for one in joined],
            a.EXTRA: [one.extra for one in joined],
        },
        win=_windows(day),
        fit=fit,
        breaks=[
            [(one.earliest, one.latest - one.seconds, one.seconds) for one in each.breaks if not _past(one, day.now)]
            for each in joined
        ],
        rules={
            a.W_TRAVEL: weights.travel / MINUTE,
            a.W_LATE: weights.late / MINUTE,
            a.W_WORST: weights.worst_late / MINUTE,
            a.W_WAIT: weights.waiting / MINUTE,
            a.W_OVER: weights.overtime / MINUTE,
            a.W_FAIR: weights.fairness / MINUTE,
            a.W_WANT: (weights.change_time if day.before is not None else weights.preferred_time) / MINUTE,
            a.FAIR: work / max(1, len(units)),
            a.BRK_ANYWHERE: 1,
            a.BRK_HARD: 1,
            a.DELIVERING: delivering,
            a.RELOAD: day.reload,
            a.NOW: -NEVER if day.now is None else day.now,
            a.LIMITED: 1,
            a.SHUT_FROM: shut[0],
            a.SHUT_UNTIL: shut[1],
        },
        # A plan around what happened touches few: their neighbours are found when it is known who they are.
        near=day.before is None,
    )
    return Translation(day, units, model)


def _windows(day: Day) -> NDArray[np.float64]:
    """(n, 1, 2): windows; (n, 2, 2) where a plan stands: the second is the same from the start that was told.

    So a visit can stay at its time though it could begin earlier by now, and one that has to move is free to.
    """
    windows = np.array([visit.window for visit in day.visits], np.float64).reshape(len(day.visits), 1, 2)
    if day.before is None:
        return windows
    told = windows.copy()
    starts: dict[str, int] = {}
    for stops in day.before.values():
        for stop in stops:
            starts[stop.visit] = min(stop.start, starts.get(stop.visit, stop.start))
    for v, visit in enumerate(day.visits):
        told[v, 0, a.OPENS] = max(visit.window[0], starts.get(visit.id, visit.window[0]))
    return np.concatenate((windows, told), axis=1)


def _sync(visit: Visit) -> int:
    if visit.carers == 1:
        return a.SEPARATE
    return a.TOGETHER if visit.sync == "simultaneous" else a.GAP
