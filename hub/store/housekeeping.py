"""What must be done now and then: partitions ahead, old rows away. Any number of hubs may call it, one works."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, LiteralString

import psycopg

from hub.errors import UnavailableError
from hub.store.faults import faults
from hub.store.packing import drop_packed, pack_keys
from hub.store.partitions import days_of, drop_days, make_partitions
from hub.store.postgres import PostgresDatabase
from hub.store.session import lone_connection
from hub.store.sql import SQL

__all__ = ["DEFAULT_RETENTION", "Retention", "keep_house"]

_log = logging.getLogger(__name__)

_LOCK = 0x686F757365  # "house"
_DAYS_AHEAD = 7
_DAYS_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept. Alarms, incidents, the timeline and the audit are never dropped here.

    `minutes`, `hours` and `days` are the rollups of observations: they outlive the records they were made of.
    `keys` must outlast the longest time a device stores a record before it sends it: a key forgotten earlier would let
    an old telemetry record in twice (an alarm has its second fence). Those that are packed stay up to a week longer.
    """

    observations: timedelta = timedelta(days=400)
    minutes: timedelta = timedelta(days=60)
    hours: timedelta = timedelta(days=1100)
    days: timedelta = timedelta(days=3700)
    fixes: timedelta = timedelta(days=90)
    uplinks: timedelta = timedelta(days=90)
    telemetry_log: timedelta = timedelta(days=14)
    """Of the log of uplinks, telemetry that was taken; at most as long as `uplinks`."""
    keys: timedelta = timedelta(days=45)
    sign_ins: timedelta = timedelta(days=30)
    idempotency: timedelta = timedelta(days=2)
    messages: timedelta = timedelta(days=90)
    quarantine: timedelta = timedelta(days=90)
    """Uplinks kept aside, after they were settled; 310 days longer where nobody has looked at them."""
    watched: timedelta = timedelta(days=2)
    photos: timedelta = timedelta(days=180)
    """From visits: a picture of a home is kept as long as somebody may ask what was done, and no longer."""


DEFAULT_RETENTION = Retention()


def _shorten_log(connection: psycopg.Connection[Any], before: date) -> int:
    """Drops the days of the log of uplinks before `before`, oldest first; what is kept of them longer is moved before.

    A day is one transaction. At most a few a time: the copy reads a whole day.
    """
    dropped = 0
    for day in days_of(connection, "uplinks", before)[:_DAYS_A_TIME]:
        end = min(day + timedelta(days=1), before)
        with connection.transaction():
            midnight = datetime.combine(end, time(), UTC)
            connection.execute(SQL["house_uplinks_keep"].encode(), {"before": midnight})
            dropped += len(drop_days(connection, "uplinks", end))
    return dropped


def keep_house(
    database: PostgresDatabase, now: datetime, retention: Retention = DEFAULT_RETENTION
) -> Mapping[str, int]:
    """Makes partitions a week ahead and drops what is too old; gives what was done, in numbers.

    Empty where another hub is at it. A table somebody works on is left for the next time.
    """
    done: dict[str, int] = {}
    with (
        faults(),
        lone_connection(database.url, "care-hub house") as connection,
    ):
        locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if not locked or not locked[0]:
            return done
        today = now.astimezone(UTC).date()
        try:
            done["partitions made"] = len(make_partitions(connection, today, _DAYS_AHEAD))
            series: Mapping[LiteralString, timedelta] = {
                "observations": retention.observations,
                "rolled_minutes": retention.minutes,
                "rolled_hours": retention.hours,
                "rolled_days": retention.days,
                "fixes": retention.fixes,
            }
            for table, kept in series.items():
                before = (now - kept).astimezone(UTC).date()
                # Said first: a reader must not look for what is being dropped.
                since = datetime.combine(before, time(), UTC)
                connection.execute(SQL["series_keep"].encode(), {"series": table, "since": since})
                done[f"{table} dropped"] = len(drop_days(connection, table, before))
            log_kept = (now - retention.telemetry_log).astimezone(UTC).date()
            done["uplinks dropped"] = _shorten_log(connection, log_kept)
        except UnavailableError as error:
            if error.code != "busy":
                raise
            _log.info("partitions wait for the next time: %s", error.detail)
        for block, limit in {
            "house_keys": now - retention.keys,
            "house_uplinks_kept": now - retention.uplinks,
            "house_sign_ins": now - retention.sign_ins,
            "house_idempotency": now - retention.idempotency,
            "house_messages": now - retention.messages,
            "house_sessions": now,
            "house_quarantine": now - retention.quarantine,
            "house_intake_seen": now,
            "house_raw_watches": now,
            "house_watched_uplinks": now - retention.watched,
            "house_photos": now - retention.photos,
        }.items():
            done[block.removeprefix("house_")] = connection.execute(SQL[block].encode(), {"before": limit}).rowcount
        done["blocks of keys dropped"] = drop_packed(connection, now - retention.keys)
        done["keys packed"] = pack_keys(connection, now)
        # Said, not left to the connection's end, which the server may see only after the next one has asked.
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return done
