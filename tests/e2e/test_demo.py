"""`hub demo` as a visitor starts it: ports for every wire, devices of every family, the first alarm soon."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from simulators.ledger import read_ledger
from tests.fixtures.hub import HUB
from tests.waiting import wait_until

FAMILIES = {"care", "watch", "iw", "minifinder2", "gt06", "h02", "vda5050"}
"""Without the sensors behind a Zigbee gateway: they say something once in 50 minutes."""
FIRST_ALARM_S = 90


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """A demo in a folder of its own, on free ports."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment |= {
        "HUB_HTTP__PORT": "0",
        "HUB_TCP__WATCH_PORT": "0",
        "HUB_MQTT__EMBEDDED_PORT": "0",
        "HUB_MQTT__EMBEDDED_PORT_V5": "0",
        "PYTHONUNBUFFERED": "1",
    }
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [str(HUB), "demo"], env=environment, cwd=tmp_path, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    try:
        yield tmp_path
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, (tmp_path / "out").read_text()


def test_a_visitor_sees_every_wire_and_an_alarm_soon(demo: Path) -> None:
    began = time.monotonic()

    def said(pattern: str) -> str:
        found = re.search(pattern, (demo / "out").read_text(encoding="utf-8"))
        return "" if found is None else found[1]

    password = wait_until(lambda: said(r"password\s+(\S+)"), 80, what="the demo to start")
    ports = wait_until(lambda: said(r"ports\s+(mqtt .+)"), 5)
    named = dict(one.split() for one in ports.split(" · "))
    assert list(named) == ["mqtt", "watch", "iw", "minifinder2", "gt06", "h02"]
    assert all(0 < int(port) < 65_536 for port in named.values())
    address = wait_until(lambda: said(r"console\s+(http://\S+)/"), 5)

    with httpx.Client(base_url=address, headers={"Sec-Fetch-Site": "same-origin"}, timeout=20) as desk:
        log_in = desk.post("/api/v1/session", json={"username": "zhoumin", "password": password})
        assert log_in.status_code == 200, log_in.text

        def live() -> list[dict[str, object]]:
            found: list[dict[str, object]] = desk.get("/api/v1/incidents", params={"state": "live"}).json()["items"]
            return found

        first = wait_until(live, FIRST_ALARM_S - (time.monotonic() - began), what="the first alarm")
        assert (first[0]["type"], first[0]["class"]) == ("sos", "emergency")

        def unheard() -> set[str]:
            """Families of which no device of the community has been heard."""
            return {
                family
                for family in FAMILIES
                if not desk.get(f"/api/v1/devices?family={family}&online=true&adopted=true").json()["items"]
            }

        wait_until(lambda: not unheard(), 60, what="devices of every family")
    ledger = next(iter(demo.glob(".demo/**/demo-ledger.jsonl")))
    assert read_ledger(ledger)[0].told is not None
