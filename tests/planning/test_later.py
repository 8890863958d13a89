"""Who would wait on the road sets out later; nobody is worse off for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dispatch.plan import arrays as a
from dispatch.plan.later import later
from dispatch.plan.solve import first_plan, laid_out
from dispatch.plan.translate import translate
from hub.planning.day_file import read
from tests.planning.days import small_day
from tests.planning.planned import planned
from tests.planning.test_day import carer, day, visit

often = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def starts(answer: dict[str, Any]) -> list[float]:
    return [stop["start"] for stop in answer["routes"][0]["stops"]]


def test_the_first_visit_waits_for_the_second_one_at_home() -> None:
    answer = planned(day([carer("a")], [visit("v"), visit("w", opens=660)]))
    assert starts(answer) == [590, 660]  # ten minutes before its window ends
    assert answer["routes"][0]["leave"] == 586
    assert answer["cost"]["late_min"] == 0


def test_no_later_than_it_is_liked_promised_or_urgent() -> None:
    liked = planned(day([carer("a")], [visit("v", preferred_start=570), visit("w", opens=660)]))
    assert starts(liked) == [570, 660]
    frozen = {"responder": "a", "start": 545}
    assert starts(planned(day([carer("a")], [visit("v", frozen=frozen), visit("w", opens=660)]))) == [545, 660]
    assert starts(planned(day([carer("a")], [visit("v", priority="high"), visit("w", opens=660)]))) == [540, 660]


def test_two_carers_who_meet_keep_their_time() -> None:
    both = visit("both", carers=2)
    answer = planned(day([carer("a"), carer("b")], [both, visit("w", opens=660), visit("x", opens=660)]))
    assert {stop["start"] for route in answer["routes"] for stop in route["stops"] if stop["visit"] == "both"} == {540}


def test_a_plan_that_stands_keeps_the_later_times() -> None:
    """Also where something happens elsewhere, and where what was before is called off."""
    problem = day([carer("a"), carer("b", sex="m")], [visit("v"), visit("w", opens=660)])
    first = planned(problem)
    before = {"routes": first["routes"], "unplanned": []}
    urgent = visit("new", opens=700, required_sex="m")
    answer = planned({**problem, **before, "visits": [*problem["visits"], urgent]})
    assert {one["visit"] for one in answer["changes"]} == {"new"}
    fewer = planned({**problem, **before, "visits": problem["visits"][1:]})
    assert {one["visit"] for one in fewer["changes"]} == {"v"}


@often
@example(19797, 5, 6, 0.0)  # a later start would leave no room for a visit behind it
@given(st.integers(0, 10**6), st.integers(2, 16), st.integers(1, 6), st.sampled_from([0.0, 300.0, 600.0]))
def test_nobody_is_worse_off(seed: int, visits: int, carers: int, reserve: float) -> None:
    problem = read(Path("day.json"), json.dumps(small_day(seed, visits, carers)).encode())
    made = translate(problem.day)
    plan, _ = first_plan(made.model, made.start())
    early, cost = laid_out(made.model, plan)
    may = np.arange(made.model.n) % 3 > 0
    units = plan.unit.copy()
    raised, late, less = later(made.model, plan, may, reserve)
    assert (plan.unit == units).all()
    assert less <= cost + 1e-6
    assert (late.link[:, a.UNIT] == early.link[:, a.UNIT]).all()
    shift = late.node[:, a.TS] - early.node[:, a.TS]
    assert (shift >= -1e-6).all()
    for x in np.flatnonzero(shift > 1e-6):
        v = int(x) >> 1
        assert may[v]
        assert np.isnan(made.model.op[x, a.FIXED])
        assert late.link[2 * v + 1, a.UNIT] < 0  # nobody else is waited for there
        assert late.node[x, a.TS] <= made.model.win[v, 0, a.CLOSES] - reserve + 1e-6
    assert (late.node[:, a.LATE] <= early.node[:, a.LATE] + 1e-6).all()
    assert (late.route[:, a.R_HOME] <= early.route[:, a.R_HOME] + 1e-6).all()
    assert late.totals[a.T_HARD] <= early.totals[a.T_HARD] + 1e-6
    assert late.totals[a.T_WAIT] <= early.totals[a.T_WAIT] + 1e-6
    again, _ = laid_out(raised, plan)
    assert (again.node == late.node).all()
