"""Simulated annealing over the global order and the units, a chunk of moves at a time.

A chunk runs without the interpreter; between chunks the caller looks at the clock, shows progress and may stop.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.plan.arrays import (
    ABSENT,
    ALONG,
    C_CROWDED,
    C_TOUCHED,
    CLOSES,
    DEPART,
    FIXED,
    LABEL,
    LIMIT,
    LIMITED,
    NEXT,
    OPENS,
    OPS,
    PLACE,
    PREV,
    SHIFT_LO,
    SPAN,
    T_HARD,
    TE,
    TS,
    TURN_COLUMNS,
    TWIN,
    UNIT,
    WINDOW,
    WINDOWS,
    Model,
    State,
)
from dispatch.plan.compiled import compiled, woven
from dispatch.plan.decode import way
from dispatch.plan.moves import attach, begin, detach, node_before, rand, relabel, take_back, uniform
from dispatch.plan.settle import close_route, cost, recount, settle_all

__all__ = ["ANNEAL", "BUILD", "FILL", "NEAREST", "Plan", "empty_plan", "renumber", "work"]


ANNEAL, BUILD, FILL, NEAREST = range(4)
"""Tasks of `work`."""


def renumber(model: Model, state: State) -> None:
    """Spreads the labels along the day again: the order stays, the numbers follow the starts as closely as they can."""
    n = model.n
    order = np.argsort(state.turn[:, LABEL], kind="stable")
    units = state.link[: 2 * n, UNIT].reshape(n, 2)
    starts = np.where(units >= 0, state.node[:, TS].reshape(n, 2), np.inf).min(axis=1)[order]
    floor = np.minimum.accumulate(starts[::-1])[::-1]
    # Absent visits at the very end follow the last one that is planned.
    floor = np.where(np.isfinite(floor), floor, -1e9)
    steps = np.arange(n) * 1e-3
    state.turn[order, LABEL] = np.maximum.accumulate(floor - steps) + steps
    state.counts[C_CROWDED] = 0


class Plan(NamedTuple):
    """All that a plan decides; times follow from it."""

    unit: NDArray[np.int32]  # (2n,)
    turn: NDArray[np.float64]  # (n, TURN_COLUMNS)


def empty_plan(n: int) -> Plan:
    """Nobody does anything."""
    return Plan(np.full(2 * n, ABSENT, np.int32), np.zeros((n, TURN_COLUMNS)))


@woven
def _keep(state: State, plan: Plan) -> None:
    for v in range(plan.turn.shape[0]):
        plan.unit[2 * v] = state.link[2 * v, UNIT]
        plan.unit[2 * v + 1] = state.link[2 * v + 1, UNIT]
        plan.turn[v, LABEL] = state.turn[v, LABEL]
        plan.turn[v, WINDOW] = state.turn[v, WINDOW]


@woven
def _label_between(model: Model, state: State, p: int, guess: float) -> float:
    """A label for what comes behind node `p`; nan where there is no room left between the neighbours."""
    n2 = 2 * model.n
    behind = state.link[p, NEXT]
    low = state.turn[p >> 1, LABEL] if p < n2 else -np.inf
    high = state.turn[behind >> 1, LABEL] if behind < n2 else np.inf
    guess += uniform(state) * 0.5
    if low < guess < high:
        return guess
    if high == np.inf:
        return low + 0.01 + uniform(state)
    if low == -np.inf:
        return high - 0.01 - uniform(state)
    if high - low < 1e-9:
        state.counts[C_CROWDED] = 1
        return np.nan
    return low + (high - low) * (0.05 + 0.9 * uniform(state))


@woven
def _any_unit(model: Model, state: State, x: int) -> int:
    first = model.can_at[x]
    many = model.can_at[x + 1] - first
    if many == 0:
        return ABSENT
    return int(model.can[first + rand(state, many)])


@woven
def _guess(model: Model, state: State, p: int, r: int, v: int, window: int) -> float:
    """When a visit behind node `p` would start."""
    if p < 2 * model.n:
        ready = state.node[p, TE] + way(model, r, model.ids[p >> 1, PLACE], model.ids[v, PLACE])
    else:
        ready = model.crew[r, SHIFT_LO] + way(model, r, model.base[r, DEPART], model.ids[v, PLACE])
    return float(max(ready, model.win[v, window, OPENS]))


@woven
def _beside(model: Model, state: State, x: int) -> int:
    """A node behind which operation `x` may well go: at a near visit of a unit that may do it; -1: none found."""
    v = x >> 1
    many = model.near.shape[1]
    for _ in range(6):
        share = uniform(state)
        u = model.near[v, int(share * share * many)]
        y = 2 * u + (rand(state, 2) if model.ids[u, OPS] == 2 else 0)
        r = state.link[y, UNIT]
        if r == ALONG:
            y -= 1
            r = state.link[y, UNIT]
        if r >= 0 and u != v and model.fit[x, r] < np.inf:
            return int(y if uniform(state) < 0.5 else state.link[y, PREV])
    return -1


@woven
def _relocate(model: Model, state: State, v: int) -> bool:
    """Somewhere else: beside a near visit, or at some time with some unit; a second carer is kept or drawn."""
    x, y = 2 * v, 2 * v + 1
    old1, old2 = state.link[x, UNIT], state.link[y, UNIT]
    if old1 != ABSENT:
        detach(model, state, v)
    lead = x
    if model.ids[v, OPS] == 2 and uniform(state) < 0.5:
        lead = y
    window = rand(state, model.ids[v, WINDOWS]) if model.ids[v, WINDOWS] > 1 else 0
    p = _beside(model, state, lead) if uniform(state) < 0.8 else -1
    if p >= 0:
        r = state.link[p, UNIT] if p < 2 * model.n else p - 2 * model.n
    else:
        r = old1 if lead == x else old2
        if r < 0 or uniform(state) < 0.7:
            r = _any_unit(model, state, lead)
        if r < 0:
            return False
        p = node_before(model, state, r, model.win[v, window, OPENS] + uniform(state) * 120.0 - 30.0)
    label = _label_between(model, state, p, _guess(model, state, p, r, v, window))
    if np.isnan(label):
        return False
    relabel(state, v, label, window)
    other = x + y - lead
    r2 = old2 if lead == x else old1
    if model.ids[v, OPS] == 1 or (model.fit[2 * model.n + v, r] < np.inf and uniform(state) < 0.7):
        attach(model, state, v, r, p, ALONG, 0)
        return True
    if r2 < 0 or r2 == r or uniform(state) < 0.5:
        q = _beside(model, state, other) if uniform(state) < 0.5 else -1
        r2 = _any_unit(model, state, other) if q < 0 else state.link[q, UNIT]
        if q >= 2 * model.n:
            r2 = q - 2 * model.n
    if r2 < 0 or r2 == r:
        return False
    q = node_before(model, state, r2, label)
    if lead == y:
        r, p, r2, q = r2, q, r, p
    attach(model, state, v, r, p, r2, q)
    return True


@woven
def _swap(model: Model, state: State, v: int) -> bool:
    """Two near visits exchange a carer, and mostly their turns."""
    share = uniform(state)
    u = model.near[v, int(share * share * model.near.shape[1])]
    x, y = 2 * v, 2 * u
    if u == v or state.link[x, UNIT] == ABSENT or state.link[y, UNIT] == ABSENT or not np.isnan(model.op[y, FIXED]):
        return False
    if state.link[x + 1, UNIT] == ALONG or state.link[y + 1, UNIT] == ALONG:
        return False
    i = rand(state, 2) if model.ids[v, OPS] == 2 else 0
    j = rand(state, 2) if model.ids[u, OPS] == 2 else 0
    a, b = state.link[x + i, UNIT], state.link[y + j, UNIT]
    if model.fit[x + i, b] == np.inf or model.fit[y + j, a] == np.inf:
        return False
    v1, v2, u1, u2 = state.link[x, UNIT], state.link[x + 1, UNIT], state.link[y, UNIT], state.link[y + 1, UNIT]
    if i == 0:
        v1 = b
    else:
        v2 = b
    if j == 0:
        u1 = a
    else:
        u2 = a
    if v1 == v2 or u1 == u2:
        return False
    label_v, label_u = state.turn[v, LABEL], state.turn[u, LABEL]
    if uniform(state) < 0.7:
        label_v, label_u = label_u, label_v
    for w in (v, u):
        detach(model, state, w)
        relabel(state, w, label_v if w == v else label_u, state.turn[w, WINDOW])
    for w in (v, u):
        r1, r2 = (v1, v2) if w == v else (u1, u2)
        _by_label(model, state, w, r1, r2)
    return True


@woven
def _by_label(model: Model, state: State, v: int, r1: int, r2: int) -> None:
    label = state.turn[v, LABEL]
    p2 = node_before(model, state, r2, label) if r2 >= 0 else 0
    attach(model, state, v, r1, node_before(model, state, r1, label), r2, p2)


@woven
def _switch(model: Model, state: State, v: int) -> bool:
    """Another carer at the same turn."""
    x = 2 * v
    if state.link[x, UNIT] == ABSENT or state.link[x + 1, UNIT] == ALONG:
        return False
    r1, r2 = state.link[x, UNIT], state.link[x + 1, UNIT]
    if model.ids[v, OPS] == 2 and uniform(state) < 0.5:
        r2 = _any_unit(model, state, x + 1)
        if r2 == state.link[x + 1, UNIT]:
            return False
    else:
        r1 = _any_unit(model, state, x)
        if r1 == state.link[x, UNIT]:
            return False
    if r1 == r2:
        return False
    detach(model, state, v)
    _by_label(model, state, v, r1, r2)
    return True


@woven
def _change(model: Model, state: State, v: int, droppable: bool) -> bool:
    share = uniform(state)
    twin = model.ids[v, TWIN]
    if state.link[2 * v, UNIT] != ABSENT:
        if droppable and share < 0.02:
            detach(model, state, v)
            if twin >= 0 and state.link[2 * twin, UNIT] != ABSENT:
                detach(model, state, twin)
            return True
        if share > 0.8:
            return _swap(model, state, v)
        if share > 0.6:
            return _switch(model, state, v)
    elif twin >= 0 and state.link[2 * twin, UNIT] == ABSENT and not _relocate(model, state, twin):
        return False
    return _relocate(model, state, v)


@woven
def _append(model: Model, state: State, v: int, nearest: bool) -> bool:
    """Behind everything so far, with the units that are there first, or that have the shortest way."""
    n2 = 2 * model.n
    r1, r2 = ABSENT, ABSENT
    for k in range(model.ids[v, OPS]):
        x = 2 * v + k
        least = np.inf
        pick = ABSENT
        for i in range(model.can_at[x], model.can_at[x + 1]):
            r = model.can[i]
            if r == r1:
                continue
            last = state.link[n2 + r, PREV]
            start = _guess(model, state, last, r, v, 0)
            here = model.base[r, DEPART] if last >= n2 else model.ids[last >> 1, PLACE]
            trip = way(model, r, here, model.ids[v, PLACE])
            late = max(0.0, start - model.win[v, 0, CLOSES])
            value = trip + 10.0 * late if nearest else trip + start + model.fit[x, r]
            if model.rules[LIMITED] and start + model.op[x, SPAN] > model.crew[r, LIMIT]:
                value += 1e6
            if value < least:
                least = value
                pick = r
        if k:
            r2 = pick
        else:
            r1 = pick
    if r1 == ABSENT:
        return False
    if model.ids[v, OPS] == 2 and r2 == ABSENT:
        if model.fit[n2 + v, r1] == np.inf:
            return False
        r2 = ALONG
    p1 = state.link[n2 + r1, PREV]
    p2 = state.link[n2 + r2, PREV] if r2 >= 0 else 0
    high = state.turn[p1 >> 1, LABEL] if p1 < n2 else -np.inf
    if r2 >= 0 and p2 < n2:
        high = max(high, state.turn[p2 >> 1, LABEL])
    relabel(state, v, max(high + 1e-3, _guess(model, state, p1, r1, v, 0)), 0)
    attach(model, state, v, r1, p1, r2, p2)
    return True


@woven
def _as_planned(model: Model, state: State, plan: Plan, v: int) -> bool:
    r1 = plan.unit[2 * v]
    if r1 == ABSENT:
        return False
    relabel(state, v, plan.turn[v, LABEL], int(plan.turn[v, WINDOW]))
    _by_label(model, state, v, r1, plan.unit[2 * v + 1])
    return True


@compiled
def work(
    model: Model,
    state: State,
    plan: Plan,
    order: NDArray[np.int64],
    task: int,
    moves: int,
    heat: float,
    best: float,
    droppable: bool,
) -> float:
    """One function for all that changes a plan, because every further one is compiled whole.

    ANNEAL tries `moves` changes at temperature `heat`, writes whatever costs less than `best` into `plan` and gives the
    least cost; it ends early with C_CROWDED set where labels must be spread first (`renumber`). BUILD brings in the
    visits of `plan` in `order`. FILL and NEAREST append the absent visits of `order`, as long as no hard rule breaks.
    """
    recount(model, state)
    now = cost(model, state)
    many = model.free.shape[0]
    for turn in range(moves):
        begin(state)
        if task == ANNEAL:
            v = model.free[rand(state, many)]
            done = _change(model, state, v, droppable)
        elif task == BUILD:
            v = order[turn]
            done = _as_planned(model, state, plan, v)
        else:
            v = order[turn]
            done = state.link[2 * v, UNIT] == ABSENT and _append(model, state, v, task == NEAREST)
        if not done:
            state.counts[C_TOUCHED] = 0
        settle_all(model, state)
        if done and task == BUILD and not np.isnan(model.op[2 * v, FIXED]):
            continue  # what is promised stays, whatever it breaks
        if done and state.totals[T_HARD] <= state.kept[T_HARD] + 1e-9:
            new = cost(model, state)
            worse = new - now
            if task != ANNEAL or worse <= 0.0 or worse < -heat * np.log(uniform(state) + 1e-300):
                now = new
                if task == ANNEAL and now < best - 1e-7:
                    best = now
                    _keep(state, plan)
                continue
        take_back(state)
        if state.counts[C_CROWDED]:
            break
    if task != ANNEAL:
        for r in range(model.r):
            close_route(model, state, r)
        recount(model, state)
        _keep(state, plan)
        best = cost(model, state)
    return best
