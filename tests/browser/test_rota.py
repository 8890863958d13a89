"""The rota on the console: a gap found and filled by keys, a rotation seen before it is kept; a swap on the phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import SUN_WEI, open_desk, open_phone
from tests.browser.test_look import KEY, serious
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

SLOW = 30_000


def _weeks_until(moment: str) -> int:
    """How many weeks of the page lie between now and a moment."""
    here = timezone(timedelta(hours=8))
    days = [at.astimezone(here).date() for at in (datetime.now(UTC), datetime.fromisoformat(moment))]
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return (mondays[1] - mondays[0]).days // 7


def test_a_gap_is_filled_by_keys_and_a_swap_is_asked_on_the_phone(
    browser: Browser, desk_hub: RunningHub, tmp_path: Path
) -> None:
    with desk_hub.sign_in("supervisor") as client:
        people = client.get("/api/v1/responders", params={"limit": 500}).json()["items"]
        grid = client.get(f"/api/v1/responders/{SUN_WEI}").json()
        kind, area = grid["kind"], grid["area_ids"][0]
        other = next(one for one in people if one["kind"] == kind and one["id"] != SUN_WEI)
        pattern = {"id": "day", "name": "网格白班", "role": kind, "area_id": area, "begins": "00:00", "minutes": 1440}
        start = (datetime.now(UTC) - timedelta(days=20)).date().isoformat()
        made = client.post("/api/v1/rotations", json={**pattern, "starts_on": start, "members": [SUN_WEI]})
        assert made.status_code == 201, made.text
        client.post("/api/v1/rota-cover", json={"id": "c", "role": kind, "area_id": area})
        shifts = [
            one for one in client.get("/api/v1/shifts", params={"limit": 500}).json()["items"] if one["rotation_id"]
        ]
        later = sorted(shifts, key=lambda one: one["starts_at"])[8]
        absent = {"kind": "absent", "responder_id": SUN_WEI, "reason": "培训"}
        span = {"starts_at": later["starts_at"], "ends_at": later["ends_at"]}
        assert client.post("/api/v1/rota/overrides", json={**absent, **span}).status_code == 201

        page = browser.new_context(viewport={"width": 1600, "height": 900}).new_page()
        open_desk(page, desk_hub, "supervisor")
        page.evaluate("location.hash = '#/rota'")
        expect(page.locator(".rota-grid")).to_be_visible(timeout=SLOW)
        page.locator(".rota-cell[tabindex='0']").focus()
        for _ in range(_weeks_until(later["starts_at"])):
            page.keyboard.press("PageDown")
        expect(page.locator(".rota-gap")).to_be_visible(timeout=SLOW)
        assert serious(page) == []
        assert KEY.findall(page.locator("body").inner_text()) == []
        page.screenshot(path=tmp_path / "week.png")
        expect(page.locator(".rota-gap").first).to_contain_text("缺 1 人")
        page.locator(".rota-gaps").press("Enter")
        page.keyboard.press("Enter")
        dialog = page.locator("dialog[open]")
        expect(dialog).to_contain_text("缺 1 人")
        page.keyboard.press("Enter")  # 安排人 has the focus
        expect(dialog.locator("form")).to_be_visible()
        dialog.locator("select[data-first]").select_option(other["id"])
        dialog.locator("input.input[maxlength]").fill("顶班")
        page.screenshot(path=tmp_path / "fill.png")
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0, timeout=SLOW)
        expect(page.locator(".rota-gap")).to_have_count(0, timeout=SLOW)
        expect(page.locator(".rota-grid")).to_contain_text(other["name"])

        page.evaluate("location.hash = '#/rota/patterns'")
        page.get_by_role("button", name="网格白班").click()
        dialog.get_by_role("button", name="预览四周").click()
        expect(dialog.locator(".rota-preview li").first).to_contain_text("孙伟", timeout=SLOW)
        assert serious(page) == []
        page.screenshot(path=tmp_path / "pattern.png")
        page.keyboard.press("Escape")

        phone = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        open_phone(phone, desk_hub)
        phone.get_by_role("button", name="排班").click()
        phone.locator(".swap-ask").first.click()
        phone.screenshot(path=tmp_path / "phone.png")
        phone.locator(f"[data-choice='{other['id']}']").click()
        expect(phone.locator(".swaps")).to_contain_text("等对方同意", timeout=SLOW)
        assert serious(phone) == []
        page.evaluate("location.hash = '#/rota/swaps'")
        expect(page.locator(".table")).to_contain_text("待对方同意", timeout=SLOW)
        expect(page.get_by_role("button", name="批准", exact=True)).to_be_disabled()
        page.screenshot(path=tmp_path / "swaps.png")
        assert serious(page) == []
