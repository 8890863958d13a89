"""What is found when all is over: nothing that was told is lost, and nothing is there twice."""

from __future__ import annotations

import json

from simulators.ledger import read_ledger
from tests.chaos.fleet import Fleet
from tests.fixtures.hub import RunningHub
from tests.waiting import wait_until

__all__ = ["reckon", "settle"]

TAKEN_OVER_S = 120
"""Thousands of uplinks may be in the journal of a hub that was killed every few seconds."""
OUTBOX_RETRY_S = 15
"""An answer that a killed hub had in hand is taken up again after this."""


def reckon(hub: RunningHub, fleet: Fleet) -> None:
    """The reckoning: by the command, and once more by hand; after what the journal has was taken over."""
    wait_until(lambda: not hub.sheltering(), TAKEN_OVER_S, what="the journal to be taken over")
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
    rows = hub.rows("SELECT device_id, ref, count(*) AS n FROM alarms WHERE source = 'device' GROUP BY device_id, ref")
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


def settle(hub: RunningHub, fleet: Fleet) -> None:
    """`reckon`; and whose matter was closed was told so, however often the hub died on the way."""
    reckon(hub, fleet)

    def unheard() -> set[tuple[str, str]]:
        closed = hub.rows(
            "SELECT a.device_id, a.ref FROM alarms a JOIN incidents i ON i.id = a.incident_id"
            " JOIN devices d ON d.id = a.device_id WHERE i.state IN ('resolved', 'closed') AND d.family = 'care'"
        )
        told = {(entry.device_id, entry.ref): entry.told for entry in read_ledger(fleet.ledger)}
        names = {(row["device_id"], row["ref"]) for row in closed}
        return {name for name in names if told[name] != "handled"}

    try:
        wait_until(lambda: not unheard(), OUTBOX_RETRY_S * 2, what="every closed matter to be told handled")
    except AssertionError as error:
        waiting = hub.rows(
            "SELECT channel, count(*) AS due, max(attempts) AS tries FROM outbox"
            " WHERE sent_at IS NULL AND failed_at IS NULL GROUP BY 1"
        )
        left = sorted(unheard())
        raise AssertionError(f"{error}: {len(left)} left, {left[:5]}; outbox: {waiting}") from None
    assert hub.stop() == 0, hub.log[-4000:]
    assert "deadlock" not in hub.log, "two transactions took their locks in different orders"
    assert "Traceback" not in hub.log, hub.log[hub.log.index("Traceback") - 500 :][:4000]
