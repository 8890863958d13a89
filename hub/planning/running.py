"""Several searches side by side, each with a seed of its own, in threads: the kernels release the interpreter's
lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from dispatch.plan.arrays import Model
from dispatch.plan.search import Plan
from dispatch.plan.solve import HOT, Found, search
from hub.clock import monotonic

__all__ = ["Progress", "Solved", "solve"]

Progress = Callable[[float, float], None]
"""Told the least cost so far and the share of the time that is used up."""
RUN_SECONDS_PER_VISIT = 0.2
"""How long one annealing run should take: longer runs find more, several runs spread the luck (docs/planning.md)."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The best plan of all searches; `stopped`: before its time."""

    plan: Plan
    cost: float
    moves: int
    stopped: bool = False


def solve(
    model: Model,
    start: Plan,
    *,
    until: float,
    seed: int,
    threads: int,
    droppable: bool,
    hot: float | None = None,
    progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Solved:
    """Searches until `until` (on `monotonic`). An interrupt of the keyboard, or `stopping`, ends it early with what
    there is."""
    costs = [float("inf")] * threads
    shares = [0.0] * threads
    going = True

    def watch_of(number: int) -> Callable[[float, float], bool]:
        def watch(cost: float, share: float) -> bool:
            costs[number], shares[number] = cost, share
            return going

        return watch

    def one(number: int) -> Found:
        return search(
            model,
            start,
            seed=seed * 1009 + number,
            clock=monotonic,
            until=until,
            droppable=droppable,
            run_seconds=RUN_SECONDS_PER_VISIT * max(model.n, 10),
            watch=watch_of(number),
            hot=HOT if hot is None else hot,
        )

    stopped = False
    with ThreadPoolExecutor(threads) as pool:
        waiting: set[Future[Found]] = {pool.submit(one, number) for number in range(threads)}
        searches = list(waiting)
        try:
            while waiting:
                _, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                if going and stopping():
                    going, stopped = False, True
                if progress is not None:
                    progress(min(costs), min(shares))
        except KeyboardInterrupt:
            going = False
            stopped = True
    found = [future.result() for future in searches]
    best = min(found, key=lambda each: each.cost)
    return Solved(best.plan, best.cost, sum(each.moves for each in found), stopped)
