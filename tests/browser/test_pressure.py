"""The desk under pressure: what is told, calls that ring, one area of many, a flood, a link that falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import open_desk, press, row, watch_of
from tests.browser.test_look import serious
from tests.fixtures.browser import DESK
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

WANG = "R-0001"
CHEN = "R-0002"


@contextmanager
def exchange(hub: RunningHub) -> Iterator[httpx.Client]:
    """A telephone system, signed in as the integrator it is."""
    hub.hub("user", "add", "exchange", "--role", "integrator", stdin=f"{hub.world.password}\n")
    with hub.sign_in("exchange") as client:
        yield client


def ring(client: httpx.Client, number: str) -> str:
    answer = client.post("/api/v1/calls/incoming", json={"number": number})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["call"]["id"])


def tell(client: httpx.Client, **body: Any) -> str:
    answer = client.post("/api/v1/alarms", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["incident"]["id"])


def phone_of(hub: RunningHub, resident_id: str) -> str:
    return str(hub.rows("SELECT phone FROM residents WHERE id = %s", resident_id)[0]["phone"])


def grids(hub: RunningHub) -> list[str]:
    return [str(one["id"]) for one in hub.rows("SELECT id FROM areas WHERE kind = 'grid' ORDER BY id")]


def test_an_alarm_told_by_telephone_is_written_down_by_keys_alone(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub)
    keyboard = page.keyboard
    keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("登记电话或当面告知")
    keyboard.press("Escape")
    keyboard.press("w")
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("combobox", name="老人")).to_be_focused()
    # Sent as it is, it says at each field what is missing.
    expect(dialog.locator("option[value='type:fall']")).to_be_attached()
    dialog.get_by_role("button", name="登记并打开").press("Enter")
    expect(dialog.locator(".error")).to_have_count(2)
    dialog.get_by_role("combobox", name="老人").focus()
    keyboard.type("cxy")
    options = dialog.get_by_role("option")
    expect(options.filter(has_text="陈秀英").first).to_be_visible()
    dialog.get_by_role("combobox", name="老人").fill("")
    expect(dialog.get_by_role("listbox", name="老人")).to_be_hidden()
    keyboard.type(phone_of(desk_hub, CHEN))
    expect(options.filter(has_text="陈秀英")).to_be_visible()
    keyboard.press("Enter")
    kind = dialog.get_by_label("什么事")
    kind.focus()
    kind.select_option("type:fall")
    expect(dialog.locator(".choice", has_text="特急")).to_contain_text("建议")
    expect(dialog.locator("#told-level-why")).to_contain_text("“跌倒”按告警类型表为特急")
    # Another level needs its reason.
    dialog.get_by_role("radio", name="重要").check()
    dialog.get_by_label("经过").fill("邻居来电，人已坐起")
    keyboard.press("Enter")
    expect(dialog.get_by_label("为何不用建议级别")).to_be_visible()
    expect(dialog.locator(".error")).to_contain_text("请写明原因")
    dialog.get_by_label("为何不用建议级别").fill("已坐起，神志清楚")
    assert serious(page) == []
    dialog.get_by_label("来电人").fill("王阿姨")
    dialog.get_by_label("回拨号码").fill("13700000000")
    dialog.get_by_label("经过").focus()
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator(".detail-who")).to_contain_text("陈秀英")
    expect(page.locator(".row")).to_have_count(1)
    alarms = desk_hub.rows("SELECT priority, attributes, note FROM alarms WHERE source = 'person'")
    assert [(one["priority"], one["note"]) for one in alarms] == [("high", "邻居来电，人已坐起")]
    assert alarms[0]["attributes"]["caller"] == "王阿姨"


def test_a_call_that_rings_opens_who_it_is_and_covers_nothing(page: Page, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    open_desk(page, desk_hub)
    page.locator(".row").first.click()
    focused = "document.activeElement?.className + document.activeElement?.id"
    before = page.evaluate(focused)
    place = page.locator(".row").first.bounding_box()
    with exchange(desk_hub) as system:
        first = ring(system, phone_of(desk_hub, WANG))
        ring(system, "02188886666")
        bar = page.locator(".call-bar")
        expect(bar.locator(".call-line")).to_have_count(2)
        expect(bar.locator(f'[data-call="{first}"]')).to_contain_text("王桂兰（老人本人）")
        expect(bar).to_contain_text("未登记号码")
        expect(bar.locator("[role=status]")).to_contain_text("来电：")
        assert page.evaluate(focused) == before, "a call takes no focus"
        assert page.locator(".row").first.bounding_box() == place, "and moves no row"
        assert serious(page) == []
        # The longest waiting first: its resident has a live incident.
        page.keyboard.press("Escape")
        page.keyboard.press("y")
        expect(page.locator(".detail-who")).to_contain_text("王桂兰")
        expect(bar.locator(f'[data-call="{first}"]')).to_contain_text("通话中")
        ended = {"ended_at": datetime.now(UTC).isoformat(), "outcome": "answered"}
        assert system.patch(f"/api/v1/calls/{first}", json=ended).status_code == 200
        expect(bar.locator(".call-line")).to_have_count(1)
        # Nobody knows the number: the form, with it filled in.
        page.keyboard.press("y")
        dialog = page.locator("dialog[open]")
        expect(dialog.get_by_label("回拨号码")).to_have_value("02188886666")
        dialog.get_by_role("radio", name="地点").check()
        dialog.get_by_role("combobox", name="地点").fill("网格")
        dialog.get_by_role("combobox", name="地点").press("Enter")
        dialog.get_by_label("什么事").select_option("matter:fire_risk")
        dialog.get_by_label("经过").fill("楼道堆物")
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        expect(page.locator(".row")).to_have_count(2)
    tied = desk_hub.rows("SELECT incident_id FROM calls WHERE number = '02188886666'")
    told = desk_hub.rows("SELECT incident_id FROM alarms WHERE source = 'person'")
    assert tied == told


def test_one_area_of_the_queue_never_hides_that_there_is_more(page: Page, desk_hub: RunningHub) -> None:
    here, there = grids(desk_hub)[:2]
    with desk_hub.sign_in("operator") as client:
        mine = tell(client, matter="way", area_id=here)
        other = tell(client, matter="way", area_id=there)
    name = desk_hub.rows("SELECT name FROM areas WHERE id = %s", here)[0]["name"]
    open_desk(page, desk_hub)
    expect(page.locator(".row")).to_have_count(2)
    page.keyboard.press("f")
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("combobox").fill(str(name))
    expect(dialog.locator(f'[data-area="{here}"]')).to_contain_text("1")
    assert serious(page) == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(row(page, mine)).to_be_visible()
    expect(row(page, other)).to_have_count(0)
    expect(page.locator(".queue-outside")).to_contain_text("筛选之外还有 1 条")
    expect(page).to_have_url(f"{desk_hub.base_url}/#/alarms?area={here}")
    # A critical one elsewhere is told above the list, though the list leaves it out.
    with desk_hub.sign_in("operator") as client:
        urgent = tell(client, type="smoke", area_id=there)
    expect(page.locator(".queue-outside.urgent")).to_contain_text("特急待受理 1 条：烟雾报警")
    expect(row(page, urgent)).to_have_count(0)
    page.locator(".queue-outside .link-button").click()
    expect(page.locator("[data-action=acknowledge]")).to_be_visible()
    # A kept address shows the same queue, and the most urgent key leaves the filter.
    page.reload()
    expect(page.locator(".queue-outside.urgent")).to_be_visible(timeout=15_000)
    expect(row(page, other)).to_have_count(0)
    page.keyboard.press("n")
    expect(row(page, urgent)).to_be_visible()
    expect(page.locator(".queue-outside")).to_be_empty()


def maintain(hub: RunningHub) -> None:
    """A maintenance window over one grid, for an hour."""
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"kind": "maintenance", "area_id": grids(hub)[-1], "reason": "更换网关", "ends_at": ends}
    with hub.sign_in("supervisor") as client:
        assert client.post("/api/v1/silences", json=body).status_code == 201


def make_flood(hub: RunningHub) -> tuple[str, list[str]]:
    """A flood of one community: what came first, and those of the lowest level."""
    grid = grids(hub)[0]
    with hub.sign_in("operator2") as client:
        first = tell(client, matter="water", area_id=grid, note="楼上漏水")
        low = [tell(client, matter="equipment", area_id=grid, note=f"路灯 {n}") for n in range(8)]
        tell(client, matter="way", area_id=grid)
        tell(client, type="gas", area_id=grid)
    return first, low


def test_in_a_flood_the_first_alarm_stands_out_and_the_lowest_are_claimed_together(
    page: Page, desk_hub: RunningHub
) -> None:
    first, low = make_flood(desk_hub)
    open_desk(page, desk_hub)
    page.locator(".queue").click(position={"x": 5, "y": 5})
    expect(page.locator("[data-banner=flood]")).to_be_visible(timeout=15_000)
    expect(page.locator(".first-out li")).to_have_count(1)
    expect(page.locator(".first-out")).to_contain_text("漏水")
    page.locator(".first-out button").click()
    expect(page).to_have_url(f"{desk_hub.base_url}/#/alarms/{first}")
    expect(page.locator(".folded")).to_contain_text("提示 8 条")
    # One rises while the list is looked at: it is refused and stays, the others are claimed.
    page.keyboard.press("l")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("一并受理 8 条")
    assert serious(page) == []
    expect(dialog.get_by_label("原因").last).to_be_focused()
    with desk_hub.sign_in("supervisor") as client:
        assert client.post(f"/api/v1/incidents/{low[0]}/acknowledge").status_code == 200
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#tab-mine .count")).to_have_text("7")
    expect(page.locator(".toast", has_text="1 条没有受理")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("#tab-mine .count")).to_have_text("0")
    actions = desk_hub.rows("SELECT action FROM audit WHERE action LIKE 'incident.bulk%%' ORDER BY id")
    assert [one["action"] for one in actions] == ["incident.bulk_acknowledge", "incident.bulk_release"]


OWN_STREAM = "localStorage.setItem('hub.stream', 'own')"


def lose_the_link(page: Page, hub: RunningHub, language: str) -> None:
    page.add_init_script(OWN_STREAM)
    page.clock.install()
    open_desk(page, hub, query=f"?lang={language}")
    page.locator(".row").first.click()
    expect(page.locator("[data-action=acknowledge]")).to_be_enabled()
    # The stream falls silent while the hub still answers: what is shown may be old, acting is still possible.
    page.route("**/api/v1/stream*", lambda route: route.abort())
    page.clock.fast_forward(13_000)
    stale = page.locator("[data-banner=stale]")
    expect(stale).to_contain_text("没有收到数据" if language == "zh" else "Nothing heard")
    expect(page.locator("[data-action=acknowledge]")).to_be_enabled()
    # Nothing answers any more: the age, the way by telephone, and no button that promises what it cannot keep.
    page.route("**/api/v1/**", lambda route: route.abort())
    page.clock.fast_forward(10_000)
    down = page.locator("[data-banner=down]")
    expect(down).to_contain_text("改用电话" if language == "zh" else "by telephone")
    expect(page.locator("[data-action=acknowledge]")).to_be_disabled()
    page.unroute_all()
    down.get_by_role("button").click()
    expect(page.locator(".link.live")).to_be_visible()
    expect(page.locator("[data-banner=down], [data-banner=stale]")).to_have_count(0)


def test_a_silent_link_and_a_lost_one_say_so_in_their_own_words(browser: Browser, desk_hub: RunningHub) -> None:
    press(desk_hub, watch_of(desk_hub, WANG), "k1")
    for language in ("zh", "en"):
        context = browser.new_context(**DESK)
        lose_the_link(context.new_page(), desk_hub, language)
        context.close()
