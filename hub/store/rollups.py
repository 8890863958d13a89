"""Observations by minute, hour and day, kept by a job where no continuous aggregate keeps them.

Exact, whatever happens: a batch leaves the queue in the transaction that adds its rows (migration 0006). Until then
readers find it in the observations themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, LiteralString

import psycopg

from hub.store.faults import faults
from hub.store.partitions import make_partitions
from hub.store.session import lone_connection
from hub.store.sql import SQL

__all__ = ["MATURE", "roll_up"]

_log = logging.getLogger(__name__)

_LOCK = 0x726F6C6C  # "roll"
MATURE = timedelta(minutes=30)
"""The rollups wait until the oldest batch is so old: an hour's row is then written twice or three times, not sixty."""
_LOT = 2_000
"""Batches in one transaction."""
_ROLLED: tuple[LiteralString, ...] = ("rolled_minutes", "rolled_hours", "rolled_days")
_DAY = timedelta(days=1)

Connection = psycopg.Connection[Any]


def roll_up(
    url: str,
    now: datetime,
    *,
    minutes_kept: timedelta,
    mature: timedelta = MATURE,
    stopping: Callable[[], bool] = lambda: False,
) -> Mapping[str, int]:
    """Adds to the rollups whatever waits, once the oldest of it is `mature`; gives how many batches, days, records.

    Empty where another hub is at it. Minutes older than `minutes_kept` are left out: they would be dropped next.
    `stopping` ends it between two transactions. On TimescaleDB only what is older than its policies look back.
    """
    done: dict[str, int] = {}
    with (
        faults(),
        lone_connection(url, "care-hub rollups") as connection,
    ):
        locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if not locked or not locked[0]:
            return done
        done.update(days=0, batches=0, records=0)
        if _settle(connection) == "plain":
            _backlog(connection, now - minutes_kept, done, stopping)
            _queue(connection, now - minutes_kept, now - mature, done, stopping)
        else:
            _refresh(connection, done)
        # Said, not left to the connection's end, which the server may see only after the next one has asked.
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return done


def _settle(connection: Connection) -> str:
    """Where this database's rollups are; all days are to be done again where its rows came from another one."""
    found = connection.execute(
        "SELECT CASE WHEN to_regclass('observation_batches') IS NOT NULL THEN 'plain'"
        " ELSE 'timescale ' || 'rolled_hours'::regclass::oid END"
    ).fetchone()
    assert found is not None
    here = str(found[0])
    kept = connection.execute(SQL["rollup_home"].encode()).fetchone()
    if kept is None or kept[0] != here:
        _log.info("the rollups are made anew: these observations come from another database")
        with connection.transaction():
            if here == "plain":
                # Batches that came along have no rollups here. The queue is locked first: writers wait for the end.
                connection.execute("TRUNCATE observation_batches, rolled_minutes, rolled_hours, rolled_days")
                connection.execute("UPDATE observations SET batch = NULL WHERE batch IS NOT NULL")
            connection.execute(SQL["rollup_backlog_all"].encode())
            connection.execute(SQL["rollup_move_home"].encode(), {"home": here})
    return here


def _queue(
    connection: Connection, minutes_from: datetime, before: datetime, done: dict[str, int], stopping: Callable[[], bool]
) -> None:
    oldest = connection.execute(SQL["rollup_oldest"].encode()).fetchone()
    if oldest is None or oldest[0] > before:
        return
    while not stopping():
        with connection.transaction():
            taken = [row[0] for row in connection.execute(SQL["rollup_take"].encode(), {"limit": _LOT})]
            if not taken:
                return
            added = connection.execute(
                SQL["rollup_add_batches"].encode(),
                {"batches": taken, "first": min(taken), "last": max(taken), "minutes_from": minutes_from},
            ).fetchone()
        done["batches"] += len(taken)
        done["records"] += int(added[0]) if added else 0


def _backlog(
    connection: Connection, minutes_from: datetime, done: dict[str, int], stopping: Callable[[], bool]
) -> None:
    """Days from before there were rollups, the newest first: those are looked at most."""
    days: list[date] = [row[0] for row in connection.execute(SQL["rollup_backlog"].encode())]
    for day in days:
        if stopping():
            return
        # A record may have been observed a day before the one in which it was received, and minutes after it; the few
        # that are older still find the default partition.
        wanted = _ROLLED if _midnight(day) >= minutes_from - _DAY else _ROLLED[1:]
        make_partitions(connection, day - _DAY, 2, wanted)
        with connection.transaction():
            connection.execute(SQL["rollup_backlog_take"].encode(), {"day": day})
            added = connection.execute(
                SQL["rollup_add_day"].encode(),
                {"start": _midnight(day), "end": _midnight(day + _DAY), "minutes_from": minutes_from},
            ).fetchone()
        done["days"] += 1
        done["records"] += int(added[0]) if added else 0
        _log.info("observations received on %s are rolled up; %d days to go", day, len(days) - done["days"])


def _refresh(connection: Connection, done: dict[str, int]) -> None:
    """What was there before the continuous aggregates; all later rows are theirs alone."""
    days: list[date] = [row[0] for row in connection.execute(SQL["rollup_backlog"].encode())]
    if not days:
        return
    for view in _ROLLED:
        connection.execute(
            "CALL refresh_continuous_aggregate(%s::regclass, %s::timestamptz, %s::timestamptz)",
            (view, _midnight(min(days) - _DAY), _midnight(max(days) + _DAY)),
        )
    for day in days:
        connection.execute(SQL["rollup_backlog_take"].encode(), {"day": day})
    done["days"] = len(days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
