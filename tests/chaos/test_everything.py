"""Anything may go wrong, at any moment, one thing after the other, under load: what a device was told stays.

`--chaos-seed` repeats a run (the order of faults; what meets what on the way is the machine's), `--chaos-minutes` says
how long the long one takes.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from hub.clock import monotonic
from hub.embedded import EmbeddedPostgres
from simulators.roster import Roster, load_roster
from simulators.scenario import FleetSource
from tests.chaos.desk import Desk
from tests.chaos.faults import FAKETIME, Faults, Sniffer, mounted
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import reckon
from tests.chaos.wire import Wire
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub, load_sample
from tests.fixtures.ports import lasting_port

pytestmark = [pytest.mark.mosquitto]

SOCKET = ".s.PGSQL.5432"


@dataclass
class Behind:
    """The broker as it is reached over a wire."""

    broker: MosquittoBroker
    port: int
    user_per_connection: bool = True

    @property
    def url(self) -> str:
        return self.broker.url.replace(f":{self.broker.port}", f":{self.port}")


@pytest.fixture
def wires(postgres: EmbeddedPostgres, mosquitto_broker: MosquittoBroker) -> Iterator[dict[str, Wire]]:
    folder = Path(tempfile.mkdtemp(prefix="wire-"))
    real = Path(parse_qs(urlsplit(postgres.url).query)["host"][0]) / SOCKET
    ends: dict[str, tuple[int | Path, int | Path]] = {
        "database": (folder / SOCKET, real),
        "broker": (lasting_port(), mosquitto_broker.port),
        "devices": (lasting_port(), mosquitto_broker.port),
    }
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield {name: stack.enter_context(Wire(name, *end)) for name, end in ends.items()}


@pytest.fixture
def faults(
    postgres: EmbeddedPostgres,
    mosquitto_broker: MosquittoBroker,
    wires: dict[str, Wire],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Faults]:
    """A hub that reaches everything over wires, its devices, and whatever can happen to them."""
    seed = request.config.getoption("--chaos-seed") or random.SystemRandom().randrange(10**6)
    print(f"--chaos-seed {seed}")
    world = load_sample(postgres.url, tmp_path, residents=300)
    extra = {"HUB_LOG__LEVEL": "warning"}
    disk: Path | None = tmp_path / "data"
    assert disk is not None
    problem = mounted(disk, 24)
    if problem is not None:
        print(f"NOT TRIED, the disk fills up: {problem}")
        disk = None
    clock: Path | None = None
    if FAKETIME is None:
        print("NOT TRIED, the clock jumps: Debian's faketime is not installed")
    else:
        clock = tmp_path / "clock"
        clock.write_text("+0\n")
        extra |= {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    database, broker, devices = wires["database"]._listen, wires["broker"]._listen, wires["devices"]._listen
    assert isinstance(database, Path)
    assert isinstance(broker, int)
    host = parse_qs(urlsplit(postgres.url).query)["host"][0]
    hub = RunningHub(
        postgres.url.replace(quote(host, safe=""), quote(str(database.parent), safe="")),
        Behind(mosquitto_broker, broker),  # type: ignore[arg-type]
        tmp_path,
        world,
        extra,
        http_port=lasting_port(),
        watch_port=lasting_port(),
    )
    roster = load_roster(FleetSource(), scenario_file="", world=world.world_file).devices
    care = [spec for spec in roster if spec.family == "care"][:16]
    bracket = [spec for spec in roster if spec.family == "watch"][:4]
    credentials = {spec.id: urlsplit(mosquitto_broker.device_url(spec.id)).password or "" for spec in care}
    with ExitStack() as stack:
        if disk is not None:
            stack.callback(subprocess.run, ["umount", "-l", str(disk)], check=True)
        stack.callback(hub.end)
        hub.start()
        fleet = stack.enter_context(
            Fleet(
                Roster((*care, *bracket)),
                broker=f"mqtt://127.0.0.1:{devices}",
                watch_port=hub.watch_port,
                credentials=credentials,
                ledger=tmp_path / "ledger.jsonl",
                seed=seed,
            )
        )
        sniffer = stack.enter_context(Sniffer(mosquitto_broker))
        yield Faults(random.Random(seed), hub, fleet, mosquitto_broker, postgres, sniffer, wires, disk, clock)


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param(0.0, id="short", marks=pytest.mark.timeout(600)),
        pytest.param(None, id="long", marks=[pytest.mark.long, pytest.mark.timeout(0)]),
    ],
)
def test_what_was_told_stays_whatever_happens(
    faults: Faults, minutes: float | None, request: pytest.FixtureRequest
) -> None:
    wanted = minutes if minutes is not None else request.config.getoption("--chaos-minutes")
    until = monotonic() + wanted * 60
    hub, fleet, rng = faults.hub, faults.fleet, faults.rng
    first = faults.all()
    rng.shuffle(first)
    with Desk(hub) as desk:
        fleet.wait_told(10, 60)
        while first or monotonic() < until:
            # Each once, then as it comes.
            faults.one(first.pop() if first else rng.choice(faults.all()))
            try:
                fleet.wait_told(fleet.told + rng.randint(3, 20), 90)
            except AssertionError as error:
                raise AssertionError(f"after {faults.happened}: {error}\n{hub.log[-6000:]}") from None
        faults.calm()
        hub.kill()
        hub.start(90)  # hundreds of uplinks may be in its journal, and the machine is as busy as it is
        fleet.quieten(90)
    print(f"{sum(faults.happened.values())} faults: {faults.happened}; {faults.sniffer.said_again} said again")
    assert desk.closed > 0
    reckon(hub, fleet)
    sent = fleet.telemetry
    stored = hub.rows("SELECT count(*) AS n FROM uplinks WHERE lane <> 'alarm' AND payload IS NULL")[0]["n"]
    print(
        f"telemetry: {sent} sent, {stored} taken, {max(0, sent - stored)} lost with the broker's memory or on the way"
    )
    assert hub.stop() == 0, hub.log[-4000:]
    assert "deadlock" not in hub.log, "two transactions took their locks in different orders"
    assert "kept in this line only" not in hub.log
