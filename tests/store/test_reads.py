"""Views have the shapes of docs/wire/http-v1.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hub.clock import new_id, utc_now
from hub.errors import BadRequestError
from hub.ports import AlarmFilter, ObservationRow, OrderFilter
from hub.store import PostgresDatabase, ReadsPostgres, roll_up
from tests.store.paging import all_pages
from tests.store.rows import (
    CITY,
    FIX,
    GRID,
    NOW,
    STREET,
    add_user,
    assignment,
    at,
    entry,
    incident,
    opened,
    order,
    populate,
)


def fields(words: str) -> set[str]:
    return set(words.split())


INCIDENT = fields(
    "id number seq version state class type types priority subject resident device area fix alarms "
    "opened_at first_alarm_at last_alarm_at acknowledged_by acknowledged_at lease_until assignments "
    "due_at due_step reasons shelved_until shelve_reason disposition summary resolved_by resolved_at "
    "supervision supervised_by supervised_at on_scene under_way"
)
RESIDENT = fields("id name age sex phone address lat lon lives_alone status warnings")
ASSIGNMENT = fields(
    "id version incident_id visit_id responder state offered_at offered_by accepted_at en_route_at "
    "on_scene_at ended_at reason outcome reasons eta_s"
)
ALARM = fields(
    "id ref device_id type class priority observed_at received_at fix battery_pct test resident_id "
    "incident_id attributes note source"
)
ORDER = fields(
    "id number version kind state resident wanted_from wanted_to duration_min carers note attributes "
    "source created_at visit"
)
VISIT = fields("id order_id state planned_start started_at ended_at assignments outcome")
RECORDS = {
    "areas": "id parent_id kind name households lat lon boundary path",
    "stations": "id kind name area_id address phone lat lon",
    "residents": "id name sex born_on age phone address area lat lon lives_alone status status_since served"
    " ability_level conditions medications allergies languages flags access notes version",
    "contacts": "id resident_id name relation phone kind has_key position responder_id confirmed_on",
    "responders": "id name kind phone sex skills languages areas station_id lat lon position_at on_duty busy live mode",
    "crews": "id name vehicle equipment members",
    "shifts": "id responder_id starts_at ends_at role area_id rotation_id changed note",
    "rotations": "id name role area_id rule starts_on ends_on begins minutes members seats turn_unit turn_length phase"
    " days active made_until",
    "rota_cover": "id role area_id begins minutes days people active",
    "holidays": "id kind name source",
    "devices": "id family name model resident area_id online last_seen_at battery_pct interval_s profile version",
    "service_kinds": "id zh en skills any_skills duration_min carers priority personal",
    "users": "id username name role person_id active",
}


def plain(value: Any) -> None:
    """Fails where a value is not what JSON knows."""
    if isinstance(value, dict):
        for name, inner in value.items():
            assert isinstance(name, str)
            plain(inner)
    elif isinstance(value, list):
        for inner in value:
            plain(inner)
    else:
        assert value is None or isinstance(value, str | int | float | bool), value


def test_an_incident_as_the_wire_has_it(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    operator = add_user(database, "chen")
    row = opened(database)
    going = assignment(incident_id=row.id, reasons=({"code": "near", "text": "is near", "weight": 1.0, "values": {}},))
    with database.begin() as tx:
        tx.assignments.insert(going)
        tx.incidents.save(
            replace(row, state="acknowledged", acknowledged_by=operator, acknowledged_at=at(3), lease_until=at(123))
        )
    view = reads.incidents_by_id([row.id])[row.id]
    plain(view)
    assert view.keys() >= INCIDENT
    assert view["resident"].keys() >= RESIDENT
    assert view["resident"]["warnings"] == ["空巢", "过敏 青霉素"]
    assert view["resident"]["age"] >= 86
    assert view["device"].keys() >= {"id", "name", "family", "online", "battery_pct", "last_seen_at"}
    assert [one["id"] for one in view["area"]["path"]] == [CITY, STREET, GRID]
    assert view["acknowledged_by"] == {"id": operator, "name": "Chen"}
    assert view["assignments"][0].keys() >= ASSIGNMENT
    assert view["assignments"][0]["responder"] == {
        "id": "S-1",
        "name": "孙强",
        "kind": "grid_officer",
        "phone": None,
    }
    assert (view["fix"], view["alarms"], view["number"], view["seq"]) == (FIX, 1, 1, 1)
    assert datetime.fromisoformat(view["opened_at"]) == NOW
    assert datetime.fromisoformat(view["opened_at"]).tzinfo is not None


def test_an_incident_without_a_person_a_device_or_a_place(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    row = opened(database, incident(None, subject="alarm:x", area_id=None))
    view = reads.incidents_by_id([row.id, new_id(), "nonsense"])[row.id]
    assert (view["resident"], view["device"], view["area"], view["assignments"]) == (None, None, None, [])


def test_the_detail_of_an_incident(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    row = opened(database)
    view = reads.incident_detail(row.id)
    assert view is not None
    plain(view)
    assert view["alarm_rows"][0].keys() >= ALARM
    assert [one["id"] for one in view["contacts"]] == ["C-2", "C-1"], "in the order of calling"
    assert view["plan"]["steps"][0].keys() == {"code", "zh", "en", "after_s"}
    assert [step["after_s"] for step in view["plan"]["steps"]] == [10, 30, 60]
    assert view["resident_detail"].keys() >= fields(
        "conditions medications allergies ability_level languages hearing access notes"
    )
    assert view["calls"] == []
    assert reads.incident_detail(new_id()) is None
    assert reads.incident_detail("nonsense") is None


def test_the_timeline_of_an_incident_and_the_feed(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    row = opened(database)
    with database.begin() as tx:
        tx.timeline.add(*(entry(row.id, body={"n": number}) for number in range(7)))
        tx.timeline.add(entry("other"))
    pages = all_pages(lambda size, cursor: reads.timeline("incident", row.id, size, cursor), 3)
    assert pages == [str(seq) for seq in range(8, 0, -1)]
    line = reads.timeline("incident", row.id, 1, None).items[0]
    assert line.keys() >= {"seq", "at", "kind", "actor", "body"}
    feed = reads.entries_since(5, 2)
    assert [(one["seq"], one["subject_kind"], one["subject_id"]) for one in feed] == [
        (6, "incident", row.id),
        (7, "incident", row.id),
    ]
    assert str(reads.cursor()).endswith("-9")


def test_alarms(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    first, second = opened(database), opened(database, incident("R-2", opened_at=at(9)))
    page = reads.alarms(AlarmFilter(), 10, None)
    assert [item["incident_id"] for item in page.items] == [second.id, first.id]
    plain(page.items)
    assert page.items[0].keys() >= ALARM
    assert len(all_pages(lambda size, cursor: reads.alarms(AlarmFilter(states=["live"]), size, cursor), 1)) == 2
    assert [item["resident_id"] for item in reads.alarms(AlarmFilter(resident_id="R-1"), 9, None).items] == ["R-1"]
    assert [item["resident_id"] for item in reads.alarms(AlarmFilter(since=at(5)), 9, None).items] == ["R-2"]
    assert reads.alarms(AlarmFilter(types=["fall"]), 9, None).items == []
    assert len(reads.alarms(AlarmFilter(area_id=CITY, q="王秀"), 9, None).items) == 1
    found = reads.record("alarms", page.items[0]["id"])
    assert found is not None
    assert found.keys() >= ALARM
    assert len(reads.records("alarms", 9, None, incident_id=first.id).items) == 1


def test_orders_tasks_and_help(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    row = opened(database)
    meal, visit = order()
    tomorrow, tomorrows_visit = order(wanted_from=NOW + timedelta(days=1), wanted_to=NOW + timedelta(days=1))
    with database.begin() as tx:
        tx.orders.insert(meal, visit)
        tx.orders.insert(tomorrow, tomorrows_visit)
        tx.assignments.insert(assignment("S-1", visit_id=visit.id))
        tx.assignments.insert(assignment("S-1", incident_id=row.id, state="en_route", offered_at=at(90), eta_s=240))
        tx.assignments.insert(assignment("S-2", incident_id=row.id, state="declined"))
    view = reads.orders_by_id([meal.id])[meal.id]
    plain(view)
    assert view.keys() >= ORDER
    assert view["visit"].keys() >= VISIT
    assert view["visit"]["assignments"][0].keys() >= ASSIGNMENT
    assert reads.order_of_visit(visit.id) == view
    assert reads.order_of_visit(new_id()) is None
    assert all_pages(lambda size, cursor: reads.orders(OrderFilter(), size, cursor), 1) == [meal.id, tomorrow.id]
    today = OrderFilter(day_from=NOW, day_to=NOW + timedelta(days=1), kind="meal_delivery", states=["requested"])
    assert [item["id"] for item in reads.orders(today, 9, None).items] == [meal.id]
    tasks = reads.tasks_of("S-1")
    plain(tasks)
    assert [(task["incident"] is None, task["order"] is None, task["next"]) for task in tasks] == [
        (False, True, "on-scene"),
        (True, False, "accept"),
    ]
    assert reads.tasks_of("S-2") == []
    help_ = reads.help_of("R-1", NOW)
    assert help_ is not None
    assert help_["incident"]["id"] == row.id
    assert help_["coming"] == [{"name": "孙强", "kind": "grid_officer", "state": "en_route", "eta_s": 240}]
    assert [item["id"] for item in help_["today"]] == [meal.id]
    assert reads.help_of("none", NOW) is None


def test_the_counters_of_an_empty_queue(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    operator = add_user(database, "chen")
    row = opened(database)
    opened(database, incident("R-2", priority="high"))
    opened(database, incident("R-2", alarm_class="technical", type="low_battery", priority="low"))
    with database.begin() as tx:
        tx.incidents.save(replace(row, state="acknowledged", acknowledged_by=operator))
    summary = reads.summary(operator)
    plain(summary)
    assert summary["unclaimed"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    assert (summary["mine"], summary["technical_open"]) == (1, 1)
    assert summary["devices"] == {"online": 0, "total": 2}
    assert summary["cursor"] == str(reads.cursor())
    assert summary.keys() >= {"last_alarm_at", "server_time"}
    assert reads.summary(None)["mine"] == 0


def test_registers_have_the_fields_of_the_wire(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    add_user(database, "chen")
    with database.begin() as tx:
        tx.reference.insert("stations", {"id": "T-1", "kind": "meal_point", "name": "x", "area_id": GRID})
        tx.reference.insert("crews", {"id": "K-1", "name": "x", "members": ["S-1"]})
        tx.reference.insert(
            "shifts", {"responder_id": "S-1", "starts_at": NOW.isoformat(), "ends_at": at(9).isoformat()}
        )
        pattern = {"rule": "FREQ=DAILY", "starts_on": "2026-01-01", "begins": "08:00", "minutes": 480}
        tx.reference.insert("rotations", {"id": "N-1", "name": "x", "role": "guard", **pattern})
        tx.reference.insert("rota_cover", {"id": "V-1", "role": "guard", "area_id": GRID})
        tx.reference.insert("holidays", {"id": "2026-01-01", "kind": "off", "name": "元旦"})
    for table, names in RECORDS.items():
        page = reads.records(table, 500, None)
        plain(page.items)
        assert page.items
        for item in page.items:
            assert item.keys() >= fields(names)
            assert not item.keys() & {"secret_hash", "password_hash"}
            assert reads.record(table, item["id"]) == item
        ids = [item["id"] for item in page.items]
        assert all_pages(partial(reads.records, table), 1) == ids
        assert reads.record(table, "nothing") is None


def test_observations_raw_and_in_bins(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    with database.begin() as tx:
        tx.series.write(
            [],
            [
                ObservationRow(at(number + 30), at(number), "W-1", "R-1", "heart_rate_bpm", 60.0 + number)
                for number in range(0, 180, 20)
            ]
            + [
                ObservationRow(at(90_000), at(50), "W-1", "R-1", "heart_rate_bpm", 200.0, None, True),
                ObservationRow(at(10), at(10), "W-1", "R-2", "heart_rate_bpm", 1.0),
                ObservationRow(at(10), at(10), "W-1", "R-1", "spo2_pct", 97.0),
            ],
            [],
        )
    raw = reads.observations("R-1", "heart_rate_bpm", NOW, at(120), "raw")
    plain(raw.items)
    assert [point["value"] for point in raw.items] == [60.0, 80.0, 100.0, 200.0, 120.0, 140.0, 160.0]
    roll_up(database.url, utc_now(), minutes_kept=timedelta(days=36_500), mature=timedelta(0))
    bins = reads.observations("R-1", "heart_rate_bpm", NOW, at(180), "1m").items
    assert [(point["min"], point["max"], point["n"]) for point in bins] == [(60, 200, 4), (120, 160, 3), (180, 220, 3)]
    assert datetime.fromisoformat(bins[1]["at"]) == at(60)
    with pytest.raises(BadRequestError):
        reads.observations("R-1", "heart_rate_bpm", NOW, at(120), "fortnight")
    with pytest.raises(BadRequestError):
        reads.observations("R-1", "heart_rate_bpm", at(120), NOW, "raw")
