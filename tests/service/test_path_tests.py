"""The hub's tests of its own alarm path: asked for once a day, judged, and a technical incident where they fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hub.bridge import BrokerOptions, PathProbe
from hub.clock import utc_now
from hub.jobs import PathTestsJob
from hub.service import PATH_DEVICE, Probed
from tests.fixtures.ports import lasting_port
from tests.service.conftest import World


class Press:
    """Stands where the broker stands: what was pressed is taken by the ingest at once, or is lost on the way."""

    def __init__(self, world: World, *, arrives: bool = True, told: bool = True) -> None:
        self.world, self.arrives, self.told = world, arrives, told

    def press(self, device_id: str, ref: str, within_s: float) -> Probed:  # noqa: ARG002
        if self.arrives:
            self.world.press(device_id, "sos", ref=ref, test=True)
        return Probed(self.world.now, self.world.now if self.told else None)


def make(world: World, probe: Press, shown: Callable[[], int | None] = lambda: 10**9) -> dict[str, Any]:
    world.now += timedelta(seconds=1)
    world.services.path_tests.ask(world.actors["fanglei"])
    found = world.services.path_tests.make_next(probe, within_s=0.2, shown=shown, pause=lambda _s: None)
    assert found is not None
    return found


def live(world: World) -> list[tuple[str, str, int]]:
    rows = world.rows("SELECT class, priority, alarm_count FROM incidents WHERE state IN ('open', 'acknowledged')")
    return [(row["class"], row["priority"], row["alarm_count"]) for row in rows]


def test_what_comes_through_is_timed_and_closed_as_a_test(world: World) -> None:
    found = make(world, Press(world))
    assert (found["state"], found["reason"]) == ("passed", None)
    assert found["steps"].keys() == {"told", "recorded", "shown"}
    assert live(world) == []
    closed = world.row("SELECT class, disposition, supervision FROM incidents")
    assert closed == {"class": "test", "disposition": "test", "supervision": "none"}
    assert world.rows("SELECT * FROM assignments") == []


@pytest.mark.parametrize(
    ("arrives", "told", "shown", "why"),
    [
        (False, True, 10**9, "is not in the database"),
        (True, False, 10**9, "was not told"),
        (True, True, 0, "live feed has not shown it"),
    ],
)
def test_what_does_not_come_through_is_one_technical_incident_until_it_does(
    world: World, arrives: bool, told: bool, shown: int, why: str
) -> None:
    for _ in range(2):
        found = make(world, Press(world, arrives=arrives, told=told), lambda: shown)
        assert found["state"] == "failed"
        assert why in found["reason"]
    assert live(world) == [("technical", "high", 2)]
    make(world, Press(world))
    assert live(world) == [], "whole again"
    last = world.services.path_tests.last()
    assert last is not None
    assert last["state"] == "passed"


def test_without_a_feed_in_the_process_that_step_is_not_judged(world: World) -> None:
    found = make(world, Press(world), lambda: None)
    assert (found["state"], found["shown_at"]) == ("passed", None)


def test_the_daily_one_is_asked_for_once_a_day_after_its_hour(world: World) -> None:
    tests = world.services.path_tests  # it is ten in the morning there
    assert not tests.ask_daily(time(10, 1))
    assert tests.ask_daily(time(9, 59))
    assert not tests.ask_daily(time(9, 59)), "whoever comes second finds it there"
    world.now += timedelta(hours=14)
    assert not tests.ask_daily(time(9, 59)), "midnight is past and its hour is not"
    world.now += timedelta(hours=10)
    assert tests.ask_daily(time(9, 59))


def test_its_device_is_nobodys_and_its_silence_no_alarm(world: World) -> None:
    make(world, Press(world))
    device = world.row("SELECT resident_id, adopted, profile_id FROM devices WHERE id = %s", PATH_DEVICE)
    assert device == {"resident_id": None, "adopted": True, "profile_id": "path-test"}
    for _ in range(30):
        world.services.supervising.beat("test", {"mqtt": True, "tcp": True})
        world.services.supervising.run_once(500)
        world.now += timedelta(seconds=10)
    world.now += timedelta(days=1)
    world.services.supervising.beat("test", {"mqtt": True, "tcp": True})
    world.now += timedelta(seconds=10)
    world.services.supervising.run_once(500)
    assert world.rows("SELECT * FROM incidents WHERE device_id = %s AND class = 'technical'", PATH_DEVICE) == []


def test_a_broker_that_is_not_there_is_the_reason(world: World) -> None:
    registry = CollectorRegistry()
    probe = PathProbe(BrokerOptions("127.0.0.1", lasting_port(), connect_timeout_s=2.0), utc_now)
    job = PathTestsJob(
        world.services.path_tests, probe, daily_at=None, within_s=1.0, shown=lambda: None, registry=registry
    )
    assert job.piece(1) == 0
    world.services.path_tests.ask(world.actors["fanglei"])
    assert job.piece(1) == 1
    last = world.services.path_tests.last()
    assert last is not None
    assert "broker cannot be reached" in last["reason"]
    assert registry.get_sample_value("hub_path_test_passed") == 0.0
