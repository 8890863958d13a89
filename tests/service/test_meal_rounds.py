"""Meals on their way: rounds planned, published and left with, the door, and who waits for whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from hub.errors import BadRequestError, ConflictError, ForbiddenError
from hub.planning.meals import solve_rounds
from tests.service.canteen import TOMORROW, XU, ZHOU, at, meal, open_canteen, order
from tests.service.conftest import World
from tests.service.test_ruling import incidents, ruled, says
from tests.waiting import wait_until


@pytest.fixture
def canteen(world: World) -> World:
    return open_canteen(world)


def rounds(world: World) -> str:
    """Lunch of tomorrow planned, published; gives the trip's id."""
    round_id = world.services.meals.rounds.ask("ST", TOMORROW, "lunch", XU, seconds=0.5)
    assert world.services.meals.rounds.run_one(solve_rounds)
    assert world.row("SELECT state, error FROM meal_rounds WHERE id = %s", round_id) == {
        "state": "ready",
        "error": None,
    }
    world.services.meals.rounds.publish(round_id, XU)
    return str(world.row("SELECT id FROM meal_trips WHERE round_id = %s", round_id)["id"])


def visit_of(world: World, order_id: str) -> str:
    return str(world.row("SELECT id FROM visits WHERE order_id = %s", order_id)["id"])


def test_a_round_is_planned_published_left_with_and_handed_over(canteen: World) -> None:
    one, two = order(canteen, "R1"), order(canteen, "R2")
    at(canteen, "09:30")
    trip = rounds(canteen)
    assert {meal(canteen, ident)["stop"] for ident in (one, two)} == {1, 2}
    courier = canteen.actors["wuqiang"]
    at(canteen, "10:50")
    canteen.services.meals.rounds.leave(trip, courier)
    canteen.services.meals.rounds.leave(trip, courier, at=canteen.now + timedelta(minutes=3))
    assert canteen.row("SELECT left_at FROM meal_trips WHERE id = %s", trip)["left_at"] == canteen.now
    assert {row["state"] for row in canteen.rows("SELECT state FROM assignments")} == {"accepted"}
    door = canteen.services.meals.door
    at(canteen, "11:00")
    visit = visit_of(canteen, one)
    assert door.tap(visit, "handed_over", courier, fix={"lat": 31.3396, "lon": 118.3962, "accuracy_m": 10})
    door.tap(visit, "handed_over", courier)
    at(canteen, "11:40")
    with pytest.raises(BadRequestError):
        door.tap(visit_of(canteen, two), "left_with", courier)
    with pytest.raises(ForbiddenError):
        door.tap(visit_of(canteen, two), "left_with", canteen.actors["helin"], left_with="邻居")
    door.tap(visit_of(canteen, two), "left_with", courier, left_with="邻居李师傅")
    first, second = meal(canteen, one), meal(canteen, two)
    assert (first["result"], first["minutes"], first["late"]) == ("handed_over", 10.0, False)
    assert (second["left_with"], second["minutes"], second["late"]) == ("邻居李师傅", 50.0, True)
    assert {row["state"] for row in canteen.rows("SELECT state FROM orders")} == {"completed"}
    checks = canteen.rows("SELECT kind, distance_m FROM visit_checks WHERE visit_id = %s ORDER BY kind", visit)
    assert [check["kind"] for check in checks] == ["in", "out"]
    assert incidents(canteen) == []
    with pytest.raises(ConflictError) as twice:
        canteen.services.meals.desk.serve("ST", {"resident_id": "R1"}, ZHOU)
    assert twice.value.code == "meal-served-twice"


def test_no_answer_and_no_motion_are_one_incident_with_both_reasons(canteen: World) -> None:
    order_id = order(canteen, "R1")
    at(canteen, "07:10")
    says(canteen, "motion")
    ruled(canteen)
    at(canteen, "09:30")
    trip = rounds(canteen)
    courier = canteen.actors["wuqiang"]
    at(canteen, "11:20")
    says(canteen, "present")  # the radar is heard, and somebody on the floor is somebody present
    canteen.services.meals.rounds.leave(trip, courier)
    assert incidents(canteen) == []
    visit = visit_of(canteen, order_id)
    canteen.services.meals.door.tap(visit, "no_answer", courier, note="敲门三次")
    (incident,) = incidents(canteen)
    assert (incident["type"], incident["class"], incident["priority"]) == ("inactivity", "emergency", "high")
    said = {reason["code"]: reason["text"] for reason in incident["reasons"]}
    assert said["no_answer"] == "no answer at the door at 11:20: lunch, stop 1 of 1"
    assert said["no_motion"] == "no motion since 07:10"
    assert canteen.row("SELECT state, reason FROM orders")["state"] == "aborted"
    canteen.services.meals.door.tap(visit, "no_answer", courier)
    assert canteen.services.meals.door.catch_up() == 0
    says(canteen, "present")
    ruled(canteen, 60)
    assert len(incidents(canteen)) == 1, "what the rules find besides joins it"
    assert incidents(canteen)[0]["id"] == meal(canteen, order_id)["incident_id"]
    # The door opens after all: the meal is there, the incident stays for a person to close.
    canteen.services.meals.door.tap(visit, "handed_over", courier)
    assert canteen.row("SELECT state FROM orders")["state"] == "completed"
    assert incidents(canteen)[0]["state"] == "open"
    notes = canteen.rows("SELECT body FROM timeline WHERE subject_kind = 'incident' AND kind = 'noted'")
    assert [one["body"]["door"] for one in notes] == ["handed_over"]


def test_a_closed_door_alone_is_a_weak_alarm_and_an_open_incident_takes_it_in(canteen: World) -> None:
    one, two = order(canteen, "R1"), order(canteen, "R2")
    at(canteen, "09:30")
    rounds(canteen)
    courier = canteen.actors["wuqiang"]
    at(canteen, "11:20")
    canteen.services.meals.door.tap(visit_of(canteen, one), "no_answer", courier)
    (incident,) = incidents(canteen)
    assert incident["priority"] == "medium"
    canteen.press("W2", "sos")
    before = {row["id"] for row in incidents(canteen)}
    canteen.services.meals.door.tap(visit_of(canteen, two), "no_answer", courier)
    assert {row["id"] for row in incidents(canteen)} == before
    joined = next(row for row in incidents(canteen) if row["resident_id"] == "R2")
    assert (joined["type"], joined["alarm_count"]) == ("sos", 2)
    assert "no_answer" in {reason["code"] for reason in joined["reasons"]}


def test_no_answer_on_the_ordinary_card_is_raised_too_and_a_withdrawn_order_is_not(canteen: World) -> None:
    one, two = order(canteen, "R1"), order(canteen, "R2")
    at(canteen, "10:50")
    for ident in (one, two):
        canteen.services.dispatching.assign_order(ident, "S3", XU)
    courier = canteen.actors["wuqiang"]
    rows = {str(row["visit_id"]): str(row["id"]) for row in canteen.rows("SELECT id, visit_id FROM assignments")}
    step = canteen.services.dispatching.step
    step(rows[visit_of(canteen, one)], "on-scene", courier)
    step(rows[visit_of(canteen, one)], "complete", courier, outcome="no_answer")
    assert incidents(canteen) == []
    assert canteen.services.meals.door.catch_up() == 1
    assert len(incidents(canteen)) == 1
    canteen.services.care.set_resident_status("R2", "hospital", "摔伤", XU)
    with pytest.raises(ConflictError):
        canteen.services.meals.door.tap(visit_of(canteen, two), "no_answer", courier)
    assert len(incidents(canteen)) == 1


def test_a_new_round_takes_back_what_has_not_left_and_keeps_the_refused_courier_away(canteen: World) -> None:
    one, two = order(canteen, "R1"), order(canteen, "R2")
    at(canteen, "09:30")
    rounds(canteen)
    with canteen.database.begin() as tx:
        tx.reference.upsert(
            "responders",
            [
                {
                    "id": "S4",
                    "name": "郑亮",
                    "kind": "courier",
                    "skills": [{"skill": "meal_delivery", "expires_on": None}],
                    "on_duty": True,
                    "mode": "bike",
                }
            ],
        )
        tx.reference.upsert("residents", [{"id": "R1", "name": "陈秀英", "never_responders": ["S3"]}])
    canteen.services.meals.rounds.ask("ST", TOMORROW, "lunch", XU, seconds=0.5)
    canteen.services.meals.rounds.run_one(solve_rounds)
    latest = str(canteen.row("SELECT id FROM meal_rounds WHERE state = 'ready'")["id"])
    canteen.services.meals.rounds.publish(latest, XU)
    live = canteen.rows(
        "SELECT o.id, s.responder_id FROM assignments s JOIN visits v ON v.id = s.visit_id"
        " JOIN orders o ON o.id = v.order_id WHERE s.state = 'offered'"
    )
    who = {str(row["id"]): row["responder_id"] for row in live}
    assert set(who) == {one, two}
    assert who[one] == "S4"
    states = canteen.rows("SELECT state FROM meal_rounds ORDER BY asked_at, id")
    assert [row["state"] for row in states] == ["superseded", "published"]


def test_a_plan_that_fails_says_why_and_one_cut_off_is_taken_up_again(canteen: World) -> None:
    order(canteen, "R1")
    asked = canteen.services.meals.rounds.ask("ST", TOMORROW, "lunch", XU)
    assert canteen.services.meals.rounds.run_one(lambda _problem, _seconds: None)
    assert canteen.row("SELECT state FROM meal_rounds")["state"] == "queued"

    def fails(_problem: Any, _seconds: float) -> Any:
        raise RuntimeError("killed")

    assert canteen.services.meals.rounds.run_one(fails)
    kept = canteen.row("SELECT state, error FROM meal_rounds WHERE id = %s", asked)
    assert kept == {"state": "failed", "error": "planning failed: RuntimeError: killed"}
    assert not canteen.services.meals.rounds.run_one(solve_rounds)
    with pytest.raises(ConflictError):
        canteen.services.meals.rounds.publish(asked, XU)


def test_a_point_that_cooks_no_more_stands_in_no_other_rounds_way(canteen: World) -> None:
    order(canteen, "R1")
    order(canteen, "R2", station_id="FAR", meal="dinner")
    rounds_of = canteen.services.meals.rounds
    first = rounds_of.ask("ST", TOMORROW, "lunch", XU)
    canteen.now += timedelta(seconds=1)
    second = rounds_of.ask("FAR", TOMORROW, "dinner", XU, seconds=0.5)
    canteen.services.meals.kitchen.set_point("ST", {"hours": {"lunch": None}}, XU)
    assert rounds_of.run_one(solve_rounds)
    assert rounds_of.run_one(solve_rounds)
    states = {str(row["id"]): (row["state"], row["error"]) for row in canteen.rows("SELECT * FROM meal_rounds")}
    assert states == {first: ("failed", "柳岸食堂 does not serve lunch any more"), second: ("ready", None)}


def test_the_canteen_and_whoever_changes_the_order_wait_for_one_another_in_one_order(canteen: World) -> None:
    """Orders before points: else each holds what the other waits for, and one of them fails."""
    eaten = order(canteen, "R1", mode="dine_in")
    at(canteen, "11:20")
    with ThreadPoolExecutor(1) as desk:
        with canteen.database.begin() as tx:
            assert tx.orders.get(eaten, lock=True) is not None
            served = desk.submit(canteen.services.meals.desk.serve, "ST", {"resident_id": "R1"}, ZHOU)
            waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            wait_until(lambda: bool(canteen.rows(waiting)), 30)
            assert tx.meals.point("ST", lock=True) is not None
        assert served.result(30).order_id == eaten
