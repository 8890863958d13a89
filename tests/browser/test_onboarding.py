"""A new device shows itself on the onboarding page while it speaks, and its maker gets a report to print."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.desk import open_desk, press
from tests.fixtures.hub import RunningHub


def test_a_new_device_is_seen_while_it_speaks(desk_hub: RunningHub, page: Page) -> None:
    open_desk(page, desk_hub, "admin", path="#/onboarding")
    expect(page.locator(".page-tabs [aria-current]")).to_have_text("接入")
    press(desk_hub, "brand-new-1", "n1")
    page.get_by_role("button", name="brand-new-1").click(timeout=20_000)
    said = page.locator(".heard li").first
    expect(said.locator(".heard-event")).to_contain_text("alarm sos", timeout=20_000)
    expect(said.locator(".heard-raw")).to_contain_text('"ref"')
    expect(said.locator(".heard-replies")).to_contain_text("received")

    page.get_by_role("button", name="观察 1 小时（保留全部原文）").click()
    expect(page.get_by_role("button", name="停止观察")).to_be_visible(timeout=20_000)
    press(desk_hub, "brand-new-1", "n2", "pressed")
    expect(page.locator(".heard li")).to_have_count(2, timeout=20_000)

    page.get_by_role("button", name="符合性报告").click()
    report = page.locator(".report")
    expect(report).to_contain_text("brand-new-1")
    expect(report).to_contain_text("报警码 pressed 含义不明")
    expect(page.get_by_role("button", name="打印")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".shell")).to_be_hidden()
    expect(report).to_be_visible()


def test_an_operator_is_not_offered_what_the_registers_keepers_need(desk_hub: RunningHub, page: Page) -> None:
    open_desk(page, desk_hub, path="#/devices")
    expect(page.locator(".page-tabs")).to_contain_text("技术工单")
    expect(page.locator(".page-tabs")).not_to_contain_text("接入")
