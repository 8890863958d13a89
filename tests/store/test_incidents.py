"""Incidents and who is sent: what the database itself guarantees."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from hub.alarms.model import Incident, Reason
from hub.alarms.policy import DEFAULT_POLICY
from hub.clock import new_id
from hub.errors import ConflictError, ForbiddenError, NotFoundError
from hub.store import PostgresDatabase
from tests.store.rows import (
    CITY,
    FIX,
    GRID,
    STREET,
    Racers,
    add_user,
    assignment,
    at,
    incident,
    opened,
    order,
    populate,
)


def test_an_incident_comes_back_as_it_was_written(database: PostgresDatabase) -> None:
    populate(database)
    operator = add_user(database, "op")
    policy = replace(DEFAULT_POLICY, welfare_s=333)
    row = opened(database, incident(policy=policy, summary="x"))
    full = replace(
        row,
        state="acknowledged",
        types=("sos", "fall"),
        priority="high",
        last_alarm_at=at(9),
        alarm_count=3,
        acknowledged_by=operator,
        acknowledged_at=at(5),
        lease_until=at(125),
        summary="on the phone",
        shelved_until=at(600),
        shelve_reason="family is there",
        under_way=True,
        on_scene=True,
        plan_round=2,
        reasons=(Reason("fall_too", "a fall was seen too", {"n": 2, "sure": True, "none": None}),),
        version=2,
    )
    with database.begin() as tx:
        tx.incidents.save(full)
    with database.begin() as tx:
        stored = tx.incidents.get(row.id, lock=True)
        assert stored is not None
        assert stored.fix is not None
        assert (stored.fix["lat"], stored.fix["lon"]) == (31.23, 121.48)
        assert replace(stored, fix=None) == full
        assert tx.incidents.get(new_id()) is None
        assert tx.incidents.get("no id at all") is None
        tx.incidents.save(full, fix={"lat": 31.5, "lon": 121.5})
        tx.incidents.save(full)
        moved = tx.incidents.get(row.id)
        assert moved is not None
        assert moved.fix == {"lat": 31.5, "lon": 121.5}
        tx.incidents.set_fix(row.id, {"lat": 31.6, "lon": 121.6})
        assert tx.incidents.get(row.id) == replace(full, fix={"lat": 31.6, "lon": 121.6})
        with pytest.raises(NotFoundError):
            tx.incidents.save(incident(id=new_id()))


def test_the_first_acknowledgement_is_kept(database: PostgresDatabase) -> None:
    populate(database)
    operator = add_user(database, "op")
    row = opened(database)
    with database.begin() as tx:
        tx.incidents.save(replace(row, state="acknowledged", acknowledged_by=operator, acknowledged_at=at(5)))
        tx.incidents.save(replace(row, state="open"))
        tx.incidents.save(replace(row, state="acknowledged", acknowledged_by=operator, acknowledged_at=at(500)))
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT first_acknowledged_at FROM incidents").fetchone() == (at(5),)


def test_one_live_incident_for_a_subject_and_class(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        assert not tx.incidents.insert(incident(), fix=None, area_path=[])
        assert tx.incidents.insert(incident(alarm_class="technical", type="low_battery"), fix=None, area_path=[])
        third = incident("R-2")
        inserted = tx.incidents.insert_many([(incident(), None, []), (third, FIX, [CITY])])
        assert inserted == {third.id}
        live = tx.incidents.lock_live(
            [("resident:R-1", "emergency"), ("resident:R-2", "emergency"), ("resident:R-2", "health")]
        )
    assert {subject: one.id for (subject, _), one in live.items()} == {"resident:R-1": row.id, "resident:R-2": third.id}


def test_a_resolved_incident_never_absorbs(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.incidents.save(replace(row, state="resolved", disposition="genuine", resolved_at=at(9)))
        assert tx.incidents.lock_live([("resident:R-1", "emergency")]) == {}
        assert tx.incidents.insert(incident(), fix=None, area_path=[])


def test_of_racing_presses_one_opens_and_the_others_find_it(database: PostgresDatabase) -> None:
    populate(database)

    def press() -> str:
        for _ in range(5):
            with database.begin("alarm") as tx:
                live = tx.incidents.lock_live([("resident:R-1", "emergency")])
                found = live.get(("resident:R-1", "emergency"))
                if found is not None:
                    tx.incidents.save(replace(found, alarm_count=found.alarm_count + 1, version=found.version + 1))
                    return "joined"
                if tx.incidents.insert(incident(), fix=None, area_path=[]):
                    return "opened"
        raise AssertionError("neither opened nor found in five tries")

    done = Racers().run(*[press] * 8)
    assert sorted(done) == ["joined"] * 7 + ["opened"]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*), max(alarm_count) FROM incidents").fetchone() == (1, 8)


def test_batches_that_lock_the_same_subjects_in_any_order_do_not_block_for_good(database: PostgresDatabase) -> None:
    populate(database)
    opened(database)
    opened(database, incident("R-2"))
    forwards = [("resident:R-1", "emergency"), ("resident:R-2", "emergency")]

    def bump(subjects: list[tuple[str, str]]) -> None:
        for _ in range(15):
            with database.begin() as tx:
                live = tx.incidents.lock_live(subjects)  # type: ignore[arg-type]
                assert len(live) == 2
                tx.incidents.save_many(
                    [
                        (replace(one, alarm_count=one.alarm_count + 1, version=one.version + 1), None)
                        for one in live.values()
                    ]
                )

    Racers().run(
        lambda: bump(forwards), lambda: bump(forwards[::-1]), lambda: bump(forwards), lambda: bump(forwards[::-1])
    )
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT min(alarm_count), max(alarm_count) FROM incidents").fetchone() == (61, 61)


def resolved(database: PostgresDatabase, by: str) -> Incident:
    row = opened(database)
    done = replace(
        row, state="resolved", disposition="genuine", resolved_by=by, resolved_at=at(60), supervision="required"
    )
    with database.begin() as tx:
        tx.incidents.save(done)
    return done


def test_nobody_supervises_what_they_resolved(database: PostgresDatabase) -> None:
    populate(database)
    one, other = add_user(database, "one"), add_user(database, "other", "supervisor")
    row = resolved(database, one)
    with pytest.raises(ForbiddenError, match="cannot supervise"), database.begin() as tx:
        tx.incidents.supervise(row.id, one, at(70))
    with pytest.raises(ForbiddenError, match="cannot supervise"), database.begin() as tx:
        tx.incidents.save(replace(row, supervision="done", supervised_by=one, supervised_at=at(70)))
    with pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(database.url) as connection:
        connection.execute("UPDATE incidents SET supervised_by = resolved_by")
    with database.begin() as tx:
        tx.incidents.supervise(row.id, other, at(70))
        found = tx.incidents.get(row.id)
    assert found is not None
    assert (found.supervision, found.supervised_by, found.supervised_at) == ("done", other, at(70))


def test_a_policy_is_kept_once_and_for_good(database: PostgresDatabase) -> None:
    populate(database)
    opened(database)
    opened(database, incident("R-2"))
    other = opened(database, incident(alarm_class="technical", policy=replace(DEFAULT_POLICY, welfare_s=77)))
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM escalation_policies").fetchone() == (2,)
    with database.begin() as tx:
        found = tx.incidents.get(other.id)
    assert found is not None
    assert found.policy.welfare_s == 77


def test_a_responder_is_under_way_to_one_matter(database: PostgresDatabase) -> None:
    populate(database)
    one, two = opened(database), opened(database, incident("R-2"))
    first, second = assignment(incident_id=one.id), assignment(incident_id=two.id)
    with database.begin() as tx:
        tx.assignments.insert(first)
        tx.assignments.insert(second)
        tx.assignments.save(replace(first, state="en_route", en_route_at=at(5), version=2))
    with database.begin() as tx:
        with pytest.raises(ConflictError) as caught:
            tx.assignments.save(replace(second, state="en_route", en_route_at=at(9), version=2))
        assert caught.value.code == "under-way-elsewhere"
        assert caught.value.extra["incident_id"] == one.id
        # The transaction goes on after the refusal.
        tx.assignments.save(replace(first, state="completed", ended_at=at(10), version=3))
        tx.assignments.save(replace(second, state="en_route", en_route_at=at(11), version=2))
        under_way = tx.assignments.under_way("S-1")
    assert under_way is not None
    assert (under_way.id, under_way.state, under_way.en_route_at) == (second.id, "en_route", at(11))


def test_of_racing_departures_one_wins(database: PostgresDatabase) -> None:
    populate(database)
    rows = [assignment(incident_id=opened(database, incident(resident)).id) for resident in ("R-1", "R-2")]
    with database.begin() as tx:
        for row in rows:
            tx.assignments.insert(row)

    def leave(number: int) -> str:
        try:
            with database.begin() as tx:
                tx.assignments.save(replace(rows[number], state="en_route"))
        except ConflictError as error:
            return str(error.extra["incident_id"])
        return "gone"

    done = Racers().run(lambda: leave(0), lambda: leave(1))
    assert done.count("gone") == 1
    assert next(word for word in done if word != "gone") == rows[done.index("gone")].incident_id


def test_a_responder_has_one_live_assignment_to_a_matter(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    first = assignment(incident_id=row.id)
    with database.begin() as tx:
        tx.assignments.insert(first)
        with pytest.raises(ConflictError) as caught:
            tx.assignments.insert(assignment(incident_id=row.id))
        assert caught.value.code == "already-assigned"
        tx.assignments.insert(assignment("S-2", incident_id=row.id))
        tx.assignments.save(replace(first, state="declined", ended_at=at(5), reason="far away", version=2))
        tx.assignments.insert(assignment(incident_id=row.id))
        assert [one.state for one in tx.assignments.of_incident(row.id)].count("offered") == 2
        assert tx.assignments.get(first.id, lock=True) == replace(
            first, state="declined", ended_at=at(5), reason="far away", version=2
        )
        with pytest.raises(NotFoundError):
            tx.assignments.save(assignment(incident_id=row.id, id=new_id(), state="declined"))


def test_responders_with_their_work_keys_and_acquaintances(database: PostgresDatabase) -> None:
    populate(database)
    row = opened(database)
    done = assignment("S-2", incident_id=row.id)
    with database.begin() as tx:
        tx.assignments.insert(done)
        tx.assignments.save(replace(done, state="completed", ended_at=at(9)))
        tx.assignments.insert(assignment("S-1", incident_id=row.id))
        tx.assignments.insert(assignment("S-1", incident_id=opened_elsewhere(database), state="on_scene"))
    with database.begin() as tx:
        found = {one.id: one for one in tx.responders.on_duty([CITY, STREET, GRID])}
        assert set(found) == {"S-1", "S-2"}, "S-3 is off duty"
        assert (found["S-1"].busy, found["S-1"].live, found["S-1"].keyholder_for) == (True, 1, frozenset({"R-1"}))
        assert (found["S-2"].busy, found["S-2"].known_to) == (False, frozenset({"R-1"}))
        assert found["S-2"].skills["first_response"] is None
        assert found["S-2"].place is not None
        assert [one.id for one in tx.responders.on_duty(["999"])] == ["S-2"], "S-2 serves everywhere, S-1 one street"
        assert [one.id for one in tx.responders.on_duty([])] == ["S-1", "S-2"]
        assert [one.id for one in tx.responders.everyone()] == ["S-1", "S-2", "S-3"]
        tx.responders.moved("S-1", 31.1, 121.1, at(50))
        tx.responders.moved("S-1", 0.0, 0.0, at(40))
        tx.responders.set_on_duty("S-1", False)
        moved = tx.responders.get("S-1")
        assert tx.responders.get("none") is None
        with pytest.raises(NotFoundError):
            tx.responders.set_on_duty("none", True)
    assert moved is not None
    assert moved.place is not None
    assert (moved.place.lat, moved.position_at, moved.on_duty) == (31.1, at(50), False)


def opened_elsewhere(database: PostgresDatabase) -> str:
    return opened(database, incident("R-2")).id


def test_orders_come_back_as_they_were_written(database: PostgresDatabase) -> None:
    populate(database)
    row, visit = order(attributes={"dish": "low salt"}, note="三楼")
    with database.begin() as tx:
        tx.orders.insert(row, visit)
    with database.begin() as tx:
        assert tx.orders.get(row.id) == (row, visit)
        assert tx.orders.of_visit(visit.id, lock=True) == (row, visit)
        assert tx.orders.get(new_id()) is None
        assert tx.orders.get("nothing") is None
        assert tx.orders.open_of_resident("R-1") == [(row, visit)]
        over = replace(row, state="cancelled", reason="away", version=2), replace(visit, state="cancelled", version=2)
        tx.orders.save(*over)
        assert tx.orders.get(row.id, lock=True) == over
        assert tx.orders.open_of_resident("R-1") == []
        with pytest.raises(NotFoundError):
            tx.orders.save(replace(row, id=new_id()), visit)


def test_the_state_rules_of_the_table_hold_whoever_writes(database: PostgresDatabase) -> None:
    populate(database)
    opened(database)
    with pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(database.url) as connection:
        connection.execute("UPDATE incidents SET state = 'resolved'")
