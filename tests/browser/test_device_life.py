"""A device on the console: added by a file, its credential told once, its claim printed; adopted with what it said."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import httpx
import pytest
from paho.mqtt import publish
from playwright.sync_api import Page, expect

from tests.browser.desk import choose_person, open_desk, press
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


def test_devices_come_by_a_file_and_are_claimed_by_a_printed_code(desk_hub: RunningHub, page: Page) -> None:
    open_desk(page, desk_hub, "coordinator", path="#/devices")
    page.get_by_role("button", name="批量导入").click()
    dialog = page.locator("dialog[open]")
    text = "编号,协议,名称\nbox-1,care,卧室按钮\nbox-2,nokia,门铃\n"
    file = dialog.get_by_label("CSV 或 XLSX 文件")
    file.set_input_files({"name": "批次.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")})
    expect(dialog.locator(".file-refused li")).to_contain_text("第 3 行 协议：没有设备协议 “nokia”")
    expect(dialog).to_contain_text("可写入 1 行，有误 1 行")
    assert not desk_hub.rows("SELECT 1 AS one FROM devices WHERE id = 'box-1'"), "a preview writes nothing"
    dialog.get_by_role("button", name="写入 1 行").click()
    secret = page.locator("dialog[open] code.secret")
    expect(secret).to_have_count(1)
    assert len(secret.inner_text()) >= 24
    page.emulate_media(media="print")
    expect(page.locator(".print-sheet .secret")).to_have_text(secret.inner_text())
    page.emulate_media(media="screen")
    page.get_by_role("button", name="打印绑定码").click()
    label = page.locator("dialog[open] .claim-label")
    expect(label).to_contain_text("box-1")
    address = urlsplit(label.locator("svg").get_attribute("aria-label") or "")
    assert address.path == "/m/claim"
    with desk_hub.sign_in("coordinator") as client:
        taken = client.post("/api/v1/devices/claim", json={"token": address.fragment, "resident_id": "R-0001"})
        assert taken.status_code == 200, taken.text
    page.keyboard.press("Escape")
    page.get_by_label("搜索").first.fill("box-1")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("卧室按钮")


def test_a_heard_device_is_adopted_with_what_it_said(desk_hub: RunningHub, page: Page) -> None:
    press(desk_hub, "stranger-1", "n1")
    body = json.dumps({"observed_at": "2026-11-20T08:00:00Z", "heart_rate_bpm": 77})
    publish.single(
        "care/v1/stranger-1/up/vitals",
        body,
        qos=1,
        hostname="127.0.0.1",
        port=desk_hub.broker.port,
        client_id="stranger-1",
    )
    kept = "SELECT state FROM quarantine WHERE device_id = 'stranger-1'"
    wait_until(lambda: desk_hub.rows(kept), 20, what="the kept message")
    open_desk(page, desk_hub, "supervisor", path="#/quarantine")
    row = page.locator("tbody tr").filter(has_text="stranger-1")
    row.locator(".row-open").click()
    expect(page.locator(".quarantine-raw")).to_contain_text('"heart_rate_bpm": 77')
    page.get_by_role("button", name="重放", exact=True).click()
    expect(page.get_by_text("请先登记").first).to_be_visible()
    page.get_by_role("link", name="去登记").click()
    page.get_by_role("button", name="登记该设备").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("设备编号")).to_have_value("stranger-1")
    choose_person(dialog, "陈秀英")
    expect(dialog.get_by_role("checkbox")).to_be_checked()
    dialog.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("dialog[open] code.secret")).to_be_visible()
    assert desk_hub.rows(kept) == [{"state": "replayed"}]
    found = desk_hub.rows("SELECT value FROM observations WHERE device_id = 'stranger-1'")
    assert [row["value"] for row in found] == [77]
    page.keyboard.press("Escape")
    press(desk_hub, "stranger-1", "n2")

    # What is let go stays listed, with who did it and why.
    publish.single("care/v1/stranger-2/up/vitals", body, qos=1, hostname="127.0.0.1", port=desk_hub.broker.port)
    wait_until(lambda: desk_hub.rows(kept.replace("-1", "-2")), 20, what="the other message")
    page.goto(f"{desk_hub.base_url}/#/quarantine")
    page.get_by_label("全选本页").check()
    page.get_by_role("button", name="丢弃（1）").click()
    dialog.get_by_role("button", name="丢弃", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("必填")
    dialog.get_by_label("原因").fill("邻居家的设备")
    dialog.get_by_role("button", name="丢弃", exact=True).click()
    page.get_by_role("button", name="已丢弃", exact=True).click()
    page.locator("tbody tr").filter(has_text="stranger-2").locator(".row-open").click()
    expect(page.get_by_role("complementary", name="暂存报文")).to_contain_text("邻居家的设备")


def test_a_device_changes_hands_and_is_shut_out_by_word(desk_hub: RunningHub, page: Page) -> None:
    with desk_hub.sign_in("coordinator") as client:
        made = client.post("/api/v1/devices", json={"id": "hand-1", "family": "care", "resident_id": "R-0001"})
        assert made.status_code == 201, made.text
    owner = "SELECT resident_id, revoked_at IS NOT NULL AS revoked FROM devices WHERE id = 'hand-1'"
    open_desk(page, desk_hub, "coordinator", path="#/devices/hand-1")
    card, dialog = page.locator(".side-card"), page.locator("dialog[open]")
    card.get_by_role("button", name="转交他人").click()
    choose_person(dialog, "赵国华")
    dialog.get_by_role("button", name="绑定", exact=True).click()
    expect(card.locator(".life-history li").first).to_contain_text("绑定 王桂兰 → 赵国华")
    page.get_by_role("button", name="撤销").click()
    expect(card.locator(".life-history li").first).to_contain_text("绑定 赵国华 → 王桂兰")
    assert desk_hub.rows(owner) == [{"resident_id": "R-0001", "revoked": False}]

    card.get_by_role("button", name="停用").click()
    dialog.get_by_label("原因").fill("遗失")
    dialog.get_by_label("输入设备编号 hand-1 以确认").fill("hand-2")
    dialog.get_by_role("button", name="停用", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("与设备编号不一致")
    dialog.get_by_label("输入设备编号 hand-1 以确认").fill("hand-1")
    dialog.get_by_role("button", name="停用", exact=True).click()
    expect(card.locator(".life-history li").first).to_contain_text("停用 遗失")
    assert desk_hub.rows(owner)[0]["revoked"]
    card.get_by_role("button", name="恢复使用").click()
    dialog.get_by_label("原因").fill("找到了")
    dialog.get_by_role("button", name="恢复使用").click()
    expect(page.locator("dialog[open] code.secret")).to_be_visible()


def test_a_makers_cloud_is_let_in_and_shut_out(desk_hub: RunningHub, page: Page) -> None:
    open_desk(page, desk_hub, "admin", path="#/integrations")
    page.get_by_role("button", name="新增对接").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("名称").fill("Lake Side")
    dialog.get_by_label("协议").select_option("thingsboard")
    dialog.get_by_role("button", name="新增", exact=True).click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("名称").fill("lakeside")
    dialog.get_by_role("button", name="新增", exact=True).click()
    secret = dialog.get_by_label("lakeside 的密钥").input_value()
    where = f"{desk_hub.base_url}/api/v1/intake/thingsboard"
    proof = {"Authorization": f"Bearer {secret}"}
    assert httpx.post(where, content=b"{}", headers=proof).status_code != 401
    dialog.get_by_role("button", name="已记录").click()
    row = page.locator("tbody tr").filter(has_text="lakeside")
    row.get_by_role("button", name="停用").click()
    dialog.get_by_label("输入名称 lakeside 以确认").fill("lakeside")
    dialog.get_by_role("button", name="停用", exact=True).click()
    expect(row.locator(".tag")).to_contain_text("停用")
    assert secret not in page.content()
    assert httpx.post(where, content=b"{}", headers=proof).status_code == 401


def test_one_token_is_taken_back_and_the_other_goes_on(desk_hub: RunningHub, page: Page) -> None:
    with desk_hub.sign_in("admin") as client:
        account = {"username": "district", "name": "区平台", "role": "integrator", "password": "a long pass phrase 1"}
        user = client.post("/api/v1/users", json=account)
        assert user.status_code == 201, user.text
    open_desk(page, desk_hub, "admin", path="#/integrations")
    dialog = page.locator("dialog[open]")
    secrets: list[str] = []
    for label in ("报表程序", "旧电脑"):
        page.locator("tbody tr").filter(has_text="区平台").get_by_role("button", name="签发令牌").click()
        dialog.get_by_label("用途").fill(label)
        dialog.get_by_label("有效天数").fill("5" if label == "旧电脑" else "90")
        dialog.get_by_role("button", name="签发", exact=True).click()
        secrets.append(dialog.get_by_label("district 的密钥").input_value())
        dialog.get_by_role("button", name="已记录").click()

    def status(secret: str) -> int:
        where = f"{desk_hub.base_url}/api/v1/incidents"
        return httpx.get(where, headers={"Authorization": f"Bearer {secret}"}).status_code

    row = page.locator("tbody tr").filter(has_text="旧电脑")
    expect(row).to_contain_text("从未使用")
    expect(row.locator(".tag")).to_have_text("5 天内到期")
    assert [status(one) for one in secrets] == [200, 200]
    page.reload()
    expect(row).not_to_contain_text("从未使用")
    row.get_by_role("button", name="收回", exact=True).click()
    dialog.get_by_role("button", name="收回", exact=True).click()
    expect(row).to_have_count(0)
    expect(page.locator("tbody tr").filter(has_text="报表程序")).to_have_count(1)
    assert [status(one) for one in secrets] == [200, 401]
    assert not [one for one in secrets if one in page.content()]


def test_an_own_profile_is_tried_and_told_what_is_wrong_with_it(desk_hub: RunningHub, page: Page) -> None:
    open_desk(page, desk_hub, "admin", path="#/profiles/owntracks")
    page.get_by_role("button", name="另存为自己的").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("编号").fill("own-phone")
    reading = dialog.get_by_label("报文解读")
    reading.fill('{"leaves": "door"}')
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_role("alert")).to_contain_text("没有这个字段")
    expect(reading).to_have_attribute("aria-invalid", "true")
    reading.fill('{"leave": "door"}')
    transition = '{"_type":"transition","event":"leave","desc":"home","tst":1760000000,"t":"c","wtst":1}'
    dialog.get_by_label("报文", exact=True).fill(transition)
    dialog.get_by_label("MQTT 主题（如有）").fill("owntracks/u/d/event")
    dialog.get_by_role("button", name="试读").click()
    expect(dialog.get_by_role("status")).to_contain_text("door")
    dialog.get_by_role("button", name="保存").click()
    expect(page.locator(".side-card h2 + p")).to_contain_text("own-phone")
    expect(page.locator(".side-card .facts").first).to_contain_text("leave")
