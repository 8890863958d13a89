"""A restore's schema on the real TimescaleDB. Its rows cannot be loaded here: this server does not survive COPY."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row, tuple_row

from hub.store import migrate
from hub.store.backup import load_order, tables_of
from hub.store.migrate import migrations, rebuild
from hub.store.restore import _empty, _without_triggers
from tests.timescale.conftest import running_timescale

pytestmark = pytest.mark.timeout(180)

HYPERTABLES = "SELECT hypertable_name AS name FROM timescaledb_information.hypertables ORDER BY 1"
AGGREGATES = "SELECT view_name AS name FROM timescaledb_information.continuous_aggregates ORDER BY 1"


def names(connection: psycopg.Connection[Any], query: str) -> list[str]:
    return [str(name) for (name,) in connection.cursor(row_factory=tuple_row).execute(query.encode())]


def test_the_schema_is_dropped_and_made_again_in_one_transaction() -> None:
    with running_timescale() as url:
        migrate(url)
        with psycopg.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=None) as connection:
            hypertables, aggregates, tables = (
                names(connection, HYPERTABLES),
                names(connection, AGGREGATES),
                tables_of(connection),
            )
            assert {"uplinks", "observations", "fixes"} <= set(hypertables)
            assert aggregates
            connection.execute("INSERT INTO areas (id, kind, name) VALUES ('a', 'community', 'x')")
            connection.execute(
                "INSERT INTO uplinks (received_at, lane, device_id, outcome, reason, payload)"
                " VALUES (now(), 'tcp', 'W-1', 'quarantined', 'KeyError: 1', 'x')"
            )
            kept = connection.execute("SELECT why, reason FROM quarantine").fetchall()
            assert kept == [{"why": "failed", "reason": "KeyError: 1"}]

            with connection.transaction():
                connection.execute("SET LOCAL care_hub.restoring = 'on'")
                _empty(connection)
                assert tables_of(connection) == []
                rebuild(connection, migrations(), "timescale")
                with _without_triggers(connection, hypertables=True):
                    connection.execute(
                        "INSERT INTO uplinks (received_at, lane, device_id, outcome, reason, payload)"
                        " VALUES (now(), 'tcp', 'W-1', 'quarantined', 'KeyError: 1', 'x')"
                    )
                connection.execute(
                    "INSERT INTO observation_backlog (day) SELECT unnest(%s::date[]) ON CONFLICT DO NOTHING",
                    (["2026-11-20"],),
                )
            assert connection.execute("SELECT count(*) AS n FROM quarantine").fetchall() == [{"n": 0}]
            assert connection.execute("SELECT count(*) AS n FROM areas").fetchall() == [{"n": 0}]
            assert names(connection, HYPERTABLES) == hypertables
            assert names(connection, AGGREGATES) == aggregates
            assert tables_of(connection) == tables
            ordered = load_order(connection, tables)
            assert set(ordered) == set(tables)
