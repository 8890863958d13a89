"""Observations by minute, hour and day: always the same as the records, whoever writes, however late, whatever dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import utc_now
from hub.errors import BadRequestError
from hub.ports import ObservationRow
from hub.store import PostgresDatabase, ReadsPostgres, Retention, keep_house, roll_up
from hub.store.reads_series import MOST_POINTS
from tests.store.rows import Racers
from tests.store.series import FOREVER, answers, expected_bins, history, rolled, write

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WIDTHS = {"minute": timedelta(minutes=1), "hour": HOUR, "day": DAY}


@pytest.fixture
def connection(database: PostgresDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.url, autocommit=True) as found:
        yield found


def check(reads: ReadsPostgres, rows: list[ObservationRow], until: datetime) -> None:
    """Every answer against the records."""
    for (resident, metric, span, _, end), (_, bin_s, items) in answers(reads, until).items():
        start = end - span
        if bin_s:
            got = [{**item, "at": datetime.fromisoformat(item["at"])} for item in items]
            assert got == expected_bins(rows, resident, metric, start, end, timedelta(seconds=bin_s))
        else:
            wanted = sorted(
                row.observed_at
                for row in rows
                if (row.resident_id, row.metric) == (resident, metric) and start <= row.observed_at < end
            )
            assert [datetime.fromisoformat(item["at"]) for item in items] == wanted


def test_answers_are_those_of_the_records_before_and_after_rolling_up(
    database: PostgresDatabase, reads: ReadsPostgres
) -> None:
    until = utc_now().replace(microsecond=0)
    rows = history(until)
    keep_house(database, until)
    # Three quarters are settled; the rest waits in the queue, and is the last hour's and what came with it.
    settled = [row for row in rows if row.received_at < until - HOUR]
    write(database, settled)
    assert rolled(database, utc_now())["records"] == sum(row.resident_id is not None for row in settled)
    waiting = [row for row in rows if row.received_at >= until - HOUR]
    write(database, waiting)
    assert waiting
    check(reads, rows, until)
    again = rolled(database, utc_now())
    assert again["batches"] > 0
    check(reads, rows, until)
    assert rolled(database, utc_now()) == {"days": 0, "batches": 0, "records": 0}


def test_young_batches_wait(database: PostgresDatabase) -> None:
    now = utc_now()
    write(database, [ObservationRow(now, now, "W", "R-1", "steps", 1.0)])
    assert roll_up(database.url, now, minutes_kept=FOREVER)["batches"] == 0
    assert roll_up(database.url, now + HOUR, minutes_kept=FOREVER)["batches"] == 1


def test_one_rolls_up_at_a_time(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", (0x726F6C6C,))
    assert rolled(database, utc_now()) == {}


def test_writers_beside_the_job_lose_nothing_and_double_nothing(
    database: PostgresDatabase, reads: ReadsPostgres
) -> None:
    """Four writers, some of whom roll back, and the job going round and round."""
    now = utc_now().replace(minute=0, second=0, microsecond=0)
    keep_house(database, now)
    done = threading.Event()

    def writer(number: int) -> None:
        for turn in range(40):
            moment = now - timedelta(minutes=turn * 7 + number)
            rows = [ObservationRow(now, moment, f"W-{number}", "R-1", "steps", float(turn))] * (1 + 40 * (turn % 2))
            try:
                with database.begin() as tx:
                    tx.series.write([], rows, [])
                    if turn % 5 == 4:
                        raise LookupError("rolled back")
            except LookupError:
                continue

    def job() -> None:
        while not done.is_set():
            rolled(database, utc_now())

    roller = threading.Thread(target=job)
    roller.start()
    try:
        Racers().run(*(lambda number=number: writer(number) for number in range(4)))
    finally:
        done.set()
        roller.join()
    rolled(database, utc_now())
    bins = reads.observations("R-1", "steps", now - DAY, now + DAY, "day").items
    kept = [turn for turn in range(40) if turn % 5 != 4]
    assert sum(item["n"] for item in bins) == 4 * sum(1 + 40 * (turn % 2) for turn in kept)


def test_a_job_that_is_killed_has_done_all_or_nothing(
    database: PostgresDatabase, reads: ReadsPostgres, connection: psycopg.Connection[Any]
) -> None:
    now = utc_now()
    write(database, [ObservationRow(now, now, "W", "R-1", "steps", 3.0)] * 500)
    before = reads.observations("R-1", "steps", now - DAY, now + DAY, "hour")
    # Whoever else holds the rows of the day makes the job wait in the middle of its transaction: there it is ended.
    connection.execute("BEGIN")
    connection.execute("LOCK TABLE rolled_days IN SHARE MODE")
    killed: list[BaseException] = []

    def job() -> None:
        try:
            rolled(database, utc_now())
        except Exception as error:
            killed.append(error)

    thread = threading.Thread(target=job)
    thread.start()
    with psycopg.connect(database.url, autocommit=True) as other:
        while not other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'care-hub rollups' AND wait_event_type = 'Lock'"
        ).fetchall():
            pass
    thread.join()
    connection.execute("ROLLBACK")
    assert killed
    assert reads.observations("R-1", "steps", now - DAY, now + DAY, "hour") == before
    rolled(database, utc_now())
    assert reads.observations("R-1", "steps", now - DAY, now + DAY, "hour") == before
    assert before.items[0]["n"] == 500


def test_minutes_are_dropped_first_and_hours_answer_for_them(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    until = utc_now().replace(minute=0, second=0, microsecond=0)
    rows = [
        ObservationRow(until - number * HOUR, until - number * HOUR, "W", "R-1", "steps", float(number))
        for number in range(24 * 100)
    ]
    keep_house(database, until)
    write(database, rows, 500)
    rolled(database, utc_now())
    keep_house(database, until, Retention(observations=30 * DAY, minutes=40 * DAY))
    old = until - 80 * DAY
    answer = reads.observations("R-1", "steps", old, old + 10 * DAY, "minute")
    assert (answer.resolution, answer.bin_s, len(answer.items)) == ("hour", 3_600, 240)
    assert reads.observations("R-1", "steps", old, old + DAY, "raw").items == []
    recent = reads.observations("R-1", "steps", until - DAY, until, "minute")
    assert (recent.resolution, recent.bin_s, len(recent.items)) == ("minute", 60, 24)
    # Between the minutes and the records the records themselves make up for them.
    keep_house(database, until, Retention(minutes=10 * DAY))
    answer = reads.observations("R-1", "steps", until - 20 * DAY, until - 19 * DAY, "minute")
    assert (answer.resolution, answer.bin_s, len(answer.items)) == ("minute", 60, 24)


def test_few_points_and_the_extremes_kept(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    now = utc_now().replace(microsecond=0)
    rows = [
        ObservationRow(now - timedelta(seconds=s), now - timedelta(seconds=s), "W", "R-1", "x", float(s % 977))
        for s in range(9_000)
    ]
    rows.append(ObservationRow(now, now - timedelta(seconds=4_321), "W", "R-1", "x", 99_999.0))
    write(database, rows, 3_000)
    for resolution in ("auto", "minute", "hour", "day"):
        for span in (2 * HOUR, 3 * HOUR, 9 * DAY, 399 * DAY, 3_000 * DAY):
            answer = reads.observations("R-1", "x", now - span, now, resolution)
            assert 0 < len(answer.items) <= MOST_POINTS
            assert answer.bin_s > 0
            assert max(item["max"] for item in answer.items) == 99_999.0
            assert min(item["min"] for item in answer.items) == 0.0
    few = reads.observations("R-1", "x", now - timedelta(minutes=20), now, "auto")
    assert (few.resolution, few.bin_s, few.next_cursor, len(few.items)) == ("raw", 0, None, 1_200)


def test_records_come_in_pages_that_tear_no_moment_apart(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    now = utc_now().replace(microsecond=0)
    rows = [
        ObservationRow(now, now - timedelta(seconds=s // 3), f"W-{s % 3}", "R-1", "x", float(s)) for s in range(5_000)
    ]
    write(database, rows, 1_000)
    values: list[float] = []
    cursor: str | None = None
    sizes: list[int] = []
    while True:
        page = reads.observations("R-1", "x", now - HOUR, now + HOUR, "raw", cursor)
        values += [item["value"] for item in page.items]
        sizes.append(len(page.items))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(sizes) == 3
    assert sorted(values) == [float(s) for s in range(5_000)]
    with pytest.raises(BadRequestError, match="cursor"):
        reads.observations("R-1", "x", now - HOUR, now, "raw", "junk")
    with pytest.raises(BadRequestError, match="cursor"):
        reads.observations("R-1", "x", now - HOUR, now, "hour", page.next_cursor or "WyIyMDI2Il0")


def test_more_records_of_one_moment_than_a_page_holds(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    now = utc_now()
    write(database, [ObservationRow(now, now, "W", "R-1", "x", float(s)) for s in range(MOST_POINTS + 500)], 3_000)
    page = reads.observations("R-1", "x", now - HOUR, now + HOUR, "raw")
    assert len(page.items) == MOST_POINTS + 500
    assert reads.observations("R-1", "x", now - HOUR, now + HOUR, "raw", page.next_cursor).items == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lots=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 40 * 86_400),
                st.sampled_from([0, 1, 59, 3_599, 3_601, 86_400, 30 * 86_400]),
                st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.sampled_from([float("inf"), float("nan")])),
                st.sampled_from(["walking", "lying"]),
            ),
            max_size=6,
        ),
        max_size=5,
    )
)
def test_any_lots_in_any_order(database: PostgresDatabase, reads: ReadsPostgres, lots: list[list[Any]]) -> None:
    until = utc_now().replace(microsecond=0)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE observations, observation_batches, rolled_minutes, rolled_hours, rolled_days, observation_backlog"
        )
    rows: list[ObservationRow] = []
    for lot in lots:
        made = [
            ObservationRow(
                observed + timedelta(seconds=late), observed, "W", "R-1", "m", value, word if value is None else None
            )
            for ago, late, value, word in lot
            for observed in [until - timedelta(seconds=ago)]
        ]
        write(database, made)
        rolled(database, utc_now())
        rows += made
    for resolution, width in WIDTHS.items():
        start, end = until - 45 * DAY, until + DAY
        answer = reads.observations("R-1", "m", start, end, resolution)
        width = max(width, timedelta(seconds=answer.bin_s))
        finite = [row._replace(value=float("nan")) if row.value == float("inf") else row for row in rows]
        wanted = expected_bins(finite, "R-1", "m", start, end, width)
        got = [{**item, "at": datetime.fromisoformat(item["at"])} for item in answer.items]
        assert [(one["at"], one["n"], one["states"]) for one in got] == [
            (one["at"], one["n"], one["states"]) for one in wanted
        ]
        for one, other in zip(got, wanted, strict=True):
            assert (one["min"], one["max"]) == (pytest.approx(other["min"]), pytest.approx(other["max"]))
            assert one["avg"] == pytest.approx(other["avg"], abs=1e-3)
