"""The operator console in a real browser against a real hub: what an operator must be able to rely on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.desk import live_incident, open_desk, press, row, sign_in, watch_of
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

WANG = "R-0001"
CHEN = "R-0002"


def test_sign_in_refuses_then_shows_that_the_empty_desk_works(page: Page, desk_hub: RunningHub) -> None:
    page.goto(desk_hub.base_url)
    page.fill("input[name=username]", "zhoumin")
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确")
    sign_in(page, desk_hub, "operator")
    expect(page.locator(".link.live")).to_be_visible(timeout=15_000)
    expect(page.locator(".empty-title")).to_have_text("当前没有未结告警")
    expect(page.locator(".empty")).to_contain_text(re.compile(r"设备在线 \d+/\d+"))
    expect(page.locator(".seat-name")).to_have_text("周敏")
    # The hub's time in its own zone, though the PC stands in New York.
    shown = page.locator(".clock").inner_text()
    hours = page.evaluate("new Intl.DateTimeFormat('en-GB', {timeZone: 'Asia/Shanghai', hour: '2-digit'}).format()")
    assert shown[:2] == hours


def test_language_and_theme_belong_to_the_person(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub)
    page.locator(".seat > button").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator(".nav a").first).to_have_text("Alarms")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    def kept() -> bool:
        with desk_hub.sign_in("operator") as client:
            user = client.get("/api/v1/session").json()["user"]
        return (user["language"], user["theme"]) == ("en", "dark")

    wait_until(kept, 5, what="the hub to keep language and theme")
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator(".nav a").first).to_have_text("Alarms")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_alarm_is_claimed_sent_and_closed_by_keyboard_alone(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub)
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    with desk_hub.sign_in("supervisor") as client:
        incident = live_incident(client, WANG)
        line = row(page, incident["id"])
        expect(line).to_be_visible(timeout=20_000)
        expect(line).to_contain_text("王桂兰")
        expect(page.locator(".counter.critical")).to_contain_text("1")
        keyboard = page.keyboard
        keyboard.press("n")
        expect(page.locator(".detail-who")).to_contain_text("王桂兰")
        keyboard.press("a")
        expect(page.locator(".detail-state")).to_contain_text("周敏")
        expect(line).to_have_count(0)
        expect(page.locator(".counter.critical")).to_contain_text("0")
        keyboard.press("d")
        candidates = page.get_by_role("listbox", name="候选人")
        expect(candidates).to_be_focused()
        first = candidates.get_by_role("option").first.locator("b").first.inner_text()
        keyboard.press("ArrowDown")
        keyboard.press("ArrowUp")
        keyboard.press("Enter")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator(".assignments")).to_contain_text(first)
        keyboard.press("c")
        expect(page.locator("dialog")).to_be_visible()
        keyboard.press("2")
        keyboard.type("充电时误按，已通话核实")
        keyboard.press("Enter")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator(".detail-state")).to_contain_text("误报")
        done = client.get(f"/api/v1/incidents/{incident['id']}").json()
        assert done["state"] in ("resolved", "closed")
        assert done["disposition"] == "false"
        assert done["summary"] == "充电时误按，已通话核实"
        assert done["resolved_by"]["name"] == "周敏"


def test_of_two_operators_the_second_sees_who_was_first(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, CHEN), "k1")
    open_desk(page, desk_hub, "operator2")
    with desk_hub.sign_in("operator") as client:
        incident = live_incident(client, CHEN)

        def late(route: Route) -> None:
            # The other one presses while this press is under way.
            answer = client.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
            assert answer.status_code == 200, answer.text
            route.continue_()

        page.route("**/acknowledge", late)
        page.keyboard.press("n")
        expect(page.locator(".detail-who")).to_contain_text("陈秀英")
        page.keyboard.press("a")
        expect(page.locator(".toast.bad")).to_contain_text("周敏")
        expect(page.locator(".toast.bad")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        page.locator("#tab-progress").click()
        expect(row(page, incident["id"])).to_contain_text("周敏")
        entries = client.get(f"/api/v1/incidents/{incident['id']}/timeline").json()["items"]
        assert [one["actor"]["name"] for one in entries if one["kind"] == "acknowledged"] == ["周敏"]


def test_a_second_press_after_the_claim_is_never_hidden(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub)
    watch = watch_of(desk_hub, WANG)
    press(desk_hub, watch, "k1")
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("n")
    expect(page.locator(".detail-who")).to_contain_text("王桂兰")
    page.keyboard.press("a")
    expect(page.locator(".detail-state")).to_contain_text("周敏")
    page.keyboard.press("c")
    page.keyboard.press("2")
    page.keyboard.type("误按")
    press(desk_hub, watch, "k2")
    expect(page.locator(".dialog-changed")).to_be_visible(timeout=20_000)
    page.keyboard.press("Enter")
    # The first Enter does not close what was pressed again under the operator's hands.
    expect(page.locator("dialog .error")).to_contain_text("2")
    page.keyboard.press("Escape")
    expect(page.locator(".presses li")).to_have_count(2)
    expect(page.locator(".detail-line")).to_contain_text("共按 2 次")


def test_after_a_restart_the_desk_is_live_again_and_shows_what_it_missed(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.keyboard.press("n")
    expect(page.locator("[data-action=acknowledge]")).to_be_enabled(timeout=20_000)
    desk_hub.stop()
    expect(page.locator("[data-banner=down]")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-action=acknowledge]")).to_be_disabled()
    expect(page.locator(".detail-head .detail-problem")).to_contain_text("电话")
    press(desk_hub, watch_of(desk_hub, CHEN), "k2", wait=False)
    desk_hub.start()
    expect(page.locator(".link.live")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-banner=down]")).to_have_count(0)
    expect(page.locator(".row", has_text="陈秀英")).to_be_visible(timeout=15_000)
    expect(page.locator("[data-action=acknowledge]")).to_be_enabled()


def test_a_lapsed_session_keeps_the_page_under_the_sign_in(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.keyboard.press("n")
    expect(page.locator(".detail-who")).to_contain_text("王桂兰")
    page.context.clear_cookies()
    page.keyboard.press("a")
    expect(page.locator("dialog.signin")).to_be_visible(timeout=20_000)
    expect(page.locator(".detail-who")).to_contain_text("王桂兰")
    page.fill("input[name=password]", desk_hub.credentials("operator")["password"])
    page.keyboard.press("Enter")
    expect(page.locator("dialog.signin")).to_have_count(0)
    expect(page.locator(".link.live")).to_be_visible(timeout=15_000)
    page.keyboard.press("a")
    expect(page.locator(".detail-state")).to_contain_text("周敏")


def test_sound_asks_for_one_click(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub)
    page.reload()
    expect(page.locator(".link.live")).to_be_visible(timeout=15_000)
    # Nobody has touched this page yet: the browser allows no sound, and the page says so loudly.
    expect(page.locator(".banner")).to_contain_text("声音未开启", timeout=20_000)
    page.locator(".sound.off").click()
    expect(page.locator(".sound.on")).to_be_visible()
    expect(page.locator(".banner")).to_have_count(0, timeout=20_000)


def test_rows_never_move_under_the_pointer(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1", "assistance")
    open_desk(page, desk_hub)
    first = page.locator(".row").first
    expect(first).to_contain_text("王桂兰")
    first.hover()
    press(desk_hub, watch_of(desk_hub, CHEN), "k2")
    fresh = page.locator(".fresh")
    expect(fresh).to_contain_text("1", timeout=20_000)
    expect(page.locator(".row")).to_have_count(1)
    page.mouse.move(900, 400)
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row").first).to_contain_text("陈秀英")


def test_single_keys_are_off_while_typing_and_when_switched_off(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.keyboard.press("/")
    page.keyboard.type("na")
    expect(page.locator(".search input")).to_have_value("na")
    expect(page.locator(".detail-who")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator(".seat > button").click()
    page.get_by_label("单键快捷键").uncheck()
    page.mouse.click(900, 500)
    page.keyboard.press("n")
    expect(page.locator(".footer")).to_contain_text("单键快捷键已关闭")
    expect(page.locator(".detail-who")).to_have_count(0)


def test_whoever_resolved_it_cannot_review_it(context: BrowserContext, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    with desk_hub.sign_in("supervisor") as client:
        incident = live_incident(client, WANG)
        answer = client.post(
            f"/api/v1/incidents/{incident['id']}/close", json={"disposition": "genuine", "summary": "已送医"}
        )
        assert answer.json()["supervision"] == "required"
    page = context.new_page()
    open_desk(page, desk_hub, "supervisor", path="#/supervision")
    page.get_by_role("button", name="王桂兰").click()
    expect(page.get_by_role("note")).to_contain_text("须由他人督导")
    expect(page.get_by_role("button", name="确认属实")).to_be_disabled()


def test_an_order_is_made_and_given_to_a_carer(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub, "coordinator", path="#/orders")
    page.get_by_role("button", name="新建工单").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("服务项目").select_option("housekeeping")
    person = dialog.get_by_role("combobox", name="老人")
    people = dialog.get_by_role("listbox", name="老人").get_by_role("option")
    person.fill("一个都不叫这个")
    expect(dialog.locator(".person-found")).to_contain_text("没有找到“一个都不叫这个”")
    page.route("**/api/v1/residents?*", lambda route: route.abort())
    person.fill("赵")
    expect(dialog.get_by_role("alert")).to_contain_text("网络不通")
    page.unroute("**/api/v1/residents?*")
    person.press("Enter")
    expect(people).to_have_count(7)
    expect(dialog.locator(".person-found")).to_contain_text("还有更多")
    expect(people.first).to_have_attribute("aria-selected", "true")
    person.press("ArrowDown")
    second = people.nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(person).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    # Escape folds the list; the form stays, and with the arrow the list is there again.
    person.press("Escape")
    expect(people.first).to_be_hidden()
    expect(dialog).to_be_visible()
    person.press("ArrowDown")
    expect(second).to_be_visible()
    person.fill("赵国华")
    expect(people).to_have_count(1)
    person.press("Enter")
    expect(person).to_have_value("赵国华")
    expect(people.first).to_be_hidden()
    dialog.get_by_label("备注").fill("带梯子")
    dialog.get_by_role("button", name="建单").click()
    card = page.locator(".side-card")
    expect(card).to_contain_text("赵国华")
    expect(card).to_contain_text("带梯子")
    page.keyboard.press("d")
    candidates = page.get_by_role("listbox", name="候选人")
    expect(candidates).to_be_focused()
    carer = candidates.get_by_role("option").first.locator("b").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    expect(card.locator(".assignments")).to_contain_text(carer)
