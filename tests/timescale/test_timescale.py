"""The store on the real TimescaleDB: schema, jobs, and the answers of plain PostgreSQL for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.app.administration import Finding, check
from hub.clock import utc_now
from hub.ports import AlarmFilter, IncidentFilter, ObservationRow, OrderFilter
from hub.settings import Settings
from hub.store import (
    PostgresDatabase,
    ReadsPostgres,
    Retention,
    keep_house,
    migrate,
    pending,
    schema_variant,
    timescale_edition,
)
from hub.store.migrate import migrations
from hub.store.sql import SQL
from tests.store.series import answers, history, rolled, write
from tests.store.test_sql import PARTS, as_prepared
from tests.timescale.conftest import running_timescale

pytestmark = pytest.mark.timeout(120)

DAY = timedelta(days=1)
ROLLED = ("rolled_minutes", "rolled_hours", "rolled_days")
KEPT = Retention(observations=25 * DAY, minutes=12 * DAY, hours=38 * DAY)


def insert(url: str, rows: Sequence[ObservationRow]) -> None:
    """COPY would end this server, and so would a message that comes in more than one piece."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for at in range(0, len(rows), 60):
            columns = [list(column) for column in zip(*rows[at : at + 60], strict=True)]
            connection.execute(
                "INSERT INTO observations"
                " (received_at, observed_at, device_id, resident_id, metric, value, state, buffered)"
                " SELECT * FROM unnest(%s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],"
                " %s::float8[], %s::text[], %s::boolean[])",
                columns,
            )


def run(url: str, *statements: str) -> list[Any]:
    """The rows of the last one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


@contextmanager
def opened(url: str) -> Iterator[PostgresDatabase]:
    """The server's one session outlives its connections: what an earlier one prepared is taken away first."""
    run(url, "DEALLOCATE ALL")
    with PostgresDatabase(url, min_size=0, max_size=1) as database:
        yield database


def asked(url: str, until: datetime) -> dict[tuple[Any, ...], Any]:
    with opened(url) as database:
        return answers(ReadsPostgres(database), until)


@pytest.fixture
def plain(database_url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(database_url, min_size=0, max_size=4) as found:
        yield found


def test_the_variant_is_taken_and_said(timescale_url: str) -> None:
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        assert timescale_edition(connection) == "timescale"
        names = {row[0] for row in connection.execute("SELECT name FROM schema_migrations")}
        tables = {
            row[0] for row in connection.execute("SELECT hypertable_name FROM timescaledb_information.hypertables")
        }
        jobs = connection.execute(
            "SELECT proc_name, count(*) FROM timescaledb_information.jobs WHERE proc_schema LIKE '%timescaledb%'"
            " AND hypertable_name IS NOT NULL GROUP BY 1"
        ).fetchall()
    assert {"0004_series.timescale", "0006_rollups.timescale"} <= names
    assert {"uplinks", "observations", "fixes"} <= tables
    assert dict(jobs) == {"policy_refresh_continuous_aggregate": 3, "policy_compression": 5}
    assert pending(timescale_url) == []


def test_check_says_so_in_plain_words(timescale_url: str, database_url: str, tmp_path: Path) -> None:
    def said(url: str) -> Finding:
        found = {one.what: one for one in check(Settings(data_dir=tmp_path, database={"url": url}))}
        assert found["schema"].good
        return found["timescaledb"]

    assert said(timescale_url).good
    assert said(timescale_url).words.startswith("community edition: hypertables, compression")
    assert said(database_url).words.startswith("not there; plain PostgreSQL: day partitions and rollups")
    # A database that began without it stays on its own way, and is told so.
    run(timescale_url, "UPDATE schema_migrations SET name = replace(name, '.timescale', '.plain')")
    try:
        with psycopg.connect(timescale_url, autocommit=True) as connection:
            assert schema_variant(connection) == "plain"
        assert (
            "began without it"
            in {one.what: one for one in check(Settings(data_dir=tmp_path, database={"url": timescale_url}))}[
                "timescaledb"
            ].words
        )
    finally:
        run(timescale_url, "UPDATE schema_migrations SET name = replace(name, '.plain', '.timescale')")


def test_every_block_is_understood_by_the_schema(timescale_url: str) -> None:
    by_hand = {name for name in SQL if name.startswith("rollup_")}
    refused: dict[str, str] = {}
    with psycopg.connect(timescale_url, autocommit=True) as connection:
        for name in ("reconcile_sent_line", "reconcile_sent_press"):
            connection.execute(SQL[name].replace("ON COMMIT DROP", "").encode())
        for name, text in SQL.items():
            if name in PARTS or name in by_hand or text.startswith("CREATE"):
                continue
            try:
                connection.execute(f"PREPARE block_{name} AS {as_prepared(text)}".encode())
            except psycopg.Error as error:
                refused[name] = str(error)
        connection.execute("DEALLOCATE ALL")
        connection.execute("DROP TABLE sent_press, sent_line")
    plain_too = {"report_counts"}  # refused alike by plain PostgreSQL's PREPARE, which guesses a parameter's type
    assert {name: words for name, words in refused.items() if name not in plain_too} == {}


def test_pages_are_read(timescale_url: str) -> None:
    now = utc_now()
    with opened(timescale_url) as database:
        reads = ReadsPostgres(database)
        assert reads.incidents(IncidentFilter(), 10, None).items == []
        assert reads.alarms(AlarmFilter(), 10, None).items == []
        assert reads.orders(OrderFilter(), 10, None).items == []
        assert reads.entries_since(0, 10) == []
        assert reads.summary(None)["mine"] == 0
        assert reads.observations("R-1", "x", now - DAY, now, "auto").items == []


def test_the_same_answers_as_plain_postgresql(timescale_url: str, plain: PostgresDatabase) -> None:
    """Live, settled, compressed, after late records, after old days were dropped: the two never differ."""
    until = utc_now().replace(second=0, microsecond=0)
    rows = history(until)
    late = rows[-60:]
    keep_house(plain, until)
    write(plain, rows[:-60])
    rolled(plain, utc_now())
    insert(timescale_url, rows[:-60])
    wanted = answers(ReadsPostgres(plain), until)
    assert any(items for _, _, items in wanted.values())
    assert asked(timescale_url, until) == wanted, "live"

    refresh = [f"CALL refresh_continuous_aggregate('{view}', NULL, now() - INTERVAL '2 days')" for view in ROLLED]
    run(timescale_url, *refresh)
    assert run(timescale_url, "SELECT count(*) FROM show_chunks('rolled_hours')")[0][0] > 1
    assert asked(timescale_url, until) == wanted, "settled"

    for one in ("observations", *ROLLED[:2]):
        run(timescale_url, f"SELECT compress_chunk(c) FROM show_chunks('{one}', older_than => INTERVAL '8 days') c")
    compressed = run(
        timescale_url,
        "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed GROUP BY hypertable_name",
    )
    assert len(compressed) == 3
    assert asked(timescale_url, until) == wanted, "compressed"

    # They came while nobody rolled up, and some were observed weeks ago.
    write(plain, late)
    rolled(plain, utc_now())
    insert(timescale_url, late)
    wanted = answers(ReadsPostgres(plain), until)
    jobs = run(
        timescale_url,
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'"
        " ORDER BY job_id",
    )
    run(timescale_url, *(f"CALL run_job({job})" for (job,) in jobs))
    assert asked(timescale_url, until) == wanted, "late records, after the refresh policies"

    keep_house(plain, until, KEPT)
    with opened(timescale_url) as database:
        dropped = keep_house(database, until, KEPT)
    assert dropped["observations dropped"] > 0
    wanted = answers(ReadsPostgres(plain), until)
    run(timescale_url, *(f"CALL run_job({job})" for (job,) in jobs))
    assert asked(timescale_url, until) == wanted, "after retention, and a refresh after it"


def test_the_log_of_uplinks_is_kept_by_kind(timescale_url: str) -> None:
    now = utc_now()
    run(
        timescale_url,
        "INSERT INTO uplinks (received_at, lane, device_id, outcome, payload)"
        " SELECT now() - age * interval '1 day', lane, 'W-1', 'accepted', CASE lane WHEN 'alarm' THEN 'x'::bytea END"
        " FROM unnest(ARRAY[30, 20, 3]) age, unnest(ARRAY['alarm', 'telemetry']) lane",
    )
    with opened(timescale_url) as database:
        assert keep_house(database, now, Retention(uplinks=25 * DAY))["uplinks dropped"] == 2
    left = run(timescale_url, "SELECT lane, round(extract(epoch FROM now() - received_at) / 86400) FROM uplinks_all")
    assert sorted((lane, int(age)) for lane, age in left) == [("alarm", 3), ("alarm", 20), ("telemetry", 3)]


def test_rows_from_before_the_rollups_are_rolled_up_too(plain: PostgresDatabase) -> None:
    """A database at 0005 with rows, brought to the newest schema: the backlog is refreshed, then nothing is missing."""
    from_before = [one for one in migrations() if one.stem < "0006"]
    until = utc_now().replace(second=0, microsecond=0)
    rows = history(until, seed=11)
    write(plain, rows)
    rolled(plain, utc_now())
    with running_timescale() as url:
        migrate(url, files=from_before)
        insert(url, rows)
        assert "0006_rollups.timescale" in migrate(url)
        assert asked(url, until) == answers(ReadsPostgres(plain), until)
        with opened(url) as database:
            assert rolled(database, utc_now())["days"] > 30
        assert asked(url, until) == answers(ReadsPostgres(plain), until)
        assert run(url, "SELECT count(*) FROM observation_backlog") == [(0,)]
