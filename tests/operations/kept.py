"""A community in a database, kept in a file and put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from devices import Uplink
from hub.app.plugging import services_on
from hub.clock import utc_now
from hub.embedded import EmbeddedPostgres
from hub.ports import SYSTEM, Incoming, OutboxRow
from hub.service import Services
from hub.settings import Settings
from hub.store import Archive, ArchiveWriter, PostgresDatabase, Source, back_up, restore
from hub.store.backup import tables_of
from tests.fixtures.hub import load_sample
from tests.fixtures.postgres import fresh_database

__all__ = ["NOW", "Json", "fill", "fresh_url", "loaded", "make_backup", "put_back", "rows", "snapshot_of", "take"]

Json = dict[str, Any]
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def rows(url: str, query: str) -> list[Json]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def loaded(database_url: str, tmp_path: Path) -> Iterator[tuple[PostgresDatabase, Services]]:
    """A database with a community in it, and the use cases on it."""
    folder = tmp_path / "data"
    folder.mkdir()
    load_sample(database_url, folder, residents=60)
    with PostgresDatabase(database_url) as database:
        yield database, services_on(database, Settings())


@pytest.fixture
def fresh_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database without any schema."""
    with fresh_database(postgres_server, "template1") as url:
        yield url


def take(services: Services, device_id: str, number: int, moment: datetime, channel: str = "alarm") -> str:
    """One uplink through the ordinary path; what its device was told, or its outcome."""
    body = (
        {"ref": f"{device_id}-{number}", "type": "sos"} if channel == "alarm" else {"heart_rate_bpm": 60 + number % 60}
    )
    uplink = Uplink(
        json.dumps({**body, "observed_at": moment.isoformat()}).encode(),
        moment,
        topic=f"care/v1/{device_id}/up/{channel}",
    )
    lane: Any = "alarm" if channel == "alarm" else "telemetry"
    door = services.ingest.alarms if channel == "alarm" else services.ingest.telemetry
    outcome = door([Incoming(uplink, device_id, "care", lane)])[0]
    told = [json.loads(reply.payload)["status"] for reply in outcome.replies]
    return told[0] if told else outcome.outcome


def snapshot_of(url: str) -> dict[str, list[Json]]:
    """Every row of every table, in an order of its own."""
    found: dict[str, list[Json]] = {}
    with psycopg.connect(url, row_factory=dict_row) as connection:
        for name in tables_of(connection):
            query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t ORDER BY to_jsonb(t)::text").format(
                sql.Identifier(name)
            )
            found[name] = [row["row"] for row in connection.execute(query)]
    return found


def make_backup(url: str, path: Path) -> Any:
    with ArchiveWriter(path) as archive:
        return back_up(url, archive, Source(utc_now(), "0"), lambda _words: None)[0]


def put_back(url: str, path: Path, *, force: bool = False) -> Any:
    with Archive(path) as archive:
        return restore(url, archive, utc_now(), force=force, progress=lambda _words: None)


def fill(database: PostgresDatabase, services: Services) -> None:
    """Live and closed incidents, telemetry, messages that have not left, a page signed in."""
    devices = [row["id"] for row in rows(database.url, "SELECT id FROM devices WHERE family = 'care' LIMIT 8")]
    for number, device_id in enumerate(devices):
        assert take(services, device_id, number, NOW + timedelta(seconds=number)) in ("received", "hold")
        take(services, device_id, number, NOW - timedelta(days=number), "vitals")
    with database.begin() as tx:
        tx.outbox.add(OutboxRow("device", devices[0], {"kind": "ack", "ref": "1", "status": "hold"}, NOW, NOW))
        tx.audit.add(SYSTEM, "test", None, {"text": "tab\there, line\nbreak, \\ and 中文"}, NOW)
