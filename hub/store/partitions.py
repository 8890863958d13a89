"""Parts of the series: partitions made ahead and dropped on plain PostgreSQL, chunks dropped on TimescaleDB."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, LiteralString

import psycopg
from psycopg import sql

from hub.store.faults import faults

__all__ = ["SERIES", "Split", "days_of", "drop_days", "make_day", "make_partitions", "partitions"]

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Split:
    """How a series is divided: by which time, and how much of it goes into one partition."""

    column: LiteralString
    step: Literal["day", "month", "year"]
    options: LiteralString = ""
    """Storage parameters of a partition."""


_SEEN = "WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05)"
"""Rollups are read from their index alone, which needs pages that a vacuum has seen."""
SERIES: Mapping[LiteralString, Split] = {
    "uplinks": Split("received_at", "day"),
    "observations": Split("received_at", "day"),
    "fixes": Split("received_at", "day"),
    "rolled_minutes": Split("at", "day", _SEEN),
    "rolled_hours": Split("at", "month", _SEEN),
    "rolled_days": Split("at", "year", _SEEN),
}
_STAMPS = {"day": "%Y%m%d", "month": "%Y%m", "year": "%Y"}
_LENGTHS = {"day": 8, "month": 6, "year": 4}


def _begin(split: Split, day: date) -> date:
    """The first day of the partition that holds `day`."""
    return day if split.step == "day" else day.replace(day=1) if split.step == "month" else day.replace(month=1, day=1)


def _end(split: Split, begin: date) -> date:
    """The first day of the next partition."""
    return _begin(split, begin + timedelta(days={"day": 1, "month": 31, "year": 366}[split.step]))


def _name(table: str, begin: date) -> str:
    return f"{table}_p{begin.strftime(_STAMPS[SERIES[table].step])}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _is_partitioned(connection: Connection, table: str) -> bool:
    found = connection.execute(
        "SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(%s)", (table,)
    ).fetchone()
    return found is not None


def partitions(connection: Connection, table: str) -> list[tuple[str, date]]:
    """The partitions of a series but the default one, oldest first: (name, first day in UTC)."""
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s)",
        (table,),
    )
    step = SERIES[table].step
    found: list[tuple[str, date]] = []
    for (name,) in cursor:
        stamp = str(name).removeprefix(f"{table}_p")
        if stamp.isdigit() and len(stamp) == _LENGTHS[step]:
            found.append((str(name), datetime.strptime(stamp, _STAMPS[step]).replace(tzinfo=UTC).date()))
    return sorted(found, key=lambda one: one[1])


def make_partitions(
    connection: Connection, today: date, days_ahead: int, tables: Collection[LiteralString] = tuple(SERIES)
) -> list[str]:
    """Makes the partitions of today and the days ahead that are missing; gives their names.

    Rows of such a time that fell into the default partition meanwhile are moved. Days are UTC. Nothing to do on
    TimescaleDB. The connection must be in autocommit mode; each partition is a transaction of its own, which waits at
    most two seconds for the writers of the default partition.
    """
    made: list[str] = []
    with faults():
        for table in tables:
            if not _is_partitioned(connection, table):
                continue
            split = SERIES[table]
            there = {begin for _, begin in partitions(connection, table)}
            wanted = {_begin(split, today + timedelta(days=ahead)) for ahead in range(days_ahead + 1)}
            for begin in sorted(wanted - there):
                _make(connection, table, begin)
                made.append(_name(table, begin))
    return made


def make_day(connection: Connection, day: date) -> None:
    """Makes the partitions that hold one day (UTC) where there are none yet, inside the caller's transaction."""
    for table, split in SERIES.items():
        begin = _begin(split, day)
        if _is_partitioned(connection, table) and begin not in {found for _, found in partitions(connection, table)}:
            _make(connection, table, begin)


def _make(connection: Connection, table: LiteralString, begin: date) -> None:
    split = SERIES[table]
    names = {
        "table": sql.Identifier(table),
        "default": sql.Identifier(f"{table}_default"),
        "part": sql.Identifier(_name(table, begin)),
        "column": sql.Identifier(split.column),
        "options": sql.SQL(split.options),
        "from": sql.Literal(_midnight(begin)),
        "to": sql.Literal(_midnight(_end(split, begin))),
    }
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '2s'")
        connection.execute(
            sql.SQL("CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) {options}").format(
                **names
            )
        )
        # Nobody may put a row of this time into the default partition between the move and the attachment.
        connection.execute(sql.SQL("LOCK TABLE {default} IN SHARE ROW EXCLUSIVE MODE").format(**names))
        connection.execute(
            sql.SQL(
                "WITH moved AS (DELETE FROM {default} WHERE {column} >= {from} AND {column} < {to} RETURNING *)"
                " INSERT INTO {part} SELECT * FROM moved"
            ).format(**names)
        )
        connection.execute(
            sql.SQL("ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({from}) TO ({to})").format(**names)
        )


def days_of(connection: Connection, table: LiteralString, before: date) -> list[date]:
    """The first days (UTC) of the partitions or chunks of a series that begin before `before`, oldest first.

    Rows of the default partition count as of the day before `before`.
    """
    with faults():
        if _is_partitioned(connection, table):
            days = [begin for _, begin in partitions(connection, table) if begin < before]
            old = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} < %s)").format(
                sql.Identifier(f"{table}_default"), sql.Identifier(SERIES[table].column)
            )
            row = connection.execute(old, (_midnight(before),)).fetchone()
            if row and row[0] and before - timedelta(days=1) not in days:
                days.append(before - timedelta(days=1))
            return days
        found = connection.execute(
            "SELECT DISTINCT (range_start AT TIME ZONE 'UTC')::date FROM timescaledb_information.chunks"
            " WHERE hypertable_name = %s AND range_start < %s ORDER BY 1",
            (table, _midnight(before)),
        )
        return [day for (day,) in found]


def drop_days(connection: Connection, table: LiteralString, before: date) -> list[str]:
    """Forgets what of a series lies before `before`, by whole partitions; gives the names of what was dropped.

    Old rows of the default partition go too. The connection must be in autocommit mode.
    """
    split = SERIES.get(table)
    if split is None:
        raise ValueError(f"{table} is no series")
    with faults():
        if not _is_partitioned(connection, table):
            cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
            cursor.execute(
                "SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)", (table, _midnight(before))
            )
            return [str(name) for (name,) in cursor]
        dropped: list[str] = []
        for name, begin in partitions(connection, table):
            if _end(split, begin) <= before:
                with connection.transaction():
                    connection.execute("SET LOCAL lock_timeout = '2s'")
                    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
                dropped.append(name)
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} < %s").format(
                sql.Identifier(f"{table}_default"), sql.Identifier(split.column)
            ),
            (_midnight(before),),
        )
    return dropped
