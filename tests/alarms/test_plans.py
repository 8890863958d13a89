"""Which plan fits, what a plan may say, whom a tier calls: pure."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms import (
    BUILT_IN_PLANS,
    DEFAULT_PLAN,
    DEFAULT_POLICY,
    PARTY_ROLES,
    READY,
    ROLE_LABELS,
    SYSTEM,
    Acknowledge,
    Asked,
    AssignmentMoved,
    Close,
    DueStep,
    Escalate,
    Party,
    PlanClocks,
    PlanConditions,
    PlanSituation,
    PlanTier,
    ResponsePlan,
    Shelve,
    VoiceContact,
    apply,
    call_next,
    choose_plan,
    fall_due,
    plan_from_json,
    plan_to_json,
    policy_of_plan,
    risk_flags,
    run_from_json,
    run_to_json,
    take,
    unasked,
)
from hub.care import Resident
from hub.errors import BadRequestError
from tests.alarms.builders import FANG, NOW, SUN, ZHOU, DueRows, alarm, at, incident, resident

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=CHINA)
TIER = PlanTier("one", "一", "one", (Party("guard"),))


def plan(ident: str, **conditions: Any) -> ResponsePlan:
    return ResponsePlan(ident, ident, ident, (TIER,), PlanConditions(**conditions))


def situation(kind: str = "sos", **changes: Any) -> PlanSituation:
    base = PlanSituation(kind, "emergency", "critical", ("LJ", "LA", "G3", "G3-M1"), NOON, day_off=False)
    return replace(base, **changes)


ANY = plan("any")
CLASS = plan("class", classes=("emergency",))
TYPE = plan("type", types=("sos", "fall"))
HIGH = plan("high", area_id="LA")
DEEP = plan("deep", area_id="G3-M1")
NIGHT = plan("night", hours=(22 * 60, 6 * 60))
ALONE = plan("alone", flags=("lives_alone",))
REST = plan("rest", days="weekend")
BOTH = plan("both", area_id="LA", hours=(11 * 60, 13 * 60))


@pytest.mark.parametrize(
    ("plans", "changes", "wins"),
    [
        ((), {}, "default"),
        ((NIGHT,), {}, "default"),
        ((ANY,), {}, "any"),
        ((ANY, CLASS), {}, "class"),
        ((CLASS, TYPE), {}, "type"),
        ((TYPE, HIGH), {}, "type"),
        ((HIGH, DEEP), {}, "deep"),
        ((HIGH, DEEP), {"area_path": ("LJ", "LA")}, "high"),
        ((HIGH, ANY), {"area_path": ()}, "any"),
        ((TYPE, BOTH), {}, "both"),
        ((TYPE, ALONE), {"flags": frozenset({"lives_alone", "warfarin"})}, "type"),
        ((DEEP, ALONE), {"flags": frozenset({"lives_alone"})}, "alone"),
        ((ANY, NIGHT), {"local": NOON.replace(hour=22)}, "night"),
        ((ANY, NIGHT), {"local": NOON.replace(hour=5, minute=59)}, "night"),
        ((ANY, NIGHT), {"local": NOON.replace(hour=6)}, "any"),
        ((ANY, REST), {"day_off": True}, "rest"),
        ((ANY, REST), {}, "any"),
        ((plan("b"), plan("a")), {}, "a"),
    ],
)
def test_the_most_specific_plan_wins(plans: tuple[ResponsePlan, ...], changes: Any, wins: str) -> None:
    chosen = choose_plan(plans, situation(**changes))
    assert chosen.plan.id == wins
    assert chosen.reason.code == "plan"
    assert chosen.reason.values["plan"] == wins


@given(order=st.randoms(use_true_random=False), flags=st.sets(st.sampled_from(["lives_alone"])), day_off=st.booleans())
def test_the_choice_does_not_depend_on_the_order(order: random.Random, flags: set[str], day_off: bool) -> None:
    plans = [ANY, CLASS, TYPE, HIGH, DEEP, NIGHT, ALONE, REST, BOTH]
    where = situation(flags=frozenset(flags), day_off=day_off)
    first = choose_plan(plans, where)
    order.shuffle(plans)
    assert choose_plan(plans, where) == first


def test_living_alone_is_a_risk_flag() -> None:
    assert risk_flags(None) == frozenset()
    assert risk_flags(Resident("R", "x", lives_alone=True, flags=frozenset({"w"}))) == {"w", "lives_alone"}


@pytest.mark.parametrize("one", [DEFAULT_PLAN, *BUILT_IN_PLANS], ids=lambda one: one.id)
def test_a_plan_survives_its_row(one: ResponsePlan) -> None:
    assert plan_from_json(plan_to_json(one)) == one


def test_the_plans_brought_along_have_ids_of_their_own_and_both_languages() -> None:
    assert len({one.id for one in BUILT_IN_PLANS}) == len(BUILT_IN_PLANS)
    assert all(one.zh and one.en and tier.zh and tier.en for one in BUILT_IN_PLANS for tier in one.tiers)
    assert set(ROLE_LABELS) == set(PARTY_ROLES)


def test_every_fault_is_told_at_once() -> None:
    body = plan_to_json(DEFAULT_PLAN)
    body["zh"] = ""
    body["tiers"] = [{**body["tiers"][0], "wait_s": 0, "mode": "random", "channels": []}]
    body["conditions"]["hours"] = [5, 5]
    body["extra"] = 1
    with pytest.raises(BadRequestError) as refused:
        plan_from_json(body)
    for place in ("extra", "zh", "tiers[0].wait_s", "tiers[0].mode", "tiers[0].channels", "conditions.hours"):
        assert f"{place}:" in refused.value.detail


@pytest.mark.parametrize(
    "tiers",
    [
        None,
        [],
        "x",
        [None],
        [{"code": "A b"}],
        [{**plan_to_json(DEFAULT_PLAN)["tiers"][0], "parties": [{"role": "supervisor", "part": "know"}]}],
    ],
)
def test_a_plan_that_could_forget_an_incident_cannot_be_written(tiers: Any) -> None:
    with pytest.raises(BadRequestError, match="tiers"):
        plan_from_json({**plan_to_json(DEFAULT_PLAN), "tiers": tiers})


def test_a_plan_may_have_clocks_and_a_priority_of_its_own() -> None:
    own = replace(plan("own"), clocks=PlanClocks(on_scene_s=300, welfare_s=60), priority="critical")
    policy = policy_of_plan(DEFAULT_POLICY, own)
    assert (policy.high.on_scene_s, policy.high.accept_s, policy.welfare_s) == (300, 120, 60)
    assert policy.worklist == DEFAULT_POLICY.worklist
    taken = take(alarm("assistance"), None, resident(), now=NOW, incident_id="I", plan=own)
    assert taken.change is not None
    assert (taken.change.incident.priority, taken.change.incident.plan.id) == ("critical", "own")


def people(*names: str) -> list[Asked]:
    return [Asked(f"responder:{name}", name, "guard", assignment_id=name) for name in names]


def test_whom_a_tier_calls() -> None:
    everybody = people("a", "b", "a", "c")
    assert [one.name for one in unasked(TIER, everybody, frozenset())] == ["a", "b", "c"]
    assert [one.name for one in unasked(TIER, everybody, frozenset({"responder:b"}))] == ["a", "c"]
    turn = replace(TIER, mode="in_turn", at_once=2)
    assert [one.name for one in unasked(turn, everybody, frozenset({"responder:a"}))] == ["b", "c"]


def called(**changes: Any) -> Any:
    one = replace(incident(**changes), plan=replace(plan("p"), tiers=(TIER, replace(TIER, code="two"))))
    return call_next(one, lambda tier: people(tier.code), frozenset(), now=at(30), reason="x", by=SYSTEM)


def test_a_tier_is_waited_for_and_then_the_next_is_called() -> None:
    first = called()
    assert first.tier.code == "one"
    due = DueRows(first.change.due)
    assert due.own == {"plan_tier": at(90)}
    over = fall_due(first.change.incident, DueStep("plan_tier", at(90)), now=at(90), operators_signed_in=1)
    assert over.plan == "next"
    early = fall_due(first.change.incident, DueStep("plan_tier", at(60)), now=at(60), operators_signed_in=1)
    assert (early.plan, DueRows(early.due).own) == ("none", {"plan_tier": at(90)})


def test_a_technical_matter_calls_nobody() -> None:
    nobody = call_next(incident("low_battery"), lambda _: people("a"), frozenset(), now=NOW, reason="x", by=SYSTEM)
    assert nobody.tier is None
    assert nobody.change.due == ()


def test_accept_stops_the_plan_and_its_clock() -> None:
    running = called().change
    moved = AssignmentMoved("one", "p-sun", "offered", "accepted")
    change = apply(running.incident, moved, now=at(40), actor=SUN)
    assert (change.plan, change.incident.run.state, change.incident.run.due_at) == ("stop", "stopped", None)
    due = DueRows(running.due)
    due.write(change.due)
    assert "plan_tier" not in due.own


def test_a_shelf_and_a_close_stop_the_clock() -> None:
    running = called().change.incident
    shelved = apply(running, Shelve(at(600), "x"), now=at(40), actor=FANG)
    assert shelved.incident.run.due_at is None
    closed = apply(running, Close("false", "x"), now=at(40), actor=ZHOU)
    assert (closed.incident.run.state, closed.incident.run.due_at) == ("stopped", None)


def test_a_claim_pauses_the_plan_and_begins_the_voice() -> None:
    running = called().change
    held = apply(running.incident, Acknowledge(), now=at(40), actor=ZHOU)
    due = DueRows(running.due)
    due.write(held.due)
    assert due.own == {"voice": at(85), "lease": at(160)}
    failed = fall_due(held.incident, DueStep("voice", at(85)), now=at(85), operators_signed_in=1)
    assert failed.plan == "next"
    spoken = apply(held.incident, VoiceContact(reached=True), now=at(50), actor=ZHOU)
    assert (spoken.plan, spoken.incident.run.state) == ("none", "spoken")


def test_more_help_beside_somebody_under_way_starts_no_clock() -> None:
    running = called().change.incident
    coming = apply(running, AssignmentMoved("one", "p", "offered", "accepted"), now=at(40), actor=SUN).incident
    assert apply(coming, Escalate("two are needed"), now=at(50), actor=ZHOU).plan == "next"
    more = call_next(coming, lambda tier: people(tier.code), frozenset(), now=at(50), reason="x", by=ZHOU)
    assert more.tier is not None
    assert (more.change.incident.run.state, more.change.incident.run.due_at) == ("stopped", None)


def test_a_run_survives_its_row() -> None:
    run = called().change.incident.run
    body = run_to_json(run)
    assert body is not None
    for name in ("since", "due_at"):
        body[name] = body[name].isoformat()
    for mark in body["marks"]:
        mark["at"] = mark["at"].isoformat()
    assert run_from_json(body) == run
    assert (run_to_json(READY), run_from_json(None)) == (None, READY)
