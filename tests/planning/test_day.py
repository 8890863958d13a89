"""Days small enough to know the right answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.planning.planned import planned


def carer(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "shift": [480, 1020], "skills": ["care"], "sex": "f", "depot": "home", **more}


def visit(name: str, opens: float = 540, **more: Any) -> dict[str, Any]:
    return {"id": name, "x": 1, "y": 0, "duration_min": 30, "window": [opens, opens + 60], "skills": ["care"], **more}


def day(responders: list[dict[str, Any]], visits: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    travel = {"speed_kmh": 15}
    depots = [{"id": "home", "x": 0, "y": 0}]
    return {"depots": depots, "responders": responders, "visits": visits, "travel": travel, **more}


def who(answer: dict[str, Any], name: str) -> list[str]:
    return [route["responder"] for route in answer["routes"] for stop in route["stops"] if stop["visit"] == name]


def only_reason(answer: dict[str, Any]) -> tuple[str, str]:
    assert len(answer["unplanned"]) == 1
    return answer["unplanned"][0]["code"], answer["unplanned"][0]["reason"]


def test_a_day_without_anything() -> None:
    assert planned(day([], []))["routes"] == []
    assert planned(day([carer("a")], []))["routes"] == [{"responder": "a", "stops": []}]
    assert only_reason(planned(day([], [visit("v")])))[0] == "no-skill"


def test_the_depot_is_left_just_in_time() -> None:
    answer = planned(day([carer("a")], [visit("v")]))
    route = answer["routes"][0]
    assert route["leave"] == 536  # 1 km at 15 km/h
    stop = route["stops"][0]
    assert (stop["arrive"], stop["start"], stop["leave"]) == (540, 540, 570)
    assert route["back"] == 574
    assert "the only one who may" in stop["why"]


def test_times_go_out_as_they_came_in() -> None:
    people = [carer("a", shift=["2026-11-23T08:00:00+08:00", "2026-11-23T17:00:00+08:00"])]
    one = visit("v", window=["2026-11-23T09:00:00+08:00", "2026-11-23T10:00:00+08:00"])
    stop = planned(day(people, [one]))["routes"][0]["stops"][0]
    assert stop["start"] == "2026-11-23T09:00:00+08:00"
    people = [carer("a", shift=["08:00", "17:00"])]
    stop = planned(day(people, [visit("v", window=["09:00", "10:00"])]))["routes"][0]["stops"][0]
    assert stop["leave"] == "09:30"


def test_the_regular_carer_comes() -> None:
    answer = planned(day([carer("a"), carer("b")], [visit("v", prefer=["b"])]))
    assert who(answer, "v") == ["b"]


@pytest.mark.parametrize(
    ("people", "more", "code"),
    [
        ([carer("a", skills=[])], {}, "no-skill"),
        ([carer("a", sex="m")], {"required_sex": "f"}, "no-sex"),
        ([carer("a")], {"avoid": ["a"]}, "refused"),
        ([carer("a", shift=[480, 560])], {}, "no-shift"),
        ([carer("a")], {"carers": 2}, "one-carer"),
        ([carer("a", capacity=2)], {"load": 3}, "too-big"),
        ([carer("a")], {"deliver_within_min": 3}, "too-far"),
        ([carer("a")], {"mandatory": False, "x": 30}, "optional"),
    ],
)
def test_every_unplanned_visit_says_why(people: list[dict[str, Any]], more: dict[str, Any], code: str) -> None:
    objective = {"unplanned": 100} if code == "optional" else {}
    found, reason = only_reason(planned(day(people, [visit("v", **more)], objective=objective)))
    assert (found, bool(reason)) == (code, True)


def test_slightly_late_rather_than_not_at_all() -> None:
    at_once = [visit(f"v{at}", window=[540, 540]) for at in range(3)]
    answer = planned(day([carer("a")], at_once))
    assert answer["unplanned"] == []
    assert answer["cost"]["late_min"] == 30 + 60


def test_a_crew_does_what_takes_two_and_shares_the_van() -> None:
    people = [carer("a", crew="van", skills=["bath"]), carer("b", crew="van", skills=["bath", "care"]), carer("c")]
    answer = planned(day(people, [visit("bath", carers=2, skills=["bath"]), visit("care", opens=660, avoid=["c"])]))
    assert who(answer, "bath") == ["a", "b"]
    assert who(answer, "care") == ["b"]
    first, second = answer["routes"][:2]
    assert (first["leave"], first["back"]) == (second["leave"], second["back"])


def test_the_second_carer_comes_within_the_gap() -> None:
    people = [carer("a", skills=["nurse"]), carer("b", skills=["bath"])]
    both = visit("v", carers=2, skills=[["nurse"], ["bath"]], sync="precedence", gap_min=[20, 40])
    answer = planned(day(people, [both]))
    starts = {route["responder"]: route["stops"][0]["start"] for route in answer["routes"]}
    assert 20 <= starts["b"] - starts["a"] <= 40


def test_a_courier_loads_again_before_the_meals_are_cold() -> None:
    meals = [visit(f"m{at}", x=2, y=0, duration_min=5, window=[660, 720], deliver_within_min=20) for at in range(4)]
    answer = planned(day([carer("a", capacity=2, max_trips=3)], meals, reload_min=4))
    route = answer["routes"][0]
    assert [trip["load"] for trip in route["trips"]] == [2, 2]
    assert answer["unplanned"] == []


def test_a_break_is_kept_free() -> None:
    people = [carer("a", breaks=[["12:00", "12:30"]], shift=["08:00", "17:00"])]
    rows = [visit(f"v{at}", window=["11:00", "13:00"], duration_min=45) for at in range(3)]
    route = planned(day(people, rows))["routes"][0]
    assert route["breaks"] == [{"start": "12:00", "end": "12:30"}]


def test_who_sets_out_after_a_break_leaves_just_in_time() -> None:
    answer = planned(day([carer("li", breaks=[{"window": [660, 810], "duration_min": 30}])], [visit("v", 900)]))
    (route,) = answer["routes"]
    assert route["breaks"][0]["end"] <= route["leave"]
    assert route["stops"][0]["arrive"] == route["stops"][0]["start"]


def test_a_break_that_is_past_stands_in_nobodys_way() -> None:
    """Planned again in the afternoon: whether lunch was had is no question any more."""
    people = [carer("li", breaks=[{"window": [660, 810], "duration_min": 30}])]
    assert who(planned(day(people, [visit("v", 930)], now=900)), "v") == ["li"]
    morning = visit("m", 540, frozen={"responder": "li", "start": 540})
    assert who(planned(day(people, [morning, visit("v", 930)], now=900)), "v") == ["li"]


def test_frozen_visits_stay_and_conflicts_are_told() -> None:
    both = [
        visit("v", frozen={"responder": "a", "start": 600}),
        visit("w", x=20, frozen={"responder": "a", "start": 610}),
    ]
    answer = planned(day([carer("a")], both))
    assert [stop["start"] for stop in answer["routes"][0]["stops"]] == [600, 610]
    assert [one["visit"] for one in answer["conflicts"]] == ["w"]


def test_behind_a_promise_before_the_shift_work_begins_with_the_shift() -> None:
    both = [visit("early", frozen={"responder": "a", "start": 480}), visit("v", opens=500)]
    answer = planned(day([carer("a", shift=[540, 1020])], both))
    assert [stop["start"] for stop in answer["routes"][0]["stops"]] == [480, 540]


def test_the_example_of_the_documentation_can_be_planned() -> None:
    text = (Path(__file__).parents[2] / "docs" / "planning.md").read_text(encoding="utf-8")
    problem = json.loads(text.partition("```json\n")[2].partition("```")[0])
    answer = planned(problem)
    assert answer["unplanned"] == []
    assert who(answer, "v2") == ["wang", "zhao"]
    assert who(answer, "v1") == ["li"]
