"""The station manager at the end of the month: lunches claimed by keyboard, refused ones with their reason, the month
closed. On an API of its own: no hub is started for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hub.console import mount_console
from hub.console.pages import DIST
from hub.ports import EntryRow
from tests.api.desk import PASSWORD, Desk, open_desk
from tests.api.settlement import meal, settle_world, visit

pytestmark = [pytest.mark.browser]


@pytest.fixture
def lunches(database_url: str) -> Iterator[Desk]:
    """October of provider PA: lunches, one twice on a card, one after admission; an hour of a volunteer."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with open_desk(database_url, throttle=()) as desk:
        mount_console(desk.app)
        settle_world(desk)
        for day in range(1, 11):
            meal(desk, "C1", "R1", f"2026-10-{day:02d}T11:30:00+08:00", "K1")
        meal(desk, "C1", "R2", "2026-10-03T12:10:00+08:00", "K1")
        admitted = {"from": "home", "to": "hospital", "reason": "住院"}
        with desk.database.begin() as tx:
            at = datetime.fromisoformat("2026-10-08T09:00:00+08:00")
            tx.timeline.add(EntryRow(at, "resident", "R2", "status", body=admitted))
        meal(desk, "C1", "R2", "2026-10-09T11:40:00+08:00", "K2")
        visit(desk, "V1", "R1", "2026-10-09T15:00:00+08:00", 60)
        yield desk


def sign_in(page: Page, desk: Desk, username: str, path: str = "") -> None:
    page.goto(f"{desk.base}/{path}")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")


def test_the_station_manager_claims_lunches_and_closes_the_month(lunches: Desk, page: Page) -> None:
    sign_in(page, lunches, "manager-a")
    expect(page.get_by_role("heading", name="结算")).to_be_visible(timeout=30_000)
    # A provider's own pages, and nothing of the emergencies.
    expect(page.get_by_role("navigation").get_by_role("link", name="告警")).to_have_count(0)
    page.get_by_label("月份").fill("2026-10")
    page.get_by_label("月份").press("Enter")
    expect(page.get_by_text("这个月还没有申报")).to_be_visible(timeout=30_000)

    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("哪些服务").select_option("meals")
    expect(dialog).to_contain_text("可申报 10 笔，共 150.00 元", timeout=30_000)
    expect(dialog).to_contain_text("不予支付 2 笔")
    expect(dialog).to_contain_text("同一餐卡同一餐重复申报")
    expect(dialog).to_contain_text("入院后的服务")
    dialog.get_by_role("button", name="确认申报").press("Enter")
    expect(page.get_by_text("12 笔申报")).to_be_visible(timeout=30_000)
    rows = page.locator(".settlement-month tbody tr")
    expect(rows).to_have_count(12)

    page.keyboard.press("f")
    expect(rows).to_have_count(2, timeout=30_000)
    rows.first.get_by_role("button").click()
    card = page.locator(".claim-card")
    expect(card).to_contain_text("服务凭证", timeout=30_000)
    expect(card).to_contain_text("同一餐卡同一餐重复申报")

    page.keyboard.press("l")
    page.get_by_label("我已核对上面的金额").press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".settlement-do")).to_contain_text("账目不再更改", timeout=30_000)
    for name in ("申报", "月末结账"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("link", name="CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.count("不予支付") == 2
    assert "合计" in text


def test_a_volunteer_sees_the_own_hours_on_the_phone(lunches: Desk, context: BrowserContext) -> None:
    phone = context.new_page()
    phone.set_viewport_size({"width": 390, "height": 844})
    sign_in(phone, lunches, "volunteer-1", "m/")
    phone.get_by_role("button", name="我的").click(timeout=30_000)
    card = phone.locator(".hours-card")
    expect(card).to_contain_text("1 小时 0 分", timeout=30_000)
    expect(card).to_contain_text("陈秀英")
    card.get_by_role("button", name="使用时长").click()
    card.get_by_label("用于").fill("陪同就医")
    card.get_by_label("小时").fill("2")
    card.get_by_role("button", name="使用时长").click()
    expect(card.get_by_role("alert")).to_contain_text("余额不足：现有 1 小时 0 分，需要 2 小时 0 分")
    card.get_by_label("小时").fill("0.5")
    card.get_by_role("button", name="使用时长").click()
    expect(card.get_by_role("status")).to_contain_text("已使用 0 小时 30 分")
    expect(card.locator(".hours-sum")).to_have_text("0 小时 30 分")
    expect(card).to_contain_text("陪同就医")
