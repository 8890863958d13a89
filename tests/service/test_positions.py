"""The position of an open matter: what came with the alarm, what a device answers, what its tracker reports."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hub.ports import Actor, Json
from hub.store.reads import ReadsPostgres
from tests.service.conftest import World
from tests.service.test_commands import NO_FIX, WATCH, WITH_FIX, frame, hear, leave

HOME = {"lat": 31.3396, "lon": 118.3962}
PARK = {"lat": 31.3460, "lon": 118.3962, "accuracy_m": 12, "source": "gnss"}
CELL = {"lat": 31.3600, "lon": 118.4000, "accuracy_m": 3000, "source": "cell"}


def report(world: World, fix: dict[str, Any], device: str = "P1", *, seconds_ago: float = 0) -> None:
    world.wait(2)
    at = (world.now - timedelta(seconds=seconds_ago)).isoformat()
    body = json.dumps({"observed_at": at, "fix": fix}).encode()
    world.uplink(f"care/v1/{device}/up/location", body, device, lane="telemetry")


def incident_of(world: World) -> str:
    return str(world.row("SELECT id FROM incidents")["id"])


def view(world: World) -> Json:
    ident = incident_of(world)
    return ReadsPostgres(world.database).incidents_by_id([ident])[ident]


def test_the_answer_to_locate_becomes_the_incidents_position(world: World) -> None:
    world.services.devices.add(WATCH, "watch", "R1", Actor("operator", "test"))
    world.uplink("", frame(NO_FIX), WATCH, family="watch")
    before = view(world)
    assert (before["fix"], before["place"]["kind"], before["place"]["reason"]["code"]) == (None, "home", "no_fix")
    leave(world)
    # Nobody's clock is in 2022: such a time counts as that of receipt.
    hear(world, frame(WITH_FIX.replace("31.339600", "31.346000")), "watch", WATCH)
    after = view(world)
    assert after["fix"]["lat"] == pytest.approx(31.346)
    assert after["fix"]["age_s"] == 0
    assert after["place"]["kind"] == "fix"
    assert after["place"]["reason"]["code"] == "elsewhere"
    assert after["place"]["apart_m"] == pytest.approx(712, abs=3)
    kinds = world.kinds(incident_of(world))
    assert kinds[-2:] == ["command_answered", "positioned"]


def test_a_tracker_of_the_resident_is_followed_while_the_matter_is_open(world: World) -> None:
    report(world, PARK)
    world.press("W1")
    assert view(world)["fix"] is None, "what was told before belongs to the resident, not to the matter"
    report(world, PARK)
    report(world, CELL)
    report(world, {**PARK, "source": "last_known", "lat": 31.35})
    report(world, {**PARK, "lat": 31.3461}, seconds_ago=900)
    assert view(world)["fix"]["lat"] == 31.3460
    assert view(world)["place"]["kind"] == "fix"
    world.wait(60)
    report(world, {**PARK, "lat": 31.3480})
    assert view(world)["fix"]["lat"] == 31.3480
    lines = world.rows("SELECT body FROM timeline WHERE kind = 'positioned' ORDER BY seq")
    assert [line["body"]["reason"]["code"] for line in lines] == ["first", "moved"]
    assert lines[1]["body"]["device_id"] == "P1"
    report(world, {**PARK, "lat": 31.37}, "W2")
    assert view(world)["fix"]["lat"] == 31.3480, "somebody else's"
    world.services.handling.close(incident_of(world), world.actors["zhoumin"], "false", "nothing")
    report(world, {**PARK, "lat": 31.39})
    assert view(world)["fix"]["lat"] == 31.3480


def test_a_press_does_not_take_a_good_position_away(world: World) -> None:
    world.press("W1", fix=PARK)
    world.wait(30)
    world.press("W1", fix=CELL)
    world.wait(30)
    world.press("W1", fix={**PARK, "lat": 31.3465})
    shown = view(world)
    assert shown["fix"]["lat"] == 31.3465
    assert shown["alarms"] == 3


def test_responders_are_sent_where_the_incident_says(world: World) -> None:
    """S1 lives by the home, S3 nearer to nothing: a cell of 3 km must not change who is the nearest."""
    world.press("W1", fix=CELL)
    found = world.services.recommending.of_incident(incident_of(world))
    first = found.best[0]
    assert view(world)["place"]["reason"]["code"] == "rough"
    assert first.distance_m is not None
    assert first.distance_m < 200


def test_whoever_is_away_is_looked_for_by_the_position(world: World) -> None:
    world.services.care.set_resident_status("R1", "away", None, world.actors["zhoumin"])
    world.press("W1", fix={**PARK, "accuracy_m": 800, "source": "wifi"})
    assert view(world)["place"]["reason"]["code"] == "outdoors"


def test_a_stored_press_says_how_old_its_position_is(world: World) -> None:
    at = (world.now - timedelta(minutes=50)).isoformat()
    body = [{"ref": "late", "type": "sos", "observed_at": at, "fix": PARK}]
    world.uplink("care/v1/W1/up/alarm", json.dumps(body).encode(), "W1")
    shown = view(world)
    assert (shown["fix"]["age_s"], shown["fix"]["buffered"]) == (3000, True)
    assert (shown["place"]["kind"], shown["place"]["reason"]["code"]) == ("home", "old")


def test_what_a_device_remembers_is_not_its_last_position(world: World) -> None:
    report(world, {**PARK, "source": "last_known"})
    stored = world.row("SELECT last_fix FROM devices WHERE id = 'P1'")["last_fix"]
    assert stored["source"] == "last_known"
    assert "observed_at" not in stored, "nobody knows when it was there"
    report(world, PARK)
    report(world, {**PARK, "source": "last_known", "lat": 31.0})
    stored = world.row("SELECT last_fix, lat FROM devices WHERE id = 'P1'")
    assert (stored["last_fix"]["source"], stored["lat"]) == ("gnss", PARK["lat"])
