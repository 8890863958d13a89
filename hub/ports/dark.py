"""What crosses the floors while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.model import Reply
from hub.ports.records import Incoming, Json

__all__ = ["Announce", "DarkState", "Foresee", "Foreseen"]


@dataclass(frozen=True, slots=True)
class DarkState:
    """The database is away since `since`, or what was kept meanwhile is being taken over (`replaying`).

    `alarms` and `uplinks` are in the journal and not yet in the database. `error`: why the journal takes nothing now;
    then nobody is told anything, and devices repeat.
    """

    since: datetime
    alarms: int
    uplinks: int
    replaying: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One uplink as far as it can be known without the database.

    `replies` may leave once it is durable. `keys` are the ledger's, one an event (None: a repeat cannot be told).
    `alarms`: a body for `incident.provisional` each.
    """

    replies: tuple[Reply, ...] = ()
    keys: tuple[bytes | None, ...] = ()
    alarms: tuple[Json, ...] = ()


Foresee = Callable[[Incoming], Foreseen]
"""Pure, by what is remembered. Raises nothing."""

Announce = Callable[[DarkState | None, Sequence[Json]], None]
"""Tells open consoles how it is (None: the database is back and has everything) and which alarms are new.

Called from any thread; must return quickly and not raise.
"""
