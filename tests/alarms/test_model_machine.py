"""Any order of presses, people and clocks, against a small model that cannot be wrong because it knows so little."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.alarms import (
    DEFAULT_PLAN,
    DISPOSITIONS,
    ENTRY_KINDS,
    Acknowledge,
    Action,
    Actor,
    Assign,
    AssignmentMoved,
    Change,
    Close,
    DueStep,
    Escalate,
    Incident,
    Note,
    Release,
    Reopen,
    ResponsePlan,
    Shelve,
    Supervise,
    TimelineEntry,
    Touch,
    Unshelve,
    apply,
    fall_due,
    priority_rank,
    take,
)
from hub.errors import BadRequestError, ConflictError, ForbiddenError
from tests.alarms.builders import FANG, LI, NOW, SUN, ZHOU, DueRows, alarm, resident

PEOPLE = st.sampled_from([ZHOU, LI, FANG])
STEPS: dict[str, list[str]] = {
    "offered": ["accepted", "en_route", "on_scene", "declined", "stood_down"],
    "accepted": ["en_route", "on_scene", "declined", "stood_down"],
    "en_route": ["on_scene", "declined", "stood_down"],
    "on_scene": ["completed"],
}
ENDED = {"completed", "declined", "stood_down"}


class Desk(RuleBasedStateMachine):
    """One resident's emergencies over a few hours, with due rows as the store keeps them."""

    incident: Incident
    due: DueRows
    now: datetime
    plan: ClassVar[ResponsePlan] = DEFAULT_PLAN

    @initialize(kind=st.sampled_from(["sos", "assistance"]), operators=st.integers(0, 2))
    def first_press(self, kind: str, operators: int) -> None:
        self.now, self.operators, self.presses = NOW, operators, 1
        self.assignments: dict[str, str] = {}
        self.reopened_with: set[str] = set()
        self.entries: list[TimelineEntry] = []
        taken = take(
            alarm(kind),
            None,
            resident(),
            now=self.now,
            incident_id="I",
            operators_signed_in=operators,
            plan=self.plan,
        )
        assert taken.change is not None
        self.incident = taken.change.incident
        self.due = DueRows(taken.change.due)
        self.resolved_by: str | None = None
        self.best = priority_rank(self.incident.priority)
        self.entries += taken.change.entries
        self.carry_out(taken.change)

    def carry_out(self, change: Change) -> None:
        """What the hub does about the response plan; here nothing: `test_plan_machine` does."""

    def write(self, change: Change, *, changes: bool = True) -> None:
        before = self.incident
        self.incident = change.incident
        self.due.write(change.due)
        self.entries += change.entries
        assert all(entry.kind in ENTRY_KINDS and entry.at == self.now for entry in change.entries)
        if changes:
            assert self.incident.version == before.version + 1
        if change.stand_down:
            for key, state in self.assignments.items():
                if state in STEPS and state != "on_scene":
                    self.assignments[key] = "stood_down"
                    self.end_of(key)
        self.carry_out(change)

    def end_of(self, key: str) -> None:
        """Somebody was stood down: the steps about it end, and it is on the timeline."""
        for code in ("accept", "on_scene_late", "welfare", "welfare_alert"):
            self.due.rows.pop((code, key), None)
        self.entries.append(TimelineEntry("stood_down", self.now, body={"assignment_id": key}))

    def act(self, action: Action, actor: Actor) -> bool:
        before = self.incident
        try:
            change = apply(before, action, now=self.now, actor=actor)
        except (ConflictError, ForbiddenError, BadRequestError):
            assert self.incident is before
            return False
        self.write(change)
        return True

    @rule(kind=st.sampled_from(["sos", "fall", "assistance", "inactivity"]), buffered=st.booleans())
    def press(self, kind: str, buffered: bool) -> None:
        cry = replace(alarm(kind, buffered=buffered), received_at=self.now)
        before = self.incident
        taken = take(cry, before, resident(), now=self.now, incident_id="I-next")
        assert taken.change is not None
        if not before.live:
            assert taken.decision.kind == "open"
            return
        self.write(taken.change)
        self.presses += 1
        self.best = min(self.best, priority_rank(cry.priority))
        assert self.incident.alarm_count == self.presses
        assert self.incident.state == before.state

    @rule(actor=PEOPLE)
    def claim(self, actor: Actor) -> None:
        holder = self.incident.acknowledged_by if self.incident.live else None
        done = self.act(Acknowledge(), actor)
        assert not (done and holder not in (None, actor.user_id)), "two people hold one incident"

    @rule(actor=PEOPLE)
    def release(self, actor: Actor) -> None:
        holder = self.incident.acknowledged_by
        if self.act(Release(), actor):
            assert actor.user_id == holder or actor.supervises

    @rule(actor=PEOPLE, action=st.sampled_from([Note("x"), Escalate(), Touch(), Unshelve()]))
    def work(self, actor: Actor, action: Action) -> None:
        state = self.incident.state
        self.act(action, actor)
        assert self.incident.state == state

    @rule(actor=PEOPLE, minutes=st.integers(-5, 90))
    def shelve(self, actor: Actor, minutes: int) -> None:
        if self.act(Shelve(self.now + timedelta(minutes=minutes), "x"), actor):
            assert self.incident.shelved_until is not None
            assert self.incident.shelved_until > self.now

    @rule()
    def offer(self) -> None:
        key = f"A-{len(self.assignments)}"
        if self.act(Assign(key, "p-sun"), ZHOU):
            self.assignments[key] = "offered"

    @precondition(lambda self: any(state in STEPS for state in self.assignments.values()))
    @rule(pick=st.data())
    def responder_moves(self, pick: st.DataObject) -> None:
        key = pick.draw(st.sampled_from([key for key, state in self.assignments.items() if state in STEPS]))
        was: Any = self.assignments[key]
        state: Any = pick.draw(st.sampled_from(STEPS[was]))
        self.before_move(key, was, state)
        others: Any = tuple(one for other, one in self.assignments.items() if other != key)
        self.assignments[key] = state
        assert self.act(AssignmentMoved(key, "p-sun", was, state, others), SUN), "a fact is never refused"

    def before_move(self, key: str, was: str, state: str) -> None:
        """What the hub does beside a step of an assignment."""

    @rule(
        actor=PEOPLE, disposition=st.sampled_from(DISPOSITIONS), summary=st.sampled_from(["", "x"]), drawn=st.booleans()
    )
    def close(self, actor: Actor, disposition: Any, summary: str, drawn: bool) -> None:
        if self.act(Close(disposition, summary, drawn), actor):
            assert summary
            self.resolved_by = actor.user_id

    @rule(actor=PEOPLE, verdict=st.sampled_from(["confirmed", "returned"]))
    def supervise(self, actor: Actor, verdict: Any) -> None:
        if self.act(Supervise(verdict), actor):
            assert actor.user_id != self.resolved_by, "whoever resolved it supervised it"

    @rule(actor=PEOPLE)
    def reopen(self, actor: Actor) -> None:
        self.act(Reopen("x"), actor)

    @rule(seconds=st.sampled_from([1, 10, 30, 60, 120, 900, 1800]))
    def time_passes(self, seconds: int) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.due.rows and min(self.due.rows.values()) <= end:
            (code, about), when = min(self.due.rows.items(), key=lambda row: (row[1], row[0]))
            del self.due.rows[code, about]
            self.now = max(self.now, when)
            step = DueStep(code, when, about)
            change = fall_due(self.incident, step, now=self.now, operators_signed_in=self.operators)
            self.write(change, changes=change.incident is not self.incident)
        self.now = end

    @invariant()
    def nothing_live_is_forgotten(self) -> None:
        if self.incident.live:
            assert self.due.own, f"{self.incident.state} has no due step"
            assert all(when >= self.now for when in self.due.own.values())

    @invariant()
    def never_done_without_a_disposition(self) -> None:
        done = not self.incident.live
        assert (self.incident.disposition is not None) == done
        assert bool(self.incident.summary) == done
        if self.incident.state == "closed":
            assert self.incident.supervision != "required"
            assert not self.due.own
        if self.incident.state == "resolved":
            assert self.incident.supervision == "required"
            assert set(self.due.own) == {"supervision"}

    @invariant()
    def the_holder_is_known_exactly_while_held(self) -> None:
        if self.incident.state == "open":
            assert self.incident.acknowledged_by is None
        if self.incident.state == "acknowledged":
            assert self.incident.acknowledged_by is not None
        critical = self.incident.priority == "critical"
        leased = self.incident.state == "acknowledged" and critical and not self.incident.shelved
        assert (self.incident.lease_until is not None) == leased

    @invariant()
    def flags_say_what_assignments_say(self) -> None:
        states = set(self.assignments.values())
        assert self.incident.on_scene == ("on_scene" in states)
        assert self.incident.under_way == bool(states & {"accepted", "en_route", "on_scene"})

    @invariant()
    def a_step_about_an_assignment_ends_with_it(self) -> None:
        for _, about in self.due.rows:
            assert not about or self.assignments[about] not in ENDED
        for key, state in self.assignments.items():
            if state in ("accepted", "en_route") and self.incident.live:
                assert ("on_scene_late", key) in self.due.rows
            if state == "on_scene":
                assert {("welfare", key), ("welfare_alert", key)} & set(self.due.rows)

    @invariant()
    def priority_only_rises(self) -> None:
        assert priority_rank(self.incident.priority) == self.best


Desk.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestDesk = Desk.TestCase
