"""Everyday services in a real browser: a weekly plan gives orders; an officer claims one and taps how a visit was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import SUN_WEI, choose_person, open_desk, open_phone
from tests.browser.test_phone import PHONE
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

CHINA = timezone(timedelta(hours=8))
CHEN = "R-0002"
PROGRAMME = {
    "id": "care",
    "zh": "探访关爱",
    "en": "Regular visits",
    "groups": ["lives_alone"],
    "per_month": {"high": 4, "medium": 2, "low": 1},
}


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**PHONE, service_workers="block")
    yield context.new_page()
    context.close()


def prepared(client: httpx.Client) -> str:
    """A programme, and an order that whoever is qualified may claim; its id."""
    assert client.post("/api/v1/programmes", json=PROGRAMME).status_code == 201
    at = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    wanted = {"kind": "safety_visit", "resident_id": CHEN, "wanted_from": at, "open_to": "claim"}
    answer = client.post("/api/v1/orders", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def accept_a_whole_route(phone: Page, client: httpx.Client) -> None:
    """Three visits of one day are offered: one is declined, the others accepted with one tap and no signal."""
    visits: list[str] = []
    tomorrow = datetime.now(CHINA) + timedelta(days=1)
    for hours in range(3):
        at = tomorrow.replace(hour=9 + hours, minute=0).isoformat()
        wanted = {"kind": "safety_visit", "resident_id": CHEN, "wanted_from": at}
        order = client.post("/api/v1/orders", json=wanted).json()
        answer = client.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": SUN_WEI})
        assert answer.status_code == 200, answer.text
        visits.append(next(str(one["id"]) for one in answer.json()["visit"]["assignments"]))
    phone.locator('[data-tab="tasks"]').tap()
    expect(phone.locator(".route-card")).to_contain_text("明天的路线")
    expect(phone.locator("[data-accept-all]")).to_contain_text("3")
    phone.locator(f'[data-assignment="{visits[1]}"]').get_by_role("button", name="不能去").tap()
    phone.locator(".sheet [data-choice]").first.tap()
    expect(phone.locator("[data-accept-all]")).to_contain_text("2")
    phone.context.set_offline(True)
    phone.locator("[data-accept-all]").tap()
    expect(phone.locator(".route-card")).to_have_count(0)
    expect(phone.locator(f'[data-assignment="{visits[2]}"] .tag.warn')).to_be_visible()
    phone.context.set_offline(False)

    def states() -> list[str]:
        rows = [client.get(f"/api/v1/assignments/{one}").json() for one in visits]
        return [row["state"] for row in rows]

    wait_until(lambda: states() == ["accepted", "declined", "accepted"], 60, what="the route at the hub")


def order_at_the_door(phone: Page, client: httpx.Client) -> None:
    """Five fields without a signal; the hub has it once there is one, with the time it was asked for."""
    phone.locator('[data-tab="care"]').tap()
    expect(phone.locator(".porder [data-order]")).to_be_visible()
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)
    phone.locator(".porder [data-order]").tap()
    phone.locator(".porder [name=who]").fill("赵国")
    chosen = phone.locator(".porder [data-person]").first
    resident = chosen.get_attribute("data-person")
    chosen.tap()
    phone.locator(".porder [name=kind]").select_option("medicine_fetch")
    assert phone.locator(".porder form .field").count() == 4, "who is chosen, four are left: no more than five"
    phone.locator(".porder [name=pharmacy]").fill("社区药房")
    phone.locator(".porder .go").tap()
    expect(phone.locator(".porder .phone-banner.bad")).to_contain_text("药品清单")
    phone.locator(".porder [name=prescription]").fill("氨氯地平、阿司匹林")
    phone.locator(".porder .go").tap()
    expect(phone.locator(".porder-said")).to_contain_text("待发 1")
    phone.context.set_offline(False)

    def made() -> list[dict[str, object]]:
        items = client.get("/api/v1/orders", params={"kind": "medicine_fetch", "resident": resident}).json()["items"]
        return [one["attributes"] for one in items]

    wanted = {"pharmacy": "社区药房", "prescription": ["氨氯地平", "阿司匹林"]}
    wait_until(lambda: made() == [wanted], 60, what="the order at the hub, once")
    expect(phone.locator(".porder-said .tag")).to_have_count(0)


def test_a_weekly_plan_gives_orders_and_an_officer_claims_and_visits(
    desk_hub: RunningHub, page: Page, phone: Page
) -> None:
    with desk_hub.sign_in("coordinator") as client:
        order = prepared(client)
        # --- the desk: a plan on Mondays and Thursdays, looked at before it is kept
        open_desk(page, desk_hub, "coordinator", path="#/care")
        page.get_by_role("button", name="新建照护计划").click()
        dialog = page.get_by_role("dialog")
        choose_person(dialog, "陈秀英")
        dialog.get_by_label("服务项目").select_option("companionship")
        dialog.get_by_label("周四").check()
        dialog.get_by_label("最晚开始").fill("11:00")
        dialog.get_by_role("button", name="预览").click()
        expect(dialog.locator(".care-preview li")).to_have_count(8)
        dialog.get_by_role("button", name="保存").click()
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="陈秀英").click()
        card = page.locator(".side-card")
        expect(card.locator(".care-next a").first).to_be_visible()
        expect(card).to_contain_text("每周一、周四")
        plan = client.get("/api/v1/care-plans").json()["items"][0]
        assert (plan["rule"], plan["begins"], plan["ends"]) == ("FREQ=WEEKLY;BYDAY=MO,TH", "09:00", "11:00")
        assert 7 <= plan["open_orders"] <= 9
        # The wrong rule is told beside its field.
        card.get_by_role("button", name="修改").click()
        dialog.get_by_label("直接写规则").check()
        dialog.get_by_role("textbox", name=re.compile("直接写规则")).fill("FREQ=HOURLY")
        dialog.get_by_role("button", name="保存").click()
        expect(dialog.locator(".care-rule .error")).to_contain_text("FREQ")
        dialog.get_by_role("button", name="取消").click()
        # --- the phone: first to claim has it
        open_phone(phone, desk_hub)
        phone.locator('[data-tab="care"]').tap()
        phone.locator(f'[data-open="{order}"] button').tap()
        expect(phone.locator(f'[data-open="{order}"]')).to_have_count(0)
        taken = client.get(f"/api/v1/orders/{order}").json()["visit"]["assignments"]
        assert [(one["responder"]["id"], one["state"]) for one in taken] == [(SUN_WEI, "accepted")]
        # --- and one tap each for two visits
        first, second = (phone.locator("[data-visit]").nth(n).get_attribute("data-visit") for n in (0, 1))
        phone.locator(f'[data-visit="{first}"] [data-result="well"]').tap()
        expect(phone.locator(f'[data-visit="{first}"]')).to_have_count(0)
        phone.locator(f'[data-visit="{second}"]').get_by_role("button", name="其他情况").tap()
        phone.locator(f'[data-visit="{second}"] [data-result="needs_help"]').tap()

        def results() -> dict[str, str]:
            items = client.get("/api/v1/programmes/care/results").json()["items"]
            return {row["resident"]["id"]: row["result"] for row in items}

        wait_until(lambda: results() == {first: "well", second: "needs_help"}, 30, what="both taps at the hub")
        # --- no signal at the door: an order, and tomorrow's route with one tap
        order_at_the_door(phone, client)
        accept_a_whole_route(phone, client)
        # --- back at the desk: the grid that has still to be visited
        page.goto(f"{desk_hub.base_url}/#/programmes")
        expect(page.locator(".programme-body table").first).to_be_visible()
        counts = page.locator(".work-bar .chip")
        pending = client.get("/api/v1/programmes/care/people", params={"only": "pending"}).json()["total"]
        expect(counts.first).to_contain_text(str(pending))
