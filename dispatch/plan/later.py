"""Starts that may as well be later: whoever waits on the road sets out later instead, where nobody is worse off.

The decoder starts everything as early as it can. A wait between two visits can be spared only where everything before
it on the route can be later, from the way out on: moved elsewhere it would be as long. So each route has one amount by
which its first visit may be later; what comes behind moves until the waits have taken it up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model, State
from dispatch.plan.search import Plan
from dispatch.plan.solve import laid_out

__all__ = ["later"]

_LEAST = 1e-6
_TRIES = 3


def later(model: Model, plan: Plan, may: NDArray[np.bool_], reserve: float = 0.0) -> tuple[Model, State, float]:
    """The plan laid out with later starts where that costs less: the model with those starts as openings of the
    windows aimed at, the times, the cost.

    Moved are visits of `may` (n,) alone, of those none that is promised and none whose two carers come from two units;
    none becomes late or later than it is liked, and it stays `reserve` before the end of its window. Nobody comes home
    later. Where nothing is gained the model is the one given.
    """
    state, cost = laid_out(model, plan)
    if model.rules[a.W_WAIT] <= 0.0:
        return model, state, cost
    moves = {r: found for r in range(model.r) if (found := _moved(model, state, r, may, reserve))}
    for _ in range(_TRIES):
        if not moves:
            break
        raised = _raised(model, state, moves)
        # A break may fall elsewhere, or a load be fetched at another time, which may even leave no room for a visit:
        # such a route stays as it was, and so does the plan.
        then, less = laid_out(raised, Plan(plan.unit.copy(), plan.turn.copy()))
        spoilt = [r for r in moves if not _as_meant(model, state, then, r, moves[r])]
        if not spoilt:
            if less < cost - _LEAST and then.totals[a.T_HARD] <= state.totals[a.T_HARD] + _LEAST:
                return raised, then, less
            break
        for r in spoilt:
            del moves[r]
    return model, state, cost


def _way(model: Model, state: State, r: int) -> list[int]:
    found, x = [], int(state.link[2 * model.n + r, a.NEXT])
    while x < 2 * model.n:
        found.append(x)
        x = int(state.link[x, a.NEXT])
    return found


def _room(model: Model, state: State, x: int, may: NDArray[np.bool_], reserve: float) -> float:
    """By how much one visit may be later on its own."""
    v = x >> 1
    alone = model.ids[v, a.OPS] == 1 or state.link[2 * v + 1, a.UNIT] == a.ALONG
    if not (may[v] and alone and np.isnan(model.op[x, a.FIXED])):
        return 0.0
    row, window = state.node[x], model.win[v, int(state.turn[v, a.WINDOW])]
    room = window[a.CLOSES] - reserve - row[a.TE if model.rules[a.LATE_AT_END] else a.TS]
    if not np.isnan(model.visit[v, a.WANT]):
        room = min(room, model.visit[v, a.WANT] - row[a.TS])
    return max(0.0, float(room))


def _moved(model: Model, state: State, r: int, may: NDArray[np.bool_], reserve: float) -> dict[int, float]:
    """By how much each operation of a route is later."""
    way = _way(model, state, r)
    room = 0.0
    for at in range(len(way) - 1, -1, -1):
        waits = float(state.node[way[at + 1], a.WAIT]) if at + 1 < len(way) else 0.0
        room = min(room + waits, _room(model, state, way[at], may, reserve))
    found: dict[int, float] = {}
    for at, x in enumerate(way):
        room -= float(state.node[x, a.WAIT]) if at else 0.0
        if room <= _LEAST:
            break
        found[x] = room
    return found


def _raised(model: Model, state: State, moves: dict[int, dict[int, float]]) -> Model:
    win = model.win.copy()
    for found in moves.values():
        for x, by in found.items():
            win[x >> 1, int(state.turn[x >> 1, a.WINDOW]), a.OPENS] = state.node[x, a.TS] + by
    return model._replace(win=win)


def _as_meant(model: Model, state: State, then: State, r: int, moved: dict[int, float]) -> bool:
    """Whether a route has become what was meant: each start as reckoned, nothing late or broken, home as before."""
    way = _way(model, state, r)
    starts = [abs(then.node[x, a.TS] - state.node[x, a.TS] - moved.get(x, 0.0)) <= _LEAST for x in way]
    worse = [then.node[x, column] > state.node[x, column] + _LEAST for x in way for column in (a.LATE, a.HARD, a.SOFT)]
    ends = [then.route[r, column] > state.route[r, column] + _LEAST for column in (a.R_HOME, a.R_HARD, a.R_SOFT)]
    return way == _way(model, then, r) and all(starts) and not any(worse) and not any(ends)
