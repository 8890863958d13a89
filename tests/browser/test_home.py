"""The page of residents and families, and the page behind an area's code, at 360 px: as people at home see them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.desk import SUN_WEI, live_incident, send_to
from tests.browser.test_look import check
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

ZHAO = "R-0004"
PICTURES = os.environ.get("CARE_TEST_PICTURES")
"""Where whoever renews docs/screenshots wants the pictures."""


def phone_of(browser: Browser, theme: Any = "light") -> BrowserContext:
    return browser.new_context(
        viewport={"width": 360, "height": 740},
        color_scheme=theme,
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        service_workers="block",
        reduced_motion="reduce",
    )


@pytest.fixture
def home(browser: Browser) -> Iterator[Page]:
    context = phone_of(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def operator(desk_hub: RunningHub) -> Iterator[httpx.Client]:
    with desk_hub.sign_in("operator") as client:
        yield client


def open_home(page: Page, hub: RunningHub, role: str = "resident", query: str = "") -> None:
    page.goto(f"{hub.base_url}/home{query}")
    given = hub.credentials(role)
    page.fill("input[name=username]", given["username"])
    page.fill("input[name=password]", given["password"])
    page.keyboard.press("Enter")
    expect(page.locator(".home .card").first).to_be_visible(timeout=15_000)


def raised(client: httpx.Client) -> list[Any]:
    return [
        one
        for one in client.get("/api/v1/incidents", params={"state": "live"}).json()["items"]
        if (one["resident"] or {}).get("id") == ZHAO
    ]


def test_a_press_is_confirmed_who_comes_is_said_and_so_is_that_nobody_was_called(
    home: Page, desk_hub: RunningHub, operator: httpx.Client
) -> None:
    open_home(home, desk_hub)
    home.locator(".help-button").tap()
    # A pocket's press is taken back.
    home.locator(".help").get_by_role("button", name="取消").tap()
    expect(home.locator(".help-button")).to_be_visible()
    assert raised(operator) == []
    keys: list[str] = []

    def lose_first_answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    home.route("**/my/help", lose_first_answer)
    home.locator(".help-button").tap()
    home.get_by_role("button", name="立即呼救").tap()
    steps = home.locator(".help-steps")
    expect(steps).to_contain_text("值守台已收到", timeout=20_000)
    expect(steps).to_contain_text("等待值守员受理")
    # The lost answer was asked for again under the same key: one call, not two.
    assert len(keys) == 2
    assert len(set(keys)) == 1
    incident = live_incident(operator, ZHAO)
    assert (incident["priority"], incident["alarms"]) == ("critical", 1)
    operator.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
    expect(steps).to_contain_text("值守员已受理", timeout=20_000)
    assignment = send_to(operator, incident["id"], SUN_WEI)
    with desk_hub.sign_in("staff") as officer:
        officer.post(f"/api/v1/assignments/{assignment}/en-route", json={})
        expect(steps).to_contain_text("孙伟 正在赶来", timeout=20_000)
        officer.post(f"/api/v1/assignments/{assignment}/on-scene", json={})
        expect(steps).to_contain_text("孙伟 已到达", timeout=20_000)
        officer.post(f"/api/v1/assignments/{assignment}/complete", json={"outcome": "safe"})
    operator.post(f"/api/v1/incidents/{incident['id']}/close", json={"disposition": "genuine", "summary": "已安抚"})
    expect(home.locator(".help-button")).to_be_visible(timeout=20_000)
    # Without a network the page says that nobody was called, whom to ring, and goes on trying.
    home.context.set_offline(True)
    home.locator(".help-button").tap()
    home.get_by_role("button", name="立即呼救").tap()
    expect(home.locator(".help-word")).to_have_text("还没有送出！", timeout=20_000)
    expect(home.locator(".help").get_by_role("link", name="打电话 120")).to_have_attribute("href", "tel:120")
    assert raised(operator) == []
    home.context.set_offline(False)
    expect(home.locator(".help-steps")).to_contain_text("值守台已收到", timeout=15_000)
    assert len(raised(operator)) == 1


def test_away_and_consents_are_the_residents_to_say_and_a_scanned_code_opens_a_matter(
    home: Page, desk_hub: RunningHub, operator: httpx.Client
) -> None:
    open_home(home, desk_hub)
    home.locator("[data-leave=true]").tap()
    home.locator("[data-away]").tap()
    expect(home.locator(".home-status")).to_have_text("外出")
    assert operator.get(f"/api/v1/residents/{ZHAO}").json()["status"] == "away"
    home.locator("[data-leave=false]").tap()
    expect(home.locator(".home-status")).to_have_text("在家")
    switch = home.locator("[data-purpose=photos]")
    switch.tap()
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.tap()
    expect(switch).to_have_attribute("aria-checked", "false")
    with desk_hub.sign_in("supervisor") as supervisor:
        actions = [one["action"] for one in supervisor.get("/api/v1/audit").json()["items"]]
    assert [one for one in actions if one.startswith("consent.")] == ["consent.withdrawn", "consent.given"]
    area = desk_hub.rows("SELECT id FROM areas WHERE kind = 'community' ORDER BY id LIMIT 1")[0]["id"]
    with desk_hub.sign_in("coordinator") as keeper:
        url = keeper.post(f"/api/v1/areas/{area}/code").json()["url"]
    home.goto(f"{desk_hub.base_url}{url}")
    before = operator.get("/api/v1/alarms").json()["items"]
    home.get_by_role("button", name="提交").tap()
    expect(home.get_by_role("alert")).to_contain_text("请先选择")
    home.get_by_text("遇到走失的老人").tap()
    home.fill("textarea", "菜场门口，穿蓝衣服")
    home.get_by_role("button", name="提交").tap()
    expect(home.get_by_role("status")).to_contain_text("值守台已收到")
    after = operator.get("/api/v1/alarms").json()["items"]
    assert len(after) == len(before) + 1
    assert (after[0]["type"], after[0]["priority"], after[0]["note"]) == ("wandering", "medium", "菜场门口，穿蓝衣服")
    home.goto(f"{desk_hub.base_url}/q/AAAAAAAAAAAAAAAAAAAAAA")
    expect(home.get_by_role("alert")).to_contain_text("已失效")


def test_home_and_public_page_are_usable_by_everybody(browser: Browser, desk_hub: RunningHub, tmp_path: Path) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    area = desk_hub.rows("SELECT id FROM areas WHERE kind = 'community' ORDER BY id LIMIT 1")[0]["id"]
    with desk_hub.sign_in("coordinator") as keeper:
        url = keeper.post(f"/api/v1/areas/{area}/code").json()["url"]
    problems: list[str] = []
    for theme, language in (("light", "zh"), ("dark", "en"), ("dark", "zh"), ("light", "en")):
        context = phone_of(browser, theme)
        page = context.new_page()
        open_home(page, desk_hub, query=f"?lang={language}")
        problems += check(page, f"home-{theme}-{language}", folder)
        smallest = page.evaluate(
            "Math.min(...[...document.querySelectorAll('.home p, .home li, .home button')]"
            ".map((one) => parseFloat(getComputedStyle(one).fontSize)))"
        )
        assert smallest >= 18
        if (theme, language) in (("dark", "en"), ("light", "en")):
            page.locator(".help-button, [data-again]").tap()
            page.locator(".help-go").tap()
            expect(page.locator(".help-steps")).to_be_visible(timeout=20_000)
            problems += check(page, f"home-called-{theme}-{language}", folder)
        page.goto(f"{desk_hub.base_url}{url}?lang={language}")
        expect(page.locator(".public-kind").first).to_be_visible()
        problems += check(page, f"public-{theme}-{language}", folder)
        context.close()
    assert not problems, "\n".join(problems)
