"""Applies actions to incidents: an incident and an action in, a `Change` out. Nothing is changed when it raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.alarms.actions import (
    Acknowledge,
    Action,
    ActionName,
    Assign,
    AssignmentMoved,
    CallGoesOn,
    Close,
    Escalate,
    LeaseOver,
    Note,
    Release,
    Reopen,
    Shelve,
    Supervise,
    Touch,
    Transfer,
    Unshelve,
    WelfareAnswered,
)
from hub.alarms.changes import Actor, Alert, Change, DueChange, EntryKind, PlanStep, TimelineEntry, alert_seat
from hub.alarms.escalation import WELFARE, WELFARE_ALERT, due_after, due_of_assignment
from hub.alarms.lifecycle import IllegalTransition, Transition, transition
from hub.alarms.model import DISPOSITIONS, Incident, IncidentState, Reason, Supervision, Told
from hub.alarms.refusals import Conflict, NotHolder, SelfSupervision, ShelfRefused
from hub.errors import BadRequestError

__all__ = ["apply", "needs_supervision", "settle"]

_MOVING = frozenset({"accepted", "en_route", "on_scene"})
_LIVE = frozenset({"offered", *_MOVING})
_UNDONE = frozenset({"declined", "stood_down"})


@dataclass(frozen=True, slots=True)
class _Draft:
    """A change on its way: `after` has neither its new version nor its lease yet."""

    after: Incident
    entries: tuple[TimelineEntry, ...] = ()
    tell: tuple[Told, ...] = ()
    due: tuple[DueChange, ...] = ()
    alerts: tuple[Alert, ...] = ()
    plan: PlanStep = "none"
    stand_down: bool = False
    restart: bool = False
    reasons: tuple[Reason, ...] = ()


def needs_supervision(disposition: str, *, sampled: bool) -> bool:
    """Whether another person must confirm: a genuine matter, one nobody could be reached in, and whatever the sample
    drew.
    """
    return sampled or disposition in ("genuine", "no_contact")


def apply(incident: Incident, action: Action, *, now: datetime, actor: Actor) -> Change:
    """What `action` by `actor` at `now` makes of the incident.

    Raises IllegalTransition and Conflict (409: the state does not allow it, with who was first), NotHolder,
    SelfSupervision, ShelfRefused (403) and BadRequestError (422: a word is missing or wrong). Then nothing has changed.
    """
    draft = _draft(incident, action, now, actor)
    held_by_actor = incident.acknowledged_by is not None and incident.acknowledged_by == actor.user_id
    return settle(
        incident,
        draft.after,
        now=now,
        touched=draft.restart or held_by_actor,
        restart=draft.restart,
        base=Change(
            incident=draft.after,
            entries=draft.entries,
            tell=draft.tell,
            due=draft.due,
            alerts=draft.alerts,
            plan=draft.plan,
            stand_down=draft.stand_down,
            reasons=draft.reasons,
        ),
    )


def settle(
    before: Incident, after: Incident, *, now: datetime, base: Change, touched: bool = False, restart: bool = False
) -> Change:
    """The last step of every change: the lease, the due steps that follow, and the version.

    `touched`: the holder was at it, a running lease or reminder begins again.
    """
    after = replace(after, lease_until=_lease(before, after, now, touched), version=before.version + 1)
    at_it = touched and after.live and before.state == after.state
    due = (*base.due, *due_after(before, after, now=now, restart=restart or at_it))
    return replace(base, incident=after, due=due)


def _lease(before: Incident, after: Incident, now: datetime, touched: bool) -> datetime | None:
    seconds = after.policy.clocks(after.alarm_class, after.priority).lease_s
    if after.state != "acknowledged" or after.shelved or seconds is None:
        return None
    if touched or before.lease_until is None or before.acknowledged_by != after.acknowledged_by:
        return now + timedelta(seconds=seconds)
    return before.lease_until


def _draft(incident: Incident, action: Action, now: datetime, actor: Actor) -> _Draft:
    match action:
        case Acknowledge():
            return _acknowledge(incident, now, actor)
        case Release():
            return _release(incident, action, now, actor)
        case LeaseOver():
            return _lease_over(incident, now, actor)
        case Assign():
            return _assign(incident, action, now, actor)
        case AssignmentMoved():
            return _assignment_moved(incident, action, now, actor)
        case WelfareAnswered():
            return _welfare_answered(incident, action, now, actor)
        case Close():
            return _close(incident, action, now, actor)
        case Supervise():
            return _supervise(incident, action, now, actor)
        case Reopen():
            return _reopen(incident, action.reason, now, actor)
        case Shelve():
            return _shelve(incident, action, now, actor)
        case Unshelve():
            return _unshelve(incident, action, now, actor)
        case Escalate():
            return _escalate(incident, action, now, actor)
        case Note():
            _legal(incident, "note")
            body = {"text": _words(action.text, "text")}
            return _Draft(incident, entries=(_entry("noted", now, actor, body),))
        case Touch():
            _legal(incident, "touch")
            if incident.acknowledged_by is None or incident.acknowledged_by != actor.user_id:
                raise NotHolder("only whoever holds the incident can renew the claim")
            return _Draft(incident)
        case CallGoesOn():
            _legal(incident, "touch")
            return _Draft(incident, restart=True)
        case Transfer():
            return _transfer(incident, action, now, actor)


def _entry(kind: EntryKind, now: datetime, actor: Actor, body: Mapping[str, Any] | None = None) -> TimelineEntry:
    given = {name: value for name, value in (body or {}).items() if value is not None}
    return TimelineEntry(kind, now, actor, given)


def _words(text: str, name: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise BadRequestError(f"{name} must not be empty", field=name)
    return stripped


def _first(incident: Incident) -> dict[str, Any]:
    """Who was first and when, for a refusal."""
    if incident.live:
        by, at = incident.acknowledged_by, incident.acknowledged_at
    else:
        by, at = incident.resolved_by, incident.resolved_at
    return {"by": {"id": by}, "at": at.isoformat()} if by and at else {}


def _legal(incident: Incident, action: ActionName, state: IncidentState | None = None) -> Transition:
    try:
        return transition(state or incident.state, action)
    except IllegalTransition as refusal:
        raise IllegalTransition(refusal.state, refusal.action, **_first(incident)) from None


def _tell(step: Transition) -> tuple[Told, ...]:
    return (step.tell,) if step.tell else ()


def _off_shelf(incident: Incident) -> Incident:
    return replace(incident, shelved_until=None, shelve_reason=None)


def _unclaimed(incident: Incident, step: Transition) -> Incident:
    return replace(incident, state=step.next_state, acknowledged_by=None, acknowledged_at=None)


def _acknowledge(incident: Incident, now: datetime, actor: Actor) -> _Draft:
    if actor.user_id is None:
        raise BadRequestError("only a signed-in person can claim", field="actor")
    if incident.live and incident.acknowledged_by == actor.user_id:
        return _Draft(incident, reasons=(Reason("already_yours", "you hold it already"),))  # a lost answer, sent again
    if incident.live and incident.acknowledged_by is not None:
        raise Conflict("somebody else has claimed it", state=incident.state, **_first(incident))
    step = _legal(incident, "acknowledge")
    after = replace(_off_shelf(incident), state=step.next_state, acknowledged_by=actor.user_id, acknowledged_at=now)
    waited_s = round((now - incident.opened_at).total_seconds(), 3)
    entry = _entry("acknowledged", now, actor, {"waited_s": waited_s})
    return _Draft(after, entries=(entry,), tell=_tell(step))


def _release(incident: Incident, action: Release, now: datetime, actor: Actor) -> _Draft:
    step = _legal(incident, "release")
    if not actor.supervises and (actor.user_id is None or incident.acknowledged_by != actor.user_id):
        raise NotHolder("only whoever holds the incident, or a supervisor, can release it", **_first(incident))
    entry = _entry("released", now, actor, {"reason": action.reason, "held_by": incident.acknowledged_by})
    return _Draft(_unclaimed(incident, step), entries=(entry,), alerts=(Alert("operators", "released"),))


def _lease_over(incident: Incident, now: datetime, actor: Actor) -> _Draft:
    step = _legal(incident, "lease_over")
    if incident.lease_until is None or incident.lease_until > now:
        until = incident.lease_until.isoformat() if incident.lease_until else None
        raise Conflict("the claim has not run out", code="lease-running", state=incident.state, until=until)
    entry = _entry("lease_expired", now, actor, {"held_by": incident.acknowledged_by})
    reason = Reason("lease_expired", "claimed, then untouched", {"held_by": incident.acknowledged_by})
    alerts = (Alert("operators", "lease_expired"), Alert("supervisors", "lease_expired"))
    return _Draft(_unclaimed(incident, step), entries=(entry,), alerts=alerts, reasons=(reason,))


def _transfer(incident: Incident, action: Transfer, now: datetime, actor: Actor) -> _Draft:
    step = _legal(incident, "transfer")
    if not actor.supervises and (actor.user_id is None or incident.acknowledged_by != actor.user_id):
        raise NotHolder("only whoever holds the incident, or a supervisor, can hand it on", **_first(incident))
    if incident.acknowledged_by == action.to_user_id:
        raise Conflict("that person holds it already", state=incident.state, **_first(incident))
    after = replace(incident, state=step.next_state, acknowledged_by=action.to_user_id, acknowledged_at=now)
    body = {"from": incident.acknowledged_by, "to": action.to_user_id, "to_name": action.to_name}
    body |= {"reason": action.reason, "handover_id": action.handover_id}
    alerts = (Alert("holder", "transferred", action.to_user_id),)
    return _Draft(after, entries=(_entry("transferred", now, actor, body),), alerts=alerts, restart=True)


def _assign(incident: Incident, action: Assign, now: datetime, actor: Actor) -> _Draft:
    _legal(incident, "assign")
    body = {
        "assignment_id": action.assignment_id,
        "responder_id": action.responder_id,
        "responder": action.responder_name,
    }
    due = due_of_assignment(incident, action.assignment_id, None, "offered", now=now)
    alerts = (Alert("responder", "offered", action.assignment_id),)
    return _Draft(incident, entries=(_entry("offered", now, actor, body),), due=due, alerts=alerts)


def _assignment_moved(incident: Incident, action: AssignmentMoved, now: datetime, actor: Actor) -> _Draft:
    if action.state == "offered":
        raise BadRequestError("an assignment becomes offered by assigning", field="state")
    accepts = action.was == "offered" and action.state in _MOVING and incident.live
    step = _legal(incident, "responder_accepted" if accepts else "responder_moved")
    body = {
        "assignment_id": action.assignment_id,
        "responder_id": action.responder_id,
        "responder": action.responder_name,
        "reason": action.reason,
        "outcome": action.outcome,
    }
    entries = (_entry(action.state, now, actor, body),)
    due = due_of_assignment(incident, action.assignment_id, action.was, action.state, now=now)
    states = (*action.others, action.state)
    after = replace(
        _off_shelf(incident) if accepts else incident,
        state=step.next_state,
        under_way=any(state in _MOVING for state in states),
        on_scene="on_scene" in states,
    )
    if action.state in _UNDONE and after.live:
        over = not any(state in _LIVE or state == "completed" for state in states)
        if over and after.state in ("acknowledged", "in_progress"):
            return _nobody_comes(after, entries, due, now, actor)
        plan: PlanStep = "next" if action.state == "declined" and not after.under_way else "none"
        return _Draft(after, entries, due=due, plan=plan, alerts=(alert_seat(after, action.state),))
    told_back = action.state == "completed" and after.live and not after.under_way
    alerts = (alert_seat(after, "completed"),) if told_back else ()
    return _Draft(after, entries, tell=_tell(step), due=due, alerts=alerts)


def _nobody_comes(
    incident: Incident, entries: tuple[TimelineEntry, ...], due: tuple[DueChange, ...], now: datetime, actor: Actor
) -> _Draft:
    """Every assignment has ended undone: back to the queue, and the next are called."""
    step = _legal(incident, "assignments_over")
    reason = Reason("nobody_comes", "everybody who was asked has declined or was stood down")
    released = _entry("released", now, actor, {"reason": reason.code, "held_by": incident.acknowledged_by})
    return _Draft(
        _unclaimed(incident, step),
        (*entries, released),
        due=due,
        alerts=(Alert("operators", reason.code),),
        plan="next",
        reasons=(reason,),
    )


def _welfare_answered(incident: Incident, action: WelfareAnswered, now: datetime, actor: Actor) -> _Draft:
    _legal(incident, "responder_moved")
    due = (
        DueChange(WELFARE_ALERT, None, action.assignment_id),
        DueChange(WELFARE, now + timedelta(seconds=incident.policy.welfare_s), action.assignment_id),
    )
    body = {"assignment_id": action.assignment_id, "welfare": "answered"}
    return _Draft(incident, entries=(_entry("noted", now, actor, body),), due=due)


def _close(incident: Incident, action: Close, now: datetime, actor: Actor) -> _Draft:
    if action.disposition not in DISPOSITIONS:
        raise BadRequestError(
            f"disposition must be one of {', '.join(DISPOSITIONS)}, not {action.disposition!r}", field="disposition"
        )
    summary = _words(action.summary, "summary")
    step = _legal(incident, "close")
    required = needs_supervision(action.disposition, sampled=action.sampled)
    supervision: Supervision = "required" if required else "none"
    after = replace(
        _off_shelf(incident),
        state=step.next_state,
        resolved_by=actor.user_id,
        resolved_at=now,
        disposition=action.disposition,
        summary=summary,
        supervision=supervision,
        supervised_by=None,
        supervised_at=None,
        under_way=incident.on_scene,  # whoever is there finishes there, the others are stood down
    )
    body = {"disposition": action.disposition, "summary": summary, "supervision": supervision}
    entries = [_entry("resolved", now, actor, body)]
    if not required:
        after = replace(after, state=_legal(after, "waive").next_state)
        entries.append(_entry("closed", now, actor, {"supervision": "none"}))
    alerts = (Alert("supervisors", "supervision"),) if required else ()
    return _Draft(after, tuple(entries), tell=_tell(step), alerts=alerts, plan="stop", stand_down=True)


def _supervise(incident: Incident, action: Supervise, now: datetime, actor: Actor) -> _Draft:
    if action.verdict not in ("confirmed", "returned"):
        raise BadRequestError(f"verdict must be confirmed or returned, not {action.verdict!r}", field="verdict")
    step = _legal(incident, "supervise")
    if actor.user_id is None:
        raise BadRequestError("only a signed-in person can supervise", field="actor")
    if actor.user_id == incident.resolved_by:
        raise SelfSupervision("whoever resolved it cannot supervise it", **_first(incident))
    entry = _entry("supervised", now, actor, {"verdict": action.verdict, "note": action.note})
    if action.verdict == "returned":
        draft = _reopen(incident, action.note or "returned by supervision", now, actor)
        return replace(draft, entries=(entry, *draft.entries))
    after = replace(incident, state=step.next_state, supervision="done", supervised_by=actor.user_id, supervised_at=now)
    return _Draft(after, entries=(entry, _entry("closed", now, actor, {"supervision": "done"})))


def _reopen(incident: Incident, reason: str, now: datetime, actor: Actor) -> _Draft:
    words = _words(reason, "reason")
    step = _legal(incident, "reopen")
    after = replace(
        _unclaimed(incident, step),
        resolved_by=None,
        resolved_at=None,
        disposition=None,
        summary=None,
        supervision="none",
        supervised_by=None,
        supervised_at=None,
        plan_round=incident.plan_round + 1,
    )
    was = {"resolved_by": incident.resolved_by, "disposition": incident.disposition, "summary": incident.summary}
    entry = _entry("reopened", now, actor, {"reason": words, **was})
    return _Draft(after, entries=(entry,), tell=_tell(step), alerts=(Alert("operators", "reopened"),))


def _shelve(incident: Incident, action: Shelve, now: datetime, actor: Actor) -> _Draft:
    _legal(incident, "shelve")
    words = _words(action.reason, "reason")
    if action.until.tzinfo is None:
        raise BadRequestError("until needs an offset", field="until")
    if action.until <= now:
        raise BadRequestError("until must be in the future", field="until")
    limit_s = incident.policy.clocks(incident.alarm_class, incident.priority).shelf_limit_s
    if action.until > now + timedelta(seconds=limit_s):
        raise ShelfRefused(f"{incident.priority}: not for longer than {limit_s // 60} minutes", limit_s=limit_s)
    if incident.priority == "critical" and not actor.supervises:
        raise ShelfRefused("only a supervisor can shelve a critical incident")
    after = replace(incident, shelved_until=action.until, shelve_reason=words)
    entry = _entry("shelved", now, actor, {"until": action.until.isoformat(), "reason": words})
    return _Draft(after, entries=(entry,), restart=True)


def _unshelve(incident: Incident, action: Unshelve, now: datetime, actor: Actor) -> _Draft:
    _legal(incident, "unshelve")
    if not incident.shelved:
        raise Conflict("it is not on the shelf", state=incident.state)
    entry = _entry("unshelved", now, actor, {"reason": action.reason})
    return _Draft(_off_shelf(incident), entries=(entry,), alerts=(alert_seat(incident, "unshelved"),))


def _escalate(incident: Incident, action: Escalate, now: datetime, actor: Actor) -> _Draft:
    _legal(incident, "escalate")
    entry = _entry("escalated", now, actor, {"reason": action.reason, "to": ["supervisors"], "plan": "next"})
    return _Draft(incident, entries=(entry,), alerts=(Alert("supervisors", "escalated"),), plan="next")
