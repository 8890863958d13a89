"""Commit, roll back, lose the connection: what a use case may rely on."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hub.clock import new_id
from hub.errors import BadRequestError, ConflictError, UnavailableError
from hub.ports import DueRow, OutboxRow
from hub.store import PostgresDatabase
from tests.store.rows import NOW, Racers, add_user, at, entry, incident, opened, populate, user


def kill_all(url: str) -> int:
    """Ends every other connection to this database, as a restart of the server would; they are gone when it returns."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        ).fetchall()
    return len(rows)


def names(database: PostgresDatabase) -> set[str]:
    with psycopg.connect(database.url) as connection:
        return {row[0] for row in connection.execute("SELECT username FROM users")}


def test_leaving_the_block_commits_and_an_error_rolls_back(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.users.insert(user("kept"))
    with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
        tx.users.insert(user("gone"))
        tx.timeline.add(entry(new_id()))
        raise ZeroDivisionError
    assert names(database) == {"kept"}


def test_a_failed_transaction_cannot_be_left_as_if_it_had_worked(database: PostgresDatabase) -> None:
    """PostgreSQL answers a COMMIT of a failed transaction with a quiet ROLLBACK: the acknowledgement would be a lie."""
    with pytest.raises(RuntimeError, match="nothing was written"), database.begin() as tx:  # noqa: PT012
        tx.reference.upsert("residents", [{"id": "R-1", "name": "x"}])
        tx.users.insert(user("first"))
        with pytest.raises(BadRequestError):
            tx.residents.set_status("R-1", "on the moon", None, NOW)
    assert names(database) == set()


@pytest.mark.parametrize("lane", ["main", "alarm", "telemetry"])
def test_connections_that_died_while_idle_are_replaced_unseen(database: PostgresDatabase, lane: str) -> None:
    def insert(name: str) -> None:
        with database.begin(lane) as tx:
            tx.users.insert(user(name))

    Racers().run(*(lambda number=number: insert(f"before{number}") for number in range(4)))
    assert kill_all(database.url) >= 1
    insert("after")
    assert len(names(database)) == 5


@pytest.mark.parametrize("lane", ["main", "alarm"])
def test_losing_the_connection_inside_says_unavailable(database: PostgresDatabase, lane: str) -> None:
    with pytest.raises(UnavailableError), database.begin(lane) as tx:  # noqa: PT012
        tx.users.insert(user("gone"))
        kill_all(database.url)
        tx.users.insert(user("gone too"))
    with database.begin(lane) as tx:
        tx.users.insert(user("again"))
    assert names(database) == {"again"}


def test_losing_the_connection_before_the_commit_says_unavailable(database: PostgresDatabase) -> None:
    with pytest.raises(UnavailableError) as caught, database.begin("alarm") as tx:  # noqa: PT012
        tx.users.insert(user("gone"))
        kill_all(database.url)
    assert caught.value.status == 503
    assert names(database) == set()


def test_no_database_at_all_is_unavailable() -> None:
    with PostgresDatabase("postgresql://hub@127.0.0.1:1/hub", min_size=0, patience=0.2) as database:
        for lane in ("main", "alarm"):
            with pytest.raises(UnavailableError), database.begin(lane):
                pytest.fail("must not get here")


def test_a_full_pool_does_not_keep_the_alarm_lane_waiting(database_url: str) -> None:
    with PostgresDatabase(database_url, min_size=0, max_size=1, patience=0.2) as database:
        with database.begin("main"):
            with database.begin("alarm") as tx:
                tx.users.insert(user("heard"))
            with pytest.raises(UnavailableError), database.begin("main"):
                pytest.fail("must not get here")
        assert names(database) == {"heard"}


def test_a_hub_that_stops_waits_for_no_connection_but_takes_a_free_one(database_url: str) -> None:
    with PostgresDatabase(database_url, min_size=0, max_size=1, patience=120.0) as database:
        with database.begin() as tx:
            database.hasten(0.0)
            with pytest.raises(UnavailableError), database.begin():
                pytest.fail("must not get here")
            tx.users.insert(user("held"))
        with database.begin() as tx:
            tx.users.insert(user("free"))
        assert names(database) == {"held", "free"}


def test_text_the_database_cannot_hold_is_kept_readable(database: PostgresDatabase) -> None:
    """A press whose note has a NUL or half a character in it must not be lost for it."""
    populate(database)
    incident_id = new_id()
    with database.begin() as tx:
        tx.timeline.add(entry(incident_id, body={"note": "ab\x00c\ud800d", "\x00": [{"deep": "\x00"}]}))
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT body FROM timeline").fetchone()
    assert row is not None
    assert row[0]["note"].startswith("ab\ufffdc")
    assert row[0]["\ufffd"] == [{"deep": "\ufffd"}]


def test_idempotency_keys(database: PostgresDatabase) -> None:
    owner = add_user(database, "owner")
    with database.begin() as tx:
        assert tx.idempotent(owner, "k", b"one", NOW) is None
    with database.begin() as tx, pytest.raises(ConflictError, match="under way"):
        tx.idempotent(owner, "k", b"one", at(1))
    with database.begin() as tx:
        tx.remember(owner, "k", 201, {"id": "x"})
    with database.begin() as tx:
        assert tx.idempotent(owner, "k", b"one", at(2)) == {"status": 201, "answer": {"id": "x"}}
        with pytest.raises(ConflictError) as caught:
            tx.idempotent(owner, "k", b"another", at(2))
        assert caught.value.code == "key-reused"
    with database.begin() as tx:
        assert tx.idempotent(owner, "k", b"another", NOW + timedelta(hours=25)) is None, "a day later it is free"
        tx.forget(owner, "k")
        assert tx.idempotent(owner, "k", b"one", NOW + timedelta(hours=25)) is None


def test_an_idempotency_key_of_a_hub_that_died_is_free_again(database: PostgresDatabase) -> None:
    owner = add_user(database, "owner")
    with database.begin() as tx:
        assert tx.idempotent(owner, "k", b"one", NOW) is None
    with database.begin() as tx:
        assert tx.idempotent(owner, "k", b"one", at(61)) is None


def test_of_two_with_one_idempotency_key_one_does_the_work(database: PostgresDatabase) -> None:
    owner = add_user(database, "owner")

    def claim() -> bool:
        try:
            with database.begin() as tx:
                return tx.idempotent(owner, "k", b"one", NOW) is None
        except ConflictError:
            return False

    assert sorted(Racers().run(*[claim] * 4)) == [False, False, False, True]


def test_due_rows_hold_the_last_word_of_each_step(database: PostgresDatabase) -> None:
    one, other = new_id(), new_id()
    with database.begin() as tx:
        tx.due.set(DueRow("incident", one, "lease", at(10)), DueRow("incident", one, "plan", at(20)))
        tx.due.set(DueRow("incident", other, "lease", at(30)))
    with database.begin() as tx:
        tx.due.clear("incident", one)
        tx.due.set(DueRow("incident", one, "plan", at(5), {"why": "again"}))
        tx.due.clear("incident", other, ["lease", "plan"])
        assert tx.due.next_at() == at(5), "what is buffered counts inside its own transaction"
    with database.begin() as tx:
        claimed = tx.due.claim(at(100), 10)
        assert claimed == [DueRow("incident", one, "plan", at(5), {"why": "again"})]
        assert tx.due.next_at() is None


def test_claims_of_due_rows_are_disjoint(database: PostgresDatabase) -> None:
    subjects = [new_id() for _ in range(60)]
    with database.begin() as tx:
        tx.due.set(*(DueRow("incident", subject, "lease", at(number)) for number, subject in enumerate(subjects)))

    def claim() -> list[str]:
        with database.begin() as tx:
            return [row.subject_id for row in tx.due.claim(at(100), 20)]

    taken = Racers().run(*[claim] * 3)
    every = [subject for claimed in taken for subject in claimed]
    assert len(every) == len(set(every))
    with database.begin() as tx:
        rest = [row.subject_id for row in tx.due.claim(at(100), 100)]
    assert sorted(every + rest) == sorted(subjects)


def test_a_due_claim_waits_for_nobody_who_has_the_incident(database: PostgresDatabase) -> None:
    """An operator who claims at the second of the re-alert: job and operator never wait for one another."""
    populate(database)
    busy, idle = opened(database).id, opened(database, incident("R-2")).id
    with database.begin() as tx:
        tx.due.set(DueRow("incident", busy, "realert_10", at(1)), DueRow("incident", idle, "realert_10", at(2)))
        tx.due.set(DueRow("assignment", new_id(), "accept", at(3), {"incident_id": busy}))
    with database.begin() as operator:
        operator.incidents.get(busy, lock=True)
        with database.begin("alarm") as job:
            assert [row.subject_id for row in job.due.claim(at(100), 10)] == [idle]
            # And the operator does not wait for the job either: what it left alone is not locked.
            operator.due.clear("incident", busy)
            assert operator.due.next_at() == at(2), "seen from here the job has not committed"
    with database.begin() as tx:
        assert [row.step for row in tx.due.claim(at(100), 10)] == ["accept"]


def test_a_due_claim_that_fails_gives_its_rows_back(database: PostgresDatabase) -> None:
    subject = new_id()
    with database.begin() as tx:
        tx.due.set(DueRow("incident", subject, "lease", NOW))
    with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
        assert len(tx.due.claim(at(1), 5)) == 1
        raise ZeroDivisionError
    with database.begin() as tx:
        assert len(tx.due.claim(at(1), 5)) == 1


def message(target: str = "W-1", channel: str = "device", **fields: object) -> OutboxRow:
    base: dict[str, object] = {"channel": channel, "target": target, "body": {"n": 1}, "created_at": NOW, "due_at": NOW}
    return OutboxRow(**{**base, **fields})  # type: ignore[arg-type]


def test_an_outbox_claim_is_a_loan(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.outbox.add(message("W-1"), message("W-2"), message("13800138000", "sms"))
    with database.begin() as tx:
        first = tx.outbox.claim("device", NOW, 10, retry_after=timedelta(seconds=15))
    assert [(row.target, row.attempts) for row in first] == [("W-1", 1), ("W-2", 1)]
    with database.begin() as tx:
        assert tx.outbox.claim("device", at(14), 10, retry_after=timedelta(seconds=15)) == []
        assert first[0].id is not None
        assert first[1].id is not None
        tx.outbox.sent([first[0].id], at(1))
        tx.outbox.failed(first[1].id, "no answer", at(1), final=False)
    with database.begin() as tx:
        again = tx.outbox.claim("device", at(15), 10, retry_after=timedelta(seconds=15))
        assert [(row.target, row.attempts) for row in again] == [("W-2", 2)]
        tx.outbox.failed(first[1].id, "gave up", at(16), final=True)
    with database.begin() as tx:
        assert tx.outbox.claim("device", at(1000), 10, retry_after=timedelta(seconds=15)) == []
        assert [row.target for row in tx.outbox.claim("sms", at(1000), 10, retry_after=timedelta(0))] == ["13800138000"]


def test_an_expired_message_is_not_sent_and_says_so(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.outbox.add(message(expires_at=at(60)))
    with database.begin() as tx:
        assert tx.outbox.claim("device", at(60), 10, retry_after=timedelta(seconds=1)) == []
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT error, failed_at FROM outbox").fetchone() == ("expired", at(60))


def test_outbox_claims_are_disjoint(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.outbox.add(*(message(f"W-{number}") for number in range(60)))

    def claim() -> list[str]:
        with database.begin() as tx:
            return [row.target for row in tx.outbox.claim("device", NOW, 20, retry_after=timedelta(seconds=9))]

    every = [target for claimed in Racers().run(*[claim] * 3) for target in claimed]
    assert len(every) == len(set(every)) > 0
