"""Brings a database to the schema of this code: numbered SQL files, forward only, each applied once.

A file is applied in a transaction of its own, under an advisory lock: hubs that start together are safe. The checksum
of an applied file is kept and compared, so a file changed afterwards stops the start instead of leaving two schemas
under one name. A migration may have two variants, `NNNN_name.plain.sql` and `NNNN_name.timescale.sql`; a database
keeps the variant it began with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import psycopg

from hub.errors import HubError, UnavailableError
from hub.store.faults import first_line
from hub.store.session import lone_connection

__all__ = [
    "Migration",
    "MigrationError",
    "Variant",
    "migrate",
    "migrations",
    "offered_variant",
    "pending",
    "rebuild",
    "schema_variant",
    "timescale_edition",
    "with_stems_of",
]

Variant = Literal["plain", "timescale"]
Connection = psycopg.Connection[tuple[object, ...]]

_LOCK = 0x63617265  # "care": the key of the advisory lock
_FILE = re.compile(r"(?P<stem>\d{4}_[a-z0-9_]+)(?:\.(?P<variant>plain|timescale))?\.sql")
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name        text PRIMARY KEY,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(HubError):
    """The schema cannot be brought up to date; the message names the file. The start stops."""

    code = "migration"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `stem` is its number and name; `name` carries the variant, where there is one."""

    stem: str
    variant: Variant | None
    text: str

    @property
    def name(self) -> str:
        return f"{self.stem}.{self.variant}" if self.variant else self.stem

    @property
    def checksum(self) -> str:
        """sha256 of the text, whatever line ends the checkout has."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


def migrations(texts: Mapping[str, str] | None = None) -> list[Migration]:
    """The files of this code in their order; `texts` (file name -> text) stands in for them in tests.

    Raises MigrationError for a name that does not fit, a number used twice, or a variant without its counterpart.
    """
    found: list[Migration] = []
    for name, text in sorted((_packaged() if texts is None else texts).items()):
        match = _FILE.fullmatch(name)
        if match is None:
            raise MigrationError(f"migration {name}: a name looks like 0007_what_it_does.sql")
        variant: Variant | None = {"plain": "plain", "timescale": "timescale"}.get(match["variant"] or "")  # type: ignore[assignment]
        found.append(Migration(match["stem"], variant, text))
    numbers: dict[str, str] = {}
    for one in found:
        if numbers.setdefault(one.stem[:4], one.stem) != one.stem:
            raise MigrationError(f"migration {one.name}: number {one.stem[:4]} is used by {numbers[one.stem[:4]]} too")
    for stem in {one.stem for one in found if one.variant}:
        if {one.variant for one in found if one.stem == stem} != {"plain", "timescale"}:
            raise MigrationError(f"migration {stem}: needs both a .plain.sql and a .timescale.sql, and no third")
    return found


def _packaged() -> dict[str, str]:
    folder = resources.files("hub.store.migrations")
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}


def timescale_edition(connection: Connection) -> str | None:
    """`timescale` or `apache` where the TimescaleDB extension can be used in this database, else None.

    The licence is a setting of the extension's own library, which is loaded only once the extension exists: where it is
    available but not there yet it is made, read and rolled back. The connection must be in no transaction, and must not
    make the extension itself afterwards: a session that has loaded the library once refuses to.
    """
    row = connection.execute(
        "SELECT installed_version IS NOT NULL FROM pg_available_extensions WHERE name = 'timescaledb'"
    ).fetchone()
    if row is None:
        return None
    connection.execute("BEGIN")
    try:
        if not row[0]:
            connection.execute("CREATE EXTENSION timescaledb")
        licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    except psycopg.Error:
        # On the disk, but not preloaded, or this role may not make it: the plain path works just as well.
        return None
    finally:
        connection.execute("ROLLBACK")
    return str(licence[0]) if licence and licence[0] else None


def migrate(url: str, *, files: Iterable[Migration] | None = None) -> list[str]:
    """Applies what is missing and gives the names applied, in order (none: up to date).

    Raises MigrationError where an applied file was changed, the database is newer than this code, or a file fails (that
    file's transaction is rolled back, those before it stay); UnavailableError where the database cannot be reached.
    """
    known = list(migrations() if files is None else files)
    offered = offered_variant(url)
    with _locked(url) as connection:
        connection.execute(_LEDGER)
        done: list[str] = []
        for one in _missing(connection, known, schema_variant(connection) or offered):
            _apply(connection, one)
            done.append(one.name)
        return done


def pending(url: str, *, files: Iterable[Migration] | None = None) -> list[str]:
    """The names `migrate` would apply. Changes nothing; raises as `migrate` does."""
    known = list(migrations() if files is None else files)
    offered = offered_variant(url)
    with _locked(url) as connection:
        return [one.name for one in _missing(connection, known, schema_variant(connection) or offered)]


def with_stems_of(names: Iterable[str]) -> list[Migration]:
    """The files of this code, in both variants, behind the migrations that a backup names.

    MigrationError where one is unknown: a newer hub made that backup.
    """
    wanted = {name.removesuffix(".plain").removesuffix(".timescale") for name in names}
    known = migrations()
    if unknown := sorted(wanted - {one.stem for one in known}):
        raise MigrationError(f"the backup has migration {unknown[0]}, which this hub does not know: upgrade the hub")
    return [one for one in known if one.stem in wanted]


def offered_variant(url: str) -> Variant:
    """The variant that a fresh schema in this database would have. In a session of its own: see `timescale_edition`."""
    with _connected(url) as connection:
        return "timescale" if timescale_edition(connection) == "timescale" else "plain"


def rebuild(connection: psycopg.Connection[Any], files: Iterable[Migration], variant: Variant) -> None:
    """Makes the schema of these files in an empty database, inside the caller's transaction; waits for its turn."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    connection.execute(_LEDGER)
    for one in files:
        if one.variant in (None, variant):
            _apply(connection, one)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    try:
        connection = lone_connection(url, "care-hub migrate")
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database cannot be reached: {first_line(error)}") from error
    with connection:
        yield connection


@contextmanager
def _locked(url: str) -> Iterator[Connection]:
    with _connected(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        yield connection


def _applied(connection: Connection) -> dict[str, str]:
    row = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    return {
        str(name): str(checksum)
        for name, checksum in connection.execute("SELECT name, checksum FROM schema_migrations ORDER BY name")
    }


def schema_variant(connection: Connection) -> Variant | None:
    """The variant the database began with; None where it has none yet."""
    for name in _applied(connection):
        if name.endswith(".plain"):
            return "plain"
        if name.endswith(".timescale"):
            return "timescale"
    return None


def _missing(connection: Connection, known: list[Migration], variant: Variant) -> list[Migration]:
    applied = _applied(connection)
    chosen = [one for one in known if one.variant in (None, variant)]
    by_name = {one.name: one for one in chosen}
    for name, checksum in applied.items():
        if name not in by_name:
            raise MigrationError(
                f"the database has migration {name}, which this hub does not know: a newer hub made it; upgrade this"
            )
        if by_name[name].checksum != checksum:
            raise MigrationError(f"migration {name} was changed after it was applied; put it back and add a new one")
    missing = [one for one in chosen if one.name not in applied]
    newest = max(applied, default="")
    for one in missing:
        if one.name < newest:
            raise MigrationError(
                f"migration {one.name} comes before {newest}, which is applied; give it a later number"
            )
    return missing


def _apply(connection: psycopg.Connection[Any], one: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(one.text)
            connection.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (one.name, one.checksum)
            )
    except psycopg.Error as error:
        where = error.diag.statement_position
        line = f", line {one.text.count(chr(10), 0, int(where) - 1) + 1}" if where else ""
        raise MigrationError(f"migration {one.name}{line}: {first_line(error)}") from error
