"""Who is missing: what is said of people who are not there must be true of them once they are."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.planning.days import small_day
from tests.planning.planned import planned
from tests.planning.test_day import carer, day, visit

often = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_kitchen_lacks_couriers_at_noon() -> None:
    meals = [
        visit(f"m{at}", skills=["meal"], x=2, duration_min=5, window=[660, 690], deliver_within_min=20, depot="home")
        for at in range(7)
    ]
    people = [carer("a", skills=["meal"], capacity=2, max_trips=1)]
    answer = planned(day(people, meals))
    (one,) = answer["missing"]
    assert one == {
        "people": 3,
        "from": 645,
        "to": 690,
        "skills": [["meal"]],
        "depot": "home",
        "visits": one["visits"],
    }
    assert sorted(one["visits"]) == sorted(left["visit"] for left in answer["unplanned"])
    enough = [carer(f"b{at}", skills=["meal"], capacity=2, max_trips=1) for at in range(3)]
    assert planned(day([*people, *enough], meals))["unplanned"] == []


def test_two_people_are_missing_where_two_are_needed() -> None:
    answer = planned(day([carer("a")], [visit("v", carers=2, skills=["bath"], required_sex="f")]))
    (one,) = answer["missing"]
    assert (one["people"], one["sex"], one["visits"]) == (2, "f", ["v"])


def test_nobody_is_missing_where_nobody_more_would_help() -> None:
    assert planned(day([carer("a")], [visit("v", avoid=["a"])]))["missing"] == []
    assert planned(day([carer("a")], [visit("v")]))["missing"] == []
    assert planned(day([], []))["missing"] == []


@often
@given(st.integers(0, 10**6), st.integers(4, 14), st.integers(1, 4))
def test_those_who_are_missing_would_do_what_is_left_out(seed: int, visits: int, carers: int) -> None:
    problem = small_day(seed, visits, carers)
    for one in (*problem["responders"], *(row for row in problem["visits"] if "depot" in row)):
        one["depot"] = "d0"
    answer = planned(problem)
    rows = {row["id"]: row for row in problem["visits"]}
    left = {one["visit"] for one in answer["unplanned"]}
    for one in answer["missing"]:
        assert left.issuperset(one["visits"])
        left -= set(one["visits"])
        people: list[dict[str, Any]] = [
            {
                "id": f"new{at}",
                "shift": [one["from"], one["to"]],
                "skills": one["skills"][at % len(one["skills"])],
                "sex": one.get("sex", "f"),
                "depot": "d0",
                "max_trips": 9,
            }
            for at in range(one["people"])
        ]
        theirs = [{**rows[name], "avoid": [], "prefer": [], "mandatory": True} for name in one["visits"]]
        assert planned({**problem, "responders": people, "visits": theirs}, seconds=0.2)["unplanned"] == []
