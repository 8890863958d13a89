"""The page of the desk's load: what is silenced is seen, set and ended there, with names."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import open_desk
from tests.fixtures.hub import RunningHub

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_a_silence_is_set_and_ended_on_the_page(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub, "operator", path="#/load")
    expect(page.get_by_role("heading", name="值守负荷")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("table").first).to_contain_text("从容", timeout=30_000)
    page.get_by_role("button", name="新建静默").click()
    dialog = page.get_by_role("dialog")
    device = desk_hub.rows("SELECT id FROM devices ORDER BY id LIMIT 1")[0]["id"]
    dialog.get_by_label("设备编号").fill(device)
    dialog.get_by_label("报警类型").select_option("low_battery")
    dialog.get_by_label("原因").fill("换电池")
    dialog.get_by_role("button", name="开始静默").click()
    line = page.get_by_role("row").filter(has_text=device).filter(has_text="换电池")
    expect(line).to_contain_text("周敏", timeout=30_000)
    line.get_by_role("button").click()
    page.get_by_role("dialog").get_by_label("原因").fill("已换")
    page.get_by_role("dialog").get_by_role("button", name="提前结束").click()
    expect(page.get_by_text("没有静默")).to_be_visible(timeout=30_000)
