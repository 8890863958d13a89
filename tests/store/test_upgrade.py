"""An older database with rows, brought to the newest schema: nothing is lost, and what is new has what was there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from hub.store import PostgresDatabase, ReadsPostgres, migrate, pending
from hub.store.migrate import migrations
from tests.store.series import rolled
from tests.store.test_plans_of_queries import FILL

SINCE = datetime(2026, 9, 23, tzinfo=UTC)


def counts(url: str, tables: set[str] | None = None) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND c.relname <> 'schema_migrations'"
        ).fetchall()
        found: dict[str, int] = {}
        for (name,) in names:
            if tables is None or name in tables:
                row = connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
                found[name] = row[0] if row else 0
    return found


def test_a_filled_database_of_before_the_rollups(empty_database_url: str) -> None:
    url = empty_database_url
    migrate(url, files=[one for one in migrations() if one.stem < "0006"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.encode())
    before = counts(url)
    assert sum(1 for count in before.values() if count) >= 10

    assert "0006_rollups.plain" in migrate(url)
    assert pending(url) == []
    assert counts(url, set(before)) == before

    with PostgresDatabase(url, min_size=0, max_size=2) as database:
        reads = ReadsPostgres(database)
        end = SINCE + timedelta(days=61)
        at_once = reads.observations("R-7", "heart_rate_bpm", SINCE, end, "day")
        assert sum(item["n"] for item in at_once.items) == 1_448, "what is not rolled up yet is read from the records"
        done = rolled(database, datetime.now(UTC))
        assert (done["days"], done["records"]) == (61, before["observations"])
        assert reads.observations("R-7", "heart_rate_bpm", SINCE, end, "day") == at_once
        assert len(reads.observations("R-7", "heart_rate_bpm", SINCE, end, "hour").items) == 1_448
        assert len(reads.incidents_by_id([]).items()) == 0
        assert len(reads.entries_since(19_990, 100)) == 10
        assert rolled(database, datetime.now(UTC))["days"] == 0
