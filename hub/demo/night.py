"""What the last night left behind: one alarm at fourteen minutes past two, answered, settled, over.

It takes the way of every alarm, through the codec and the use cases, with that night's clock; all of it is one
transaction, so that no due step of the past is ever seen by those who carry them out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final

from devices import Uplink
from hub.clock import Clock
from hub.ports import Actor, Database, EncodedRows, Incoming, Meanwhile, MeasuredRow, Transaction, UplinkRow
from hub.service import Services

__all__ = ["ServicesAt", "last_night", "played_last_night", "together"]

ServicesAt = Callable[[Database, Clock], Services]
"""The use cases on a database, by a clock."""

_AT: Final = time(2, 14, 3)


def last_night(now: datetime, zone: tzinfo) -> datetime:
    """The last time it was fourteen past two where the community lies."""
    local = now.astimezone(zone)
    at = datetime.combine(local.date(), _AT, tzinfo=zone)
    return at if at < local - timedelta(minutes=10) else at - timedelta(days=1)


@contextmanager
def together(database: Database, services_at: ServicesAt, clock: Clock) -> Iterator[tuple[Services, Transaction]]:
    """The use cases by another clock, everything they do in one transaction: whatever fell due in the past is settled
    before anybody sees it.
    """
    with database.begin() as tx:
        yield services_at(_Together(tx, database), clock), tx


def played_last_night(
    database: Database, services_at: ServicesAt, device: Mapping[str, Any], operator: Actor, at: datetime
) -> None:
    """The watch `device` (a row) presses at `at`; the operator calls, it was a mistake, it is closed."""
    moment = [at]
    with together(database, services_at, lambda: moment[0]) as (services, tx):
        press = {"ref": "night-1", "type": "sos", "observed_at": at.isoformat(), "battery_pct": 63}
        topic = f"care/v1/{device['id']}/up/alarm"
        uplink = Uplink(json.dumps(press).encode(), at, topic)
        services.ingest.alarms([Incoming(uplink, str(device["id"]), "care", "alarm")])
        [incident] = tx.incidents.lock_live([(f"resident:{device['resident_id']}", "emergency")]).values()
        moment[0] = at + timedelta(seconds=9)
        services.handling.acknowledge(incident.id, operator)
        called = moment[0]
        moment[0] = at + timedelta(seconds=70)
        services.calls.record(
            {
                "direction": "out",
                "number": "resident",
                "incident_id": incident.id,
                "resident_id": device["resident_id"],
                "party": f"resident:{device['resident_id']}",
                "started_at": called,
                "answered_at": called + timedelta(seconds=6),
                "ended_at": moment[0],
                "outcome": "answered",
                "note": "起夜时误按，人安好",
            },
            operator,
        )
        moment[0] = at + timedelta(seconds=95)
        services.handling.close(incident.id, operator, "false", "起夜时误按，电话核实平安")


@dataclass(frozen=True, slots=True)
class _Together:
    """A database whose every transaction is the one that is under way."""

    tx: Transaction
    database: Database

    def encoded(self, uplink: UplinkRow, measured: MeasuredRow) -> EncodedRows:
        return self.database.encoded(uplink, measured)

    @contextmanager
    def begin(self, lane: str = "main", meanwhile: Meanwhile | None = None) -> Iterator[Transaction]:  # noqa: ARG002
        yield self.tx
