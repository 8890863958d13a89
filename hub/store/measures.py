"""Numbers about the database for those who watch the hub: counted at most so often, however many ask."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.clock import Clock, monotonic
from hub.errors import HubError
from hub.store.lead import LEAD_LOCK
from hub.store.migrate import migrations
from hub.store.postgres import PostgresDatabase
from hub.store.session import Session

__all__ = ["Measured", "Measures"]

FRESH_S = 5.0
"""What waits is counted at most every five seconds."""
SLOW_S = 60.0
"""What costs a walk through a register, at most every minute."""
_PATIENCE_S = 1.0
"""A look that failed is believed for so long: probes must not queue before a database that is away."""

Pair = tuple[int, float]
"""How many, and the age of the oldest in seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One look. `error`: why the latest look failed; the other numbers are those of the last one that did not."""

    at: datetime | None = None
    error: str | None = None
    away_since: datetime | None = None
    outbox: Mapping[str, Pair] = field(default_factory=dict)
    due: Mapping[str, tuple[int, int, float]] = field(default_factory=dict)
    quarantine: Mapping[str, Pair] = field(default_factory=dict)
    incidents: Mapping[tuple[str, str], Pair] = field(default_factory=dict)
    seq: int = 0
    lead_held: bool = False
    missing: tuple[str, ...] = ()
    """Migrations of this code that the database has not."""
    unknown: tuple[str, ...] = ()
    """Migrations of the database that this code does not know: a newer hub made them."""
    devices: Mapping[str, int] = field(default_factory=dict)
    database_bytes: int = 0
    ledger_keys: int = 0


class Measures:
    """Looks at the database when somebody asks and the last look is old; safe for any thread."""

    def __init__(self, database: PostgresDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._guard = threading.Lock()
        self._found = Measured()
        self._fast_at = self._slow_at = float("-inf")
        self._stems = {one.stem for one in migrations()}

    def look(self, max_age_s: float = FRESH_S) -> Measured:
        """The numbers, at most `max_age_s` old. Never raises for a database that is away: `error` says so."""
        with self._guard:
            now = monotonic()
            allowed = min(max_age_s, _PATIENCE_S) if self._found.error else max_age_s
            if now - self._fast_at < allowed:
                return self._found
            try:
                self._found = self._take(slow=now - self._slow_at >= SLOW_S)
                if now - self._slow_at >= SLOW_S:
                    self._slow_at = now
            except HubError as error:
                since = self._found.away_since or self._clock()
                self._found = replace(self._found, error=error.detail, away_since=since)
            self._fast_at = monotonic()
            return self._found

    def _take(self, *, slow: bool) -> Measured:
        now = self._clock()
        with self._database.reading("aside") as connection:
            session = Session(connection)
            applied = {_stem(row["name"]) for row in session.all("measure_schema")}
            measured = replace(
                self._found,
                at=now,
                error=None,
                away_since=None,
                outbox=_pairs(session, "measure_outbox", "channel", now),
                due={
                    row["subject_kind"]: (row["n"], row["overdue"], row["overdue_s"])
                    for row in session.all("measure_due", now=now)
                },
                quarantine=_pairs(session, "measure_quarantine", "why", now),
                incidents={
                    (row["state"], row["priority"]): (row["n"], row["oldest_s"])
                    for row in session.all("measure_incidents", now=now)
                },
                seq=session.value("measure_timeline"),
                lead_held=session.value("measure_lead", key=LEAD_LOCK),
                missing=_sorted(self._stems - applied),
                unknown=_sorted(applied - self._stems),
            )
            if not slow:
                return measured
            sizes = session.one("measure_sizes") or {}
            return replace(
                measured,
                devices=session.one("measure_devices") or {},
                database_bytes=sizes["database_bytes"],
                ledger_keys=sizes["ledger_keys"],
            )


def _stem(name: str) -> str:
    return name.removesuffix(".plain").removesuffix(".timescale")


def _sorted(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _pairs(session: Session, block: str, column: str, now: datetime) -> dict[str, Pair]:
    return {row[column]: (row["n"], max(0.0, row["oldest_s"] or 0.0)) for row in session.all(block, now=now)}
