"""The page of devices: what is chosen is chosen among all of them, not among those on the screen."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import open_desk
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
