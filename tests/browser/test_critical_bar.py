"""A critical alarm that comes while a dialog stands: heard, said, seen and reached, and what was typed stays."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.desk import live_incident, open_desk, press, row, watch_of
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

WANG, ZHAO = "R-0001", "R-0003"
TYPED = "来电人说楼道里有烟味，门口有一辆红色三轮车"

# How many tones were begun, and that the audio really runs.
LISTEN = """
window.tones = 0
const begin = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (...when) {
  if (this.context.state === 'running') window.tones++
  return begin.apply(this, when)
}
"""


def spoken(page: Page) -> list[str]:
    """What a screen reader is told at once: the accessibility tree, which has nothing of what lies behind a dialog."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    by_id = {one["nodeId"]: one for one in nodes}

    def text(node: dict[str, Any]) -> str:
        own = str(node.get("name", {}).get("value", "")) if node["role"]["value"] == "StaticText" else ""
        return own + "".join(text(by_id[child]) for child in node.get("childIds", ()) if child in by_id)

    def at_once(node: dict[str, Any]) -> bool:
        told = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
        return not node["ignored"] and told.get("live") == "assertive"

    found = {text(one).strip() for one in nodes if at_once(one)}
    return sorted(one for one in found if one.startswith(("紧急告警", "Critical alarm")))


def tones(page: Page) -> int:
    count: int = page.evaluate("window.tones")
    return count


def test_over_a_dialog_it_is_heard_said_seen_and_claimed_and_what_was_typed_stays(
    page: Page, desk_hub: RunningHub
) -> None:
    page.add_init_script(LISTEN)
    open_desk(page, desk_hub)
    # The sign-in was a touch: the browser allows sound from then on.
    expect(page.locator(".sound.on")).to_be_visible()
    page.keyboard.press("w")
    dialog = page.locator("dialog.dialog")
    field = dialog.locator("textarea").first
    field.fill(TYPED)
    before = tones(page)

    press(desk_hub, watch_of(desk_hub, WANG), "c1", "sos")
    bar = dialog.locator(".over")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("王桂兰")
    wait_until(lambda: tones(page) >= before + 5, what="five pulses over the dialog")
    (said,) = wait_until(lambda: spoken(page), what="words for those who listen")
    assert "王桂兰" in said
    box = bar.bounding_box()
    assert box is not None
    # On top of the dialog and of what the dialog dims, and never over the dialog's own fields.
    on_top = "([x, y]) => document.elementFromPoint(x, y).closest('.over') !== null"
    assert page.evaluate(on_top, [box["x"] + box["width"] / 2, box["y"] + 20])
    inside = dialog.locator(".dialog-body").bounding_box()
    assert inside is not None
    assert inside["y"] >= box["y"] + box["height"] - 1

    # By keyboard alone, out of the middle of a sentence and back into it.
    expect(field).to_be_focused()
    page.keyboard.press("F8")
    expect(bar.get_by_role("button", name="受理")).to_be_focused()
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("已由您受理")
    with desk_hub.sign_in() as client:
        assert live_incident(client, WANG)["acknowledged_by"]["name"] == "周敏"
    expect(bar.get_by_role("link", name="新窗口打开")).to_be_focused()
    page.keyboard.press("F8")
    expect(field).to_be_focused()
    expect(field).to_have_value(TYPED)

    # A second one, while the first is held: its own line, said by itself; less than critical is not shown here.
    press(desk_hub, watch_of(desk_hub, ZHAO), "c2", "sos")
    expect(bar.locator(".over-line")).to_have_count(2)
    wait_until(lambda: any("赵德福" in one for one in spoken(page)), what="the second one's words")
    with page.context.expect_page() as opened:
        bar.locator(".over-line").last.get_by_role("link").click()
    other = opened.value
    with desk_hub.sign_in() as client:
        second = live_incident(client, ZHAO)["id"]
    expect(other.locator(".row.selected")).to_have_attribute("data-incident", second)
    expect(other.locator(".detail")).to_contain_text("赵德福")
    other.close()
    expect(field).to_have_value(TYPED)

    # The dialog goes, and the bar with it: the queue has both.
    page.keyboard.press("Escape")
    expect(page.locator("dialog.dialog")).to_have_count(0)
    expect(page.locator(".over")).to_have_count(0)
    expect(row(page, second)).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator("dialog.dialog .dialog-body")).to_be_visible()
    expect(page.locator(".over")).to_have_count(0)


def test_it_stands_over_the_topmost_dialog_only_and_others_see_it_go(page: Page, desk_hub: RunningHub) -> None:
    open_desk(page, desk_hub, query="?lang=en")
    press(desk_hub, watch_of(desk_hub, ZHAO), "c3", "assistance")
    page.keyboard.press("?")
    help_dialog = page.locator("dialog.dialog")
    expect(help_dialog).to_be_visible()
    press(desk_hub, watch_of(desk_hub, WANG), "c4", "fall")
    expect(help_dialog.locator(".over-line")).to_have_count(1)
    expect(help_dialog.locator(".over")).to_contain_text("Open in a new window")
    assert not any("赵德福" in one for one in spoken(page)), "high is not critical"
    with desk_hub.sign_in("operator2") as client:
        incident = live_incident(client, WANG)["id"]
        assert client.post(f"/api/v1/incidents/{incident}/acknowledge", json={}).status_code == 200
    expect(page.locator(".over")).to_have_count(0)
    # Without a dialog it is said, and there is no bar.
    page.keyboard.press("Escape")
    expect(help_dialog).to_have_count(0)
    press(desk_hub, watch_of(desk_hub, ZHAO), "c5", "smoke")
    wait_until(lambda: any("赵德福" in one for one in spoken(page)), what="the words with no dialog open")
    expect(page.locator(".over")).to_have_count(0)
