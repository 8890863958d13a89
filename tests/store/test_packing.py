"""The ledger's keys, packed: each is in one place or the other, and a repeat is a repeat wherever it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store import PostgresDatabase, keep_house
from hub.store.packing import drop_packed, pack_keys
from tests.store.rows import NOW, key
from tests.waiting import wait_until

DAY = timedelta(days=1)
Records = list[tuple[str, datetime, datetime | None]]


@pytest.fixture
def connection(database: PostgresDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.url, autocommit=True) as found:
        yield found


def stretch(observed: datetime | None) -> int | None:
    return None if observed is None else int(observed.timestamp()) // 10


def take(database: PostgresDatabase, records: Records) -> set[bytes]:
    """`records`: name, received, observed."""
    with database.begin("telemetry") as tx:
        return tx.ledger.take(
            [(key(name), received) for name, received, _ in records], [stretch(observed) for *_, observed in records]
        )


def counts(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Rows not packed, keys packed."""
    query = "SELECT (SELECT count(*) FROM uplink_seen), coalesce(sum(length(keys)), 0) / 10 FROM uplink_packed"
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def test_what_is_two_days_old_is_packed_and_stays_known(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    old: Records = [(f"old {number}", NOW - 3 * DAY, NOW - 3 * DAY - timedelta(seconds=1)) for number in range(200)]
    young: Records = [("young", NOW - DAY, NOW - DAY)]
    assert len(take(database, old + young)) == 201
    assert pack_keys(connection, NOW) == 200
    assert counts(connection) == (1, 200)
    assert take(database, old + young) == set()
    later: Records = [(name, NOW + 30 * DAY, observed) for name, _, observed in old[:3]]
    assert take(database, [*later, ("new", NOW, old[0][2])]) == {key("new")}
    assert pack_keys(connection, NOW + DAY) == 200 + 1, "a repeat leaves a row again, which is packed where it is due"
    assert take(database, old + young) == set()


def test_what_has_no_time_of_its_own_or_a_wrong_one_stays_as_it_is(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    received = NOW - 20 * DAY
    odd: Records = [
        ("alarm", received, None),
        ("ahead", received, received + timedelta(hours=2)),
        ("years ahead", received, received + 900 * DAY),
        ("never set", received, datetime(1970, 1, 1, tzinfo=UTC)),
        ("a fortnight late", received, received - 14 * DAY),
    ]
    late: Records = [("six days late", received, received - 6 * DAY)]
    assert len(take(database, odd + late)) == 6
    assert pack_keys(connection, NOW) == 1
    assert counts(connection) == (5, 1)
    assert take(database, [(name, NOW, observed) for name, _, observed in odd + late]) == set()


def test_keys_from_before_the_ledger_was_packed_count_on(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    then = NOW - 30 * DAY
    connection.execute("INSERT INTO uplink_seen (key, received_at) VALUES (%s, %s)", (key("early"), then))
    assert pack_keys(connection, NOW) == 0
    assert take(database, [("early", NOW, then)]) == set()


def test_blocks_are_forgotten_once_all_in_them_is_old(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    """As long as a key that is not packed: the block of a record that came a week late is kept a week longer."""
    ages = (60, 46, 44, 3)
    records: Records = [(f"{age}", NOW - age * DAY, NOW - (age + 6) * DAY) for age in ages]
    assert len(take(database, records)) == 4
    assert pack_keys(connection, NOW) == 4
    assert drop_packed(connection, NOW - 45 * DAY) == 1
    assert take(database, [(name, NOW, observed) for name, _, observed in records]) == {key("60")}


def test_the_house_packs_and_forgets(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    records: Records = [(f"{age}", NOW - age * DAY, NOW - age * DAY) for age in (90, 40, 1)]
    take(database, records[:2])
    done = keep_house(database, NOW - 36 * DAY)
    assert (done["keys packed"], done["blocks of keys dropped"]) == (1, 0), "the older one is not packed: it goes"
    take(database, records[2:])
    done = keep_house(database, NOW + 20 * DAY)
    assert (done["keys packed"], done["blocks of keys dropped"]) == (1, 1)
    assert counts(connection) == (0, 1)


def test_the_job_goes_on_where_it_ended_and_begins_anew(
    database: PostgresDatabase, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_SLICE", "_LEAST"):
        monkeypatch.setattr(f"hub.store.packing.{name}", 1)
    monkeypatch.setattr("hub.store.packing._ROUND", 3)
    count = 2_000
    take(database, [(f"{number}", NOW - 3 * DAY, NOW - 3 * DAY) for number in range(count)])
    found = [pack_keys(connection, NOW) for _ in range(4)]
    assert all(0 < one < count for one in found[:3])
    assert sum(found) == count
    take(database, [(f"more {number}", NOW - 3 * DAY, NOW - 3 * DAY) for number in range(count)])
    connection.execute("VACUUM uplink_seen")
    assert sum(pack_keys(connection, NOW) for _ in range(8)) == count
    assert counts(connection) == (0, 2 * count)
    connection.execute("UPDATE uplink_packing SET page = 1000000")  # of a table that has been made anew since
    assert pack_keys(connection, NOW) == 0


def test_a_repeat_that_meets_its_key_while_it_is_packed_is_a_repeat(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    record: Records = [("one", NOW - 3 * DAY, NOW - 3 * DAY)]
    assert take(database, record) == {key("one")}
    with psycopg.connect(database.url) as packer:
        # As `packing_slice` does it, held before its commit.
        packer.execute("DELETE FROM uplink_seen")
        packer.execute("INSERT INTO uplink_packed VALUES (%s, %s)", (stretch(record[0][2]), key("one")[:10]))
        taken: list[set[bytes]] = []
        worker = threading.Thread(target=lambda: taken.append(take(database, record)))
        worker.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        wait_until(lambda: connection.execute(waiting.encode()).fetchone() == (1,), 30)
        packer.commit()
        worker.join(30)
    assert taken == [set()]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),  # which record
            st.floats(0, 12, allow_nan=False),  # days that go by before it comes
            st.booleans(),  # whether the house is kept before it
        ),
        max_size=25,
    ),
    st.lists(st.none() | st.floats(-30, 30, allow_nan=False), min_size=13, max_size=13),
)
def test_each_record_counts_once_whenever_it_comes_again(
    database: PostgresDatabase,
    connection: psycopg.Connection[Any],
    coming: list[tuple[int, float, bool]],
    observed: list[float | None],
) -> None:
    """Against the plain rule: fresh is what has not come before."""
    connection.execute("TRUNCATE uplink_seen, uplink_packed")
    now, known = NOW, set[int]()
    for number, days, kept in coming:
        now += timedelta(days=days)
        if kept:
            pack_keys(connection, now)
        days_off = observed[number]
        when = None if days_off is None else NOW + timedelta(days=days_off)
        fresh = take(database, [(f"record {number}", now, when)])
        assert fresh == (set() if number in known else {key(f"record {number}")})
        known.add(number)
