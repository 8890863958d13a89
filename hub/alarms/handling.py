"""Applies actions to incidents: an incident and an action in, a `Change` out. Nothing is changed when it raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hub.alarms.actions import (
    Acknowledge,
    Action,
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
    SkipTier,
    Supervise,
    Touch,
    Transfer,
    Unshelve,
    VoiceContact,
    WelfareAnswered,
)
from hub.alarms.changes import Actor, Alert, Change, DueChange, PlanStep, TimelineEntry, alert_seat
from hub.alarms.drafts import Draft, entry_of, legal, off_shelf, told_by, unclaimed, who_was_first, words_of
from hub.alarms.escalation import WELFARE, WELFARE_ALERT, due_after, due_of_assignment
from hub.alarms.model import DISPOSITIONS, PRIORITIES, Incident, Reason, Supervision
from hub.alarms.plans_calling import due_of_run, plan_action, run_follows, voice_extended
from hub.alarms.plans_run import READY, run_again, run_stopped
from hub.alarms.refusals import BulkRefused, Conflict, NotHolder, SelfSupervision, ShelfRefused
from hub.errors import BadRequestError

__all__ = ["apply", "needs_supervision", "settle"]

_MOVING = frozenset({"accepted", "en_route", "on_scene"})
_LIVE = frozenset({"offered", *_MOVING})
_UNDONE = frozenset({"declined", "stood_down"})


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
    after = replace(after, run=run_follows(before, after, now=now))
    due = (*base.due, *due_after(before, after, now=now, restart=restart or at_it), *due_of_run(before.run, after.run))
    return replace(base, incident=after, due=due)


def _lease(before: Incident, after: Incident, now: datetime, touched: bool) -> datetime | None:
    seconds = after.policy.clocks(after.alarm_class, after.priority).lease_s
    if after.state != "acknowledged" or after.shelved or seconds is None:
        return None
    if touched or before.lease_until is None or before.acknowledged_by != after.acknowledged_by:
        return now + timedelta(seconds=seconds)
    return before.lease_until


def _draft(incident: Incident, action: Action, now: datetime, actor: Actor) -> Draft:
    match action:
        case Acknowledge():
            return _acknowledge(incident, action, now, actor)
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
            legal(incident, "note")
            body = {"text": words_of(action.text, "text")}
            return Draft(incident, entries=(entry_of("noted", now, actor, body),))
        case Touch():
            legal(incident, "touch")
            if incident.acknowledged_by is None or incident.acknowledged_by != actor.user_id:
                raise NotHolder("only whoever holds the incident can renew the claim")
            return Draft(incident)
        case CallGoesOn():
            legal(incident, "touch")
            return Draft(voice_extended(incident, now=now), restart=True)
        case Transfer():
            return _transfer(incident, action, now, actor)
        case VoiceContact() | SkipTier():
            legal(incident, action.name)
            return plan_action(incident, action, now=now, actor=actor)


def _acknowledge(incident: Incident, action: Acknowledge, now: datetime, actor: Actor) -> Draft:
    if actor.user_id is None:
        raise BadRequestError("only a signed-in person can claim", field="actor")
    together = None if action.together is None else words_of(action.together, "reason")
    if together is not None and incident.priority != PRIORITIES[-1]:
        raise BulkRefused(
            f"{incident.priority}: only {PRIORITIES[-1]} may be claimed many at once", priority=incident.priority
        )
    if incident.live and incident.acknowledged_by == actor.user_id:
        return Draft(incident, reasons=(Reason("already_yours", "you hold it already"),))  # a lost answer, sent again
    if incident.live and incident.acknowledged_by is not None:
        raise Conflict("somebody else has claimed it", state=incident.state, **who_was_first(incident))
    step = legal(incident, "acknowledge")
    after = replace(off_shelf(incident), state=step.next_state, acknowledged_by=actor.user_id, acknowledged_at=now)
    waited_s = round((now - incident.opened_at).total_seconds(), 3)
    why = {} if together is None else {"together": True, "reason": together}
    entry = entry_of("acknowledged", now, actor, {"waited_s": waited_s, **why})
    return Draft(after, entries=(entry,), tell=told_by(step))


def _release(incident: Incident, action: Release, now: datetime, actor: Actor) -> Draft:
    step = legal(incident, "release")
    if not actor.supervises and (actor.user_id is None or incident.acknowledged_by != actor.user_id):
        raise NotHolder("only whoever holds the incident, or a supervisor, can release it", **who_was_first(incident))
    entry = entry_of("released", now, actor, {"reason": action.reason, "held_by": incident.acknowledged_by})
    return Draft(unclaimed(incident, step), entries=(entry,), alerts=(Alert("operators", "released"),))


def _lease_over(incident: Incident, now: datetime, actor: Actor) -> Draft:
    step = legal(incident, "lease_over")
    if incident.lease_until is None or incident.lease_until > now:
        until = incident.lease_until.isoformat() if incident.lease_until else None
        raise Conflict("the claim has not run out", code="lease-running", state=incident.state, until=until)
    entry = entry_of("lease_expired", now, actor, {"held_by": incident.acknowledged_by})
    reason = Reason("lease_expired", "claimed, then untouched", {"held_by": incident.acknowledged_by})
    alerts = (Alert("operators", "lease_expired"), Alert("supervisors", "lease_expired"))
    return Draft(unclaimed(incident, step), entries=(entry,), alerts=alerts, reasons=(reason,))


def _transfer(incident: Incident, action: Transfer, now: datetime, actor: Actor) -> Draft:
    step = legal(incident, "transfer")
    if not actor.supervises and (actor.user_id is None or incident.acknowledged_by != actor.user_id):
        raise NotHolder("only whoever holds the incident, or a supervisor, can hand it on", **who_was_first(incident))
    if incident.acknowledged_by == action.to_user_id:
        raise Conflict("that person holds it already", state=incident.state, **who_was_first(incident))
    after = replace(incident, state=step.next_state, acknowledged_by=action.to_user_id, acknowledged_at=now)
    body = {"from": incident.acknowledged_by, "to": action.to_user_id, "to_name": action.to_name}
    body |= {"reason": action.reason, "handover_id": action.handover_id}
    alerts = (Alert("holder", "transferred", action.to_user_id),)
    return Draft(after, entries=(entry_of("transferred", now, actor, body),), alerts=alerts, restart=True)


def _assign(incident: Incident, action: Assign, now: datetime, actor: Actor) -> Draft:
    legal(incident, "assign")
    body = {
        "assignment_id": action.assignment_id,
        "responder_id": action.responder_id,
        "responder": action.responder_name,
    }
    due = due_of_assignment(incident, action.assignment_id, None, "offered", now=now)
    alerts = (Alert("responder", "offered", action.assignment_id),)
    return Draft(incident, entries=(entry_of("offered", now, actor, body),), due=due, alerts=alerts)


def _assignment_moved(incident: Incident, action: AssignmentMoved, now: datetime, actor: Actor) -> Draft:
    if action.state == "offered":
        raise BadRequestError("an assignment becomes offered by assigning", field="state")
    accepts = action.was == "offered" and action.state in _MOVING and incident.live
    step = legal(incident, "responder_accepted" if accepts else "responder_moved")
    body = {
        "assignment_id": action.assignment_id,
        "responder_id": action.responder_id,
        "responder": action.responder_name,
        "reason": action.reason,
        "outcome": action.outcome,
    }
    entries = (entry_of(action.state, now, actor, body),)
    due = due_of_assignment(incident, action.assignment_id, action.was, action.state, now=now)
    states = (*action.others, action.state)
    after = replace(
        off_shelf(incident) if accepts else incident,
        state=step.next_state,
        under_way=any(state in _MOVING for state in states),
        on_scene="on_scene" in states,
    )
    if action.state in _UNDONE and after.live:
        over = not any(state in _LIVE or state == "completed" for state in states)
        if over and after.state in ("acknowledged", "in_progress"):
            return _nobody_comes(after, entries, due, now, actor)
        asked = "offered" in action.others  # whoever is still being asked has the time of the tier
        quiet = after.under_way or asked or after.shelved
        plan: PlanStep = "next" if action.state == "declined" and not quiet else "none"
        return Draft(after, entries, due=due, plan=plan, alerts=(alert_seat(after, action.state),))
    told_back = action.state == "completed" and after.live and not after.under_way
    alerts = (alert_seat(after, "completed"),) if told_back else ()
    if accepts:
        after = replace(after, run=run_stopped(after.run, now=now, reason="a responder has accepted"))
    return Draft(after, entries, tell=told_by(step), due=due, alerts=alerts, plan="stop" if accepts else "none")


def _nobody_comes(
    incident: Incident, entries: tuple[TimelineEntry, ...], due: tuple[DueChange, ...], now: datetime, actor: Actor
) -> Draft:
    """Every assignment has ended undone: back to the queue, and the next are called."""
    step = legal(incident, "assignments_over")
    reason = Reason("nobody_comes", "everybody who was asked has declined or was stood down")
    released = entry_of("released", now, actor, {"reason": reason.code, "held_by": incident.acknowledged_by})
    after = unclaimed(off_shelf(incident), step)
    if incident.shelved:
        entries = (*entries, entry_of("unshelved", now, actor, {"reason": reason.code}))
    if incident.run.state == "stopped":
        after = replace(after, run=run_again(incident.run, now=now, reason=reason.text))
    return Draft(
        after,
        (*entries, released),
        due=due,
        alerts=(Alert("operators", reason.code),),
        plan="next",
        reasons=(reason,),
    )


def _welfare_answered(incident: Incident, action: WelfareAnswered, now: datetime, actor: Actor) -> Draft:
    legal(incident, "responder_moved")
    due = (
        DueChange(WELFARE_ALERT, None, action.assignment_id),
        DueChange(WELFARE, now + timedelta(seconds=incident.policy.welfare_s), action.assignment_id),
    )
    body = {"assignment_id": action.assignment_id, "welfare": "answered"}
    return Draft(incident, entries=(entry_of("noted", now, actor, body),), due=due)


def _close(incident: Incident, action: Close, now: datetime, actor: Actor) -> Draft:
    if action.disposition not in DISPOSITIONS:
        raise BadRequestError(
            f"disposition must be one of {', '.join(DISPOSITIONS)}, not {action.disposition!r}", field="disposition"
        )
    summary = words_of(action.summary, "summary")
    step = legal(incident, "close")
    required = needs_supervision(action.disposition, sampled=action.sampled)
    supervision: Supervision = "required" if required else "none"
    after = replace(
        off_shelf(incident),
        state=step.next_state,
        resolved_by=actor.user_id,
        resolved_at=now,
        disposition=action.disposition,
        summary=summary,
        supervision=supervision,
        supervised_by=None,
        supervised_at=None,
        under_way=incident.on_scene,  # whoever is there finishes there, the others are stood down
        run=run_stopped(incident.run, now=now, reason="the incident is over"),
    )
    body = {"disposition": action.disposition, "summary": summary, "supervision": supervision}
    entries = [entry_of("resolved", now, actor, body)]
    if not required:
        after = replace(after, state=legal(after, "waive").next_state)
        entries.append(entry_of("closed", now, actor, {"supervision": "none"}))
    alerts = (Alert("supervisors", "supervision"),) if required else ()
    return Draft(after, tuple(entries), tell=told_by(step), alerts=alerts, plan="stop", stand_down=True)


def _supervise(incident: Incident, action: Supervise, now: datetime, actor: Actor) -> Draft:
    if action.verdict not in ("confirmed", "returned"):
        raise BadRequestError(f"verdict must be confirmed or returned, not {action.verdict!r}", field="verdict")
    step = legal(incident, "supervise")
    if actor.user_id is None:
        raise BadRequestError("only a signed-in person can supervise", field="actor")
    if actor.user_id == incident.resolved_by:
        raise SelfSupervision("whoever resolved it cannot supervise it", **who_was_first(incident))
    entry = entry_of("supervised", now, actor, {"verdict": action.verdict, "note": action.note})
    if action.verdict == "returned":
        draft = _reopen(incident, action.note or "returned by supervision", now, actor)
        return replace(draft, entries=(entry, *draft.entries))
    after = replace(incident, state=step.next_state, supervision="done", supervised_by=actor.user_id, supervised_at=now)
    return Draft(after, entries=(entry, entry_of("closed", now, actor, {"supervision": "done"})))


def _reopen(incident: Incident, reason: str, now: datetime, actor: Actor) -> Draft:
    words = words_of(reason, "reason")
    step = legal(incident, "reopen")
    after = replace(
        unclaimed(incident, step),
        resolved_by=None,
        resolved_at=None,
        disposition=None,
        summary=None,
        supervision="none",
        supervised_by=None,
        supervised_at=None,
        plan_round=incident.plan_round + 1,
        run=READY,
    )
    was = {"resolved_by": incident.resolved_by, "disposition": incident.disposition, "summary": incident.summary}
    entry = entry_of("reopened", now, actor, {"reason": words, **was})
    return Draft(after, entries=(entry,), tell=told_by(step), alerts=(Alert("operators", "reopened"),))


def _shelve(incident: Incident, action: Shelve, now: datetime, actor: Actor) -> Draft:
    legal(incident, "shelve")
    words = words_of(action.reason, "reason")
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
    entry = entry_of("shelved", now, actor, {"until": action.until.isoformat(), "reason": words})
    return Draft(after, entries=(entry,), restart=True)


def _unshelve(incident: Incident, action: Unshelve, now: datetime, actor: Actor) -> Draft:
    legal(incident, "unshelve")
    if not incident.shelved:
        raise Conflict("it is not on the shelf", state=incident.state)
    entry = entry_of("unshelved", now, actor, {"reason": action.reason})
    return Draft(off_shelf(incident), entries=(entry,), alerts=(alert_seat(incident, "unshelved"),))


def _escalate(incident: Incident, action: Escalate, now: datetime, actor: Actor) -> Draft:
    legal(incident, "escalate")
    entries = [entry_of("escalated", now, actor, {"reason": action.reason, "to": ["supervisors"], "plan": "next"})]
    if incident.shelved:  # whoever calls others does not want it out of sight
        entries.append(entry_of("unshelved", now, actor, {"reason": action.reason}))
    alerts = (Alert("supervisors", "escalated"),)
    return Draft(off_shelf(incident), entries=tuple(entries), alerts=alerts, plan="next")
