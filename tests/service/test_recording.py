"""A span of the hub's own days, recorded and played again: the same decisions."""

from __future__ import annotations

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

from hub.replay import play, read_recording
from hub.store import recorded, recorded_matters
from tests.service.conftest import World

ZONE = ZoneInfo("Asia/Shanghai")


def minutes(world: World, count: float) -> None:
    world.now += timedelta(minutes=count)


def test_what_was_recorded_plays_as_it_was(world: World) -> None:
    start = world.now
    world.press("W1", "sos")
    minutes(world, 1)
    world.press("P1", "fall")
    body = json.dumps({"observed_at": world.now.isoformat(), "heart_rate_bpm": 72, "spo2_pct": 96}).encode()
    world.uplink("care/v1/W2/up/vitals", body, "W2", lane="telemetry")
    word = json.dumps({"observed_at": world.now.isoformat(), "state": "motion"}).encode()
    world.uplink("care/v1/W2/up/activity", word, "W2", lane="telemetry")
    incident = world.row("SELECT id FROM incidents")["id"]
    world.services.handling.acknowledge(str(incident), world.actors["zhoumin"])
    minutes(world, 1)
    world.press("W1", "sos")
    world.services.handling.close(str(incident), world.actors["zhoumin"], "genuine", "髋部疼痛")
    minutes(world, 1)
    world.services.care.set_resident_status("R1", "hospital", "住院", world.actors["zhoumin"])
    minutes(world, 1)
    world.press("W1", "sos")
    minutes(world, 1)
    lines = [json.dumps(one, ensure_ascii=False, default=str) for one in recorded(world.database, start, world.now)]
    assert not any("陈秀英" in line for line in lines), "no names in it"
    recording = read_recording(lines)
    assert recording.bad == ()
    night = play(recording, ZONE)
    assert night.bad == []
    alarms = [(one.outcome, one.type, one.realert) for one in night.decided if one.what == "alarm"]
    assert alarms == [
        ("open", "sos", False),
        ("fold", "fall", False),
        ("fold", "sos", True),
        ("record_only", "sos", False),
    ]
    assert night.tally.uplinks >= 6, "the telemetry is there as events"
    (matter,) = recorded_matters(world.database, start, world.now)
    assert (matter["resident_id"], matter["alarm_count"], sorted(matter["devices"])) == ("R1", 3, ["P1", "W1"])
