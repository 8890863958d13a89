"""Visits on the phone: a nurse with values and a list, a bath that stops for both carers, what is reviewed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Geolocation, Locator, Page, expect

from tests.browser.desk import open_desk
from tests.browser.test_look import KEY, serious
from tests.browser.test_phone import PHONE
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

CHEN = "R-0002"
SLOW = 30_000
PICTURES = os.environ.get("CARE_TEST_PICTURES")
PASSWORD = "correct horse battery"


def _carers(hub: RunningHub) -> dict[str, str]:
    """A nurse and two of the bathing skill of the resident's sex, each with an account: user name to responder."""
    sex = hub.rows("SELECT sex FROM residents WHERE id = %s", CHEN)[0]["sex"]
    people = {
        "visit-nurse": ("nurse", "nursing"),
        "visit-bath-1": ("carer", "bathing"),
        "visit-bath-2": ("carer", "bathing"),
    }
    with hub.sign_in("admin") as admin:
        for name, (kind, skill) in people.items():
            person: dict[str, Any] = {"id": name, "name": name, "kind": kind, "sex": sex, "skills": [{"skill": skill}]}
            assert admin.post("/api/v1/responders", json=person).status_code == 201
            account = {"username": name, "name": name, "role": "staff", "person_id": name, "password": PASSWORD}
            assert admin.post("/api/v1/users", json=account).status_code == 201
    return {name: name for name in people}


def _offer(client: httpx.Client, kind: str, *responders: str) -> str:
    """An order of now, offered: its visit."""
    wanted = {"kind": kind, "resident_id": CHEN, "wanted_from": datetime.now(UTC).isoformat()}
    made = client.post(
        "/api/v1/orders", json={**wanted, "wanted_to": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    )
    assert made.status_code == 201, made.text
    for one in responders:
        given = client.post(f"/api/v1/orders/{made.json()['id']}/assign", json={"responder_id": one})
        assert given.status_code == 200, given.text
    return str(made.json()["visit"]["id"])


@contextmanager
def _phone(browser: Browser, hub: RunningHub, name: str, home: Geolocation, **more: Any) -> Iterator[Page]:
    context = browser.new_context(
        **PHONE, service_workers="block", reduced_motion="reduce", permissions=["geolocation"], geolocation=home, **more
    )
    page = context.new_page()
    page.goto(f"{hub.base_url}/m/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".data-time")).to_be_visible(timeout=SLOW)
    yield page
    context.close()


def _arrive(page: Page) -> Locator:
    """Accepts, goes, arrives, and opens the record of the one task."""
    for word in ("accept", "en-route", "on-scene"):
        page.locator(f'.card .go[data-next="{word}"]').tap(timeout=SLOW)
    expect(page.locator(".sync")).to_contain_text("已同步", timeout=SLOW)  # nothing moves under the thumb any more
    page.locator('.card .go[data-next="complete"]').tap(timeout=SLOW)
    sheet = page.locator("dialog.visit[open]")
    expect(sheet).to_be_visible(timeout=SLOW)
    return sheet


def _look(page: Page, folder: Path, name: str) -> None:
    assert serious(page) == []
    assert KEY.findall(page.locator("body").inner_text()) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=folder / f"{name}.png")


def test_a_nurse_measures_a_bath_stops_at_its_gate_and_what_does_not_fit_is_reviewed(
    browser: Browser, page: Page, desk_hub: RunningHub, tmp_path: Path
) -> None:
    folder = Path(PICTURES) if PICTURES else tmp_path
    place = desk_hub.rows("SELECT lat, lon FROM residents WHERE id = %s", CHEN)[0]
    home: Geolocation = {"latitude": place["lat"], "longitude": place["lon"], "accuracy": 12}
    _carers(desk_hub)
    with desk_hub.sign_in("coordinator") as client:
        visit = _offer(client, "nursing_visit", "visit-nurse")
        with _phone(browser, desk_hub, "visit-nurse", home) as phone:
            sheet = _arrive(phone)
            expect(sheet).to_contain_text("定位 ±12 米", timeout=SLOW)
            for metric, value in (("systolic_mmhg", "128"), ("heart_rate_bpm", "95"), ("temperature_c", "365")):
                sheet.locator(f"input[name={metric}]").fill(value)
            sheet.locator("[data-vitals=send]").tap()
            expect(sheet.get_by_role("alert")).to_contain_text("体温填错了")
            sheet.locator("input[name=temperature_c]").fill("36.5")
            sheet.locator("[data-vitals=send]").tap()
            # A nurse's values are scored by the hub, and never as if all seven had been measured.
            expect(sheet.locator(".visit-taken")).to_contain_text("部分评分 1（3/7 项）", timeout=SLOW)
            first, second = sheet.locator("[data-task]").nth(0), sheet.locator("[data-task]").nth(1)
            first.get_by_role("button", name="已做").tap()
            second.get_by_role("button", name="未做").tap()
            second.get_by_role("textbox").fill("已自行服药")
            _look(phone, folder, "phone-visit-nurse")
            # The page is thrown out by the phone: what was ticked is still there.
            phone.reload()
            phone.locator('.card .go[data-next="complete"]').tap(timeout=SLOW)
            expect(first.get_by_role("button", name="已做")).to_have_attribute("aria-pressed", "true", timeout=SLOW)
            sheet.locator("[data-finish]").tap()
            expect(phone.locator(".nothing")).to_be_visible(timeout=SLOW)
        seen = wait_until(
            lambda: (found := client.get(f"/api/v1/visits/{visit}").json())["state"] == "completed" and found,
            30,
            what="the visit's end",
        )
        checks = {one["kind"]: one for one in seen["checks"]}
        assert checks["in"]["verdict"] == "verified", checks
        assert checks["out"]["flags"] == ["too_short"], "personal care of a minute"
        assert checks["out"]["distance_m"] < 20
        assert [(one["done"], one["note"]) for one in seen["tasks"]] == [(True, None), (False, "已自行服药")]

        bath = _offer(client, "bathing", "visit-bath-1", "visit-bath-2")
        with (
            _phone(browser, desk_hub, "visit-bath-1", home) as one,
            _phone(browser, desk_hub, "visit-bath-2", home, color_scheme="dark") as two,
        ):
            sheet = _arrive(one)
            expect(sheet.locator("[data-part=partner]")).to_contain_text("还没到")
            expect(sheet.locator("[data-finish]")).to_have_count(0)
            other = _arrive(two)
            expect(sheet.locator("[data-part=partner]")).to_contain_text("已到", timeout=SLOW)
            for metric, value in (
                ("systolic_mmhg", "172"),
                ("diastolic_mmhg", "96"),
                ("heart_rate_bpm", "88"),
                ("temperature_c", "36.6"),
            ):
                sheet.locator(f"input[name={metric}]").fill(value)
            _look(one, folder, "phone-gate")
            sheet.locator("[data-consent=given]").tap()
            # Without a signal the carers know at once; the hub hears of it later.
            one.context.set_offline(True)
            sheet.locator("[data-gate=send]").tap()
            expect(sheet.locator(".visit-verdict")).to_contain_text("停止，不能洗浴")
            expect(sheet).to_contain_text("收缩压 172，高于 159")
            expect(sheet.locator("[data-finish]")).to_have_count(0)
            one.context.set_offline(False)
            # The other carer's phone stops too.
            expect(other.locator('[data-verdict="stop"]')).to_be_visible(timeout=SLOW)
            _look(one, folder, "phone-gate-stop")
            _look(two, folder, "phone-gate-stop-dark")
            for part in (sheet, other):
                part.locator("[data-gate=end]").tap()
            expect(one.locator(".nothing")).to_be_visible(timeout=SLOW)
            wait_until(
                lambda: one.evaluate("1") and client.get(f"/api/v1/visits/{bath}").json()["state"] == "aborted",
                30,
                what="the bath's end",
            )
        nurse = [
            row
            for row in client.get("/api/v1/orders", params={"kind": "nursing_visit", "state": "requested"}).json()[
                "items"
            ]
            if row["attributes"].get("after_gate")
        ]
        assert len(nurse) == 1

    open_desk(page, desk_hub, "coordinator", path="#/checks")
    row = page.locator("tr[data-check]").first
    expect(row).to_contain_text("个人护理仅", timeout=SLOW)
    row.locator(".row-open").click()
    card = page.locator(".side-card")
    expect(card.locator(".sketch")).to_be_visible()
    card.locator("[data-values]").click()
    expect(card).to_contain_text("收缩压 128")
    _look(page, folder, "console-checks")
    card.locator("[data-verdict=accepted]").click()
    expect(card.get_by_role("alert")).to_be_visible()
    card.locator("textarea").fill("示范操作")
    card.locator("[data-verdict=accepted]").click()
    expect(page.locator("tr[data-check]")).to_have_count(0, timeout=SLOW)
