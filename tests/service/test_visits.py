"""Proof of visit on a real database, with the test's clock: checks, lateness, the gate, what a person decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.clock import new_id
from hub.errors import ConflictError, ForbiddenError, NotFoundError
from hub.ports import Actor, UserRow
from hub.ports.proof import ReviewFilter
from tests.service.conftest import World
from tests.service.test_ruling import incidents, ruled, says

MINUTE = timedelta(minutes=1)
HOME = {"lat": 31.3396, "lon": 118.3962, "accuracy_m": 12.0, "source": "gnss"}
FINE = {"systolic_mmhg": 128.0, "diastolic_mmhg": 78.0, "heart_rate_bpm": 72.0, "temperature_c": 36.5}


def bathers(world: World) -> None:
    """A bathing pair of the resident's sex, and a coordinator who hears of things."""
    skills = [{"skill": "bathing", "expires_on": None}]
    common = {"kind": "carer", "sex": "f", "skills": skills, "area_ids": ["C"], "lat": 31.339, "lon": 118.396}
    with world.database.begin() as tx:
        tx.reference.upsert("responders", [{"id": "S4", "name": "马芳", "on_duty": True, **common}])
        tx.reference.upsert("responders", [{"id": "S5", "name": "高洁", "on_duty": True, **common}])
        people: list[tuple[str, Any, str | None]] = [("mafang", "staff", "S4"), ("gaojie", "staff", "S5")]
        for name, role, person in [*people, ("xujie", "coordinator", None)]:
            user = UserRow(new_id(), name, name, role, person, password_hash="x")
            tx.users.insert(user)
            kind: Any = "responder" if role == "staff" else "operator"
            world.actors[name] = Actor(kind=kind, name=name, user_id=user.id, role=role, person_id=person)


def ordered(world: World, kind: str = "nursing_visit", *responders: str, after_min: int = 0, **fields: Any) -> str:
    """An order wanted from now on for half an hour, offered to these: the visit's id."""
    boss = world.actors["fanglei"]
    begin = world.now + after_min * MINUTE
    order = world.services.care.create_order(
        {"kind": kind, "resident_id": "R1", "wanted_from": begin, "wanted_to": begin + 30 * MINUTE, **fields}, boss
    )
    for one in responders:
        world.services.dispatching.assign_order(order, one, boss)
    return str(world.row("SELECT id FROM visits WHERE order_id = %s", order)["id"])


def step(world: World, visit: str, action: str, who: str, **details: Any) -> None:
    world.services.care.visit_step(visit, action, world.actors[who], **details)


def checks(world: World, visit: str) -> dict[str, dict[str, Any]]:
    rows = world.rows("SELECT * FROM visit_checks WHERE visit_id = %s ORDER BY at", visit)
    return {f"{row['kind']} {row['responder_id']}": row for row in rows}


def state(world: World, visit: str) -> tuple[str, str, str | None]:
    row = world.row(
        "SELECT o.state AS o, v.state AS v, v.late FROM visits v JOIN orders o ON o.id = v.order_id WHERE v.id = %s",
        visit,
    )
    return row["o"], row["v"], row["late"]


def told(world: World) -> list[str]:
    """What coordinators (or supervisors) were told."""
    return [
        row["params"]["text"]
        for row in world.rows("SELECT params FROM notices WHERE template = 'service' ORDER BY created_at, key")
    ]


def test_a_nurse_comes_measures_and_goes_and_everything_is_proved(world: World) -> None:
    visit = ordered(world, "nursing_visit", "S2")
    step(world, visit, "accept", "helin")
    world.now += 5 * MINUTE
    step(world, visit, "check-in", "helin", at=world.now, fix=HOME)
    came = world.now
    world.now += 40 * MINUTE
    step(
        world,
        visit,
        "check-out",
        "helin",
        at=world.now,
        fix=HOME,
        outcome="done",
        photo_sha256="ab" * 32,
        tasks=[
            {"code": "wound_care", "done": True},
            {"code": "vitals", "done": True},
            {"code": "wound_care", "done": False, "note": "没有伤口"},  # tapped again: the later word stands
        ],
        vitals={**FINE, "respiration_rpm": 18.0, "spo2_pct": 97.0, "oxygen": False, "consciousness": "alert"},
    )
    found = checks(world, visit)
    assert found["in S2"]["flags"] == found["out S2"]["flags"] == []
    assert found["in S2"]["at"] == came
    assert found["out S2"]["photo_sha256"] == bytes.fromhex("ab" * 32)
    tasks = world.rows("SELECT code, zh, done, note FROM visit_tasks WHERE visit_id = %s ORDER BY position", visit)
    assert [(one["code"], one["done"], one["note"]) for one in tasks] == [
        ("vitals", True, None),
        ("wound_care", False, "没有伤口"),
    ]
    metrics = {row["metric"]: row["value"] for row in world.rows("SELECT metric, value FROM observations")}
    assert metrics["systolic_mmhg"] == 128
    assert metrics["news2"] == 0, "a nurse's seven values are scored"
    [kept] = world.services.visits.vitals(visit)["items"]
    assert kept["news2"]["zh"] == "NEWS2 = 0"
    assert state(world, visit) == ("completed", "completed", None)
    assert world.services.visits.reviews(ReviewFilter(), 10, None) == ([], None)


def test_what_comes_hours_later_keeps_its_time_and_what_does_not_fit_waits_for_a_person(world: World) -> None:
    visit = ordered(world, "nursing_visit", "S2")
    began = world.now + 10 * MINUTE
    world.now += timedelta(hours=5)
    far = {**HOME, "lat": 31.35}
    step(world, visit, "check-in", "helin", at=began, fix={**far, "observed_at": began.isoformat()})
    step(world, visit, "check-out", "helin", at=began + 12 * MINUTE, outcome="done")
    found = checks(world, visit)
    assert (found["in S2"]["at"], found["in S2"]["recorded_at"]) == (began, world.now)
    assert found["in S2"]["flags"] == ["too_far"]
    assert found["out S2"]["flags"] == ["no_fix", "too_short"]
    row = world.row("SELECT started_at, ended_at FROM visits WHERE id = %s", visit)
    assert (row["started_at"], row["ended_at"]) == (began, began + 12 * MINUTE)
    assert state(world, visit) == ("completed", "completed", None), "it was sent late, and began in time"
    # The supervisor sees both, with the evidence, and decides with a reason.
    page, following = world.services.visits.reviews(ReviewFilter(), 1, None)
    assert following is not None
    rest, _ = world.services.visits.reviews(ReviewFilter(), 1, following)
    both = {one["check"]["kind"]: one for one in [*page, *rest]}
    assert both["in"]["check"]["findings"][-1]["code"] == "too_far"
    assert both["in"]["check"]["distance_m"] > 1000
    assert both["in"]["fix"]["lat"] == 31.35
    boss = world.actors["fanglei"]
    one = both["in"]["check"]
    decided = world.services.visits.review(one["id"], "rejected", "人在别处", boss, version=one["version"])
    assert decided["check"]["review"]["verdict"] == "rejected"
    with pytest.raises(ConflictError):
        world.services.visits.review(one["id"], "accepted", "x", boss, version=one["version"])
    with pytest.raises(NotFoundError):
        world.services.visits.review(one["id"], "accepted", "x", boss, provider_id="another organisation")
    left, _ = world.services.visits.reviews(ReviewFilter(), 10, None)
    assert [row["check"]["kind"] for row in left] == ["out"]
    assert world.row("SELECT detail FROM audit WHERE action = 'visit_check.review'")["detail"]["reason"] == "人在别处"


def test_late_is_marked_and_told_missed_is_one_weak_sign_and_whoever_comes_after_all_makes_it_good(
    world: World,
) -> None:
    bathers(world)
    visit = ordered(world, "nursing_visit", "S2")
    tend = world.services.visits.tend
    for minutes, late in ((40, None), (45, "yellow"), (60, "red"), (89, "red"), (90, "missed"), (200, "missed")):
        world.now = world.now.replace(hour=2, minute=0) + minutes * MINUTE
        tend()
        assert state(world, visit)[2] == late, minutes
    assert state(world, visit) == ("missed", "missed", "missed")
    lines = told(world)
    assert len(lines) == 2, "once red, once missed, however often it is looked"
    assert "记为错过" in lines[1]
    assert incidents(world) == [], "alone it is a weak sign"
    # A carer without a signal had been there in time: what was missed was not.
    began = datetime(2026, 11, 22, 2, 20, tzinfo=world.now.tzinfo)
    step(world, visit, "accept", "helin", at=began)
    assert state(world, visit)[:2] == ("missed", "missed")
    step(world, visit, "check-in", "helin", at=began, fix=HOME)
    assert state(world, visit) == ("in_service", "in_service", None)


def test_a_missed_visit_counts_as_a_weak_sign_once(world: World) -> None:
    says(world, "door_open")
    ruled(world)
    world.now += timedelta(hours=18)
    says(world, "motion")
    ruled(world)
    ordered(world, "companionship", after_min=300)
    world.now += timedelta(hours=7)
    says(world, "present")
    world.services.visits.tend()
    ruled(world, 60)
    assert [one["type"] for one in incidents(world)] == ["inactivity"]
    reasons = world.row("SELECT attributes FROM alarms")["attributes"]["reasons"]
    assert {"missed_visit", "no_motion", "door_unopened"} <= {one["code"] for one in reasons}
    world.services.visits.tend()
    ruled(world, 60)
    assert len(world.rows("SELECT 1 FROM alarms")) == 1, "never a second alarm for one absence"


def test_a_bath_stops_at_the_gate_and_a_nurse_is_ordered_once(world: World) -> None:
    bathers(world)
    visit = ordered(world, "bathing", "S4", "S5")
    for one in ("mafang", "gaojie"):
        step(world, visit, "check-in", one, fix=HOME, at=world.now)
    gate = world.services.visits.gate
    with pytest.raises(ForbiddenError):
        gate(visit, world.actors["helin"], "given", FINE)
    gate(visit, world.actors["mafang"], "given", {**FINE, "systolic_mmhg": 171.0})
    world.now += 10 * MINUTE  # a rest, and measured again
    gate(visit, world.actors["gaojie"], "given", {**FINE, "systolic_mmhg": 168.0})
    # What was measured before that and comes only now does not open the gate again.
    gate(visit, world.actors["mafang"], "given", FINE, at=world.now - 5 * MINUTE)
    kept = world.services.visits.vitals(visit)
    assert kept["gate"]["verdict"] == "stop"
    assert [one["code"] for one in kept["gate"]["reasons"]] == ["too_high"]
    assert [one["nurse"] for one in kept["items"]] == [False] * 3
    assert [one["news2"] for one in kept["items"]] == [None] * 3, "only a nurse's values are scored"
    nurse = world.row("SELECT * FROM orders WHERE kind = 'nursing_visit'")
    assert nurse["attributes"] == {
        "after_gate": world.rows("SELECT order_id::text AS id FROM visits WHERE id = %s", visit)[0]["id"]
    }
    assert "171" not in (nurse["note"] or ""), "what was measured is not for the order's readers"
    bath = str(world.row("SELECT order_id FROM visits WHERE id = %s", visit)["order_id"])
    kits = world.services.visits.kits([str(nurse["id"]), bath, "none"], "S2")
    assert set(kits) == {str(nurse["id"]), bath}
    assert kits[bath]["before"] == []
    assert kits[str(nurse["id"])]["before"][0]["zh"].startswith("收缩压 168")
    for one in ("mafang", "gaojie"):
        step(world, visit, "check-out", one, outcome="aborted", note="浴前检查不通过", fix=HOME, at=world.now)
    assert state(world, visit)[:2] == ("aborted", "aborted")
    assert all(row["flags"] == [] for row in checks(world, visit).values())
    assert any("浴前检查不通过" in line for line in told(world))


def test_a_pair_that_is_one_is_flagged_and_told_and_a_bath_without_its_gate_too(world: World) -> None:
    bathers(world)
    visit = ordered(world, "bathing", "S4", "S5")
    with pytest.raises(ConflictError):
        world.services.visits.gate(visit, world.actors["mafang"], "given", FINE)
    step(world, visit, "check-in", "mafang", fix=HOME, at=world.now)
    world.now += 9 * MINUTE
    world.services.visits.tend()
    assert checks(world, visit)["in S4"]["flags"] == []
    world.now += MINUTE
    world.services.visits.tend()
    world.services.visits.tend()
    assert checks(world, visit)["in S4"]["flags"] == ["alone"]
    assert [line for line in told(world) if "应到 2 人" in line] == told(world)
    assert len(told(world)) == 1
    world.now += 5 * MINUTE
    step(world, visit, "check-in", "gaojie", fix=HOME, at=world.now)
    assert checks(world, visit)["in S5"]["flags"] == ["apart"]
    world.now += 60 * MINUTE
    step(world, visit, "check-out", "gaojie", outcome="done", fix=HOME, at=world.now)
    assert checks(world, visit)["out S5"]["flags"] == ["gate_missing"]
    # The other one forgot to check out: found an hour after the planned end.
    world.now += 60 * MINUTE
    world.services.visits.tend()
    assert checks(world, visit)["in S4"]["flags"] == ["alone", "no_check_out"]


def test_urgent_values_of_a_nurse_are_an_alarm_and_a_closed_door_is_told_once(world: World) -> None:
    bathers(world)
    visit = ordered(world, "nursing_visit", "S2")
    step(world, visit, "check-in", "helin", at=world.now, fix=HOME)
    nurse = world.actors["helin"]
    world.services.visits.measure(visit, nurse, {"spo2_pct": 86.0, "heart_rate_bpm": 126.0}, at=world.now)
    [kept] = world.services.visits.vitals(visit)["items"]
    [incident] = incidents(world)
    assert (incident["type"], incident["priority"]) == ("assistance", "high")
    assert kept["incident_id"] == str(incident["id"])
    # Values that were measured two days ago and come only now raise nothing, and are kept.
    later = ordered(world, "nursing_visit")
    world.now += timedelta(days=2)
    world.services.visits.measure(visit, nurse, {"spo2_pct": 84.0}, at=world.now - timedelta(days=2))
    assert len(world.services.visits.vitals(visit)["items"]) == 2
    assert len(incidents(world)) == 1
    world.services.visits.tend()
    assert state(world, later)[0] == "missed"
    pair = ordered(world, "bathing", "S4", "S5")
    for one in ("mafang", "gaojie"):
        step(world, pair, "check-in", one, fix=HOME, at=world.now)
        step(world, pair, "check-out", one, outcome="no_answer", at=world.now)
    assert state(world, pair)[:2] == ("aborted", "aborted")
    assert [row["flags"] for row in checks(world, pair).values()] == [[]] * 4
    assert len([line for line in told(world) if "no_answer" in line]) == 1, "two carers, one closed door"


def test_a_grid_officer_is_not_checked(world: World) -> None:
    visit = ordered(world, "safety_visit", "S1")
    step(world, visit, "check-in", "sunwei", at=world.now)
    step(world, visit, "check-out", "sunwei", outcome="done", at=world.now)
    assert checks(world, visit) == {}
    assert state(world, visit)[:2] == ("completed", "completed")


def test_a_carer_who_is_still_elsewhere_is_expected_later(world: World) -> None:
    first = ordered(world, "nursing_visit", "S2")
    second = ordered(world, "nursing_visit", "S2", after_min=20)
    step(world, second, "accept", "helin")
    world.now += 25 * MINUTE
    step(world, first, "check-in", "helin", fix=HOME, at=world.now)
    assert world.services.visits.tend().predicted == 1
    expected = world.row("SELECT expected_at FROM visits WHERE id = %s", second)["expected_at"]
    assert expected == world.now + 47 * MINUTE
    world.now += 10 * MINUTE
    step(world, first, "check-out", "helin", outcome="refused", at=world.now)
    world.now += 2 * MINUTE
    world.services.visits.tend()
    assert world.row("SELECT expected_at FROM visits WHERE id = %s", second)["expected_at"] is None


def test_a_promise_stands_before_the_window_and_an_old_order_is_told_to_nobody(world: World) -> None:
    bathers(world)
    visit = ordered(world, "companionship")
    with world.database.begin() as tx:
        found = tx.orders.of_visit(visit, lock=True)
        assert found is not None
        begin, end = world.now + 60 * MINUTE, world.now + 90 * MINUTE
        tx.orders.save(found[0], replace(found[1], promised_from=begin, promised_to=end))
    world.now += 100 * MINUTE
    world.services.visits.tend()
    assert state(world, visit)[2] is None
    world.now += 5 * MINUTE
    world.services.visits.tend()
    assert state(world, visit)[2] == "yellow"
    world.now += timedelta(days=3)
    world.services.visits.tend()
    assert state(world, visit)[2] == "missed"
    assert told(world) == []
