"""Housekeeping: partitions made ahead and dropped by age, what has expired forgotten. Run at the start and by a job."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql

from hub.store.faults import faults
from hub.store.postgres import PostgresDatabase

__all__ = ["SERIES", "keep_house", "make_partitions"]

_log = logging.getLogger(__name__)

SERIES: Final = ("uplinks", "observations", "fixes")
DAYS_AHEAD: Final = 7

# How long is long enough: a device that repeats an alarm after a month has a fault of its own, and the alarm's own key
# still refuses it; a phone that was offline for a day may still repeat its taps.
_LEDGER_FOR: Final = timedelta(days=31)
_EXPIRED: Final = (
    ("DELETE FROM uplink_seen WHERE received_at < %s", _LEDGER_FOR),
    ("DELETE FROM sessions WHERE expires_at < %s", timedelta(days=1)),
    ("DELETE FROM idempotency WHERE at < %s", timedelta(days=2)),
    ("DELETE FROM sign_in_attempts WHERE at < %s", timedelta(days=30)),
    ("DELETE FROM outbox WHERE created_at < %s AND (sent_at IS NOT NULL OR failed_at IS NOT NULL)", timedelta(days=31)),
)


def make_partitions(connection: psycopg.Connection[Any], today: date, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Makes the day partitions of the series from today on, where the series are plain tables; gives the new ones.

    A day whose rows already lie in the default partition keeps them there: nothing is moved under a running hub.
    """
    made: list[str] = []
    for table in SERIES:
        if not _is_partitioned(connection, table):
            continue  # a hypertable makes its own chunks
        for ahead in range(days_ahead + 1):
            day = today + timedelta(days=ahead)
            name = f"{table}_{day:%Y%m%d}"
            if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != _row(None):
                continue
            try:
                connection.execute(
                    sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                        sql.Identifier(name),
                        sql.Identifier(table),
                        sql.Literal(f"{day}T00:00:00+00:00"),
                        sql.Literal(f"{day + timedelta(days=1)}T00:00:00+00:00"),
                    )
                )
                made.append(name)
            except psycopg.errors.CheckViolation:
                _log.info("%s: the day's rows stay in the default partition", name)
            except psycopg.errors.DuplicateTable:
                continue  # another hub was faster
    return made


def _row(value: object) -> tuple[object, ...]:
    return (value,)


def _is_partitioned(connection: psycopg.Connection[Any], table: str) -> bool:
    found = connection.execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", [table]).fetchone()
    return found == _row("p")


def keep_house(database: PostgresDatabase, now: datetime) -> None:
    """Forgets what has expired and makes partitions ahead. UnavailableError where the database is away."""
    with faults(), psycopg.connect(database.url, autocommit=True, options="-c TimeZone=UTC") as connection:
        make_partitions(connection, now.date())
        for statement, age in _EXPIRED:
            connection.execute(statement, [now - age])
