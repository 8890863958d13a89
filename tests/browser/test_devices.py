"""The page of devices: what is chosen is chosen among all of them, not among those on the screen."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import open_desk, press, watch_of
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser


def test_silent_and_low_devices_are_found_beyond_the_first_page(page: Page, desk_hub: RunningHub) -> None:
    with psycopg.connect(desk_hub.database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO devices (id, family) SELECT 'Z-' || n, 'care' FROM generate_series(100, 220) n")
        connection.execute("UPDATE devices SET online = true, battery_pct = 80, last_seen_at = now()")
        names = connection.execute("SELECT id FROM devices ORDER BY id DESC LIMIT 3").fetchall()
        (silent,), (low,), (unheard,) = names
        connection.execute("UPDATE devices SET online = false WHERE id = %s", [silent])
        connection.execute("UPDATE devices SET battery_pct = 19 WHERE id = %s", [low])
        connection.execute("UPDATE devices SET online = NULL, last_seen_at = NULL WHERE id = %s", [unheard])
    open_desk(page, desk_hub, path="#/devices")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(100, timeout=20_000)
    for view, device in (("离线", silent), ("低电量", low), ("从未上报", unheard)):
        page.get_by_role("button", name=view, exact=True).click()
        expect(rows).to_have_count(1, timeout=20_000)
        expect(rows).to_contain_text(device)
    page.get_by_role("button", name="全部", exact=True).click()
    expect(rows).to_have_count(100, timeout=20_000)


def test_low_batteries_become_repair_orders_once_and_chatter_is_acted_on(page: Page, desk_hub: RunningHub) -> None:
    hall, kept = watch_of(desk_hub, "R-0002"), watch_of(desk_hub, "R-0003")
    with psycopg.connect(desk_hub.database_url, autocommit=True) as connection:
        connection.execute("UPDATE devices SET battery_pct = 9 WHERE id = ANY (%s)", [[hall, kept]])
        connection.execute(
            "UPDATE devices SET resident_id = NULL, name = %s,"
            " area_id = (SELECT min(id) FROM areas WHERE kind = 'grid') WHERE id = %s",
            ["活动室网关", hall],
        )
    for n in range(4):
        press(desk_hub, hall, f"h{n}", "low_battery")
    press(desk_hub, kept, "b1", "low_battery")
    open_desk(page, desk_hub, "supervisor", path="#/devices/work?look=battery")
    expect(page.locator("tr[data-matter]")).to_have_count(2)
    page.get_by_role("checkbox", name="选中可派的 2 项").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="为 2 项建维修单").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-outcome=wanted]")).to_have_count(2)
    dialog.get_by_label("给维修人员的话").fill("带电池")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-matter] a[href*=orders]")).to_have_count(2)
    orders = desk_hub.rows("SELECT resident_id, area_id, note FROM orders WHERE kind = 'device_repair'")
    assert sorted(one["resident_id"] or "" for one in orders) == ["", "R-0003"]
    assert all(one["note"] == "带电池" for one in orders)

    page.get_by_role("button", name="反复报警").click()
    line = page.locator("tr[data-matter]").filter(has_text="活动室网关")
    expect(line).to_contain_text("抖动")
    line.get_by_role("button", name="维护窗口").click()
    page.get_by_role("dialog").get_by_label("原因").fill("更换中")
    page.get_by_role("dialog").get_by_role("button", name="开始维护").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    (window,) = desk_hub.rows("SELECT kind, device_id FROM alarm_windows")
    assert window == {"kind": "maintenance", "device_id": hall}
    line.get_by_role("link", name="待派").click()
    drawer = page.locator(".order-drawer")
    expect(drawer).to_contain_text("活动室网关")
