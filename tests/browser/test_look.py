"""Everybody can use it: no serious accessibility finding, nothing cut off, no untranslated key, in both themes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import SUN_WEI, live_incident, open_desk, open_phone, press, send_to, show_cards, watch_of
from tests.browser.routes import console_routes
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

# `a.b` or `a.b.c` in plain text is a key whose message is missing; addresses and decimals do not look like it.
KEY = re.compile(r"(?<![\w@/.])(?:[a-z_]{3,}\.){1,3}[a-z_]{3,}(?![\w@/.])")


INNER_PAGES = (
    "medical/rounds",
    "residents/R-0001",
    "devices/W-002",
    "profiles/watch",
    "supervision/list?number=all",
    "services/list?number=orders",
    "load/list?number=live",
    "load/list?number=on_duty",
    "wall/list?number=under_way",
    "wall/list?number=on_duty",
    "wall/list?number=devices",
    "notify/log",
    "notify/templates",
    "notify/webhooks",
    "plans/emergency",
)
"""Beside the pages of the console's own table: what is opened within them by an address."""


def serious(page: Page) -> list[str]:
    found: list[Any] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def check(page: Page, name: str, folder: Path) -> list[str]:
    """What is wrong with the page as it stands: for a screen reader, and by its shape; its picture is in `folder`."""
    return [*(f"{name}: {line}" for line in serious(page)), *shape(page, name, folder)]


def shape(page: Page, name: str, folder: Path) -> list[str]:
    """Whether it is wider than the window, cut off, or has a key in place of its words."""
    page.screenshot(path=folder / f"{name}.png")
    problems: list[str] = []
    if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        problems.append(f"{name}: wider than the window")
    if page.evaluate("[...document.querySelectorAll('.header')].some((one) => one.scrollWidth > one.clientWidth + 1)"):
        problems.append(f"{name}: the header is cut off")
    keys = KEY.findall(page.locator("body").inner_text())
    if keys:
        problems.append(f"{name}: untranslated {keys[:5]}")
    return problems


def prepare_services(hub: RunningHub, supervisor: httpx.Client) -> tuple[str, str]:
    """A service that was given and is asked about, a question to the doctor, a round; ids of order and question."""

    def sent(client: httpx.Client, path: str, **body: Any) -> Any:
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    now = datetime.now(UTC).isoformat()
    order = sent(supervisor, "orders", kind="safety_visit", resident_id="R-0002", wanted_from=now)
    sent(supervisor, f"orders/{order['id']}/assign", responder_id=SUN_WEI)
    with hub.sign_in("staff") as officer:
        for step, body in (("accept", {}), ("check-in", {}), ("check-out", {"outcome": "done"})):
            sent(officer, f"visits/{order['visit']['id']}/{step}", **body)
    sent(supervisor, f"orders/{order['id']}/satisfaction", score=2, words="来得太晚")
    question = {"resident_id": "R-0005", "reason": "三天来下肢浮肿，夜间气促", "urgent": True}
    consult = sent(supervisor, "teleconsults", **question)
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    people = ["R-0001", "R-0003", "R-0005"]
    sent(supervisor, "vitals-rounds", day=day, begins="00:00", ends="23:59", resident_ids=people)
    return str(order["id"]), str(consult["id"])


def look_at_the_phone(browser: Browser, hub: RunningHub, folder: Path, theme: Any, language: str) -> list[str]:
    """The phone page of the officer who was sent: the ring, the card, every tab, the order form."""
    screen: Any = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    context = browser.new_context(**screen, color_scheme=theme)
    page = context.new_page()
    open_phone(page, hub, query=f"?lang={language}")
    expect(page.locator("dialog.ring")).to_be_visible()
    problems = check(page, f"phone-ring-{language}", folder)
    show_cards(page)
    expect(page.locator(".card")).to_have_count(1)
    problems += check(page, f"phone-{language}", folder)
    for tab in ("shifts", "mine", "care"):
        page.locator(f"[data-tab={tab}]").click()
        expect(page.locator("main.cards")).to_be_visible()
        problems += check(page, f"phone-{tab}-{language}", folder)
    page.locator(".porder [data-order]").click()
    expect(page.locator(".porder [data-person]").first).to_be_visible()
    problems += check(page, f"phone-order-{language}", folder)
    context.close()
    return problems


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_console_and_phone_are_usable_by_everybody(
    browser: Browser, desk_hub: RunningHub, tmp_path: Path, theme: Any
) -> None:
    problems: list[str] = []
    with desk_hub.sign_in("operator2") as client, desk_hub.sign_in("supervisor") as supervisor:
        for number, (resident, kind) in enumerate((("R-0002", "fall"), ("R-0001", "sos"), ("R-0003", "assistance"))):
            press(desk_hub, watch_of(desk_hub, resident), f"k{number}", kind)
        incident = live_incident(client, "R-0002")
        send_to(client, incident["id"], SUN_WEI)
        order, consult = prepare_services(desk_hub, supervisor)
        pages = (*console_routes(), *INNER_PAGES, f"orders/{order}", f"returns/{order}", f"medical/{consult}")
        # A language changes widths and words, a theme colours: the dark one is seen in one language.
        languages = ("zh", "en") if theme == "light" else ("zh",)
        for language in languages:  # before the plans of the other two ask the same officer
            problems += look_at_the_phone(browser, desk_hub, tmp_path, theme, language)
        for language in languages:
            query = f"?lang={language}"
            context = browser.new_context(
                viewport={"width": 1366, "height": 768}, color_scheme=theme, reduced_motion="reduce"
            )
            page = context.new_page()
            page.goto(f"{desk_hub.base_url}/{query}")
            expect(page.locator("dialog.signin")).to_be_visible()
            problems += check(page, f"signin-{language}", tmp_path)
            # Whoever may open every page; what others may not do is left out of theirs, and nothing is added.
            open_desk(page, desk_hub, "admin", query=query)
            page.keyboard.press("n")
            expect(page.locator(".timeline li").first).to_be_visible()
            problems += check(page, f"alarms-{language}", tmp_path)
            for key, name in (("d", "assign"), ("c", "close"), ("e", "escalate"), ("h", "card"), ("?", "help")):
                page.keyboard.press(key)
                expect(page.locator("dialog[open]")).to_be_visible()
                expect(page.locator("dialog .skeleton")).to_have_count(0)
                problems += check(page, f"{name}-{language}", tmp_path)
                page.keyboard.press("Escape")
                expect(page.locator("dialog[open]")).to_have_count(0)
            for path in pages:
                page.evaluate(f"location.hash = '#/{path}'")
                expect(page.locator("h1").first).to_be_attached()
                expect(page.locator(".skeleton")).to_have_count(0)
                problems += check(page, f"{path.replace('/', '-')}-{language}", tmp_path)
            if language == "zh":  # once a theme
                page.evaluate("location.hash = '#/residents/R-0001'")
                page.locator(".page-tabs button").nth(1).click()
                page.locator(".fences-head button").click()
                expect(page.locator("dialog[open]")).to_be_visible()
                problems += check(page, f"fence-{language}", tmp_path)
                page.keyboard.press("Escape")
                # A screen of its own: nobody is signed in there, and no resident's name is on it.
                made = supervisor.post("/api/v1/wall-screens", json={"name": "wall"}).json()
                context.clear_cookies()
                screen = context.new_page()
                screen.goto(f"{desk_hub.base_url}/{query}{made['url'].removeprefix('/')}")
                expect(screen.locator(".wall-row").first).to_be_visible()
                problems += check(screen, f"wall-screen-{language}", tmp_path)
                names = {
                    one["name"] for one in supervisor.get("/api/v1/residents", params={"limit": 500}).json()["items"]
                }
                shown = screen.locator("body").inner_text()
                problems += [f"wall-screen: {name}" for name in names if name in shown]
                supervisor.delete(f"/api/v1/wall-screens/{made['id']}")
            context.close()
    assert not problems, "\n".join(problems)
