"""From the smallest PC at a desk to the largest, and on a small phone: nothing is cut off or lies over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import live_incident, open_desk, open_phone, press, watch_of
from tests.browser.routes import console_routes
from tests.browser.test_look import check, shape
from tests.fixtures.hub import RunningHub

pytestmark = pytest.mark.browser

SIZES = ({"width": 1366, "height": 768}, {"width": 2560, "height": 1440})
CROWDED = """() => {
  const seen = (one) => { const box = one.getBoundingClientRect(); return box.width > 1 && box.height > 1 ? box : null }
  const names = '.header, .page-bar, .work-bar, .tabs, .filters, .footer, .page-tabs, .actions'
  const bars = document.querySelectorAll(names)
  const found = []
  for (const bar of bars) {
    const around = seen(bar)
    if (!around || !bar.checkVisibility()) continue
    if (around.right > innerWidth + 1) found.push(`${bar.className} reaches out of the window`)
    const all = [...bar.children].filter((one) => one.checkVisibility({ visibilityProperty: true }) && seen(one)
      && !one.classList.contains('visually-hidden') && !['fixed', 'absolute'].includes(getComputedStyle(one).position))
    all.forEach((one, at) => {
      const a = one.getBoundingClientRect()
      for (const other of all.slice(at + 1)) {
        const b = other.getBoundingClientRect()
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (wide > 2 && tall > 2) found.push(`${bar.className}: "${one.innerText}" lies over "${other.innerText}"`)
      }
    })
  }
  return found
}"""
"""Whatever stands in a bar beside another must not reach into it."""


def look(page: Page, name: str, folder: Path) -> list[str]:
    """What is wrong with the page at each size of the window."""
    found: list[str] = []
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_function("width => innerWidth === width", arg=size["width"])
        at = f"{name}-{size['width']}"
        found += [*shape(page, at, folder), *(f"{at}: {one}" for one in page.evaluate(CROWDED))]
    return found


def look_at_a_claim(browser: Browser, hub: RunningHub, folder: Path, theme: Any, language: str) -> list[str]:
    """What is wrong, on the smallest phone, with an officer's tasks and the page by which a family claims a device."""
    small: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
    context = browser.new_context(**small, color_scheme=theme)
    page = context.new_page()
    open_phone(page, hub, query=f"?lang={language}")
    problems = check(page, f"tasks-{language}", folder)
    with hub.sign_in("admin") as admin:
        claim = admin.post(f"/api/v1/devices/{watch_of(hub, 'R-0002')}/claim", json={}).json()
    page.goto(f"{hub.base_url}{claim['url'].replace('#', f'?lang={language}#')}")
    expect(page.locator("input[name=resident]")).to_be_visible()
    problems += check(page, f"claim-{language}", folder)
    problems += page.evaluate(CROWDED)
    context.close()
    return problems


# English has the longer words.
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), pytest.param("dark", "zh", marks=pytest.mark.long)])
def test_every_page_fits_the_smallest_and_the_largest_desk_and_a_small_phone(
    browser: Browser, desk_hub: RunningHub, tmp_path: Path, theme: Any, language: str
) -> None:
    press(desk_hub, watch_of(desk_hub, "R-0002"), "k1", "fall")
    context = browser.new_context(viewport=SIZES[0], color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    open_desk(page, desk_hub, "admin", query=f"?lang={language}")
    problems: list[str] = []
    for path in console_routes():
        page.evaluate(f"location.hash = '#/{path}'")
        expect(page.locator("h1").first).to_be_attached()
        expect(page.locator(".skeleton")).to_have_count(0)
        problems += look(page, f"{path.replace('/', '-')}-{language}", tmp_path)
    with desk_hub.sign_in("admin") as client:
        page.evaluate(f"location.hash = '#/alarms/{live_incident(client, 'R-0002')['id']}'")
    expect(page.locator(".timeline li").first).to_be_visible()
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        boxes: list[Any] = [page.locator(one).first.bounding_box() for one in (".queue", ".detail")]
        queue, detail = boxes
        assert queue["width"] >= 400, (size, boxes)
        assert detail["width"] >= 300, (size, boxes)
        assert 0 <= queue["x"] <= detail["x"] + 1 - queue["width"], (size, boxes)
        assert detail["x"] + detail["width"] <= size["width"] + 1, (size, boxes)
        for part in (".row[data-incident]", ".detail-head", ".detail .actions"):
            expect(page.locator(part).first).to_be_in_viewport()
    problems += look(page, f"incident-{language}", tmp_path)
    context.close()
    problems += look_at_a_claim(browser, desk_hub, tmp_path, theme, language)
    assert not problems, "\n".join(problems)
