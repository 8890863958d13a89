"""Storing presses: put off to the COMMIT where nothing has to be waited for, and seen by whatever is asked before."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from hub.alarms.model import Incident
from hub.alarms.policy import DEFAULT_POLICY
from hub.errors import ConflictError, RaceLostError
from hub.ports import Transaction
from hub.store import PostgresDatabase
from tests.store.rows import FIX, GRID, NOW, alarm, entry, incident, key, opened, populate


def press(tx: Transaction, row: Incident, ref: str, folded: bool = False) -> None:
    first = alarm(ref, device_id=row.device_id, resident_id=row.resident_id)
    opening = [] if folded else [(row, FIX, (GRID,))]
    tx.store_presses(opening, [(row, None)] if folded else [], [(first, key(ref), row.id)])
    tx.timeline.add(entry(row.id, "raised"))


def counts(database: PostgresDatabase) -> tuple[int, int, int]:
    with psycopg.connect(database.url) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM incidents), (SELECT count(*) FROM alarms), (SELECT count(*) FROM timeline)"
        ).fetchone()
    assert found is not None
    return found[0], found[1], found[2]


@pytest.mark.parametrize("lane", ["main", "alarm"])
def test_what_is_put_off_is_written_with_the_commit(database: PostgresDatabase, lane: str) -> None:
    populate(database)
    with database.begin(lane) as tx:
        press(tx, incident(), "a")
    assert counts(database) == (1, 1, 1)


@pytest.mark.parametrize("lane", ["main", "alarm"])
def test_whatever_is_asked_after_a_press_sees_it(database: PostgresDatabase, lane: str) -> None:
    populate(database)
    row = incident()
    with database.begin(lane) as tx:
        press(tx, row, "a")
        found = tx.incidents.get(row.id)
        assert found is not None
        assert found.id == row.id
        assert tx.alarms.count_repeat([key("a")]) == {key("a"): ("a", "open")}


@pytest.mark.parametrize("lane", ["main", "alarm"])
@pytest.mark.parametrize("asks", [False, True], ids=["at the commit", "at the next question"])
def test_a_race_that_was_lost_undoes_everything(database: PostgresDatabase, lane: str, asks: bool) -> None:
    populate(database)
    opened(database)
    before = counts(database)
    with pytest.raises(RaceLostError), database.begin(lane) as tx:  # noqa: PT012
        press(tx, incident(), "late")
        if asks:
            tx.devices.get_many(["W-1"])
    assert counts(database) == before
    with database.begin(lane) as tx:
        assert tx.users.operators_on_duty(NOW) == 0, "the connection is as good as before"


def test_a_race_lost_beside_a_fold_undoes_everything(database: PostgresDatabase) -> None:
    populate(database)
    first = opened(database)
    before = counts(database)
    late = incident()
    presses = [(alarm("one"), key("one"), first.id), (alarm("two"), key("two"), late.id)]
    with pytest.raises(RaceLostError), database.begin("alarm") as tx:
        tx.store_presses([(late, FIX, (GRID,))], [(replace(first, alarm_count=2), None)], presses)
    assert counts(database) == before


def test_a_press_that_is_stored_already_undoes_everything(database: PostgresDatabase) -> None:
    populate(database)
    first = opened(database)
    before = counts(database)
    again = alarm("again", resident_id="R-2", device_id=None)
    with pytest.raises(ConflictError) as caught, database.begin("alarm") as tx:
        tx.store_presses([(late := incident("R-2"), FIX, (GRID,))], [], [(again, key(first.id), late.id)])
    assert caught.value.code == "repeat"
    assert counts(database) == before


def test_what_was_rolled_back_is_not_taken_for_stored(database: PostgresDatabase) -> None:
    """A policy is sent once a connection, and only a COMMIT counts."""
    populate(database)
    policy = replace(DEFAULT_POLICY, welfare_s=321)
    with pytest.raises(ZeroDivisionError), database.begin("alarm") as tx:  # noqa: PT012
        press(tx, incident(policy=policy), "gone")
        tx.devices.get_many(["W-1"])
        raise ZeroDivisionError
    for number, resident in enumerate(("R-1", "R-2")):
        with database.begin("alarm") as tx:
            press(tx, row := incident(resident, policy=policy), f"kept-{number}")
        with database.begin("alarm") as tx:
            found = tx.incidents.get(row.id)
            assert found is not None
            assert found.policy == policy
