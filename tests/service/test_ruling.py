"""The alarm rules from an uplink to an incident, on a real database; the clock is the test's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hub.clock import utc_now
from hub.service import Ruled
from hub.store import roll_up
from tests.service.conftest import World


def vitals(world: World, device: str = "W1", **values: Any) -> None:
    body = {"observed_at": world.now.isoformat(), **values}
    outcome = world.uplink(f"care/v1/{device}/up/vitals", json.dumps(body).encode(), device, lane="telemetry")
    assert outcome.outcome == "accepted"


def says(world: World, state: str, device: str = "P1") -> None:
    body = {"observed_at": world.now.isoformat(), "state": state}
    world.uplink(f"care/v1/{device}/up/activity", json.dumps(body).encode(), device, lane="telemetry")


def is_at(world: World, lat: float, lon: float, accuracy_m: float = 10) -> None:
    fix = {"lat": lat, "lon": lon, "accuracy_m": accuracy_m, "source": "gnss", "crs": "wgs84"}
    body = {"observed_at": world.now.isoformat(), "fix": fix}
    world.uplink("care/v1/W1/up/location", json.dumps(body).encode(), "W1", lane="telemetry")


def ruled(world: World, seconds: float = 0) -> Ruled:
    """The job runs when its turn comes; what it did in all."""
    total = Ruled()
    end = world.now + timedelta(seconds=seconds)
    while True:
        done = world.services.ruling.run_once(200, 15)
        assert done.failed == ()
        total = Ruled(total.taken + done.taken, total.judged + done.judged, total.raised + done.raised)
        if world.now >= end:
            return total
        world.now = min(end, world.now + timedelta(seconds=15))


def racing(world: World, beats: float = 150, times: int = 3) -> None:
    for _ in range(times):
        vitals(world, heart_rate_bpm=beats)
        ruled(world, 20)


def incidents(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM incidents ORDER BY opened_at, id")


def set_for(world: World, resident: str, **values: Any) -> None:
    world.services.rule_desk.set_thresholds(resident, values, "agreed", world.actors["fanglei"])


def test_three_readings_open_one_incident_with_its_numbers(world: World) -> None:
    racing(world)
    (incident,) = incidents(world)
    assert (incident["class"], incident["type"], incident["priority"]) == ("health", "heart_rate_high", "high")
    assert (incident["resident_id"], incident["area_id"], incident["state"]) == ("R1", "G3", "open")
    alarm = world.row("SELECT * FROM alarms")
    assert (alarm["source"], alarm["device_id"]) == ("rule", None)
    assert alarm["attributes"]["rule"] == "heart_rate_high"
    values = alarm["attributes"]["reasons"][0]["values"]
    assert (values["limit"], values["worst"], values["readings"]) == (131, 150, 3)
    assert {one["code"] for one in incident["reasons"]} >= {"limit", "new_incident"}


def test_what_stands_is_not_raised_again_by_the_next_reading(world: World) -> None:
    racing(world, times=20)
    assert len(world.rows("SELECT 1 FROM alarms")) == 1


def test_a_matter_that_was_closed_and_stays_bad_is_raised_again_after_two_hours(world: World) -> None:
    racing(world)
    (incident,) = incidents(world)
    zhou = world.actors["zhoumin"]
    world.services.handling.acknowledge(str(incident["id"]), zhou)
    world.services.handling.close(str(incident["id"]), zhou, "false", "测量有误")
    for _ in range(44):
        vitals(world, heart_rate_bpm=150)
        ruled(world, 170)
    first, second = incidents(world)
    assert (first["state"], second["state"]) == ("closed", "open")
    assert second["opened_at"] - first["opened_at"] >= timedelta(hours=2)


def test_a_status_is_respected_at_once(world: World) -> None:
    for _ in range(2):
        vitals(world, heart_rate_bpm=150)
        ruled(world, 20)
    world.services.care.set_resident_status("R1", "hospital", "摔伤", world.actors["zhoumin"])
    racing(world, times=5)
    assert incidents(world) == []
    assert world.row("SELECT standing FROM rule_watch WHERE resident_id = 'R1'")["standing"] == {}
    world.services.care.set_resident_status("R1", "home", None, world.actors["zhoumin"])
    assert ruled(world).raised == 1


def test_a_buffered_record_raises_nothing_now(world: World) -> None:
    for minutes in range(10):
        at = world.now - timedelta(minutes=minutes)
        body = [{"observed_at": at.isoformat(), "heart_rate_bpm": 170}]
        world.uplink("care/v1/W1/up/vitals", json.dumps(body).encode(), "W1", lane="telemetry")
    ruled(world, 60)
    assert incidents(world) == []


def test_nobody_who_was_not_heard_is_judged(world: World) -> None:
    ruled(world)
    world.now += timedelta(seconds=30)
    quiet = world.services.ruling.run_once(200, 15)
    assert (quiet.taken, quiet.judged) == (2, 0)
    assert world.services.ruling.run_once(200, 15).taken == 0  # not before its turn
    world.now += timedelta(seconds=15)
    vitals(world, heart_rate_bpm=70)
    done = world.services.ruling.run_once(200, 15)
    assert (done.taken, done.judged) == (2, 1)


def test_two_jobs_never_judge_the_same_resident(world: World) -> None:
    with world.database.begin() as one, world.database.begin() as other:
        first, wanted = one.rules.claim(world.now, 1, world.now)
        rest = other.rules.claim(world.now, 10, world.now)
        assert (first, len(wanted), rest[0]) == (1, 1, 1)
        assert set(wanted).isdisjoint(rest[1])


def test_a_job_that_forgot_what_it_raised_raises_nothing_twice(world: World) -> None:
    racing(world)
    with psycopg.connect(world.url) as connection:
        connection.execute("UPDATE rule_watch SET standing = '{}', check_at = 'epoch', looked_at = NULL")
    ruled(world)
    assert len(world.rows("SELECT 1 FROM alarms")) == 1


def test_one_residents_odd_record_stops_nobody_else(world: World) -> None:
    with psycopg.connect(world.url) as connection:
        connection.execute("""INSERT INTO resident_rules (resident_id, geofences) VALUES ('R2', '[{"id": 1}]')""")
    for _ in range(3):
        vitals(world, heart_rate_bpm=150)
        done = world.services.ruling.run_once(200, 15)
        world.now += timedelta(seconds=20)
    assert done.raised == 1
    again = world.row("SELECT check_at FROM rule_watch WHERE resident_id = 'R2'")["check_at"]
    assert again > world.now + timedelta(minutes=8)


def test_inactivity_is_learned_and_falls_due_without_a_word(world: World) -> None:
    """Three weeks in which she moved every two hours; then nothing."""
    end = world.now
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "INSERT INTO observations (received_at, observed_at, device_id, resident_id, metric, state)"
            " SELECT at, at, 'P1', 'R1', 'activity', 'motion'"
            " FROM generate_series(%s::timestamptz - interval '21 days', %s::timestamptz, interval '2 hours') at",
            (end, end),
        )
    roll_up(world.url, utc_now() + timedelta(hours=1), minutes_kept=timedelta(days=30))
    says(world, "motion")
    ruled(world)
    usual = world.row("SELECT usual FROM resident_usual WHERE resident_id = 'R1'")["usual"]
    assert usual["rest"]["12"]["days"] >= 19
    assert usual["rest"]["12"]["longest_h"] <= 2
    world.now += timedelta(hours=3, minutes=50)
    ruled(world)
    assert incidents(world) == []
    world.now += timedelta(minutes=10)
    ruled(world)
    (incident,) = incidents(world)
    assert (incident["type"], incident["class"], incident["priority"]) == ("inactivity", "emergency", "high")
    reason = next(one for one in incident["reasons"] if one["code"] == "inactivity")
    assert (reason["values"]["quiet_h"], reason["values"]["limit_h"]) == (4.0, 4.0)


def test_wandering_beyond_the_fence_and_not_by_a_loose_fix(world: World) -> None:
    lat, lon = 31.3396, 118.3962
    fence = {
        "name": "柳岸小区",
        "kind": "safe",
        "ring": [
            [lat - 0.002, lon - 0.002],
            [lat - 0.002, lon + 0.002],
            [lat + 0.002, lon + 0.002],
            [lat + 0.002, lon - 0.002],
        ],
    }
    world.services.rule_desk.set_fences("R1", [fence], "走失风险", world.actors["fanglei"])
    for _ in range(3):
        is_at(world, lat + 0.05, lon, accuracy_m=3000)
        ruled(world, 30)
    assert incidents(world) == []
    for _ in range(2):
        is_at(world, lat + 0.006, lon)
        ruled(world, 30)
    (incident,) = incidents(world)
    assert (incident["class"], incident["type"]) == ("whereabouts", "wandering")
    assert world.row("SELECT fix FROM alarms")["fix"]["lat"] == pytest.approx(lat + 0.006)


def test_a_residents_own_threshold_works_at_once_and_says_who_set_it(world: World) -> None:
    racing(world, beats=115)
    assert incidents(world) == []
    set_for(world, "R1", heart_rate_high=110)
    assert ruled(world).raised == 1
    audit = world.row("SELECT * FROM audit WHERE action = 'thresholds.change'")
    assert (audit["name"], audit["subject"]) == ("fanglei", "residents:R1")
    assert audit["detail"]["changes"]["heart_rate_high"] == {"before": None, "after": 110}
    found = world.services.rule_desk.thresholds("R1")
    (own,) = [one for one in found["items"] if one["id"] == "heart_rate_high"]
    assert (own["value"], own["default"], own["changed_by"], own["reason"]) == (110, 131, "fanglei", "agreed")


def test_bed_exit_missed_dose_and_no_word_fall_due(world: World) -> None:
    set_for(world, "R1", medication_times=["20:00"], well_by="09:30", bed_exit_min=20)
    for word in ("medication_taken", "all_well"):
        says(world, word)  # the devices can say it; it is ten in the morning
    ruled(world)
    world.now += timedelta(hours=11)  # nine in the evening
    says(world, "motion")
    ruled(world)
    assert [one["type"] for one in incidents(world)] == ["medication_missed"]
    says(world, "in_bed")
    world.now += timedelta(hours=5)
    says(world, "out_of_bed")
    ruled(world, 60)
    world.now += timedelta(minutes=20)
    ruled(world)
    alarms = world.rows("SELECT type, attributes ->> 'rule' AS rule, priority FROM alarms ORDER BY received_at")
    assert [one["rule"] for one in alarms] == ["medication_missed", "bed_exit"]
    says(world, "in_bed")
    world.now += timedelta(hours=5)
    says(world, "motion")
    ruled(world)
    world.now += timedelta(hours=2, minutes=45)  # after ten
    says(world, "motion")
    ruled(world)
    last = world.rows("SELECT attributes ->> 'rule' AS rule, priority FROM alarms ORDER BY received_at")[-1]
    assert (last["rule"], last["priority"]) == ("no_word", "low")


def test_an_outage_of_the_hub_is_nobodys_inactivity(world: World) -> None:
    says(world, "motion")
    ruled(world)
    world.now += timedelta(hours=30)
    world.services.supervising.beat("test", {"mqtt": True})
    ruled(world)
    assert incidents(world) == []


def test_what_is_over_is_said_on_the_residents_timeline(world: World) -> None:
    racing(world)
    for _ in range(8):
        vitals(world, heart_rate_bpm=80)
        ruled(world, 120)
    entry = world.row("SELECT * FROM timeline WHERE subject_kind = 'resident' AND kind = 'rule_over'")
    assert (entry["subject_id"], entry["body"]["rule"]) == ("R1", "heart_rate_high")
    assert incidents(world)[0]["state"] == "open"  # a person closes it
