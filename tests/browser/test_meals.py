"""Meals in a real browser: the courier's three taps, a door nobody answers, the canteen's desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import open_desk, open_phone
from tests.browser.test_phone import PHONE
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

POINT = "ST-MEAL"
EATERS = ("R-0001", "R-0002", "R-0003")
ALL_DAY = {"cutoff_min": 0, "from_min": 0, "to_min": 1439, "capacity": 80}


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201, 202), answer.text
    body: dict[str, Any] = answer.json()
    return body


def breakfast(client: httpx.Client, mode: str, residents: tuple[str, ...]) -> dict[str, str]:
    """Orders of today's breakfast by resident; the cut-off is over, so a coordinator says why."""
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    if (now.hour, now.minute) >= (23, 50):
        pytest.skip("the day is about to change")
    wanted = {"day": now.date().isoformat(), "meal": "breakfast", "mode": mode, "station_id": POINT}
    reason = {"override_reason": "临时加餐"}
    return {
        one: str(ok(client.post("/api/v1/meals/orders", json={**wanted, **reason, "resident_id": one}))["order_id"])
        for one in residents
    }


def published(client: httpx.Client) -> None:
    """Lays a table: hours, a menu, three breakfasts to be brought by 吴强, the round published."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    hours = {"hours": {"breakfast": ALL_DAY}}
    ok(client.patch(f"/api/v1/meals/points/{POINT}", json=hours))
    for ident, name, diets in (
        ("d-zhou", "小米粥 鸡蛋", ["soft", "low_salt"]),
        ("d-bao", "青菜包 豆浆", ["vegetarian"]),
    ):
        ok(client.post("/api/v1/meal-dishes", json={"id": ident, "name": name, "diets": diets}))
    menu = {
        "station_id": POINT,
        "day": today,
        "meal": "breakfast",
        "dishes": [{"dish_id": "d-bao"}, {"dish_id": "d-zhou"}],
    }
    ok(client.post("/api/v1/meals/menus", json=menu))
    breakfast(client, "delivery", EATERS)
    asked = {"station_id": POINT, "day": today, "meal": "breakfast", "couriers": ["S-WUQIANG"], "seconds": 1}
    path = f"/api/v1/meals/rounds/{ok(client.post('/api/v1/meals/rounds', json=asked))['id']}"

    def ready() -> bool:
        found = ok(client.get(path))
        assert found["error"] is None, found
        return bool(found["state"] == "ready")

    wait_until(ready, 60, what="the round to be planned")
    ok(client.post(f"{path}/publish"))


def test_three_taps_at_the_door_and_twice_on_one_card(browser: Browser, desk_hub: RunningHub, page: Page) -> None:
    with desk_hub.sign_in("coordinator") as client:
        published(client)
        breakfast(client, "dine_in", ("R-0004",))
    phone = browser.new_context(**PHONE, service_workers="block")
    bag = phone.new_page()
    open_phone(bag, desk_hub, "wuqiang")
    bag.locator("[data-leave]").tap()
    stop = bag.locator(".card[data-stop]")
    expect(stop).to_have_attribute("data-stop", "1")
    expect(stop).to_contain_text("第 1 站，共 3 站")
    tall = stop.evaluate("card => [...card.querySelectorAll('.round-taps .big')].map((one) => one.offsetHeight)")
    assert len(tall) == 3
    assert min(tall) >= 52
    stop.locator("[data-tap=handed_over]").tap()
    expect(stop).to_have_attribute("data-stop", "2")
    # No signal on the stairs: the tap is kept, and the round goes on.
    phone.set_offline(True)
    stop.locator("[data-tap=left_with]").tap()
    stop.get_by_role("button", name="邻居").tap()
    stop.locator("[data-confirm]").tap()
    expect(stop).to_have_attribute("data-stop", "3")
    expect(bag.locator(".sync")).to_contain_text("待上报")
    phone.set_offline(False)
    stop.locator("[data-tap=no_answer]").tap()
    stop.locator("[data-confirm]").tap()
    expect(bag.locator(".round-all")).to_be_visible()

    def results() -> list[Any]:
        return desk_hub.rows(
            "SELECT result, left_with, incident_id FROM meal_orders WHERE meal = 'breakfast' AND stop > 0 ORDER BY stop"
        )

    wait_until(lambda: all(row["result"] for row in results()) and results()[-1]["incident_id"], 30, what="three taps")
    assert [(row["result"], row["left_with"]) for row in results()] == [
        ("handed_over", None),
        ("left_with", "邻居"),
        ("no_answer", None),
    ]
    phone.close()
    # The station manager: the door is on the page, the canteen serves each once.
    open_desk(page, desk_hub, "coordinator", path="#/meals")
    page.get_by_role("button", name="早餐").click()
    door = page.locator(".meal-doors li")
    expect(door).to_have_count(1)
    expect(door).to_contain_text("无人应答")
    expect(door.get_by_role("link")).to_have_attribute("href", f"#/alarms/{results()[-1]['incident_id']}")
    expect(page.locator("[data-number=no_answer] dd")).to_have_text("1")
    page.get_by_role("link", name="堂食登记").click()
    name = desk_hub.rows("SELECT name FROM residents WHERE id = 'R-0004'")[0]["name"]
    for said in (f"{name}：已登记就餐", "不能重复登记"):
        page.locator(".meal-desk-find .grow input").fill("R-0004")
        page.locator("[data-resident=R-0004]").get_by_role("button").click()
        expect(page.locator(".meal-desk-said")).to_contain_text(said)
    served = desk_hub.rows("SELECT code FROM meal_refusals")
    assert [row["code"] for row in served] == ["meal-served-twice"]
