"""How a matter ends and how it is put aside: closing, supervising, shelving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.alarms import (
    DISPOSITIONS,
    Acknowledge,
    Action,
    Close,
    Conflict,
    Disposition,
    IllegalTransition,
    Reopen,
    SelfSupervision,
    ShelfRefused,
    Shelve,
    Supervise,
    Unshelve,
    apply,
)
from hub.errors import BadRequestError
from tests.alarms.builders import FANG, LI, NOW, ZHOU, DueRows, at, incident, kinds, opened
from tests.alarms.handled import claimed, moved, resolved, shelve

# ---- closing and supervising


@pytest.mark.parametrize("disposition", DISPOSITIONS)
@pytest.mark.parametrize("sampled", [False, True])
def test_what_needs_supervision_waits_for_it(disposition: Disposition, sampled: bool) -> None:
    change = apply(claimed(), Close(disposition, "已处理", sampled), now=at(60), actor=ZHOU)
    required = sampled or disposition in ("genuine", "no_contact")
    assert change.tell == ("handled",)
    assert change.plan == "stop"
    assert change.stand_down
    after = change.incident
    assert (after.resolved_by, after.resolved_at, after.disposition, after.summary) == (
        "u-zhou",
        at(60),
        disposition,
        "已处理",
    )
    if required:
        assert (after.state, after.supervision) == ("resolved", "required")
        assert kinds(change) == ["resolved"]
        assert DueRows(change.due).own == {"supervision": at(60 + 86_400)}
    else:
        assert (after.state, after.supervision) == ("closed", "none")
        assert kinds(change) == ["resolved", "closed"]
        assert DueRows(change.due).own == {}


@pytest.mark.parametrize("summary", ["", "  ", "\n\t"])
def test_close_needs_a_summary(summary: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        apply(claimed(), Close("false", summary), now=NOW, actor=ZHOU)
    assert refused.value.extra["field"] == "summary"


def test_close_needs_a_disposition() -> None:
    with pytest.raises(BadRequestError) as refused:
        apply(claimed(), Close("whatever", "x"), now=NOW, actor=ZHOU)  # type: ignore[arg-type]
    assert refused.value.extra["field"] == "disposition"


def test_an_unclaimed_alarm_can_be_closed_by_hand() -> None:
    assert apply(incident(), Close("false", "误触"), now=at(9), actor=ZHOU).incident.state == "closed"


def test_closing_twice_says_who_was_first() -> None:
    with pytest.raises(IllegalTransition) as refused:
        apply(resolved(), Close("false", "x"), now=at(70), actor=LI)
    assert refused.value.extra["by"] == {"id": "u-zhou"}
    assert refused.value.extra["at"] == at(60).isoformat()


@pytest.mark.parametrize("verdict", ["confirmed", "returned"])
def test_whoever_resolved_cannot_supervise(verdict: Any) -> None:
    with pytest.raises(SelfSupervision):
        apply(resolved(), Supervise(verdict), now=at(90), actor=replace(ZHOU, role="supervisor"))


def test_supervision_confirmed_closes() -> None:
    change = apply(resolved(), Supervise("confirmed", "已回访"), now=at(90), actor=FANG)
    after = change.incident
    assert (after.state, after.supervision, after.supervised_by) == ("closed", "done", "u-fang")
    assert kinds(change) == ["supervised", "closed"]
    assert change.tell == ()


def test_supervision_returned_reopens() -> None:
    change = apply(resolved(), Supervise("returned", "未见本人"), now=at(90), actor=FANG)
    after = change.incident
    assert (after.state, after.supervision, after.disposition, after.resolved_by) == ("open", "none", None, None)
    assert after.acknowledged_by is None
    assert kinds(change) == ["supervised", "reopened"]
    assert change.entries[1].body["reason"] == "未见本人"
    assert change.entries[1].body["resolved_by"] == "u-zhou"
    assert change.tell == ("hold",)
    assert "realert_10" in DueRows(change.due).own


@pytest.mark.parametrize("state", ["resolved", "closed"])
def test_reopen_needs_a_reason_and_starts_the_queue_again(state: Any) -> None:
    ended = replace(resolved(), state=state)
    with pytest.raises(BadRequestError):
        apply(ended, Reopen(" "), now=at(90), actor=ZHOU)
    change = apply(ended, Reopen("又来电"), now=at(90), actor=ZHOU)
    assert change.incident.state == "open"
    assert change.incident.plan_round == ended.plan_round + 1
    assert change.tell == ("hold",)


# ---- shelving


@pytest.mark.parametrize(("minutes", "fine"), [(0, False), (-1, False), (0.1, True), (240, True), (240.1, False)])
def test_a_shelf_has_an_end_and_a_limit(minutes: float, fine: bool) -> None:
    high = incident("assistance")
    if not fine:
        with pytest.raises((BadRequestError, ShelfRefused)):
            apply(high, shelve(minutes), now=NOW, actor=ZHOU)
        return
    change = apply(high, shelve(minutes), now=NOW, actor=ZHOU)
    assert change.incident.shelved_until == NOW + timedelta(minutes=minutes)
    assert change.incident.state == "open"
    due = DueRows(opened("assistance").due)
    due.write(change.due)
    assert due.own == {"shelf_end": NOW + timedelta(minutes=minutes)}


def test_a_critical_incident_is_shelved_by_a_supervisor_only() -> None:
    with pytest.raises(ShelfRefused):
        apply(incident(), shelve(30), now=NOW, actor=ZHOU)
    assert apply(incident(), shelve(30), now=NOW, actor=FANG).incident.shelved


@pytest.mark.parametrize("action", [Shelve(at(60), " "), Shelve(at(60).replace(tzinfo=None), "x")])
def test_a_shelf_needs_a_reason_and_a_time_with_offset(action: Shelve) -> None:
    with pytest.raises(BadRequestError):
        apply(incident("assistance"), action, now=NOW, actor=ZHOU)


def test_unshelve_gives_the_clocks_back() -> None:
    shelved = apply(incident("assistance"), shelve(30), now=NOW, actor=ZHOU).incident
    change = apply(shelved, Unshelve(), now=at(60), actor=LI)
    assert change.incident.shelved_until is None
    assert DueRows(change.due).own == {"realert_30": at(90), "plan_90": at(150), "supervisor_180": at(240)}
    with pytest.raises(Conflict):
        apply(change.incident, Unshelve(), now=at(61), actor=LI)


@pytest.mark.parametrize("action", [Acknowledge(), moved("accepted"), Close("false", "误触")], ids=lambda a: a.name)
def test_whoever_takes_it_takes_it_off_the_shelf(action: Action) -> None:
    shelved = apply(incident("assistance"), shelve(30), now=NOW, actor=ZHOU).incident
    assert not apply(shelved, action, now=at(60), actor=ZHOU).incident.shelved
