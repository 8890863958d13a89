"""Taking a backup back: the schema as it was, every row, a new epoch; in one transaction, so all of it or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from hub.errors import ConflictError
from hub.ports.records import SYSTEM
from hub.store.archive import Archive, BackupError, Manifest, Table
from hub.store.audit import AuditDrawer
from hub.store.backup import DERIVED, columns_of, tables_of
from hub.store.faults import faults
from hub.store.lead import DatabaseLead, acquire_lead
from hub.store.migrate import migrate, offered_variant, rebuild, with_stems_of
from hub.store.partitions import make_partitions
from hub.store.session import Session, connect

__all__ = ["Restored", "restore", "running_hubs"]

Progress = Callable[[str], None]
Connection = psycopg.Connection[Any]

_HUB_CONNECTIONS = ("main", "listen", "alarm", "telemetry", "feed", "lead", "house")
"""What a running hub calls its connections; single commands call theirs otherwise."""

_USED = ("users", "residents", "devices", "alarms", "orders", "uplinks", "timeline", "audit")
"""Tables that have rows once somebody has worked with a database; others are filled by migrations and by a start."""

_OWNED = """
SELECT c.relname, c.relkind::text
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relkind IN ('v', 'm'), c.relname
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text
FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


_INSERT_TRIGGERS = """
SELECT c.relname, t.tgname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND c.relname <> ALL (%s)
  AND NOT t.tgisinternal AND t.tgenabled = 'O' AND t.tgtype & 4 <> 0
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `epoch` is new: a page that resumes from before is told to fetch everything."""

    rows: int
    skipped: tuple[str, ...]
    migrated: tuple[str, ...]
    epoch: str
    seq: int
    sessions_ended: int


def running_hubs(connection: Connection) -> int:
    """How many hub processes work on this database just now, as far as this role may see."""
    row = connection.execute(
        "SELECT count(DISTINCT (client_addr, split_part(application_name, ' ', 2))) AS n FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY (%s)",
        ([f"care-hub {name}" for name in _HUB_CONNECTIONS],),
    ).fetchone()
    return int(row["n"]) if row else 0


def restore(url: str, archive: Archive, now: datetime, *, force: bool, progress: Progress) -> Restored:
    """Puts the archive into the database behind `url`.

    Refused (ConflictError) while a hub works on it, forced or not; and where it holds rows, unless `force`: they are
    dropped then, in the same transaction that loads the others. BackupError: the archive is broken, or newer than this
    hub. Whatever fails leaves the database as it was.
    """
    manifest = archive.manifest
    known = with_stems_of(manifest.migrations)  # a newer schema is refused before anything is read
    progress(f"checking {archive.path.name}: {manifest.rows} rows of {manifest.made_at}")
    archive.verify()
    with faults(), connect(url, "restore") as connection:
        lead = _alone(url, connection)
        with lead:
            _expect_room(connection, force=force)
            variant = offered_variant(url)
            with _transaction(connection):
                # Committed only with the rows: whoever starts meanwhile waits, or finds the old database.
                _empty(connection)
                rebuild(connection, known, variant)
                for day in sorted({day for days in manifest.days.values() for day in days}):
                    make_partitions(connection, date.fromisoformat(day), 0)
                with _without_triggers(connection, hypertables=variant == "timescale"):
                    skipped = _load(connection, archive, manifest, progress)
                _renumber(connection, manifest)
                if variant == "timescale" or manifest.timescale:
                    _compute_again(connection, manifest)
                epoch, ended = _begin_anew(connection, manifest, now)
    migrated = tuple(migrate(url))
    for name in migrated:
        progress(f"migration {name} applied")
    with faults(), connect(url, "restore") as connection:
        connection.execute("ANALYZE")
    return Restored(
        rows=manifest.rows - sum(table.rows for table in manifest.tables if table.name in skipped),
        skipped=skipped,
        migrated=migrated,
        epoch=epoch,
        seq=manifest.seq,
        sessions_ended=ended,
    )


def _alone(url: str, connection: Connection) -> DatabaseLead:
    """The lead, held until the end: a hub that starts meanwhile takes no alarms."""
    if running_hubs(connection):
        raise ConflictError("a hub works on this database: stop every hub process first", code="hub-running")
    lead = acquire_lead(url)
    if lead is None:
        raise ConflictError("another hub holds the alarm lane of this database: stop it first", code="hub-running")
    return lead


def _expect_room(connection: Connection, *, force: bool) -> None:
    names = tables_of(connection)
    if names and "schema_migrations" not in names:
        raise ConflictError(
            f"the database holds tables that are no hub's ({', '.join(names[:3])} …): restore into one of its own",
            code="foreign-tables",
        )
    if force:
        return
    for name in _USED:
        if name in names:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {}) AS found").format(sql.Identifier(name))
            row = connection.execute(query).fetchone()
            if row and row["found"]:
                raise ConflictError(
                    f"the database is not empty ({name} has rows): restore into a fresh one, or say --force to"
                    " replace everything in it",
                    code="not-empty",
                )


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    with connection.transaction():
        # Rows are what they were: nothing is derived from them a second time.
        connection.execute("SET LOCAL care_hub.restoring = 'on'")
        connection.execute("SET LOCAL lock_timeout = '10s'")
        yield


def _empty(connection: Connection) -> None:
    for name, kind in connection.cursor(row_factory=tuple_row).execute(_OWNED).fetchall():
        what = {"v": "VIEW", "m": "MATERIALIZED VIEW"}.get(kind, "TABLE")
        connection.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(what), sql.Identifier(name)))
    for (name,) in connection.cursor(row_factory=tuple_row).execute(_FUNCTIONS).fetchall():
        connection.execute(f"DROP ROUTINE IF EXISTS {name} CASCADE".encode())


@contextmanager
def _without_triggers(connection: Connection, *, hypertables: bool) -> Iterator[None]:
    """What triggers made of the rows is in the backup too; made again it would be there twice.

    TimescaleDB cannot switch off the triggers of a hypertable: those ask for `care_hub.restoring` themselves.
    """
    kept = ["uplinks", "observations", "fixes"] if hypertables else []
    found = connection.cursor(row_factory=tuple_row).execute(_INSERT_TRIGGERS, (kept,)).fetchall()
    turn = sql.SQL("ALTER TABLE {} {} TRIGGER {}")
    for table, trigger in found:
        connection.execute(turn.format(sql.Identifier(table), sql.SQL("DISABLE"), sql.Identifier(trigger)))
    yield
    for table, trigger in found:
        connection.execute(turn.format(sql.Identifier(table), sql.SQL("ENABLE"), sql.Identifier(trigger)))


def _compute_again(connection: Connection, manifest: Manifest) -> None:
    """Rollups that did not come along are computed from the observations, day by day, by the job that keeps them."""
    row = connection.execute("SELECT to_regclass('observation_backlog') IS NOT NULL AS found").fetchone()
    if row and row["found"]:
        connection.execute(
            "INSERT INTO observation_backlog (day) SELECT unnest(%s::date[]) ON CONFLICT DO NOTHING",
            (list(manifest.days.get("observations", ())),),
        )


def _load(connection: Connection, archive: Archive, manifest: Manifest, progress: Progress) -> tuple[str, ...]:
    there = set(tables_of(connection))
    loaded = [table.name for table in manifest.tables if table.name in there]
    for name in reversed(loaded):
        # What migrations put there comes from the backup now.
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    skipped: list[str] = []
    for table in manifest.tables:
        if table.name not in there:
            if table.name not in DERIVED:
                raise BackupError(f"{archive.path}: this database's schema has no table {table.name}")
            skipped.append(table.name)
            progress(f"{table.name}: left out, this kind of database computes it itself")
            continue
        _load_table(connection, archive, table)
        progress(f"{table.name}: {table.rows} rows")
    return tuple(skipped)


def _load_table(connection: Connection, archive: Archive, table: Table) -> None:
    if unknown := sorted(set(table.columns) - set(columns_of(connection, table.name))):
        raise BackupError(f"{archive.path}: {table.name} has columns this schema does not know: {', '.join(unknown)}")
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in table.columns)
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), listed)
    with connection.cursor() as cursor:
        with cursor.copy(query) as copy:
            for piece in archive.pieces(table):
                copy.write(piece)
        if cursor.rowcount != table.rows:
            raise BackupError(f"{archive.path}: {table.name} took {cursor.rowcount} of {table.rows} rows")


def _renumber(connection: Connection, manifest: Manifest) -> None:
    """Numbers go on where they stood: none that a person was told is given to something else."""
    for one in manifest.sequences:
        connection.execute(
            "SELECT setval(s, %s, %s) FROM (SELECT to_regclass(%s) AS s) AS found WHERE s IS NOT NULL",
            (max(one.last, 1), one.last > 0, one.name),
        )


def _begin_anew(connection: Connection, manifest: Manifest, now: datetime) -> tuple[str, int]:
    """A new epoch for cursors, nobody signed in, a line in the audit; the epoch and how many sessions ended."""
    epoch = secrets.token_hex(4)
    changed = connection.execute("UPDATE timeline_counter SET epoch = %s", (epoch,)).rowcount
    if changed != 1:
        raise BackupError("the backup has no place of its timeline: timeline_counter is empty")
    # Whoever signed out or was shut out after the backup must not be in again.
    ended = connection.execute("DELETE FROM sessions WHERE kind <> 'token'").rowcount
    detail = {"made_at": manifest.made_at, "rows": manifest.rows, "seq": manifest.seq, "epoch": manifest.epoch}
    AuditDrawer(Session(connection)).add(SYSTEM, "database.restore", None, detail, now)
    return epoch, ended
