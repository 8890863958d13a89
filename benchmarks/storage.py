"""What a day of 3,333 values a second takes on the disk, table by table: compressed by TimescaleDB, and plain.

A point is a value: one row of `observations`. DEVICES watches send a record of six or seven values every five minutes
for a day; 150,000 of them send 3,333 values a second. The same rows go into one chunk of the real TimescaleDB, which is
compressed as its policy would, and into one partition of plain PostgreSQL; so do the rows that come with them: the log
of uplinks, the ledger's keys, a position every half hour, and the rollups. Bytes a value times the values of a day is
the extrapolation. It needs some hundred devices: every relation has pages of its own and is made longer by many at a
time, which weighs on few rows (with 60 devices the same rows seem to take half as much again).

What the values are matters: `everyday` ones change as those of a person do (a day's course, rest and walking, a slowly
falling battery, a temperature in tenths), `noise` draws each anew, which nobody's body does: the upper bound.
"""

from __future__ import annotations

from typing import Any

import psycopg

from hub.clock import utc_now
from hub.store import roll_up
from hub.store.migrate import migrate
from hub.store.packing import pack_keys
from hub.store.partitions import make_partitions
from tests.timescale.conftest import running_timescale

__all__ = ["AIM_GB", "PER_SECOND", "measure"]

PER_SECOND = 3_333
AIM_GB = 1.0
DEVICES = 480
RECORDS = 288
_DAY = "2026-11-01"
_SPOOL = 12
"""Devices a statement: WebAssembly has little memory."""
_MONTH_OF = 40
"""Devices of which a month is filled, an hour a record: chunks of hourly rollups hold thirty days."""

SECOND, MILLISECOND = "date_trunc('second', moment)", "date_trunc('milliseconds', moment)"
EVERYDAY = """CASE metric
    WHEN 'heart_rate_bpm' THEN round(60 + d % 17 + 9 * walks + 5 * sin(k / 17.0 + d) + 3 * (random() + random() - 1))
    WHEN 'spo2_pct' THEN CASE WHEN random() < 0.75 THEN 97 WHEN random() < 0.8 THEN 96 ELSE 98 END
    WHEN 'skin_temp_c' THEN round((34.2 + 0.6 * sin(k / 46.0) + 0.12 * (random() + random() - 1))::numeric, 1)
    WHEN 'steps' THEN sum(round(walks * 180 * random())) OVER (PARTITION BY d, metric ORDER BY k)
    WHEN 'battery_pct' THEN 100 - k / 5
    WHEN 'systolic_mmhg' THEN round(118 + d % 23 + 6 * walks + 6 * sin(k / 40.0 + d) + 3 * (random() + random() - 1))
    ELSE round(70 + d % 13 + 3 * walks + 4 * sin(k / 40.0 + d) + 2 * (random() + random() - 1)) END"""
NOISE = """CASE metric
    WHEN 'heart_rate_bpm' THEN round(72 + 8 * sin(k / 20.0) + 6 * random())
    WHEN 'spo2_pct' THEN round(95 + 3 * random())
    WHEN 'skin_temp_c' THEN round((36 + 0.8 * random())::numeric, 1)
    WHEN 'steps' THEN (k * 11) + floor(random() * 11)
    WHEN 'battery_pct' THEN 100 - k / 4
    WHEN 'systolic_mmhg' THEN round(120 + 12 * random())
    ELSE round(75 + 8 * random()) END"""
FORMS = {
    "everyday values, clock to the second": (EVERYDAY, SECOND),
    "everyday values, clock to the millisecond": (EVERYDAY, MILLISECOND),
    "noise, clock to the second": (NOISE, SECOND),
}
"""Name -> the values, and how exactly a device's clock says when."""

_SENT = """
CREATE TEMPORARY TABLE sent AS
SELECT d, k, observed, observed + (0.05 + 0.1 * random()) * interval '1 s' AS received,
       CASE WHEN k BETWEEN 84 AND 260 AND (k + d) %% 9 < 2 THEN 1 ELSE 0 END AS walks
FROM (SELECT d, k, {clock} AS observed
      FROM (SELECT d, k, timestamptz '{day}T00:00:30Z' + d * interval '0.7 s' + k * interval '{every} s'
                         + random() * interval '0.2 s' AS moment
            FROM generate_series({first}, {last}) d, generate_series(0, {records} - 1) k) AS steady) AS clocked
"""
_OBSERVATIONS = """
INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value, buffered)
SELECT received, observed, 'watch-' || lpad(d::text, 6, '0'), 'resident-' || lpad(d::text, 6, '0'), metric,
       {values}, false
FROM sent, unnest(ARRAY['heart_rate_bpm', 'spo2_pct', 'skin_temp_c', 'steps', 'battery_pct', 'systolic_mmhg',
                        'diastolic_mmhg']) AS metric
WHERE metric <> 'skin_temp_c' OR d %% 3 > 0
ORDER BY k, d
"""
_UPLINKS = """
INSERT INTO uplinks (received_at, lane, device_id, topic, key, outcome, events)
SELECT received, 'telemetry', 'watch-' || lpad(d::text, 6, '0'),
       'care/v1/watch-' || lpad(d::text, 6, '0') || '/up/vitals', decode(md5(d || '|' || k), 'hex'), 'accepted', 1
FROM sent ORDER BY k, d
"""
_LEDGER = """
INSERT INTO uplink_seen (key, received_at, stretch)
SELECT decode(md5(d || '|' || k), 'hex'), received, extract(epoch FROM observed)::bigint / 10 FROM sent ORDER BY k, d
"""
_DISTRICT_KEYS = 1_000_000
_DISTRICT = f"""
INSERT INTO uplink_seen (key, received_at, stretch)
SELECT decode(md5(n::text), 'hex'), moment, extract(epoch FROM moment)::bigint / 10
FROM (SELECT n, timestamptz '{_DAY}T00:00:00Z' + n / 500.0 * interval '1 s' AS moment
      FROM generate_series(1, {_DISTRICT_KEYS}) n) AS sent
"""
_FIXES = """
INSERT INTO fixes (received_at, observed_at, device_id, resident_id, lat, lon, accuracy_m, source, buffered)
SELECT received, observed, 'watch-' || lpad(d::text, 6, '0'), 'resident-' || lpad(d::text, 6, '0'),
       31.2 + d * 1e-4 + round((2e-4 * random())::numeric, 6), 121.4 + d * 1e-4 + round((2e-4 * random())::numeric, 6),
       round(8 + 30 * random()), 'gnss', false
FROM sent WHERE k %% 6 = 0 ORDER BY k, d
"""
SERIES = ("observations", "uplinks", "fixes")
ROLLUPS = ("rolled_minutes", "rolled_hours", "rolled_days")

# What compression made of each column, of all rows of the compressed chunks of a hypertable.
_COMPRESSED_CHUNKS = """
SELECT format('%%I.%%I', c.schema_name, c.table_name)::regclass
FROM _timescaledb_catalog.chunk p JOIN _timescaledb_catalog.chunk c ON c.id = p.compressed_chunk_id
JOIN _timescaledb_catalog.hypertable h ON h.id = p.hypertable_id WHERE h.table_name = 'observations'
"""

_MATERIALIZED = """
SELECT view_name, format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)
FROM timescaledb_information.continuous_aggregates
"""


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def _run(url: str, *statements: str) -> list[Any]:
    """The rows of the last one."""
    with _connected(url) as connection:
        for statement in statements:
            done = connection.execute(statement.replace("%%", "%").encode())
        return done.fetchall() if done.description else []


def _fill(url: str, values: str, clock: str) -> int:
    """The number of values."""
    with _connected(url) as connection:
        connection.execute("TRUNCATE observations, uplinks, fixes, uplink_seen")
        connection.execute("SELECT setseed(0.5)")
        for first in range(1, DEVICES + 1, _SPOOL):
            place = {"day": _DAY, "first": first, "last": first + _SPOOL - 1, "records": RECORDS, "every": 299}
            for text in (_SENT, _OBSERVATIONS, _UPLINKS, _LEDGER, _FIXES, "DROP TABLE sent"):
                ready = text.format(clock=clock, values=values, **place).replace("%%", "%")
                connection.execute(ready.encode())
        row = connection.execute("SELECT count(*) FROM observations").fetchone()
    assert row is not None
    return int(row[0])


def _compressed(url: str, *, whole: bool) -> dict[str, int]:
    """Bytes on the disk by table, once everything that is compressed some day is. Not `whole`: of observations."""
    if not whole:
        _run(url, "SELECT count(compress_chunk(c)) FROM show_chunks('observations') c")
        stats = "hypertable_compression_stats('observations')"
        return {"observations": int(_run(url, f"SELECT after_compression_total_bytes FROM {stats}")[0][0])}
    for view in ROLLUPS:
        _run(url, f"CALL refresh_continuous_aggregate('{view}', '2026-10-25', '2026-11-10')")
    made = dict(_run(url, _MATERIALIZED))
    found: dict[str, int] = {}
    for table in (*SERIES, "rolled_minutes"):
        _run(url, f"SELECT count(compress_chunk(c)) FROM show_chunks('{table}') c")
        stats = f"hypertable_compression_stats('{made.get(table, table)}')"
        found[table] = int(_run(url, f"SELECT sum(after_compression_total_bytes) FROM {stats}")[0][0])
    found["rolled_days"] = int(
        _run(url, "SELECT sum(pg_total_relation_size(c)) FROM show_chunks('rolled_days') c")[0][0]
    )
    return found | {"uplink_seen": _ledger(url)}


def _hours(url: str, values: str, clock: str) -> float:
    """Bytes of compressed hourly rollups for a value of every five minutes."""
    with _connected(url) as connection:
        connection.execute("TRUNCATE observations")
        for first in range(1, _MONTH_OF + 1, _SPOOL):
            last = min(first + _SPOOL - 1, _MONTH_OF)
            place = {"day": _DAY, "first": first, "last": last, "records": 30 * 24, "every": 3600}
            for text in (_SENT, _OBSERVATIONS, "DROP TABLE sent"):
                connection.execute(text.format(clock=clock, values=values, **place).replace("%%", "%").encode())
        row = connection.execute("SELECT count(*) FROM observations").fetchone()
    assert row is not None
    _run(url, "CALL refresh_continuous_aggregate('rolled_hours', '2026-10-25', '2026-12-10')")
    _run(url, "SELECT count(compress_chunk(c)) FROM show_chunks('rolled_hours') c")
    made = dict(_run(url, _MATERIALIZED))["rolled_hours"]
    size = _run(url, f"SELECT sum(after_compression_total_bytes) FROM hypertable_compression_stats('{made}')")[0][0]
    return float(size) / (int(row[0]) * 12)


def _ledger(url: str) -> int:
    return int(_run(url, "SELECT pg_total_relation_size('uplink_seen')")[0][0])


def _keys(url: str) -> dict[str, float]:
    """Bytes a key of the ledger, as it comes and packed: half an hour and more of the keys of 500 records a second.

    In an order of its own: so dense as that of a district, since a block holds what was observed in the same ten
    seconds.
    """
    _run(url, "TRUNCATE uplink_seen, uplink_packed", _DISTRICT)
    bytes_a_key = _ledger(url) / _DISTRICT_KEYS
    with _connected(url) as connection:
        packed = sum(iter(lambda: pack_keys(connection, utc_now()), 0))
    if packed != _DISTRICT_KEYS:
        raise RuntimeError(f"{packed} of {_DISTRICT_KEYS} keys were packed")
    size = int(_run(url, "SELECT pg_total_relation_size('uplink_packed')")[0][0])
    return {"as_it_comes": round(bytes_a_key, 1), "packed": round(size / _DISTRICT_KEYS, 1)}


def _plain(url: str) -> dict[str, int]:
    roll_up(url, utc_now(), minutes_kept=utc_now() - utc_now().replace(year=2025), mature=utc_now() - utc_now())
    tables = ", ".join(f"('{name}')" for name in (*SERIES, *ROLLUPS))
    rows = _run(
        url,
        "SELECT t.name, (SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits i WHERE i.inhparent ="
        f" t.name::regclass) FROM (VALUES {tables}) t(name)",
    )
    return {name: int(size) for name, size in rows} | {"uplink_seen": _ledger(url)}


def _columns(url: str) -> dict[str, int]:
    """Bytes of each column of compressed observations."""
    (chunk,) = _run(url, _COMPRESSED_CHUNKS)[0]
    names = [
        row[0]
        for row in _run(
            url,
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{chunk}'::regclass"
            " AND attnum > 0 AND NOT attisdropped",
        )
    ]
    sums = ", ".join(f'coalesce(sum(pg_column_size("{name}")), 0)' for name in names)
    found: dict[str, int] = {}
    for name, size in zip(names, _run(url, f"SELECT {sums} FROM {chunk}")[0], strict=True):
        short = "batch heads" if name.startswith("_ts_meta") else name
        found[short] = found.get(short, 0) + int(size)
    return found


def _gb_a_day(size: int, values: int) -> float:
    return round(size / values * PER_SECOND * 86_400 / 1e9, 2)


def measure(url: str) -> list[dict[str, Any]]:
    """An entry a form of values and clocks: values, GB a day by table, bytes a value by column; compressed, and plain
    in the empty database `url`. Of the forms after the first one observations alone.
    """
    found: list[dict[str, Any]] = []
    with running_timescale() as timescale:
        migrate(timescale)
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            made = connection.execute(f"SELECT date '{_DAY}'".encode()).fetchone()
            assert made is not None
            make_partitions(connection, made[0], 0)
        for name, (values, clock) in FORMS.items():
            first = not found
            rows = _fill(timescale, values, clock)
            compressed = _compressed(timescale, whole=first)
            columns = {column: round(size / rows, 3) for column, size in _columns(timescale).items()}
            plain: dict[str, int] = {}
            keys: dict[str, float] = {}
            if first:
                compressed["rolled_hours"] = round(_hours(timescale, values, clock) * rows)
                assert _fill(url, values, clock) == rows
                plain = _plain(url)
                keys = _keys(url)
            found.append(
                {
                    "form": name,
                    "devices": DEVICES,
                    "values": rows,
                    "records": DEVICES * RECORDS,
                    "compressed_bytes": round(compressed["observations"] / rows, 2),
                    "compressed_gb_a_day": {table: _gb_a_day(size, rows) for table, size in compressed.items()},
                    "plain_gb_a_day": {table: _gb_a_day(size, rows) for table, size in plain.items()},
                    "ledger_bytes_a_key": keys,
                    "column_bytes": dict(sorted(columns.items(), key=lambda one: -one[1])),
                    "aim_gb_a_day": AIM_GB,
                }
            )
    return found
