"""A database that is silent: where an alarm or an open page waits, it counts as away after a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hub.clock import monotonic
from hub.errors import UnavailableError
from hub.store import PostgresDatabase
from hub.store.session import Session


@pytest.fixture
def impatient(database_url: str) -> Iterator[PostgresDatabase]:
    with PostgresDatabase(database_url, max_size=2, alarm_within=0.4) as database:
        yield database


@pytest.mark.parametrize(("lane", "seconds"), [("alarm", 0.4), ("feed", 3.0), ("brief", 3.0)])
def test_a_lane_does_not_wait_for_ever(impatient: PostgresDatabase, lane: str, seconds: float) -> None:
    began = monotonic()
    with pytest.raises(UnavailableError, match="no answer within"), impatient.connection(lane, b"BEGIN") as connection:
        connection.execute("SELECT pg_sleep(20)")
    assert seconds <= monotonic() - began < seconds + 1.0
    # The connection was given up; the lane has another.
    with impatient.begin(lane) as tx:
        assert tx.session.value("measure_timeline") is not None


def test_a_pipeline_that_gets_no_answer_is_given_up_too(impatient: PostgresDatabase) -> None:

    def together() -> None:
        with impatient.connection("alarm", b"BEGIN") as connection, Session(connection).together():
            connection.execute("SELECT pg_sleep(20)")
            connection.execute("SELECT 1")

    with pytest.raises(UnavailableError, match="no answer within"):
        together()
    with impatient.begin("alarm") as tx:
        assert tx.session.value("measure_timeline") is not None


def test_a_lock_that_is_held_for_too_long_is_silence_as_well(impatient: PostgresDatabase) -> None:
    with impatient.connection("main", b"BEGIN") as holder:
        holder.execute("LOCK TABLE uplink_seen IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(UnavailableError), impatient.connection("alarm", b"BEGIN") as connection:
            connection.execute("SELECT count(*) FROM uplink_seen")


def test_pages_may_take_their_time_on_the_same_connections(impatient: PostgresDatabase) -> None:
    """What asked briefly leaves no haste behind."""
    for _ in range(3):
        with impatient.begin("brief") as tx:
            tx.session.value("measure_timeline")
    failures: list[BaseException] = []

    def report() -> None:
        try:
            with impatient.connection("main", b"BEGIN") as connection:
                connection.execute("SELECT pg_sleep(3.5)")
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=report) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(10)
    assert not failures
