"""Open, fold or record: the rules that are easy to get wrong, one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms import (
    ALARM_TYPES,
    LIVE_STATES,
    STATES,
    Acknowledge,
    Incident,
    Shelve,
    apply,
    decide,
    priority_rank,
    take,
)
from tests.alarms.builders import FANG, NOW, ZHOU, DueRows, alarm, at, incident, kinds, opened, resident


def codes(decision: Any) -> set[str]:
    return {reason.code for reason in decision.reasons}


def test_first_press_opens() -> None:
    taken = take(alarm(), None, resident(), now=NOW, incident_id="I-9", area_id="grid-3")
    assert taken.decision.kind == "open"
    assert taken.change is not None
    new = taken.change.incident
    assert (new.id, new.subject, new.alarm_class, new.state, new.version) == (
        "I-9",
        "resident:R-1",
        "emergency",
        "open",
        1,
    )
    assert (new.type, new.types, new.priority, new.alarm_count, new.area_id) == (
        "sos",
        ("sos",),
        "critical",
        1,
        "grid-3",
    )
    assert taken.change.tell == ("received",)
    assert kinds(taken.change) == ["raised"]
    assert taken.change.entries[0].actor.kind == "device"
    assert DueRows(taken.change.due).own == {"realert_10": at(10), "plan_30": at(30), "supervisor_60": at(60)}
    assert [alert.audience for alert in taken.change.alerts] == ["operators"]


@pytest.mark.parametrize("state", STATES)
def test_a_resolved_incident_never_swallows_the_next_alarm(state: Any) -> None:
    decision = decide(alarm(seconds=9), incident(state=state), resident(), now=at(9))
    assert decision.kind == ("fold" if state in LIVE_STATES else "open")


def test_a_second_press_is_counted_and_shown() -> None:
    first = incident()
    taken = take(alarm(seconds=4), first, resident(), now=at(4), incident_id="unused")
    assert taken.change is not None
    after = taken.change.incident
    assert (after.id, after.alarm_count, after.last_alarm_at, after.version) == (first.id, 2, at(4), 2)
    assert kinds(taken.change) == ["pressed"]
    assert taken.change.tell == ("received",)
    assert taken.change.due == (), "the first press's clocks go on"
    assert not taken.decision.realert


def test_a_press_after_acknowledgement_alerts_again_and_restarts_the_plan() -> None:
    held = apply(incident(), Acknowledge(), now=at(5), actor=ZHOU).incident
    taken = take(alarm(seconds=60), held, resident(), now=at(60), incident_id="unused")
    assert taken.change is not None
    assert (taken.decision.realert, taken.change.plan) == (True, "restart")
    assert taken.change.incident.plan_round == 1
    assert taken.change.incident.state == "acknowledged"
    assert taken.change.incident.lease_until == at(125), "a press is no sign of life of the holder"
    assert taken.change.tell == ("received", "hold")
    assert kinds(taken.change) == ["pressed", "realerted"]
    assert {alert.audience for alert in taken.change.alerts} == {"holder", "operators"}


def test_with_somebody_on_scene_the_plan_is_left_as_it_is() -> None:
    there = incident(state="in_progress", under_way=True, on_scene=True)
    taken = take(alarm(seconds=60), there, resident(), now=at(60), incident_id="unused")
    assert taken.change is not None
    assert (taken.decision.realert, taken.change.plan) == (True, "none")
    assert taken.change.incident.plan_round == 0


def test_a_press_that_is_not_critical_does_not_alert_again() -> None:
    held = incident("assistance", state="acknowledged", acknowledged_by="u-zhou")
    taken = take(alarm("assistance", seconds=60), held, resident(), now=at(60), incident_id="unused")
    assert taken.change is not None
    assert not taken.decision.realert
    assert taken.change.alerts == ()
    assert taken.change.incident.alarm_count == 2


def test_a_stronger_alarm_raises_the_priority_and_leads() -> None:
    taken = take(alarm("fall", seconds=3), incident("inactivity"), resident(), now=at(3), incident_id="unused")
    assert taken.change is not None
    after = taken.change.incident
    assert (after.priority, after.type, after.types) == ("critical", "fall", ("inactivity", "fall"))
    assert kinds(taken.change) == ["pressed", "priority_raised"]
    due = DueRows(opened("inactivity").due)
    due.write(taken.change.due)
    assert due.own == {"realert_10": at(13), "plan_30": at(33), "supervisor_60": at(63)}
    assert taken.change.alerts


def test_a_claim_that_becomes_critical_gets_a_lease() -> None:
    held = apply(incident("inactivity"), Acknowledge(), now=at(5), actor=ZHOU).incident
    taken = take(alarm("fall", seconds=50), held, resident(), now=at(50), incident_id="unused")
    assert taken.change is not None
    assert taken.change.incident.lease_until == at(170)
    due = DueRows(apply(incident("inactivity"), Acknowledge(), now=at(5), actor=ZHOU).due)
    due.write(taken.change.due)
    assert due.own == {"lease": at(170)}


def test_a_weaker_alarm_changes_neither_priority_nor_lead() -> None:
    decision = decide(alarm("assistance", seconds=3), incident("fall"), resident(), now=at(3))
    assert (decision.priority, decision.type) == ("critical", "fall")


@given(
    st.lists(
        st.sampled_from([t for t, row in ALARM_TYPES.items() if row.alarm_class == "emergency"]), min_size=1, max_size=5
    )
)
def test_the_lead_is_the_most_urgent_and_the_latest_among_equals(types: list[str]) -> None:
    live: Incident | None = None
    for index, kind in enumerate(types):
        taken = take(alarm(kind, seconds=index), live, resident(), now=at(index), incident_id="I")
        assert taken.change is not None
        live = taken.change.incident
    assert live is not None
    best = min(priority_rank(ALARM_TYPES[kind].priority) for kind in types)
    assert priority_rank(live.priority) == best
    assert live.type == [kind for kind in types if priority_rank(ALARM_TYPES[kind].priority) == best][-1]
    assert live.alarm_count == len(types)
    assert set(live.types) == set(types)


def test_order_of_arrival_in_a_batch_changes_no_count_and_no_priority() -> None:
    presses = [alarm("sos", seconds=0), alarm("assistance", seconds=1), alarm("fall", seconds=2)]
    ends = set()
    for order in permutations(presses):
        live: Incident | None = None
        for press in order:
            taken = take(press, live, resident(), now=at(5), incident_id="I")
            assert taken.change is not None
            live = taken.change.incident
        assert live is not None
        ends.add((live.priority, live.alarm_count, live.first_alarm_at, live.last_alarm_at, live.type))
    assert ends == {("critical", 3, at(0), at(2), "fall")}


def test_two_independent_signals_call_the_next_at_once() -> None:
    seen = incident("fall", device_id="radar-1")
    pulled = take(alarm("sos", seconds=7, device_id="cord-1"), seen, resident(), now=at(7), incident_id="unused")
    assert pulled.change is not None
    assert pulled.change.plan == "next"
    assert "two_signals" in codes(pulled.decision)
    same = decide(alarm("sos", seconds=7, device_id="radar-1"), seen, resident(), now=at(7))
    assert not same.advance_plan


def test_the_wrong_incident_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="low_battery"):
        decide(alarm("low_battery"), incident("sos"), resident(), now=NOW)
    with pytest.raises(ValueError, match="R-2"):
        decide(alarm(resident_id="R-2"), incident("sos"), resident(), now=NOW)


# ---- tests, cancels, absence


def test_a_test_is_a_class_of_its_own() -> None:
    taken = take(alarm("sos", test=True), None, resident(), now=NOW, incident_id="I")
    assert taken.change is not None
    assert (taken.change.incident.alarm_class, taken.change.incident.priority) == ("test", "low")
    assert taken.change.alerts == ()
    with pytest.raises(ValueError, match="test"):
        decide(alarm("sos", test=True), incident("sos"), resident(), now=NOW)


@pytest.mark.parametrize("state", ["open", "acknowledged", "in_progress"])
def test_a_cancel_is_shown_and_never_closes(state: Any) -> None:
    before = incident(state=state)
    taken = take(
        alarm("cancel", seconds=8, cancels="r1"), None, resident(), now=at(8), incident_id="unused", cancelled=before
    )
    assert taken.change is not None
    after = taken.change.incident
    assert (after.state, after.alarm_count, after.priority, after.type) == (state, 1, "critical", "sos")
    assert kinds(taken.change) == ["cancel_seen"]
    assert taken.change.tell == ("received",)
    assert taken.change.plan == "none"
    assert taken.change.alerts
    assert "cancel_seen" in {reason.code for reason in after.reasons}


@pytest.mark.parametrize("target", [None, incident(state="resolved"), incident(state="closed")])
def test_a_cancel_of_nothing_live_is_recorded(target: Incident | None) -> None:
    taken = take(alarm("cancel", cancels="r1"), None, resident(), now=NOW, incident_id="unused", cancelled=target)
    assert taken.change is None
    assert taken.decision.tell == ("received",)
    assert codes(taken.decision) == {"cancel_without_incident"}


@pytest.mark.parametrize("status", ["hospital", "moved", "deceased"])
@pytest.mark.parametrize("kind", ["sos", "fall", "low_battery", "wandering", "test_call"])
def test_who_is_not_there_raises_no_alarm(status: Any, kind: str) -> None:
    taken = take(alarm(kind), None, resident(status), now=NOW, incident_id="unused")
    assert taken.change is None
    assert taken.decision.kind == "record_only"
    assert taken.decision.tell == ("received",)
    assert taken.decision.reasons[0].values["status"] == status


@pytest.mark.parametrize("status", ["home", "away"])
def test_who_is_away_with_the_watch_on_still_presses(status: Any) -> None:
    assert decide(alarm(), None, resident(status), now=NOW).kind == "open"


@pytest.mark.parametrize("kind", ["smoke", "gas", "water_leak"])
def test_a_burning_flat_is_not_its_residents_cry(kind: str) -> None:
    assert decide(alarm(kind), None, resident("hospital"), now=NOW).kind == "open"
    assert decide(alarm(kind, test=True), None, resident("hospital"), now=NOW).kind == "record_only"


def test_a_person_who_calls_in_knows_better_than_a_status() -> None:
    assert decide(alarm(source="person", device_id=None), None, resident("hospital"), now=NOW).kind == "open"


def test_no_resident_no_device_is_its_own_subject() -> None:
    taken = take(alarm(resident_id=None, device_id=None, source="person"), None, None, now=NOW, incident_id="I")
    assert taken.change is not None
    assert taken.change.incident.subject == "alarm:a-sos-0"


# ---- clocks and positions


@pytest.mark.parametrize("kind", ["sos", "fall", "heart_rate_high", "wandering"])
def test_a_stored_cry_nobody_heard_opens_and_says_that_it_is_late(kind: str) -> None:
    taken = take(alarm(kind, buffered=True, observed_at=at(-3600)), None, resident(), now=NOW, incident_id="I")
    assert taken.change is not None
    assert "buffered" in codes(taken.decision)
    assert taken.change.incident.opened_at == NOW
    assert taken.change.incident.first_alarm_at == NOW, "ordered by when it was received"
    assert taken.change.entries[0].body["buffered"] is True
    assert taken.change.entries[0].body["observed_at"] == at(-3600).isoformat()


@pytest.mark.parametrize("kind", ["low_battery", "offline", "test_call"])
def test_a_stored_state_that_has_passed_is_recorded(kind: str) -> None:
    assert decide(alarm(kind, buffered=True), None, resident(), now=NOW).kind == "record_only"


def test_a_stored_record_never_says_now() -> None:
    held = apply(incident("inactivity"), Acknowledge(), now=at(5), actor=ZHOU).incident
    taken = take(
        alarm("sos", seconds=50, buffered=True, observed_at=at(-100)), held, resident(), now=at(50), incident_id="x"
    )
    assert taken.change is not None
    assert (taken.decision.realert, taken.decision.alert, taken.change.plan) == (False, False, "none")
    assert taken.change.incident.alarm_count == 2
    assert taken.change.incident.priority == "critical"
    assert [alert.audience for alert in taken.change.alerts] == ["holder"]


def test_a_device_clock_months_off_decides_nothing() -> None:
    wrong = alarm(observed_at=at(-90 * 86_400))
    decision = decide(wrong, None, resident(), now=NOW)
    assert decision.kind == "open"
    assert codes(decision) == {"new_incident", "device_clock"}
    folded = take(replace(wrong, id="a-2", received_at=at(1)), incident(), resident(), now=at(1), incident_id="x")
    assert folded.change is not None
    assert folded.change.incident.last_alarm_at == at(1)


def test_an_alarm_without_a_position_is_normal_and_asks_for_one() -> None:
    decision = decide(alarm(fix=None), None, resident(), now=NOW)
    assert decision.kind == "open"
    assert decision.locate
    assert "no_fix" in codes(decision)
    assert not decide(alarm(fix=None, device_id=None), None, resident(), now=NOW).locate


# ---- shelves


def test_a_critical_press_takes_it_off_the_shelf() -> None:
    shelved = apply(incident(), Shelve(at(600), "家属在场"), now=NOW, actor=FANG).incident
    taken = take(alarm(seconds=60), shelved, resident(), now=at(60), incident_id="x")
    assert taken.change is not None
    assert not taken.change.incident.shelved
    assert kinds(taken.change) == ["pressed", "unshelved", "realerted"]
    assert DueRows(taken.change.due).own == {"realert_10": at(70), "plan_30": at(90), "supervisor_60": at(120)}


def test_more_of_the_same_stays_on_the_shelf_and_is_counted() -> None:
    shelved = apply(incident("low_battery"), Shelve(at(600), "待换电池"), now=NOW, actor=ZHOU).incident
    taken = take(alarm("low_battery", seconds=60), shelved, resident(), now=at(60), incident_id="x")
    assert taken.change is not None
    assert taken.change.incident.shelved
    assert taken.change.incident.alarm_count == 2
    assert taken.change.due == ()
