"""Response plans as the desk has them: called on, left out, edited, chosen, and the alerts of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import BadRequestError, ConflictError
from tests.service.conftest import START, World
from tests.service.town import NEAR, notices, offers, open_town, opened, progress, tiers


@pytest.fixture
def town(shared_world: World) -> World:
    return open_town(shared_world)


# ---- what the desk does with a plan ---------------------------------------------------------------------------------


def test_an_operator_calls_the_next_tier_now(town: World) -> None:
    incident_id = opened(town)
    operator = town.actors["zhoumin"]
    town.services.handling.escalate(incident_id, operator, "heard nothing")
    town.services.handling.escalate(incident_id, operator, "still nothing")
    assert tiers(town, incident_id) == {"near": "done", "qualified": "running", "medical": "next", "above": "later"}
    first = progress(town, incident_id)["tiers"][0]
    assert (first["by"], first["reason"]) == ("zhoumin", "heard nothing")


def test_a_tier_is_left_out_with_a_reason(town: World) -> None:
    incident_id = opened(town)
    operator = town.actors["zhoumin"]
    with pytest.raises(BadRequestError, match="reason"):
        town.services.plan_desk.skip(incident_id, "near", " ", operator)
    with pytest.raises(BadRequestError, match="near, qualified"):
        town.services.plan_desk.skip(incident_id, "nobody", "x", operator)
    town.services.plan_desk.skip(incident_id, "near", "the family asked for it", operator)
    town.wait(30)
    assert "何琳" in offers(town)
    assert not NEAR & set(offers(town))
    with pytest.raises(ConflictError, match="left out already"):
        town.services.plan_desk.skip(incident_id, "near", "x", operator)
    town.services.plan_desk.skip(incident_id, "qualified", "busy", operator)
    assert tiers(town, incident_id) == {
        "near": "skipped",
        "qualified": "skipped",
        "medical": "empty",
        "above": "running",
    }


def test_an_edited_plan_never_changes_a_running_incident(town: World) -> None:
    incident_id = opened(town)
    other = {"code": "only", "zh": "仅保安", "en": "guard only", "parties": [{"role": "guard"}]}
    town.services.response_plans.change("emergency_alone", {"tiers": [other]}, town.actors["fanglei"])
    town.wait(30)
    assert set(offers(town)) == {*NEAR, "孙伟"}
    assert list(tiers(town, incident_id)) == ["near", "qualified", "medical", "above"]
    town.services.handling.close(incident_id, town.actors["zhoumin"], "false", "x")
    again = opened(town)
    assert list(tiers(town, again)) == ["only"]
    assert progress(town, again)["plan"]["version"] == 2


def test_plans_are_chosen_by_type_flags_area_and_night(town: World) -> None:
    day = opened(town)
    assert progress(town, day)["chosen"]["values"]["plan"] == "emergency_alone"
    town.services.handling.close(day, town.actors["zhoumin"], "false", "x")
    town.now += timedelta(hours=13)  # eleven at night in China
    night = opened(town)
    chosen = progress(town, night)["chosen"]
    assert chosen["values"]["plan"] == "emergency_night"
    assert chosen["values"]["by"] == "type, hours, class"
    other = opened(town, "bed_exit")
    assert progress(town, other)["plan"]["id"] == "health"
    technical = opened(town, "tamper")
    assert progress(town, technical)["plan"] == {"id": "default", "zh": "默认预案", "en": "Default plan", "version": 0}


def test_a_holiday_is_a_day_off_and_a_worked_weekend_is_none(town: World) -> None:
    tier = {"code": "guard", "zh": "保安", "en": "guard", "parties": [{"role": "guard"}]}
    conditions = {"types": ["sos"], "classes": ["emergency"], "days": "weekend"}
    fields = {"id": "rest", "zh": "休息日", "en": "days off", "conditions": conditions, "tiers": [tier]}
    town.services.response_plans.add(fields, town.actors["fanglei"])
    found = []
    for days, kind in ((0, None), (0, "work"), (1, None), (1, "off")):  # START is a Sunday
        town.now = START + timedelta(days=days)
        town.rows("DELETE FROM holidays RETURNING id")
        if kind is not None:
            town.rows("INSERT INTO holidays (id, kind, name) VALUES (%s, %s, 'x') RETURNING id", town.now.date(), kind)
        incident_id = opened(town)
        found.append(progress(town, incident_id)["plan"]["id"])
        town.services.handling.close(incident_id, town.actors["zhoumin"], "false", "x")
    town.rows("DELETE FROM holidays RETURNING id")
    assert found == ["rest", "emergency_alone", "emergency_alone", "rest"]


def test_a_broken_record_stands_in_no_alarms_way(town: World) -> None:
    town.rows("UPDATE response_plans SET tiers = '[]' WHERE id = 'emergency_alone' RETURNING id")
    assert progress(town, opened(town))["plan"]["id"] == "emergency"


# ---- alerts of their own --------------------------------------------------------------------------------------------


def test_nobody_on_scene_and_no_word_from_the_scene_are_alerts_of_their_own(town: World) -> None:
    opened(town)
    town.wait(30)
    mine = offers(town)["孙伟"]
    town.services.dispatching.step(mine, "accept", town.actors["sunwei"])
    town.wait(899)
    assert notices(town, "late_on_scene") == []
    town.wait(1)
    assert len(notices(town, "late_on_scene")) == 1
    town.services.dispatching.step(mine, "on-scene", town.actors["sunwei"])
    town.wait(900)
    assert notices(town, "welfare") == ["responder:S1"]
    assert notices(town, "no_word") == []
    town.wait(120)
    assert len(notices(town, "no_word")) == 1


def test_acknowledged_and_then_forgotten_is_impossible(town: World) -> None:
    incident_id = opened(town)
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    town.services.plan_desk.voice(incident_id, True, None, town.actors["zhoumin"])
    town.wait(121)
    assert town.row("SELECT state FROM incidents")["state"] == "open"
    town.wait(30)
    assert set(offers(town)) >= NEAR


def test_whoever_is_stood_down_after_a_call_hears_it_and_whoever_was_not_reached_does_not(town: World) -> None:
    opened(town)
    town.wait(30)
    rung = offers(town)["老胡"]
    town.rows(
        "UPDATE notices SET state = 'sent', attempts = 1, sent_at = now() WHERE assignment_id = %s RETURNING id", rung
    )
    town.services.dispatching.step(offers(town)["李师傅"], "accept", town.actors["zhoumin"])
    assert notices(town, "stood_down") == ["responder:contact-K2"]


def test_a_contact_who_goes_is_a_responder_from_then_on(town: World) -> None:
    opened(town)
    town.wait(30)
    assert town.row("SELECT responder_id FROM contacts WHERE id = 'K1'")["responder_id"] == "contact-K1"
    row = town.row("SELECT kind, on_duty, phone FROM responders WHERE id = 'contact-K1'")
    assert row == {"kind": "neighbour", "on_duty": False, "phone": "13900000011"}
