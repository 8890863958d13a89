"""Any order of presses, people, refusals and clocks while a response plan is carried out, against what must never be.

No live incident without an owner or a due time; nobody is called after somebody has accepted; nobody twice in a round;
whoever resolved does not supervise; the timeline tells the same state again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from hub.alarms import (
    SYSTEM,
    Actor,
    Asked,
    Assign,
    Change,
    Party,
    PlanTier,
    ResponsePlan,
    SkipTier,
    VoiceContact,
    VoiceStep,
    apply,
    call_next,
)
from tests.alarms.replay import agrees, replayed
from tests.alarms.test_model_machine import PEOPLE, Desk

_POOL = {
    "near": ("R-li", "R-hu", "R-sun"),
    "turn": ("R-sun", "R-qian", "R-wu", "R-zheng"),
    "nobody": (),
    "above": ("U-fang",),
}
PLAN = ResponsePlan(
    id="p",
    zh="p",
    en="p",
    tiers=(
        PlanTier("near", "", "", (Party("keyholder"),), wait_s=60),
        PlanTier("turn", "", "", (Party("grid_officer"),), wait_s=30, mode="in_turn", at_once=2),
        PlanTier("nobody", "", "", (Party("community_doctor"),), wait_s=60),
        PlanTier("above", "", "", (Party("supervisor", "know"),), wait_s=120),
    ),
    voice=VoiceStep(45),
)


class Night(Desk):
    """The desk of `test_model_machine`, with a plan that is carried out as the hub does it."""

    plan: ClassVar[ResponsePlan] = PLAN

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, tuple[str, int]] = {}
        self.accepted_in: int | None = None
        self.asked_for = False

    def carry_out(self, change: Change) -> None:
        incident = self.incident
        assert not (change.plan == "stop" and incident.run.due_at), "a stopped plan has no clock"
        if change.plan not in ("next", "restart") or not incident.live:
            return
        stood_down = {key for key, state in self.assignments.items() if state == "stood_down"}
        gone = {
            ref
            for key, (ref, round_) in self.people.items()
            if key not in stood_down and (round_ == incident.plan_round or self.assignments[key] in _LIVE)
        }
        told = {one.ref for mark in incident.run.marks for one in mark.asked if one.assignment_id is None}
        called = call_next(incident, self.find, frozenset(gone | told), now=self.now, reason="x", by=SYSTEM)
        after = called.change.incident
        assert after.run.due_at is not None or after.under_way, "a plan that goes on has a due time"
        self.write(called.change)
        for one in called.asked:
            by_plan = not self.asked_for
            if by_plan and incident.under_way:
                assert self.accepted_in is None or incident.plan_round > self.accepted_in, "notified after accept"
            assert one.ref not in gone | told, "asked twice"
            if one.assignment_id is not None:
                self.assignments[one.assignment_id] = "offered"
                self.people[one.assignment_id] = (one.ref, incident.plan_round)
                ask = Assign(one.assignment_id, one.ref, one.name)
                self.write(apply(self.incident, ask, now=self.now, actor=SYSTEM))

    def find(self, tier: PlanTier) -> Sequence[Asked]:
        part = tier.parties[0].part
        return [
            Asked(
                ref,
                ref,
                tier.parties[0].role,
                part,
                assignment_id=f"P-{len(self.entries)}-{ref}" if part == "go" else None,
            )
            for ref in _POOL[tier.code]
        ]

    def before_move(self, key: str, was: str, state: str) -> None:
        if was == "offered" and state in ("accepted", "en_route", "on_scene"):
            self.accepted_in = self.incident.plan_round if self.incident.live else self.accepted_in
            for other, had in self.assignments.items():
                if other != key and had == "offered":
                    self.assignments[other] = "stood_down"
                    self.end_of(other)

    def act(self, action: object, actor: Actor) -> bool:
        self.asked_for = getattr(action, "name", "") in ("escalate", "skip_tier")
        try:
            return super().act(action, actor)  # type: ignore[arg-type]
        finally:
            self.asked_for = False

    @rule(actor=PEOPLE, reached=st.booleans())
    def voice(self, actor: Actor, reached: bool) -> None:
        spoken = self.incident.run.state == "spoken"
        before = len(self.people)
        if self.act(VoiceContact(reached), actor) and (reached or spoken or self.incident.under_way):
            assert len(self.people) == before, "spoken to, and others were called all the same"

    @precondition(lambda self: self.incident.live)
    @rule(actor=PEOPLE, code=st.sampled_from([*_POOL, "none"]), reason=st.sampled_from(["x", " "]))
    def skip(self, actor: Actor, code: str, reason: str) -> None:
        self.act(SkipTier(code, reason), actor)

    @invariant()
    def never(self) -> None:
        """What must be true after every step."""
        run, own = self.incident.run, self.due.own
        assert ("voice" in own) == (run.state == "voice")
        assert ("plan_tier" in own) == (run.advancing and run.due_at is not None)
        if run.due_at is not None:
            assert self.incident.live
            assert not self.incident.shelved
            assert own["voice" if run.state == "voice" else "plan_tier"] == run.due_at
        if not self.incident.live:
            assert run.state == "stopped"
            assert "offered" not in self.assignments.values() or self.incident.state in ("resolved", "closed")
        if self.incident.live and self.incident.state == "open" and not self.incident.shelved:
            assert own, "nobody has it and nothing is due"
        agrees(replayed(self.entries), self.incident)


_LIVE = ("offered", "accepted", "en_route", "on_scene")

Night.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestNight = Night.TestCase


@pytest.mark.long
def test_ten_thousand_histories() -> None:
    run_state_machine_as_test(
        Night,
        settings=settings(
            max_examples=10_000,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
