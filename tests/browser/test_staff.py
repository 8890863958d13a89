"""The registers under 设置: somebody is added, given a provider, kept while tasks are open; a provider is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hub.console import mount_console
from hub.console.pages import DIST
from tests.api.desk import Desk, open_desk, soon
from tests.api.settlement import ok, settle_world
from tests.browser.test_home import PICTURES
from tests.browser.test_look import check
from tests.browser.test_settlement import sign_in

pytestmark = [pytest.mark.browser]


@pytest.fixture
def registers(database_url: str) -> Iterator[Desk]:
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with open_desk(database_url, throttle=()) as desk:
        mount_console(desk.app)
        settle_world(desk)
        with desk.database.begin() as tx:
            tx.reference.patch("stations", "ST1", {"provider_id": "PB"}, version=None)
        wanted = {"kind": "companionship", "resident_id": "R1", "wanted_from": soon(hours=3)}
        coordinator = desk.seat("coord")
        order = ok(coordinator.post("/api/v1/orders", json=wanted), 201)
        ok(coordinator.post(f"/api/v1/orders/{order['id']}/assign", json={"responder_id": "C1"}))
        yield desk


def test_staff_and_providers_are_kept_on_the_console(registers: Desk, page: Page, tmp_path: Path) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    sign_in(page, registers, "fanglei")
    expect(page.get_by_role("navigation").first).to_be_visible(timeout=30_000)
    page.goto(f"{registers.base}/#/staff")
    page.get_by_role("button", name="新增人员").click(timeout=30_000)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("姓名").fill("周静")
    dialog.get_by_label("编号").fill("N1")
    dialog.get_by_label("岗位").select_option("nurse")
    dialog.get_by_label("驻点").select_option("ST1")
    dialog.get_by_label("交通工具").select_option("car")
    dialog.get_by_label("护理（注册护士）", exact=True).check()
    dialog.get_by_label("护理（注册护士）资质有效期至").fill("2020-01-31")
    assert check(page, "staff-dialog", folder) == []
    dialog.get_by_role("button", name="保存").click()
    row = page.locator("[data-staff=N1]")
    expect(row).to_contain_text("东门服务 （随驻点）", timeout=30_000)
    expect(row).to_contain_text("护理（注册护士） · 已过期")
    expect(row).to_contain_text("汽车")
    assert check(page, "staff", folder) == []

    row.get_by_role("button").click()
    dialog.get_by_label("所属机构").select_option("PA")
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("柳岸服务", timeout=30_000)
    # Whoever has a task stays until somebody else has it.
    busy = page.locator("[data-staff=C1]")
    busy.get_by_role("button").click()
    dialog.get_by_label("在职").uncheck()
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_role("alert")).to_contain_text("手上还有 1 个任务，请先改派", timeout=30_000)
    page.keyboard.press("Escape")
    row.get_by_role("button").click()
    dialog.get_by_label("在职").uncheck()
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_have_count(0, timeout=30_000)
    page.get_by_label("显示已离职").check()
    expect(row).to_contain_text("已离职")

    page.goto(f"{registers.base}/#/providers")
    provider = page.locator("[data-provider=PA]")
    provider.get_by_role("button").click(timeout=30_000)
    dialog.get_by_label("联系人").fill("许洁")
    dialog.get_by_label("电话").fill("0553-1234567")
    dialog.get_by_label("情感陪护").check()
    assert check(page, "provider-dialog", folder) == []
    dialog.get_by_role("button", name="保存").click()
    expect(provider).to_contain_text("许洁", timeout=30_000)
    expect(provider).to_contain_text("情感陪护")
    with registers.database.begin() as tx:
        kept = tx.reference.get("providers", "PA")
    assert kept is not None
    assert (kept["phone"], kept["kinds"]) == ("0553-1234567", ["companionship"])

    page.goto(f"{registers.base}/#/stations")
    station = page.locator("[data-station=ST1]")
    expect(station).to_contain_text("东门服务", timeout=30_000)
    station.get_by_role("button").click()
    dialog.get_by_label("所属机构").select_option("PA")
    dialog.get_by_label("电话").fill("0553-7654321")
    dialog.get_by_label("纬度").fill("131.3")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("请填写纬度（-90 至 90）和经度")).to_be_visible()
    dialog.get_by_label("纬度").fill("31.3341，118.3921")
    assert check(page, "station-dialog", folder) == []
    dialog.get_by_role("button", name="保存").click()
    expect(station).to_contain_text("柳岸服务", timeout=30_000)
    expect(station).to_contain_text("31.3341, 118.3921")
    page.get_by_role("button", name="新增站点").click()
    dialog.get_by_label("名称").fill("北门助餐点")
    dialog.get_by_label("类型").select_option("meal_point")
    dialog.get_by_label("编号").fill("MP9")
    dialog.get_by_role("button", name="保存").click()
    expect(page.locator("[data-station=MP9]")).to_contain_text("无位置", timeout=30_000)
    with registers.database.begin() as tx:
        moved, made = tx.reference.get("stations", "ST1"), tx.reference.get("stations", "MP9")
    assert moved is not None
    assert made is not None
    assert (moved["provider_id"], moved["phone"], moved["lat"]) == ("PA", "0553-7654321", 31.3341)
    assert (made["kind"], made["provider_id"]) == ("meal_point", None)
