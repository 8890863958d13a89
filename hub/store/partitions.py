"""Days of the three series: partitions made ahead and dropped on plain PostgreSQL, chunks dropped on TimescaleDB."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from hub.store.faults import faults

__all__ = ["SERIES", "drop_days", "make_day", "make_partitions", "partitions"]

SERIES: tuple[LiteralString, ...] = ("uplinks", "observations", "fixes")

Connection = psycopg.Connection[Any]


def _name(table: str, day: date) -> str:
    return f"{table}_p{day:%Y%m%d}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _is_partitioned(connection: Connection, table: str) -> bool:
    found = connection.execute(
        "SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(%s)", (table,)
    ).fetchone()
    return found is not None


def partitions(connection: Connection, table: str) -> list[tuple[str, date]]:
    """The day partitions of a series, oldest first: (name, day in UTC)."""
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s)",
        (table,),
    )
    found: list[tuple[str, date]] = []
    for (name,) in cursor:
        stamp = str(name).removeprefix(f"{table}_p")
        if stamp.isdigit() and len(stamp) == 8:
            found.append((str(name), datetime.strptime(stamp, "%Y%m%d").replace(tzinfo=UTC).date()))
    return sorted(found, key=lambda one: one[1])


def make_partitions(connection: Connection, today: date, days_ahead: int) -> list[str]:
    """Makes the partitions of today and the days ahead that are missing; gives their names.

    Rows of such a day that fell into the default partition meanwhile are moved. Days are UTC. Nothing to do on
    TimescaleDB. The connection must be in autocommit mode; each partition is a transaction of its own, which waits at
    most two seconds for the writers of the default partition.
    """
    made: list[str] = []
    with faults():
        for table in SERIES:
            if not _is_partitioned(connection, table):
                continue
            there = {day for _, day in partitions(connection, table)}
            for ahead in range(days_ahead + 1):
                day = today + timedelta(days=ahead)
                if day not in there:
                    _make(connection, table, day)
                    made.append(_name(table, day))
    return made


def make_day(connection: Connection, day: date) -> None:
    """Makes the partitions of one day (UTC) where there are none yet, inside the caller's transaction."""
    for table in SERIES:
        if _is_partitioned(connection, table) and day not in {found for _, found in partitions(connection, table)}:
            _make(connection, table, day)


def _make(connection: Connection, table: str, day: date) -> None:
    names = {
        "table": sql.Identifier(table),
        "default": sql.Identifier(f"{table}_default"),
        "part": sql.Identifier(_name(table, day)),
        "from": sql.Literal(_midnight(day)),
        "to": sql.Literal(_midnight(day + timedelta(days=1))),
    }
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '2s'")
        connection.execute(
            sql.SQL("CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(**names)
        )
        # Nobody may put a row of this day into the default partition between the move and the attachment.
        connection.execute(sql.SQL("LOCK TABLE {default} IN SHARE ROW EXCLUSIVE MODE").format(**names))
        connection.execute(
            sql.SQL(
                "WITH moved AS (DELETE FROM {default} WHERE received_at >= {from} AND received_at < {to} RETURNING *)"
                " INSERT INTO {part} SELECT * FROM moved"
            ).format(**names)
        )
        connection.execute(
            sql.SQL("ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({from}) TO ({to})").format(**names)
        )


def drop_days(connection: Connection, table: LiteralString, before: date) -> list[str]:
    """Forgets the days of a series before `before`; gives the names of what was dropped.

    Old rows of the default partition go too. The connection must be in autocommit mode.
    """
    if table not in SERIES:
        raise ValueError(f"{table} is no series")
    with faults():
        if not _is_partitioned(connection, table):
            cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
            cursor.execute(
                "SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)", (table, _midnight(before))
            )
            return [str(name) for (name,) in cursor]
        dropped: list[str] = []
        for name, day in partitions(connection, table):
            if day < before:
                with connection.transaction():
                    connection.execute("SET LOCAL lock_timeout = '2s'")
                    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
                dropped.append(name)
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE received_at < %s").format(sql.Identifier(f"{table}_default")),
            (_midnight(before),),
        )
    return dropped
