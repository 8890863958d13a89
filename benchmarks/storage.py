"""What a day of 3,333 values a second takes on the disk: compressed by TimescaleDB, and in plain partitions.

One day of DEVICES watches, every five minutes a record of six or seven values: that is what 150,000 of them send as
3,333 values a second. The same rows go into one chunk of the real TimescaleDB, which compresses it as its policy would,
and into one partition of plain PostgreSQL. Bytes a value times the values of a day is the extrapolation: a chunk of
more devices is longer, not different, for what is compressed together is at most a thousand values of one device.
"""

from __future__ import annotations

from typing import Any

import psycopg

from hub.store.migrate import migrate
from hub.store.partitions import make_partitions
from tests.timescale.conftest import running_timescale

__all__ = ["AIM_GB", "PER_SECOND", "measure"]

PER_SECOND = 3_333
AIM_GB = 1.0
DEVICES = 120
RECORDS = 288
_DAY = "2026-11-01"
_SPOOL = 12
"""Devices a statement: WebAssembly has little memory."""

FORMS = {
    # How late a record comes (s), and how exactly it says when it was observed.
    "clock to the second": "date_trunc('second', moment)",
    "clock to the millisecond": "date_trunc('milliseconds', moment)",
}

_ROWS = """
INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, value, buffered)
SELECT observed + (0.05 + 0.1 * random()) * interval '1 s', observed, 'watch-' || lpad(d::text, 6, '0'),
       'resident-' || lpad(d::text, 6, '0'), metric,
       CASE metric
           WHEN 'heart_rate_bpm' THEN round(72 + 8 * sin(k / 20.0) + 6 * random())
           WHEN 'spo2_pct' THEN round(95 + 3 * random())
           WHEN 'skin_temp_c' THEN round((36 + 0.8 * random())::numeric, 1)
           WHEN 'steps' THEN (k * 11) + floor(random() * 11)
           WHEN 'battery_pct' THEN 100 - k / 4
           WHEN 'systolic_mmhg' THEN round(120 + 12 * random())
           ELSE round(75 + 8 * random()) END, false
FROM (
    SELECT d, k, {form} AS observed
    FROM (SELECT d, k, timestamptz '{day}T00:00:30Z' + d * interval '0.7 s' + k * interval '299 s'
                       + random() * interval '0.2 s' AS moment
          FROM generate_series({first}, {last}) d, generate_series(0, {records} - 1) k) AS steady
) AS sent, unnest(ARRAY['heart_rate_bpm', 'spo2_pct', 'skin_temp_c', 'steps', 'battery_pct', 'systolic_mmhg',
                        'diastolic_mmhg']) AS metric
WHERE metric <> 'skin_temp_c' OR d % 3 > 0
ORDER BY k, d
"""


def _fill(url: str, form: str) -> int:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("TRUNCATE observations")
        connection.execute("SELECT setseed(0.5)")
        for first in range(1, DEVICES + 1, _SPOOL):
            text = _ROWS.format(form=form, day=_DAY, first=first, last=first + _SPOOL - 1, records=RECORDS)
            connection.execute(text.encode())
        row = connection.execute("SELECT count(*) FROM observations").fetchone()
    assert row is not None
    return int(row[0])


def _one(url: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _gb_a_day(size: int, rows: int) -> float:
    return round(size / rows * PER_SECOND * 86_400 / 1e9, 2)


def measure(url: str) -> list[dict[str, Any]]:
    """An entry a form of the devices' clocks: values, bytes a value, GB a day; plain (in the empty database `url`) and
    compressed.
    """
    found: list[dict[str, Any]] = []
    with running_timescale() as timescale:
        migrate(timescale)
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            made = connection.execute(f"SELECT date '{_DAY}'".encode()).fetchone()
            assert made is not None
            make_partitions(connection, made[0], 0)
        for name, form in FORMS.items():
            rows = _fill(timescale, form)
            _one(timescale, "SELECT count(compress_chunk(c)) FROM show_chunks('observations') c")
            compressed = _one(
                timescale, "SELECT after_compression_total_bytes FROM hypertable_compression_stats('observations')"
            )
            before = _one(
                timescale, "SELECT before_compression_total_bytes FROM hypertable_compression_stats('observations')"
            )
            assert _fill(url, form) == rows
            plain = _one(url, f"SELECT pg_total_relation_size('observations_p{_DAY.replace('-', '')}'::regclass)")
            found.append(
                {
                    "clocks": name,
                    "devices": DEVICES,
                    "values": rows,
                    "plain_bytes": round(plain / rows, 1),
                    "chunk_bytes": round(before / rows, 1),
                    "compressed_bytes": round(compressed / rows, 2),
                    "plain_gb_a_day": _gb_a_day(plain, rows),
                    "compressed_gb_a_day": _gb_a_day(compressed, rows),
                    "times_smaller": round(plain / compressed, 1),
                    "aim_gb_a_day": AIM_GB,
                }
            )
    return found
