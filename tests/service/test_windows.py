"""Silences and chatter on the real store, as timelines: the clock is the test's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from tests.service.conftest import World
from tests.service.test_supervising import alive, live, pass_time, watched

__all__ = ["watched"]


def silence(world: World, seconds: float = 3600, who: str = "zhoumin", **fields: Any) -> str:
    body: dict[str, Any] = {"kind": "silence", "reason": "换电池", "ends_at": world.now + timedelta(seconds=seconds)}
    if not {"device_id", "area_id", "type"} & fields.keys():
        body["device_id"] = "W1"
    return world.services.windows.set(body | fields, world.actors[who])


def settle(world: World) -> int:
    count = 0
    while world.services.windows.settle_next():
        count += 1
    return count


def alarms(world: World, where: str = "true") -> list[dict[str, Any]]:
    return world.rows(f"SELECT * FROM alarms WHERE {where} ORDER BY received_at, id")


def test_what_is_silenced_is_told_written_down_and_counted_but_not_raised(world: World) -> None:
    window = silence(world)
    for _ in range(3):
        outcome = world.press("W1", "low_battery", battery_pct=9)
        assert (outcome.outcome, outcome.alarms) == ("accepted", 1)
        assert b"received" in outcome.replies[0].payload, "the device is answered as ever"
        world.now += timedelta(minutes=5)
    assert world.rows("SELECT * FROM incidents") == []
    assert [row["attributes"]["window"] for row in alarms(world)] == [window] * 3
    view = world.services.windows.view(window)
    assert (view["state"], view["set_by"], view["held_back"][0]["count"]) == ("in_force", "zhoumin", 3)
    entry = world.rows("SELECT body FROM timeline WHERE subject_kind = 'resident' AND kind = 'recorded'")[0]["body"]
    assert entry["reason"] == "silenced"


def test_what_stood_is_raised_once_when_the_silence_ends_and_nothing_else(world: World) -> None:
    silence(world, 600)
    for _ in range(4):
        world.press("W1", "tamper")
        world.press("W1", "low_battery", battery_pct=9)
        world.press("W2", "tamper")
        world.now += timedelta(minutes=2)
    # Somebody has changed the battery meanwhile, and nobody has closed the case.
    world.uplink("care/v1/W1/up/status", b'{"online": true, "battery_pct": 90}', "W1", lane="telemetry")
    assert settle(world) == 0, "it is not over yet"
    world.now += timedelta(minutes=3)
    assert settle(world) == 1
    assert settle(world) == 0
    raised = world.rows("SELECT * FROM incidents WHERE resident_id = 'R1'")
    assert [(one["type"], one["alarm_count"], one["state"]) for one in raised] == [("tamper", 1, "open")]
    reasons = {reason["code"]: reason for reason in raised[0]["reasons"]}
    assert reasons["stood_through_silence"]["values"]["count"] == 4
    assert world.row("SELECT silenced, raised FROM alarm_windows") == {"silenced": 8, "raised": 1}
    # The same again as an ordinary press: it folds, and is not raised a second time.
    world.press("W1", "tamper")
    assert world.row("SELECT alarm_count FROM incidents WHERE resident_id = 'R1'")["alarm_count"] == 2


def test_a_real_sos_breaks_through_every_window(world: World) -> None:
    silence(world, kind="maintenance", area_id="C", who="fanglei")
    silence(world, kind="test")
    world.press("W1", "sos")
    assert world.row("SELECT class, priority FROM incidents") == {"class": "emergency", "priority": "critical"}
    assert "offered" not in world.kinds(world.row("SELECT id FROM incidents")["id"])
    world.wait(31)
    assert "offered" in world.kinds(world.row("SELECT id FROM incidents")["id"]), "its plan runs as ever"


def test_a_test_is_a_test_and_nothing_else(world: World) -> None:
    """A test flag never starts a plan, never folds a real press away; a real press in a test window is real."""
    world.press("W1", "sos", test=True)
    world.press("W1", "test_call")
    world.wait(7200)
    tests = world.row("SELECT id, class, priority, alarm_count FROM incidents")
    assert (tests["class"], tests["priority"], tests["alarm_count"]) == ("test", "low", 2)
    assert world.rows("SELECT * FROM assignments") == []
    silence(world, kind="test")
    world.press("W1", "fall", test=True)
    assert len(world.rows("SELECT * FROM incidents")) == 1, "in a test window not even that"
    world.press("W1", "fall")
    real = world.row("SELECT * FROM incidents WHERE class = 'emergency'")
    assert (real["type"], real["alarm_count"], real["priority"]) == ("fall", 1, "critical")
    world.press("W1", "fall", test=True)
    assert world.row("SELECT alarm_count FROM incidents WHERE class = 'emergency'")["alarm_count"] == 1


def test_the_same_reference_as_a_test_and_for_real_is_two_presses(world: World) -> None:
    at = world.now.isoformat()
    world.press("W1", "sos", ref="x", observed_at=at, test=True)
    world.now += timedelta(seconds=5)
    world.press("W1", "sos", ref="x", observed_at=at)
    assert world.row("SELECT count(*) AS n FROM incidents WHERE class = 'emergency'")["n"] == 1


def test_ending_a_silence_early_names_who_and_why_and_raises_what_stands(world: World) -> None:
    window = silence(world)
    world.press("W1", "tamper")
    world.now += timedelta(minutes=1)
    world.services.windows.end(window, "电池已换", world.actors["liqiang"])
    view = world.services.windows.view(window)
    assert (view["state"], view["ended_by"], view["end_reason"]) == ("over", "liqiang", "电池已换")
    with pytest.raises(ConflictError, match="liqiang"):
        world.services.windows.end(window, "again", world.actors["zhoumin"])
    assert settle(world) == 1
    assert world.row("SELECT type, alarm_count FROM incidents") == {"type": "tamper", "alarm_count": 1}
    audited = world.rows("SELECT action FROM audit WHERE starts_with(action, 'windows.') ORDER BY id")
    said = [row["action"] for row in audited]
    assert said == ["windows.set", "windows.end", "windows.settle"]


def test_what_another_window_still_covers_goes_on_being_silent(world: World) -> None:
    silence(world, 60)
    world.press("W1", "tamper")
    outer = silence(world, 7200, who="fanglei", area_id="C")
    world.now += timedelta(minutes=2)
    assert settle(world) == 1
    assert world.rows("SELECT * FROM incidents") == []
    world.now += timedelta(hours=2)
    assert settle(world) == 1
    assert world.row("SELECT type FROM incidents")["type"] == "tamper"
    assert world.services.windows.view(outer)["held_back"][0]["count"] == 1


def test_nobody_silences_a_district_alone_or_for_ever_or_without_a_reason(world: World) -> None:
    with pytest.raises(ForbiddenError):
        silence(world, area_id="C")
    with pytest.raises(ForbiddenError):
        silence(world, type="offline")
    with pytest.raises(BadRequestError, match="emergency"):
        silence(world, type="sos", device_id="W1")
    with pytest.raises(BadRequestError, match="lasts"):
        silence(world, 40 * 86400)
    with pytest.raises(NotFoundError):
        silence(world, device_id="nobody")
    with pytest.raises(NotFoundError):
        silence(world, area_id="nowhere", who="fanglei")


def test_a_silent_device_under_a_window_is_shown_and_raised_once_after_it(watched: World) -> None:
    world = watched
    alive(world, "W1")
    silence(world, 3600, kind="maintenance", device_id="W1")
    pass_time(world, 1800, talking=("W2", "P1", "9900000072"))
    assert [one for one in live(world) if one["device_id"] == "W1"] == []
    assert alarms(world, "device_id = 'W1'") == [], "asked again and again, and written down once, as a fact"
    shown = world.row("SELECT online FROM devices WHERE id = 'W1'")
    assert shown["online"] is False, "and nobody believes that it is there"
    pass_time(world, 1900, talking=("W2", "P1", "9900000072"))
    settle(world)
    pass_time(world, 30, talking=("W2", "P1", "9900000072"))
    raised = [one for one in live(world) if one["resident_id"] == "R1"]
    assert [(one["type"], one["alarm_count"]) for one in raised] == [("offline", 1)]


def test_a_device_that_came_back_under_a_window_raises_nothing_after_it(watched: World) -> None:
    world = watched
    alive(world, "W1")
    silence(world, 1500, kind="maintenance", device_id="W1")
    pass_time(world, 1200, talking=("W2", "P1", "9900000072"))
    pass_time(world, 900, talking=("W1", "W2", "P1", "9900000072"))
    settle(world)
    pass_time(world, 60, talking=("W1", "W2", "P1", "9900000072"))
    assert [one for one in live(world) if one["resident_id"] == "R1"] == []


def test_a_flapping_device_becomes_one_matter_on_the_shelf(watched: World) -> None:
    """Gone and back, gone and back: not a new incident each time, and not for ever."""
    world = watched
    others = ("W2", "P1", "9900000072")
    pass_time(world, 460, talking=others)
    alive(world, "W1")
    for _ in range(4):
        pass_time(world, 480, talking=others)
        alive(world, "W1")
        pass_time(world, 20, talking=others)
    found = world.rows("SELECT * FROM incidents WHERE class = 'technical' AND resident_id = 'R1' ORDER BY opened_at")
    kept = found[-1]
    assert kept["state"] == "open"
    assert kept["shelve_reason"].startswith("flapping: ")
    assert kept["shelved_until"] is not None
    assert kept["alarm_count"] >= 2, "the next silence folded into it"
    assert len(found) <= 2, "the first time it went and came back was believed"


def test_chatter_of_a_contact_is_shelved_and_a_pull_cord_is_not(world: World) -> None:
    for _ in range(5):
        world.press("W1", "tamper")
        world.press("P1", "sos")
        world.now += timedelta(seconds=8)
    contact = world.row("SELECT * FROM incidents WHERE class = 'technical'")
    cord = world.row("SELECT * FROM incidents WHERE class = 'emergency'")
    assert (contact["alarm_count"], contact["shelve_reason"]) == (5, "the same alarm 3 times within a minute")
    assert (cord["alarm_count"], cord["shelved_until"]) == (5, None)
    assert "chattering" in {reason["code"] for reason in cord["reasons"]}
    assert world.rows("SELECT step FROM due WHERE subject_id = %s", contact["id"]) == [{"step": "shelf_end"}]
    world.wait(1900)
    assert world.kinds(contact["id"])[-1] == "unshelved", "and then it is seen again"
