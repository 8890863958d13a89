"""Pictures of every page for docs/screenshots, from the sample community in its ten minutes.

    python -m tests.pictures [--only alarms,meals] [--speed 2] [--out docs/screenshots]

A demo of its own, in a folder that goes afterwards, plays hands free. What happens is the same each time; who is where
to the minute is not. Each page is taken in the dark in Chinese and in the light in English, and made smaller by a
palette of 256 colours. They are there to be looked at: what a program can judge of a page is in tests/browser.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fixtures.browser import CHROMIUMS
from tests.fixtures.hub import HUB
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
LOOKS: tuple[tuple[Literal["light", "dark"], str], ...] = (("dark", "zh"), ("light", "en"))
FIRST_ALARM_S = 120.0
PLAYED_S = 900.0
STILL_MS = 1_500


@dataclass(frozen=True)
class Shot:
    """One page: who looks, and where. `story`: what must have happened, as the terminal tells it; `press`: what is
    clicked then, one selector after the other; `keys`: what is typed after that. `state`: how it goes at the desk - a
    flood of alarms, a stream that fell silent, a hub that does not answer.
    """

    name: str
    who: str
    path: str
    story: str = "lost 0"
    phone: bool = False
    press: str = ""
    keys: str = ""
    state: Literal["", "flood", "stale", "down"] = ""


SHOTS = (
    Shot("console-alarms", "liqiang", "/", "Called together"),
    Shot("console-incident", "liqiang", "/", "Called together", press="#tab-progress, .row"),
    Shot("console-wall", "fanglei", "/#/wall", "presses 1"),
    Shot("home-called", "chenjing", "/home", "presses 1", phone=True),
    Shot("console-orders-board", "xujie", "/#/orders"),
    Shot("console-orders-day", "xujie", "/#/orders/day"),
    Shot("console-orders-map", "xujie", "/#/orders/map"),
    Shot("console-orders-plan", "xujie", "/#/orders/plan"),
    Shot("console-returns", "xujie", "/#/returns"),
    Shot("console-medical", "xujie", "/#/medical"),
    Shot("console-staff", "fanglei", "/#/staff"),
    Shot("console-providers", "fanglei", "/#/providers"),
    Shot("console-stations", "fanglei", "/#/stations", "presses 1"),
    Shot("console-checks", "xujie", "/#/checks"),
    Shot("console-care", "xujie", "/#/care"),
    Shot("console-meals", "xujie", "/#/meals/day"),
    Shot("console-menus", "xujie", "/#/meals/menus"),
    Shot("console-canteen", "xujie", "/#/meals/desk"),
    Shot("console-residents", "xujie", "/#/residents"),
    Shot("console-resident", "liqiang", "/#/residents/R-0002"),
    Shot("console-contacts", "xujie", "/#/contacts"),
    Shot("console-consents", "xujie", "/#/consents"),
    Shot("console-programmes", "xujie", "/#/programmes"),
    Shot("console-devices", "liqiang", "/#/devices"),
    Shot("console-technical-work", "liqiang", "/#/devices/work"),
    Shot("console-onboarding", "xujie", "/#/onboarding"),
    Shot("console-quarantine", "fanglei", "/#/quarantine"),
    Shot("console-handover", "liqiang", "/#/handover"),
    Shot("console-rota", "xujie", "/#/rota/week"),
    Shot("console-cover", "xujie", "/#/rota/cover"),
    Shot("console-patterns", "xujie", "/#/rota/patterns"),
    Shot("console-swaps", "xujie", "/#/rota/swaps"),
    Shot("console-holidays", "xujie", "/#/rota/holidays"),
    Shot("console-settlement", "xujie", "/#/settlement/month"),
    Shot("console-disputes", "xujie", "/#/settlement/disputes"),
    Shot("console-prices", "xujie", "/#/settlement/prices"),
    Shot("console-hours", "xujie", "/#/settlement/hours"),
    Shot("console-review", "fanglei", "/#/supervision/review"),
    Shot("console-figures", "fanglei", "/#/supervision/kpi"),
    Shot("console-services", "fanglei", "/#/services"),
    Shot("console-load", "fanglei", "/#/load"),
    Shot("console-settings", "fanglei", "/#/settings/site"),
    Shot("console-screens", "fanglei", "/#/settings/screens"),
    Shot("console-audit", "fanglei", "/#/settings/audit"),
    Shot("console-notices", "fanglei", "/#/notify"),
    Shot("console-plans", "fanglei", "/#/plans"),
    Shot("console-areas", "fanglei", "/#/areas"),
    Shot("console-crews", "fanglei", "/#/crews"),
    Shot("console-kinds", "xujie", "/#/kinds"),
    Shot("console-codes", "xujie", "/#/codes"),
    Shot("phone", "sunwei", "/m/", phone=True),
    Shot("phone-claim", "sunwei", "/m/", phone=True, press=".tabs > :nth-child(2)"),
    Shot("phone-mine", "sunwei", "/m/", phone=True, press=".tabs > :nth-child(4)"),
    Shot("phone-tasks", "helin", "/m/", phone=True),
    Shot("phone-shifts", "helin", "/m/", phone=True, press=".tabs > :nth-child(3)"),
    Shot("home", "chenjing", "/home", phone=True),
    Shot("console-told", "liqiang", "/", keys="w"),
    Shot("console-area", "liqiang", "/", keys="f"),
    # Last, because what they tell of stays in the community.
    Shot("console-flood", "liqiang", "/", state="flood", press=".first-out button"),
    Shot("console-flood-claim", "liqiang", "/", state="flood", press=".first-out button", keys="l"),
    Shot("console-stale", "liqiang", "/", state="stale", press=".row"),
    Shot("console-disconnected", "liqiang", "/", state="down", press=".row"),
)
OWN_STREAM = "localStorage.setItem('hub.stream', 'own')"
"""A page with a stream of its own: one that all pages share goes by nobody's routes."""


@contextmanager
def _demo(folder: Path, speed: float) -> Iterator[Path]:
    """A demo that plays; gives the file of what it says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    ports = ("HUB_HTTP__PORT", "HUB_TCP__WATCH_PORT", "HUB_MQTT__EMBEDDED_PORT", "HUB_MQTT__EMBEDDED_PORT_V5")
    environment |= dict.fromkeys(ports, "0") | {"PYTHONUNBUFFERED": "1"}
    said = folder / "said"
    with said.open("wb") as out:
        words = [str(HUB), "demo", "--play", "all", "--speed", str(speed)]
        process = subprocess.Popen(words, env=environment, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _found(said: Path, pattern: str) -> str:
    match = re.search(pattern, said.read_text(encoding="utf-8"))
    return "" if match is None else match[1]


def _signed_in(address: str, username: str, password: str) -> list[dict[str, Any]]:
    """The cookies of a session, as a browser takes them."""
    with httpx.Client(base_url=address, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        client.post("/api/v1/session", json={"username": username, "password": password}).raise_for_status()
        return [{"name": name, "value": value, "url": address} for name, value in client.cookies.items()]


def _flood(address: str, password: str) -> None:
    """A street's notices and a leak within a minute, as the desk is told them."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=address, headers=headers, timeout=20) as client:
        client.post("/api/v1/session", json={"username": "zhoumin", "password": password}).raise_for_status()
        areas = client.get("/api/v1/areas", params={"limit": 500}).json()["items"]
        grid = next(one["id"] for one in areas if one["kind"] == "grid")
        for matter in ("water", "way", *["equipment"] * 8, "fire_risk"):
            client.post("/api/v1/alarms", json={"matter": matter, "area_id": grid}).raise_for_status()


def _lose(page: Page, state: str) -> None:
    """The stream falls silent; then nothing answers any more."""
    page.route("**/api/v1/stream*", lambda route: route.abort())
    page.clock.fast_forward(13_000)
    page.locator("[data-banner=stale]").wait_for(timeout=20_000)
    if state == "down":
        page.route("**/api/v1/**", lambda route: route.abort())
        page.clock.fast_forward(10_000)
        page.locator("[data-banner=down]").wait_for(timeout=20_000)


def _small(picture: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(out, "PNG", optimize=True)
    return out.getvalue()


def _taken(page: Page, shot: Shot, address: str, language: str) -> bytes:
    place, _, fragment = shot.path.partition("#")
    if shot.state in ("stale", "down"):
        page.add_init_script(OWN_STREAM)
        page.clock.install()
    page.goto(f"{address}{place}?lang={language}" + (f"#{fragment}" if fragment else ""))
    page.wait_for_load_state("load")
    if place == "/":
        page.locator(".link.live").wait_for(timeout=20_000)
    for selector in filter(None, shot.press.split(", ")):
        page.locator(selector).first.click()
    for key in shot.keys:
        page.keyboard.press(key)
    if shot.state in ("stale", "down"):
        _lose(page, shot.state)
    # The stream is always open, so the network is never idle: a moment for what is fetched and drawn.
    page.wait_for_timeout(STILL_MS)
    return page.screenshot()


def _take(browser: Browser, shots: list[Shot], address: str, password: str, out: Path) -> None:
    cookies = {who: _signed_in(address, who, password) for who in {shot.who for shot in shots}}
    flooded = False
    for shot in shots:
        if shot.state == "flood" and not flooded:
            _flood(address, password)
            flooded = True
        for theme, language in LOOKS:
            size = {"width": 390, "height": 844} if shot.phone else {"width": 1440, "height": 900}
            context = browser.new_context(
                viewport=size,  # type: ignore[arg-type]
                color_scheme=theme,
                locale="zh-CN",
                timezone_id="Asia/Shanghai",
                has_touch=shot.phone,
                is_mobile=shot.phone,
            )
            try:
                context.add_cookies(cookies[shot.who])  # type: ignore[arg-type]
                name = f"{shot.name}-{theme}-{language}.png"
                (out / name).write_bytes(_small(_taken(context.new_page(), shot, address, language)))
                print(name, flush=True)
            finally:
                context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Pictures of every page, from the sample community.")
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    parser.add_argument("--speed", type=float, default=2.0, help="how fast the ten minutes go by")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    given = parser.parse_args()
    parts = [part for part in given.only.split(",") if part]
    chosen = [shot for shot in SHOTS if not parts or any(part in shot.name for part in parts)]
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        print("no Chromium on this machine: apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        said = stack.enter_context(_demo(folder, given.speed))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        stack.callback(browser.close)
        password = wait_until(lambda: _found(said, r"password\s+(\S+)"), FIRST_ALARM_S, what="the demo to start")
        address = wait_until(lambda: _found(said, r"console\s+(http://\S+)/"), 10)
        for story in dict.fromkeys(shot.story for shot in chosen):
            wait_until(lambda story=story: _found(said, f"({re.escape(story)})"), PLAYED_S, what=story)  # type: ignore[misc]
            _take(browser, [shot for shot in chosen if shot.story == story], address, password, given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
