"""What the kernels work on: a day as arrays (`Model`) and a plan as linked lists (`State`).

A *visit* `v` has one or two *operations* `2v` and `2v + 1`, one a carer. A *unit* `r` is whoever drives one route: a
carer, or a crew with its van. Node `2n + r` is the depot of unit `r`, head and tail of its circular list. Times,
durations and travel are minutes (any unit will do, as long as it is one).

Few wide arrays instead of many narrow ones: a row is one line of the processor's cache, and the compiler's time grows
with the number of arrays that functions hand on.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ABSENT",
    "ALONG",
    "ARRIVE",
    "BASE_COLUMNS",
    "BRK_ANYWHERE",
    "BRK_AT",
    "BRK_COLUMNS",
    "BRK_HARD",
    "BRK_HI",
    "BRK_LEN",
    "BRK_LO",
    "BRK_MANY",
    "CAP",
    "CLOSES",
    "COUNTS",
    "CREW_COLUMNS",
    "C_CROWDED",
    "C_DIRTY",
    "C_LINKS",
    "C_MOVE",
    "C_NODES",
    "C_QUEUE",
    "C_ROUTES",
    "C_TOUCHED",
    "C_WORST_LEFT",
    "DELIVERING",
    "DEPART",
    "DROP",
    "EXTRA",
    "FAIR",
    "FIXED",
    "FRESH",
    "GAP",
    "GAP_HI",
    "GAP_LO",
    "HARD",
    "IDLE_UNUSED",
    "ID_COLUMNS",
    "LABEL",
    "LATE",
    "LATE_AT_END",
    "LEFT",
    "LIMIT",
    "LIMITED",
    "LINK_COLUMNS",
    "LISTS",
    "LOAD",
    "L_DIRTY",
    "L_IS_DIRTY",
    "L_NODES",
    "L_QUEUE",
    "L_QUEUED",
    "L_ROUTES",
    "L_TOUCHED",
    "MAX_TRIPS",
    "NB",
    "NEEDS",
    "NEXT",
    "NODE_COLUMNS",
    "NOW",
    "OPENS",
    "OPS",
    "OP_COLUMNS",
    "PACE",
    "PLACE",
    "PREV",
    "RELOAD",
    "ROUTE_COLUMNS",
    "RULES",
    "R_HARD",
    "R_HOME",
    "R_IDLE",
    "R_OVER",
    "R_SERVICE",
    "R_SLACK",
    "R_SOFT",
    "R_TRAVEL",
    "SEPARATE",
    "SHIFT_HI",
    "SHIFT_LO",
    "SHUT_FROM",
    "SHUT_UNTIL",
    "SLACK",
    "SOFT",
    "SPAN",
    "SYNC",
    "TE",
    "TOGETHER",
    "TOTALS",
    "TRAVEL",
    "TRIPS",
    "TS",
    "TURN_COLUMNS",
    "TWIN",
    "T_DROP",
    "T_HARD",
    "T_IDLE",
    "T_LATE",
    "T_OVER",
    "T_SOFT",
    "T_TRAVEL",
    "T_WAIT",
    "T_WORST",
    "UNIT",
    "VISIT_COLUMNS",
    "WAIT",
    "WANT",
    "WINDOW",
    "WINDOWS",
    "WINDOW_BOUNDS",
    "W_FAIR",
    "W_IDLE",
    "W_LATE",
    "W_MISSED",
    "W_OVER",
    "W_TRAVEL",
    "W_WAIT",
    "W_WANT",
    "W_WORST",
    "Model",
    "State",
    "empty_state",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

# Who does an operation, beside the number of a unit. ALONG: the second operation of a visit that one crew does with two
# people; it has no node of its own.
ABSENT: Final = -1
ALONG: Final = -2

# How the two operations of a visit hang together.
SEPARATE, TOGETHER, GAP = range(3)

# Columns of Model.ids, one row a visit: place, operations (1 or 2), SEPARATE / TOGETHER / GAP, windows; the other half
# of a visit in two halves that are done both or not at all (-1: whole), at any times, by anybody.
PLACE, OPS, SYNC, WINDOWS, TWIN = range(5)
ID_COLUMNS: Final = 5

# Columns of Model.visit: bounds of the gap; cost of leaving it out; preferred start (nan: none); load; minutes it
# stays fresh.
GAP_LO, GAP_HI, DROP, WANT, NEEDS, FRESH = range(6)
VISIT_COLUMNS: Final = 6

# Columns of Model.op, one row an operation: minutes of service; the start that was promised (nan: free).
SPAN, FIXED = range(2)
OP_COLUMNS: Final = 2

# Columns of Model.base, one row a unit: place it leaves from, place it ends at, its first row in Model.brk, how many.
DEPART, ARRIVE, BRK_AT, BRK_MANY = range(4)
BASE_COLUMNS: Final = 4

# Columns of Model.crew, one row a unit: shift (home later is overtime), latest home allowed, capacity, loads a day.
SHIFT_LO, SHIFT_HI, LIMIT, CAP, MAX_TRIPS, PACE, EXTRA = range(7)
CREW_COLUMNS: Final = 7

# Columns of Model.brk, one row a break: earliest and latest start, minutes.
BRK_LO, BRK_HI, BRK_LEN = range(3)
BRK_COLUMNS: Final = 3

# Entries of Model.win.
OPENS, CLOSES = range(2)
WINDOW_BOUNDS: Final = 2

# Entries of Model.rules: weights of travel, lateness, the worst lateness, waiting, overtime, the longest idle time,
# missed breaks, service beyond FAIR, distance from the preferred start; then switches (0 or 1) and amounts.
# LATE_AT_END: lateness is measured at the end of service. BRK_ANYWHERE: a break may also be before leaving a place and
# after the last visit, else only where the next visit is. BRK_HARD: a missed one is forbidden. DELIVERING: loads, trips
# and freshness count. RELOAD: minutes to load again. NOW: nothing but what is fixed sets out before. IDLE_UNUSED: a
# unit without work idles its shift and misses its breaks. FAIR: minutes of service before W_FAIR counts. LIMITED:
# LIMIT counts. Between SHUT_FROM and SHUT_UNTIL ways take what Model.shut says.
W_TRAVEL, W_LATE, W_WORST, W_WAIT, W_OVER, W_IDLE, W_MISSED, W_FAIR, W_WANT = range(9)
LATE_AT_END, BRK_ANYWHERE, BRK_HARD, DELIVERING, RELOAD, NOW, IDLE_UNUSED, FAIR, LIMITED = range(9, 18)
SHUT_FROM, SHUT_UNTIL = range(18, 20)
RULES: Final = 20

# Columns of State.link, one row a node: who does it, the nodes before and behind.
UNIT, PREV, NEXT = range(3)
LINK_COLUMNS: Final = 3

# Columns of State.turn, one row a visit: place in the global order; the window aimed at.
LABEL, WINDOW = range(2)
TURN_COLUMNS: Final = 2

# Columns of State.node, one row an operation: start, end, travel to it, waiting, lateness, soft cost, broken hard
# rules, breaks done by then, when the load left the depot, load so far, trips so far, idle minutes.
TS, TE, TRAVEL, WAIT, LATE, SOFT, HARD, NB, LEFT, LOAD, TRIPS, SLACK = range(12)
NODE_COLUMNS: Final = 12

# Columns of State.route, one row a unit: travel home, time at home, overtime, idle time, broken hard rules, idle
# minutes on the way, minutes of service, soft cost.
R_TRAVEL, R_HOME, R_OVER, R_IDLE, R_HARD, R_SLACK, R_SERVICE, R_SOFT = range(8)
ROUTE_COLUMNS: Final = 8

# Entries of State.totals.
T_TRAVEL, T_LATE, T_WAIT, T_OVER, T_SOFT, T_HARD, T_DROP, T_WORST, T_IDLE = range(9)
TOTALS: Final = 9

# Entries of State.counts: lengths of the lists, the number of the move, flags.
C_QUEUE, C_DIRTY, C_NODES, C_ROUTES, C_LINKS, C_TOUCHED, C_MOVE, C_WORST_LEFT, C_CROWDED = range(9)
COUNTS: Final = 9

# Rows of State.lists: heap of visits to reckon again and who is in it, units whose end is to be reckoned again, visits
# whose surroundings changed, whose rows are in the logs.
L_QUEUE, L_QUEUED, L_DIRTY, L_IS_DIRTY, L_TOUCHED, L_NODES, L_ROUTES = range(7)
LISTS: Final = 7


class Model(NamedTuple):
    """A day to plan. Shapes: n visits, 2n operations, r units, L places, w windows a visit, b breaks in all."""

    n: int
    r: int
    dist: Floats  # (L, L) minutes from place to place
    shut: Floats  # (L, L) the same while roads are closed; where none are, `dist` itself
    ids: Ints  # (n, ID_COLUMNS)
    visit: Floats  # (n, VISIT_COLUMNS)
    op: Floats  # (2n, OP_COLUMNS)
    base: Ints  # (r, BASE_COLUMNS)
    crew: Floats  # (r, CREW_COLUMNS)
    brk: Floats  # (b, BRK_COLUMNS)
    win: Floats  # (n, w, WINDOW_BOUNDS)
    fit: Floats  # (3n, r) cost of a unit for an operation; row 2n + v: for both of a visit at once; inf: it may not
    rules: Floats  # (RULES,)
    near: Ints  # (n, k) visits worth a look as neighbours, nearest first
    can_at: Ints  # (2n + 1,) where the units that may do an operation begin in `can`
    can: Ints
    free: Ints  # visits that may be moved


class State(NamedTuple):
    """A plan under change. Along every route labels rise, so that no two visits ever wait for one another."""

    link: Ints  # (2n + r, LINK_COLUMNS)
    turn: Floats  # (n, TURN_COLUMNS)
    node: Floats  # (2n, NODE_COLUMNS)
    route: Floats  # (r, ROUTE_COLUMNS)
    totals: Floats  # (TOTALS,)
    kept: Floats  # (TOTALS,) totals before the change
    draft: Floats  # (2, NODE_COLUMNS) rows under reckoning
    lists: Ints  # (LISTS, m)
    seen: Longs  # (2n + r,) number of the last move that logged the row
    node_log: Floats  # (2n, NODE_COLUMNS) rows before the change
    route_log: Floats  # (r, ROUTE_COLUMNS)
    link_log: Ints  # (m, 4) operation or visit, what was done, node or window before, unit
    turn_log: Floats  # (m,) labels before the change, beside link_log
    counts: Longs  # (COUNTS,)
    random: NDArray[np.uint64]  # (2,)


def empty_state(model: Model, seed: int) -> State:
    """Nobody does anything yet."""
    n, r = model.n, model.r
    link = np.empty((2 * n + r, LINK_COLUMNS), np.int32)
    link[:, UNIT] = ABSENT
    link[:, PREV] = link[:, NEXT] = np.arange(2 * n + r)
    words: Any = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    room = 4 * n + r + 64
    return State(
        link=link,
        turn=np.zeros((n, TURN_COLUMNS)),
        node=np.zeros((2 * n, NODE_COLUMNS)),
        route=np.zeros((r, ROUTE_COLUMNS)),
        totals=np.zeros(TOTALS),
        kept=np.zeros(TOTALS),
        draft=np.zeros((2, NODE_COLUMNS)),
        lists=np.zeros((LISTS, room), np.int32),
        seen=np.zeros(2 * n + r, np.int64),
        node_log=np.zeros((2 * n, NODE_COLUMNS)),
        route_log=np.zeros((r, ROUTE_COLUMNS)),
        link_log=np.zeros((room, 4), np.int32),
        turn_log=np.zeros(room),
        counts=np.zeros(COUNTS, np.int64),
        random=words | np.uint64(1),
    )
