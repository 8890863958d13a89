"""The daughter looks at the month: who paid what, and says that a visit was not so. On an API of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from hub.console import mount_console
from hub.console.pages import DIST
from tests.api.desk import Desk, open_desk
from tests.api.settlement import ok, settle_world, visit
from tests.browser.test_home import PICTURES, phone_of
from tests.browser.test_look import check
from tests.browser.test_settlement import sign_in

pytestmark = [pytest.mark.browser]

CHINA = timezone(timedelta(hours=8))
EARLIER = datetime.now(UTC).astimezone(CHINA) - timedelta(hours=6)
MONTH = EARLIER.strftime("%Y-%m")


@pytest.fixture
def month(database_url: str) -> Iterator[Desk]:
    """Two visits at R1's, one of them claimed by PA; one at R2's, which is nobody's business there."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built: make web")
    with open_desk(database_url, throttle=()) as desk:
        mount_console(desk.app)
        settle_world(desk)
        visit(desk, "C1", "R1", EARLIER.isoformat())
        visit(desk, "C1", "R2", EARLIER.isoformat(), note="不该看到")
        ok(desk.seat("manager-a").post("/api/v1/settlements", json={"provider_id": "PA", "month": MONTH}), 201)
        # Ended after the books were written: not settled yet.
        visit(desk, "C1", "R1", (EARLIER + timedelta(hours=2)).isoformat())
        yield desk


def test_who_paid_what_and_that_it_was_not_so(month: Desk, browser: Browser, tmp_path: Path) -> None:
    context = phone_of(browser)
    page = context.new_page()
    sign_in(page, month, "chenjing", "home")
    card = page.locator(".home-month")
    card.locator("[data-month]").select_option(MONTH, timeout=30_000)
    rows = card.locator("[data-given]")
    expect(rows).to_have_count(2, timeout=30_000)
    later, claimed = rows.nth(0), rows.nth(1)
    expect(claimed).to_contain_text("政府补贴 27.00 元 · 家庭自付 3.00 元")
    expect(claimed).to_contain_text("送餐C1")
    expect(later).to_contain_text("还没有结算")

    claimed.locator("[data-object]").tap()
    claimed.get_by_label("来了，但和记录的不一样").check()
    claimed.get_by_label("说说实际情况").fill("只待了十分钟")
    claimed.get_by_role("button", name="提交").tap()
    expect(card.get_by_role("status")).to_contain_text("会有人核实", timeout=30_000)
    expect(claimed).to_contain_text("提出异议，正在核实", timeout=30_000)
    expect(claimed.locator("[data-object]")).to_have_count(0)
    # Not settled yet: somebody looks into it all the same.
    later.locator("[data-object]").tap()
    later.get_by_role("button", name="提交").tap()
    expect(later).to_contain_text("已反映，由值守台核实", timeout=30_000)
    assert check(page, "home-month", Path(PICTURES) if PICTURES else tmp_path) == []
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.home-month p, .home-month li, .home-month button')]"
        ".map((one) => parseFloat(getComputedStyle(one).fontSize)))"
    )
    assert smallest >= 18

    boss = month.seat("boss")
    dispute = ok(boss.get("/api/v1/settlements/disputes"))["items"][0]
    assert (dispute["side"], dispute["reason"]) == ("family", "来了，但和记录的不一样：只待了十分钟")
    with psycopg.connect(month.url) as connection:
        found = connection.execute("SELECT words FROM order_satisfaction WHERE complaint").fetchall()
    assert [row[0] for row in found] == ["没有来过"]
    decided = {"decision": "refused", "reason": "门口记录只有十分钟"}
    ok(month.seat("fanglei").post(f"/api/v1/settlements/disputes/{dispute['id']}/decide", json=decided))
    page.reload()
    card.locator("[data-month]").select_option(MONTH, timeout=30_000)
    expect(rows.nth(1)).to_contain_text("已核实，费用退回：门口记录只有十分钟", timeout=30_000)
    expect(rows.nth(1)).to_contain_text("没有支付")
    context.close()
