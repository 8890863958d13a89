"""Who is asked, who has it, and who is asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import ConflictError, ForbiddenError
from tests.service.conftest import World


def _opened(world: World) -> str:
    world.press("W1")
    return str(world.row("SELECT id FROM incidents WHERE state = 'open'")["id"])


def _offers(world: World) -> dict[str, str]:
    """Live offers: responder -> assignment."""
    rows = world.rows("SELECT id, responder_id FROM assignments WHERE state = 'offered'")
    return {row["responder_id"]: str(row["id"]) for row in rows}


def _help(world: World, assignment_id: str, staff: str) -> None:
    step = world.services.dispatching.step
    for action in ("accept", "en-route", "on-scene"):
        step(assignment_id, action, world.actors[staff])  # type: ignore[arg-type]
    step(assignment_id, "complete", world.actors[staff], outcome="helped")


def test_a_reopened_matter_asks_everybody_again(world: World) -> None:
    operator, incident_id = world.actors["zhoumin"], _opened(world)
    handling = world.services.handling
    handling.escalate(incident_id, operator)
    _help(world, _offers(world)["S1"], "sunwei")
    handling.close(incident_id, operator, "genuine", "helped up")
    handling.reopen(incident_id, operator, "she has fallen again")
    handling.escalate(incident_id, operator)
    assert set(_offers(world)) == {"S1", "S2"}  # who was there, and who was stood down then
    handling.escalate(incident_id, operator)
    assert world.row("SELECT count(*) AS n FROM assignments")["n"] == 4  # in one round nobody is asked twice


def test_a_further_press_asks_everybody_again(world: World) -> None:
    operator, incident_id = world.actors["zhoumin"], _opened(world)
    world.services.handling.acknowledge(incident_id, operator)
    world.services.handling.escalate(incident_id, operator)
    for staff, offer in (("sunwei", "S1"), ("helin", "S2")):
        world.services.dispatching.step(_offers(world)[offer], "decline", world.actors[staff], reason="busy")
    assert _offers(world) == {}
    world.services.handling.acknowledge(incident_id, operator)
    world.press("W1")
    assert set(_offers(world)) == {"S1", "S2"}


def test_what_was_done_before_the_reopening_does_not_hide_that_nobody_comes(world: World) -> None:
    operator, incident_id = world.actors["zhoumin"], _opened(world)
    dispatching, handling = world.services.dispatching, world.services.handling
    _help(world, dispatching.assign(incident_id, "S1", operator), "sunwei")
    handling.close(incident_id, operator, "genuine", "helped up")
    handling.reopen(incident_id, operator, "she has fallen again")
    handling.acknowledge(incident_id, operator)
    second = dispatching.assign(incident_id, "S2", operator)
    dispatching.step(second, "accept", world.actors["helin"])
    assert world.row("SELECT state FROM incidents")["state"] == "in_progress"
    dispatching.step(second, "decline", world.actors["helin"], reason="car broken")
    assert world.row("SELECT state, acknowledged_by FROM incidents") == {"state": "open", "acknowledged_by": None}
    assert set(_offers(world)) == {"S1"}  # the next are called


def test_a_wrong_clock_on_the_phone_moves_no_step_before_the_offer(world: World) -> None:
    incident_id = _opened(world)
    world.wait(40)
    offer = world.services.dispatching.assign(incident_id, "S3", world.actors["zhoumin"])
    offered_at, world.now = world.now, world.now + timedelta(seconds=30)
    step = world.services.dispatching.step
    step(offer, "accept", world.actors["wuqiang"], at=offered_at - timedelta(days=400))
    step(offer, "en-route", world.actors["wuqiang"], at=world.now + timedelta(days=400))
    row = world.row("SELECT accepted_at, en_route_at FROM assignments WHERE responder_id = 'S3'")
    assert row == {"accepted_at": offered_at, "en_route_at": world.now}


def test_reopening_beside_another_live_matter_is_refused(world: World) -> None:
    """At most one live incident a resident and class; the refusal changes nothing."""
    operator, first = world.actors["zhoumin"], _opened(world)
    world.services.handling.close(first, operator, "genuine", "helped up")
    second = _opened(world)
    with pytest.raises(ConflictError) as refused:
        world.services.handling.reopen(first, operator, "not done")
    assert refused.value.status == 409
    assert (refused.value.code, refused.value.extra["incident_id"]) == ("another-live", second)
    states = {str(row["id"]): row["state"] for row in world.rows("SELECT id, state FROM incidents")}
    assert states == {first: "resolved", second: "open"}


def test_who_is_on_scene_is_asked_and_can_answer(world: World) -> None:
    incident_id, step = _opened(world), world.services.dispatching.step
    offer = world.services.dispatching.assign(incident_id, "S1", world.actors["zhoumin"])
    with pytest.raises(ConflictError, match="nobody is on scene"):
        world.services.dispatching.all_well(offer, world.actors["sunwei"])
    step(offer, "on-scene", world.actors["sunwei"])
    with pytest.raises(ForbiddenError):
        world.services.dispatching.all_well(offer, world.actors["helin"])

    def of_scene() -> list[str]:
        """What the hub asked and told about this assignment: due steps on the timeline."""
        query = "SELECT body ->> 'step' AS step FROM timeline WHERE body ->> 'assignment_id' = %s ORDER BY seq"
        return [row["step"] for row in world.rows(query, offer) if row["step"]]

    world.wait(901)
    assert of_scene() == ["welfare"]
    world.services.dispatching.all_well(offer, world.actors["sunwei"])
    world.wait(890)
    assert of_scene() == ["welfare"]  # answered: nobody else is told
    world.wait(131)
    assert of_scene() == ["welfare", "welfare", "welfare_alert"]  # asked again, and no answer
    step(offer, "complete", world.actors["sunwei"], outcome="helped")
    world.wait(3_600)
    assert of_scene() == ["welfare", "welfare", "welfare_alert"]
