"""Medical help and return visits in a real browser: a question asked at the desk and answered on the doctor's phone, a
round with a value beyond its limit, a diet that is changed, somebody asked how it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import choose_person, open_desk, open_phone
from tests.browser.test_phone import PHONE
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

NURSE = "S-HELIN"
SUN = "R-0005"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**PHONE, service_workers="block")
    yield context.new_page()
    context.close()


def sent(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def measured(coordinator: httpx.Client, nurse: httpx.Client) -> None:
    """A round of today in which the nurse found one pressure too high."""
    now = datetime.now(UTC).isoformat()
    order = sent(coordinator, "orders", kind="vitals_round", resident_id=SUN, wanted_from=now)
    sent(coordinator, f"orders/{order['id']}/assign", responder_id=NURSE)
    visit = f"visits/{order['visit']['id']}"
    for step in ("accept", "check-in"):
        sent(nurse, f"{visit}/{step}")
    sent(nurse, f"{visit}/vitals", vitals={"systolic_mmhg": 190, "heart_rate_bpm": 76})
    sent(nurse, f"{visit}/check-out", outcome="done")
    sent(coordinator, f"orders/{order['id']}/satisfaction", score=2, words="等了很久")


def test_a_question_a_round_a_diet_and_a_return_visit(desk_hub: RunningHub, page: Page, phone: Page) -> None:
    with desk_hub.sign_in("coordinator") as client, desk_hub.sign_in("helin") as nurse:
        measured(client, nurse)
        # --- the desk asks; the latest values go with it
        open_desk(page, desk_hub, "coordinator", path="#/medical")
        page.locator("[data-ask]").click()
        dialog = page.get_by_role("dialog")
        choose_person(dialog, "孙桂英")
        dialog.get_by_label("问题").fill("三天来下肢浮肿")
        dialog.get_by_role("button", name="咨询医生").click()
        expect(dialog).to_have_count(0)
        card = page.locator(".side-card")
        expect(card).to_contain_text("收缩压")
        expect(card).to_contain_text("190")
        # --- the doctor answers on the own phone; the desk sees it
        open_phone(phone, desk_hub, "shenruo")
        phone.locator('[data-tab="care"]').tap()
        question = phone.locator("[data-consult]")
        question.get_by_role("button").tap()
        question.get_by_role("radio", name="上门").tap()
        question.get_by_label("怎么说").fill("今天上门查体，测体重")
        question.get_by_role("button", name="回复").tap()
        expect(phone.locator("[data-consult]")).to_have_count(0)
        (consult,) = client.get("/api/v1/teleconsults").json()["items"]
        assert (consult["advice"], consult["answered_by"]) == ("visit", "申若谷")
        page.get_by_label("状态").select_option("answered")
        page.locator(f'[data-consult="{consult["id"]}"] .row-open').click()
        expect(card.locator("[data-answer]")).to_contain_text("今天上门查体")
        # --- the round of the day: what is beyond the limit says so
        page.get_by_role("button", name="巡诊测量").click()
        stop = page.locator(f'[data-stop="{SUN}"]')
        expect(stop.locator(".tag.bad")).to_contain_text("190 偏高")
        page.get_by_role("button", name="超限").click()
        expect(page.locator("[data-stop]")).to_have_count(1)
        # --- a diet and an allergy, where they belong
        page.evaluate(f"location.hash = '#/residents/{SUN}'")
        page.locator("[data-diet]").click()
        page.get_by_label("低盐").check()
        page.get_by_label("花生").check()
        page.locator(".diet-panel").get_by_role("button", name="保存").click()
        expect(page.locator(".diet-panel")).to_contain_text("过敏：花生")
        kept = client.get(f"/api/v1/residents/{SUN}").json()
        assert "low_salt" in kept["diets"]
        assert "peanut" in kept["allergies"]
        # --- somebody asks how it was
        page.evaluate("location.hash = '#/returns'")
        row = page.locator("[data-return]")
        expect(row).to_contain_text("不满意")
        row.locator(".row-open").click()
        page.locator(".side-card").get_by_role("button", name="登记回访").click()
        dialog.get_by_role("button", name="不满意", exact=True).click()
        dialog.get_by_role("textbox").fill("约定以后提前电话")
        dialog.get_by_role("button", name="登记").click()
        expect(row).to_have_count(0)
        page.get_by_role("button", name="已回访").click()
        expect(row).to_contain_text("许洁")
        done = client.get("/api/v1/return-visits?done=true").json()["items"]
        assert [one["order"]["return_visit"]["outcome"] for one in done] == ["not_content"]
