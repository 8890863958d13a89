"""What the chaos tests stand on: a PostgreSQL that keeps its promises, Mosquitto as a site runs it, one hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.embedded import EmbeddedPostgres
from simulators.roster import Roster, load_roster
from simulators.scenario import FleetSource
from tests.chaos.fleet import Fleet
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port
from tests.fixtures.postgres import durable_server

CARE, BRACKET = 16, 4


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server of its own with fsync and synchronous commit, as a site's must be; the hub knows only its URL."""
    with durable_server() as server:
        yield server


@pytest.fixture
def hub(postgres: EmbeddedPostgres, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Iterator[RunningHub]:
    """`hub serve` on that database and Mosquitto, with a small sample community; started."""
    world = load_sample(postgres.url, tmp_path, residents=400)
    hub = RunningHub(
        postgres.url,
        mosquitto_broker,
        tmp_path,
        world,
        {"HUB_LOG__LEVEL": "warning"},
        http_port=lasting_port(),
        watch_port=lasting_port(),
    )
    try:
        hub.start()
        yield hub
    finally:
        hub.end()


@pytest.fixture
def roster(hub: RunningHub) -> Roster:
    """Twenty devices of the community, a fifth of them bracket watches on TCP."""
    devices = load_roster(FleetSource(), scenario_file="", world=hub.world.world_file).devices
    care = [spec for spec in devices if spec.family == "care"]
    bracket = [spec for spec in devices if spec.family == "watch"]
    assert len(care) >= CARE
    assert len(bracket) >= BRACKET
    # From the front and from the back: watches, and the fixed things at home.
    return Roster((*care[: CARE // 2], *care[-CARE // 2 :], *bracket[:BRACKET]))


@pytest.fixture
def fleet(hub: RunningHub, roster: Roster, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Iterator[Fleet]:
    """The devices, pressing."""
    care = [spec.id for spec in roster.devices if spec.family == "care"]
    credentials = {name: urlsplit(mosquitto_broker.device_url(name)).password or "" for name in care}
    with Fleet(
        roster,
        broker=f"mqtt://127.0.0.1:{mosquitto_broker.port}",
        watch_port=hub.watch_port,
        credentials=credentials,
        ledger=tmp_path / "ledger.jsonl",
        seed=20261122,
    ) as fleet:
        yield fleet
