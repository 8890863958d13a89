"""Everything may be killed at any moment: what a device was told stays, and nothing is there twice.

The load: twenty devices on MQTT and TCP press without pause, repeat until told and write down what they pressed and
what they were told; telemetry runs beside, and an operator claims and closes. The kill moments come from a seed.
"""

from __future__ import annotations

import os
import random
import signal

import pytest

from hub.embedded import EmbeddedPostgres
from tests.chaos.desk import Desk
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import settle
from tests.fixtures.brokers import MosquittoBroker
from tests.fixtures.hub import RunningHub

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(50, id="50", marks=pytest.mark.timeout(900)),
        pytest.param(200, id="200", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
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
        fleet.quieten(240)  # what was repeated meanwhile stands in line before it, and the machine is as busy as it is
    assert desk.closed >= kills / 50, "the desk hardly worked"
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
