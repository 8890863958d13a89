"""The coordinator's day by keyboard: a vacant order given to somebody, a day planned and published, a visit moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.desk import open_desk
from tests.browser.test_look import check
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

CHINA = timezone(timedelta(hours=8))
SLOW = 60_000
PLANNING = 180_000
"""The first plan of a machine waits for the compiler."""
HOMES = ("R-0001", "R-0002", "R-0003", "R-0004", "R-0005", "R-0006")


def _tomorrow(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    day = (datetime.now(UTC).astimezone(CHINA) + timedelta(days=1)).replace(second=0, microsecond=0)
    return day.replace(hour=int(hours), minute=int(minutes))


def _order(client: httpx.Client, resident: str, clock: str) -> dict[str, Any]:
    start = _tomorrow(clock)
    answer = client.post(
        "/api/v1/orders",
        json={
            "kind": "companionship",
            "resident_id": resident,
            "wanted_from": start.isoformat(),
            "wanted_to": (start + timedelta(hours=2)).isoformat(),
            "duration_min": 45,
        },
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _on_duty(client: httpx.Client) -> None:
    """Carers and volunteers work tomorrow from eight to six."""
    people = client.get("/api/v1/responders", params={"limit": 500}).json()["items"]
    for one in people:
        if one["kind"] in ("carer", "volunteer"):
            shift = {"starts_at": _tomorrow("08:00").isoformat(), "ends_at": _tomorrow("18:00").isoformat()}
            answer = client.post("/api/v1/shifts", json={"responder_id": one["id"], **shift})
            assert answer.status_code in (201, 409), answer.text


def _column(page: Page, stage: str) -> Locator:
    return page.locator(f'.board-column[data-stage="{stage}"]')


def _start(client: httpx.Client, order: dict[str, Any]) -> datetime:
    found = client.get(f"/api/v1/orders/{order['id']}").json()["visit"]["planned_start"]
    return datetime.fromisoformat(found)


def test_a_coordinator_assigns_plans_moves_and_publishes_by_keyboard(
    browser: Browser, desk_hub: RunningHub, tmp_path: Path
) -> None:
    day = _tomorrow("00:00").date().isoformat()
    problems: list[str] = []
    with desk_hub.sign_in("coordinator") as client:
        _on_duty(client)
        orders = [
            _order(client, home, clock) for home, clock in zip(HOMES, ("09:00", "10:00", "11:00") * 2, strict=True)
        ]
        first = orders[0]

        page = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce").new_page()
        open_desk(page, desk_hub, "coordinator", path=f"#/orders?date={day}")

        # Nobody has it: seen among the vacant, given to the best by two keys.
        card = page.locator(f'.order-card[data-order="{first["id"]}"]')
        expect(_column(page, "vacant").locator(".order-card").first).to_be_visible(timeout=SLOW)
        page.get_by_role("searchbox").fill(f"#{first['number']}")
        expect(_column(page, "vacant").locator(".order-card")).to_have_count(1)
        expect(card).to_contain_text("无人")
        page.keyboard.press("Escape")
        page.get_by_role("searchbox").fill("")
        page.mouse.move(600, 20)
        card.click()
        expect(page.locator(".order-drawer")).to_contain_text(first["resident"]["name"])
        problems += check(page, "board", tmp_path)
        page.keyboard.press("d")
        expect(page.get_by_role("listbox", name="候选人")).to_be_focused(timeout=SLOW)
        page.keyboard.press("Enter")
        expect(page.locator("dialog")).to_have_count(0)
        page.mouse.move(600, 20)
        expect(_column(page, "offered").locator(f'[data-order="{first["id"]}"]')).to_be_visible()

        # The day is planned, compared and published.
        page.evaluate("location.hash = '#/orders/plan'")
        page.get_by_label("最多算几秒").fill("2")
        page.get_by_role("button", name="开始排程").click()
        publish = page.get_by_role("button", name="发布")
        expect(publish).to_be_visible(timeout=PLANNING)
        expect(page.locator(".proposal .sums")).to_contain_text("路程")
        expect(page.locator(".plan-sums")).to_contain_text("派最近的人")
        problems += check(page, "plan", tmp_path)
        page.get_by_label("在班人员直接视为接单").check()
        page.locator(".proposal header").click()
        page.keyboard.press("p")
        expect(page.locator(".proposal")).to_have_count(0, timeout=SLOW)
        planned = client.get("/api/v1/plans", params={"date": day, "state": "published"}).json()["items"]
        assert [one["state"] for one in planned] == ["published"]

        # A visit is picked up by its key, moved a quarter of an hour, judged, proposed, published.
        page.evaluate("location.hash = '#/orders/day'")
        routes = client.get("/api/v1/routes", params={"date": day}).json()["items"]
        ours = {one["visit"]["id"]: one for one in orders}
        stop = next(one for route in routes for one in reversed(route["stops"]) if one["visit_id"] in ours)
        moved = ours[stop["visit_id"]]
        was = _start(client, moved)
        bar = page.locator(f'.gantt-bar[data-visit="{stop["visit_id"]}"]').first
        expect(bar).to_be_visible(timeout=SLOW)
        problems += check(page, "day", tmp_path)
        bar.focus()
        page.keyboard.press("m")
        expect(page.locator(".gantt-ghost")).to_be_visible()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        dialog = page.locator("dialog[open]")
        expect(dialog).to_contain_text(moved["resident"]["name"])
        expect(dialog.get_by_role("status")).to_have_count(0, timeout=SLOW)
        problems += check(page, "move", tmp_path)
        dialog.locator("button.primary").press("Enter")
        expect(dialog).to_have_count(0, timeout=SLOW)
        change = page.locator(".changes .change").filter(has_text=moved["resident"]["name"])
        expect(change.first).to_be_visible(timeout=SLOW)
        expect(page.locator(".gantt-bar.changed").first).to_be_visible()
        problems += check(page, "proposal", tmp_path)
        page.locator(".proposal header").click()
        page.keyboard.press("p")
        expect(page.locator(".proposal")).to_have_count(0, timeout=SLOW)
        wait_until(lambda: _start(client, moved) > was, 30, what="the visit to be later")

        # The map shows the same day; a road is closed by drawing or by choosing an area.
        page.evaluate("location.hash = '#/orders/map'")
        expect(page.locator(".route-stop span").first).to_be_visible(timeout=SLOW)
        page.keyboard.press("r")
        expect(page.locator(".road-side")).to_be_visible()
        problems += check(page, "map", tmp_path)
    assert not problems, "\n".join(problems)
