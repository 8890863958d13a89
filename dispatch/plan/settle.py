"""What a change leads to: visits are reckoned again in the global order, as far as times really change; then the sums.

Every row is written down before it changes, so that `moves.take_back` can undo a move to the last bit.
"""

from __future__ import annotations

from dispatch.plan.arrays import (
    ABSENT,
    ALONG,
    ARRIVE,
    BRK_ANYWHERE,
    BRK_AT,
    BRK_HI,
    BRK_LEN,
    BRK_LO,
    BRK_MANY,
    C_DIRTY,
    C_MOVE,
    C_NODES,
    C_QUEUE,
    C_ROUTES,
    C_TOUCHED,
    C_WORST_LEFT,
    DELIVERING,
    DROP,
    FAIR,
    HARD,
    IDLE_UNUSED,
    L_DIRTY,
    L_IS_DIRTY,
    L_NODES,
    L_QUEUE,
    L_QUEUED,
    L_ROUTES,
    L_TOUCHED,
    LABEL,
    LATE,
    LEFT,
    LIMIT,
    LOAD,
    NB,
    NEXT,
    NODE_COLUMNS,
    OPS,
    PLACE,
    PREV,
    R_HARD,
    R_HOME,
    R_IDLE,
    R_OVER,
    R_SERVICE,
    R_SLACK,
    R_SOFT,
    R_TRAVEL,
    ROUTE_COLUMNS,
    SHIFT_HI,
    SHIFT_LO,
    SLACK,
    SOFT,
    T_DROP,
    T_HARD,
    T_IDLE,
    T_LATE,
    T_OVER,
    T_SOFT,
    T_TRAVEL,
    T_WAIT,
    T_WORST,
    TE,
    TOTALS,
    TRAVEL,
    TRIPS,
    TS,
    UNIT,
    W_FAIR,
    W_IDLE,
    W_LATE,
    W_MISSED,
    W_OVER,
    W_TRAVEL,
    W_WAIT,
    W_WORST,
    WAIT,
    Model,
    State,
)
from dispatch.plan.compiled import woven
from dispatch.plan.decode import leg_from, place_visit

__all__ = ["close_route", "cost", "log_node", "mark_route", "recount", "settle_all", "touch"]


@woven
def _push(state: State, v: int) -> None:
    """This visit is to be reckoned again, in the turn its label gives it."""
    if state.lists[L_QUEUED, v]:
        return
    state.lists[L_QUEUED, v] = 1
    i = state.counts[C_QUEUE]
    state.counts[C_QUEUE] = i + 1
    key = state.turn[v, LABEL]
    while i > 0:
        up = (i - 1) >> 1
        w = state.lists[L_QUEUE, up]
        if state.turn[w, LABEL] <= key:
            break
        state.lists[L_QUEUE, i] = w
        i = up
    state.lists[L_QUEUE, i] = v


@woven
def _key(state: State, at: int) -> float:
    return float(state.turn[state.lists[L_QUEUE, at], LABEL])


@woven
def _pop(state: State) -> int:
    top = state.lists[L_QUEUE, 0]
    m = state.counts[C_QUEUE] - 1
    state.counts[C_QUEUE] = m
    if m > 0:
        w = state.lists[L_QUEUE, m]
        key = state.turn[w, LABEL]
        i = 0
        while True:
            child = 2 * i + 1
            if child >= m:
                break
            if child + 1 < m and _key(state, child + 1) < _key(state, child):
                child += 1
            if _key(state, child) >= key:
                break
            state.lists[L_QUEUE, i] = state.lists[L_QUEUE, child]
            i = child
        state.lists[L_QUEUE, i] = w
    state.lists[L_QUEUED, top] = 0
    return int(top)


@woven
def touch(state: State, v: int) -> None:
    """This visit is to be reckoned again. Only noted: labels may still change before all is settled."""
    state.lists[L_TOUCHED, state.counts[C_TOUCHED]] = v
    state.counts[C_TOUCHED] += 1


@woven
def mark_route(state: State, r: int) -> None:
    """The end of this unit's route is to be reckoned again; its row is kept for taking the change back."""
    if state.lists[L_IS_DIRTY, r] == 0:
        state.lists[L_IS_DIRTY, r] = 1
        state.lists[L_DIRTY, state.counts[C_DIRTY]] = r
        state.counts[C_DIRTY] += 1
    if state.seen[state.node.shape[0] + r] != state.counts[C_MOVE]:
        state.seen[state.node.shape[0] + r] = state.counts[C_MOVE]
        k = state.counts[C_ROUTES]
        state.lists[L_ROUTES, k] = r
        for i in range(ROUTE_COLUMNS):
            state.route_log[k, i] = state.route[r, i]
        state.counts[C_ROUTES] = k + 1


@woven
def log_node(state: State, x: int) -> None:
    """Keeps the row of an operation as it was before this move."""
    if state.seen[x] != state.counts[C_MOVE]:
        state.seen[x] = state.counts[C_MOVE]
        k = state.counts[C_NODES]
        state.lists[L_NODES, k] = x
        for i in range(NODE_COLUMNS):
            state.node_log[k, i] = state.node[x, i]
        state.counts[C_NODES] = k + 1


@woven
def _take(model: Model, state: State, row: int, x: int, worst: float) -> bool:
    """Puts a draft row in its place; True if those behind it must look again."""
    new = state.draft[row]
    old = state.node[x]
    moved = old[TE] != new[TE] or old[NB] != new[NB]
    if model.rules[DELIVERING]:
        moved = moved or old[LEFT] != new[LEFT] or old[LOAD] != new[LOAD] or old[TRIPS] != new[TRIPS]
    same = old[TS] == new[TS] and old[TRAVEL] == new[TRAVEL] and old[WAIT] == new[WAIT] and old[LATE] == new[LATE]
    if not moved and same and old[SOFT] == new[SOFT] and old[HARD] == new[HARD] and old[SLACK] == new[SLACK]:
        return False
    log_node(state, x)
    r = state.link[x, UNIT]
    mark_route(state, r)
    totals = state.totals
    totals[T_TRAVEL] += new[TRAVEL] - old[TRAVEL]
    totals[T_WAIT] += new[WAIT] - old[WAIT]
    totals[T_LATE] += new[LATE] - old[LATE]
    totals[T_SOFT] += new[SOFT] - old[SOFT]
    totals[T_HARD] += new[HARD] - old[HARD]
    state.route[r, R_SLACK] += new[SLACK] - old[SLACK]
    if old[LATE] >= worst and new[LATE] < old[LATE]:
        totals[T_WORST] = -1.0  # the worst got better: look for the next one when all is settled
    for i in range(NODE_COLUMNS):
        old[i] = new[i]
    return bool(moved)


@woven
def close_route(model: Model, state: State, r: int) -> None:
    """Going home: the way, what is over the shift, breaks still due, idle time."""
    head = 2 * model.n + r
    last = state.link[head, PREV]
    row = state.route[r]
    old_travel, old_over, old_hard, old_soft = row[R_TRAVEL], row[R_OVER], row[R_HARD], row[R_SOFT]
    due = model.base[r, BRK_MANY]
    soft = 0.0
    hard = 0.0
    if last == head:
        row[R_TRAVEL] = 0.0
        row[R_HOME] = model.crew[r, SHIFT_LO]
        row[R_OVER] = 0.0
        row[R_SLACK] = 0.0
        row[R_SERVICE] = 0.0
        row[R_IDLE] = model.crew[r, SHIFT_HI] - model.crew[r, SHIFT_LO] if model.rules[IDLE_UNUSED] else 0.0
        if model.rules[IDLE_UNUSED]:
            soft = due * model.rules[W_MISSED]
    else:
        free = state.node[last, TE]
        trip = leg_from(model, r, model.ids[last >> 1, PLACE], model.base[r, ARRIVE], free, free)
        nb = int(state.node[last, NB])
        while nb < due:
            b = model.base[r, BRK_AT] + nb
            if model.rules[BRK_ANYWHERE]:
                if free + trip > model.brk[b, BRK_HI]:
                    here = max(free, model.brk[b, BRK_LO])
                    if here > model.brk[b, BRK_HI]:
                        hard += 1.0
                    else:
                        free = here + model.brk[b, BRK_LEN]
            else:
                soft += model.rules[W_MISSED]
            nb += 1
        home = free + trip
        row[R_TRAVEL] = trip
        row[R_HOME] = home
        row[R_OVER] = max(0.0, home - model.crew[r, SHIFT_HI])
        row[R_IDLE] = row[R_SLACK] + max(0.0, model.crew[r, SHIFT_HI] - home)
        hard += max(0.0, home - model.crew[r, LIMIT])
        soft += model.rules[W_FAIR] * max(0.0, row[R_SERVICE] - model.rules[FAIR])
    row[R_SOFT] = soft
    row[R_HARD] = hard
    state.totals[T_TRAVEL] += row[R_TRAVEL] - old_travel
    state.totals[T_OVER] += row[R_OVER] - old_over
    state.totals[T_HARD] += hard - old_hard
    state.totals[T_SOFT] += soft - old_soft


@woven
def _worst(model: Model, state: State) -> float:
    worst = 0.0
    for x in range(2 * model.n):
        if state.node[x, LATE] > worst:
            worst = state.node[x, LATE]
    return worst


@woven
def settle_all(model: Model, state: State) -> None:
    """Reckons everything that is queued and all that follows from it, then the ends of the routes concerned."""
    for i in range(state.counts[C_TOUCHED]):
        _push(state, state.lists[L_TOUCHED, i])
    state.counts[C_TOUCHED] = 0
    before = state.totals[T_WORST]
    worst = before
    lost = state.counts[C_WORST_LEFT] == 1
    state.counts[C_WORST_LEFT] = 0
    while state.counts[C_QUEUE] > 0:
        v = _pop(state)
        x, y = 2 * v, 2 * v + 1
        if state.link[x, UNIT] == ABSENT:
            continue
        place_visit(model, state, v)
        for k in range(1 + (model.ids[v, OPS] == 2 and state.link[y, UNIT] != ALONG)):
            moved = _take(model, state, k, x + k, before)
            if moved and state.link[x + k, NEXT] < 2 * model.n:
                _push(state, state.link[x + k, NEXT] >> 1)
            worst = max(worst, state.node[x + k, LATE])
        if state.totals[T_WORST] < 0.0:
            lost = True
            state.totals[T_WORST] = before
    for i in range(state.counts[C_DIRTY]):
        r = state.lists[L_DIRTY, i]
        state.lists[L_IS_DIRTY, r] = 0
        close_route(model, state, r)
    changed = state.counts[C_DIRTY] > 0
    state.counts[C_DIRTY] = 0
    if lost and worst <= before:
        worst = _worst(model, state)
    state.totals[T_WORST] = worst
    if changed and model.rules[W_IDLE] > 0.0:
        idle = 0.0
        for r in range(model.r):
            idle = max(idle, state.route[r, R_IDLE])
        state.totals[T_IDLE] = idle


@woven
def cost(model: Model, state: State) -> float:
    """The weighted sum that is minimised. Broken hard rules are not part of it: `totals[T_HARD]` must not rise."""
    totals, weights = state.totals, model.rules
    return float(
        weights[W_TRAVEL] * totals[T_TRAVEL]
        + weights[W_LATE] * totals[T_LATE]
        + weights[W_WORST] * totals[T_WORST]
        + weights[W_WAIT] * totals[T_WAIT]
        + weights[W_OVER] * totals[T_OVER]
        + weights[W_IDLE] * totals[T_IDLE]
        + totals[T_SOFT]
        + totals[T_DROP]
    )


@woven
def recount(model: Model, state: State) -> None:
    """Sums the totals afresh, so that rounding does not gather over millions of moves."""
    totals = state.totals
    for i in range(TOTALS):
        totals[i] = 0.0
    for v in range(model.n):
        if state.link[2 * v, UNIT] == ABSENT:
            totals[T_DROP] += model.visit[v, DROP]
            continue
        for x in range(2 * v, 2 * v + model.ids[v, OPS]):
            if state.link[x, UNIT] >= 0:
                row = state.node[x]
                totals[T_TRAVEL] += row[TRAVEL]
                totals[T_WAIT] += row[WAIT]
                totals[T_LATE] += row[LATE]
                totals[T_SOFT] += row[SOFT]
                totals[T_HARD] += row[HARD]
                totals[T_WORST] = max(totals[T_WORST], row[LATE])
    for r in range(model.r):
        slack = 0.0
        x = state.link[2 * model.n + r, NEXT]
        while x < 2 * model.n:
            slack += state.node[x, SLACK]
            x = state.link[x, NEXT]
        route = state.route[r]
        route[R_SLACK] = slack
        totals[T_TRAVEL] += route[R_TRAVEL]
        totals[T_OVER] += route[R_OVER]
        totals[T_HARD] += route[R_HARD]
        totals[T_SOFT] += route[R_SOFT]
        totals[T_IDLE] = max(totals[T_IDLE], route[R_IDLE])
