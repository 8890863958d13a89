"""How long a question about a year of somebody's values takes, and how that grows with the number of people.

A year of records, every five minutes, of N residents, in the order in which they arrive (a resident's rows lie far
apart, as they do at a site), on plain PostgreSQL with the rollups its job makes. The questions go through the store as
the API asks them, of a resident drawn each time. Beside the times stand the pages a question touches: they hardly grow
with N, which is what carries over to 150,000 devices; how many of them come from the disk there depends on its memory.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.figures import spread
from hub.store import PostgresDatabase, ReadsPostgres, keep_house, migrate, roll_up
from hub.store.partitions import make_partitions
from hub.store.session import statement

__all__ = ["AIM_MS", "measure"]

AIM_MS = 50.0
_DAYS = 365
_STEP = timedelta(minutes=5)
_METRIC = "heart_rate_bpm"
_DAY = timedelta(days=1)
QUESTIONS: dict[str, tuple[timedelta, str]] = {
    "a day, records": (_DAY, "raw"),
    "a day, by minute": (_DAY, "minute"),
    "a week, auto": (7 * _DAY, "auto"),
    "a month, by hour": (30 * _DAY, "hour"),
    "a year, by day": (365 * _DAY, "day"),
    "a year, by hour (bins of 6 h)": (365 * _DAY, "hour"),
    "a year, auto": (365 * _DAY, "auto"),
}
_ROWS = """
INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value)
SELECT at + random() * interval '1 s', at, 'W-' || r, 'R-' || r, %(metric)s, round(70 + 10 * random())
FROM generate_series(%(start)s::timestamptz, %(start)s::timestamptz + interval '1 day' - %(step)s, %(step)s) at,
     generate_series(1, %(residents)s) r
"""


def _fill(url: str, residents: int, today: datetime) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        first = today - _DAYS * _DAY
        make_partitions(connection, first.date(), _DAYS, ("observations", "rolled_hours", "rolled_days"))
        make_partitions(connection, (today - 60 * _DAY).date(), 60, ("rolled_minutes",))
        for day in range(_DAYS):
            start = first + day * _DAY
            connection.execute(
                _ROWS.encode(), {"metric": _METRIC, "start": start, "step": _STEP, "residents": residents}
            )
        roll_up(url, datetime.now(UTC), minutes_kept=60 * _DAY, mature=timedelta(0))
        # What has come since, and no rollup has yet.
        start = today
        connection.execute(_ROWS.encode(), {"metric": _METRIC, "start": start, "step": _STEP, "residents": residents})
        connection.execute("VACUUM ANALYZE")


def _pages(url: str, resident: str, span: timedelta, resolution: str, until: datetime) -> int:
    """8 kB pages that one question touches, from memory or disk."""
    blocks = {"raw": "observations_raw", "minute": "observations_of_minutes", "hour": "observations_of_hours"}
    block = blocks.get(resolution, "observations_of_days")
    if resolution == "auto":
        block = "observations_of_minutes" if span <= 7 * _DAY else "observations_of_hours"
    values: dict[str, Any] = {"resident_id": resident, "metric": _METRIC, "start": until - span, "end": until}
    values |= {"received_from": until - span, "rolled_from": until - span, "prompt_until": until + _DAY}
    values |= {"late_until": until + 32 * _DAY, "waiting_from": until - 2 * _DAY}
    values |= {"limit": 2_001} if block == "observations_raw" else {"width": timedelta(hours=6)}
    text, params = statement(block, **values)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        row = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + text, params).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _size(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def measure(databases: dict[int, str], samples: int) -> list[dict[str, Any]]:
    """`databases`: number of residents to the URL of an empty database. An entry a size and question."""
    found: list[dict[str, Any]] = []
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = today + _DAY
    for residents, url in databases.items():
        migrate(url)
        with PostgresDatabase(url, min_size=1, max_size=2) as database:
            keep_house(database, now)
            begun = time.monotonic()
            _fill(url, residents, today)
            filled_s = round(time.monotonic() - begun)
            reads = ReadsPostgres(database)
            chance = random.Random(residents)
            for name, (span, resolution) in QUESTIONS.items():
                times: list[float] = []
                points = 0
                for _ in range(samples + 3):
                    resident = f"R-{chance.randrange(residents) + 1}"
                    began = time.perf_counter()
                    answer = reads.observations(resident, _METRIC, until - span, until, resolution)
                    times.append(time.perf_counter() - began)
                    points = len(answer.items)
                    assert points, name
                found.append(
                    {
                        "residents": residents,
                        "records": residents * (_DAYS + 1) * int(_DAY / _STEP),
                        "database_mb": round(_size(url) / 1e6),
                        "filled_s": filled_s,
                        "question": name,
                        "points": points,
                        "pages": _pages(url, "R-1", span, resolution, until),
                        **spread(times[3:]),
                        "aim_p95_ms": AIM_MS,
                        "p95_ms": round(sorted(times[3:])[int(samples * 0.95)] * 1000, 2),
                    }
                )
    return found
