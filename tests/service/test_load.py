"""Whose seat an alarm is, floods and their spilling, on the real store; the clock is the test's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hub.ports import ReportSpan, SessionRow
from hub.service import Looked
from hub.store import ReadsPostgres
from tests.service.conftest import World


def sit(world: World, *names: str) -> None:
    """They are on duty at the console, for a day."""
    with world.database.begin() as tx:
        for name in names:
            user_id = world.actors[name].user_id
            assert user_id is not None
            token = f"token-{name}".encode()
            until = world.now + timedelta(days=1)
            tx.users.open_session(SessionRow(token, user_id, "console", world.now, world.now, until, on_duty=True))


def still_there(world: World, *names: str) -> None:
    with world.database.begin() as tx:
        for name in names:
            tx.users.touch_session(f"token-{name}".encode(), world.now, world.now + timedelta(days=1))


def residents(world: World, count: int) -> None:
    """More people with a watch each, all of one community."""
    with world.database.begin() as tx:
        tx.reference.upsert(
            "residents", [{"id": f"N{number}", "name": f"住户{number}", "area_id": "G3"} for number in range(count)]
        )
    for number in range(count):
        world.services.devices.add(f"NW{number}", "care", f"N{number}", world.actors["fanglei"])


def look(world: World) -> Looked:
    found = world.services.load.look()
    assert found is not None
    return found


def seats(world: World) -> dict[str, int]:
    rows = world.rows(
        "SELECT u.username, count(*) AS n FROM incident_seats s JOIN users u ON u.id = s.user_id GROUP BY 1 ORDER BY 1"
    )
    return {row["username"]: row["n"] for row in rows}


def now_loaded(world: World) -> dict[str, Any]:
    found: dict[str, Any] = ReadsPostgres(world.database).load_now(world.now)
    return found


def test_a_flooded_seat_spills_to_the_next_and_it_is_on_record(world: World) -> None:
    sit(world, "zhoumin", "liqiang")
    residents(world, 14)
    for number in range(10):
        world.press(f"NW{number}", "sos")
        world.now += timedelta(seconds=5)
        look(world)
    home = seats(world)
    assert list(home.values()) == [10], "one community, one home seat"
    (name,) = home
    other = ({"zhoumin", "liqiang"} - {name}).pop()
    for number in range(10, 14):
        world.press(f"NW{number}", "sos")
        world.now += timedelta(seconds=1)
        found = look(world)
        assert (found.spilled, found.seats, found.floods) == (1, 2, 1)
    assert seats(world) == {name: 10, other: 4}
    spilled = world.rows("SELECT body FROM timeline WHERE kind = 'spilled' ORDER BY seq")
    assert len(spilled) == 4
    assert (spilled[0]["body"]["from"], spilled[0]["body"]["to"], spilled[0]["body"]["rule"]) == (
        name,
        other,
        "spilled",
    )
    actions = [row["action"] for row in world.rows("SELECT action FROM audit WHERE starts_with(action, 'load.')")]
    assert actions.count("load.flood") == 1
    assert actions.count("load.spill") == 4
    view = now_loaded(world)
    assert (view["seats_in_flood"], len(view["spilled"]), view["alarms_last_10_min"]) == (1, 4, 14)
    assert view["mix"]["critical"]["n"] == 14

    # Ten calm minutes later it is over, and what comes new is at home again.
    world.now += timedelta(minutes=10)
    still_there(world, "zhoumin", "liqiang")
    assert look(world).floods == 0
    assert "load.flood_over" in [row["action"] for row in world.rows("SELECT action FROM audit")]


def test_a_second_press_stays_with_the_seat_that_has_the_first_and_counts(world: World) -> None:
    sit(world, "zhoumin", "liqiang")
    world.press("W1", "sos")
    look(world)
    first = seats(world)
    world.press("P1", "fall")
    world.press("W1", "sos")
    look(world)
    assert seats(world) == first
    assert world.row("SELECT count(*) AS n FROM seat_rings")["n"] == 1, "folded and not claimed: it rings already"


def test_tests_and_batteries_are_nobodys_load(world: World) -> None:
    sit(world, "zhoumin")
    world.press("W1", "low_battery")
    world.press("W1", "sos", test=True)
    assert look(world).rings == 0
    assert world.rows("SELECT * FROM incident_seats") == []


def test_a_ringing_that_is_only_repeated_is_no_further_alarm(world: World) -> None:
    sit(world, "zhoumin")
    world.press("W1", "sos")
    world.wait(70)
    still_there(world, "zhoumin")
    assert look(world).rings == 1, "rung again at 10, 30 and 60 s, and still one alarm"


def test_with_nobody_on_duty_it_is_said(world: World) -> None:
    world.press("W1", "sos")
    found = look(world)
    assert (found.rings, found.seats) == (1, 0)
    assert world.row("SELECT rule, user_id FROM incident_seats") == {"rule": "nobody", "user_id": None}
    assert now_loaded(world)["alarms_an_hour_a_seat"] is None


def test_hours_on_duty_floods_and_rings_make_the_report(world: World) -> None:
    sit(world, "zhoumin")
    start = world.now
    look(world)
    for second in range(120):
        world.now += timedelta(seconds=5)
        still_there(world, "zhoumin")
        if second % 10 == 0:
            world.press("W1" if second % 20 else "W2", "sos" if second < 20 else "assistance", ref=f"s{second}")
        look(world)
    reads = ReadsPostgres(world.database)
    span = ReportSpan(start - timedelta(minutes=10), world.now + timedelta(minutes=10))
    (row,) = reads.report_operator_load(span, "seat", "Asia/Shanghai")
    assert row["group"] == "zhoumin"
    assert row["duty_s"] == 600
    assert row["rings"] == 2, "two people; the rest folded"
    (day,) = reads.report_operator_load(span, "day", "Asia/Shanghai")
    assert (day["seats"], day["duty_s"]) == (1, 600)
    assert sum(row["duty_s"] for row in reads.report_operator_load(span, "hour", "Asia/Shanghai")) == 600


def test_no_hub_no_duty(world: World) -> None:
    sit(world, "zhoumin")
    look(world)
    world.now += timedelta(minutes=61)
    still_there(world, "zhoumin")
    look(world)
    assert world.rows("SELECT * FROM seat_load") == [], "nobody counted that hour"


def test_stale_shelved_and_chattering_are_counted(world: World) -> None:
    for _ in range(4):
        world.press("W1", "tamper")
        world.press("W2", "sos")
    world.now += timedelta(seconds=2)
    view = now_loaded(world)
    assert (view["live"], view["stale"], view["shelved"], view["chattering"]) == (1, 0, 1, 2)
    world.now += timedelta(hours=25)
    view = now_loaded(world)
    assert (view["stale"], view["stale_technical"], len(view["oldest_stale"])) == (1, 1, 1)


def test_bad_actors_are_devices_and_tests_do_not_count(world: World) -> None:
    for number in range(6):
        world.press("W1", "tamper")
        world.press("W1", "tamper", test=True)
        if number == 0:
            world.press("W2", "sos")
        world.now += timedelta(minutes=3)
    span = ReportSpan(world.now - timedelta(hours=1), world.now)
    total, actors, known = ReadsPostgres(world.database).bad_actor_counts(span, ("technical", "emergency"))
    assert total == 7
    assert {one.id: one.alarms for one in actors} == {"W1": 6, "W2": 1}
    assert known["W1"]["types"] == ["tamper"]
    assert json.dumps(known["W1"]["area"], ensure_ascii=False) == '"第3网格"'
