"""Changes of a plan that can be taken back: visits leave their routes and enter others, everything else follows."""

from __future__ import annotations

import numpy as np

from dispatch.plan.arrays import (
    ABSENT,
    ALONG,
    C_LINKS,
    C_MOVE,
    C_NODES,
    C_ROUTES,
    C_WORST_LEFT,
    DROP,
    HARD,
    L_NODES,
    L_ROUTES,
    LABEL,
    LATE,
    NEXT,
    NODE_COLUMNS,
    OPS,
    PREV,
    R_SERVICE,
    R_SLACK,
    ROUTE_COLUMNS,
    SLACK,
    SOFT,
    SPAN,
    T_DROP,
    T_HARD,
    T_LATE,
    T_SOFT,
    T_TRAVEL,
    T_WAIT,
    T_WORST,
    TOTALS,
    TRAVEL,
    UNIT,
    WAIT,
    WINDOW,
    Model,
    State,
)
from dispatch.plan.compiled import woven
from dispatch.plan.settle import log_node, mark_route, touch

__all__ = ["attach", "begin", "detach", "node_before", "rand", "relabel", "take_back", "uniform"]

UNLINKED, LINKED, ASSIGNED, RELABELLED = 1, 0, 2, 3


@woven
def uniform(state: State) -> float:
    """The next number in [0, 1) of the search's own stream (xoroshiro's simpler sibling, xorshift128+)."""
    a = state.random[0]
    b = state.random[1]
    state.random[0] = b
    a ^= a << np.uint64(23)
    a ^= a >> np.uint64(17)
    a ^= b ^ (b >> np.uint64(26))
    state.random[1] = a
    return float((a + b) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@woven
def rand(state: State, below: int) -> int:
    """A whole number in [0, below)."""
    return int(uniform(state) * below)


@woven
def begin(state: State) -> None:
    """From here on every change is written down."""
    state.counts[C_NODES] = 0
    state.counts[C_ROUTES] = 0
    state.counts[C_LINKS] = 0
    state.counts[C_MOVE] += 1
    for i in range(TOTALS):
        state.kept[i] = state.totals[i]


@woven
def _note(state: State, x: int, what: int, p: int, r: int) -> None:
    k = state.counts[C_LINKS]
    state.link_log[k, 0] = x
    state.link_log[k, 1] = what
    state.link_log[k, 2] = p
    state.link_log[k, 3] = r
    state.counts[C_LINKS] = k + 1


@woven
def _unlink(state: State, x: int) -> None:
    before, behind = state.link[x, PREV], state.link[x, NEXT]
    state.link[before, NEXT] = behind
    state.link[behind, PREV] = before


@woven
def _link(state: State, x: int, p: int) -> None:
    behind = state.link[p, NEXT]
    state.link[p, NEXT] = x
    state.link[x, PREV] = p
    state.link[x, NEXT] = behind
    state.link[behind, PREV] = x


@woven
def _leave(model: Model, state: State, x: int) -> None:
    r = state.link[x, UNIT]
    log_node(state, x)
    mark_route(state, r)
    row, totals = state.node[x], state.totals
    totals[T_TRAVEL] -= row[TRAVEL]
    totals[T_WAIT] -= row[WAIT]
    totals[T_LATE] -= row[LATE]
    totals[T_SOFT] -= row[SOFT]
    totals[T_HARD] -= row[HARD]
    state.route[r, R_SLACK] -= row[SLACK]
    if row[LATE] > 0.0 and row[LATE] >= totals[T_WORST]:
        # Left standing as a claim nobody holds: `settle_all` notices when it looks for the worst again.
        state.counts[C_WORST_LEFT] = 1
    for i in range(NODE_COLUMNS):
        row[i] = 0.0
    behind = state.link[x, NEXT]
    _note(state, x, UNLINKED, state.link[x, PREV], r)
    _unlink(state, x)
    if behind < 2 * model.n:
        touch(state, behind >> 1)


@woven
def detach(model: Model, state: State, v: int) -> None:
    """Takes a visit out of the plan; it is unplanned until it is attached again."""
    x = 2 * v
    first = state.link[x, UNIT]
    for k in range(model.ids[v, OPS]):
        r = state.link[x + k, UNIT]
        if r == ALONG:
            state.route[first, R_SERVICE] -= max(0.0, model.op[x + 1, SPAN] - model.op[x, SPAN])
        else:
            _leave(model, state, x + k)
            state.route[r, R_SERVICE] -= model.op[x + k, SPAN]
        _note(state, x + k, ASSIGNED, 0, r)
        state.link[x + k, UNIT] = ABSENT
    state.totals[T_DROP] += model.visit[v, DROP]


@woven
def relabel(state: State, v: int, label: float, window: int) -> None:
    """Gives an absent visit its turn in the global order and the window it aims at."""
    k = state.counts[C_LINKS]
    state.link_log[k, 0] = v
    state.link_log[k, 1] = RELABELLED
    state.link_log[k, 2] = state.turn[v, WINDOW]
    state.counts[C_LINKS] = k + 1
    state.turn_log[k] = state.turn[v, LABEL]
    state.turn[v, LABEL] = label
    state.turn[v, WINDOW] = window


@woven
def attach(model: Model, state: State, v: int, r1: int, p1: int, r2: int, p2: int) -> None:
    """Puts an absent visit with its label behind node `p1` of unit `r1` (and `p2` of `r2`; ALONG: `r1` does both)."""
    x = 2 * v
    for k in range(model.ids[v, OPS]):
        r, p = (r2, p2) if k else (r1, p1)
        _note(state, x + k, ASSIGNED, 0, state.link[x + k, UNIT])
        state.link[x + k, UNIT] = r
        if r == ALONG:
            state.route[r1, R_SERVICE] += max(0.0, model.op[x + 1, SPAN] - model.op[x, SPAN])
            continue
        mark_route(state, r)
        _link(state, x + k, p)
        _note(state, x + k, LINKED, p, r)
        state.route[r, R_SERVICE] += model.op[x + k, SPAN]
        behind = state.link[x + k, NEXT]
        if behind < 2 * model.n:
            touch(state, behind >> 1)
    state.totals[T_DROP] -= model.visit[v, DROP]
    touch(state, v)


@woven
def node_before(model: Model, state: State, r: int, label: float) -> int:
    """The last node of unit `r` whose label is lower: what comes with this label goes behind it."""
    head = 2 * model.n + r
    x = state.link[head, PREV]
    while x != head and state.turn[x >> 1, LABEL] >= label:
        x = state.link[x, PREV]
    return int(x)


@woven
def take_back(state: State) -> None:
    """Everything since `begin` is undone, to the last bit."""
    for k in range(state.counts[C_LINKS] - 1, -1, -1):
        x, what, p, r = state.link_log[k, 0], state.link_log[k, 1], state.link_log[k, 2], state.link_log[k, 3]
        if what == LINKED:
            _unlink(state, x)
        elif what == UNLINKED:
            _link(state, x, p)
        elif what == ASSIGNED:
            state.link[x, UNIT] = r
        else:
            state.turn[x, LABEL] = state.turn_log[k]
            state.turn[x, WINDOW] = p
    for k in range(state.counts[C_NODES]):
        for i in range(NODE_COLUMNS):
            state.node[state.lists[L_NODES, k], i] = state.node_log[k, i]
    for k in range(state.counts[C_ROUTES]):
        for i in range(ROUTE_COLUMNS):
            state.route[state.lists[L_ROUTES, k], i] = state.route_log[k, i]
    for i in range(TOTALS):
        state.totals[i] = state.kept[i]
