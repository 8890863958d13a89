"""The response plan on the console: whom it calls, a tier left out; and the page on which a supervisor edits plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import live_incident, open_desk, press, watch_of
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

SLOW = 30_000


def test_the_plan_of_an_incident_and_the_page_of_plans(browser: Browser, desk_hub: RunningHub, tmp_path: Path) -> None:
    with desk_hub.sign_in("supervisor") as supervisor:
        # The night has a plan of its own, and this test has no hour.
        night = supervisor.patch("/api/v1/response-plans/emergency_night", json={"active": False})
        assert night.status_code == 200, night.text
    with desk_hub.sign_in("operator2") as client:
        press(desk_hub, watch_of(desk_hub, "R-0002"), "plan1", "fall")
        incident = live_incident(client, "R-0002")
        client.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
        page = browser.new_context(viewport={"width": 1600, "height": 1100}, color_scheme="dark").new_page()
        open_desk(page, desk_hub, "supervisor", query="?lang=en")
        page.evaluate(f"location.hash = '#/alarms/{incident['id']}'")
        panel = page.locator(".plan-panel")
        expect(panel.locator("[data-tier]").first).to_be_visible(timeout=SLOW)
        panel.get_by_text("Not reached: call others").click()
        near = panel.locator("[data-tier='near']")
        expect(near).to_have_attribute("data-state", re.compile("running|done"), timeout=SLOW)
        expect(near.locator("[data-person]").first).to_contain_text("李师傅")
        page.locator(".plan-panel").scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "panel.png")
        later = panel.locator("[data-tier='medical']")
        later.get_by_role("button", name="Leave out").click()
        later.locator("input").fill("the nurse is at a bath")
        later.locator("form button").first.click()
        expect(later).to_have_attribute("data-state", "skipped", timeout=SLOW)
        expect(later).to_contain_text("the nurse is at a bath")
        page.evaluate("location.hash = '#/plans/health'")
        expect(page.locator(".plans-body")).to_contain_text("Station nurse", timeout=SLOW)
        page.screenshot(path=tmp_path / "plans.png")
        page.locator(".plans-body").get_by_role("button", name="Edit").click()
        dialog = page.locator("dialog[open]")
        dialog.locator("input[type=number]").first.fill("75")
        page.screenshot(path=tmp_path / "edit.png")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_have_count(0, timeout=SLOW)
        expect(page.locator(".plans-body")).to_contain_text("1:15", timeout=SLOW)
        client.post(
            f"/api/v1/incidents/{incident['id']}/close", json={"disposition": "false", "summary": "pressed by mistake"}
        )
