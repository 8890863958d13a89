"""Care plans: orders weeks ahead, each once; changes touch what nobody counts on; pauses, absence, holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from hub.errors import BadRequestError, ConflictError, NotFoundError
from tests.service.conftest import START, World
from tests.store.rows import Racers

WEEKLY = {
    "resident_id": "R1",
    "kind": "companionship",
    "rule": "FREQ=WEEKLY;BYDAY=MO",
    "begins": time(9),
    "ends": time(10),
}
MONDAYS = ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"]
"""The world begins on Sunday, 22 November 2026; four weeks ahead is 20 December."""


@pytest.fixture
def world(shared_world: World) -> World:
    """The shared place as it was in the beginning."""
    shared_world.now = START
    with shared_world.database.begin() as tx:
        session = tx.session.connection  # type: ignore[attr-defined]
        for table in ("assignments", "visits", "orders", "care_plans"):
            session.execute(f"DELETE FROM {table}")
        session.execute("UPDATE residents SET status = 'home', never_responders = '{}'")
        session.execute("UPDATE service_kinds SET active = true")
        session.execute("DELETE FROM holidays")
    return shared_world


def orders(world: World, *states: str) -> list[dict[str, Any]]:
    return world.rows(
        "SELECT o.id::text, o.occurrence_on::text AS on_, o.wanted_from, o.state, o.cancelled_by,"
        " o.wanted_to, o.reason, o.kind, o.note, v.planned_start, v.state AS visit"
        " FROM orders o JOIN visits v ON v.order_id = o.id"
        " WHERE cardinality(%s::text[]) = 0 OR o.state = ANY (%s) ORDER BY o.wanted_from",
        list(states),
        list(states),
    )


def days(world: World, *states: str) -> list[str]:
    return [row["on_"] for row in orders(world, *states)]


def add(world: World, **fields: Any) -> str:
    desk = world.services.everyday.care_plans
    return desk.add({**WEEKLY, **fields}, world.actors["fanglei"])[0]


def test_a_plan_gives_its_orders_weeks_ahead_each_once(world: World) -> None:
    desk = world.services.everyday.care_plans
    plan = add(world, note="带上棋盘", payer_hint="subsidy", preferred_responder_id="S2")
    assert days(world) == MONDAYS
    first = orders(world)[0]
    assert (first["wanted_from"], first["wanted_to"]) == (
        datetime(2026, 11, 23, 1, tzinfo=UTC),
        datetime(2026, 11, 23, 2, tzinfo=UTC),
    )
    assert (first["planned_start"], first["note"], first["state"]) == (first["wanted_from"], "带上棋盘", "requested")
    assert desk.top_up(10) == 0, "nothing has come within reach"
    world.now += timedelta(days=9)
    assert desk.top_up(10) == 1
    assert desk.top_up(10) == 0
    assert days(world) == [*MONDAYS, "2026-12-21", "2026-12-28"]
    view = desk.view(plan)
    assert (view["open_orders"], view["preferred_responder"]["name"], view["made_until"]) == (6, "何琳", "2026-12-29")


def test_jobs_beside_one_another_make_each_order_once(world: World) -> None:
    for _ in range(4):
        add(world, rule="FREQ=DAILY", holidays="skip")
    world.now += timedelta(days=5)
    Racers().run(*(lambda: world.services.everyday.care_plans.top_up(10) for _ in range(3)))
    assert world.row("SELECT count(*) AS n, count(DISTINCT (care_plan_id, occurrence_on)) AS d FROM orders") == {
        "n": 4 * 33,
        "d": 4 * 33,
    }


def test_a_change_touches_only_what_nobody_counts_on(world: World) -> None:
    desk, boss = world.services.everyday.care_plans, world.actors["fanglei"]
    with world.database.begin() as tx:
        tx.reference.patch("responders", "S2", {"skills": [{"skill": "companionship"}]}, version=None)
    plan = add(world)
    taken, told = (row["id"] for row in orders(world)[:2])
    world.services.dispatching.assign_order(taken, "S2", boss)
    with world.database.begin() as tx:
        tx.session.connection.execute(  # type: ignore[attr-defined]
            "UPDATE visits SET promised_from = planned_start, promised_to = planned_start WHERE order_id = %s", (told,)
        )
    done = desk.change(plan, {"begins": time(14), "ends": time(15), "note": "下午"}, boss, version=1)
    assert (done.changed, done.made, done.cancelled, set(done.kept)) == (2, 0, 0, {taken, told})
    assert [row["wanted_from"].hour for row in orders(world)] == [1, 1, 6, 6]
    assert [row["planned_start"].hour for row in orders(world)] == [1, 1, 6, 6]
    with pytest.raises(ConflictError, match="version"):
        desk.change(plan, {"note": "x"}, boss, version=1)
    # Another weekday: the promised Mondays stay, the others go, the Tuesdays come.
    done = desk.change(plan, {"rule": "FREQ=WEEKLY;BYDAY=TU"}, boss)
    assert (done.made, done.cancelled, set(done.kept)) == (4, 2, {taken, told})
    # And back: what the plan took away it gives back, as the same orders.
    done = desk.change(plan, {"rule": "FREQ=WEEKLY;BYDAY=MO"}, boss)
    assert (done.made, done.taken_up, done.cancelled) == (0, 2, 4)
    assert days(world, "requested", "assigned") == MONDAYS
    done = desk.change(plan, {"active": False}, boss, also_promised=True)
    assert (done.cancelled, done.kept) == (4, ())
    assert days(world, "requested", "assigned") == []
    assert world.row("SELECT state, reason FROM assignments") == {
        "state": "stood_down",
        "reason": "the care plan has ended",
    }


def test_what_a_person_cancelled_stays_cancelled(world: World) -> None:
    plan = add(world)
    world.services.care.cancel_order(orders(world)[0]["id"], world.actors["zhoumin"], "她去看医生")
    world.services.everyday.care_plans.change(plan, {"note": "x"}, world.actors["fanglei"])
    assert days(world, "requested") == MONDAYS[1:]
    assert orders(world, "cancelled")[0]["cancelled_by"] == "person"
    upcoming = world.services.everyday.care_plans.upcoming(plan, 2)["items"]
    assert upcoming[0]["order"]["state"] == "cancelled"
    assert upcoming[0]["order"]["reason"] == "她去看医生"


def test_hospital_takes_the_orders_away_and_home_brings_them_back(world: World) -> None:
    care, boss = world.services.care, world.actors["fanglei"]
    plan = add(world)
    care.set_resident_status("R1", "hospital", None, boss)
    assert days(world, "requested") == []
    assert {row["cancelled_by"] for row in orders(world)} == {"status"}
    world.now += timedelta(days=8)
    world.services.everyday.care_plans.top_up(10)
    assert days(world, "requested") == [], "nothing is ordered for somebody who is not there"
    assert world.services.everyday.care_plans.upcoming(plan, 1)["items"][0]["left_out"] == "absent"
    world.now += timedelta(days=1)
    care.set_resident_status("R1", "home", None, boss)
    # 1 December: two Mondays are over, two are taken up, two more have come within reach.
    assert days(world, "requested") == [*MONDAYS[2:], "2026-12-21", "2026-12-28"]
    assert {row["visit"] for row in orders(world, "requested")} == {"planned"}
    # Sick again, and back: they end and come once more, still each once.
    care.set_resident_status("R1", "away", None, boss)
    care.set_resident_status("R1", "home", None, boss)
    assert days(world, "requested") == [*MONDAYS[2:], "2026-12-21", "2026-12-28"]
    assert len(days(world)) == 6


def test_pauses_by_hand(world: World) -> None:
    desk, boss = world.services.everyday.care_plans, world.actors["fanglei"]
    plan = add(world)
    done = desk.pause(plan, date(2026, 11, 28), date(2026, 12, 7), "女儿来住", boss)
    assert done.cancelled == 2
    assert [(row["cancelled_by"], row["reason"]) for row in orders(world, "cancelled")] == [
        ("pause", "the care plan rests: 女儿来住")
    ] * 2
    assert days(world, "requested") == [MONDAYS[0], MONDAYS[3]]
    pause = desk.view(plan)["pauses"][0]["id"]
    world.now += timedelta(days=10)  # 2 December: one is over, one can still come
    assert desk.resume(plan, pause, boss).taken_up == 1
    assert MONDAYS[1] not in days(world, "requested")
    assert MONDAYS[2] in days(world, "requested")
    with pytest.raises(ConflictError, match="over"):
        desk.resume(plan, pause, boss)
    open_ended = desk.pause(plan, date(2026, 12, 3), None, "再说", boss)
    assert open_ended.cancelled == 4
    world.now += timedelta(days=30)
    desk.top_up(5)
    assert [row for row in orders(world, "requested") if row["wanted_from"] > world.now] == []
    with pytest.raises(BadRequestError, match="past"):
        desk.pause(plan, date(2026, 1, 1), date(2026, 1, 2), "x", boss)


def test_a_holiday_moves_an_order_and_a_changed_calendar_moves_it_back(world: World) -> None:
    world.services.rota.seed_holidays()
    plan = add(world, rule="FREQ=WEEKLY;BYDAY=FR", holidays="move")
    world.now += timedelta(days=14)
    world.services.everyday.care_plans.top_up(5)
    found = {row["on_"]: row["wanted_from"].date().isoformat() for row in orders(world, "requested")}
    assert found["2027-01-01"] == "2027-01-04"  # the Monday after New Year
    world.services.rota.set_holiday("2027-01-01", {"kind": "work", "name": "x"}, world.actors["fanglei"])
    assert world.services.everyday.care_plans.top_up(5) == 1
    found = {row["on_"]: row["wanted_from"].date().isoformat() for row in orders(world, "requested")}
    assert found["2027-01-01"] == "2027-01-01"
    assert world.services.everyday.care_plans.upcoming(plan, 5)["items"][-1]["on"] == date(2027, 1, 8)


def test_a_window_that_is_on_today_is_still_ordered_and_one_that_is_over_is_not(world: World) -> None:
    world.now = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # Monday, half past nine
    add(world)
    assert days(world)[0] == "2026-11-23"
    world.now = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
    add(world, resident_id="R2")
    assert [row["on_"] for row in orders(world)].count("2026-11-30") == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"kind": "massage"}, "kind"),
        ({"ends": time(8)}, "ends"),
        ({"ends_on": date(2020, 1, 1)}, "ends_on"),
        ({"starts_on": date(2028, 1, 1)}, "starts_on"),
        ({"kind": "nursing_visit", "duration_min": 20}, "duration_min"),
        ({"begins": None}, "begins"),
        ({"weather": "fine"}, "weather"),
    ],
)
def test_what_is_wrong_is_named(world: World, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        add(world, **fields)
    assert caught.value.extra["field"] == field
    assert world.rows("SELECT id FROM care_plans") == []


def test_what_is_not_there_is_named(world: World) -> None:
    for fields in ({"resident_id": "R9"}, {"preferred_responder_id": "S9"}, {"station_id": "X"}):
        with pytest.raises(NotFoundError):
            add(world, **fields)
    with world.database.begin() as tx:
        tx.reference.patch("residents", "R1", {"never_responders": ["S2"]}, version=None)
    with pytest.raises(BadRequestError, match="does not want"):
        add(world, preferred_responder_id="S2")


def test_a_kind_that_is_switched_off_makes_no_more_orders(world: World) -> None:
    everyday, boss = world.services.everyday, world.actors["fanglei"]
    add(world)
    everyday.kinds.change("companionship", {"active": False}, boss)
    world.now += timedelta(days=9)
    everyday.care_plans.top_up(5)
    assert days(world) == MONDAYS
    with pytest.raises(BadRequestError, match="switched off"):
        add(world)
