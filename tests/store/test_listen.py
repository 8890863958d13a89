"""Wake-ups and the lead: both survive what happens to connections."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from hub.clock import monotonic, new_id
from hub.errors import UnavailableError
from hub.ports import DueRow, OutboxRow, Transaction
from hub.store import Listener, PostgresDatabase, acquire_lead
from tests.store.rows import NOW, entry
from tests.store.test_transaction import kill_all
from tests.waiting import wait_until


def quiet(listener: Listener) -> None:
    """Connected, and nothing left from before."""
    wait_until(lambda: listener.wait(0.5), what="the first connection")
    assert not listener.wait(0.0)


def test_each_channel_wakes_for_its_own(database: PostgresDatabase) -> None:
    channels: dict[str, Callable[[Transaction], None]] = {
        "care_hub_feed": lambda tx: tx.timeline.add(entry(new_id())),
        "care_hub_due": lambda tx: tx.due.set(DueRow("incident", new_id(), "lease", NOW)),
        "care_hub_outbox": lambda tx: tx.outbox.add(OutboxRow("device", "W-1", {}, NOW, NOW)),
    }
    for channel, act in channels.items():
        with Listener(database.url, [channel]) as listener:
            quiet(listener)
            for other, act_otherwise in channels.items():
                if other != channel:
                    with database.begin() as tx:
                        act_otherwise(tx)
            assert not listener.wait(0.1)
            with database.begin() as tx:
                act(tx)
            assert listener.wait(5.0)
            assert not listener.wait(0.0), "taken once"


def test_a_due_row_tells_when_and_only_an_early_one_wakes(database: PostgresDatabase) -> None:
    told: list[float] = []

    def early(text: str) -> bool:
        told.append(float(text))
        return told[-1] < (NOW + timedelta(seconds=5)).timestamp()

    with Listener(database.url, ["care_hub_due"]) as listener:
        quiet(listener)
        late, soon = (DueRow("incident", new_id(), "lease", NOW + timedelta(seconds=s)) for s in (30, 3.25))
        with database.begin() as tx:
            tx.due.set(late)
        assert not listener.wait(0.2, early)
        with database.begin() as tx:
            tx.due.set(late, soon)  # the earliest of all that were set together
        assert listener.wait(5.0, early)
    assert told == [late.due_at.timestamp(), soon.due_at.timestamp()]


def test_what_is_told_beside_the_timeline_is_heard_once_committed_and_written_nowhere(
    database: PostgresDatabase,
) -> None:
    told: list[str] = []

    def heed(text: str) -> bool:
        told.append(text)
        return not text

    with Listener(database.url, ["care_hub_feed"]) as listener:
        quiet(listener)
        with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
            tx.timeline.beside("responder.moved", {"responder_id": "S-0"})
            raise ZeroDivisionError
        with database.begin() as tx:
            tx.timeline.beside("responder.moved", {"responder_id": "S-1", "position_at": NOW}, ["S-1"])
            tx.timeline.beside("presence.updated", {"present": ["很" * 8_000]})
            tx.timeline.add(entry(new_id()))
        wait_until(lambda: listener.wait(0.5, heed), what="the line of the timeline")
        wait_until(lambda: len(told) == 3, what="all three")
    bodies = {one["event"]: one for one in map(json.loads, filter(None, told))}
    moved = {"responder_id": "S-1", "position_at": NOW.isoformat().replace("+00:00", "Z")}
    assert bodies["responder.moved"] == {"event": "responder.moved", "body": moved, "responders": ["S-1"]}
    assert bodies["presence.updated"]["body"] == {}, "too much for a notification: pages ask"
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM timeline").fetchone() == (1,)


def test_nothing_written_wakes_nobody(database: PostgresDatabase) -> None:
    with Listener(database.url, ["care_hub_feed", "care_hub_due", "care_hub_outbox"]) as listener:
        quiet(listener)
        with pytest.raises(ZeroDivisionError), database.begin() as tx:  # noqa: PT012
            tx.timeline.add(entry(new_id()))
            raise ZeroDivisionError
        with database.begin() as tx:
            tx.due.clear("incident", new_id())
        assert not listener.wait(0.2)


def test_a_wait_under_way_ends_when_it_is_woken(database: PostgresDatabase) -> None:
    with Listener(database.url, ["care_hub_feed"]) as listener:
        quiet(listener)
        woken: list[bool] = []
        waiter = threading.Thread(target=lambda: woken.append(listener.wait(20.0)))
        waiter.start()
        with database.begin() as tx:
            tx.timeline.add(entry(new_id()))
        waiter.join(10.0)
        assert woken == [True]


def test_a_lost_connection_is_made_anew_and_wakes(database: PostgresDatabase) -> None:
    with Listener(database.url, ["care_hub_feed"]) as listener:
        quiet(listener)
        kill_all(database.url)
        wait_until(lambda: listener.wait(0.5), what="a wake-up after the connection was lost")
        with database.begin() as tx:
            tx.timeline.add(entry(new_id()))
        wait_until(lambda: listener.wait(0.5), what="a wake-up on the new connection")


def test_closing_ends_a_wait_at_once(database_url: str) -> None:
    listener = Listener(database_url, ["care_hub_feed"])
    quiet(listener)
    begin = monotonic()
    waiter = threading.Thread(target=lambda: listener.wait(30.0))
    waiter.start()
    listener.close()
    waiter.join(10.0)
    assert not waiter.is_alive()
    assert monotonic() - begin < 10.0
    assert not listener.wait(1.0)
    listener.close()


def test_without_a_database_waiting_is_patient() -> None:
    with Listener("postgresql://hub@127.0.0.1:1/hub", ["care_hub_feed"]) as listener:
        assert not listener.wait(0.05)
        assert not listener.wait(0.05)


def test_one_has_the_lead(database_url: str) -> None:
    first = acquire_lead(database_url)
    assert first is not None
    with first:
        assert acquire_lead(database_url) is None
        assert first.held()
    second = wait_until(lambda: acquire_lead(database_url), what="the lead that was given back")
    assert second is not None
    with second:
        assert second.held()


def test_a_lead_whose_connection_was_lost_is_taken_again_or_given_up(database_url: str) -> None:
    first = acquire_lead(database_url)
    assert first is not None
    with first:
        kill_all(database_url)
        assert first.held(), "nobody else wanted it"
        kill_all(database_url)
        second = wait_until(lambda: acquire_lead(database_url), what="the lead that was lost")
        assert second is not None
        with second:
            assert not first.held()


def test_while_the_database_is_away_nobody_takes_the_lead(database_url: str) -> None:
    first = acquire_lead(database_url)
    assert first is not None
    with first:
        kill_all(database_url)
        first._url = "postgresql://hub@127.0.0.1:1/hub"
        assert first.held()
    with pytest.raises(UnavailableError):
        acquire_lead("postgresql://hub@127.0.0.1:1/hub")
