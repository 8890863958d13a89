"""Where somebody is, on the desk's page and on the responder's phone: how sure, how old, and where people go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from paho.mqtt import publish
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import SUN_WEI, live_incident, open_desk, open_phone, press, send_to, show_cards, watch_of
from tests.browser.test_phone import PHONE
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
WANG = "R-0001"


def reports(hub: RunningHub, device_id: str, lat: float, lon: float, accuracy_m: float, source: str = "gnss") -> None:
    """The device tells where it is, over MQTT."""
    fix = {"lat": lat, "lon": lon, "accuracy_m": accuracy_m, "source": source}
    body = {"observed_at": datetime.now(UTC).isoformat(), "fix": fix}
    topic = f"care/v1/{device_id}/up/location"
    publish.single(topic, json.dumps(body), qos=1, hostname="127.0.0.1", port=hub.broker.port, client_id=device_id)


def home_of(client: httpx.Client) -> tuple[float, float]:
    found = client.get(f"/api/v1/residents/{WANG}").json()
    return float(found["lat"]), float(found["lon"])


def claimed(hub: RunningHub, client: httpx.Client) -> dict[str, Any]:
    """王桂兰 has pressed without a position, and somebody has it."""
    press(hub, watch_of(hub, WANG), "p1")
    incident = live_incident(client, WANG)
    client.post(f"/api/v1/incidents/{incident['id']}/acknowledge", json={})
    return incident


def test_the_desk_sees_where_she_is_and_where_the_responder_is(page: Page, desk_hub: RunningHub) -> None:
    with desk_hub.sign_in("operator") as client, desk_hub.sign_in("staff") as officer:
        lat, lon = home_of(client)
        incident = claimed(desk_hub, client)
        device = watch_of(desk_hub, WANG)
        open_desk(page, desk_hub, path=f"#/alarms/{incident['id']}")
        place = page.locator(".position-line")
        expect(page.locator(".detail-who")).to_contain_text("王桂兰")
        expect(place).to_have_count(0)
        asked = client.post(f"/api/v1/devices/{device}/commands", json={"command": "locate"})
        assert asked.status_code == 202, asked.text
        # A cell of 3 km is shown for what it is, and nobody is sent there.
        reports(desk_hub, device, lat + 0.02, lon, 3000, "cell")
        expect(place).to_contain_text("按住址前往")
        expect(place).to_contain_text("定位误差太大")
        expect(place).to_contain_text("基站 ±3 km · 刚刚 · 距住址 2.2 km")
        reports(desk_hub, device, lat + 0.006, lon, 12)
        expect(place).to_contain_text("按定位前往")
        expect(place).to_contain_text("GPS ±12 m · 刚刚 · 距住址 670 m")
        expect(page.locator(".timeline [data-kind=positioned]").first).to_contain_text("GPS ±12 m · 更准")

        assignment = send_to(client, incident["id"], SUN_WEI)
        assert officer.post(f"/api/v1/assignments/{assignment}/accept", json={}).status_code == 200
        line = page.locator(f'.assignments [data-assignment="{assignment}"]')
        expect(line.locator(".tag")).to_have_text("已接单")
        told = officer.post("/api/v1/my/position", json={"fix": {"lat": lat + 0.006, "lon": lon, "accuracy_m": 8}})
        assert told.json()["kept"], told.text
        expect(line.locator("[data-seen]")).to_have_text("位置 ±8 m 刚刚")
        expect(line.locator("[data-eta]")).to_have_text("约 1 分钟")
        expect(page.locator(".timeline [data-kind=arrival]")).to_contain_text("孙伟")
        page.goto(f"{desk_hub.base_url}/?lang=en#/alarms/{incident['id']}")
        expect(place).to_contain_text("Go by the position")
        expect(place).to_contain_text("GPS ±12 m")


def test_a_phone_on_its_way_tells_where_it_is_and_stops_at_the_door(browser: Browser, desk_hub: RunningHub) -> None:
    context = browser.new_context(**PHONE, service_workers="block", permissions=["geolocation"])
    try:
        with desk_hub.sign_in("operator") as client:
            lat, lon = home_of(client)
            context.set_geolocation({"latitude": lat - 0.02, "longitude": lon, "accuracy": 14})
            phone = context.new_page()
            sent: list[dict[str, Any]] = []
            phone.on("request", lambda one: sent.append(one.post_data_json) if "/my/position" in one.url else None)
            open_phone(phone, desk_hub)
            incident = claimed(desk_hub, client)
            reports(desk_hub, watch_of(desk_hub, WANG), lat + 0.006, lon, 12)
            wait_until(lambda: live_incident(client, WANG)["fix"], 10, what="the position")
            assignment = send_to(client, incident["id"], SUN_WEI)
            show_cards(phone)
            card = phone.locator(f'.card[data-assignment="{assignment}"]')
            # Both places, and the big button leads to the one that the hub says.
            expect(card.locator(".task-place")).to_contain_text("按定位前往")
            expect(card.locator(".task-place")).to_contain_text("GPS ±12 m")
            goes = card.get_by_role("link", name="导航").get_attribute("href") or ""
            fix = live_incident(client, WANG)["place"]
            assert goes.startswith(f"geo:{fix['lat']},{fix['lon']}")
            assert fix["lat"] == pytest.approx(lat + 0.006)
            home = card.get_by_role("link", name="去住址").get_attribute("href") or ""
            assert home.startswith(f"geo:{lat},{lon}")
            assert sent == [], "nothing is told before it is accepted"

            def seen() -> dict[str, Any]:
                found: dict[str, Any] = client.get(f"/api/v1/responders/{SUN_WEI}").json()
                return found

            card.locator(".go").tap()
            sharing = phone.locator(".under-way")
            expect(sharing).to_contain_text("途中位置正发给指挥中心（±14 米）")
            wait_until(lambda: seen()["position_accuracy_m"] == 14, 5, what="the position")
            assert seen()["lat"] == pytest.approx(lat - 0.02)
            arrival = client.get(f"/api/v1/assignments/{assignment}").json()
            assert arrival["eta_at"] is not None
            card.locator(".go").tap()
            # One step a press: until the page has drawn the next one, the button still is the old one.
            expect(card.locator(".go")).to_have_text("到达")
            card.locator(".go").tap()
            expect(card.locator(".go")).to_have_text("完成")
            expect(sharing).to_have_count(0)
            told = len(sent)
            context.set_geolocation({"latitude": lat, "longitude": lon, "accuracy": 9})
            expect(phone.locator(".sync")).to_contain_text("已同步")
            assert len(sent) == told, "at the door nobody is followed any more"
    finally:
        context.close()


def test_where_a_resident_is_is_shown_once_the_record_is_opened(page: Page, desk_hub: RunningHub) -> None:
    with desk_hub.sign_in("operator") as client:
        lat, lon = home_of(client)
        device = watch_of(desk_hub, WANG)
        reports(desk_hub, device, lat + 0.004, lon, 35, "wifi")
        wait_until(lambda: client.get(f"/api/v1/devices/{device}").json()["last_fix"], 10, what="the position")
    open_desk(page, desk_hub, path=f"#/devices/{device}")
    expect(page.locator("[data-fix]")).to_have_text("WiFi ±35 m · 刚刚")
    page.goto(f"{desk_hub.base_url}/#/residents/{WANG}")
    panel = page.locator(".position-panel")
    expect(panel).to_contain_text("WiFi ±35 m · 刚刚")
    expect(panel).to_contain_text("打开后可见")
    page.get_by_role("button", name="显示完整信息").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("家属来电询问")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("距住址 450 m")
    expect(panel.get_by_role("img", name="最后定位与住址的地图")).to_be_visible()
