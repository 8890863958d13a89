"""Partitions ahead, old rows away; received and sent against stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub import store
from hub.clock import new_id
from hub.errors import BadRequestError
from hub.ports import FixRow, ObservationRow, OutboxRow, SessionRow, UplinkRow
from hub.store import PostgresDatabase, Retention, keep_house, reconcile
from hub.store.partitions import drop_days, make_partitions, partitions
from hub.store.session import lone_connection
from tests.store.rows import NOW, add_user, alarm, at, key, opened, populate

DAY = timedelta(days=1)


@pytest.fixture
def connection(database: PostgresDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.url, autocommit=True) as found:
        yield found


def test_what_holds_a_lock_alone_is_missed_by_the_server_as_soon_as_the_pool_is(database: PostgresDatabase) -> None:
    with lone_connection(database.url, "care-hub house") as connection:
        # What was asked for; a socket that is no TCP connection has none of it in force.
        told = connection.execute("SELECT current_setting('tcp_user_timeout'), inet_server_addr()").fetchone()
        asked = connection.execute("SELECT name, reset_val, source FROM pg_settings WHERE name LIKE 'tcp%'").fetchall()
        name = connection.execute("SHOW application_name").fetchone()
    assert {(one, source) for one, _, source in asked} == {
        (one, "client")
        for one in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    }
    if told is not None and told[1] is not None:
        assert {one: value for one, value, _ in asked} == {
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "10000",
        }
    assert name == ("care-hub house",)
    # Nothing in the store opens one without them.
    opening = {path.name for path in Path(store.__file__).parent.glob("*.py") if "psycopg.connect(" in path.read_text()}
    assert opening == {"session.py"}


def write(database: PostgresDatabase, moment: datetime) -> None:
    with database.begin() as tx:
        tx.series.write(
            [UplinkRow(moment, "telemetry", "W-1", "t", None, "accepted")],
            [ObservationRow(moment, moment, "W-1", "R-1", "steps", 1.0)],
            [FixRow(moment, moment, "W-1", "R-1", 31.0, 121.0, None, "gnss")],
        )


def homes(connection: psycopg.Connection[Any], table: str) -> list[str]:
    query = f"SELECT tableoid::regclass::text FROM {table} ORDER BY received_at"
    return [row[0] for row in connection.execute(query.encode())]


def test_partitions_are_made_ahead_once(connection: psycopg.Connection[Any]) -> None:
    made = make_partitions(connection, date(2026, 12, 30), 3)
    assert len(made) == 4 * 4 + 2 + 2
    assert make_partitions(connection, date(2026, 12, 30), 3) == []
    assert make_partitions(connection, date(2026, 12, 31), 3) == [
        "uplinks_p20270103",
        "observations_p20270103",
        "fixes_p20270103",
        "rolled_minutes_p20270103",
    ]
    assert partitions(connection, "fixes")[0][1] == date(2026, 12, 30)
    assert partitions(connection, "rolled_hours") == [
        ("rolled_hours_p202612", date(2026, 12, 1)),
        ("rolled_hours_p202701", date(2027, 1, 1)),
    ]
    assert [name for name, _ in partitions(connection, "rolled_days")] == ["rolled_days_p2026", "rolled_days_p2027"]


def test_rows_that_came_before_their_partition_are_moved_into_it(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    for moment in (midnight - timedelta(microseconds=1), midnight, midnight + DAY - timedelta(microseconds=1)):
        write(database, moment)
    make_partitions(connection, date(2026, 11, 22), 1)
    write(database, midnight + DAY)
    for table in ("uplinks", "observations", "fixes"):
        assert homes(connection, table) == [
            f"{table}_default",
            f"{table}_p20261122",
            f"{table}_p20261122",
            f"{table}_p20261123",
        ]


def test_old_days_are_dropped_whole(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    make_partitions(connection, date(2026, 11, 20), 3)
    for number in (-10, -2, -1, 0):
        write(database, NOW + number * DAY)
    assert drop_days(connection, "observations", date(2026, 11, 21)) == ["observations_p20261120"]
    assert homes(connection, "observations") == ["observations_p20261121", "observations_p20261122"]
    assert len(homes(connection, "fixes")) == 4
    with pytest.raises(ValueError, match="no series"):
        drop_days(connection, "incidents", date(2026, 11, 21))


def test_keeping_house(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    populate(database)
    owner = add_user(database, "chen")
    opened(database)
    old = NOW - timedelta(days=500)
    write(database, old)
    write(database, NOW)
    with database.begin() as tx:
        tx.ledger.take([(key("old"), old), (key("new"), NOW)])
        tx.users.attempt("chen", "10.0.0.1", False, old)
        tx.idempotent(owner, "k", b"x", old)
        tx.users.open_session(SessionRow(b"s", owner, "console", old, old, old))
        tx.outbox.add(OutboxRow("sms", "sent", {}, old, old), OutboxRow("sms", "waiting", {}, old, old))
    with database.begin() as tx:
        sent = tx.outbox.claim("sms", NOW, 1, retry_after=DAY)
        tx.outbox.sent([row.id for row in sent if row.id], NOW)
    done = keep_house(database, NOW)
    assert done["partitions made"] == 4 * 8 + 1 + 1
    assert (done["keys"], done["sign_ins"], done["idempotency"], done["sessions"], done["messages"]) == (1, 1, 1, 1, 1)
    counts = {
        "uplink_seen": 1,
        "observations": 1,
        "uplinks": 1,
        "outbox": 1,
        "alarms": 1,
        "incidents": 1,
        "timeline": 1,
    }
    for table, count in counts.items():
        assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (count,), table
    assert keep_house(database, NOW)["partitions made"] == 0


def test_one_keeps_house_at_a_time(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", (0x686F757365,))
    assert keep_house(database, NOW) == {}
    connection.execute("SELECT pg_advisory_unlock_all()")
    assert keep_house(database, NOW, Retention(keys=timedelta(days=1)))


def uplink(ref: str, **fields: Any) -> UplinkRow:
    base: dict[str, Any] = {
        "received_at": NOW,
        "lane": "alarm",
        "device_id": "W-1",
        "topic": "care/v1/W-1/up/alarm",
        "key": key(ref),
        "outcome": "accepted",
        "events": 1,
        "payload": b"{}",
    }
    return UplinkRow(**{**base, **fields})


def test_what_was_received_against_what_is_stored(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.series.write(
            [
                uplink("kept"),
                uplink("gone", received_at=at(7)),
                uplink("bad", outcome="rejected", received_at=at(8)),
                uplink("vitals", lane="telemetry", payload=None, received_at=at(9)),
                uplink("old", received_at=at(-90)),
            ],
            [],
            [],
        )
        twice = alarm("twice", received_at=at(20))
        tx.alarms.add_many(
            [
                (alarm("kept"), key("kept"), row.id),
                (twice, key("twice-1"), row.id),
                (replace(twice, id=new_id()), key("twice-2"), row.id),
                (alarm("twice", received_at=at(20), observed_at=at(20)), key("twice-3"), row.id),
            ]
        )
    found = reconcile(database.url, since=at(-1))
    assert found.uplinks == {"alarm": {"accepted": 2, "rejected": 1}, "telemetry": {"accepted": 1}}
    assert (found.lost, found.doubled, found.open, found.alarms) == (1, 1, 1, 5)
    assert found.lost_examples[0]["received_at"] == at(7)
    assert (found.doubled_examples[0]["ref"], found.doubled_examples[0]["times"]) == ("twice", 2)
    assert found.sent is None
    assert reconcile(database.url).lost == 2
    assert reconcile(database.url, since=at(3600)).lost == 0


def test_the_log_of_uplinks_is_kept_by_kind(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    """Telemetry that was taken goes early; what is raw, and whatever an alarm device said, stays its time."""
    make_partitions(connection, (NOW - 20 * DAY).date(), 20)
    days = (100, 40, 18, 17, 16, 15, 3)  # the first two lie in the default partition
    with database.begin() as tx:
        for age in days:
            then = {"received_at": NOW - age * DAY}
            tx.series.write(
                [
                    uplink(f"sos {age}", **then),
                    uplink(f"again {age}", outcome="repeat", payload=None, **then),
                    uplink(f"vitals {age}", lane="telemetry", payload=None, **then),
                    uplink(f"bad {age}", lane="telemetry", outcome="rejected", **then),
                ],
                [],
                [],
            )
    before = reconcile(database.url)
    rounds = [keep_house(database, NOW)["uplinks dropped"] for _ in range(6)]
    assert rounds[-1] == 0
    assert rounds[0] > 0
    found = connection.execute("SELECT key FROM uplinks_all ORDER BY received_at DESC, lane, outcome").fetchall()
    wanted = [key(f"sos {age}") for age in days if age < 90]
    assert {row[0] for row in found} == {
        *wanted,
        *(key(f"{what} {age}") for what in ("again", "bad") for age in days if age < 90),
        key("vitals 3"),
    }
    assert len(found) == 3 * 6 + 1
    assert connection.execute("SELECT min(received_at) FROM uplinks").fetchone() == (NOW - 3 * DAY,)
    assert reconcile(database.url).lost == before.lost - 1  # the one of a hundred days ago


def test_a_log_that_is_in_use_is_shortened_another_time(
    database: PostgresDatabase, connection: psycopg.Connection[Any]
) -> None:
    make_partitions(connection, (NOW - 20 * DAY).date(), 20)
    with database.begin() as tx:
        tx.series.write([uplink("sos", received_at=NOW - 18 * DAY)], [], [])
    with psycopg.connect(database.url) as reader:
        reader.execute("SELECT count(*) FROM uplinks")  # whoever reads for longer than the house waits
        keep_house(database, NOW)
    assert connection.execute("SELECT count(*) FROM uplinks_all").fetchone() == (1,), "copied, but not dropped"
    keep_house(database, NOW)
    assert connection.execute("SELECT (SELECT count(*) FROM uplinks), count(*) FROM uplinks_kept").fetchone() == (0, 1)


def line(ref: str, told: str | None, **fields: Any) -> dict[str, Any]:
    return {"device_id": "W-1", "ref": ref, "sent_at": "2026-11-22T16:00:00+08:00", "told": told, **fields}


def test_what_was_sent_against_what_is_stored(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.alarms.add_many([(alarm(ref), key(ref), row.id) for ref in ("stored", "held", "unheard")])
    lines = [
        line("stored", None),
        line("held", None),
        line("stored", "received"),
        line("held", "received"),
        line("held", "hold"),
        line("unheard", None),
        line("never", None),
        line("lost", None),
        line("lost", "received"),
        line("bad", "rejected"),
        line("stored", "received", device_id="W-2", observed_at=NOW.isoformat()),
    ]
    found = reconcile(database.url, sent=lines)
    assert (found.sent, found.told, found.rejected, found.untold) == (7, 4, 1, 2)
    assert (found.lost, found.doubled) == (2, 0)
    assert [(one["device_id"], one["ref"]) for one in found.lost_examples] == [("W-1", "lost"), ("W-2", "stored")]
    assert [(one["ref"], one["stored"]) for one in found.untold_examples] == [("never", False), ("unheard", True)]
    text = found.to_text()
    assert "lost 2" in text
    assert "ref lost" in text
    assert found.to_json()["lost_examples"][0]["sent_at"] == NOW.isoformat()
    later = reconcile(database.url, since=at(60), sent=lines)
    assert (later.sent, later.lost, later.untold) == (0, 0, 0)


@pytest.mark.parametrize("observed", [True, False], ids=["observed_at", "sent_at alone"])
def test_a_ref_that_is_used_again_is_another_press(database: PostgresDatabase, observed: bool) -> None:
    """A device's counter starts anew: the second press must be there as well, and so must the answer be its own."""
    populate(database)
    row = opened(database)
    first, second, third = at(0), at(600), at(1200)
    with database.begin() as tx:
        stored = [(replace(alarm("again"), observed_at=when), key(f"again {when}"), row.id) for when in (first, third)]
        tx.alarms.add_many(stored)

    def said(ref: str, when: datetime, told: str | None) -> dict[str, Any]:
        return line(ref, told, sent_at=when.isoformat(), **({"observed_at": when.isoformat()} if observed else {}))

    lines = [
        said("again", first, None),
        said("again", first, "received"),
        said("again", first, "hold"),
        said("again", second, None),
        said("again", second, "received"),
        said("again", third, None),
    ]
    found = reconcile(database.url, sent=lines)
    assert (found.sent, found.told, found.untold) == (3, 2, 1)
    if observed:
        assert (found.lost, found.lost_examples[0]["sent_at"]) == (1, second)
    else:
        # Two are told and two are there: without observed_at nobody can say which.
        assert found.lost == 0
    told = [*lines, said("again", third, "received")]
    assert reconcile(database.url, sent=told).lost == 1


def test_an_answer_that_comes_later_is_no_press_of_its_own(database: PostgresDatabase) -> None:
    """Some senders write down when they wrote the line."""
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.alarms.add_many([(alarm("one"), key("one"), row.id)])
    answers = (None, "received", "hold", "handled")
    lines = [line("one", told, sent_at=at(number).isoformat()) for number, told in enumerate(answers)]
    found = reconcile(database.url, sent=lines)
    assert (found.sent, found.told, found.lost, found.untold) == (1, 1, 0, 0)


def test_a_bad_line_of_a_ledger_is_named(database: PostgresDatabase) -> None:
    for bad, words in (
        ({"device_id": 7, "ref": "x"}, "entry 2: device_id and ref"),
        ({"device_id": "W-1", "ref": "x", "told": "maybe"}, "entry 2: told 'maybe'"),
        ({"device_id": "W-1", "ref": "x", "sent_at": "noon"}, "entry 2: sent_at 'noon'"),
        ({"device_id": "W-1", "ref": "x", "sent_at": "2026-11-22T08:00:00"}, "no offset"),
    ):
        with pytest.raises(BadRequestError, match=words):
            reconcile(database.url, sent=[line("fine", None), bad])


def test_a_large_ledger_is_a_matter_of_seconds(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.alarms.add_many([(alarm(f"s-{number}"), key(str(number)), row.id) for number in range(5_000)])
    lines = (line(f"s-{number % 5_001}", "received" if number >= 25_000 else None) for number in range(50_010))
    found = reconcile(database.url, sent=lines)
    assert (found.sent, found.told, found.lost, found.untold) == (5_001, 5_001, 1, 0)
