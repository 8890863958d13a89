"""A road that is closed for a while is closed for that while, and no longer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dispatch.plan.day import Carer, Day, Visit
from hub.clock import monotonic
from hub.planning.day_plan import Planned, plan_day
from hub.planning.ways import Closure, Ways, closed_for_a_while, table

HOUR = 3600
WORD = frozenset({"care"})


def _day(*opens: int, shut: tuple[int, int] | None, now: int = 8 * HOUR) -> Day:
    """Visits 20 minutes away, a detour of an hour more while the road is closed."""
    many = len(opens) + 1
    ways = np.full((many, many), 1200.0)
    np.fill_diagonal(ways, 0.0)
    around = ways * 4
    visits = [Visit(f"v{at}", at + 1, (WORD,), (600,), (one, one + HOUR)) for at, one in enumerate(opens)]
    carers = [Carer("c", (8 * HOUR, 18 * HOUR), WORD)]
    return Day(carers, visits, ways, now=now, shut=shut, travel_shut=None if shut is None else around)


def _planned(day: Day) -> Planned:
    return plan_day(day, until=monotonic() + 0.05, seed=1, threads=1, baseline=False)


def _starts(planned: Planned) -> list[int]:
    return sorted(round(float(planned.state.node[2 * v, 0])) for v in range(planned.made.model.n))


@pytest.mark.parametrize(
    ("shut", "starts"),
    [
        (None, [8 * HOUR + 1200, 8 * HOUR + 3000]),
        ((8 * HOUR, 18 * HOUR), [9 * HOUR + 1200, 10 * HOUR + 3000]),  # to the end: around it
        ((8 * HOUR, 8 * HOUR + 1500), [8 * HOUR + 2700, 9 * HOUR + 900]),  # sooner to wait for its end
        ((8 * HOUR + 1300, 12 * HOUR), [8 * HOUR + 1200, 8 * HOUR + 1800 + 4800]),  # the first way is through in time
        ((15 * HOUR, 16 * HOUR), [8 * HOUR + 1200, 8 * HOUR + 3000]),
    ],
)
def test_ways_are_longer_while_it_is_closed(shut: tuple[int, int] | None, starts: list[int]) -> None:
    assert _starts(_planned(_day(8 * HOUR, 8 * HOUR, shut=shut))) == starts


def test_who_need_not_leave_before_it_is_open_again_drives_as_always() -> None:
    open_again = _planned(_day(8 * HOUR, 14 * HOUR, shut=(8 * HOUR, 12 * HOUR)))
    assert float(open_again.state.node[2, 2]) == 1200.0
    assert _starts(open_again)[1] == 14 * HOUR


def test_setting_out_later_is_never_arriving_earlier() -> None:
    shut = (9 * HOUR, 11 * HOUR)
    found = [_starts(_planned(_day(8 * HOUR, shut=shut, now=now)))[0] for now in range(8 * HOUR, 12 * HOUR, 600)]
    assert found == sorted(found)
    assert found[0] == 8 * HOUR + 1200
    assert found[-1] == 12 * HOUR - 600 + 1200


def test_closures_of_a_while_are_apart_from_those_of_the_day() -> None:
    ring = ((31.34, 118.40), (31.34, 118.41), (31.35, 118.41), (31.35, 118.40))
    places = ((31.345, 118.39), (31.345, 118.42), (31.33, 118.39))
    always, noon = Closure(ring), Closure(factor=2.0, since=11 * HOUR, until=13 * HOUR)

    def ways(*closures: Closure) -> tuple[NDArray[np.float64], object]:
        given = Ways(places, 4.2, 1.3, closures=closures)
        return table(given), closed_for_a_while(table(given), given)

    plain, none = ways()
    assert none is None
    assert ways(always)[1] is None
    still, found = ways(noon)
    assert (still == plain).all()
    assert isinstance(found, tuple)
    assert (found[0] == plain * 2).all()
    assert found[1] == (11 * HOUR, 13 * HOUR)
    around, both = ways(always, noon, Closure(ring, until=12 * HOUR))
    assert around[0, 1] > plain[0, 1]
    assert isinstance(both, tuple)
    assert (both[0] >= around).all()
    assert both[1] == (0, 13 * HOUR)
