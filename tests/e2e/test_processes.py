"""A hub in two processes, bridge and API, on a site's broker: what one of them knows the other's consoles show."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.clock import utc_now
from hub.embedded import EmbeddedPostgres
from tests.e2e.live import Stream, listening, sender
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port
from tests.fixtures.postgres import durable_server
from tests.waiting import wait_until

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(180)]

Json = dict[str, Any]
WORN, PUSHED = "W-002", "W-003"


@dataclass
class Site:
    """One hub in two processes."""

    postgres: EmbeddedPostgres
    bridge: RunningHub
    api: RunningHub

    def push(self, secret: str, channel: str, body: Json) -> httpx.Response:
        return httpx.post(
            f"{self.api.base_url}/api/v1/intake/care",
            params={"device": PUSHED, "channel": channel},
            headers={"Authorization": f"Bearer {secret}"},
            json=body,
            timeout=30,
        )


@pytest.fixture
def site(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Iterator[Site]:
    with durable_server() as postgres, ExitStack() as stack:
        world = load_sample(postgres.url, tmp_path, residents=200)
        made: dict[str, RunningHub] = {}
        for part in ("bridge", "api"):
            folder = tmp_path / part
            folder.mkdir()
            one = made[part] = RunningHub(postgres.url, mosquitto_broker, folder, world, http_port=lasting_port())
            one.only = part
            stack.callback(one.end)
            one.start()
        yield Site(postgres, made["bridge"], made["api"])


def provisional(stream: Stream) -> list[tuple[str, str]]:
    events = [data for name, _, data in list(stream.events) if name == "incident.provisional"]
    return [(data["device"]["id"], data["ref"]) for data in events]


def number(hub: RunningHub, metric: str) -> float:
    lines = httpx.get(f"{hub.base_url}/metrics", timeout=10).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric)), 0.0)


def test_alarms_of_the_dark_reach_the_consoles_of_another_process(site: Site, tmp_path: Path) -> None:
    bridge, api = site.bridge, site.api
    ledger = tmp_path / "ledger.jsonl"

    # A process without the API answers for itself, and nothing else.
    assert httpx.get(f"{bridge.base_url}/healthz").json() == {"ok": True}
    assert httpx.get(f"{bridge.base_url}/api/v1/session").status_code == 404
    assert number(bridge, "hub_lead_here") == 1.0

    given = api.hub("integration", "add", "cloud", "--family", "care", "--scheme", "bearer")
    assert given.returncode == 0, given.stderr
    secret = given.stdout.split()[-1]
    with api.sign_in() as desk, listening(desk) as console, sender(bridge, WORN, ledger=ledger) as watch:
        pushed = site.push(secret, "alarm", {"ref": "h1", "type": "assistance"})
        assert pushed.status_code == 200, pushed.text
        assert number(api, 'hub_uplinks_total{family="care",lane="http",outcome="accepted"}') == 1.0

        assert site.postgres.pid is not None
        os.kill(site.postgres.pid, signal.SIGKILL)
        ref = watch.press("sos")
        assert watch.wait(ref, "received", 20)[-1] == "received"
        wait_until(lambda: (WORN, ref) in provisional(console), 20, what="the bridge's alarm on the API's console")

        # What a maker's cloud pushes: an alarm is kept before it is answered, telemetry must come again.
        press = {"ref": "h2", "type": "sos", "observed_at": utc_now().isoformat()}
        kept = site.push(secret, "alarm", press)
        assert kept.status_code == 200, kept.text
        assert json.loads(kept.text)["replies"][0]["payload"]["status"] == "received"
        again = site.push(secret, "alarm", press)
        assert again.status_code == 200, again.text
        assert site.push(secret, "vitals", {"heart_rate_bpm": 71}).status_code == 503
        assert site.push("x" * 32, "alarm", {"ref": "h3", "type": "sos"}).status_code == 401
        wait_until(lambda: (PUSHED, "h2") in provisional(console), 20)
        # A person's word is not journalled: whoever speaks is told, and writes it down.
        called = desk.post("/api/v1/alarms", json={"type": "fall", "resident_id": "R-0003"}, timeout=30)
        assert called.status_code == 503
        assert "not recorded" in called.json()["detail"]
        assert "没有记录" in called.json()["detail"]

        # A page that opens now is shown both, each once; so is one after the broker has died and forgotten everything.
        with listening(desk) as late:
            wait_until(lambda: {(WORN, ref), (PUSHED, "h2")} <= set(provisional(late)), 20)
        broker = bridge.broker
        assert isinstance(broker, MosquittoBroker)
        broker.kill()
        broker.forget()
        broker.restart()
        second = watch.press("fall")
        assert watch.wait(second, "received", 30)[-1] == "received"
        wait_until(lambda: (WORN, second) in provisional(console), 30)
        assert sorted(provisional(console)) == sorted([(WORN, ref), (PUSHED, "h2"), (WORN, second)])
        beat = console.wait("hb", lambda data: (data["dark"] or {}).get("journalled") == 3, 30)
        assert beat["database"] is False

        site.postgres.start()
        console.wait("hb", lambda data: data["database"] and data["dark"] is None, 60)

        def raised() -> set[str]:
            rows = bridge.rows("SELECT ref FROM alarms WHERE device_id IN (%s, %s)", WORN, PUSHED)
            return {row["ref"] for row in rows}

        wait_until(lambda: raised() == {"h1", "h2", ref, second}, 40, what="the journals to be taken over")
        assert len(provisional(console)) == 3
    count = bridge.rows("SELECT count(*) AS n FROM alarms WHERE device_id IN (%s, %s)", WORN, PUSHED)
    assert count == [{"n": 4}]
    assert bridge.hub("reconcile", "--sent", str(ledger)).returncode == 0
    for one in (bridge, api):
        wait_until(lambda one=one: one._ready(), 30)  # type: ignore[misc]
        assert one.stop() == 0
