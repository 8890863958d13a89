"""From an alarm, an action or a due step to one `Change`: the three doors through which an incident changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.alarms.changes import SYSTEM, Actor, Alert, Change, DueChange, DueStep, PlanStep, TimelineEntry, alert_seat
from hub.alarms.correlation import Decision, decide
from hub.alarms.escalation import due_on_open, on_due
from hub.alarms.handling import apply, settle
from hub.alarms.lifecycle import RAISED, transition
from hub.alarms.model import PRIORITIES, Alarm, Incident, Priority, Reason
from hub.alarms.plans import DEFAULT_PLAN, ResponsePlan
from hub.alarms.plans_choice import policy_of_plan
from hub.alarms.plans_run import READY
from hub.alarms.policy import DEFAULT_POLICY, EscalationPolicy
from hub.care import Resident

__all__ = ["Taken", "fall_due", "fold", "open_incident", "take"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an alarm. `change` is None where it is only recorded; the device is told `decision.tell` all the
    same.
    """

    decision: Decision
    change: Change | None


def take(
    alarm: Alarm,
    live: Incident | None,
    resident: Resident | None,
    *,
    now: datetime,
    incident_id: str,
    area_id: str | None = None,
    cancelled: Incident | None = None,
    policy: EscalationPolicy = DEFAULT_POLICY,
    operators_signed_in: int = 1,
    actor: Actor | None = None,
    hushed: Reason | None = None,
    chatter: Reason | None = None,
    plan: ResponsePlan = DEFAULT_PLAN,
    chosen: Reason | None = None,
) -> Taken:
    """Decides on an alarm and carries it out. `incident_id`, `policy`, `plan` (with why it: `chosen`) serve only where
    one opens; the plan's own clocks and priority go before the policy's and the type's.

    Presses of a batch are taken one after the other in receive order, each with the `live` the one before left.
    `actor` is the person who raised it; None: its device. `hushed` and `chatter` as in `decide`.
    """
    decision = decide(alarm, live, resident, now=now, cancelled=cancelled, hushed=hushed, chatter=chatter)
    by = actor or _device(alarm)
    if decision.kind == "record_only":
        return Taken(decision, None)
    if decision.kind == "open":
        change = open_incident(
            alarm,
            decision,
            now=now,
            incident_id=incident_id,
            area_id=area_id,
            policy=policy,
            operators_signed_in=operators_signed_in,
            actor=by,
            plan=plan,
            chosen=chosen,
        )
        return Taken(decision, change)
    joined = cancelled if alarm.type == "cancel" else live
    if joined is None:  # decide() never folds into nothing
        raise ValueError(f"alarm {alarm.id} folds into an incident that was not given")
    return Taken(decision, fold(joined, alarm, decision, now=now, actor=by))


def _device(alarm: Alarm) -> Actor:
    if alarm.source == "person" or alarm.device_id is None:
        return SYSTEM
    return Actor(kind="device", name=alarm.device_id, person_id=alarm.device_id)


def _body(alarm: Alarm, reasons: Iterable[Reason]) -> dict[str, object]:
    """The timeline's words about an alarm, JSON-ready."""
    body: dict[str, object] = {
        "alarm_id": alarm.id,
        "type": alarm.type,
        "priority": alarm.priority,
        "device_id": alarm.device_id,
        "received_at": alarm.received_at.isoformat(),
        "observed_at": alarm.observed_at.isoformat() if alarm.observed_at else None,
        "buffered": True if alarm.buffered else None,
        "test": True if alarm.test else None,
        "note": alarm.note,
        "reasons": [{"code": r.code, "text": r.text, "values": dict(r.values)} for r in reasons],
    }
    return {name: value for name, value in body.items() if value is not None}


def _latest_by_code(old: Iterable[Reason], new: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple({reason.code: reason for reason in (*old, *new)}.values())


def open_incident(
    alarm: Alarm,
    decision: Decision,
    *,
    now: datetime,
    incident_id: str,
    area_id: str | None = None,
    policy: EscalationPolicy = DEFAULT_POLICY,
    operators_signed_in: int = 1,
    actor: Actor = SYSTEM,
    plan: ResponsePlan = DEFAULT_PLAN,
    chosen: Reason | None = None,
) -> Change:
    """A new incident, version 1, for a decision of kind "open"."""
    reasons = decision.reasons if chosen is None else (*decision.reasons, chosen)
    incident = Incident(
        id=incident_id,
        subject=alarm.subject,
        alarm_class=alarm.alarm_class,
        state=RAISED.next_state,
        type=decision.type,
        types=(alarm.type,),
        priority=_priority(plan, decision),
        opened_at=now,
        first_alarm_at=alarm.received_at,
        last_alarm_at=alarm.received_at,
        resident_id=alarm.resident_id,
        device_id=alarm.device_id,
        area_id=area_id,
        reasons=reasons,
        policy=policy_of_plan(policy, plan),
        plan=plan,
    )
    steps = due_on_open(incident, now=now, operators_signed_in=operators_signed_in)
    return Change(
        incident=incident,
        entries=(TimelineEntry("raised", now, actor, _body(alarm, reasons)),),
        tell=decision.tell,
        due=tuple(DueChange(step.code, step.due_at, step.about) for step in steps),
        alerts=(Alert("operators", "raised"),) if decision.alert else (),
        plan="next" if plan.at_once and decision.alert else "none",
        reasons=reasons,
    )


def _priority(plan: ResponsePlan, decision: Decision) -> Priority:
    return next((one for one in PRIORITIES if one == plan.priority), decision.priority)


def fold(incident: Incident, alarm: Alarm, decision: Decision, *, now: datetime, actor: Actor = SYSTEM) -> Change:
    """The live incident after a further press, or after a cancel, for a decision of kind "fold"."""
    transition(incident.state, "press")
    reasons = _latest_by_code(incident.reasons, decision.reasons)
    if not decision.counts:
        base = Change(
            incident,
            entries=(TimelineEntry("cancel_seen", now, actor, _body(alarm, decision.reasons)),),
            tell=decision.tell,
            alerts=(alert_seat(incident, "cancel_seen"),),
            reasons=decision.reasons,
        )
        return settle(incident, replace(incident, reasons=reasons), now=now, base=base)
    # A shelf quiets what is known, not what is new.
    other_device = alarm.device_id is not None and incident.device_id not in (None, alarm.device_id)
    is_new = alarm.type not in incident.types or other_device
    breaks_through = incident.shelved and (decision.alert or is_new)
    after = replace(
        incident,
        type=decision.type,
        types=incident.types if alarm.type in incident.types else (*incident.types, alarm.type),
        priority=decision.priority,
        first_alarm_at=min(incident.first_alarm_at, alarm.received_at),
        last_alarm_at=max(incident.last_alarm_at, alarm.received_at),
        alarm_count=incident.alarm_count + 1,
        device_id=incident.device_id or alarm.device_id,
        shelved_until=None if breaks_through else incident.shelved_until,
        shelve_reason=None if breaks_through else incident.shelve_reason,
        plan_round=incident.plan_round + (1 if decision.restart_plan else 0),
        run=READY if decision.restart_plan else incident.run,
        reasons=reasons,
    )
    if decision.shelve_until is not None:
        why = next(reason.text for reason in decision.reasons if reason.code == "chattering")
        after = replace(after, shelved_until=decision.shelve_until, shelve_reason=why)
    entries = [TimelineEntry("pressed", now, actor, _body(alarm, decision.reasons))]
    if decision.raises_priority:
        entries.append(
            TimelineEntry("priority_raised", now, SYSTEM, {"from": incident.priority, "to": decision.priority})
        )
    if breaks_through:
        entries.append(TimelineEntry("unshelved", now, SYSTEM, {"reason": "a new alarm"}))
    if decision.shelve_until is not None:
        shelf = {"until": decision.shelve_until.isoformat(), "reason": after.shelve_reason, "by": "chattering"}
        entries.append(TimelineEntry("shelved", now, SYSTEM, shelf))
    if decision.realert:
        entries.append(TimelineEntry("realerted", now, SYSTEM, {"reason": "pressed_again"}))
    goes_on = decision.advance_plan and not incident.run.advancing  # else its own clock calls the next
    plan: PlanStep = "restart" if decision.restart_plan else "next" if goes_on else "none"
    base = Change(
        after,
        entries=tuple(entries),
        tell=decision.tell,
        alerts=_alerts(incident, decision),
        plan=plan,
        reasons=decision.reasons,
    )
    return settle(incident, after, now=now, base=base)


def _alerts(incident: Incident, decision: Decision) -> tuple[Alert, ...]:
    if not decision.alert:
        # A late record alerts nobody again, but whoever holds the incident should know that it grew stronger.
        quiet = decision.raises_priority and incident.acknowledged_by
        return (Alert("holder", "priority_raised", incident.acknowledged_by or ""),) if quiet else ()
    code = "pressed_again" if decision.realert else "priority_raised" if decision.raises_priority else "two_signals"
    operators = Alert("operators", code)
    if incident.acknowledged_by:
        return (Alert("holder", code, incident.acknowledged_by), operators)
    return (operators,)


def fall_due(
    incident: Incident, step: DueStep, *, now: datetime, operators_signed_in: int, on_call: bool = False
) -> Change:
    """What a due step brings about, its action applied. The incident itself changes only where there was one."""
    outcome = on_due(incident, step, now=now, operators_signed_in=operators_signed_in, on_call=on_call)
    if outcome.action is None:
        return Change(
            incident,
            entries=outcome.entries,
            due=outcome.due,
            alerts=outcome.alerts,
            plan=outcome.plan,
            reasons=outcome.reasons,
        )
    change = apply(incident, outcome.action, now=now, actor=SYSTEM)
    return replace(
        change,
        entries=(*outcome.entries, *change.entries),
        due=(*outcome.due, *change.due),
        alerts=(*outcome.alerts, *change.alerts),
        plan=change.plan if change.plan != "none" else outcome.plan,
        reasons=(*outcome.reasons, *change.reasons),
    )
