"""Work done while the database is waited for, on a real PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest

from hub.errors import UnavailableError
from hub.store import PostgresDatabase
from hub.store.overlap import OverlapConnection
from hub.store.session import connect


def test_turns_are_given_while_the_server_works_and_the_answer_is_the_same(database_url: str) -> None:
    turns = 0

    def work() -> bool:
        nonlocal turns
        turns += 1
        return True

    with connect(database_url, "test") as connection:
        assert isinstance(connection, OverlapConnection)
        connection.meanwhile = work
        row = connection.execute("SELECT count(*) AS n FROM generate_series(1, 300000)").fetchone()
        assert row == {"n": 300_000}
        assert turns > 1
        connection.meanwhile = None
        done = turns
        connection.execute("SELECT 1")
        assert turns == done


def test_with_nothing_to_do_it_waits_as_ever(database_url: str) -> None:
    asked = 0

    def work() -> bool:
        nonlocal asked
        asked += 1
        return False

    with connect(database_url, "test") as connection:
        connection.meanwhile = work
        with connection.pipeline():
            first = connection.execute("SELECT 1 AS n")
            connection.execute("SELECT pg_sleep(0.05)")
        assert first.fetchone() == {"n": 1}
    # Asked once or twice an exchange, not in a circle while the server sleeps.
    assert 0 < asked < 50


def test_copy_and_errors_pass_through(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        connection.meanwhile = lambda: True
        connection.execute("CREATE TEMPORARY TABLE numbers (n int)")
        with connection.cursor() as cursor, cursor.copy("COPY numbers FROM STDIN") as copy:
            copy.write("".join(f"{number}\n" for number in range(50_000)))
        assert connection.execute("SELECT count(*) AS n FROM numbers").fetchone() == {"n": 50_000}
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.execute("SELECT 1 AS n").fetchone() == {"n": 1}


def test_a_lost_connection_is_noticed_in_the_midst_of_work(database_url: str) -> None:
    with PostgresDatabase(database_url) as database:
        with pytest.raises(UnavailableError), database.begin("telemetry", lambda: True) as tx:
            tx.session.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with database.begin("telemetry", lambda: True) as tx:
            assert tx.session.value("devices_secret", id="nobody") is None


def test_a_transaction_gives_its_connection_back_without_the_work(database_url: str) -> None:
    with PostgresDatabase(database_url) as database:
        calls: list[int] = []

        def work() -> bool:
            calls.append(1)
            return False

        with database.begin("telemetry", work) as tx:
            # Long enough that the answer cannot be there before anybody looks.
            tx.session.connection.execute("SELECT pg_sleep(0.05)")
        done = len(calls)
        assert done
        with database.begin("telemetry") as tx:
            tx.session.connection.execute("SELECT 1")
        assert len(calls) == done
