"""Orders of places where nobody lives, on the routes of a day: planned, told, frozen and left out like any visit."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from tests.service.day_world import DayWorld, at


@pytest.fixture
def hall(day: DayWorld) -> DayWorld:
    """A gateway in a hall of the grid, with a low battery; a technician and a carer on duty."""
    with psycopg.connect(day.world.url) as connection:
        connection.execute("UPDATE areas SET lat = 31.345, lon = 118.402 WHERE id = 'G3'")
        connection.execute("UPDATE devices SET resident_id = NULL, area_id = 'G3' WHERE id IN ('W1', 'W2')")
    day.carer("T", "device_service", sex="m")
    day.carer("A", "companionship")
    return day


def repair(day: DayWorld, device: str = "W2", begins: str = "09:00", ends: str = "11:00") -> str:
    day.world.press(device, "low_battery")
    incident = day.world.row("SELECT id FROM incidents WHERE device_id = %s", device)["id"]
    wanted = {"wanted_from": at(begins), "wanted_to": at(ends)}
    return day.world.services.repairs.order(str(incident), wanted, day.coordinator)


def told(day: DayWorld) -> set[str]:
    return {row["party"] for row in day.world.rows("SELECT DISTINCT party FROM notices WHERE lane = 'routine'")}


def test_a_repair_where_nobody_lives_is_a_visit_at_its_place(hall: DayWorld) -> None:
    order = repair(hall)
    home = hall.order("companionship", "D1", "09:00", "10:00")
    plan_id = hall.plan()
    row = hall.row(plan_id)
    assert (row.state, row.unplanned, row.conflicts) == ("ready", (), ())
    planned = hall.planned(plan_id)
    assert planned[order][0] == ("T",), "only the technician has the skill"
    assert "09:00:00" <= planned[order][1] <= "11:00:00"
    (change,) = [one for one in row.changes if one["order_id"] == order]
    assert change["resident"] is None
    assert change["area"] == {"id": "G3", "name": "第3网格"}
    assert change["tell"] == ["responder"], "nobody lives there"
    stop = hall.world.row(
        "SELECT s.why, s.arrive_at, r.travel_s FROM route_stops s JOIN routes r ON r.id = s.route_id"
        " JOIN visits v ON v.id = s.visit_id WHERE r.plan_id = %s AND v.order_id = %s",
        plan_id,
        order,
    )
    assert {"only", "travel"} <= {why["code"] for why in stop["why"]}
    assert stop["travel_s"] > 60, "the way to the middle of its area"
    hall.publish(plan_id)
    assert hall.stands() == planned
    assert told(hall) == {"resident:D1", "responder:T", "responder:A"}
    why = hall.world.services.day.plans.why(plan_id, str(hall.visit(order)["id"]))
    assert why["responder_ids"] == ["T"]
    assert {one["responder_ids"][0] for one in why["alternatives"]} == {"A"}
    assert home in hall.stands()


def test_what_was_accepted_at_a_place_stays_and_gives_way_to_an_illness(hall: DayWorld) -> None:
    first = repair(hall)
    hall.publish(hall.plan())
    hall.accept_all()
    before = hall.stands()
    hall.carer("U", "device_service")
    hall.world.now = at("08:05")
    urgent = repair(hall, "W1", "09:30", "10:00")
    plan_id = hall.replan({"kind": "urgent", "order_id": urgent})
    after = hall.planned(plan_id)
    assert after[first] == before[first], "accepted: it does not move"
    assert urgent in after
    hall.publish(plan_id, accepted=True)
    frozen = hall.world.row(
        "SELECT s.frozen FROM route_stops s JOIN routes r ON r.id = s.route_id JOIN visits v ON v.id = s.visit_id"
        " WHERE r.plan_id = %s AND v.order_id = %s",
        plan_id,
        first,
    )
    assert frozen["frozen"] == "promised"
    who = before[first][0][0]
    again = hall.replan({"kind": "ill", "responder_id": who, "from": at("08:10")})
    assert {carer for carers, _ in hall.planned(again).values() for carer in carers} == {"U"}
    check = hall.world.services.day.replans.check(
        at("08:00").date(), {"kind": "swap", "visit_id": str(hall.visit(first)["id"]), "responder_id": "A"}
    )
    assert [one["code"] for one in check["conflicts"] if one["hard"]] == ["skill"]


def test_a_place_nobody_can_find_or_serve_says_why(hall: DayWorld) -> None:
    order = repair(hall)
    with psycopg.connect(hall.world.url) as connection:
        connection.execute("UPDATE areas SET lat = NULL, lon = NULL WHERE id = 'G3'")
    (left,) = hall.row(hall.plan()).unplanned
    assert (left["order_id"], left["code"], left["resident"]) == (order, "no-place", None)
    assert left["reason_zh"].startswith("片区")
    with psycopg.connect(hall.world.url) as connection:
        connection.execute("UPDATE areas SET lat = 31.345, lon = 118.402 WHERE id = 'G3'")
        connection.execute("UPDATE responders SET skills = '[]' WHERE id = 'T'")
    (left,) = hall.row(hall.plan()).unplanned
    assert (left["code"], left["area"]["name"]) == ("no-skill", "第3网格")


def test_a_repair_ordered_in_the_evening_is_done_in_the_morning(hall: DayWorld) -> None:
    evening = at("20:30") - timedelta(days=1)
    hall.world.now = evening
    hall.world.press("W2", "low_battery")
    incident = hall.world.row("SELECT id FROM incidents WHERE device_id = 'W2'")["id"]
    order = hall.world.services.repairs.order(str(incident), {}, hall.coordinator)
    who, start = hall.planned(hall.plan())[order]
    assert who == ("T",)
    assert start < "12:00:00", "a place keeps no hours: it opens with the shift"
