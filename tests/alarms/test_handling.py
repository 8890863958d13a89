"""What each action means on top of the table: claims, leases, those who come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms import (
    SYSTEM,
    Acknowledge,
    Action,
    Assign,
    Close,
    Conflict,
    Escalate,
    IllegalTransition,
    Incident,
    LeaseOver,
    Note,
    NotHolder,
    Release,
    Reopen,
    SelfSupervision,
    ShelfRefused,
    Supervise,
    Touch,
    Unshelve,
    WelfareAnswered,
    apply,
)
from hub.errors import BadRequestError
from tests.alarms.builders import FANG, LI, NOW, SUN, ZHOU, DueRows, at, incident, kinds, opened
from tests.alarms.handled import claimed, moved, resolved, shelve


def test_claim_tells_hold_and_runs_the_lease() -> None:
    change = apply(incident(), Acknowledge(), now=at(12), actor=ZHOU)
    assert change.incident.state == "acknowledged"
    assert (change.incident.acknowledged_by, change.incident.acknowledged_at) == ("u-zhou", at(12))
    assert change.incident.lease_until == at(132)
    assert change.incident.version == 2
    assert change.tell == ("hold",)
    assert kinds(change) == ["acknowledged"]
    assert change.entries[0].body["waited_s"] == 12
    due = DueRows(opened().due)
    due.write(change.due)
    assert due.own == {"lease": at(132)}


def test_second_claim_says_who_was_first_and_when() -> None:
    with pytest.raises(Conflict) as refused:
        apply(claimed(), Acknowledge(), now=at(6), actor=LI)
    assert refused.value.extra["by"] == {"id": "u-zhou"}
    assert refused.value.extra["at"] == at(5).isoformat()
    assert refused.value.extra["state"] == "acknowledged"


def test_claim_sent_again_by_its_holder_is_done_already() -> None:
    change = apply(claimed(), Acknowledge(), now=at(50), actor=ZHOU)
    assert change.entries == ()
    assert change.tell == ()
    assert change.incident.acknowledged_at == at(5)
    assert change.incident.lease_until == at(170)


def test_claim_needs_an_account() -> None:
    with pytest.raises(BadRequestError):
        apply(incident(), Acknowledge(), now=NOW, actor=SYSTEM)


def test_claim_of_a_matter_that_only_responders_have() -> None:
    running = apply(incident(), moved("accepted"), now=at(3), actor=SUN).incident
    assert (running.state, running.acknowledged_by) == ("in_progress", None)
    change = apply(running, Acknowledge(), now=at(4), actor=ZHOU)
    assert (change.incident.state, change.incident.acknowledged_by) == ("in_progress", "u-zhou")
    with pytest.raises(Conflict):
        apply(change.incident, Acknowledge(), now=at(5), actor=LI)


@pytest.mark.parametrize("actor", [LI, SUN, SYSTEM])
def test_only_the_holder_or_a_supervisor_releases(actor: Any) -> None:
    with pytest.raises(NotHolder):
        apply(claimed(), Release(), now=at(9), actor=actor)


@pytest.mark.parametrize("actor", [ZHOU, FANG])
def test_release_goes_back_to_the_queue_with_its_clocks(actor: Any) -> None:
    change = apply(claimed(), Release("交班"), now=at(9), actor=actor)
    after = change.incident
    assert (after.state, after.acknowledged_by, after.acknowledged_at, after.lease_until) == ("open", None, None, None)
    assert change.tell == ()
    assert kinds(change) == ["released"]
    due = DueRows(change.due)
    assert due.own == {"realert_10": at(19), "plan_30": at(39), "supervisor_60": at(69)}
    assert {alert.audience for alert in change.alerts} == {"operators"}


@pytest.mark.parametrize(
    "action",
    [Note("通话中"), Escalate(), Touch(), Assign(assignment_id="A-1", responder_id="p-sun")],
    ids=lambda a: a.name,
)
def test_whatever_the_holder_does_renews_the_claim(action: Action) -> None:
    change = apply(claimed(), action, now=at(100), actor=ZHOU)
    assert change.incident.lease_until == at(220)
    assert ("lease", at(220)) in {(one.code, one.due_at) for one in change.due}


def test_somebody_elses_note_does_not_renew_the_claim() -> None:
    change = apply(claimed(), Note("路过"), now=at(100), actor=LI)
    assert change.incident.lease_until == at(125)
    assert change.due == ()


def test_only_the_holder_can_touch() -> None:
    with pytest.raises(NotHolder):
        apply(claimed(), Touch(), now=at(9), actor=LI)


@pytest.mark.parametrize(("seconds", "over"), [(124.999, False), (125, True)])
def test_lease_ends_exactly_when_it_ends(seconds: float, over: bool) -> None:
    if not over:
        with pytest.raises(Conflict):
            apply(claimed(), LeaseOver(), now=at(seconds), actor=SYSTEM)
        return
    change = apply(claimed(), LeaseOver(), now=at(seconds), actor=SYSTEM)
    assert change.incident.state == "open"
    assert change.incident.acknowledged_by is None
    assert kinds(change) == ["lease_expired"]
    assert change.entries[0].body["held_by"] == "u-zhou"


def test_a_claim_that_is_not_critical_has_no_lease_but_a_reminder() -> None:
    change = apply(incident("assistance"), Acknowledge(), now=NOW, actor=ZHOU)
    assert change.incident.lease_until is None
    assert DueRows(change.due).own == {"claim_idle": at(900)}
    with pytest.raises(Conflict):
        apply(change.incident, LeaseOver(), now=at(10_000), actor=SYSTEM)


# ---- responders


def test_offer_runs_its_clock() -> None:
    change = apply(claimed(), Assign("A-1", "p-sun", "孙伟"), now=at(20), actor=ZHOU)
    assert kinds(change) == ["offered"]
    assert DueRows(change.due).rows["accept", "A-1"] == at(80)
    assert change.incident.state == "acknowledged"


@pytest.mark.parametrize("state", ["accepted", "en_route", "on_scene"])
@pytest.mark.parametrize("start", ["open", "acknowledged"])
def test_help_that_accepts_is_help_claimed_or_not(start: str, state: str) -> None:
    before = incident() if start == "open" else claimed()
    change = apply(before, moved(state), now=at(30), actor=SUN)
    assert change.incident.state == "in_progress"
    assert change.incident.under_way
    assert change.incident.on_scene is (state == "on_scene")
    assert change.incident.lease_until is None
    assert change.tell == ("hold",)


def test_clocks_of_a_responder_follow_the_way() -> None:
    due = DueRows()
    change = apply(claimed(), Assign("A-1", "p-sun"), now=at(10), actor=ZHOU)
    due.write(change.due)
    change = apply(change.incident, moved("accepted"), now=at(20), actor=SUN)
    due.write(change.due)
    assert {key for key in due.rows if key[1]} == {("on_scene_late", "A-1")}
    change = apply(change.incident, moved("en_route", was="accepted"), now=at(100), actor=SUN)
    due.write(change.due)
    assert due.rows["on_scene_late", "A-1"] == at(20 + 1800), "the clock runs from the acceptance"
    change = apply(change.incident, moved("on_scene", was="en_route"), now=at(400), actor=SUN)
    due.write(change.due)
    assert {key: value for key, value in due.rows.items() if key[1]} == {("welfare", "A-1"): at(1300)}
    change = apply(change.incident, WelfareAnswered("A-1"), now=at(1310), actor=SUN)
    due.write(change.due)
    assert due.rows["welfare", "A-1"] == at(2210)
    change = apply(change.incident, moved("completed", was="on_scene", outcome="safe"), now=at(1500), actor=SUN)
    due.write(change.due)
    assert not [key for key in due.rows if key[1]]
    assert (change.incident.state, change.incident.under_way, change.incident.on_scene) == ("in_progress", False, False)
    assert [(alert.audience, alert.about) for alert in change.alerts] == [("holder", "u-zhou")]


@pytest.mark.parametrize("ended", ["declined", "stood_down"])
def test_nobody_comes_any_more_goes_back_to_the_queue(ended: str) -> None:
    running = apply(claimed(), moved("accepted"), now=at(20), actor=SUN).incident
    change = apply(running, moved(ended, was="accepted", others=("declined",), reason="车坏了"), now=at(40), actor=SUN)
    assert change.incident.state == "open"
    assert change.incident.acknowledged_by is None
    assert not change.incident.under_way
    assert kinds(change) == [ended, "released"]
    assert change.plan == "next"
    assert change.alerts


@pytest.mark.parametrize("other", ["offered", "accepted", "en_route", "on_scene", "completed"])
def test_somebody_else_still_comes_or_has_done_it(other: Any) -> None:
    running = apply(claimed(), moved("accepted"), now=at(20), actor=SUN).incident
    change = apply(running, moved("declined", was="accepted", others=(other,)), now=at(40), actor=SUN)
    assert change.incident.state == "in_progress"
    assert change.incident.acknowledged_by == "u-zhou"
    assert change.incident.on_scene is (other == "on_scene")


def test_declined_offer_in_the_queue_calls_the_next() -> None:
    change = apply(incident(), moved("declined"), now=at(40), actor=SUN)
    assert change.incident.state == "open"
    assert change.plan == "next"


def test_what_a_responder_did_is_a_fact_also_after_the_close() -> None:
    there = apply(claimed(), moved("on_scene"), now=at(20), actor=SUN).incident
    done = apply(there, Close("false", "误触"), now=at(30), actor=ZHOU).incident
    assert (done.state, done.on_scene, done.under_way) == ("closed", True, True)
    change = apply(done, moved("completed", was="on_scene"), now=at(60), actor=SUN)
    assert (change.incident.state, change.incident.on_scene, change.incident.under_way) == ("closed", False, False)
    assert kinds(change) == ["completed"]
    assert change.alerts == ()


def test_offered_is_not_a_move() -> None:
    with pytest.raises(BadRequestError):
        apply(claimed(), moved("offered"), now=NOW, actor=SUN)


def test_escalate_calls_the_next_and_a_supervisor() -> None:
    change = apply(claimed(), Escalate("听不清"), now=at(9), actor=ZHOU)
    assert change.plan == "next"
    assert {alert.audience for alert in change.alerts} == {"supervisors"}


def test_empty_note_is_refused() -> None:
    with pytest.raises(BadRequestError):
        apply(claimed(), Note("  "), now=NOW, actor=ZHOU)


ACTIONS: list[Action] = [
    Acknowledge(),
    Release(),
    LeaseOver(),
    Assign("A-1", "p-sun"),
    moved("accepted"),
    moved("declined"),
    WelfareAnswered("A-1"),
    Close("genuine", "x"),
    Supervise("confirmed"),
    Reopen("x"),
    shelve(10),
    Unshelve(),
    Escalate(),
    Note("x"),
    Touch(),
]


@given(
    action=st.sampled_from(ACTIONS),
    actor=st.sampled_from([ZHOU, LI, FANG, SUN, SYSTEM]),
    start=st.sampled_from([incident(), claimed(), resolved(), incident("low_battery"), claimed("door")]),
)
def test_a_refusal_changes_nothing_and_an_action_raises_the_version(
    action: Action, actor: Any, start: Incident
) -> None:
    before = replace(start)
    try:
        change = apply(start, action, now=at(100), actor=actor)
    except (IllegalTransition, Conflict, NotHolder, SelfSupervision, ShelfRefused, BadRequestError):
        assert start == before
    else:
        assert change.incident.version == before.version + 1
        assert start == before
        assert change.incident.id == before.id
