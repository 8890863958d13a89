"""The search as a whole: a first plan, then annealing runs until the time is used up.

Anytime: the best plan so far is always whole.
The caller passes a clock and may look in, or stop, some ten times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.plan.arrays import (
    C_CROWDED,
    CLOSES,
    FIXED,
    LABEL,
    OPENS,
    PLACE,
    T_HARD,
    TOTALS,
    W_LATE,
    W_TRAVEL,
    Model,
    State,
    empty_state,
)
from dispatch.plan.search import ANNEAL, BUILD, FILL, NEAREST, Plan, empty_plan, renumber, work

__all__ = ["COLD", "HOT", "Found", "Watch", "first_plan", "laid_out", "search", "warmth"]

Watch = Callable[[float, float], bool]
"""Told the cost of the best plan so far and the share of the time used (0..1); False stops the search."""

NOTHING: NDArray[np.int64] = np.zeros(0, np.int64)
CHUNK_SECONDS = 0.05
HOT, COLD = 6.0, 0.05
"""Temperatures of a run's begin and end, in units of `warmth`."""
SHORT_SECONDS_PER_VISIT = 0.05
"""A run shorter than this begins cooler: there is no time to put in order again what great heat shakes up."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan, its cost, and how many moves were tried."""

    plan: Plan
    cost: float
    moves: int


def warmth(model: Model) -> float:
    """What a short detour costs: the unit in which temperatures are given, so that no kind of problem needs its own."""
    if model.n < 2:
        return 1.0
    some = model.free if model.free.size else np.arange(model.n)
    few = model.near[some, : min(10, model.near.shape[1])]
    places = model.ids[:, PLACE]
    legs = model.dist[places[some][:, None], places[few]]
    rate = max(model.rules[W_TRAVEL], 0.2 * model.rules[W_LATE], 1e-6)
    return float(max(legs.mean() * rate, 1e-6))


def laid_out(model: Model, plan: Plan, seed: int = 0) -> tuple[State, float]:
    """The times that follow from a plan, and its cost."""
    state = empty_state(model, seed)
    free = np.isnan(model.op[::2, FIXED])  # what is frozen has its place first
    order = np.lexsort((plan.turn[:, LABEL], free))
    cost = work(model, state, plan, order, BUILD, model.n, 0.0, 0.0, False)
    return state, cost


def first_plan(model: Model, start: Plan | None = None, *, nearest: bool = False) -> tuple[Plan, float]:
    """A plan made in one pass by the opening of the windows; what `start` already plans stays. `nearest`: the baseline,
    each visit to the unit with the shortest way."""
    plan = start or empty_plan(model.n)
    state, cost = laid_out(model, plan)
    order = np.lexsort((model.win[:, 0, CLOSES], model.win[:, 0, OPENS]))
    cost = work(model, state, plan, order, NEAREST if nearest else FILL, model.n, 0.0, 0.0, False)
    return plan, cost


def search(
    model: Model,
    start: Plan,
    *,
    seed: int,
    clock: Callable[[], float],
    until: float,
    droppable: bool,
    run_seconds: float,
    hot: float = HOT,
    cold: float = COLD,
    watch: Watch | None = None,
    most_moves: int | None = None,
) -> Found:
    """Annealing runs of about `run_seconds` each until `clock()` says `until`, or `most_moves` are done.

    Each run begins with the start, the last with the best. With `most_moves` the result depends on the seed alone.
    """
    begun = clock()
    best, best_cost, moves = _copy(start), laid_out(model, start)[1], 0
    if model.free.shape[0] == 0 or model.r == 0:
        return Found(best, best_cost, 0)
    unit = warmth(model)
    runs = max(1, round((until - begun) / max(run_seconds, 1e-3))) if most_moves is None else 1
    if most_moves is None:
        hot = max(min(hot, 0.3), hot * min(1.0, (until - begun) / runs / (SHORT_SECONDS_PER_VISIT * model.n)))
    chunk = 500
    for run in range(runs):
        base = best if run == runs - 1 and run > 0 else start
        top = hot * unit * (0.3 if run == runs - 1 and run > 0 else 1.0)
        state, cost = laid_out(model, base, seed * 1_000_003 + run)
        renumber(model, state)
        plan = _copy(base)
        plan_cost = cost
        starts, ends = clock(), begun + (until - begun) * (run + 1) / runs
        while True:
            now = clock()
            share = moves / most_moves if most_moves is not None else (now - starts) / max(ends - starts, 1e-9)
            if share >= 1.0:
                break
            heat = top * (cold * unit / top) ** share
            tries = chunk if most_moves is None else min(2000, most_moves - moves)
            plan_cost = work(model, state, plan, NOTHING, ANNEAL, tries, heat, plan_cost, droppable)
            moves += tries
            if state.counts[C_CROWDED] or moves % 16 == 0 or tries > 5000:
                renumber(model, state)
            took = clock() - now
            if most_moves is None and took > 0:
                chunk = int(min(max(chunk * CHUNK_SECONDS / took, chunk / 4, 100), chunk * 4, 200_000))
            spent = (clock() - begun) / max(until - begun, 1e-9) if most_moves is None else moves / most_moves
            if watch is not None and not watch(min(best_cost, plan_cost), min(1.0, spent)):
                return Found(*_better(best, best_cost, plan, plan_cost), moves)
        best, best_cost = _better(best, best_cost, plan, plan_cost)
    return Found(best, best_cost, moves)


def broken(state: State) -> float:
    """How much of the hard rules a laid-out plan breaks, in all."""
    totals: NDArray[np.float64] = state.totals
    assert totals.shape == (TOTALS,)
    return float(totals[T_HARD])


def _copy(plan: Plan) -> Plan:
    return Plan(plan.unit.copy(), plan.turn.copy())


def _better(one: Plan, one_cost: float, other: Plan, other_cost: float) -> tuple[Plan, float]:
    return (other, other_cost) if other_cost < one_cost else (one, one_cost)
