"""The compiled parts: what is taken back is as it was, orders are kept, and the same seed gives the same plan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.plan.arrays import LABEL, T_HARD, UNIT
from dispatch.plan.explain import explain
from dispatch.plan.ordering import global_order
from dispatch.plan.solve import first_plan, laid_out, search
from dispatch.plan.translate import Translation, translate
from hub.planning import day_file
from tests.planning.days import small_day


def made(seed: int, visits: int = 20) -> Translation:
    problem = json.dumps(small_day(seed, visits, 7)).encode()
    return translate(day_file.read(Path("day.json"), problem).day)


def still() -> float:
    return 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plan_laid_out_afresh_costs_what_the_search_said(seed: int) -> None:
    """Thousands of moves, most of them taken back, leave no trace in the sums."""
    day = made(seed)
    start, _ = first_plan(day.model)
    found = search(
        day.model, start, seed=seed, clock=still, until=1.0, droppable=True, run_seconds=1.0, most_moves=30_000
    )
    state, cost = laid_out(day.model, found.plan)
    assert cost == pytest.approx(found.cost, abs=1e-6)
    assert state.totals[T_HARD] == 0
    assert found.cost <= laid_out(day.model, start)[1]


def test_the_same_seed_gives_the_same_plan() -> None:
    day = made(4)
    start, _ = first_plan(day.model)
    plans = [
        search(
            day.model, start, seed=9, clock=still, until=1.0, droppable=True, run_seconds=1.0, most_moves=20_000
        ).plan
        for _ in range(2)
    ]
    assert np.array_equal(plans[0].unit, plans[1].unit)


def test_a_search_can_be_stopped() -> None:
    day = made(4)
    start, _ = first_plan(day.model)
    seen: list[float] = []

    def watch(_: float, share: float) -> bool:
        seen.append(share)
        return len(seen) < 3

    found = search(
        day.model, start, seed=1, clock=still, until=1.0, droppable=True, run_seconds=1.0, most_moves=10**9, watch=watch
    )
    assert len(seen) == 3
    assert laid_out(day.model, found.plan)[1] == pytest.approx(found.cost)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), unique=True, max_size=6), max_size=5))
def test_labels_rise_along_routes_that_can_be_driven(routes: list[list[int]]) -> None:
    """Routes drawn from one order can be driven; their labels rise. Others get labels too."""
    ordered = [[(float(visit), visit) for visit in sorted(route)] for route in routes]
    labels = dict(global_order(ordered))
    for route in ordered:
        along = [labels[visit] for _, visit in route]
        assert along == sorted(along)
        assert len(set(along)) == len(along)
    anyhow = global_order([[(float(at), visit) for at, visit in enumerate(route)] for route in routes])
    assert {visit for visit, _ in anyhow} == {visit for route in routes for visit in route}


def test_why_this_carer() -> None:
    day = made(2)
    start, _ = first_plan(day.model)
    found = search(day.model, start, seed=1, clock=still, until=1.0, droppable=True, run_seconds=1.0, most_moves=20_000)
    state, _ = laid_out(day.model, found.plan)
    planned = [v for v in range(day.model.n) if state.link[2 * v, UNIT] >= 0]
    before = found.plan.turn[:, LABEL].copy()
    for v in planned:
        told = explain(day, found.plan, day.day.visits[v].id)
        assert told.carers
        assert told.reasons
        assert all(one.why for one in told.alternatives)
        assert all(one.more is None or one.more >= -1e6 for one in told.alternatives)
    assert np.array_equal(before, found.plan.turn[:, LABEL])
    for v in set(range(day.model.n)) - set(planned):
        assert explain(day, found.plan, day.day.visits[v].id).reasons[0].startswith("left out: ")
    with pytest.raises(KeyError):
        explain(day, found.plan, "nobody")
