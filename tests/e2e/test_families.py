"""One press of each family over the hub's live ports and broker: the right incident, and the wire's own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import utc_now
from hub.embedded import EmbeddedPostgres
from simulators.fleet import Report, run_scenario
from simulators.ledger import read_ledger
from simulators.roster import load_roster
from simulators.scenario import load_scenario
from simulators.tracker_wires import WIRES, Here
from simulators.wire import Fix
from tests.e2e.test_watch_tcp import Line
from tests.fixtures.brokers import Broker
from tests.fixtures.hub import RunningHub, hubs_on
from tests.fixtures.postgres import fresh_database
from tests.waiting import wait_until

PORTS = {f"HUB_TCP__{family.upper()}_PORT": "0" for family in ("iw", "minifinder2", "gt06", "h02")}
RAISED = {
    "fam-watch-0001": ("care", "sos", "emergency"),
    "8800000001": ("watch", "fall", "emergency"),
    "355550100000001": ("iw", "sos", "emergency"),
    "355550200000001": ("minifinder2", "sos", "emergency"),
    "355550300000001": ("gt06", "fall", "emergency"),
    "4205500001": ("h02", "sos", "emergency"),
    "fam-zigbee-cord-0001": ("zigbee2mqtt", "sos", "emergency"),
    "fam-zigbee-smoke-0001": ("zigbee2mqtt", "smoke", "emergency"),
    "CareBots:fam-0001": ("vda5050", "robot_stuck", "technical"),
}
UNANSWERED = ("zigbee2mqtt", "vda5050")
RESIDENTS = 20
FIX = Fix(31.3396, 118.3962)


@pytest.fixture
def hub(
    embedded_broker: Broker, postgres_server: EmbeddedPostgres, template_database: str, tmp_path: Path
) -> Iterator[RunningHub]:
    with fresh_database(postgres_server, template_database) as url, hubs_on(url, tmp_path) as make:
        yield make(embedded_broker, residents=RESIDENTS, **PORTS)


def play(hub: RunningHub, ledger: Path) -> Report:
    addresses = {family: f"127.0.0.1:{port}" for family, port in hub.tcp_ports.items()}
    return asyncio.run(
        run_scenario(
            "families",
            broker=hub.broker.url,
            watch=addresses.pop("watch"),
            tcp=addresses,
            ledger=ledger,
            duration_s=6,
            repeat_s=(0.5, 1.0),
        )
    )


def test_one_press_of_each_family(hub: RunningHub, tmp_path: Path) -> None:
    assert set(hub.tcp_ports) == {"watch", *WIRES}
    scenario = load_scenario("families")
    specs = load_roster(scenario.fleet, scenario_file=scenario.file, seed=scenario.seed).devices
    assert {spec.id: spec.family for spec in specs} == {one: family for one, (family, *_) in RAISED.items()}
    with hub.sign_in("supervisor") as keeper:
        for spec in specs:
            added = keeper.post("/api/v1/devices", json={"id": spec.id, "family": spec.family})
            assert added.status_code == 201, added.text
    report = play(hub, tmp_path / "ledger.jsonl")
    assert report.open == 0
    told = {entry.device_id: entry.told for entry in read_ledger(tmp_path / "ledger.jsonl")}
    assert told == {one: "received" for one, (family, *_) in RAISED.items() if family not in UNANSWERED}

    with hub.sign_in("operator") as desk:
        items = desk.get("/api/v1/incidents", params={"limit": 100}).json()["items"]
        found = {
            item["device"]["id"]: (item["device"]["family"], item["type"], item["class"], item["alarms"])
            for item in items
            if item["device"]["id"] in RAISED
        }
        assert found == {one: (*meant, 1) for one, meant in RAISED.items()}
    checked = hub.hub("reconcile", "--sent", str(tmp_path / "ledger.jsonl"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_tracker_that_comes_is_told_what_waits(hub: RunningHub) -> None:
    """Given while it is away, delivered when it logs in, answered by its position; all of it visible."""
    imei = "355550100000077"
    with hub.sign_in("supervisor") as keeper:
        assert keeper.post("/api/v1/devices", json={"id": imei, "family": "iw"}).status_code == 201
    with hub.sign_in("operator") as desk:
        device = desk.get(f"/api/v1/devices/{imei}").json()
        assert device["capabilities"] == ["locate", "measure", "speak", "set_interval", "reboot"]
        given = desk.post(f"/api/v1/devices/{imei}/commands", json={"command": "locate"})
        assert given.status_code == 202, given.text
        command = given.json()
        assert (command["state"], command["command"]) == ("queued", "locate")
        refused = desk.post(f"/api/v1/devices/{imei}/commands", json={"command": "call", "number": "110"})
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:care-hub:cannot"
        assert "it can locate" in refused.json()["detail"]
        wrong = desk.post(f"/api/v1/devices/{imei}/commands", json={"command": "set_interval", "seconds": "x"})
        assert wrong.status_code == 422

        def state() -> str:
            view = desk.get(given.headers["Location"]).json()
            return str(view["state"])

        tracker = Line(hub.tcp_ports["iw"])
        try:
            tracker.send(f"IWAP00{imei}#".encode())
            assert tracker.read(7) == b"IWBP00,"
            said = b""
            while not said.endswith(b"#"):  # the rest of the login's answer
                said += tracker.read(1)
            wanted = f"IWBP16,{imei},".encode()
            assert tracker.read(len(wanted)) == wanted
            serial = tracker.read(7)
            wait_until(lambda: state() == "sent")
            tracker.send(b"IWAP16," + serial)
            wait_until(lambda: state() == "delivered")
            wire = WIRES["iw"](imei)
            fix_frame = wire.position(Here(utc_now(), FIX, 80))
            tracker.send(fix_frame)
            wait_until(lambda: state() == "answered")
        finally:
            tracker.close()
        view = desk.get(f"/api/v1/devices/{imei}/commands").json()["items"]
        assert [one["id"] for one in view] == [command["id"]]
        assert view[0]["answer"]["fix"]["lat"] == pytest.approx(FIX.lat, abs=1e-4)
        assert desk.get(f"/api/v1/devices/{imei}/commands/{'0' * 8}").status_code == 404


def test_two_that_use_one_id_are_seen(hub: RunningHub) -> None:
    imei = "4205500099"
    first, second = Line(hub.tcp_ports["h02"]), Line(hub.tcp_ports["h02"], source="127.0.0.2")
    beat = f"*HQ,{imei},HTBT,77#".encode()
    try:
        for line in (first, second, first):
            line.send(beat)
            assert line.read(len(f"*HQ,{imei},HTBT#")) == f"*HQ,{imei},HTBT#".encode()
        with hub.sign_in("operator") as desk:

            def conflict() -> object:
                answer = desk.get(f"/api/v1/devices/{imei}")
                return answer.json().get("conflict") if answer.status_code == 200 else None

            found = wait_until(conflict)
        assert isinstance(found, dict)
        assert (found["kind"], found["addresses"]) == ("two_addresses", ["127.0.0.1", "127.0.0.2"])
    finally:
        first.close()
        second.close()
