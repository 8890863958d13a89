"""The timeline: nobody rewrites it, and its numbers are the order in which lines became visible."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import psycopg
import pytest

from hub.clock import new_id
from hub.embedded import EmbeddedPostgres
from hub.ports import Actor
from hub.store import PostgresDatabase, ReadsPostgres
from tests.store.rows import Racers, entry, incident, opened, populate


def test_append_only_even_for_the_owner(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.timeline.add(entry(new_id()))
        tx.audit.add(Actor("operator", "A"), "looked", "resident:R-1", {}, entry("x").at)
    with psycopg.connect(database.url, autocommit=True) as owner:
        for table in ("timeline", "audit"):
            for attempt in ("UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    owner.execute(attempt.format(table).encode())
            assert owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (1,)


def test_a_replica_role_does_not_open_the_door(database: PostgresDatabase, postgres_server: EmbeddedPostgres) -> None:
    with database.begin() as tx:
        tx.timeline.add(entry(new_id()))
    name = urlsplit(database.url).path.lstrip("/")
    with psycopg.connect(postgres_server.admin_url, dbname=name, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("DELETE FROM timeline")


def test_entries_are_numbered_without_gaps_in_their_order(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    subject = new_id()
    with database.begin() as tx:
        tx.timeline.add(entry(subject, "raised"), entry(subject, "pressed"))
        tx.timeline.add(entry(subject, "acknowledged", actor=Actor("operator", "陈静", user_id="u-1")))
    with database.begin():
        pass
    with database.begin() as tx:
        tx.timeline.add(entry(subject, "resolved"))
    found = reads.entries_since(0, 100)
    assert [(one["seq"], one["kind"]) for one in found] == [
        (1, "raised"),
        (2, "pressed"),
        (3, "acknowledged"),
        (4, "resolved"),
    ]
    assert found[2]["actor"] == {"kind": "operator", "id": "u-1", "name": "陈静"}
    assert reads.cursor().seq == 4


def test_a_rolled_back_transaction_takes_no_number(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
        tx.timeline.add(entry(new_id()))
        raise ZeroDivisionError
    assert reads.cursor().seq == 0


def test_numbers_are_the_order_of_visibility(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    """A reader that has seen number n will never see a smaller one appear later: a cursor misses nothing."""
    writers, each = 4, 40
    done = threading.Event()
    seen: list[int] = []

    def write() -> None:
        for _ in range(each):
            with database.begin() as tx:
                tx.timeline.add(*(entry(new_id()) for _ in range(3)))

    def write_all() -> None:
        try:
            Racers().run(*[write] * writers)
        finally:
            done.set()

    def follow() -> None:
        while True:
            last = done.is_set()
            news = [one["seq"] for one in reads.entries_since(seen[-1] if seen else 0, 500)]
            seen.extend(news)
            if last and not news:
                return

    Racers().run(write_all, follow, seconds=60)
    assert seen == list(range(1, writers * each * 3 + 1))


def test_an_incident_knows_its_latest_line(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    one, other = opened(database), opened(database, incident("R-2"))
    with database.begin() as tx:
        tx.timeline.add(entry(one.id), entry(one.id))
    views = reads.incidents_by_id([one.id, other.id])
    assert (views[one.id]["seq"], views[other.id]["seq"]) == (4, 2)
