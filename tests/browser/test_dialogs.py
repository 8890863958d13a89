"""The dialogs of the console: each can be read and used by everybody, in both themes and languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.desk import open_desk, press, watch_of
from tests.browser.routes import CONSOLE
from tests.browser.test_look import check, shape
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

DIALOGS: dict[str, tuple[str, ...]] = {
    "alarms/AreaDialog": ("alarms", "key f"),
    "alarms/ShelveDialog": ("alarms", "key n", "key a", "key s"),
    "ToldDialog": ("alarms", "key w"),
    "settings/UserDialog": ("settings/users", "users.new"),
    "plans/PlanDialog": ("plans", "plans.new"),
    "notify/WebhookDialog": ("notify/webhooks", "notify.hook.new"),
    "notify/TemplateDialog": ("notify/templates", ".row-open"),
    "profiles/ProfileDialog": ("profiles/watch", "profiles.copy"),
    "meals/MenuDialog": ("meals/menus", ".meal-cell:enabled"),
    "meals/DishDialog": ("meals/menus", "meals.dish.new"),
    "meals/OrderMeal": ("meals", "meals.order"),
    "registers/ChangesDialog": ("residents/R-0003", "resident.changes"),
    "resident/RevealDialog": ("residents/R-0003", "reveal.ask"),
    "contacts/ContactDialog": ("residents/R-0003", "contact.add"),
    "rules/ThresholdDialog": (
        "residents/R-0003",
        ".page-tabs button >> nth=1",
        "rules.more",
        ".block table .button.small",
    ),
    "rules/FenceDialog": ("residents/R-0003", ".page-tabs button >> nth=1", "fences.new"),
    "registers/ExportDialog": ("residents", "residents.export"),
    "registers/ImportDialog": ("residents", "residents.import"),
    "resident/ResidentDialog": ("residents", "residents.new"),
    "staff/StaffDialog": ("staff", "staff.new"),
    "rota/CoverDialog": ("rota/cover", "rota.cover.new"),
    "rota/RotationDialog": ("rota/patterns", "rota.patterns.new"),
    "rota/OverrideDialog": ("rota", ".list-page .primary.push"),
    "care/CarePlanDialog": ("care", "care.new"),
    "medical/RoundDialog": ("medical/rounds", "medical.round.new"),
    "medical/AskDialog": ("medical", "medical.ask"),
    "programmes/ProgrammeDialog": ("programmes", "programmes.new"),
    "devices/FileDialog": ("devices", "devices.by_file"),
    "devices/AddDevice": ("devices", "devices.add"),
    "devices/ClaimDialog": ("devices/W-002", "life.claims"),
    "devices/DeviceLife": ("devices/W-002", "life.revoke"),
    "load/SilenceList": ("load", "load.silence.new"),
    "orders/OrderForm": ("orders", "orders.new"),
    "kinds/KindsPage": ("kinds", "kinds.new"),
    "providers/ProvidersPage": ("providers", "providers.new"),
    "stations/StationsPage": ("stations", "stations.new"),
    "areas/AreasPage": ("areas", "area.new"),
    "crews/CrewsPage": ("crews", "crew.new"),
    "integrations/IntegrationsPage": ("integrations", "integrations.new"),
    "settings/ScreenList": ("settings/screens", "screens.new"),
    "rota/HolidayPart": ("rota/holidays", "rota.holiday.new"),
    "settlement/PriceList": ("settlement/prices", "settlement.new_tariff"),
}
"""The file it is in, its page, and what is pressed there: a key, a selector, or a button by its message."""
ELSEWHERE = {
    "alarms/AssignDialog": "look",
    "alarms/BulkDialog": "pressure",
    "alarms/CloseDialog": "look",
    "alarms/ConfirmDialog": "look",
    "alarms/TransferDialog": "desk",
    "devices/RepairDialog": "devices",
    "devices/SecretDialog": "device_life",
    "devices/WindowDialog": "devices",
    "onboarding/ReportDialog": "onboarding",
    "orders/EventDialog": "orders",
    "orders/MoveDialog": "orders",
    "orders/WhyDialog": "orders",
    "programmes/MemberDialog": "everyday",
    "rota/CellDialog": "rota",
    "settlement/CloseDialog": "settlement",
    "settlement/MakeDialog": "settlement",
    "shell/HelpDialog": "look",
}
"""They need a story first; the test of this name has it."""


def test_no_dialog_is_forgotten() -> None:
    found = {str(file.relative_to(CONSOLE).with_suffix("")) for file in CONSOLE.rglob("*Dialog.vue")}
    assert found - set(DIALOGS) - set(ELSEWHERE) == set()
    assert {name for name in (*DIALOGS, *ELSEWHERE) if not (CONSOLE / f"{name}.vue").is_file()} == set()


def words(language: str) -> dict[str, str]:
    """Every message of the console by its key."""
    found: dict[str, str] = {}
    for file in sorted((CONSOLE.parent / "locales").glob(f"*.{language}.json")):
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found


def reach(page: Page, steps: tuple[str, ...], told: dict[str, str]) -> None:
    """Opens the page and presses; the dialog stands, with all that it fetches."""
    path, *presses = steps
    page.evaluate(f"location.hash = '#/{path}'")
    expect(page.locator("h1").first).to_be_attached()
    expect(page.locator(".skeleton")).to_have_count(0)
    for one in presses:
        if one.startswith("key "):
            page.keyboard.press(one.removeprefix("key "))
            if one == "key n":
                expect(page.locator(".timeline li").first).to_be_visible()
            elif one == "key a":
                expect(page.locator(".detail-state")).to_be_visible()
        elif one in told:
            page.get_by_role(
                "button", name=re.compile("^" + re.sub(r"\\?\{n\\?\}", ".*", re.escape(told[one])))
            ).first.click()
        else:
            page.locator(one).first.click()
    expect(page.locator("dialog[open]").first).to_be_visible()
    expect(page.locator("dialog .skeleton")).to_have_count(0)


@pytest.mark.parametrize(("theme", "language"), [("dark", "zh"), pytest.param("light", "en", marks=pytest.mark.long)])
def test_every_dialog_is_usable_by_everybody(
    browser: Browser, desk_hub: RunningHub, tmp_path: Path, theme: Any, language: str
) -> None:
    press(desk_hub, watch_of(desk_hub, "R-0002"), "k1", "assistance")
    told = words(language)
    context = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    open_desk(page, desk_hub, "admin", query=f"?lang={language}")
    problems: list[str] = []
    for name, steps in DIALOGS.items():
        try:
            reach(page, steps, told)
        except (AssertionError, PlaywrightError) as error:
            problems.append(f"{name}: does not open: {str(error).splitlines()[0]}")
            page.screenshot(path=tmp_path / f"{name.replace('/', '-')}-{language}-closed.png")
        else:
            # Which words and colours there are differs; what a screen reader is told does not.
            look = check if language == "zh" else shape
            problems += look(page, f"{name.replace('/', '-')}-{language}", tmp_path)
            if page.locator("dialog[open]").evaluate("one => one.scrollWidth > one.clientWidth + 1"):
                problems.append(f"{name}: its content is wider than it")
        page.keyboard.press("Escape")
        if page.locator("dialog[open]").count():
            page.keyboard.press("Escape")
        expect(page.locator("dialog[open]"), name).to_have_count(0)
    context.close()
    assert not problems, "\n".join(problems)
