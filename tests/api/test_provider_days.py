"""Plans, routes and meals for an account of a provider: its own part, to be read, and nothing of others."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.api import schemas_day_plans, views_meals
from hub.api.provider_roles import OF_PROVIDERS
from hub.api.roles import TABLE
from tests.api.desk import Desk
from tests.api.provider_day import DAY, ProviderDay, provider_day
from tests.api.settlement import ok, settle_world
from tests.api.test_everyday import check

BASE = "/api/v1"
ON = {"date": DAY}
LUNCH = {**ON, "meal": "lunch"}


@pytest.fixture(scope="module")
def desk_of_two(shared: Desk) -> tuple[Desk, ProviderDay]:
    settle_world(shared)
    return shared, provider_day(shared)


Two = tuple[Desk, ProviderDay]


def _seats(two: Two) -> tuple[httpx.Client, httpx.Client, httpx.Client]:
    return two[0].seat("manager-a"), two[0].seat("manager-b"), two[0].seat("boss")


def test_each_sees_its_own_part_of_a_published_plan(desk_of_two: Two) -> None:
    one, other, boss = _seats(desk_of_two)
    day = desk_of_two[1]
    listed = ok(one.get(f"{BASE}/plans", params=ON))
    check(schemas_day_plans.DayPlanList, listed)
    assert [plan["id"] for plan in listed["items"]] == [day.plan], "no proposal, no plan of others"
    assert {plan["id"] for plan in ok(other.get(f"{BASE}/plans", params=ON))["items"]} == {day.plan, day.only_b}
    assert len(ok(boss.get(f"{BASE}/plans", params=ON))["items"]) == 3
    mine = ok(one.get(f"{BASE}/plans/{day.plan}"))
    check(schemas_day_plans.DayPlan, mine)
    for name, ident in (("changes", day.orders["PA"]), ("unplanned", day.meals["PA"]), ("conflicts", day.orders["PA"])):
        assert [row["order_id"] for row in mine[name]] == [ident], name
    assert [row["responder_id"] for row in mine["events"]] == ["C1"]
    change = mine["changes"][0]
    assert (change["was"], change["now"]["responder_ids"]) == (None, ["C1"]), "who had it before is not theirs"
    assert mine["counts"] == {
        "orders": 2, "planned": 1, "unplanned": 1, "responders": 1, "conflicts": 1, "changes": 1,
    }  # fmt: skip
    assert (mine["cost"], mine["baseline"], mine["reason"]) == ({}, {}, None)
    whole = ok(boss.get(f"{BASE}/plans/{day.plan}"))
    assert (len(whole["changes"]), whole["counts"], whole["unplanned"][0]["reason_zh"]) == (
        2,
        {"orders": 770770770},
        "送餐C3的资质已过期",
    )
    assert mine["unplanned"][0]["reason_zh"] == "在岗人员的资质已过期"
    # C3 is PB's by its station alone: its side of PB's change is shown to PB.
    theirs = ok(other.get(f"{BASE}/plans/{day.plan}"))["changes"][0]
    assert (theirs["was"]["responder_ids"], theirs["now"]["responder_ids"]) == (["C3"], ["C2"])
    for foreign in (day.only_b, day.proposal):
        assert one.get(f"{BASE}/plans/{foreign}").status_code == 404
    assert other.get(f"{BASE}/plans/{day.only_b}").status_code == 200


def test_routes_are_those_of_the_own_people_with_the_own_visits(desk_of_two: Two) -> None:
    one, other, boss = _seats(desk_of_two)
    day = desk_of_two[1]
    routes = ok(one.get(f"{BASE}/routes", params=ON))
    check(schemas_day_plans.RouteList, routes)
    assert [route["responder_id"] for route in routes["items"]] == ["C1"]
    assert [stop["visit_id"] for stop in routes["items"][0]["stops"]] == [day.visits["PA"]]
    assert routes["items"][0]["trips"][0]["visits"] == [day.visits["PA"]]
    assert len(ok(boss.get(f"{BASE}/routes", params=ON))["items"][0]["stops"]) == 2
    for foreign in (day.proposal, day.only_b):
        assert ok(one.get(f"{BASE}/routes", params={**ON, "plan": foreign}))["items"] == []
    assert ok(one.get(f"{BASE}/routes", params={**ON, "responder": "C2"}))["items"] == []
    assert [route["responder_id"] for route in ok(other.get(f"{BASE}/routes", params=ON))["items"]] == ["C2"]
    why = ok(one.get(f"{BASE}/plans/{day.plan}/visits/{day.visits['PA']}/why"))
    assert why["responder_ids"] == ["C1"]
    assert {who for row in why["alternatives"] for who in row["responder_ids"]} <= {"C1"}
    assert one.get(f"{BASE}/plans/{day.plan}/visits/{day.visits['PB']}/why").status_code == 404
    assert one.get(f"{BASE}/plans/{day.proposal}/visits/{day.visits['PA']}/why").status_code == 404


def test_meals_are_those_of_the_own_kitchens(desk_of_two: Two) -> None:
    one, other, boss = _seats(desk_of_two)
    day = desk_of_two[1]
    kitchen = ok(one.get(f"{BASE}/meals/day", params=LUNCH))
    check(views_meals.MealDay, kitchen)
    assert [point["station_id"] for point in kitchen["items"]] == ["KA"]
    assert kitchen["totals"]["ordered"] == 1
    assert ok(boss.get(f"{BASE}/meals/day", params=LUNCH))["totals"]["ordered"] == 2
    rows = ok(one.get(f"{BASE}/meals/list", params={**LUNCH, "station": "KA"}))["items"]
    assert [(row["order_id"], row["resident"]["name"]) for row in rows] == [(day.meals["PA"], "陈秀英")]
    sheet = one.get(f"{BASE}/meals/list", params={**LUNCH, "station": "KA", "format": "csv"})
    assert "陈秀英" in sheet.text
    for path in ("meals/list", "meals/menus"):
        for form in ("json", "csv"):
            foreign = {**LUNCH, "station": "KB", "format": form, "from": DAY}
            assert one.get(f"{BASE}/{path}", params=foreign).status_code == 404, path
            assert one.get(f"{BASE}/{path}", params={**foreign, "station": ""}).status_code == 404, path
    assert len(ok(one.get(f"{BASE}/meals/menus", params={"station": "KA", "from": DAY}))["items"]) == 1
    doors = ok(one.get(f"{BASE}/meals/unanswered", params=ON))
    assert [row["order_id"] for row in doors["items"]] == [day.meals["PA"]]
    assert [row["resident"]["id"] for row in doors["refusals"]] == ["R1"]
    assert len(ok(boss.get(f"{BASE}/meals/unanswered", params=ON))["refusals"]) == 2
    assert [row["id"] for row in ok(one.get(f"{BASE}/meals/rounds", params=ON))["items"]] == [day.rounds["PA"]]
    mine = ok(one.get(f"{BASE}/meals/rounds/{day.rounds['PA']}"))
    assert mine["trips"][0]["courier"]["id"] == "C1"
    assert mine["trips"][0]["stops"][0]["resident"]["door"] is None
    assert one.get(f"{BASE}/meals/rounds/{day.rounds['PB']}").status_code == 404
    assert ok(other.get(f"{BASE}/meals/rounds/{day.rounds['PB']}"))["station_id"] == "KB"
    assert [row["id"] for row in ok(one.get(f"{BASE}/meal-dishes"))["items"]] == ["DA", "DX"]
    assert one.get(f"{BASE}/meal-dishes/DB").status_code == 404
    assert {row["id"] for row in ok(one.get(f"{BASE}/stations"))["items"]} == {"KA", "ST1"}


def test_all_of_it_is_to_be_read_only(desk_of_two: Two) -> None:
    """Whatever changes plans, routes or meals is closed to accounts of a provider, by the table and by the server."""
    one, day = desk_of_two[0].seat("manager-a"), desk_of_two[1]
    ids: dict[str, Any] = {"plan_id": day.plan, "round_id": day.rounds["PA"], "order_id": day.meals["PA"]}
    ids |= {"visit_id": day.visits["PA"], "station_id": "KA", "record_id": "DA"}
    tried = 0
    for method, template in TABLE:
        about = template.removeprefix(f"{BASE}/").startswith(("plans", "routes", "meals", "meal-dishes", "visits"))
        if not about or method == "GET":
            continue
        assert (method, template) not in OF_PROVIDERS, template
        path = template
        while "{" in path:
            before, _, rest = path.partition("{")
            name, _, after = rest.partition("}")
            path = before + ids.get(name, "00000000-0000-0000-0000-000000000000") + after
        assert one.request(method, path, json={}).status_code == 403, template
        tried += 1
    assert tried >= 15
    for path in (f"plans/{day.plan}/compare", "meals/desk?q=R1&meal=lunch", "teleconsults"):
        assert one.get(f"{BASE}/{path}").status_code == 403, path
