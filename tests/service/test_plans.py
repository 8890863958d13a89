"""Response plans on a real database, with virtual time: who is called when, and who is not called any more."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hub.errors import BadRequestError, ConflictError
from hub.ports import SessionRow
from hub.service import plan_progress
from hub.store.reads import ReadsPostgres
from tests.service.conftest import START, World

_KEYS = itertools.count(1)


def sign_in(world: World, *names: str) -> None:
    """Operators sit down: with nobody signed in everything happens at once."""
    with world.database.begin() as tx:
        for name in names:
            user = tx.users.by_name(name)
            assert user is not None
            token = bytes([next(_KEYS)]) * 32
            end = world.now + timedelta(days=2)
            tx.users.open_session(SessionRow(token, user.id, "console", world.now, end, end, on_duty=True))


_FRESH = (
    "TRUNCATE incidents, alarms, notices, due, calls, assignments, response_plans, sessions CASCADE",
    "DELETE FROM contacts",
    "DELETE FROM responders WHERE id LIKE 'contact-%'",
)
_CONTACTS = (
    ("K1", "李师傅", "neighbour", True, "13900000011"),
    ("K2", "老胡", "guard", False, "13900000012"),
    ("K3", "陈静", "family", False, "13900000013"),
)


@pytest.fixture
def town(shared_world: World) -> World:
    """Neighbours, a guard, a daughter; the plans that the hub brings along; one operator signed in."""
    world = shared_world
    world.now = START
    with psycopg.connect(world.url) as connection:
        for line in _FRESH:
            connection.execute(line)
    with world.database.begin() as tx:
        for place, (ident, name, kind, key, phone) in enumerate(_CONTACTS):
            row = {"id": ident, "resident_id": "R1", "name": name, "kind": kind, "has_key": key, "phone": phone}
            tx.reference.insert("contacts", {**row, "position": place})
    world.services.response_plans.seed()
    sign_in(world, "zhoumin")
    return world


def opened(world: World, alarm_type: str = "sos", device: str = "W1") -> str:
    world.press(device, alarm_type)
    live = "state IN ('open', 'acknowledged', 'in_progress')"
    return str(world.row(f"SELECT id FROM incidents WHERE {live} AND type = %s", alarm_type)["id"])


def offers(world: World) -> dict[str, str]:
    rows = world.rows(
        "SELECT r.name, a.id FROM assignments a JOIN responders r ON r.id = a.responder_id WHERE a.state = 'offered'"
    )
    return {row["name"]: str(row["id"]) for row in rows}


def notices(world: World, template: str = "call_out", states: Sequence[str] = ("waiting",)) -> list[str]:
    rows = world.rows(
        "SELECT party FROM notices WHERE template = %s AND state = ANY (%s) ORDER BY id", template, list(states)
    )
    return [row["party"] for row in rows]


def progress(world: World, incident_id: str) -> dict[str, Any]:
    row = ReadsPostgres(world.database).plan_of(incident_id)
    assert row is not None
    return plan_progress(row)


def tiers(world: World, incident_id: str) -> dict[str, str]:
    return {tier["code"]: tier["state"] for tier in progress(world, incident_id)["tiers"]}


def call(world: World, incident_id: str, outcome: str | None) -> str:
    fields = {"direction": "out", "number": "1", "incident_id": incident_id, "party": "resident:R1", "outcome": outcome}
    return world.services.calls.record(fields, world.actors["zhoumin"])


NEAR = {"李师傅", "老胡", "陈静"}


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
