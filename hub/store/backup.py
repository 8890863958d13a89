"""A whole database as one archive, beside a running hub: every table in one snapshot, read by COPY.

Why not `pg_dump`: the program must not be older than the server, its files do not go back into an older server, and on
TimescaleDB they want the very same version of the extension. Rows by COPY into a schema that the hub's own migrations
make fit any PostgreSQL from 15 on, with or without TimescaleDB, here or on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from hub.store.archive import FORMAT, ArchiveWriter, BackupError, Kept, Manifest, Table
from hub.store.archive import Sequence as Numbering
from hub.store.faults import faults
from hub.store.partitions import SERIES
from hub.store.session import connect

__all__ = ["DERIVED", "NOT_COPIED", "Source", "back_up", "columns_of", "load_order", "tables_of"]

Progress = Callable[[str], None]
Connection = psycopg.Connection[Any]

NOT_COPIED = frozenset({"schema_migrations"})
"""Made by the migrations themselves; the manifest holds its names."""

DERIVED = frozenset({"rolled_minutes", "rolled_hours", "rolled_days", "observation_batches"})
"""What is computed from the observations: plain PostgreSQL keeps it in tables, TimescaleDB in a way of its own."""

_TABLES = """
SELECT c.relname
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
_REFERENCES = """
SELECT DISTINCT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent
FROM pg_constraint c
WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND c.conrelid <> c.confrelid
"""
_COLUMNS = """
SELECT a.attname
FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""
_SEQUENCES = """
SELECT c.oid::regclass::text
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What the archive says of where it comes from, beside the rows."""

    made_at: datetime
    hub_version: str
    settings: tuple[str, ...] = ()
    files: tuple[tuple[Kept, bytes | None], ...] = ()


def tables_of(connection: Connection) -> list[str]:
    """The tables of the schema, without those of extensions and without partitions."""
    return [str(name) for (name,) in connection.cursor(row_factory=tuple_row).execute(_TABLES)]


def columns_of(connection: Connection, table: str) -> tuple[str, ...]:
    """The columns in their order; computed ones are left out."""
    rows = connection.cursor(row_factory=tuple_row).execute(_COLUMNS, (table,))
    return tuple(str(name) for (name,) in rows)


def load_order(connection: Connection, tables: Sequence[str]) -> list[str]:
    """The tables, each after those it refers to. BackupError where they refer to one another in a ring."""
    rows = connection.cursor(row_factory=tuple_row).execute(_REFERENCES)
    parents: dict[str, set[str]] = {table: set() for table in tables}
    for child, parent in rows:
        if child in parents and parent in parents:
            parents[child].add(parent)
    ordered: list[str] = []
    while parents:
        ready = sorted(table for table, needed in parents.items() if not needed)
        if not ready:
            raise BackupError(f"the tables {', '.join(sorted(parents))} refer to one another in a ring")
        ordered += ready
        parents = {table: needed - set(ready) for table, needed in parents.items() if table not in ready}
    return ordered


def back_up(url: str, archive: ArchiveWriter, source: Source, progress: Progress) -> tuple[Manifest, str]:
    """Writes the database behind `url` into `archive`; gives the manifest and the sha256 of the file.

    Nothing waits for it and it waits for nothing but a migration under way: one read-only transaction, one snapshot.
    BackupError: the database is no hub's. UnavailableError: it went away; the archive is not there then.
    """
    with faults(), connect(url, "backup") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        names = [name for name in tables_of(connection) if name not in NOT_COPIED]
        if "timeline_counter" not in names:
            raise BackupError("there is nothing to back up: the database has no hub's schema (hub migrate)")
        _hold(connection, names)
        cursor = connection.cursor(row_factory=tuple_row)
        migrations = tuple(str(name) for (name,) in cursor.execute("SELECT name FROM schema_migrations ORDER BY name"))
        place = cursor.execute("SELECT epoch, seq FROM timeline_counter").fetchone()
        assert place is not None
        ordered = load_order(connection, names)
        days = {name: _days(connection, name) for name in ordered if name in SERIES}
        tables = tuple(_copy(connection, archive, name, progress) for name in ordered)
        sequences = tuple(_numbering(connection, str(name)) for (name,) in cursor.execute(_SEQUENCES).fetchall())
        database = connection.execute("SELECT current_database() AS name").fetchone()
        connection.execute("ROLLBACK")
    manifest = Manifest(
        format=FORMAT,
        made_at=source.made_at.isoformat(),
        hub_version=source.hub_version,
        database=str(database["name"]) if database else "",
        migrations=migrations,
        epoch=str(place[0]),
        seq=int(place[1]),
        tables=tables,
        sequences=sequences,
        days=days,
        settings=source.settings,
        files=tuple(_keep(archive, kept, contents) for kept, contents in source.files),
    )
    progress("checking what was written")
    return manifest, archive.finish(manifest)


def _hold(connection: Connection, names: Sequence[str]) -> None:
    """Keeps the shape of the tables as it is until the end; readers and writers are not disturbed."""
    listed = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    connection.execute("SET LOCAL lock_timeout = '60s'")
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(listed))


def _days(connection: Connection, table: str) -> tuple[str, ...]:
    """The UTC days that a series has rows of: a restore makes their partitions first."""
    column = "received_at" if "received_at" in columns_of(connection, table) else "at"
    query = sql.SQL("SELECT DISTINCT ({} AT TIME ZONE 'UTC')::date AS day FROM {} ORDER BY day").format(
        sql.Identifier(column), sql.Identifier(table)
    )
    return tuple(str(day) for (day,) in connection.cursor(row_factory=tuple_row).execute(query))


def _numbering(connection: Connection, name: str) -> Numbering:
    # A sequence stands outside every snapshot: read after the rows, it is only further than they are.
    query = f"SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {name}"
    row = connection.cursor(row_factory=tuple_row).execute(query.encode()).fetchone()
    assert row is not None
    return Numbering(name, int(row[0]))


def _copy(connection: Connection, archive: ArchiveWriter, name: str, progress: Progress) -> Table:
    columns = columns_of(connection, name)
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(listed, sql.Identifier(name))
    with archive.member(f"tables/{name}.copy") as write, connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for piece in copy:
                write(bytes(piece))
        rows = cursor.rowcount
    progress(f"{name}: {rows} rows")
    return Table(name, columns, rows, archive.last_digest)


def _keep(archive: ArchiveWriter, kept: Kept, contents: bytes | None) -> Kept:
    if contents is not None and kept.member is not None:
        with archive.member(kept.member) as write:
            write(contents)
    return kept
