"""Everything may be killed at any moment: what a device was told stays, and nothing is there twice.

The load: twenty devices on MQTT and TCP press without pause, repeat until told and write down what they pressed and
what they were told; telemetry runs beside, and an operator claims and closes. The kill moments come from a seed.
"""

from __future__ import annotations

import json
import os
import random
import signal

import pytest

from hub.embedded import EmbeddedPostgres
from simulators.ledger import read_ledger
from tests.chaos.desk import Desk
from tests.chaos.fleet import Fleet
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(290)]

OUTBOX_RETRY_S = 15
"""An answer that a killed hub had in hand is taken up again after this."""


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(50, id="50"),
        pytest.param(200, id="200", marks=[pytest.mark.long, pytest.mark.timeout(1500)]),
    ],
)
def test_the_hub_killed_again_and_again(hub: RunningHub, fleet: Fleet, kills: int) -> None:
    rng = random.Random(50)
    with Desk(hub) as desk:
        fleet.wait_told(20, 30)
        for _ in range(kills):
            hub.kill()
            hub.launch()
            if rng.random() < 0.2:
                # At any moment of its start: nothing is told, or the first redelivered ones.
                fleet.linger(rng.uniform(0.0, 2.5))
            else:
                # In full work: the very moment somebody was told, or a little later in the middle of something.
                try:
                    fleet.wait_told(fleet.told + rng.randint(1, 40), 60)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{hub.log[-3000:]}") from None
                if rng.random() < 0.5:
                    fleet.linger(rng.uniform(0.0, 0.1))
        hub.kill()
        hub.start()
        fleet.quieten(60)
    assert desk.closed > kills / 10, "the desk hardly worked"
    assert fleet.sends > fleet.pressed, "nothing had to be repeated: the kills hit nothing"
    settle(hub, fleet)


def test_the_broker_and_the_database_killed_under_the_hub(
    hub: RunningHub, fleet: Fleet, mosquitto_broker: MosquittoBroker, postgres: EmbeddedPostgres
) -> None:
    """A killed broker forgets what is younger than its last save: the devices still have it."""
    rng = random.Random(7)
    assert hub.process is not None
    first = hub.process.pid
    with Desk(hub):
        for victim in rng.sample(["broker", "database"] * 4, 8):
            fleet.wait_told(fleet.told + rng.randint(20, 60), 60)
            fleet.linger(rng.uniform(0.0, 0.1))
            if victim == "broker":
                mosquitto_broker.kill()
                fleet.linger(rng.uniform(0.0, 0.5))
                mosquitto_broker.restart()
            else:
                assert postgres.pid is not None
                os.kill(postgres.pid, signal.SIGKILL)
                fleet.linger(rng.uniform(0.0, 0.5))
                postgres.start()
        fleet.wait_told(fleet.told + 20, 60)
        fleet.quieten(60)
    assert hub.process.poll() is None
    assert hub.process.pid == first, "the hub itself came through"
    settle(hub, fleet)


def settle(hub: RunningHub, fleet: Fleet) -> None:
    """The reckoning: by the command, and once more by hand."""
    found = hub.hub("reconcile", "--sent", str(fleet.ledger), "--json")
    print(f"{fleet.pressed} pressed, {fleet.sends} sent: {found.stdout}")
    assert found.returncode == 0, found.stdout + found.stderr
    numbers = json.loads(found.stdout)
    assert {name: numbers[name] for name in ("lost", "doubled", "untold", "rejected")} == {
        "lost": 0,
        "doubled": 0,
        "untold": 0,
        "rejected": 0,
    }
    assert numbers["sent"] == numbers["told"] == fleet.pressed

    # Once more, without any of the command's own SQL: every press is one row, and no row is without a press.
    rows = hub.rows("SELECT device_id, ref, count(*) AS n FROM alarms GROUP BY device_id, ref")
    stored = {(row["device_id"], row["ref"]): row["n"] for row in rows}
    entries = read_ledger(fleet.ledger)
    assert None not in {entry.told for entry in entries}
    assert stored == {(entry.device_id, entry.ref): 1 for entry in entries}
    assert len(stored) == fleet.pressed

    # A transaction is whole or not there: no number of the timeline is missing, no incident counts what is not there.
    timeline = hub.rows("SELECT count(*) AS n, max(seq) AS last FROM timeline")[0]
    assert timeline["n"] == timeline["last"]
    miscounted = hub.rows(
        "SELECT i.id FROM incidents i WHERE i.alarm_count <> (SELECT count(*) FROM alarms a WHERE a.incident_id = i.id)"
    )
    assert miscounted == []

    # Whose matter was closed was told so, however often the hub died on the way.
    def unheard() -> set[tuple[str, str]]:
        closed = hub.rows(
            "SELECT a.device_id, a.ref FROM alarms a JOIN incidents i ON i.id = a.incident_id"
            " JOIN devices d ON d.id = a.device_id WHERE i.state IN ('resolved', 'closed') AND d.family = 'care'"
        )
        told = {(entry.device_id, entry.ref): entry.told for entry in read_ledger(fleet.ledger)}
        names = {(row["device_id"], row["ref"]) for row in closed}
        return {name for name in names if told[name] != "handled"}

    wait_until(lambda: not unheard(), OUTBOX_RETRY_S * 2, what="every closed matter to be told handled")
    assert hub.stop() == 0
    assert "deadlock" not in hub.log, "two transactions took their locks in different orders"
    assert "Traceback" not in hub.log, hub.log[hub.log.index("Traceback") - 500 :][:4000]
