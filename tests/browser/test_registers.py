"""The registers on the desk's pages: a resident is added by the map and changed by two, a contact confirmed, a map
looked at before it is taken, a crew given its hours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hub.console import mount_console
from hub.console.pages import DIST
from tests.api.desk import Desk, open_desk
from tests.api.settlement import ok
from tests.api.test_registers import WELL_MADE, grids, square
from tests.browser.test_home import PICTURES
from tests.browser.test_look import check
from tests.browser.test_settlement import sign_in

pytestmark = [pytest.mark.browser]


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with open_desk(database_url, throttle=()) as desk:
        mount_console(desk.app)
        ok(desk.seat("coord").patch("/api/v1/areas/G3", json={"boundary": square(118.39, 31.33)}))
        yield desk


def test_a_resident_is_added_by_the_map_and_a_lost_race_loses_nothing(desk: Desk, page: Page, tmp_path: Path) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    coordinator = desk.seat("coord")
    sign_in(page, desk, "coord")
    expect(page.get_by_role("navigation").first).to_be_visible(timeout=30_000)
    page.goto(f"{desk.base}/#/residents")
    page.get_by_role("button", name="新增老人").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("姓名").fill("陈秀英")
    dialog.get_by_label("证件号码").fill(WELL_MADE)
    dialog.get_by_label("证件号码").blur()
    expect(dialog.get_by_label("出生日期")).to_have_value("1944-05-01")
    dialog.get_by_label("纬度").fill("31.335, 118.395")
    expect(dialog.get_by_label("所属网格")).to_have_value("G3")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("姓名和出生日期相同").first).to_be_visible()
    assert check(page, "resident-duplicate", folder) == []
    dialog.get_by_role("button", name="不是同一人，仍然保存").click()
    expect(page.locator(".resident-head h1")).to_have_text("陈秀英")
    ident = page.url.rpartition("/")[2]

    page.get_by_role("button", name="编辑档案").click()
    dialog.get_by_label("住址").fill("西里 4 幢 201")
    record = ok(coordinator.get(f"/api/v1/residents/{ident}"))
    assert (record["area"]["id"], record["lat"], record["id_number"]) == ("G3", 31.335, "3402**********1227")
    ok(desk.seat("fanglei").patch(f"/api/v1/residents/{ident}", json={"hearing": "左耳好"}))
    dialog.get_by_role("button", name="保存").click()
    lost = dialog.get_by_role("alert")
    expect(lost).to_contain_text("已改动：听力与沟通")
    lost.get_by_role("button").click()
    expect(dialog.get_by_label("听力与沟通")).to_have_value("左耳好")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="改动记录").click()
    expect(dialog).to_contain_text("西里 4 幢 201")
    assert check(page, "resident-changes", folder) == []
    page.keyboard.press("Escape")

    form = page.locator(".status-form")
    form.get_by_label("在家状态").select_option("deceased")
    form.get_by_role("button", name="保存").click()
    expect(dialog).to_contain_text("本人设备不再产生告警")
    dialog.get_by_role("button", name="确认").click()
    expect(page.locator(".resident-head .tag").filter(has_text="已故")).to_be_visible()


def test_contacts_are_kept_and_confirmed_by_station(desk: Desk, page: Page) -> None:
    sign_in(page, desk, "zhoumin")
    expect(page.get_by_role("navigation").first).to_be_visible(timeout=30_000)
    page.goto(f"{desk.base}/#/residents/R1")
    page.get_by_role("button", name="添加", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("姓名").fill("对门老李")
    dialog.get_by_label("电话", exact=True).fill("13900008888")
    dialog.get_by_label("类型").select_option("neighbour")
    dialog.get_by_label("持有钥匙").check()
    dialog.get_by_role("button", name="保存").click()
    expect(page.locator(".contact-card")).to_have_count(2)
    page.get_by_role("button", name="排序").click()
    page.get_by_role("button", name="对门老李上移").click()
    expect(page.locator(".contact-order li").first).to_contain_text("对门老李")

    page.goto(f"{desk.base}/#/contacts")
    page.locator(".station-count").filter(has_text="柳岸照料站").click()
    row = page.locator("[data-contact]").filter(has_text="对门老李")
    row.get_by_role("button", name="对门老李：今日已核实").click()
    expect(row).to_have_count(0)
    found = ok(desk.seat("coord").get("/api/v1/contacts", params={"resident": "R1"}))["items"]
    first = min(found, key=lambda one: one["position"])
    assert (first["name"], first["has_key"], first["confirmed_on"] is not None) == ("对门老李", True, True)


def test_a_map_and_a_crew_come_by_the_pages(desk: Desk, page: Page, tmp_path: Path) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    sign_in(page, desk, "coord", "?lang=en#/areas")
    expect(page.locator("[data-area=G3]")).to_contain_text("Grid")
    page.get_by_role("button", name="Import a map").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What the polygons are").select_option("grid")
    bad = json.loads(grids(("W1", "西一网格", square(118.3, 31.3), {}), ("W2", "西二网格", square(118.32, 31.3), {})))
    bad["features"][1]["geometry"]["coordinates"][0].pop()
    choose = dialog.get_by_label("File")

    def give(body: object) -> None:
        content = json.dumps(body).encode()
        choose.set_input_files([{"name": "map.geojson", "mimeType": "application/geo+json", "buffer": content}])

    give(bad)
    expect(dialog).to_contain_text("ring 1: it is not closed")
    expect(dialog.get_by_role("button", name="Take the 1 good rows")).to_be_disabled()
    assert check(page, "area-import", folder) == []
    bad["features"].pop()
    give(bad)
    dialog.get_by_role("button", name="Take 1 rows").click()
    expect(page.locator("[data-area=W1]")).to_contain_text("西一网格")
    page.locator("[data-area=G3]").get_by_role("button", name="第3网格", exact=True).click()
    dialog.get_by_role("button", name="Retire").click()
    dialog.get_by_role("button", name="Retire it").click()
    expect(dialog.get_by_role("alert").filter(has_text="2 residents")).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Crews").click()
    page.get_by_role("button", name="Add a crew").click()
    dialog.get_by_label("Crew", exact=False).first.fill("Bathing 1")
    for person in ("S1", "S2"):
        dialog.get_by_label("Add a member").select_option(person)
    dialog.get_by_label("Mon").check()
    dialog.get_by_label("From").fill("08:00")
    dialog.get_by_label("To", exact=True).fill("12:00")
    assert check(page, "crew-dialog", folder) == []
    dialog.get_by_role("button", name="Save").click()
    row = page.locator("[data-crew]").filter(has_text="Bathing 1")
    expect(row).to_contain_text("Mon · 08:00-12:00")
    expect(row).to_contain_text("孙伟")

    page.goto(f"{desk.base}/?lang=zh#/areas")
    page.get_by_role("button", name="导入地图").click()
    dialog.get_by_label("面的类型").select_option("grid")
    choose = dialog.get_by_label("文件")
    bad["features"][0]["geometry"]["coordinates"][0].pop()
    give(bad)
    expect(dialog).to_contain_text("第 1 圈：没有闭合")
    page.emulate_media(color_scheme="dark")
    assert check(page, "area-import-zh", folder) == []
