"""Days planned, published and changed on a real database, by the planner's own process."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch import HaversineTravel, Mode, Place, Way
from hub.clock import new_id
from hub.errors import BadRequestError, ConflictError
from hub.planning.warm import PlannerDiedError, WarmPlanner
from hub.service import DayPlanning
from tests.service.conftest import World
from tests.service.day_world import CHINA, DAY, DayWorld, at
from tests.waiting import wait_until


def _staffed(day: DayWorld) -> list[str]:
    """Three carers, a bathing pair with a van, eight orders."""
    for carer in ("A", "B", "C"):
        day.carer(carer, "care", "companionship", "housekeeping")
    day.carer("M1", "bathing", mode="van")
    day.carer("M2", "bathing", mode="van")
    with day.world.database.begin() as tx:
        tx.reference.upsert("crews", [{"id": "V1", "name": "助浴车", "members": ["M1", "M2"]}])
    orders = [day.order("companionship", f"D{n}", f"{8 + n:02d}:00", f"{9 + n:02d}:00") for n in range(1, 6)]
    orders.append(day.order("housekeeping", "D6", "09:00", "11:00"))
    orders.append(day.order("bathing", "D7", "09:00", "12:00"))
    orders.append(day.order("bathing", "D8", "13:00", "16:00"))
    return orders


def test_what_is_published_is_what_was_planned(day: DayWorld) -> None:
    orders = _staffed(day)
    plan_id = day.plan()
    row = day.row(plan_id)
    assert row.state == "ready"
    assert row.counts["planned"] == len(orders)
    assert row.unplanned == ()
    assert day.stands() == {}  # nothing is real yet
    assert row.baseline["planned_visits"] == len(orders)
    day.publish(plan_id)
    assert day.stands() == day.planned(plan_id)
    assert set(day.stands()) == set(orders)
    for order_id in orders:
        visit = day.visit(order_id)
        assert visit["state"] == "offered"
        assert visit["promised_from"] <= visit["planned_start"] <= visit["promised_to"]
        assert visit["planned_end"] > visit["planned_start"]
        assert visit["route_id"] is not None
        assert visit["sequence"] is not None
    # The pair goes together, to women only because both are women.
    pair, _ = day.stands()[orders[6]]
    assert pair == ("M1", "M2")
    told = {row["party"] for row in day.world.rows("SELECT DISTINCT party FROM notices WHERE lane = 'routine'")}
    assert {"resident:D1", "responder:M1"} <= told
    day.publish(plan_id)  # again: nothing happens
    assert len(day.world.rows("SELECT id FROM assignments")) == 10


def test_every_visit_left_out_says_why(day: DayWorld) -> None:
    day.carer("A", "companionship")
    day.carer("N", "nursing", expires="2026-11-01")
    day.carer("H", "housekeeping", shift=("08:00", "09:00"))
    day.carer("M1", "bathing", sex="m")
    day.carer("M2", "bathing", sex="m")
    with day.world.database.begin() as tx:
        tx.reference.upsert("residents", [{"id": "D9", "name": "老人9", "never_responders": ["A"]}])
        tx.reference.upsert("residents", [{"id": "D10", "name": "老人10", "lat": None, "lon": None, "area_id": None}])
    wanted = {
        day.order("nursing_visit", "D1", "09:00", "10:00"): "expired",
        day.order("device_repair", "D2", "09:00", "10:00"): "no-skill",
        day.order("bathing", "D3", "09:00", "10:00"): "no-sex",
        day.order("housekeeping", "D4", "12:00", "13:00"): "no-shift",
        day.order("companionship", "D9", "09:00", "10:00"): "refused",
        day.order("companionship", "D10", "09:00", "10:00"): "no-place",
    }
    done = day.order("companionship", "D5", "09:00", "10:00")
    plan_id = day.plan()
    row = day.row(plan_id)
    assert {item["order_id"]: item["code"] for item in row.unplanned} == wanted
    assert all(item["reason"] and item["reason_zh"] for item in row.unplanned)
    assert set(day.planned(plan_id)) == {done}
    lacking = {item["kind"]: item for item in row.progress["missing"]}
    # Not where nobody more would help: a resident who refuses, a home nobody knows.
    assert set(lacking) == {"nursing_visit", "device_repair", "bathing", "housekeeping"}
    assert (lacking["bathing"]["people"], lacking["bathing"]["sex"]) == (2, "f")
    assert all(item["people"] == 1 for kind, item in lacking.items() if kind != "bathing")
    assert all(item["from"] < item["to"] and len(item["visit_ids"]) == 1 for item in lacking.values())


def test_two_of_a_kind_are_asked_for_once_and_a_cancelled_plan_is_no_plan(day: DayWorld) -> None:
    _staffed(day)
    plans = day.world.services.day.plans
    plan_id = plans.ask(DAY, [], [], 1.0, day.coordinator)
    with pytest.raises(ConflictError) as refused:
        plans.ask(DAY, [], [], 1.0, day.coordinator)
    assert refused.value.extra["plan_id"] == plan_id
    planning = day.world.services.day.planning
    row = planning.claim("one", replans=False)
    assert row is not None
    assert planning.claim("two", replans=False) is None
    work = planning.work(row)
    assert planning.beat(work, "one", {"share": 0.5})
    plans.cancel(plan_id, day.coordinator)
    assert not planning.beat(work, "one", {"share": 0.6})
    assert not planning.finish(work, "one", day.planner.plan(work.ask), 1.0)
    assert day.row(plan_id).state == "cancelled"
    with pytest.raises(ConflictError):
        day.publish(plan_id)
    with pytest.raises(BadRequestError):
        plans.ask(DAY - timedelta(days=5), [], [], 1.0, day.coordinator)


class SlowRoads:
    """A routing service that needs ten seconds for each place."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._crow = HaversineTravel()
        self.asked = 0

    def estimates(self, starts: Sequence[tuple[Place, Mode]], end: Place) -> Sequence[Way]:
        self.asked += 1
        self._world.now += timedelta(seconds=10)
        return [way._replace(by="slow") for way in self._crow.estimates(starts, end)]


def test_asking_a_slow_road_network_is_no_death(day: DayWorld) -> None:
    _staffed(day)
    for number in range(1, 7):
        day.order("companionship", f"D{number}", "09:00", "16:00")
    roads = SlowRoads(day.world)
    planning = DayPlanning(day.world.database, day.world.clock, new_id, CHINA, travel=roads)
    plan_id = day.world.services.day.plans.ask(DAY, [], [], 1.0, day.coordinator)
    row = planning.claim("one", replans=False)
    assert row is not None
    planning.work(row)
    assert roads.asked > 5
    assert planning.claim("two", replans=False) is None, "it gave signs of life"
    day.world.now += timedelta(seconds=31)
    again = planning.claim("two", replans=False)
    assert again is not None
    assert again.id == plan_id


def test_a_plan_whose_process_died_is_made_by_another_and_fails_after_three(day: DayWorld) -> None:
    _staffed(day)
    planning = day.world.services.day.planning
    plan_id = day.world.services.day.plans.ask(DAY, [], [], 1.0, day.coordinator)
    for number in range(3):
        row = planning.claim(f"dead {number}", replans=False)
        assert row is not None
        assert row.id == plan_id
        day.world.now += timedelta(seconds=31)
    assert planning.claim("one more", replans=False) is None
    assert day.row(plan_id).state == "failed"
    plan_id = day.world.services.day.plans.ask(DAY, [], [], 1.0, day.coordinator)
    row = planning.claim("dead", replans=False)
    assert row is not None
    day.world.now += timedelta(seconds=31)
    day.make(replans=False, runner="alive")
    assert day.row(plan_id).state == "ready"


def test_the_planners_process_is_started_again_and_ends_with_the_hub(day: DayWorld) -> None:
    _staffed(day)
    day.plan()
    first = day.planner.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: day.planner.pid is None, 30)
    assert day.row(day.plan()).state == "ready"
    second = day.planner.pid
    assert second not in (None, first)
    planning = day.world.services.day.planning
    assert planning.ways_today() is None
    _today(day, "06:00")
    ways = planning.ways_today()
    assert ways is not None
    assert len(ways.places) >= 8
    own = WarmPlanner(nice=0)
    own.prepare(ways)
    child = own.pid
    own.close()
    assert child is not None
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(PlannerDiedError):
        own.warm()


def _today(day: DayWorld, clock: str) -> None:
    day.world.now = at(clock)


def test_an_ill_carer_is_planned_around_and_only_who_is_concerned_hears(day: DayWorld) -> None:
    _staffed(day)
    day.publish(day.plan())
    day.accept_all()
    before = day.stands()
    _today(day, "08:05")
    ill = next(who[0] for who, _ in before.values() if who[0] in "ABC")
    day.world.rows("DELETE FROM notices RETURNING id")
    plan_id = day.replan({"kind": "ill", "responder_id": ill, "from": at("08:10")})
    row = day.row(plan_id)
    assert row.state == "ready"
    assert row.based_on is not None
    after = day.planned(plan_id)
    theirs = {order for order, (who, _) in before.items() if ill in who}
    for order in set(before) - theirs:
        assert after[order] == before[order]  # promised and accepted: they do not move
    assert all(ill not in who for who, _ in after.values())
    assert {change["order_id"] for change in row.changes} == theirs
    assert day.stands() == before
    day.publish(plan_id)
    assert day.stands() == after
    residents = {order: f"resident:{row['resident']['id']}" for row in row.changes for order in [row["order_id"]]}
    told = {note["party"] for note in day.world.rows("SELECT party FROM notices")}
    assert {party for party in told if party.startswith("resident")} == set(residents.values())
    out = day.world.rows("SELECT * FROM rota_overrides")
    assert [one["responder_id"] for one in out] == [ill]


def test_planning_again_without_anything_happening_changes_nothing(day: DayWorld) -> None:
    _staffed(day)
    day.publish(day.plan())
    _today(day, "07:30")
    gone = day.order("companionship", "D9", "15:00", "16:00")
    day.world.services.care.cancel_order(gone, day.coordinator, "not wanted")
    plan_id = day.replan({"kind": "cancelled", "order_id": gone})
    assert day.row(plan_id).changes == ()
    assert day.planned(plan_id) == day.stands()


def test_an_urgent_visit_finds_its_place(day: DayWorld) -> None:
    _staffed(day)
    day.publish(day.plan())
    day.accept_all()
    before = day.stands()
    _today(day, "08:05")
    urgent = day.order("companionship", "D10", "10:00", "11:30")
    plan_id = day.replan({"kind": "urgent", "order_id": urgent})
    after = day.planned(plan_id)
    assert urgent in after
    assert {order: after[order] for order in before} == before
    day.publish(plan_id, accepted=True)
    assert day.visit(urgent)["state"] == "accepted"


def test_a_swap_answers_with_what_speaks_against_it(day: DayWorld) -> None:
    orders = _staffed(day)
    day.carer("X", "housekeeping")
    day.publish(day.plan())
    _today(day, "07:30")
    visits = {order: str(day.visit(order)["id"]) for order in orders}
    replans = day.world.services.day.replans
    # Housekeeping alone is no companionship: refused, with the reason.
    with pytest.raises(ConflictError) as refused:
        replans.replan(
            DAY, [{"kind": "swap", "visit_id": visits[orders[0]], "responder_id": "X"}], day.coordinator, wait_s=0
        )
    assert [one["code"] for one in refused.value.extra["conflicts"]] == ["skill"]  # type: ignore[attr-defined]
    (owner,), start = day.stands()[orders[0]]
    other = next(carer for carer in "ABC" if carer != owner)
    checked = replans.check(
        DAY, {"kind": "move", "visit_id": visits[orders[0]], "start": at("18:00"), "responder_id": other}
    )
    assert checked["allowed"]
    assert {"shift", "window", "promise"} <= {one["code"] for one in checked["conflicts"]}
    plan_id = day.replan({"kind": "swap", "visit_id": visits[orders[0]], "responder_id": other})
    assert day.planned(plan_id)[orders[0]] == ((other,), start)
    day.publish(plan_id)
    assert day.stands()[orders[0]] == ((other,), start)
    assert day.visit(orders[0])["pinned"]
    # A second replan leaves what a person decided.
    again = day.replan({"kind": "ill", "responder_id": owner, "from": at("07:40")})
    assert day.planned(again)[orders[0]] == ((other,), start)


def test_what_happens_next_happens_to_what_was_proposed(day: DayWorld) -> None:
    orders = _staffed(day)
    day.publish(day.plan())
    _today(day, "07:30")
    visits = {order: str(day.visit(order)["id"]) for order in orders}
    (first,), start = day.stands()[orders[0]]
    (second,), _ = day.stands()[orders[1]]
    other = next(carer for carer in "ABC" if carer != first)
    ill = day.replan({"kind": "swap", "visit_id": visits[orders[0]], "responder_id": other})
    both = day.replan({"kind": "ill", "responder_id": "M1", "from": at("07:40")}, on=ill)
    assert day.planned(both)[orders[0]] == ((other,), start)
    assert len(day.row(both).events) == 2
    assert {item["order_id"] for item in day.row(both).unplanned} == {orders[6], orders[7]}
    assert all("M1" not in who for who, _ in day.planned(both).values())
    day.publish(both)
    assert day.stands() == day.planned(both)
    assert second in "ABC"


def test_a_plan_that_is_no_longer_true_is_not_published(day: DayWorld) -> None:
    orders = _staffed(day)
    plan_id = day.plan()
    (who,), _ = day.planned(plan_id)[orders[0]]
    other = "A" if who == "C" else "C"
    day.world.services.dispatching.assign_order(orders[0], other, day.coordinator)
    day.world.services.care.cancel_order(orders[1], day.coordinator, "not wanted")
    with pytest.raises(ConflictError) as stale:
        day.publish(plan_id)
    assert stale.value.code == "stale"
    assert set(day.stands()) == {orders[0]}
    again = day.plan()
    assert day.planned(again)[orders[0]][0] == (other,)  # given by hand stays
    assert orders[1] not in day.planned(again)
    day.publish(again)
    assert day.stands() == day.planned(again)


def test_compare_and_why(day: DayWorld) -> None:
    orders = _staffed(day)
    first = day.plan()
    plans = day.world.services.day.plans
    found = plans.compare(first, None)
    assert found["before"]["planned"] == 0
    assert found["after"]["planned"] == len(orders)
    assert found["after"]["travel_min"] > 0
    assert len(found["changes"]) == len(orders)
    day.publish(first)
    second = day.plan()
    found = plans.compare(second, first)
    assert found["before"]["id"] == first
    why = plans.why(first, str(day.visit(orders[0])["id"]))
    assert {"able", "travel"} <= {one["code"] for one in why["reasons"]}
    assert {"A", "B", "C"} - set(why["responder_ids"]) <= {one["responder_ids"][0] for one in why["alternatives"]}
    forbidden = [one for one in why["alternatives"] if one["costs_more"] is None]
    assert {one["responder_ids"][0] for one in forbidden} == {"M1", "M2"}


def test_scopes_stand_beside_one_another(day: DayWorld) -> None:
    orders = _staffed(day)
    day.publish(day.plan(kinds=("bathing",)))
    bathing = day.stands()
    assert set(bathing) == {orders[6], orders[7]}
    rest = day.plan(kinds=("companionship", "housekeeping"))
    day.publish(rest)
    assert {order: day.stands()[order] for order in bathing} == bathing
    assert set(day.stands()) == set(orders)
    routes = day.world.services  # both plans count
    assert routes is not None
    states = {row["state"] for row in day.world.rows("SELECT state FROM day_plans")}
    assert states == {"published"}
    everything = day.plan()
    day.publish(everything)
    states = {str(row["id"]): row["state"] for row in day.world.rows("SELECT id, state FROM day_plans")}
    assert states.pop(everything) == "published"
    assert set(states.values()) == {"superseded"}


def test_local_time_of_windows(day: DayWorld) -> None:
    """A window over several days opens each morning, and may wait for another day."""
    day.carer("A", "companionship")
    order = day.world.services.care.create_order(
        {
            "kind": "companionship",
            "resident_id": "D1",
            "wanted_from": at("09:00", DAY - timedelta(days=0)),
            "wanted_to": at("17:00", DAY + timedelta(days=2)),
        },
        day.coordinator,
    )
    plan_id = day.plan()
    _, start = day.planned(plan_id)[order]
    assert "09:00:00" <= start <= "17:00:00"
    assert at("09:00").astimezone(CHINA).hour == 9
