"""No plan breaks a hard rule, whatever the day; what is frozen never moves; planning again without a change changes
nothing."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.planning.day_check import broken_rules, planned_starts
from tests.planning.days import district, disturbed, small_day
from tests.planning.planned import planned

days = st.builds(small_day, st.integers(0, 10**6), st.integers(1, 16), st.integers(1, 7))
often = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@often
@given(days)
def test_no_plan_breaks_a_hard_rule(problem: dict[str, Any]) -> None:
    assert broken_rules(problem, planned(problem)) == []


@often
@given(days)
def test_planning_again_without_a_change_changes_nothing(problem: dict[str, Any]) -> None:
    first = planned(problem)
    again = planned({**problem, "routes": first["routes"], "unplanned": first["unplanned"]}, seed=7)
    assert again["changes"] == []
    assert again["routes"] == first["routes"]
    assert [one["visit"] for one in again["unplanned"]] == [one["visit"] for one in first["unplanned"]]


@often
@given(days, st.integers(0, 10**6))
def test_what_is_frozen_never_moves(problem: dict[str, Any], seed: int) -> None:
    """Whatever happens around it: later hours, new visits, and promises that contradict one another."""
    first = planned(problem)
    changed = _frozen_here_and_there(problem, first, random.Random(seed))
    answer = planned(changed, seed=3)
    assert broken_rules(changed, answer) == []


def _frozen_here_and_there(problem: dict[str, Any], first: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    changed = copy.deepcopy(problem)
    starts = planned_starts(first)
    parts = {
        (stop["visit"], route["responder"]): stop.get("part", 1) for route in first["routes"] for stop in route["stops"]
    }
    for visit in changed["visits"]:
        name = visit["id"]
        if name in starts and rng.random() < 0.4:
            pairs = sorted((parts[name, who], who, start) for start, who in starts[name])
            visit["frozen"] = {"responders": [who for _, who, _ in pairs], "start": [start for _, _, start in pairs]}
        elif visit.get("carers", 1) == 1 and rng.random() < 0.1:
            who = rng.choice(changed["responders"])["id"]
            visit["frozen"] = {"responder": who, "start": rng.randint(400, 1000)}
    changed["routes"], changed["unplanned"] = first["routes"], first["unplanned"]
    if rng.random() < 0.5:
        changed["now"] = rng.randint(480, 800)
    place = {"x": 1, "y": 1}
    changed["visits"].append({"id": "new", **place, "duration_min": 20, "window": [800, 860], "skills": ["care"]})
    return changed


def test_the_same_seed_and_an_unfinished_day_give_a_whole_plan() -> None:
    """The search may be stopped at any moment: without any time there is a plan that keeps all rules."""
    problem = small_day(5, 40, 10)
    assert broken_rules(problem, planned(problem, seconds=0.0)) == []


def test_a_street_is_better_planned_than_by_the_nearest_carer() -> None:
    problem = district(3, visits=120, carers=24, kitchens=4)
    answer = planned(problem, seconds=1.5)
    assert broken_rules(problem, answer) == []
    assert answer["cost"]["total"] < answer["baseline"]["total"]


def test_a_carer_falls_ill_and_only_what_must_changes() -> None:
    problem = district(4, visits=120, carers=24, kitchens=4)
    first = planned(problem, seconds=1.0)
    ill = next(one["responder"] for one in first["routes"] if len(one["stops"]) > 3 and "crew" not in one)
    later = disturbed(problem, first, now=600, ill=ill, urgent=2)
    answer = planned(later, seconds=0.5)
    assert broken_rules(later, answer) == []
    assert {"urgent0", "urgent1"} <= {one["visit"] for one in answer["changes"]}
    assert len(answer["changes"]) < 60


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200))
def test_many_more_days(seed: int) -> None:
    problem = small_day(seed + 10**7, 30, 10)
    first = planned(problem, seconds=0.5)
    assert broken_rules(problem, first) == []
    changed = _frozen_here_and_there(problem, first, random.Random(seed))
    assert broken_rules(changed, planned(changed, seconds=0.3)) == []
