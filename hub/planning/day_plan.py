"""Plans a day and writes it down: routes, what was left out and why, what it costs, what changed against the plan
before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model, State
from dispatch.plan.day import Day, Stop
from dispatch.plan.explain import Explanation, reasons
from dispatch.plan.later import later
from dispatch.plan.modelling import fill_near
from dispatch.plan.outcome import Route, conflicts, costs, left_out, routes
from dispatch.plan.search import Plan, empty_plan
from dispatch.plan.shortage import Shortage, shortages
from dispatch.plan.solve import first_plan, laid_out
from dispatch.plan.translate import Translation, translate
from hub.planning.day_file import Problem
from hub.planning.running import Progress, solve

__all__ = ["SOLVER", "Planned", "explanation_shown", "plan_day", "shown"]

SOLVER = "care-hub: annealing over one global order"
RESERVE_SECONDS = 600.0
"""A visit that is later to spare a wait stays so long before the end of its window: days do not run like clockwork."""
URGENT = 3.0
"""From this priority on (high) a visit is as early as it can be."""
REPLAN_HEAT = 0.3
"""A plan that mostly stands is not shaken as much as a new one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A day's plan, laid out."""

    made: Translation
    plan: Plan
    state: State
    cost: float
    baseline: dict[str, float]
    moves: int
    stopped: bool
    kept: bool
    """Nothing had changed against the plan before, so nothing was changed."""


def plan_day(
    day: Day,
    *,
    until: float,
    seed: int,
    threads: int,
    progress: Progress | None = None,
    baseline: bool = True,
    stopping: Callable[[], bool] = lambda: False,
) -> Planned:
    """Plans until `until` on `hub.clock.monotonic`; with a plan before, changes it only where something happened."""
    made = translate(day)
    model = made.model
    nearest: dict[str, float] = {}
    if baseline:
        alone, _ = first_plan(model, _frozen_only(made.start(), model), nearest=True)
        nearest = costs(*_timed(made, alone))
    plan = made.start()
    state, cost = laid_out(model, plan)
    disturbed = _disturbed(made, state)
    if day.before is not None and not disturbed.size:
        return Planned(made, plan, state, cost, nearest, 0, False, True)
    if day.before is not None:
        model = model._replace(free=_around(model, disturbed))
    start, _ = first_plan(model, plan)
    found = solve(
        model,
        start,
        until=until,
        seed=seed,
        threads=threads,
        droppable=True,
        hot=REPLAN_HEAT if day.before is not None else None,
        progress=progress,
        stopping=stopping,
    )
    made, state, cost = _timed(made, found.plan)
    return Planned(made, found.plan, state, cost, nearest, found.moves, found.stopped, False)


def _timed(made: Translation, plan: Plan) -> tuple[Translation, State, float]:
    """The times of a plan. Who would wait on the road begins later; not where a plan stands: people know its times."""
    if made.day.before is not None:
        return made, *laid_out(made.model, plan)
    may = np.array([visit.priority < URGENT for visit in made.day.visits], bool)
    model, state, cost = later(made.model, plan, may, RESERVE_SECONDS)
    return replace(made, model=model), state, cost


def _frozen_only(plan: Plan, model: Model) -> Plan:
    alone = empty_plan(model.n)
    for v in np.flatnonzero(~np.isnan(model.op[::2, a.FIXED])):
        alone.unit[2 * v : 2 * v + 2] = plan.unit[2 * v : 2 * v + 2]
        alone.turn[v] = plan.turn[v]
    return alone


def _disturbed(made: Translation, state: State) -> Any:
    """Visits that the plan before does not settle: new, without their carer, or no longer at their time."""
    before: dict[str, list[int]] = {}
    for stops in (made.day.before or {}).values():
        for stop in stops:
            before.setdefault(stop.visit, []).append(stop.start)
    found = []
    for v, visit in enumerate(made.day.visits):
        if state.link[2 * v, a.UNIT] == a.ABSENT:
            moved = visit.id not in made.day.left_out_before
        else:
            starts = [float(state.node[x, a.TS]) for x in (2 * v, 2 * v + 1) if state.link[x, a.UNIT] >= 0]
            # Times may have gone out in minutes with decimals: a second is no change.
            moved = not all(any(abs(start - one) <= 1 for one in before.get(visit.id, ())) for start in starts)
        if moved:
            found.append(v)
    return np.array(found, np.int32)


def _around(model: Model, disturbed: Any) -> Any:
    """The disturbed visits and those near them, which may make room; nothing else is touched."""
    fill_near(model, disturbed)
    many = np.unique(np.concatenate([disturbed, model.near[disturbed].ravel()]))
    free = many[np.isin(many, model.free)].astype(np.int32)
    fill_near(model, free)
    return free


def shown(problem: Problem, planned: Planned, seconds: Callable[[], float]) -> dict[str, Any]:
    """The plan as JSON, times as they came in."""
    made, clock = planned.made, problem.clock.shown
    number = {visit.id: v for v, visit in enumerate(made.day.visits)}
    out_routes = routes(made, planned.state)

    def stop_shown(stop: Stop) -> dict[str, Any]:
        return {
            "visit": stop.visit,
            "arrive": clock(stop.arrive),
            "start": clock(stop.start),
            "leave": clock(stop.leave),
            **({"part": stop.part} if stop.part else {}),
            "why": reasons(made, planned.state, number[stop.visit]),
        }

    def route_shown(route: Route) -> dict[str, Any]:
        found: dict[str, Any] = {"responder": route.carer, "stops": [stop_shown(stop) for stop in route.stops]}
        if route.crew is not None:
            found["crew"] = route.crew
        if route.leave is not None and route.back is not None:
            found["leave"], found["back"] = clock(route.leave), clock(route.back)
        if route.breaks:
            found["breaks"] = [{"start": clock(one.start), "end": clock(one.end)} for one in route.breaks]
        if made.model.rules[a.DELIVERING] and route.trips:
            found["trips"] = [
                {"leave": clock(one.leave), "load": one.load, "visits": list(one.visits)} for one in route.trips
            ]
        return found

    found: dict[str, Any] = {
        "routes": [route_shown(route) for route in out_routes],
        "unplanned": [
            {"visit": visit.id, "reason": reason, "code": code} for visit, code, reason in left_out(made, planned.state)
        ],
        "missing": [_missing_shown(one, clock) for one in shortages(made, planned.state)],
        "conflicts": [{"visit": name, "reason": reason} for name, reason in conflicts(made, planned.state)],
        "cost": costs(made, planned.state, planned.cost),
        "baseline": planned.baseline,
        "seconds": round(seconds(), 2),
        "solver": SOLVER,
        "moves": planned.moves,
    }
    if made.day.before is not None:
        found["changes"] = _changes(made.day, out_routes, clock)
    return found


def _missing_shown(one: Shortage, clock: Callable[[int], Any]) -> dict[str, Any]:
    return {
        "people": one.people,
        "from": clock(one.start),
        "to": clock(one.end),
        "skills": [sorted(words) for words in one.words],
        **({"sex": one.sex} if one.sex is not None else {}),
        **({"depot": one.depot_id} if one.depot_id is not None else {}),
        "visits": list(one.visits),
    }


def _changes(day: Day, out_routes: list[Route], clock: Callable[[int], Any]) -> list[dict[str, Any]]:
    """What people must be told: visits with other carers or another start than in the plan before."""
    old: dict[str, list[tuple[str, int]]] = {}
    for carer, stops in (day.before or {}).items():
        for stop in stops:
            old.setdefault(stop.visit, []).append((carer, stop.start))
    new: dict[str, list[tuple[str, int]]] = {}
    for route in out_routes:
        for stop in route.stops:
            new.setdefault(stop.visit, []).append((route.carer, stop.start))

    def side(pairs: list[tuple[str, int]]) -> list[dict[str, Any]]:
        return [{"responder": carer, "start": clock(start)} for carer, start in sorted(pairs)]

    return [
        {"visit": visit, "before": side(old.get(visit, [])), "after": side(new.get(visit, []))}
        for visit in sorted({*old, *new})
        if sorted(old.get(visit, [])) != sorted(new.get(visit, []))
    ]


def explanation_shown(found: Explanation) -> dict[str, Any]:
    """Why this carer, as JSON."""
    return {
        "visit": found.visit,
        "responders": list(found.carers),
        "reasons": list(found.reasons),
        "alternatives": [
            {"responders": list(one.carers), "costs_more": one.more, "why": one.why} for one in found.alternatives
        ],
    }
