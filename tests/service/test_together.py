"""Transactions that meet: nobody waits in a ring, nothing is lost."""

from __future__ import annotations

import json
import threading

from devices import Uplink
from hub.ports import Incoming
from tests.service.conftest import World

ROUNDS = 25


def _batch(world: World, number: int, one: str, other: str) -> list[Incoming]:
    """A press of one device and a cancel of the other's: both incidents are wanted."""
    bodies = (
        (one, {"ref": f"p{number}", "type": "sos", "observed_at": world.now.isoformat()}),
        (other, {"ref": f"c{number}{one}", "type": "cancel", "cancels": "first", "observed_at": world.now.isoformat()}),
    )
    return [
        Incoming(
            Uplink(json.dumps(body).encode(), received_at=world.now, topic=f"care/v1/{device}/up/alarm"),
            device,
            "care",
            "alarm",
        )
        for device, body in bodies
    ]


def test_presses_and_cancels_of_one_another_do_not_block(world: World) -> None:
    world.press("W1", ref="first")
    world.press("W2", ref="first")
    gate = threading.Barrier(2, timeout=30)
    failed: list[Exception] = []

    def send(one: str, other: str) -> None:
        for number in range(ROUNDS):
            gate.wait()
            try:
                world.services.ingest.alarms(_batch(world, number, one, other))
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=send, args=pair) for pair in (("W1", "W2"), ("W2", "W1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    counts = world.rows("SELECT alarm_count FROM incidents ORDER BY subject")
    assert [row["alarm_count"] for row in counts] == [ROUNDS + 1] * 2
    cancels = world.row("SELECT count(*) AS n, count(incident_id) AS joined FROM alarms WHERE type = 'cancel'")
    assert (cancels["n"], cancels["joined"]) == (2 * ROUNDS, 2 * ROUNDS)
