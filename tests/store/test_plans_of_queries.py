"""How PostgreSQL goes about the queries that are asked all day: by index, and in the partitions that matter alone.

Tables are filled as years fill them: nearly everything is settled, little is live.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hub.embedded import EmbeddedPostgres
from hub.store import PostgresDatabase, keep_house, migrate
from hub.store.partitions import make_partitions
from hub.store.session import connect, statement
from tests.fixtures.postgres import fresh_database
from tests.store.series import rolled

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BIG = {"incidents", "alarms", "timeline", "outbox", "due", "uplink_seen", "uplink_packed", "residents", "devices"}
BIG |= {"device_watch", "rule_watch"}
SERIES = ("observations", "rolled_minutes", "rolled_hours", "rolled_days")
DAY = timedelta(days=1)

FILL = """
INSERT INTO residents (id, name) SELECT 'R-' || n, '住户' || n FROM generate_series(1, 5000) n;
INSERT INTO devices (id, family, resident_id) SELECT 'W-' || n, 'care', 'R-' || n FROM generate_series(1, 5000) n;
INSERT INTO escalation_policies VALUES ('\\x00', '{}');
INSERT INTO incidents (id, subject, class, state, type, types, priority, resident_id, device_id, opened_at,
                       first_alarm_at, last_alarm_at, disposition, policy)
SELECT gen_random_uuid(), 'resident:R-' || n % 5000 + 1, 'emergency', CASE WHEN n > 19900 THEN 'open' ELSE 'closed' END,
       'sos', '{sos}', 'critical', 'R-' || n % 5000 + 1, 'W-' || n % 5000 + 1, at, at, at,
       CASE WHEN n > 19900 THEN NULL ELSE 'genuine' END, '\\x00'
FROM (SELECT n, timestamptz '2025-11-22T08:00Z' + n * interval '26 minutes' AS at FROM generate_series(1, 20000) n) f;
INSERT INTO alarms (id, key, device_id, resident_id, incident_id, ref, type, class, priority, received_at, source)
SELECT gen_random_uuid(), decode(md5(id::text), 'hex'), device_id, resident_id, id, 'r', 'sos', 'emergency', 'critical',
       opened_at, 'device' FROM incidents;
INSERT INTO timeline (seq, at, subject_kind, subject_id, kind, actor_kind)
SELECT row_number() OVER (ORDER BY opened_at), opened_at, 'incident', id, 'raised', 'system' FROM incidents;
INSERT INTO outbox (channel, target, body, created_at, due_at, sent_at)
SELECT 'device', 'W-1', '{}', now(), timestamptz '2026-11-22T07:00Z', CASE WHEN n <= 19950 THEN now() END
FROM generate_series(1, 20000) n;
INSERT INTO due (subject_kind, subject_id, step, due_at)
SELECT 'order', gen_random_uuid(), 'remind', timestamptz '2026-11-22T07:59Z' + n * interval '1 minute'
FROM generate_series(1, 8000) n;
INSERT INTO uplink_seen SELECT decode(md5(n::text), 'hex'), timestamptz '2026-11-01Z' FROM generate_series(1, 30000) n;
INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value)
SELECT at, at, 'W-' || r, 'R-' || r, 'heart_rate_bpm', 70 FROM generate_series(1, 40) r,
       generate_series(timestamptz '2026-09-23T00:00Z', timestamptz '2026-11-22T07:59Z', interval '1 hour') at;
"""

TURNS = """
UPDATE device_watch SET check_at = timestamptz '2026-11-22T08:00Z'
    + (substr(device_id, 3)::int - 20) * interval '1 second';
UPDATE rule_watch SET check_at = timestamptz '2026-11-22T08:00Z'
    + (substr(resident_id, 3)::int - 20) * interval '1 second', looked_at = timestamptz '2026-11-22T07:59Z';
"""
"""Whose turn it is: of thousands, a few."""


@pytest.fixture(scope="module")
def filled(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(postgres_server, template_database) as url:
        migrate(url)
        with connect(url, "test") as connection:
            for table in SERIES:
                make_partitions(connection, (NOW - 60 * DAY).date(), 60, [table])
            with PostgresDatabase(url, min_size=0, max_size=1) as database:
                keep_house(database, NOW)
                connection.execute(FILL.encode())
                connection.execute(TURNS.encode())
                rolled(database, datetime.now(UTC))
                keep_house(database, NOW)
            connection.execute("VACUUM ANALYZE")
            yield connection


def walk(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from walk(part)


def explain(connection: psycopg.Connection[Any], block: str, **params: Any) -> list[dict[str, Any]]:
    """The steps that were really taken; the block's effects are rolled back."""
    text, values = statement(block, **params)
    connection.execute("BEGIN")
    try:
        row = connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) " + text, values).fetchone()
    finally:
        connection.execute("ROLLBACK")
    assert row is not None
    return [step for step in walk(row["QUERY PLAN"][0]["Plan"]) if step.get("Actual Loops", 0) > 0]


def read(steps: list[dict[str, Any]]) -> set[str]:
    return {step["Relation Name"] for step in steps if "Relation Name" in step}


def whole(steps: list[dict[str, Any]]) -> set[str]:
    """Tables that were read from one end to the other; those made ahead, in which nothing is yet, do not count."""
    return {
        step["Relation Name"]
        for step in steps
        if step["Node Type"] == "Seq Scan" and step["Actual Rows"] + step.get("Rows Removed by Filter", 0) > 0
    }


FILTER = dict.fromkeys(
    ("states", "classes", "priorities", "area_id", "resident_id", "supervision", "assignee", "q", "like")
)
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
FIRST = "00000000-0000-0000-0000-000000000000"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

HOT: dict[str, dict[str, Any]] = {
    "incidents_live_page": {**FILTER, "urgency": -1, "opened_at": LONG_AGO, "id": FIRST, "limit": 101},
    "incidents_page": {**FILTER, "opened_at": NOW + DAY, "id": LAST, "limit": 101},
    "incidents_lock_live": {"subjects": ["resident:R-1", "resident:R-2"], "classes": ["emergency", "emergency"]},
    "due_claim": {"now": NOW, "limit": 50},
    "due_next": {},
    "outbox_claim": {"channel": "device", "now": NOW, "limit": 50, "retry_after": timedelta(seconds=15)},
    "entries_since": {"seq": 19_990, "limit": 500},
    "ledger_take": {"keys": [b"0123456789abcdef"], "times": [NOW], "stretches": [1], "low": 1, "high": 1},
    "ledger_packed": {"keys": [b"0123456789abcdef"], "stretches": [179_000_000]},
    # What a press is judged by, and what is written of it.
    "devices_get": {"ids": ["W-7", "W-8"]},
    "residents_get": {"ids": ["R-7", "R-8"]},
    "judged_by": {
        "devices": ["W-7", "W-8"],
        "presses": [b"0123456789abcdef"],
        "residents": ["R-7", "R-8"],
        "pair_devices": ["W-7"],
        "pair_types": ["sos"],
        "since": NOW - timedelta(minutes=1),
        "now": NOW,
        "seen_since": NOW - timedelta(minutes=5),
    },
    "alarms_count_repeat": {"keys": [b"0123456789abcdef"]},
    "alarms_incident_of_ref": {"device_id": "W-7", "ref": "r"},
    # The feed, an open incident, whose turn it is.
    "critical_news_views": {"seq": 19_990, "limit": 500},
    "timeline_page": {"subject_kind": "incident", "subject_id": FIRST, "seq": 30_000, "limit": 100},
    "watch_claim": {"now": NOW, "limit": 10, "heard": "{}"},
    "watch_shared": {"since": NOW - 2 * DAY},
    "rules_claim": {"now": NOW, "next": NOW + timedelta(minutes=1), "limit": 10},
    "alarms_page": {
        **dict.fromkeys(("states", "resident_id", "area_id", "types", "since", "q", "like")),
        "received_at": NOW + DAY,
        "id": LAST,
        "limit": 101,
    },
}


@pytest.mark.parametrize("block", HOT)
def test_no_big_table_is_read_whole(filled: psycopg.Connection[Any], block: str) -> None:
    steps = explain(filled, block, **HOT[block])
    assert whole(steps) & BIG == set()


def series(span: timedelta, width: timedelta | None = None, **more: Any) -> dict[str, Any]:
    end = NOW
    found = {"resident_id": "R-7", "metric": "heart_rate_bpm", "start": end - span, "end": end, **more}
    found |= {"received_from": end - span, "rolled_from": end - span - DAY, "prompt_until": end + timedelta(hours=1)}
    found |= {"late_until": end + 32 * DAY, "waiting_from": datetime.max.replace(tzinfo=UTC)}
    return found | ({"width": width} if width else {"limit": 2_001})


@pytest.mark.parametrize(
    ("block", "params", "most"),
    [
        # Two days for what came in time, and for what came late the days made ahead.
        ("observations_raw", series(DAY), 10),
        ("observations_of_minutes", series(DAY, timedelta(minutes=1)), 2),
        ("observations_of_hours", series(30 * DAY, timedelta(hours=1)), 2),
        ("observations_of_days", series(60 * DAY, DAY), 1),
    ],
)
def test_a_series_is_read_by_index_in_the_partitions_of_its_span(
    filled: psycopg.Connection[Any], block: str, params: dict[str, Any], most: int
) -> None:
    steps = explain(filled, block, **params)
    days = {name for name in read(steps) if name.startswith(SERIES) and "default" not in name}
    assert 0 < len(days) <= most
    assert {name for name in whole(steps) if name.startswith(SERIES) and "default" not in name} == set()
    kinds = {step["Node Type"] for step in steps if str(step.get("Relation Name", "")).startswith(SERIES)}
    if "rolled" in str(sorted(days)):
        assert "Index Only Scan" in kinds, "a rollup is read from its index alone"


def test_the_job_finds_its_batches_without_reading_the_rest(filled: psycopg.Connection[Any]) -> None:
    steps = explain(
        filled, "rollup_add_batches", first=900_000, last=900_010, batches=[900_001], minutes_from=NOW - 60 * DAY
    )
    read_rows = sum(
        step["Actual Rows"] + step.get("Rows Removed by Index Recheck", 0) + step.get("Rows Removed by Filter", 0)
        for step in steps
        if step.get("Relation Name", "").startswith("observations")
    )
    assert read_rows < 60_000
