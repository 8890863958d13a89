"""What happens when nothing happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from hub.alarms import (
    DEFAULT_POLICY,
    Acknowledge,
    AssignmentMoved,
    Change,
    Clocks,
    Close,
    DueStep,
    EscalationPolicy,
    Incident,
    Release,
    Shelve,
    UnclaimedStep,
    apply,
    due_on_open,
    fall_due,
    on_due,
    policy_from_json,
    policy_to_json,
    take,
)
from hub.errors import BadRequestError
from tests.alarms.builders import FANG, NOW, SUN, ZHOU, DueRows, alarm, at, incident, kinds, opened, resident


def due(before: Incident, code: str, seconds: float, *, about: str = "", operators: int = 1) -> Change:
    return fall_due(before, DueStep(code, at(seconds), about), now=at(seconds), operators_signed_in=operators)


class Night:
    """An incident with its due rows, and a clock that runs to the next one."""

    def __init__(self, change: Change, operators: int = 1) -> None:
        self.incident = change.incident
        self.due = DueRows(change.due)
        self.operators = operators
        self.told: list[tuple[float, str, tuple[str, ...], str]] = []

    def run(self, until: datetime) -> None:
        while self.due.rows and min(self.due.rows.values()) <= until:
            (code, about), when = min(self.due.rows.items(), key=lambda row: (row[1], row[0]))
            del self.due.rows[code, about]
            change = fall_due(self.incident, DueStep(code, when, about), now=when, operators_signed_in=self.operators)
            audience = tuple(sorted({alert.audience for alert in change.alerts}))
            self.told.append(((when - NOW).total_seconds(), code, audience, change.plan))
            self.incident = change.incident
            self.due.write(change.due)


def test_an_unclaimed_critical_press() -> None:
    night = Night(opened())
    night.run(at(200))
    assert night.told == [
        (10, "realert_10", ("operators",), "none"),
        (30, "plan_30", ("operators",), "next"),
        (60, "supervisor_60", ("operators", "supervisors"), "none"),
        (120, "supervisor_60", ("operators", "supervisors"), "none"),
        (180, "supervisor_60", ("operators", "supervisors"), "none"),
    ]


def test_with_no_operator_signed_in_everything_happens_at_once() -> None:
    taken = take(alarm(), None, resident(), now=NOW, incident_id="I", operators_signed_in=0)
    assert taken.change is not None
    night = Night(taken.change, operators=0)
    night.run(at(59))
    assert night.told == [(0, "realert_10", ("operators", "supervisors"), "next")]
    night.run(at(120))
    assert [row[:2] for row in night.told[1:]] == [(60, "supervisor_60"), (120, "supervisor_60")]


def test_the_last_operator_signs_out_after_it_opened() -> None:
    night = Night(opened(), operators=0)
    night.run(at(69))
    assert night.told == [(10, "realert_10", ("operators", "supervisors"), "next")]
    assert night.due.own == {"supervisor_60": at(70)}


def test_a_technical_incident_is_a_daily_work_list_and_wakes_nobody() -> None:
    change = opened("low_battery")
    assert change.alerts == ()
    night = Night(change, operators=0)
    night.run(at(86_399))
    assert night.told == []
    night.run(at(86_400))
    assert night.told == [(86_400, "stale_day", ("operators", "supervisors"), "none")]


def test_a_claim_nobody_touches_returns_to_the_queue() -> None:
    first = opened()
    claimed = apply(first.incident, Acknowledge(), now=at(5), actor=ZHOU)
    night = Night(claimed)
    night.due = DueRows(first.due)
    night.due.write(claimed.due)
    night.run(at(124))
    assert night.told == []
    night.run(at(125))
    assert night.incident.state == "open"
    assert night.told == [(125, "lease", ("operators", "supervisors"), "none")]
    night.run(at(185))
    assert [row[1] for row in night.told[1:]] == ["realert_10", "plan_30", "supervisor_60"]


def test_a_lease_renewed_meanwhile_is_set_again() -> None:
    held = replace(apply(incident(), Acknowledge(), now=at(5), actor=ZHOU).incident, lease_until=at(300))
    change = due(held, "lease", 125)
    assert change.incident is held
    assert DueRows(change.due).own == {"lease": at(300)}
    assert change.alerts == ()


def test_a_call_under_way_keeps_the_claim() -> None:
    held = apply(incident(), Acknowledge(), now=at(5), actor=ZHOU).incident
    kept = fall_due(held, DueStep("lease", at(125)), now=at(125), operators_signed_in=1, on_call=True)
    assert (kept.incident.state, kept.incident.acknowledged_by) == ("acknowledged", ZHOU.user_id)
    assert kept.incident.lease_until == at(245)
    assert DueRows(kept.due).own == {"lease": at(245)}
    assert (kept.entries, kept.alerts) == ((), ()), "nobody is woken, nothing is written, while two people speak"
    over = fall_due(kept.incident, DueStep("lease", at(245)), now=at(245), operators_signed_in=1)
    assert over.incident.state == "open"


def test_after_acknowledge_the_unclaimed_steps_are_silent() -> None:
    held = apply(incident(), Acknowledge(), now=at(5), actor=ZHOU).incident
    for code in ("realert_10", "plan_30", "supervisor_60"):
        change = due(held, code, 60)
        assert (change.alerts, change.entries, change.plan, change.due) == ((), (), "none", ())
        assert change.reasons[0].code == "step_passed"


@pytest.mark.parametrize(
    "code", ["lease", "claim_idle", "unfinished", "shelf_end", "supervision", "accept", "nonsense"]
)
def test_a_step_that_has_passed_does_nothing(code: str) -> None:
    closed = apply(incident(), Close("false", "误触"), now=at(5), actor=ZHOU).incident
    change = due(closed, code, 60, about="A-1" if code == "accept" else "")
    assert change.incident is closed
    assert (change.alerts, change.entries, change.due, change.plan) == ((), (), (), "none")


def test_the_end_of_a_shelf() -> None:
    change = apply(incident("assistance"), Shelve(at(600), "等家属"), now=NOW, actor=ZHOU)
    night = Night(change)
    night.due = DueRows(opened("assistance").due)
    night.due.write(change.due)
    night.run(at(599))
    assert night.told == []
    night.run(at(600))
    assert not night.incident.shelved
    assert night.told == [(600, "shelf_end", ("operators",), "none")]
    assert night.due.own == {"realert_30": at(630), "plan_90": at(690), "supervisor_180": at(780)}


def moved(was: Any, state: Any) -> AssignmentMoved:
    return AssignmentMoved(assignment_id="A-1", responder_id="p-sun", was=was, state=state)


def test_a_responder_who_does_not_answer() -> None:
    held = apply(incident(), Acknowledge(), now=at(5), actor=ZHOU).incident
    change = due(held, "accept", 65, about="A-1")
    assert change.plan == "next"
    assert [(alert.audience, alert.about) for alert in change.alerts] == [("holder", "u-zhou")]
    assert change.entries[0].body["assignment_id"] == "A-1"


def test_with_help_on_the_way_nobody_else_is_called() -> None:
    coming = apply(incident(), moved("offered", "accepted"), now=at(5), actor=SUN).incident
    silent = due(coming, "accept", 65, about="A-2")
    assert (silent.plan, silent.alerts) == ("none", ())
    released = apply(coming, Release("交班"), now=at(70), actor=FANG).incident
    assert (released.state, released.under_way) == ("open", True)
    for operators in (0, 1):
        change = due(released, "plan_30", 100, operators=operators)
        assert change.plan == "none"
        assert change.alerts


def test_nobody_confirms_on_scene_in_thirty_minutes() -> None:
    night = Night(apply(incident(), moved("offered", "accepted"), now=at(20), actor=SUN))
    night.run(at(20 + 2400))
    late = [row for row in night.told if row[1] == "on_scene_late"]
    assert [row[0] for row in late] == [1820, 2420]
    assert all(row[2] == ("operators", "supervisors") for row in late)


def test_the_welfare_clock_asks_then_tells() -> None:
    night = Night(apply(incident(), moved("offered", "on_scene"), now=at(0), actor=SUN))
    night.run(at(1920))
    about = [row for row in night.told if row[1].startswith("welfare")]
    assert about == [
        (900, "welfare", ("responder",), "none"),
        (1020, "welfare_alert", ("operators", "supervisors"), "none"),
        (1920, "welfare", ("responder",), "none"),
    ]


def test_the_welfare_clock_goes_on_after_the_close() -> None:
    there = apply(incident(), moved("offered", "on_scene"), now=at(0), actor=SUN)
    closed = apply(there.incident, Close("genuine", "x"), now=at(10), actor=ZHOU)
    night = Night(closed)
    night.due = DueRows((*there.due, *closed.due))
    night.run(at(1020))
    assert [row[1] for row in night.told] == ["welfare", "welfare_alert"]


def test_supervision_is_reminded_of() -> None:
    night = Night(apply(incident(), Close("genuine", "x"), now=at(0), actor=ZHOU))
    night.run(at(2 * 86_400))
    assert [row[:3] for row in night.told] == [
        (86_400, "supervision", ("supervisors",)),
        (172_800, "supervision", ("supervisors",)),
    ]


def test_a_shelved_incident_is_silent_but_its_responder_is_not() -> None:
    there = apply(incident("assistance"), moved("offered", "on_scene"), now=at(0), actor=SUN)
    shelved = apply(there.incident, Shelve(at(3000), "处理中"), now=at(10), actor=FANG)
    night = Night(shelved)
    night.due = DueRows((*there.due, *shelved.due))
    night.run(at(1020))
    assert [row[1] for row in night.told] == ["welfare", "welfare_alert"]


# ---- policies


def test_an_edited_policy_never_changes_a_running_incident() -> None:
    quick = replace(DEFAULT_POLICY, critical=replace(DEFAULT_POLICY.critical, lease_s=7))
    taken = take(alarm(), None, resident(), now=NOW, incident_id="I", policy=quick)
    assert taken.change is not None
    assert apply(taken.change.incident, Acknowledge(), now=NOW, actor=ZHOU).incident.lease_until == at(7)
    assert apply(incident(), Acknowledge(), now=NOW, actor=ZHOU).incident.lease_until == at(120)


def test_a_policy_survives_its_row() -> None:
    assert policy_from_json(policy_to_json(DEFAULT_POLICY)) == DEFAULT_POLICY


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("critical",), None, "critical"),
        (("critical", "repeat_s"), 0, "repeat_s"),
        (("critical", "unclaimed"), [], "unclaimed"),
        (("high", "lease_s"), -1, "lease_s"),
        (("worklist", "unclaimed"), [{"code": "x", "after_s": 5, "to": "moon"}], "to"),
        (("welfare_s",), "soon", "soon"),
        (("welfare_grace_s",), 0, "welfare_grace_s"),
    ],
)
def test_a_wrong_policy_says_what_is_wrong(path: tuple[str, ...], value: Any, says: str) -> None:
    body = policy_to_json(DEFAULT_POLICY)
    place = body
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(BadRequestError, match=says):
        policy_from_json(body)


def test_clocks_must_rise_and_differ() -> None:
    with pytest.raises(ValueError, match="rise"):
        replace(DEFAULT_POLICY.low, unclaimed=(UnclaimedStep("a", 9, "operators"), UnclaimedStep("b", 3, "plan")))
    with pytest.raises(ValueError, match="code of its own"):
        replace(DEFAULT_POLICY.low, unclaimed=(UnclaimedStep("a", 1, "operators"), UnclaimedStep("a", 3, "plan")))


@pytest.mark.parametrize("operators", [0, 1, 40])
@pytest.mark.parametrize("kind", ["sos", "assistance", "door", "geofence_enter", "low_battery", "test_call"])
def test_whatever_opens_has_a_due_step(kind: str, operators: int) -> None:
    steps = due_on_open(incident(kind), now=NOW, operators_signed_in=operators)
    assert steps
    assert steps == tuple(sorted(steps, key=lambda step: step.due_at))


def test_policy_names_each_priority() -> None:
    policy: EscalationPolicy = DEFAULT_POLICY
    clocks: Clocks = policy.clocks("emergency", "critical")
    assert clocks is policy.critical
    assert policy.clocks("technical", "critical") is policy.worklist
    assert policy.clocks("test", "low") is policy.worklist
    assert policy.clocks("health", "high") is policy.high


def test_an_outcome_is_a_value_and_names_its_step() -> None:
    outcome = on_due(incident(), DueStep("realert_10", at(10)), now=at(11), operators_signed_in=1)
    assert outcome.entries[0].body["step"] == "realert_10"
    assert outcome.reasons[0].values["due_at"] == at(10).isoformat()
    assert kinds(opened()) == ["raised"]
