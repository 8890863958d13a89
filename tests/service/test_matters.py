"""The closed loop: deadlines of what people report, a level up when overdue, five parts, a visit after the closing."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from hub.errors import HubError, NotFoundError
from hub.ports import Actor
from hub.service.area_codes import AreaCodes
from tests.service.conftest import START, World


def _report(world: World, alarm_type: str = "assistance", *, by: str = "zhoumin", **fields: Any) -> str:
    given = {"type": alarm_type, "area_id": "G3", "channel": "phone", **fields}
    _, incident_id = world.services.intake.raise_from_person(given, world.actors[by])
    assert incident_id is not None
    return incident_id


def _priority(world: World, incident_id: str) -> str:
    return str(world.row("SELECT priority FROM incidents WHERE id = %s", incident_id)["priority"])


def _pass(world: World, hours: float) -> int:
    """Time passes without the clocks of the plan, which have tests of their own."""
    world.now += timedelta(hours=hours)
    return world.services.matters.tend()


def test_a_reported_matter_rises_one_level_each_time_it_is_overdue(world: World) -> None:
    incident_id = _report(world, "wandering")
    assert _priority(world, incident_id) == "high"
    assert world.services.matters.tend() == 0
    assert world.services.matters.loop(incident_id)["level"] == "orange"
    assert _pass(world, 23.9) == 0
    assert _pass(world, 0.2) == 1
    assert _priority(world, incident_id) == "critical"
    assert world.services.matters.tend() == 0  # once
    loop = world.services.matters.loop(incident_id)
    assert (loop["level"], loop["overdue"]) == ("red", 1)
    assert _pass(world, 2.1) == 1  # already red: told again, each time its deadline passes
    assert _priority(world, incident_id) == "critical"
    assert world.kinds(incident_id).count("priority_raised") == 1
    assert world.kinds(incident_id).count("escalated") == 2
    reason = world.row("SELECT reasons FROM incidents WHERE id = %s", incident_id)["reasons"][-1]
    assert (reason["code"], reason["values"]["times"]) == ("matter_overdue", 2)


def test_what_was_resolved_in_time_or_pressed_by_a_device_does_not_rise(world: World) -> None:
    done = _report(world)
    world.services.matters.tend()
    world.services.handling.close(done, world.actors["zhoumin"], "genuine", "路面已修")
    world.press("W1")
    assert _pass(world, 1_000) == 0
    assert _priority(world, done) == "high"
    assert [str(row["incident_id"]) for row in world.rows("SELECT incident_id FROM matters")] == [done]


def test_a_level_that_somebody_raised_has_the_shorter_deadline(world: World) -> None:
    incident_id = _report(world, "assistance")
    world.services.matters.tend()
    before = world.row("SELECT due_at FROM matters WHERE incident_id = %s", incident_id)["due_at"]
    for row in world.rows("UPDATE incidents SET priority = 'critical' WHERE id = %s RETURNING id", incident_id):
        assert str(row["id"]) == incident_id
    world.services.matters.tend()
    after = world.row("SELECT due_at FROM matters WHERE incident_id = %s", incident_id)["due_at"]
    assert (before, after) == (START + timedelta(hours=24), START + timedelta(hours=2))


def test_whatever_way_it_is_reported_it_enters_the_same_flow(world: World) -> None:
    channels = ["phone", "walk_in", "patrol", "staff", "home", "app"]
    reported = {channel: _report(world, channel=channel, by="sunwei") for channel in channels}
    code = world.services.area_codes.make("G3", world.actors["fanglei"])
    world.services.area_codes.raise_matter(code, "other", "路灯不亮", None, None)
    (scanned,) = {str(row["id"]) for row in world.rows("SELECT id FROM incidents")} - {*reported.values()}
    world.services.matters.tend()
    for channel, incident_id in {**reported, "qr": scanned}.items():
        loop = world.services.matters.loop(incident_id)
        assert loop["reporter"]["channel"] == channel
        assert loop["due_at"] is not None
        assert channel == "qr" or loop["reporter"]["by"] == "sunwei"


def test_a_page_that_sends_twice_in_one_moment_makes_one_matter(world: World) -> None:
    made = world.services.area_codes
    code = made.make("G3", world.actors["fanglei"])
    first: list[str] = []

    def amid() -> str:
        """The other one is committed after this one has looked whether there is one."""
        if not first:
            first.append("")
            first[0] = made.raise_matter(code, "help", None, None, "k1")
        return str(uuid4())

    slow = AreaCodes(world.database, world.clock, amid, made._raising)
    assert slow.raise_matter(code, "help", None, None, "k1") == first[0] != ""
    assert [str(row["id"]) for row in world.rows("SELECT id FROM alarms")] == first
    assert len(world.rows("SELECT id FROM incidents")) == 1


def test_everybody_who_has_a_part_is_named_and_nobody_supervises_the_own_work(world: World) -> None:
    incident_id = _report(world, resident_id="R1")
    operator, supervisor = world.actors["zhoumin"], world.actors["fanglei"]
    first = world.services.matters.loop(incident_id)
    assert first["patroller"] == {"id": "S1", "name": "孙伟"}
    assert (first["responsible"], first["resolver"], first["supervisor"]) == (None, None, None)
    world.services.handling.acknowledge(incident_id, operator)
    assert world.services.matters.loop(incident_id)["responsible"]["name"] == "zhoumin"
    offer = world.services.dispatching.assign(incident_id, "S2", operator)
    world.services.dispatching.step(offer, "accept", world.actors["helin"])
    assert world.services.matters.loop(incident_id)["responsible"] == {"id": "S2", "name": "何琳"}
    world.services.handling.close(incident_id, operator, "genuine", "已处理")
    assert world.services.matters.loop(incident_id)["supervision"] == "required"
    with pytest.raises(HubError):
        world.services.handling.supervise(incident_id, _as_supervisor(operator), "confirmed")
    world.services.handling.supervise(incident_id, supervisor, "confirmed")
    last = world.services.matters.loop(incident_id)
    assert (last["resolver"]["name"], last["supervisor"]["name"]) == ("zhoumin", "fanglei")
    assert last["return_visit"]["state"] == "requested"
    with pytest.raises(NotFoundError):
        world.services.matters.loop("nothing")


def _as_supervisor(actor: Actor) -> Actor:
    return Actor(kind=actor.kind, name=actor.name, user_id=actor.user_id, role="supervisor")


def _closed(world: World, disposition: str, status: str = "home", resident: str = "R1") -> list[dict[str, Any]]:
    incident_id = _report(world, resident_id=resident)
    world.services.handling.close(incident_id, world.actors["zhoumin"], disposition, "已处理")
    if status != "home":
        world.services.care.set_resident_status(resident, status, None, world.actors["zhoumin"])
    with suppress(HubError):  # nothing to supervise
        world.services.handling.supervise(incident_id, world.actors["fanglei"], "confirmed")
    return world.rows("SELECT kind, wanted_from, wanted_to, attributes FROM orders WHERE incident_id = %s", incident_id)


def test_after_a_supervised_closing_somebody_goes_again_within_days_once(world: World) -> None:
    (visit,) = _closed(world, "genuine")
    assert visit["kind"] == "safety_visit"
    assert visit["attributes"] == {"return_visit": True}
    assert START < visit["wanted_from"] < visit["wanted_to"] <= START + timedelta(days=4)
    incident_id = str(world.row("SELECT id FROM incidents")["id"])
    handling, operator = world.services.handling, world.actors["zhoumin"]
    handling.reopen(incident_id, operator, "again")
    handling.close(incident_id, operator, "genuine", "again")
    handling.supervise(incident_id, world.actors["fanglei"], "confirmed")
    assert world.row("SELECT count(*) AS n FROM orders")["n"] == 1


def test_nobody_goes_where_there_was_nothing_or_nobody_is(world: World) -> None:
    assert _closed(world, "false") == []
    assert _closed(world, "genuine", "hospital") == []
    assert _closed(world, "genuine", "deceased", "R2") == []
