"""A global order for routes that are given: each route's own order is kept, and no visit comes before one it waits
for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

__all__ = ["global_order"]


def global_order(routes: Iterable[Sequence[tuple[float, int]]]) -> list[tuple[int, float]]:
    """Visits with labels that rise along every route. `routes` hold (start, visit) in order of starts.

    A visit of two parts is on two routes; labels follow the earlier start as closely as the order allows. Routes
    whose visits wait for one another in a circle cannot be driven as they are; the earliest visit then goes first.
    """
    behind: dict[int, list[int]] = {}
    waits: dict[int, int] = {}
    first: dict[int, float] = {}
    for route in routes:
        for at, (start, visit) in enumerate(route):
            first[visit] = min(start, first.get(visit, start))
            waits.setdefault(visit, 0)
            if at:
                behind.setdefault(route[at - 1][1], []).append(visit)
                waits[visit] += 1
    ready = [(first[visit], visit) for visit, many in waits.items() if not many]
    heapq.heapify(ready)
    found: list[tuple[int, float]] = []
    done: set[int] = set()
    label = float("-inf")
    while len(found) < len(first):
        if not ready:
            ready.append(min((first[visit], visit) for visit in first if visit not in done))
        start, visit = heapq.heappop(ready)
        if visit in done:
            continue
        done.add(visit)
        label = max(label + 1e-6, start)
        found.append((visit, label))
        for other in behind.get(visit, ()):
            waits[other] -= 1
            if not waits[other] and other not in done:
                heapq.heappush(ready, (first[other], other))
    return found
