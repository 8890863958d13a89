"""A night at the desk: by keyboard alone, two people, one stream, calls, the end of the shift, what is masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.console.pages import DIST
from hub.embedded import EmbeddedPostgres
from tests.browser.desk import SUN_WEI, live_incident, open_desk, press, row, send_to, watch_of
from tests.fixtures.brokers import Broker
from tests.fixtures.browser import DESK
from tests.fixtures.frozen import freeze, thaw
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.postgres import durable_server
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

WANG = "R-0001"
CHEN = "R-0002"


def streams(hub: RunningHub) -> int:
    text = httpx.get(f"{hub.base_url}/metrics").text
    found = re.search(r"^hub_stream_subscribers (\d+)", text, re.MULTILINE)
    assert found, "no gauge of open streams"
    return int(found[1])


_GONE_OR_REFUSED = "() => !document.querySelector('dialog[open]') || document.querySelector('dialog[open] .error')"
_FOCUS_IS_SEEN = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect()
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return one !== document.body && (one.contains(top) || top?.contains(one))
}"""
_POINTER = """
globalThis.__pointer = []
for (const kind of ['pointerdown', 'mousedown', 'touchstart', 'wheel'])
  addEventListener(kind, (event) => globalThis.__pointer.push(event.type), { capture: true })
"""


def test_ten_incidents_from_raise_to_close_without_the_mouse(page: Page, desk_hub: RunningHub) -> None:
    """Every step by keys a person can press: nothing is focused, filled or clicked by the test."""
    keyboard = page.keyboard
    page.add_init_script(_POINTER)
    page.goto(f"{desk_hub.base_url}/")
    expect(page.locator("input[name=username]")).to_be_focused()
    given = desk_hub.credentials("operator")
    keyboard.type(given["username"])
    keyboard.press("Tab")
    keyboard.type(given["password"])
    keyboard.press("Enter")
    expect(page.locator(".link.live")).to_be_visible(timeout=15_000)
    # What a new operator does first.
    keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("受理")
    keyboard.press("Escape")
    residents = [
        str(one["resident_id"])
        for one in desk_hub.rows(
            "SELECT DISTINCT ON (resident_id) resident_id FROM devices"
            " WHERE family = 'care' AND resident_id IS NOT NULL ORDER BY resident_id LIMIT 10"
        )
    ]
    assert len(residents) == 10
    for number, resident in enumerate(residents):
        press(desk_hub, watch_of(desk_hub, resident), f"k{number}", "sos" if number % 2 else "assistance")
    expect(page.locator("#tab-open .count")).to_have_text("10", timeout=20_000)
    for left in range(10, 0, -1):
        keyboard.press("n")
        expect(page.locator("[data-action=acknowledge]")).to_be_visible()
        keyboard.press("a")
        expect(page.locator(".detail-state")).to_contain_text("周敏")
        # Voice first: the resident is rung, and speaks. The focus follows the call.
        keyboard.press("1")
        expect(page.locator(".call-open button").first).to_be_focused()
        keyboard.press("Enter")
        expect(page.locator(".call-open")).to_contain_text("通话中")
        expect(page.locator(".call-open button").first).to_be_focused()
        keyboard.press("Enter")
        expect(page.locator(".call-open")).to_have_count(0)
        if left == 10:
            # Once somebody is sent as well: the best candidate, and back to the desk.
            keyboard.press("d")
            expect(page.locator("dialog[open] .skeleton")).to_have_count(0)
            keyboard.press("Enter")
            expect(page.locator("dialog[open]")).to_have_count(0)
            expect(page.locator(".assignments li").first).to_be_visible()
        keyboard.press("c")
        expect(page.locator("dialog[open]")).to_be_visible()
        keyboard.press("2")
        keyboard.type("已与本人通话，误按")
        keyboard.press("Enter")
        page.wait_for_function(_GONE_OR_REFUSED, timeout=20_000)
        if page.locator("dialog[open]").count():
            # Something of the incident changed in the meantime: the page says so, and the next Enter counts.
            expect(page.locator("dialog[open] .error")).to_contain_text("已有变化")
            keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator("#tab-open .count")).to_have_text(str(left - 1))
    assert page.evaluate("globalThis.__pointer") == []
    with desk_hub.sign_in("supervisor") as client:
        done = client.get("/api/v1/incidents", params={"state": ["resolved", "closed"]}).json()["items"]
        assert len(done) == 10
        assert {one["disposition"] for one in done} == {"false"}
        calls = client.get("/api/v1/calls").json()["items"]
        assert len(calls) == 10
        assert {one["outcome"] for one in calls} == {"answered"}
        assert all(one["answered_at"] and one["ended_at"] and one["incident_id"] for one in calls)


@pytest.fixture
def own_server(browser: Browser) -> Iterator[EmbeddedPostgres]:
    """A database of this test alone: it is going to stand still."""
    del browser
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with durable_server() as server:
        yield server


@pytest.fixture
def own_hub(own_server: EmbeddedPostgres, embedded_broker: Broker, tmp_path: Path) -> Iterator[RunningHub]:
    world = load_sample(own_server.url, tmp_path, residents=200)
    hub = RunningHub(own_server.url, embedded_broker, tmp_path, world)
    try:
        hub.start()
        yield hub
    finally:
        hub.end()


def test_all_well_by_telephone_then_into_another_s_hands_then_without_a_database(
    browser: Browser, own_hub: RunningHub, own_server: EmbeddedPostgres
) -> None:
    wang, chen = watch_of(own_hub, WANG), watch_of(own_hub, CHEN)
    press(own_hub, wang, "k1")
    contexts = [browser.new_context(**DESK) for _ in range(2)]
    zhou, li = (context.new_page() for context in contexts)
    open_desk(zhou, own_hub)
    zhou.keyboard.press("n")
    zhou.keyboard.press("a")
    expect(zhou.locator(".detail-state")).to_contain_text("周敏")
    with own_hub.sign_in("operator") as client:
        incident = live_incident(client, WANG)["id"]
        assignment = send_to(client, incident, SUN_WEI)
        for step in ("accept", "en-route", "on-scene"):
            assert client.post(f"/api/v1/assignments/{assignment}/{step}", json={}).status_code == 200

        # Whoever is at the door calls in: all well.
        zhou.get_by_role("button", name="现场平安").click()

        def well() -> bool:
            items = client.get(f"/api/v1/incidents/{incident}/timeline").json()["items"]
            return any(one["body"].get("welfare") == "answered" for one in items)

        wait_until(well, 30, what="the word that all is well")

    # Handed on, by keyboard: the other desk holds it and sees it among its own.
    open_desk(li, own_hub, "operator2")
    expect(li.locator("#tab-mine .count")).to_have_text("0")
    zhou.keyboard.press("t")
    expect(zhou.locator("dialog[open] option").first).to_be_attached()
    zhou.locator("dialog[open] select").select_option(label="李强 · 值守员")
    zhou.locator("dialog[open] input").fill("换我去吃饭")
    zhou.keyboard.press("Enter")
    expect(zhou.locator(".detail-state")).to_contain_text("李强")
    expect(li.locator("#tab-mine .count")).to_have_text("1")
    li.locator("#tab-mine").click()
    expect(row(li, incident)).to_be_visible()

    # The database falls silent. What comes now stands above the queue with a number to call.
    frozen = freeze(own_server)
    try:
        press(own_hub, chen, "k2")
        provisional = li.locator(".provisional-row")
        expect(provisional).to_have_count(1, timeout=30_000)
        expect(provisional).to_contain_text("陈秀英")
        expect(provisional.locator("a[href^='tel:']")).to_be_visible()
        expect(li.locator(".banner.bad")).to_contain_text("数据库", timeout=30_000)
        row(li, incident).click()
        expect(li.locator("[data-action=close]")).to_be_disabled()
    finally:
        thaw(frozen)
    # Taken over: it is an incident like all others.
    li.locator("#tab-open").click()
    expect(li.locator(".row", has_text="陈秀英")).to_have_count(1, timeout=30_000)
    expect(li.locator(".provisional-row")).to_have_count(0, timeout=30_000)
    expect(li.locator(".banner.bad")).to_have_count(0, timeout=30_000)
    for context in contexts:
        context.close()


def test_what_was_done_by_mistake_is_taken_back_by_one_key(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.keyboard.press("n")
    expect(page.locator(".detail-who")).to_contain_text("王桂兰")
    page.keyboard.press("a")
    expect(page.locator(".detail-state")).to_contain_text("周敏")
    expect(page.locator(".toast-action")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("[data-action=acknowledge]")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".detail-state")).to_contain_text("周敏")
    page.keyboard.press("c")
    page.keyboard.press("2")
    page.keyboard.type("误按")
    page.keyboard.press("Enter")
    expect(page.locator(".detail-state")).to_contain_text("误报")
    expect(page.locator(".toast-action")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(".detail-state")).to_contain_text("周敏")
    with desk_hub.sign_in("supervisor") as client:
        again = live_incident(client, WANG)
        assert (again["state"], again["acknowledged_by"]["name"]) == ("acknowledged", "周敏")


def test_two_tabs_share_one_stream_and_the_second_misses_nothing(context: BrowserContext, desk_hub: RunningHub) -> None:
    first = context.new_page()
    open_desk(first, desk_hub)
    second = context.new_page()
    second.goto(f"{desk_hub.base_url}/")
    expect(second.locator(".link.live")).to_be_visible(timeout=15_000)
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    for page in (first, second):
        expect(page.locator(".row")).to_have_count(1, timeout=20_000)
    assert streams(desk_hub) == 1
    first.close()
    press(desk_hub, watch_of(desk_hub, CHEN), "k2")
    expect(second.locator(".row")).to_have_count(2, timeout=20_000)


@pytest.mark.long
def test_without_shared_workers_a_page_has_a_stream_of_its_own(context: BrowserContext, desk_hub: RunningHub) -> None:
    page = context.new_page()
    page.add_init_script("delete globalThis.SharedWorker")
    open_desk(page, desk_hub)
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    expect(page.locator(".row")).to_have_count(1, timeout=20_000)
    assert streams(desk_hub) == 1


@pytest.mark.long
def test_where_a_proxy_holds_the_stream_back_the_page_polls(context: BrowserContext, desk_hub: RunningHub) -> None:
    page = context.new_page()
    # What a buffering proxy makes of a stream: the connection stands, and nothing ever comes.
    page.add_init_script(
        "delete globalThis.SharedWorker;"
        "globalThis.EventSource = class extends EventTarget { close() {} set onerror(_) {} };"
    )
    page.goto(f"{desk_hub.base_url}/")
    given = desk_hub.credentials("operator")
    page.fill("input[name=username]", given["username"])
    page.fill("input[name=password]", given["password"])
    page.keyboard.press("Enter")
    with page.expect_request("**/api/v1/changes*", timeout=20_000):
        pass
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    expect(page.locator(".row")).to_have_count(1, timeout=20_000)


def test_a_shift_is_handed_over_by_two_people(browser: Browser, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    pages: list[Page] = []
    for role in ("operator", "operator2"):
        page = browser.new_context(**DESK).new_page()
        open_desk(page, desk_hub, role)
        pages.append(page)
    zhou, li = pages
    zhou.keyboard.press("n")
    expect(zhou.locator("[data-action=acknowledge]")).to_be_visible()
    zhou.keyboard.press("a")
    expect(zhou.locator(".detail-state")).to_contain_text("周敏")
    li.locator("#tab-progress").click()
    li.locator(".row").first.click()
    expect(zhou.locator(".detail-others")).to_contain_text("李强 正在查看", timeout=15_000)
    zhou.evaluate("location.hash = '#/handover'")
    zhou.get_by_role("button", name="生成交接单").click()
    expect(zhou.locator(".sheet")).to_contain_text("王桂兰")
    zhou.get_by_label("交班说明").fill("女儿七点到")
    zhou.get_by_role("button", name="交班签字").click()
    expect(zhou.locator(".handover-page")).to_contain_text("等待接班人签字")
    li.evaluate("location.hash = '#/handover'")
    li.locator(".handover-line").first.click()
    sign = li.get_by_role("button", name="接班签字")
    expect(sign).to_be_disabled()
    li.get_by_role("checkbox").first.check()
    sign.click()
    expect(li.locator(".sheet-signatures")).to_contain_text("1 条告警已转到接班人名下")
    with desk_hub.sign_in("supervisor") as client:
        assert live_incident(client, WANG)["acknowledged_by"]["name"] == "李强"
    for page in pages:
        page.context.close()


def test_a_resident_is_masked_until_one_says_why(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub, path=f"#/residents/{WANG}")
    number = page.locator(".phone-line.prominent .phone-number")
    expect(number).to_contain_text("****")
    page.get_by_role("button", name="显示完整信息").click()
    page.get_by_role("button", name="查看", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("原因")
    page.get_by_role("button", name="家属来电核对").click()
    page.get_by_role("button", name="查看", exact=True).click()
    expect(number).not_to_contain_text("****")

    def noted() -> bool:
        with desk_hub.sign_in("admin") as client:
            rows: list[dict[str, Any]] = client.get("/api/v1/audit").json()["items"]
        return any(one["action"] == "residents.reveal" and one["subject"] == f"residents:{WANG}" for one in rows)

    wait_until(noted, 5, what="the look in the audit")


def test_the_card_for_120_says_what_they_ask(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.keyboard.press("n")
    expect(page.locator(".calls")).to_be_visible()
    expect(page.locator(".timeline li").first).to_be_visible()
    page.keyboard.press("h")
    card = page.locator(".ambulance")
    for part in ("地址", "王桂兰", "事由", "SOS 呼救"):
        expect(card).to_contain_text(part)
    page.emulate_media(media="print")
    expect(page.locator(".print-sheet")).to_be_visible()
    expect(page.locator(".shell")).to_be_hidden()
    page.emulate_media(media="screen")


def walk_the_numbers(page: Page, path: str, least: int) -> None:
    """Opens every number of a page by its address and holds the list against it; no number of it is plain text."""
    page.evaluate(f"location.hash = '#/{path}'")
    expect(page.locator(".count-link").first).to_be_visible()
    expect(page.locator(".old, .skeleton")).to_have_count(0)
    plain = page.eval_on_selector_all(
        ".kpi-value, .kpi-of, .load-numbers dd, td.num:not(:first-child, .given)",  # a rank or a goal counts no rows
        "all => all.filter(one => /^[0-9.]+( %)?$/.test(one.innerText.trim()) && !one.querySelector('a'))"
        ".map(one => one.parentElement.innerText)",
    )
    assert plain == [], "a number without its list"
    links = page.eval_on_selector_all(".count-link", "all => all.map(a => [a.getAttribute('href'), a.dataset.n])")
    assert len(links) >= least, links
    for href, n in dict(links).items():
        page.evaluate("href => { location.hash = href }", href)
        found = page.locator(f"[data-listed='{n}']")
        expect(found, href).to_be_attached()
        assert page.locator("tbody tr").count() == int(n), href


def test_every_number_of_the_supervisor_opens_its_list(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    press(desk_hub, watch_of(desk_hub, "R-0003"), "k2", "fall")
    with desk_hub.sign_in("operator") as client:
        incident = live_incident(client, WANG)
        client.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
    open_desk(page, desk_hub, "supervisor", path="#/supervision/kpi?days=7&split=community")
    tile = page.locator(".kpi-tile", has_text="60 秒内受理")
    expect(tile).to_contain_text("1 / 1")
    tile.locator("a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".page-list tbody tr")).to_have_count(1)
    expect(page.locator(".page-list tbody")).to_contain_text("王桂兰")
    link = page.get_by_role("link", name="CSV").get_attribute("href")
    assert link
    answer = page.request.get(f"{desk_hub.base_url}{link}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text().splitlines()) == 2
    page.go_back()
    expect(page.get_by_role("button", name="社区", pressed=True).first).to_be_visible()
    expect(page.get_by_role("button", name="7 天", pressed=True)).to_be_visible()
    walk_the_numbers(page, "supervision/kpi?split=grid", 40)
    walk_the_numbers(page, "load", 12)
    walk_the_numbers(page, "services?split=kind", 30)


def test_every_number_of_the_wall_opens_its_list_for_who_is_signed_in(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    press(desk_hub, watch_of(desk_hub, "R-0003"), "k2", "fall")
    press(desk_hub, watch_of(desk_hub, "R-0002"), "k3")
    with desk_hub.sign_in("operator") as client:
        incident = live_incident(client, WANG)
        assignment = send_to(client, incident["id"], SUN_WEI)
        for step in ("accept", "en-route"):
            assert client.post(f"/api/v1/assignments/{assignment}/{step}", json={}).status_code == 200
    open_desk(page, desk_hub, "supervisor", path="#/wall")
    expect(page.locator(".wall-numbers a")).to_have_count(8)
    expect(page.locator(".wall-number a[href*=under_way]")).to_have_text("1")
    expect(page.locator(".wall-number a[href*=on_duty]")).not_to_have_text("0")
    links = dict(
        page.eval_on_selector_all(".wall-numbers a", "all => all.map(a => [a.getAttribute('href'), +a.dataset.n])")
    )
    assert sum(n for href, n in links.items() if "level=" in href) == 2
    for href, n in links.items():
        page.evaluate("href => { location.hash = href }", href)
        if "level=" in href:
            expect(page.locator("#tab-open")).to_have_attribute("aria-selected", "true")
            expect(page.locator(".row[data-incident]"), href).to_have_count(n)
        else:
            expect(page.locator(f"[data-listed='{n}']"), href).to_be_attached()
            assert page.locator("tbody tr").count() == n, href
    page.keyboard.press("Escape")
    expect(page.locator(".wall-alert a")).to_be_visible()
    for _ in range(4):  # what has the focus is never hidden behind the wall
        page.keyboard.press("Tab")
        assert page.evaluate(_FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML")
    page.locator(".wall-alert a").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".detail-head")).to_be_visible()

    made = page.request.post(
        f"{desk_hub.base_url}/api/v1/wall-screens", data={"name": "x"}, headers={"Sec-Fetch-Site": "same-origin"}
    ).json()
    page.context.clear_cookies()
    screen = page.context.new_page()
    screen.goto(f"{desk_hub.base_url}/{made['url'].removeprefix('/')}")
    expect(screen.locator(".wall-row").first).to_be_visible()
    expect(screen.locator(".wall-number b").last).to_contain_text("/")
    assert screen.locator("a").count() == 0, "nobody is signed in: a number is plain text"


def test_rows_of_one_person_know_of_each_other_and_become_one(page: Page, desk_hub: RunningHub) -> None:
    watch = watch_of(desk_hub, WANG)
    press(desk_hub, watch, "k1")
    press(desk_hub, watch, "k2")
    press(desk_hub, watch, "k3", "wandering")
    open_desk(page, desk_hub)
    expect(page.locator(".row")).to_have_count(2)
    with desk_hub.sign_in("supervisor") as client:
        live = client.get("/api/v1/incidents", params={"state": "live", "resident": WANG}).json()["items"]
        by_type = {one["type"]: one for one in live}
        expect(row(page, by_type["sos"]["id"])).to_contain_text("×2")
        page.keyboard.press("n")
        expect(page.locator(".detail-others")).to_contain_text("走出安全区域")
        # One event: the second closes into the first, and each says so.
        page.keyboard.press("j")
        expect(page.locator(".detail-line")).to_contain_text("走出安全区域")
        page.keyboard.press("a")
        expect(page.locator(".detail-state")).to_contain_text("周敏")
        page.keyboard.press("c")
        page.keyboard.press("5")
        expect(page.locator("dialog[open] select")).to_have_value(by_type["sos"]["id"])
        page.keyboard.type("同一次走失")
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(".detail-state")).to_contain_text("重复")
        merged = client.get(f"/api/v1/incidents/{by_type['wandering']['id']}").json()
        assert (merged["state"], merged["disposition"]) == ("closed", "duplicate")
        assert merged["summary"] == f"并入 #{by_type['sos']['number']} 王桂兰：同一次走失"
        entries = client.get(f"/api/v1/incidents/{by_type['sos']['id']}/timeline").json()["items"]
        assert f"合并自 #{by_type['wandering']['number']}" in str(
            next(one for one in entries if one["kind"] == "noted")
        )
