"""Single commands on the hub's database: they work beside a running hub and without one."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from hub.api import hash_password
from hub.api.load_check import Checked
from hub.api.loading import Loaded, load_into
from hub.app.channels import channel_lines
from hub.app.plugging import services_on
from hub.clock import new_id, utc_now
from hub.embedded import embedded_database
from hub.errors import BadRequestError, HubError, NotFoundError
from hub.ports import SYSTEM, IntegrationRow, Role, Scheme, UserRow
from hub.settings import Settings, parse_mqtt_url
from hub.store import PostgresDatabase, Reconciliation, migrate, pending, schema_variant, timescale_edition
from hub.store import reconcile as reconcile_with

__all__ = [
    "Finding",
    "add_device",
    "add_integration",
    "add_user",
    "check",
    "integrations",
    "load",
    "migrate_schema",
    "reconcile",
    "revoke_integration",
]

_PHONE = re.compile(r"(?=.*\d.*\d.*\d)[0-9+*#() \-]{3,32}", re.ASCII)
_PERSON_OF = {"staff": "responders", "family": "contacts", "resident": "residents"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `hub check`."""

    what: str
    good: bool
    words: str


@contextmanager
def _database(settings: Settings) -> Iterator[PostgresDatabase]:
    with embedded_database(settings) as url:
        migrate(url)
        with PostgresDatabase(url, min_size=0, max_size=2) as database:
            yield database


def migrate_schema(settings: Settings, *, check_only: bool) -> list[str]:
    """Applies what is missing, or only names it."""
    with embedded_database(settings) as url:
        return pending(url) if check_only else migrate(url)


def add_user(
    settings: Settings,
    username: str,
    role: Role,
    *,
    person: str | None,
    full_name: str | None,
    password: str,
    phone: str | None = None,
) -> None:
    """Adds an account. BadRequestError, ConflictError (the name is taken), NotFoundError (no such person)."""
    if not username or len(username) > 64 or any(letter.isspace() for letter in username):
        raise BadRequestError("a user name has 1 to 64 characters and no blanks", field="name")
    if phone is not None and not _PHONE.fullmatch(phone.strip()):
        raise BadRequestError("a telephone number has 3 to 32 digits, blanks and + * # ( ) -", field="phone")
    password_hash = hash_password(password)
    with _database(settings) as database, database.begin() as tx:
        name = full_name or username
        table = _PERSON_OF.get(role)
        if table is not None and person is None:
            raise BadRequestError(f"role {role} needs --person: the id of one of the {table}", field="person")
        if table is not None and person is not None:
            found = tx.reference.get(table, person)
            if found is None:
                raise NotFoundError(f"there is no {person} among the {table}", field="person")
            name = full_name or str(found["name"])
        number = phone.strip() if phone else None
        tx.users.insert(UserRow(new_id(), username, name, role, person, password_hash, phone=number))
        tx.audit.add(SYSTEM, "user.add", f"user:{username}", {"role": role, "person": person}, utc_now())


def add_device(
    settings: Settings,
    device_id: str,
    family: str,
    *,
    resident: str | None,
    name: str | None,
    profile: str | None = None,
    upstream: str | None = None,
) -> str | None:
    """Adds a device; gives its credential, or None where the family has none."""
    with _database(settings) as database:
        services = services_on(database, settings)
        services.profiles.seed()
        return services.devices.add(
            device_id, family, resident, SYSTEM, name=name, profile_id=profile, upstream=upstream
        )


def load(
    settings: Settings,
    path: Path,
    *,
    table: str | None = None,
    strict: bool = False,
    dry: bool = False,
    preview: Callable[[Checked], None],
) -> Loaded:
    """People's files into the registers; see `hub.api.loading.load_into`."""
    with _database(settings) as database:
        services_on(database, settings).profiles.seed()
        return load_into(database, path, table=table, strict=strict, dry=dry, preview=preview)


def add_integration(
    settings: Settings,
    name: str,
    family: str,
    scheme: Scheme,
    *,
    secret: str | None,
    devices: str,
    rate_per_s: int,
    cipher_key: str | None = None,
) -> str:
    """Lets a maker's cloud push; gives its secret. BadRequestError, ConflictError (the name is taken)."""
    with _database(settings) as database:
        pushes = services_on(database, settings).pushes
        given = pushes.add(
            name, family, scheme, SYSTEM, secret=secret, devices=devices, rate_per_s=rate_per_s, cipher_key=cipher_key
        )
        return given.secret


def integrations(settings: Settings) -> list[IntegrationRow]:
    """Every one, revoked ones too; without secrets."""
    with _database(settings) as database:
        return services_on(database, settings).pushes.all()


def revoke_integration(settings: Settings, name: str) -> None:
    """NotFoundError where there is none of that name."""
    with _database(settings) as database:
        services_on(database, settings).pushes.revoke(name, SYSTEM)


def check(settings: Settings) -> Iterator[Finding]:
    """Settings, database and broker, in plain words; every line is tried, whatever the others say."""
    yield Finding("settings", True, f"data directory {settings.data_dir}")
    yield from _check_database(settings)
    yield _check_broker(settings)
    yield from (Finding(what, good, words) for good, what, words in channel_lines(settings))


def _check_database(settings: Settings) -> Iterator[Finding]:
    kind = "configured" if settings.database.url else "embedded"
    try:
        with embedded_database(settings) as url:
            with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
                version = connection.info.server_version // 10_000
                good = version >= 15
                older = "" if good else "; 15 or newer is needed"
                yield Finding("database", good, f"{kind}, PostgreSQL {version}{older}")
                edition, begun = timescale_edition(connection), schema_variant(connection)
                lost = begun == "timescale" and edition != "timescale"
                yield Finding("timescaledb", not lost, _series_in_words(edition, begun))
                durable = connection.execute("SHOW synchronous_commit").fetchone()
                on = bool(durable and durable[0] in ("on", "remote_apply", "remote_write", "local"))
                yield Finding(
                    "durability",
                    on,
                    f"synchronous_commit {durable[0] if durable else '?'}" + ("" if on else "; turn it on"),
                )
            missing = pending(url)
            yield Finding(
                "schema", not missing, "up to date" if not missing else f"missing: {', '.join(missing)}; hub migrate"
            )
    except (HubError, psycopg.Error, OSError) as error:
        yield Finding("database", False, f"{kind}: {str(error).splitlines()[0]}")


_OWN_WAY = "day partitions and rollups are the hub's own work"
_OFFERED = {
    None: f"not there; plain PostgreSQL: {_OWN_WAY}",
    "apache": f"apache edition, which has neither compression nor continuous aggregates: {_OWN_WAY}",
    "timescale": "community edition: hypertables, compression and continuous aggregates",
}


def _series_in_words(edition: str | None, begun: str | None) -> str:
    """What of TimescaleDB this database has (`edition`), and which way its schema went (`begun`; None: none yet)."""
    if begun == "plain" and edition == "timescale":
        return (
            f"community edition, but this database began without it and stays so: {_OWN_WAY};"
            " to change, hub backup and hub restore into a fresh database"
        )
    if begun == "timescale" and edition != "timescale":
        return (
            f"this database was made with the community edition, which is missing now ({edition or 'no extension'}):"
            " old days cannot be compressed or read as they should; set timescaledb.license = timescale, preload it"
        )
    return _OFFERED.get(edition, f"edition {edition}: {_OWN_WAY}")


def _check_broker(settings: Settings) -> Finding:
    if settings.mqtt.url is None:
        return Finding("broker", True, f"embedded, loopback port {settings.mqtt.embedded_port}; not for a site")
    address = parse_mqtt_url(settings.mqtt.url.get_secret_value())
    try:
        with socket.create_connection((address.host, address.port), timeout=5):
            return Finding("broker", True, f"{address.host}:{address.port} answers{' (TLS)' if address.tls else ''}")
    except OSError as error:
        return Finding("broker", False, f"{address.host}:{address.port}: {error.strerror or error}")


def reconcile(
    settings: Settings, *, since: str | None, sent: Path | None, warn: Callable[[str], None]
) -> Reconciliation:
    """What was received, and with the senders' ledger what was sent, against what became of it.

    BadRequestError names a line of the ledger that cannot be read. Only the last may be broken off, by a sender that
    was killed while it wrote: it is left out, and `warn` is told so.
    """
    start = None
    if since is not None:
        try:
            start = datetime.fromisoformat(since)
        except ValueError:
            raise BadRequestError(f"--since {since!r}: an RFC 3339 time was expected", field="since") from None
        if start.tzinfo is None:
            raise BadRequestError(f"--since {since!r}: it needs an offset, such as Z or +08:00", field="since")
    # The ledger as it is before the database is looked at: what senders go on writing meanwhile is not lost.
    ledger = None if sent is None else _ledger_lines(sent, sent.stat().st_size, warn)
    with embedded_database(settings) as url:
        return reconcile_with(url, since=start, sent=ledger)


def _ledger_lines(path: Path, size: int, warn: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    # Bytes: half a line may end in the middle of a character.
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            size -= len(line)
            if size < 0:
                return
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict) or "device_id" not in row or "ref" not in row:
                    raise ValueError("device_id and ref were expected")
            except ValueError as error:
                # Without its line end it is the last one, and it was not written to its end.
                if line.endswith(b"\n"):
                    raise BadRequestError(f"{path}, line {number}: {error}", field="sent") from None
                warn(f"{path}, line {number}: broken off, left out ({error})")
                return
            yield row
