"""From order to times: the one place that knows what a minute of the day may be used for.

A plan is one global order of visits and a unit for every operation. Read from left to right each visit starts as early
as its units, its window and its partner allow; because no visit waits for a later one, two carers can never wait for
each other in a circle. Every rule is a term of `reach` (getting there: travel, breaks, loading), of `place_visit`
(starting: windows, partners, promises) or of `close_route` (going home). `settle.settle_all` follows a change only as
far as times really change.
"""

from __future__ import annotations

import numpy as np

from dispatch.plan.arrays import (
    ALONG,
    BRK_ANYWHERE,
    BRK_AT,
    BRK_HARD,
    BRK_HI,
    BRK_LEN,
    BRK_LO,
    BRK_MANY,
    CAP,
    CLOSES,
    DELIVERING,
    DEPART,
    EXTRA,
    FIXED,
    FRESH,
    GAP,
    GAP_HI,
    GAP_LO,
    HARD,
    LATE,
    LATE_AT_END,
    LEFT,
    LOAD,
    MAX_TRIPS,
    NB,
    NEEDS,
    NOW,
    OPENS,
    OPS,
    PACE,
    PLACE,
    PREV,
    RELOAD,
    SHIFT_LO,
    SHUT_FROM,
    SHUT_UNTIL,
    SLACK,
    SOFT,
    SPAN,
    SYNC,
    TE,
    TOGETHER,
    TRAVEL,
    TRIPS,
    TS,
    UNIT,
    W_MISSED,
    W_WANT,
    WAIT,
    WANT,
    WINDOW,
    WINDOWS,
    Model,
    State,
)
from dispatch.plan.compiled import woven

__all__ = ["leg_from", "place_visit", "reach", "way"]


@woven
def way(model: Model, r: int, start: int, end: int) -> float:
    """How long it takes unit `r` from place to place."""
    trip = model.dist[start, end]
    if start != end and (model.crew[r, PACE] != 1.0 or model.crew[r, EXTRA] != 0.0):
        trip = np.ceil(trip * model.crew[r, PACE] + model.crew[r, EXTRA])
    return float(trip)


@woven
def leg_from(model: Model, r: int, start: int, end: int, free: float, floor: float) -> float:
    """As `way`, for who may set out at `free` and is not needed before `floor`: longer while roads are closed.

    Whoever comes to a closed road waits for its end where that is sooner than the detour, so that setting out later
    never means arriving earlier.
    """
    trip = way(model, r, start, end)
    until = model.rules[SHUT_UNTIL]
    if free < until and start != end:
        leave = max(free, floor - trip)
        if leave < until and leave + trip > model.rules[SHUT_FROM]:
            longer = model.shut[start, end]
            if model.crew[r, PACE] != 1.0 or model.crew[r, EXTRA] != 0.0:
                longer = np.ceil(longer * model.crew[r, PACE] + model.crew[r, EXTRA])
            trip = max(trip, min(longer, until - free + trip))
    return float(trip)


@woven
def reach(model: Model, state: State, row: int, p: int, r: int, x: int, floor: float, span: float) -> float:
    """Unit `r` goes from node `p` to operation `x`, which starts at `floor` at the earliest; gives when it is ready.

    The draft row then holds travel, breaks done and, for `_finish`: WAIT minutes of breaks at the new place, HARD
    breaks missed, LEFT when the load left the depot (nan: by this very way, SOFT minutes before the start), load and
    trips.
    """
    v = x >> 1
    first = p >= 2 * model.n
    if first:
        free = model.crew[r, SHIFT_LO]
        start = model.base[r, DEPART]
        nb = 0
    else:
        free = state.node[p, TE]
        start = model.ids[p >> 1, PLACE]
        nb = int(state.node[p, NB])
    if np.isnan(model.op[x, FIXED]):
        # What was promised before the shift stays; nothing else sets out before it, nor before now.
        free = max(free, model.rules[NOW], model.crew[r, SHIFT_LO])
    end = model.ids[v, PLACE]
    last = model.base[r, BRK_MANY]
    # Who still has a break to take sets out at once; the break is at the new place.
    wanted = floor if nb == last else free
    trip = leg_from(model, r, start, end, free, wanted)
    out = state.draft[row]
    if model.rules[DELIVERING]:
        leg = trip
        load = model.visit[v, NEEDS]
        trips = 1.0
        left = np.nan
        if not first:
            trips = state.node[p, TRIPS]
            whole = state.node[p, LOAD] + load
            hot = max(free + trip, floor) - state.node[p, LEFT] <= model.visit[v, FRESH]
            if (whole <= model.crew[r, CAP] and hot) or trips >= model.crew[r, MAX_TRIPS]:
                left = state.node[p, LEFT]
                load = whole
            else:
                back = leg_from(model, r, start, model.base[r, DEPART], free, free) + model.rules[RELOAD]
                leg = leg_from(model, r, model.base[r, DEPART], end, free + back, wanted)
                trip = back + leg
                trips += 1.0
        out[SOFT] = leg
        out[LEFT] = left
        out[LOAD] = load
        out[TRIPS] = trips
    ready = free + trip
    pause = 0.0
    missed = 0.0
    while nb < last:
        b = model.base[r, BRK_AT] + nb
        here = max(ready, model.brk[b, BRK_LO])
        length = model.brk[b, BRK_LEN]
        fits = here <= model.brk[b, BRK_HI]
        if not (fits and here + length <= max(ready, floor)):
            if max(ready, floor) + span <= model.brk[b, BRK_HI]:
                break  # there is time for it after this visit
            if not fits:
                before = max(free, model.brk[b, BRK_LO])
                if model.rules[BRK_ANYWHERE] and pause == 0.0 and before <= model.brk[b, BRK_HI]:
                    free = before + length
                    ready = free + trip
                else:
                    missed += 1.0
                nb += 1
                continue
        ready = here + length
        pause += length
        nb += 1
    out[TRAVEL] = trip
    out[NB] = nb
    out[WAIT] = pause
    out[HARD] = missed
    return float(ready)


@woven
def _finish(model: Model, state: State, row: int, p: int, r: int, x: int, s: float, late: float, both: bool) -> None:
    """The rest of a draft row that `reach` began: operation `x` starts at `s`, `late` minutes before `r` is ready."""
    v = x >> 1
    span = max(model.op[2 * v, SPAN], model.op[2 * v + 1, SPAN]) if both else model.op[x, SPAN]
    out = state.draft[row]
    pause = out[WAIT]
    missed = out[HARD]
    done = s + span
    out[TS] = s
    # A promise that cannot be kept: who is still at the visit before is not free sooner because of it.
    out[TE] = max(done, state.node[p, TE]) if late > 0.0 and p < 2 * model.n else done
    if p >= 2 * model.n:
        out[WAIT] = 0.0  # the depot is left just in time
        out[SLACK] = max(0.0, s - out[TRAVEL] - pause - model.crew[r, SHIFT_LO])
    else:
        out[WAIT] = max(0.0, s - out[TRAVEL] - pause - state.node[p, TE])
        out[SLACK] = out[WAIT]
    at = 0
    for w in range(1, model.ids[v, WINDOWS]):
        if model.win[v, w, OPENS] <= s:
            at = w
    out[LATE] = max(0.0, (done if model.rules[LATE_AT_END] else s) - model.win[v, at, CLOSES])
    soft = model.fit[2 * model.n + v, r] if both else model.fit[x, r]
    if not np.isnan(model.visit[v, WANT]):
        soft += model.rules[W_WANT] * abs(s - model.visit[v, WANT])
    hard = late
    if model.rules[BRK_HARD]:
        hard += missed
    else:
        soft += missed * model.rules[W_MISSED]
    if model.rules[DELIVERING]:
        if np.isnan(out[LEFT]):
            out[LEFT] = s - pause - out[SOFT]
        hard += max(0.0, out[LOAD] - model.crew[r, CAP]) + max(0.0, s - out[LEFT] - model.visit[v, FRESH])
    out[SOFT] = soft
    out[HARD] = hard


@woven
def place_visit(model: Model, state: State, v: int) -> None:
    """Reckons the draft rows of an assigned visit from the nodes before it."""
    x = 2 * v
    both = state.link[x + 1, UNIT] == ALONG
    two = model.ids[v, OPS] == 2 and not both
    frozen = not np.isnan(model.op[x, FIXED])
    opens = model.win[v, int(state.turn[v, WINDOW]), OPENS]
    f1 = model.op[x, FIXED] if frozen else opens
    f2 = model.op[x + 1, FIXED] if frozen else opens
    s1, s2 = f1, f2
    ready1, ready2 = f1, f2
    # A partner who comes later may move a break before the visit, which may move the start: settled once nothing moves.
    for _ in range(8):
        for k in range(1 + two):
            span = max(model.op[x, SPAN], model.op[x + 1, SPAN]) if both else model.op[x + k, SPAN]
            floor = f2 if k else f1
            ready = reach(model, state, k, state.link[x + k, PREV], state.link[x + k, UNIT], x + k, floor, span)
            if k:
                ready2 = ready
            else:
                ready1 = ready
        if frozen:
            break
        own1, own2 = max(f1, ready1), max(f2, ready2)
        s1, s2 = own1, own2
        if two and model.ids[v, SYNC] == TOGETHER:
            s1 = max(own1, own2)
            s2 = s1
        elif two and model.ids[v, SYNC] == GAP:
            s2 = max(own2, own1 + model.visit[v, GAP_LO])
            s1 = max(own1, s2 - model.visit[v, GAP_HI])
        if s1 == own1 and s2 == own2:
            break
        f1, f2 = s1, s2
    for k in range(1 + two):
        s, ready = (s2, ready2) if k else (s1, ready1)
        _finish(model, state, k, state.link[x + k, PREV], state.link[x + k, UNIT], x + k, s, max(0.0, ready - s), both)
