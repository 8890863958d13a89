"""What is documented is measured and moves, and the other way round; dashboard and alerts ask for nothing else."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import yaml
from paho.mqtt import publish
from prometheus_client.parser import text_string_to_metric_families

from hub.app.metrics import reason_class
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
ROW = re.compile(
    r"^\| `(?P<name>(?:hub|process)_[a-z0-9_]+)` \| (?P<kind>\w+) \| (?P<labels>[^|]*) \| (?P<words>.+) \|$"
)
STILL = {
    # They count what must not happen in a test of the normal: each is proven where it is made to happen (tests/bridge).
    "hub_bridge_failed_batches",
    "hub_bridge_only_logged",
    "hub_bridge_paused",
    "hub_bridge_sessions_lost",
    "hub_bridge_stale_acks",
    "hub_bridge_unavailable",
    "hub_bridge_tcp_conflicts",
    "hub_bridge_tcp_shed",
    "hub_uplinks_kept_aside",
    # An estimate, counted each minute.
    "hub_ledger_keys",
    # Nothing is wrong, so they are zero; tests/operations/test_readiness.py stops the parts.
    "hub_feed_dark",
    "hub_feed_behind_entries",
    "hub_schema_missing",
    "hub_due_overdue",
    "hub_due_overdue_seconds",
    "hub_bridge_oldest_unsettled_seconds",
    "hub_bridge_queue_depth",
    "hub_bridge_unsettled",
    "hub_stream_subscribers",
    # The database is there: tests/e2e/test_dark.py takes it away.
    "hub_bridge_journal_alarms",
    "hub_bridge_journalled",
    # Nobody is ill, and few are judged: tests/service/test_ruling.py makes them.
    "hub_rules_busy",
    "hub_rules_failed",
    "hub_rules_raised",
    # Nobody is told anything: tests/notices does.
    "hub_notice_lag_seconds",
    "hub_notice_late",
    "hub_notice_tries",
    "hub_notice_workers_busy",
    # A minute of a quiet desk: tests/service/test_load.py makes floods, test_path_tests.py tests of the path.
    "hub_load_alarms_per_seat_hour",
    "hub_load_bad_actors",
    "hub_load_chattering",
    "hub_load_flood_seconds",
    "hub_load_seats_in_flood",
    "hub_load_share",
    "hub_load_shelved",
    "hub_load_silences",
    "hub_load_spilled",
    "hub_load_stale",
    "hub_load_stale_technical",
    "hub_path_test_seconds",
    "hub_path_test_timestamp_seconds",
    # Nobody reports anything, and the rota is empty: tests/service/test_matters.py, tests/api/test_rota.py.
    "hub_matters_overdue",
    "hub_rota_gaps",
    # Nobody plans a day: tests/service/test_day_plans.py, tests/api/test_day_plans.py.
    "hub_day_plan_seconds",
    "hub_day_plans",
    # Nor has anybody a service: tests/service/test_care_plans.py, test_meals.py, test_visits.py.
    "hub_care_plans_followed",
    "hub_meal_rounds_planned",
    "hub_meals_unanswered_late",
    "hub_visits_late",
    # Devices fall silent after minutes: tests of supervision make them.
    "hub_supervision_back",
    "hub_supervision_busy",
    "hub_supervision_looks",
    "hub_supervision_silent",
}


def documented() -> dict[str, dict[str, str]]:
    """The table of docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [match for line in text.splitlines() if (match := ROW.match(line))]
    return {row["name"]: row.groupdict() for row in rows}


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def names_in(expression: str) -> set[str]:
    found = re.findall(r"\b(?:hub|process)_[a-z0-9_]+", expression)
    return {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in found}


def known_names() -> set[str]:
    return {re.sub(r"_total$", "", name) for name in documented()}


@pytest.mark.mosquitto
def test_everything_documented_is_there_and_moves(
    hub: RunningHub, fleet: Any, mosquitto_broker: MosquittoBroker
) -> None:
    fleet.wait_told(30, 60)
    with hub.sign_in() as client:
        assert client.get("/api/v1/incidents").status_code == 200
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO uplinks (received_at, lane, device_id, outcome, reason, payload)"
            " VALUES (now() - interval '1 hour', 'tcp', 'W-001', 'quarantined', 'KeyError: 1', 'x')"
        )
        connection.execute(
            "INSERT INTO outbox (channel, target, body, created_at, due_at)"
            " VALUES ('voice', 'x', '{}', now() - interval '1 minute', now() + interval '1 day')"
        )
    assert hub.watch_port is not None
    with socket.create_connection(("127.0.0.1", hub.watch_port)) as line, suppress(OSError):
        line.settimeout(20)
        line.sendall(b"nobody's frame, nobody's frame\r\n" * 2000)
        while line.recv(100):
            pass
    address = urlsplit(mosquitto_broker.device_url("X-1"))
    publish.single(
        "care/v1/X-1/up/alarm",
        b"{no json",
        qos=1,
        hostname="127.0.0.1",
        port=mosquitto_broker.port,
        client_id="X-1",
        auth={"username": "X-1", "password": address.password},
    )
    wait_until(lambda: _value(hub, "hub_uplinks_rejected"), 20, what="a rejected uplink to be counted")
    mosquitto_broker.kill()
    wait_until(lambda: httpx.get(f"{hub.base_url}/readyz").status_code == 503, 20)
    wait_until(lambda: _value(hub, "hub_bridge_connect_failures"), 20, what="a failed connection to be counted")
    mosquitto_broker.restart()
    wait_until(lambda: httpx.get(f"{hub.base_url}/readyz").status_code == 200, 30)
    wait_until(lambda: _value(hub, "hub_quarantine_waiting"), 20)
    with hub.sign_in():  # whoever has not been seen for some minutes has left their seat
        wait_until(lambda: _value(hub, "hub_load_seats"), 60, what="the seat to be counted")

    text = httpx.get(f"{hub.base_url}/metrics", timeout=20).text
    found = families(text)
    table = documented()
    wanted = {re.sub(r"_total$", "", name): row for name, row in table.items()}
    assert sorted(found) == sorted(wanted), "docs/operations.md, the table of metrics, and /metrics disagree"
    for name, family in found.items():
        assert wanted[name]["kind"] == family.type, name
        assert wanted[name]["words"] == family.documentation.replace("|", "/"), name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        told = set(re.findall(r"`(\w+)`", wanted[name]["labels"]))
        assert labels <= told, f"{name}: {labels} but documented {told}"
    idle = {
        name
        for name, family in found.items()
        if not any(sample.value for sample in family.samples if not sample.name.endswith("_bucket"))
    }
    assert idle <= STILL, f"these did not move: {sorted(idle - STILL)}"


def _value(hub: RunningHub, name: str) -> float:
    found = families(httpx.get(f"{hub.base_url}/metrics", timeout=20).text).get(name)
    return sum(sample.value for sample in found.samples) if found else 0.0


def test_the_dashboard_is_what_its_source_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    place = DEPLOY / "grafana" / "dashboard.py"
    monkeypatch.syspath_prepend(place.parent)  # where `python dashboard.py` looks for the modules beside it
    spec = importlib.util.spec_from_file_location("dashboard", place)
    assert spec is not None
    assert spec.loader is not None
    dashboard = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dashboard)
    written = json.loads((DEPLOY / "grafana" / "care-hub.json").read_text(encoding="utf-8"))
    assert written == dashboard.dashboard(), "run: python deploy/grafana/dashboard.py"
    panels = [panel for panel in written["panels"] if panel["type"] != "row"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in written["panels"]]
    assert len(set(places)) == len(places), "two panels in one place"
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel["description"] for panel in panels)
    asked = {name for panel in panels for target in panel["targets"] for name in names_in(target["expr"])}
    assert asked <= known_names(), f"the dashboard asks for {sorted(asked - known_names())}"
    unseen = known_names() - asked - {"process_virtual_memory_bytes", "process_start_time_seconds", "process_max_fds"}
    assert not unseen, f"no panel shows {sorted(unseen)}"


def test_the_alerts_ask_for_what_there_is() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    asked = {name for rule in rules for name in names_in(rule["expr"])}
    assert asked <= known_names()
    assert all(rule["labels"]["severity"] in ("page", "ticket") for rule in rules)
    assert all(rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in rules)
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in rules if f"`{rule['alert']}`" not in operations] == []


def test_every_alert_is_tried_firing_and_silent() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    tried = yaml.safe_load((RULES.parent / "alerts_test.yml").read_text(encoding="utf-8"))
    cases = [case for one in tried["tests"] for case in one["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert (names - fires, names - silent) == (set(), set())


def test_the_alerts_fire_when_they_should() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    for arguments in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run([promtool, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("there is no codec for family 'x'", "codec"),
        ("not JSON: unexpected character", "syntax"),
        ("observed_at is a year ahead", "time"),
        ("missing: type", "missing"),
        ("heart_rate_bpm: must be between 20 and 300", "value"),
        ("???", "other"),
        (None, "other"),
    ],
)
def test_reasons_have_few_classes(reason: str | None, expected: str) -> None:
    assert reason_class(reason) == expected
