"""Each part is stopped, and /readyz says which and why; it is started again, and /readyz says so."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from hub.app import readiness as module
from hub.app.readiness import checks
from hub.bridge import BridgeState, LaneState, TcpState
from hub.embedded import EmbeddedPostgres
from hub.ports.dark import DarkState
from hub.store import Measured
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

Json = dict[str, Any]
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def ask(hub: RunningHub) -> tuple[int, dict[str, Json]]:
    answer = httpx.get(f"{hub.base_url}/readyz", timeout=20)
    return answer.status_code, {check["name"]: check for check in answer.json()["checks"]}


def level(hub: RunningHub, name: str) -> str:
    found: str = ask(hub)[1].get(name, {}).get("level", "absent")
    return found


@pytest.mark.mosquitto
def test_each_part_stopped_and_started(
    hub: RunningHub, mosquitto_broker: MosquittoBroker, postgres: EmbeddedPostgres
) -> None:
    status, found = ask(hub)
    assert status == 200
    assert {check["level"] for check in found.values()} == {"ok"}, found
    assert {"database", "schema", "lead", "broker", "intake", "feed", "jobs", "disk", "tcp-watch"} <= found.keys()

    mosquitto_broker.kill()
    wait_until(lambda: level(hub, "broker") == "down", 20, what="the broker's loss to be said")
    status, found = ask(hub)
    assert status == 503
    assert "hub-alarm" in found["broker"]["en"]
    assert "消息代理" in found["broker"]["zh"]
    assert found["database"]["level"] == "ok"
    assert httpx.get(f"{hub.base_url}/healthz").status_code == 200
    mosquitto_broker.restart()
    wait_until(lambda: ask(hub)[0] == 200, 30, what="the broker's return")

    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    wait_until(lambda: level(hub, "database") == "down", 20, what="the database's loss to be said")
    status, found = ask(hub)
    assert status == 503
    assert found["database"]["since"] is not None
    assert "away" in found["database"]["en"]
    assert {found[name]["level"] for name in ("lead", "feed", "jobs")} <= {"down", "ok"}
    assert found["broker"]["level"] == "ok"
    metrics = httpx.get(f"{hub.base_url}/metrics", timeout=20).text
    assert "hub_database_up 0.0" in metrics
    postgres.start()
    wait_until(lambda: ask(hub)[0] == 200, 30, what="the database's return")

    with psycopg.connect(postgres.url) as connection:
        connection.execute("INSERT INTO schema_migrations (name, checksum) VALUES ('9999_later', 'x')")
    wait_until(lambda: level(hub, "schema") == "down", 10)
    assert "9999_later" in ask(hub)[1]["schema"]["en"]
    with psycopg.connect(postgres.url) as connection:
        connection.execute("DELETE FROM schema_migrations WHERE name = '9999_later'")
    wait_until(lambda: ask(hub)[0] == 200, 10)


@pytest.mark.mosquitto
def test_a_second_hub_stands_by_and_says_so(hub: RunningHub, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    other = RunningHub(hub.database_url, mosquitto_broker, folder, hub.world, {"HUB_LOG__LEVEL": "warning"})
    try:
        offset = other.launch()
        found = wait_until(lambda: _lead_of(other, offset), 30, what="the second hub's word")
        assert "another hub takes the alarms" in found
        hub.kill()
        wait_until(lambda: "this hub takes" in (_lead_of(other, offset) or ""), 30, what="the second to take over")
    finally:
        other.end()


def _lead_of(hub: RunningHub, offset: int) -> str | None:
    at = re.search(r"running on http://127\.0\.0\.1:(\d+)", hub.log[offset:])
    if at is None:
        return None
    hub.http_port = int(at[1])
    try:
        lead = ask(hub)[1].get("lead")
    except httpx.HTTPError:
        return None
    return lead["en"] if lead else None


class Hub:
    """A hub in which all is well; a test changes one thing."""

    def __init__(self, folder: Path) -> None:
        self.embedded = frozenset({"database", "broker"})
        self.data_dir = folder
        self.found = Measured(at=NOW, seq=10, lead_held=True)
        lane = LaneState("hub-alarm", True, NOW, 1, 0, 0.0, False, None)
        self.state: BridgeState | None = BridgeState(
            lead="active", alarm=lane, mixed=None, telemetry=(), downlink=lane, tcp=(), database_away_since=None
        )
        self.dark = False
        self.journal: DarkState | None = None
        self.line: str | None = None
        self.seq = 10
        self.ran_at = NOW

    def measured(self) -> Measured:
        return self.found

    def bridge_state(self) -> BridgeState | None:
        return self.state

    def sheltering(self) -> DarkState | None:
        return self.journal

    def line_trouble(self) -> str | None:
        return self.line

    def feed_dark(self) -> bool:
        return self.dark

    def feed_seq(self) -> int:
        return self.seq

    def jobs_last_run_at(self) -> datetime:
        return self.ran_at

    def runs(self, part: str) -> bool:
        return part in ("api", "bridge", "jobs")


def change_lane(**changes: Any) -> Callable[[Hub], None]:
    def change(hub: Hub) -> None:
        assert hub.state is not None
        assert hub.state.alarm is not None
        hub.state = replace(hub.state, alarm=replace(hub.state.alarm, **changes))

    return change


def change_state(**changes: Any) -> Callable[[Hub], None]:
    def change(hub: Hub) -> None:
        assert hub.state is not None
        hub.state = replace(hub.state, **changes)

    return change


def change_found(**changes: Any) -> Callable[[Hub], None]:
    def change(hub: Hub) -> None:
        hub.found = replace(hub.found, **changes)

    return change


def set_to(**changes: Any) -> Callable[[Hub], None]:
    def change(hub: Hub) -> None:
        for name, value in changes.items():
            setattr(hub, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "name", "expected", "words"),
    [
        (change_found(error="the database is away: refused"), "database", "down", "refused"),
        (change_found(missing=("0013_desk",)), "schema", "down", "hub migrate"),
        (change_found(unknown=("9999_x",)), "schema", "down", "upgrade"),
        (change_state(lead="standby", alarm=None), "lead", "ok", "stands by"),
        (change_lane(connected=False, error="refused by the broker"), "broker", "down", "refused by the broker"),
        (change_lane(lag_s=12.0), "intake", "degraded", "12 s"),
        (change_lane(paused=True), "intake", "degraded", "queue"),
        (change_state(database_away_since=NOW), "intake", "down", "neither stored"),
        (change_state(tcp=(TcpState("watch", False, 5093, 0, 0, ()),)), "tcp-watch", "down", "5093"),
        (change_state(tcp=(TcpState("watch", True, 5093, 2, 1, ("W-1",)),)), "tcp-watch", "degraded", "W-1"),
        (set_to(line="refused"), "provisional", "degraded", "refused"),
        (set_to(state=None, journal=DarkState(NOW, 3, 4)), "intake", "down", "3 alarms journalled"),
        (set_to(dark=True), "feed", "down", "cannot read"),
        (change_found(seq=10_000), "feed", "degraded", "9990 entries"),
        (set_to(ran_at=NOW - timedelta(minutes=5)), "jobs", "down", "stopped"),
        (change_found(due={"incident": (3, 1, 45.0)}), "jobs", "degraded", "45 s"),
        (set_to(data_dir=Path("/nowhere")), "disk", "degraded", "data directory"),
    ],
)
def test_one_thing_wrong_is_said(
    tmp_path: Path, change: Callable[[Hub], None], name: str, expected: str, words: str
) -> None:
    hub = Hub(tmp_path)
    assert {check.level for check in checks(hub, lambda: NOW)} == {"ok"}
    change(hub)
    found = {check.name: check for check in checks(hub, lambda: NOW)}
    assert (found[name].level, words in found[name].en) == (expected, True), found[name]
    assert found[name].zh


def test_nobody_takes_the_alarms(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    change_state(lead="standby", alarm=None)(hub)
    change_found(lead_held=False)(hub)
    lead = next(check for check in checks(hub, lambda: NOW) if check.name == "lead")
    assert (lead.level, "no hub takes the alarms" in lead.en) == ("down", True)


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOW_DISK_SHARE", 1.1)
    for limit, expected in ((0, "ok"), (10**15, "down"), (None, "degraded")):
        free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
        monkeypatch.setattr(module, "LOW_DISK_BYTES", free * 2 if limit is None else limit)
        disk = next(check for check in checks(Hub(tmp_path), lambda: NOW) if check.name == "disk")
        assert disk.level == expected
