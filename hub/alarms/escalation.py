"""Time-outs as data: which step is due when, and what happens when its time has come and nothing did.

Every live incident has exactly one phase, and every phase has at least one due step that sets itself again. So
nothing that waits for a person can be forgotten:

    phase       who has it                  steps (seconds from the incident's own copy of the policy)
    waiting     nobody                      the policy's unclaimed steps; the last one repeats
    held        an operator                 the lease, after it back to the queue; or a reminder that repeats
    under_way   a responder                 a reminder to finish that repeats
    shelved     the clock                   the end of the shelf
    resolved    the supervisor              a reminder that repeats, while supervision is required

Beside these, each assignment has steps of its own (`about` names it): not accepted in time, not on scene in time, and
the welfare clock of a responder on scene: asked, given a grace, then others are told. They end with the assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.alarms.actions import Action, AssignmentState, CallGoesOn, LeaseOver, Unshelve, VoiceContact
from hub.alarms.changes import Alert, DueChange, DueStep, EntryKind, PlanStep, TimelineEntry, alert_seat
from hub.alarms.model import Incident, Reason
from hub.alarms.plans_run import TIER, VOICE
from hub.alarms.policy import Clocks

__all__ = [
    "ACCEPT",
    "IDLE",
    "LEASE",
    "ON_SCENE_LATE",
    "SHELF_END",
    "SUPERVISION",
    "UNFINISHED",
    "WELFARE",
    "WELFARE_ALERT",
    "DueOutcome",
    "Phase",
    "due_after",
    "due_of_assignment",
    "due_on_open",
    "on_due",
    "phase",
]

LEASE: Final = "lease"
IDLE: Final = "claim_idle"
UNFINISHED: Final = "unfinished"
SHELF_END: Final = "shelf_end"
SUPERVISION: Final = "supervision"
ACCEPT: Final = "accept"
ON_SCENE_LATE: Final = "on_scene_late"
WELFARE: Final = "welfare"
WELFARE_ALERT: Final = "welfare_alert"

Phase = Literal["waiting", "held", "under_way", "shelved", "resolved", "ended"]


@dataclass(frozen=True, slots=True)
class DueOutcome:
    """What a due step brings about. `action` is to be applied to the incident by the system (see `lifecycle.apply`).

    A step that no longer fits the incident gives an empty outcome with the reason `step_passed`.
    """

    entries: tuple[TimelineEntry, ...] = ()
    alerts: tuple[Alert, ...] = ()
    due: tuple[DueChange, ...] = ()
    plan: PlanStep = "none"
    action: Action | None = None
    reasons: tuple[Reason, ...] = ()


def phase(incident: Incident) -> Phase:
    """Who has the incident now; decides which clocks run."""
    if incident.live and incident.shelved:
        return "shelved"
    match incident.state:
        case "open":
            return "waiting"
        case "acknowledged":
            return "held"
        case "in_progress":
            return "under_way"
        case "resolved" if incident.supervision == "required":
            return "resolved"
        case _:
            return "ended"


def _clocks(incident: Incident) -> Clocks:
    return incident.policy.clocks(incident.alarm_class, incident.priority)


def _after(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def _steps(incident: Incident, now: datetime) -> dict[str, datetime]:
    """The incident's own steps, as if its phase began now."""
    clocks = _clocks(incident)
    match phase(incident):
        case "waiting":
            return {step.code: _after(now, step.after_s) for step in clocks.unclaimed}
        case "held":
            if incident.lease_until is not None:
                return {LEASE: incident.lease_until}
            return {IDLE: _after(now, clocks.idle_s)}
        case "under_way":
            return {UNFINISHED: _after(now, clocks.finish_s)}
        case "shelved":
            return {SHELF_END: incident.shelved_until or now}
        case "resolved":
            return {SUPERVISION: _after(now, incident.policy.supervision_s)}
        case "ended":
            return {}


def due_on_open(incident: Incident, *, now: datetime, operators_signed_in: int = 1) -> tuple[DueStep, ...]:
    """The steps of an incident that has just opened, soonest first.

    With no operator signed in nobody can claim: where the policy says so, the first step is due at once, and when it
    comes it does the work of all.
    """
    clocks = _clocks(incident)
    if operators_signed_in == 0 and clocks.unstaffed:
        return (DueStep(clocks.unclaimed[0].code, now),)
    return tuple(DueStep(code, due_at) for code, due_at in _steps(incident, now).items())


def due_after(before: Incident, after: Incident, *, now: datetime, restart: bool = False) -> tuple[DueChange, ...]:
    """What a change does to the incident's own steps: those of a phase left end, those of a phase entered begin.

    Clocks of a phase that goes on keep running, unless `restart` (its holder was at it; it was pressed again), or a
    stronger alarm made the incident more urgent while it waits or is held.
    """
    entered = phase(before) != phase(after)
    sharpened = before.priority != after.priority and phase(after) in ("waiting", "held")
    if not (entered or sharpened or restart):
        return ()
    new = _steps(after, now)
    ended = [code for code in _steps(before, now) if code not in new]
    return (
        *(DueChange(code, None) for code in ended),
        *(DueChange(code, due_at) for code, due_at in new.items()),
    )


def due_of_assignment(
    incident: Incident, assignment_id: str, was: AssignmentState | None, state: AssignmentState, *, now: datetime
) -> tuple[DueChange, ...]:
    """What an assignment's step from `was` (None: it is new) to `state` does to the steps about it."""
    clocks = _clocks(incident)
    end = [ACCEPT, ON_SCENE_LATE, WELFARE, WELFARE_ALERT]
    begin: dict[str, datetime] = {}
    match state:
        case "offered":
            end, begin = [], {ACCEPT: _after(now, clocks.accept_s)}
        case "accepted" | "en_route":
            end = [ACCEPT]
            if was in (None, "offered"):  # else the clock has run since the acceptance and goes on
                begin = {ON_SCENE_LATE: _after(now, clocks.on_scene_s)}
        case "on_scene":
            end, begin = [ACCEPT, ON_SCENE_LATE], {WELFARE: _after(now, incident.policy.welfare_s)}
        case "completed" | "declined" | "stood_down":
            pass
    return (
        *(DueChange(code, None, assignment_id) for code in end),
        *(DueChange(code, due_at, assignment_id) for code, due_at in begin.items()),
    )


def on_due(
    incident: Incident, step: DueStep, *, now: datetime, operators_signed_in: int, on_call: bool = False
) -> DueOutcome:
    """What happens now that `step` is due. The step's row is taken as gone: a step that repeats sets itself again.

    `on_call`: a telephone call about the incident is under way, so its claim does not run out.
    """
    match step.code:
        case "lease" if phase(incident) == "held" and incident.lease_until is not None:
            if incident.lease_until > now:
                return DueOutcome(due=(DueChange(LEASE, incident.lease_until),), reasons=(_renewed(incident),))
            return DueOutcome(action=CallGoesOn() if on_call else LeaseOver())
        case "shelf_end" if phase(incident) == "shelved" and incident.shelved_until is not None:
            if incident.shelved_until > now:
                return DueOutcome(due=(DueChange(SHELF_END, incident.shelved_until),), reasons=(_renewed(incident),))
            return DueOutcome(action=Unshelve(reason="the shelf has ended"))
        case "claim_idle" if phase(incident) == "held":
            return _remind(
                incident, step, now, _clocks(incident).idle_s, "nobody has worked on it since it was claimed"
            )
        case "unfinished" if phase(incident) == "under_way":
            return _remind(incident, step, now, _clocks(incident).finish_s, "it is still not closed")
        case "supervision" if phase(incident) == "resolved":
            text = "the resolution still waits for its supervision"
            return _told(
                step,
                now,
                text,
                (Alert("supervisors", step.code),),
                DueChange(SUPERVISION, _steps(incident, now)[SUPERVISION]),
            )
        case "voice" if incident.run.state == "voice" and incident.run.due_at is not None:
            if incident.run.due_at > now:
                return DueOutcome(due=(DueChange(VOICE, incident.run.due_at),), reasons=(_renewed(incident),))
            return DueOutcome(action=CallGoesOn() if on_call else VoiceContact(reached=False, by_clock=True))
        case "plan_tier" if incident.run.advancing and incident.run.due_at is not None:
            return _tier_over(incident, step, now)
        case "accept" | "on_scene_late" | "welfare" | "welfare_alert" if step.about:
            return _of_assignment(incident, step, now)
        case _ if phase(incident) == "waiting":
            return _unclaimed(incident, step, now, operators_signed_in)
        case _:
            return _passed(step)


def _passed(step: DueStep) -> DueOutcome:
    return DueOutcome(reasons=(Reason("step_passed", f"{step.code}: the incident has moved on", {"step": step.code}),))


def _renewed(incident: Incident) -> Reason:
    return Reason("renewed", "the time was moved on meanwhile", {"state": incident.state})


def _told(
    step: DueStep,
    now: datetime,
    text: str,
    alerts: tuple[Alert, ...],
    *due: DueChange,
    kind: EntryKind = "escalated",
    plan: PlanStep = "none",
) -> DueOutcome:
    """An outcome that alerts, with the entry that says so."""
    body = {"step": step.code, "to": sorted({alert.audience for alert in alerts}), "reason": text}
    if step.about:
        body["assignment_id"] = step.about
    if plan != "none":
        body["plan"] = plan
    reason = Reason(step.code, text, {"due_at": step.due_at.isoformat()})
    entry = TimelineEntry(kind, now, body=body)
    return DueOutcome(entries=(entry,), alerts=alerts, due=due, plan=plan, reasons=(reason,))


def _remind(incident: Incident, step: DueStep, now: datetime, again_s: int, text: str) -> DueOutcome:
    alerts = (alert_seat(incident, step.code), Alert("supervisors", step.code))
    return _told(step, now, text, alerts, DueChange(step.code, _after(now, again_s)))


def _call_next(incident: Incident) -> PlanStep:
    """Others are called, unless somebody who accepted is on the way already (released by its operator meanwhile), or
    the plan has begun: then its own clock calls the next.
    """
    return "none" if incident.under_way or incident.run.advancing else "next"


def _tier_over(incident: Incident, step: DueStep, now: datetime) -> DueOutcome:
    run = incident.run
    if run.due_at is not None and run.due_at > now:
        return DueOutcome(due=(DueChange(TIER, run.due_at),), reasons=(_renewed(incident),))
    if run.state == "exhausted" or not 0 <= run.tier < len(incident.plan.tiers):
        return DueOutcome(plan="next", reasons=(Reason(step.code, "still nobody has accepted"),))
    tier = incident.plan.tiers[run.tier]
    text = f"nobody of {tier.code} has accepted within {tier.wait_s} s: the next are called"
    return _told(step, now, text, (alert_seat(incident, step.code),), plan="next")


def _unclaimed(incident: Incident, step: DueStep, now: datetime, operators_signed_in: int) -> DueOutcome:
    clocks = _clocks(incident)
    codes = [one.code for one in clocks.unclaimed]
    if step.code not in codes:
        return _passed(step)
    position = codes.index(step.code)
    last = clocks.unclaimed[-1]
    again = DueChange(last.code, _after(now, clocks.repeat_s))
    if clocks.unstaffed and operators_signed_in == 0:
        rest = clocks.unclaimed[position:]
        skipped = tuple(DueChange(one.code, None) for one in rest[1:-1])
        return _told(
            step,
            now,
            "no operator is signed in",
            (Alert("operators", step.code), Alert("supervisors", step.code)),
            *skipped,
            again,
            plan=_call_next(incident) if any(one.to == "plan" for one in rest) else "none",
        )
    due = (again,) if step.code == last.code else ()
    waited = int((now - incident.opened_at).total_seconds())
    match clocks.unclaimed[position].to:
        case "operators":
            text = f"not claimed {waited} s after it opened"
            return _told(step, now, text, (Alert("operators", step.code),), *due, kind="realerted")
        case "plan":
            text = f"not claimed {waited} s after it opened: the plan goes on by itself"
            return _told(step, now, text, (Alert("operators", step.code),), *due, plan=_call_next(incident))
        case "supervisors":
            text = f"not claimed {waited} s after it opened: a supervisor is told"
            return _told(step, now, text, (Alert("operators", step.code), Alert("supervisors", step.code)), *due)


def _of_assignment(incident: Incident, step: DueStep, now: datetime) -> DueOutcome:
    seat = alert_seat(incident, step.code)
    supervisors = Alert("supervisors", step.code)
    match step.code:
        case "accept" if incident.live and not incident.under_way:
            if incident.run.advancing or incident.shelved:
                return _told(step, now, "the responder has not answered", (seat,))
            return _told(step, now, "the responder has not answered: the next are called", (seat,), plan="next")
        case "on_scene_late" if incident.live:
            again = DueChange(ON_SCENE_LATE, _after(now, max(1, _clocks(incident).on_scene_s // 3)), step.about)
            return _told(step, now, "nobody has confirmed to be on scene", (seat, supervisors), again)
        case "welfare":
            asked = DueChange(WELFARE_ALERT, _after(now, incident.policy.welfare_grace_s), step.about)
            ask = Alert("responder", step.code, step.about)
            return _told(
                step, now, "the responder on scene is asked whether all is well", (ask,), asked, kind="realerted"
            )
        case "welfare_alert":
            again = DueChange(WELFARE, _after(now, incident.policy.welfare_s), step.about)
            return _told(step, now, "the responder on scene does not answer", (seat, supervisors), again)
        case _:
            return _passed(step)
