"""Response plans on a real database, with virtual time: who is called when, and who is not called any more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.conftest import World
from tests.service.town import NEAR, call, notices, offers, open_town, opened, progress, tiers


@pytest.fixture
def town(shared_world: World) -> World:
    return open_town(shared_world)


# ---- voice first ----------------------------------------------------------------------------------------------------


def test_a_mistaken_press_is_closed_and_nobody_else_was_rung(town: World) -> None:
    incident_id = opened(town)
    town.wait(8)
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    town.wait(4)
    call(town, incident_id, "answered")
    town.services.handling.close(incident_id, town.actors["zhoumin"], "false", "pressed by mistake")
    town.wait(7_200)
    assert offers(town) == {}
    assert town.rows("SELECT id FROM notices") == []


def test_no_answer_calls_those_nearby_together_and_at_once(town: World) -> None:
    incident_id = opened(town)
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    town.wait(10)
    call(town, incident_id, "no_answer")
    assert set(offers(town)) == {*NEAR, "孙伟"}
    times = town.rows("SELECT DISTINCT offered_at FROM assignments")
    assert [row["offered_at"] for row in times] == [town.now]
    assert len(notices(town)) == 4
    assert tiers(town, incident_id) == {"near": "running", "qualified": "next", "medical": "later", "above": "later"}


def test_claimed_and_nobody_speaks_with_the_resident(town: World) -> None:
    incident_id = opened(town)
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    seconds = progress(town, incident_id)["voice"]["seconds"]
    assert seconds == 30, "somebody living alone"
    town.wait(seconds - 1)
    assert offers(town) == {}
    town.wait(1)
    assert set(offers(town)) >= NEAR
    assert progress(town, incident_id)["voice"]["state"] == "failed"


def test_a_call_in_progress_renews_the_claim_and_the_voice(town: World) -> None:
    incident_id = opened(town)
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    town.wait(5)
    ringing = call(town, incident_id, None)
    town.wait(300)
    assert town.row("SELECT state FROM incidents")["state"] == "acknowledged"
    assert offers(town) == {}
    town.services.calls.update(ringing, {"outcome": "busy"}, town.actors["zhoumin"])
    assert set(offers(town)) >= NEAR


def test_spoken_to_others_are_called_when_the_operator_says_so(town: World) -> None:
    incident_id = opened(town)
    operator = town.actors["zhoumin"]
    town.services.handling.acknowledge(incident_id, operator)
    town.services.plan_desk.voice(incident_id, True, "she is dizzy", operator)
    town.wait(100)
    assert offers(town) == {}
    assert progress(town, incident_id)["voice"]["state"] == "reached"
    town.services.handling.escalate(incident_id, operator, "dizzy")
    assert set(offers(town)) >= NEAR


def test_nobody_claims_within_thirty_seconds_and_the_supervisor_hears_after_sixty(town: World) -> None:
    incident_id = opened(town)
    town.wait(29)
    assert offers(town) == {}
    town.wait(1)
    assert set(offers(town)) >= NEAR
    assert notices(town, "unclaimed") == []
    town.wait(30)
    supervisor = town.actors["fanglei"].user_id
    assert notices(town, "unclaimed") == [f"user:{supervisor}"]
    town.services.handling.acknowledge(incident_id, town.actors["zhoumin"])
    assert notices(town, "unclaimed") == [], "worth nothing once somebody has it"


def test_two_signals_that_agree_do_not_wait(town: World) -> None:
    incident_id = opened(town, "fall", "P1")
    town.wait(3)
    town.press("W1", "sos")
    assert set(offers(town)) >= NEAR
    assert "tier_called" in town.kinds(incident_id)


def test_no_operator_signed_in_calls_at_once(town: World) -> None:
    town.rows("UPDATE sessions SET on_duty = false RETURNING user_id")
    opened(town)
    town.wait(0)
    assert set(offers(town)) >= NEAR


def test_smoke_calls_others_when_it_opens(town: World) -> None:
    incident_id = opened(town, "smoke")
    assert progress(town, incident_id)["plan"]["id"] == "fire_and_gas"
    assert set(offers(town)) == {"老胡", "孙伟", "李师傅"}
    people = progress(town, incident_id)["tiers"][0]["people"]
    assert [one["state"] for one in people if one["role"] == "fire"] == ["to_call"]


# ---- tiers ----------------------------------------------------------------------------------------------------------


def test_the_first_to_accept_has_it_and_nobody_is_notified_after_that(town: World) -> None:
    incident_id = opened(town)
    town.wait(30)
    mine = offers(town)["李师傅"]
    town.wait(5)
    town.services.dispatching.step(mine, "accept", town.actors["zhoumin"])
    rows = town.rows("SELECT r.name, a.state, a.reason FROM assignments a JOIN responders r ON r.id = a.responder_id")
    others = {row["name"]: row["reason"] for row in rows if row["state"] == "stood_down"}
    assert set(others) == {"老胡", "陈静", "孙伟"}
    assert set(others.values()) == {"李师傅 accepted first"}
    assert notices(town) == [], "what had not left yet is taken back in the same transaction"
    before = town.row("SELECT count(*) AS n FROM notices")["n"]
    town.wait(1_500)
    assert offers(town) == {}
    assert notices(town, "call_out", ["waiting", "sent"]) == []
    assert town.row("SELECT count(*) AS n FROM notices WHERE template = 'call_out'")["n"] <= before
    state = progress(town, incident_id)
    assert (state["state"], state["reason"]) == ("stopped", "a responder has accepted")
    assert [tier["state"] for tier in state["tiers"]] == ["done", "stood_down", "stood_down", "stood_down"]


def test_tiers_follow_one_another_until_nobody_is_left(town: World) -> None:
    incident_id = opened(town)
    town.wait(30)
    assert set(offers(town)) == {*NEAR, "孙伟"}
    town.wait(59)
    assert "何琳" not in offers(town)
    town.wait(1)
    assert "何琳" in offers(town), "the nearest qualified who was not asked yet"
    town.wait(60)  # micro-grid leader, nurse, doctor: the nurse was asked already, the others are not there
    assert tiers(town, incident_id)["medical"] == "empty"
    assert tiers(town, incident_id)["above"] == "running"
    assert len(notices(town, "escalated")) == 1
    town.wait(120)
    state = progress(town, incident_id)
    assert state["state"] == "exhausted"
    assert len(notices(town, "nobody_left")) == 1
    town.wait(121)
    assert len(notices(town, "nobody_left")) > 1, "said again: it is still nobody's"
    assert len({row["responder_id"] for row in town.rows("SELECT responder_id FROM assignments")}) == len(offers(town))


def test_in_turn_is_one_after_the_other(town: World) -> None:
    body = {"code": "one", "zh": "轮流", "en": "in turn", "wait_s": 20, "mode": "in_turn"}
    tier = {**body, "parties": [{"role": "keyholder"}, {"role": "guard"}, {"role": "contact"}]}
    fields: dict[str, Any] = {
        "id": "mine",
        "zh": "我的",
        "en": "mine",
        "conditions": {"types": ["sos"], "area_id": "G3"},
    }
    admin = town.actors["fanglei"]
    town.services.response_plans.add(
        {
            **fields,
            "conditions": {**fields["conditions"], "flags": ["lives_alone"], "classes": ["emergency"]},
            "tiers": [tier],
        },
        admin,
    )
    incident_id = opened(town)
    assert progress(town, incident_id)["plan"]["id"] == "mine"
    asked = []
    town.wait(30)
    for _ in range(3):
        asked.append(set(offers(town)))
        town.wait(20)
    assert [len(names) for names in asked] == [1, 2, 3]
    assert asked[0] == {"李师傅"}
    assert asked[1] == {"李师傅", "老胡"}
    assert progress(town, incident_id)["state"] == "exhausted"


def test_whoever_declines_in_turn_hands_it_on_at_once(town: World) -> None:
    tier = {"code": "one", "zh": "轮流", "en": "in turn", "mode": "in_turn", "wait_s": 600}
    town.services.response_plans.change(
        "emergency_alone",
        {"tiers": [{**tier, "parties": [{"role": "keyholder"}, {"role": "guard"}]}]},
        town.actors["fanglei"],
    )
    opened(town)
    town.wait(30)
    first = offers(town)["李师傅"]
    town.services.dispatching.step(first, "decline", town.actors["zhoumin"], reason="not at home")
    assert set(offers(town)) == {"老胡"}


def test_one_refusal_does_not_call_the_next_tier_while_others_are_asked(town: World) -> None:
    opened(town)
    town.wait(30)
    town.services.dispatching.step(offers(town)["陈静"], "decline", town.actors["zhoumin"], reason="in Hefei")
    assert set(offers(town)) == {"李师傅", "老胡", "孙伟"}


def test_whoever_accepted_and_cannot_come_gives_the_others_another_chance(town: World) -> None:
    incident_id = opened(town)
    town.wait(30)
    mine = offers(town)["孙伟"]
    town.services.dispatching.step(mine, "accept", town.actors["sunwei"])
    assert offers(town) == {}
    town.services.dispatching.step(mine, "decline", town.actors["sunwei"], reason="car broken")
    assert set(offers(town)) == NEAR, "those who were stood down, and not who cannot come"
    assert progress(town, incident_id)["state"] == "calling"


def test_a_further_critical_press_begins_the_plan_again(town: World) -> None:
    incident_id = opened(town)
    operator = town.actors["zhoumin"]
    town.services.handling.acknowledge(incident_id, operator)
    call(town, incident_id, "no_answer")
    for name, offer in offers(town).items():
        town.services.dispatching.step(offer, "decline", operator, reason=f"{name} cannot")
    town.services.handling.acknowledge(incident_id, operator)
    town.wait(10)
    town.press("W1")
    assert progress(town, incident_id)["round"] == 1
    assert set(offers(town)) >= {*NEAR, "孙伟"}


def test_with_somebody_on_scene_a_further_press_calls_nobody(town: World) -> None:
    opened(town)
    town.wait(30)
    mine = offers(town)["李师傅"]
    town.services.dispatching.step(mine, "accept", town.actors["zhoumin"])
    town.services.dispatching.step(mine, "on-scene", town.actors["zhoumin"])
    town.press("W1")
    assert offers(town) == {}
