"""The database goes away under presses: devices are told, consoles see, and afterwards everything is there once."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.clock import monotonic
from hub.embedded import EmbeddedPostgres
from tests.e2e.live import Stream, listening, sender
from tests.fixtures.brokers import Broker
from tests.fixtures.frozen import freeze, thaw
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port
from tests.fixtures.postgres import durable_server
from tests.waiting import wait_until

Json = dict[str, Any]

CHEN = "W-002"
TOLD_WITHIN_S = 8.0
"""1.5 s until the database counts as away, another try, and the device's own pause between repeats."""


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server of this test alone that keeps its promises."""
    with durable_server() as server:
        yield server


@pytest.fixture
def hub(postgres: EmbeddedPostgres, embedded_broker: Broker, tmp_path: Path) -> Iterator[RunningHub]:
    world = load_sample(postgres.url, tmp_path, residents=200)
    hub = RunningHub(
        postgres.url, embedded_broker, tmp_path, world, http_port=lasting_port(), watch_port=lasting_port()
    )
    try:
        hub.start()
        yield hub
    finally:
        hub.end()


@contextmanager
def stopped(server: EmbeddedPostgres, how: str) -> Iterator[None]:
    """The database is away while the block runs: killed, or standing still and silent."""
    if how == "SIGSTOP":
        processes = freeze(server)
        try:
            yield
        finally:
            thaw(processes)
        return
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    try:
        yield
    finally:
        server.start()


def ready(hub: RunningHub) -> Json:
    found: Json = httpx.get(f"{hub.base_url}/readyz", timeout=15).json()
    return found


def intake(hub: RunningHub) -> Json:
    return next(check for check in ready(hub)["checks"] if check["name"] == "intake")


def provisional(stream: Stream, device_id: str, count: int = 1) -> list[Json]:
    def found() -> list[Json]:
        events = [data for name, _, data in list(stream.events) if name == "incident.provisional"]
        return [data for data in events if data["device"]["id"] == device_id]

    wait_until(lambda: len(found()) >= count, TOLD_WITHIN_S, what=f"{count} provisional of {device_id}")
    return found()


def bracket_press(hub: RunningHub, device_id: str, minute: int) -> Callable[[float], bytes]:
    """An SOS of a bracket watch; gives what waits for the answer."""
    assert hub.watch_port is not None
    content = b"AL_LTE,2311%02d,1842%02d,V,0.0,N,0.0,E,22.0,0,-1,0,100,11,0,0,00010000,1,1,334,020,1,2,100,0,5"
    body = content % (26, minute)
    line = socket.create_connection(("127.0.0.1", hub.watch_port))
    line.sendall(b"[3G*%s*%04X*%s]" % (device_id.encode(), len(body), body))

    def answer(seconds: float) -> bytes:
        line.settimeout(seconds)
        with line:
            return line.recv(1000)

    return answer


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_alarms_while_the_database_is_away(
    hub: RunningHub, postgres: EmbeddedPostgres, tmp_path: Path, how: str
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with hub.sign_in() as desk, listening(desk) as console, sender(hub, CHEN, ledger=ledger) as watch:
        before = watch.press("assistance")
        assert watch.wait(before, "received") == ["received"]
        raised = console.wait("incident.raised", lambda _data: True)["incident"]

        with stopped(postgres, how):
            began = monotonic()
            answered = bracket_press(hub, "9900000072", 1)
            first = watch.press("sos", note="厨房")
            assert watch.wait(first, "received")[-1] == "received"
            assert monotonic() - began < TOLD_WITHIN_S
            assert answered(TOLD_WITHIN_S) == b"[3G*9900000072*0002*AL]"
            second = watch.press("fall")
            assert watch.wait(second, "received")[-1] == "received"

            shown = provisional(console, CHEN, 2)
            assert [one["type"] for one in shown] == ["sos", "fall"]
            assert (shown[0]["priority"], shown[0]["note"]) == ("critical", "厨房")
            assert shown[0]["resident"]["name"] == "陈秀英"
            assert shown[0]["resident"]["phone"]
            assert provisional(console, "9900000072")[0]["type"] == "sos"
            beat = console.wait("hb", lambda data: data["dark"] is not None and data["dark"]["journalled"] == 3)
            assert beat["database"] is False

            # A page that is opened now, with a session from before, is shown what came.
            with listening(desk) as late:
                assert [one["type"] for one in provisional(late, CHEN, 2)] == ["sos", "fall"]
            refused = desk.post(f"/api/v1/incidents/{raised['id']}/acknowledge", json={}, timeout=20)
            assert refused.status_code == 503
            assert "3 alarms journalled" in intake(hub)["en"]
            assert ready(hub)["ready"] is False
            if how == "SIGSTOP":
                # Longer than the stream waits before it looks whether its session is still there.
                beats = sum(name == "hb" for name, _, _ in list(console.events))
                wait_until(lambda: sum(name == "hb" for name, _, _ in list(console.events)) > beats + 1, 15)
                assert not console.ended.is_set()

        wait_until(lambda: ready(hub)["ready"] and ready(hub)["bridge"]["dark"] is None, 40, what="the hub to recover")
        console.wait("hb", lambda data: data["database"] and data["dark"] is None)
        console.wait("incident.raised", lambda data: (data["incident"]["device"] or {}).get("id") == "9900000072")
        after = watch.press("smoke")
        assert watch.wait(after, "received")[-1] in ("received", "hold")

        stored = hub.rows("SELECT device_id, ref, type FROM alarms WHERE device_id = %s ORDER BY received_at", CHEN)
        assert [(row["ref"], row["type"]) for row in stored] == [
            (before, "assistance"),
            (first, "sos"),
            (second, "fall"),
            (after, "smoke"),
        ]
        assert len(hub.rows("SELECT 1 FROM alarms WHERE device_id = '9900000072'")) == 1
        live = hub.rows("SELECT alarm_count FROM incidents WHERE class = 'emergency' ORDER BY alarm_count")
        assert [row["alarm_count"] for row in live] == [1, 4]
    found = hub.hub("reconcile", "--sent", str(ledger), "--json")
    assert found.returncode == 0, found.stdout + found.stderr
    numbers = json.loads(found.stdout)
    assert {name: numbers[name] for name in ("lost", "doubled", "untold")} == {"lost": 0, "doubled": 0, "untold": 0}


def test_a_hub_killed_in_the_dark_has_told_the_truth(
    hub: RunningHub, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with sender(hub, CHEN, ledger=ledger) as watch:
        with stopped(postgres, "SIGKILL"):
            refs = [watch.press("sos") for _ in range(5)]
            for ref in refs:
                assert watch.wait(ref, "received")[-1] == "received"
            hub.kill()
        hub.start()
        wait_until(lambda: ready(hub)["bridge"]["dark"] is None, 30)
        # What came in one read has one time of receipt.
        stored = hub.rows("SELECT ref FROM alarms WHERE device_id = %s ORDER BY received_at, ref", CHEN)
        assert [row["ref"] for row in stored] == refs
    assert hub.hub("reconcile", "--sent", str(ledger)).returncode == 0


def test_it_ends_in_time_while_the_database_stands_still(hub: RunningHub, postgres: EmbeddedPostgres) -> None:
    with sender(hub, CHEN) as watch, hub.sign_in() as desk, listening(desk), stopped(postgres, "SIGSTOP"):
        ref = watch.press("sos")
        assert watch.wait(ref, "received")[-1] == "received"
        assert hub.stop() == 0


def test_with_the_broker_down_tcp_and_http_go_on(hub: RunningHub, embedded_broker: Broker, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with hub.sign_in() as desk, listening(desk) as console, sender(hub, CHEN, ledger=ledger) as watch:
        embedded_broker.kill()
        answered = bracket_press(hub, "9900000072", 2)
        assert answered(TOLD_WITHIN_S) == b"[3G*9900000072*0002*AL]"
        console.wait("incident.raised", lambda data: (data["incident"]["device"] or {}).get("id") == "9900000072")
        called = desk.post("/api/v1/alarms", json={"type": "fall", "resident_id": "R-0003", "note": "电话"})
        assert called.status_code == 201, called.text
        waiting = watch.press("sos")
        broker = next(check for check in ready(hub)["checks"] if check["name"] == "broker")
        assert broker["level"] == "down"
        assert "TCP gateways and HTTP go on" in broker["en"]
        embedded_broker.restart()
        assert watch.wait(waiting, "received", 30)[-1] in ("received", "hold")
    assert hub.hub("reconcile", "--sent", str(ledger)).returncode == 0
