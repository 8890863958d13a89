"""The phone page in a real browser: the next step by thumb, also with no signal, never twice."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.desk import SUN_WEI, live_incident, open_desk, open_phone, press, send_to, show_cards, watch_of
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

CHEN = "R-0002"


PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
    "locale": "zh-CN",
    "timezone_id": "America/New_York",
}


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Without the service worker: what passes through one, Playwright can neither hold back nor change."""
    context = browser.new_context(**PHONE, service_workers="block")
    yield context.new_page()
    context.close()


@pytest.fixture
def installed_phone(browser: Browser) -> Iterator[Page]:
    """With the service worker, as people have it."""
    context = browser.new_context(**PHONE)
    yield context.new_page()
    context.close()


@pytest.fixture
def operator(desk_hub: RunningHub) -> Iterator[httpx.Client]:
    with desk_hub.sign_in("operator") as client:
        yield client


def offered(hub: RunningHub, client: httpx.Client) -> str:
    """陈秀英 has pressed, 孙伟 is asked: the assignment's id."""
    press(hub, watch_of(hub, CHEN), "k1")
    incident = live_incident(client, CHEN)
    client.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
    return send_to(client, incident["id"], SUN_WEI)


def state_of(client: httpx.Client, assignment: str) -> str:
    return str(client.get(f"/api/v1/assignments/{assignment}").json()["state"])


# Counts what was asked for and not given back: the browser's own lock cannot be seen from a test.
WATCH_LOCK = """
(() => {
  window.locks = 0
  const lock = () => {
    window.locks += 1
    const one = { released: false }
    one.release = async () => {
      if (!one.released) window.locks -= 1
      one.released = true
    }
    return one
  }
  Object.defineProperty(navigator, 'wakeLock', { value: { request: async () => lock() } })
})()
"""
AWAKE = "window.locks === 1"


def welfare(client: httpx.Client, incident: str) -> list[str]:
    items = client.get(f"/api/v1/incidents/{incident}/timeline").json()["items"]
    return [str(one["body"].get("welfare")) for one in items]


def test_the_big_button_leads_from_accept_to_done(phone: Page, desk_hub: RunningHub, operator: httpx.Client) -> None:
    phone.add_init_script(WATCH_LOCK)
    open_phone(phone, desk_hub)
    expect(phone.locator(".nothing")).to_contain_text("现在没有任务")
    assignment = offered(desk_hub, operator)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    # Live: the task appears by itself.
    expect(card).to_be_visible(timeout=20_000)
    expect(card).to_have_class("card critical")
    expect(card).to_contain_text("陈秀英")
    expect(card).to_contain_text("82 岁")
    expect(card).to_contain_text("3 幢 2 单元 501")
    expect(card.get_by_role("link", name="打电话")).to_have_attribute("href", "tel:" + _phone_of(operator))
    assert (card.get_by_role("link", name="导航").get_attribute("href") or "").startswith("geo:31.")
    # Critical: over the whole screen, until it is answered.
    ring = phone.locator("dialog.ring")
    expect(ring).to_contain_text("陈秀英")
    expect(ring).to_contain_text("3 幢 2 单元 501")
    assert ring.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    for word, state in (("接单", "accepted"), ("出发", "en_route"), ("到达", "on_scene")):
        button = (ring if state == "accepted" else card).locator(".go")
        expect(button).to_have_text(word)
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 52
        button.tap()
        wait_until(lambda state=state: state_of(operator, assignment) == state, 5, what=state)  # type: ignore[misc]
        # The screen stays on while somebody is on the way, and only then.
        wait_until(lambda state=state: phone.evaluate(AWAKE) == (state == "en_route"), 5, what="the screen")  # type: ignore[misc]
    expect(ring).to_have_count(0)
    incident = operator.get(f"/api/v1/assignments/{assignment}").json()["incident_id"]
    card.locator("[data-next=all-well]").tap()
    wait_until(lambda: "answered" in welfare(operator, incident), 5, what="the answer to the welfare clock")
    expect(card.locator(".go")).to_have_text("完成")
    card.locator(".go").tap()
    phone.locator("[data-choice=ambulance]").tap()
    wait_until(lambda: state_of(operator, assignment) == "completed", 5, what="the assignment's end")
    assert operator.get(f"/api/v1/assignments/{assignment}").json()["outcome"] == "ambulance"
    expect(card).to_have_count(0)


def _phone_of(client: httpx.Client) -> str:
    opened = client.post(f"/api/v1/residents/{CHEN}/reveal", json={"reason": "test"}).json()
    return str(opened["resident"]["phone"])


def test_steps_without_a_signal_are_kept_over_a_reload_and_sent_in_order(
    installed_phone: Page, desk_hub: RunningHub, operator: httpx.Client
) -> None:
    phone = installed_phone
    open_phone(phone, desk_hub)
    assignment = offered(desk_hub, operator)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    expect(card).to_be_visible(timeout=20_000)
    show_cards(phone)
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    wait_until(lambda: phone.evaluate("caches.match('/m/').then(Boolean)"), 10, what="the shell in the cache")
    # Nobody answers any more: for the phone that is the same as no signal.
    desk_hub.stop()
    card.locator(".go").tap()
    expect(card).to_contain_text("待上报")
    card.locator(".go").tap()
    expect(card.locator(".go")).to_have_text("到达")
    expect(phone.locator(".sync")).to_contain_text("待上报 2")
    # The page is closed and opened again: the shell, the task and both steps are there.
    phone.reload()
    expect(card.locator(".go")).to_have_text("到达", timeout=15_000)
    expect(phone.locator(".phone-banner")).to_contain_text("无信号")
    # What the page loads after its first paint is kept too.
    phone.locator("[data-tab=mine]").tap()
    expect(phone.get_by_role("switch")).to_be_visible()
    phone.locator("[data-tab=tasks]").tap()
    card.locator(".go").tap()
    expect(phone.locator(".sync")).to_contain_text("待上报 3")
    pressed = phone.evaluate("Date.now()")
    desk_hub.start()
    wait_until(lambda: phone.evaluate("1") and state_of(operator, assignment) == "on_scene", 40, what="the kept steps")
    done = operator.get(f"/api/v1/assignments/{assignment}").json()
    times = [datetime.fromisoformat(done[name]) for name in ("accepted_at", "en_route_at", "on_scene_at")]
    assert times == sorted(times)
    assert len(set(times)) == 3
    # Their own times, not that of the sending.
    assert times[2].timestamp() * 1000 <= pressed + 250
    expect(phone.locator(".sync")).to_have_text("已同步", timeout=20_000)


def test_a_lost_answer_is_not_done_twice(phone: Page, desk_hub: RunningHub, operator: httpx.Client) -> None:
    open_phone(phone, desk_hub)
    assignment = offered(desk_hub, operator)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    expect(card).to_be_visible(timeout=20_000)
    show_cards(phone)
    keys: list[str] = []

    def lose_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    phone.route("**/accept", lose_first_answer)
    card.locator(".go").tap()
    wait_until(lambda: phone.evaluate("1") and len(keys) >= 2, 15, what="the second try")
    expect(phone.locator(".sync")).to_have_text("已同步", timeout=20_000)
    assert len(set(keys)) == 1
    incident = operator.get(f"/api/v1/assignments/{assignment}").json()["incident_id"]
    entries = operator.get(f"/api/v1/incidents/{incident}/timeline").json()["items"]
    assert [one["kind"] for one in entries].count("accepted") == 1
    expect(phone.locator(".refused")).to_have_count(0)


def test_a_task_withdrawn_meanwhile_keeps_the_record_and_says_so(
    phone: Page, desk_hub: RunningHub, operator: httpx.Client
) -> None:
    open_phone(phone, desk_hub)
    assignment = offered(desk_hub, operator)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    expect(card).to_be_visible(timeout=20_000)
    show_cards(phone)
    phone.context.set_offline(True)
    card.locator(".go").tap()
    expect(card).to_contain_text("待上报")
    incident = operator.get(f"/api/v1/assignments/{assignment}").json()["incident_id"]
    closed = operator.post(
        f"/api/v1/incidents/{incident}/close", json={"disposition": "false", "summary": "误按，已通话核实"}
    )
    assert closed.status_code == 200, closed.text
    phone.context.set_offline(False)
    refused = phone.locator(".refused")
    expect(refused).to_contain_text("陈秀英", timeout=20_000)
    expect(refused).to_contain_text("您的记录已保留")
    refused.get_by_role("button").tap()
    expect(refused).to_have_count(0)


def test_who_cannot_go_says_why(phone: Page, desk_hub: RunningHub, operator: httpx.Client) -> None:
    open_phone(phone, desk_hub, query="?lang=en")
    assignment = offered(desk_hub, operator)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    show_cards(phone)
    card.get_by_role("button", name="Cannot go").tap()
    phone.locator("[data-choice=too_far]").tap()
    wait_until(lambda: state_of(operator, assignment) == "declined", 5, what="the answer")
    assert operator.get(f"/api/v1/assignments/{assignment}").json()["reason"] == "too_far"


def test_an_operator_is_told_that_this_is_not_the_desk(phone: Page, desk_hub: RunningHub) -> None:
    phone.goto(f"{desk_hub.base_url}/m/")
    given = desk_hub.credentials("operator")
    phone.fill("input[name=username]", given["username"])
    phone.fill("input[name=password]", given["password"])
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("alert")).to_contain_text("没有外勤任务")


def photo_of(phone: Page) -> FilePayload:
    """A picture larger than the hub takes, as a camera gives it."""
    url = phone.evaluate("""() => {
      const canvas = document.createElement('canvas')
      canvas.width = 3000
      canvas.height = 2000
      const pen = canvas.getContext('2d')
      const picture = pen.createImageData(3000, 2000)
      for (let i = 0; i < picture.data.length; i += 4) {
        picture.data[i] = (i * 7919) % 251
        picture.data[i + 1] = (i >> 7) % 256
        picture.data[i + 2] = (i >> 12) % 256
        picture.data[i + 3] = 255
      }
      pen.putImageData(picture, 0, 0)
      return canvas.toDataURL('image/jpeg', 0.95)
    }""")
    content = base64.b64decode(url.split(",")[1])
    assert len(content) > 400_000
    return {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": content}


def test_a_photo_waits_on_the_phone_and_comes_small_where_the_resident_agrees(
    phone: Page, page: Page, desk_hub: RunningHub, operator: httpx.Client
) -> None:
    given = {"purpose": "photos", "granted": True, "note": "签字同意书"}
    assert operator.post(f"/api/v1/residents/{CHEN}/consents", json=given).status_code == 200
    open_phone(phone, desk_hub)
    assignment = offered(desk_hub, operator)
    phone.locator("dialog.ring .go").tap(timeout=20_000)
    card = phone.locator(f'.card[data-assignment="{assignment}"]')
    card.locator('.go[data-next="en-route"]').tap()
    card.locator('.go[data-next="on-scene"]').tap()
    wait_until(lambda: state_of(operator, assignment) == "on_scene", 5, what="the arrival")
    picture = photo_of(phone)
    phone.context.set_offline(True)
    card.locator("input[type=file]").set_input_files(picture)
    expect(phone.locator(".sync")).to_contain_text("待上报 1", timeout=20_000)
    phone.context.set_offline(False)
    photos = wait_until(
        lambda: phone.evaluate("1") and operator.get(f"/api/v1/assignments/{assignment}/photos").json()["items"],
        20,
        what="the photo",
    )
    assert photos[0]["size"] <= 200_000
    assert operator.get(f"/api/v1/photos/{photos[0]['id']}").content.startswith(b"\xff\xd8\xff")
    # The desk sees that there is one, and opens it on purpose.
    open_desk(page, desk_hub, "operator2", path=f"#/alarms/{live_incident(operator, CHEN)['id']}")
    page.get_by_role("button", name="照片 1").click()
    shown = page.locator("dialog[open] img")
    expect(shown).to_be_visible()
    assert wait_until(lambda: shown.evaluate("one => one.naturalWidth"), 20, what="the picture") > 100


def test_the_tabs_show_shifts_and_oneself_and_a_scanned_claim_binds_once(phone: Page, desk_hub: RunningHub) -> None:
    with desk_hub.sign_in("coordinator") as coordinator:
        now = datetime.now(UTC)
        for hours in (-1, 24):
            shift = {"responder_id": SUN_WEI, "starts_at": (now + timedelta(hours=hours)).isoformat()}
            end = (now + timedelta(hours=hours + 8)).isoformat()
            assert coordinator.post("/api/v1/shifts", json={**shift, "ends_at": end}).status_code == 201
    open_phone(phone, desk_hub)
    phone.locator("[data-tab=shifts]").tap()
    expect(phone.locator(".shift-line")).to_have_count(2)
    expect(phone.locator(".shift-line").first).to_contain_text("当班")
    phone.locator("[data-tab=mine]").tap()
    switch = phone.get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    phone.get_by_role("button", name="呼救").tap()
    phone.get_by_role("button", name="确定呼救").tap()
    expect(phone.get_by_role("status").filter(has_text="值守台已收到")).to_be_visible()
    phone.get_by_role("button", name="English").tap()
    expect(phone.locator("[data-tab=tasks]")).to_have_text("Tasks")
    phone.get_by_role("button", name="中文").tap()
    with desk_hub.sign_in("admin") as admin:
        device = watch_of(desk_hub, CHEN)
        claim = admin.post(f"/api/v1/devices/{device}/claim", json={}).json()
        phone.goto(f"{desk_hub.base_url}{claim['url']}")
        phone.fill("input[name=resident]", "R-0001")
        phone.get_by_role("button", name="绑定").tap()
        expect(phone.get_by_role("status").filter(has_text="已绑定")).to_be_visible()
        assert admin.get(f"/api/v1/devices/{device}").json()["resident"]["id"] == "R-0001"
        # The token is in the fragment: no server's log has it.
        assert claim["token"] not in desk_hub.log
        phone.reload()
        phone.fill("input[name=resident]", "R-0003")
        phone.get_by_role("button", name="绑定").tap()
        expect(phone.get_by_role("alert")).to_contain_text("此码已使用过")
