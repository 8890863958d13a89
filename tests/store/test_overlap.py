"""Work done while the database is waited for, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pytest

from hub.errors import UnavailableError
from hub.store import PostgresDatabase
from hub.store.overlap import OverlapConnection
from hub.store.session import connect


@dataclass
class Turns:
    """What a connection asks for while it waits."""

    useful: bool
    works: int = 0
    rests: int = 0
    resting: bool = False

    def work(self) -> bool:
        assert not self.resting
        self.works += 1
        return self.useful

    def rest(self) -> None:
        assert not self.resting
        self.resting = True
        self.rests += 1

    def resume(self) -> None:
        assert self.resting
        self.resting = False


def test_turns_are_given_while_the_server_works_and_the_answer_is_the_same(database_url: str) -> None:
    turns = Turns(useful=True)
    with connect(database_url, "test") as connection:
        assert isinstance(connection, OverlapConnection)
        connection.meanwhile = turns
        row = connection.execute("SELECT count(*) AS n FROM generate_series(1, 300000)").fetchone()
        assert row == {"n": 300_000}
        assert turns.works > 1
        assert turns.rests == 0
        connection.meanwhile = None
        done = turns.works
        connection.execute("SELECT 1")
        assert turns.works == done


def test_with_nothing_to_do_it_waits_as_ever(database_url: str) -> None:
    turns = Turns(useful=False)
    with connect(database_url, "test") as connection:
        assert isinstance(connection, OverlapConnection)
        connection.meanwhile = turns
        with connection.pipeline():
            first = connection.execute("SELECT 1 AS n")
            connection.execute("SELECT pg_sleep(0.05)")
        assert first.fetchone() == {"n": 1}
    # Asked once or twice an exchange, not in a circle while the server sleeps.
    assert 0 < turns.works < 50
    assert 0 < turns.rests <= turns.works
    assert not turns.resting


def test_copy_and_errors_pass_through(database_url: str) -> None:
    with connect(database_url, "test") as connection:
        assert isinstance(connection, OverlapConnection)
        connection.meanwhile = Turns(useful=True)
        connection.execute("CREATE TEMPORARY TABLE numbers (n int)")
        with connection.cursor() as cursor, cursor.copy("COPY numbers FROM STDIN") as copy:
            copy.write("".join(f"{number}\n" for number in range(50_000)))
        assert connection.execute("SELECT count(*) AS n FROM numbers").fetchone() == {"n": 50_000}
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.execute("SELECT 1 AS n").fetchone() == {"n": 1}


def test_a_lost_connection_is_noticed_in_the_midst_of_work(database_url: str) -> None:
    with PostgresDatabase(database_url) as database:
        with pytest.raises(UnavailableError), database.begin("telemetry", Turns(useful=True)) as tx:
            tx.session.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with database.begin("telemetry", Turns(useful=True)) as tx:
            assert tx.session.value("devices_secret", id="nobody") is None


def test_a_transaction_gives_its_connection_back_without_the_work(database_url: str) -> None:
    with PostgresDatabase(database_url) as database:
        turns = Turns(useful=False)
        with database.begin("telemetry", turns) as tx:
            # Long enough that the answer cannot be there before anybody looks.
            tx.session.connection.execute("SELECT pg_sleep(0.05)")
        done = turns.works
        assert done
        with database.begin("telemetry") as tx:
            tx.session.connection.execute("SELECT 1")
        assert turns.works == done
