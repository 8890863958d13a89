"""The manager of a provider reads the published day and the meals of the own kitchen, and changes neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hub.console import mount_console
from hub.console.pages import DIST
from tests.api.desk import Desk, open_desk
from tests.api.provider_day import DAY, provider_day
from tests.api.settlement import settle_world
from tests.browser.test_home import PICTURES
from tests.browser.test_look import check
from tests.browser.test_settlement import sign_in

pytestmark = [pytest.mark.browser]


@pytest.fixture
def providers(database_url: str) -> Iterator[Desk]:
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with open_desk(database_url, throttle=()) as desk:
        mount_console(desk.app)
        settle_world(desk)
        provider_day(desk)
        yield desk


def test_a_manager_reads_the_own_day_and_kitchen(providers: Desk, page: Page, tmp_path: Path) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    sign_in(page, providers, "manager-a")
    expect(page.get_by_role("heading", name="结算")).to_be_visible(timeout=30_000)
    page.goto(f"{providers.base}/#/orders/day?date={DAY}")
    main = page.locator(".orders-page")
    expect(main).to_contain_text("送餐C1", timeout=30_000)
    expect(main.get_by_text("陈秀英").first).to_be_visible(timeout=30_000)
    expect(main.get_by_role("button", name="新建工单")).to_be_disabled()
    expect(page.get_by_role("link", name="排程", exact=True)).to_have_count(0)
    assert check(page, "provider-day", folder) == []
    page.goto(f"{providers.base}/#/meals")
    page.locator(".meals-day").wait_for(timeout=30_000)
    page.locator("input[type=date]").fill(DAY)
    page.get_by_role("button", name="午餐").click()
    expect(page.locator("[data-point=KA]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-point]")).to_have_count(1)
    expect(page.locator("[data-door]")).to_have_count(1)
    page.locator("[data-point=KA]").get_by_role("button").click()
    expect(page.locator(".meal-panel [data-meal]")).to_contain_text("陈秀英", timeout=30_000)
    expect(page.get_by_role("link", name="堂食登记")).to_have_count(0)
    assert check(page, "provider-meals", folder) == []
    for foreign in ("赵国华", "送餐C2", "东门助餐点"):
        expect(page.get_by_text(foreign)).to_have_count(0)
    # Duties and seats are the district's: the pages live without them, and ask for nothing else that they may not see.
    assert {url.split("/api/v1/")[1].partition("?")[0] for url in refused} <= {"rota", "load/seats"}
