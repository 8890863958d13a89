"""The plan goes on: whom the next tier calls, what an operator does to the plan, and the due steps that follow. Pure.

Who the parties of a tier are here and now is asked of the caller (`Find`); this decides which tier, whom of them, and
until when they are waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hub.alarms.actions import SkipTier, VoiceContact
from hub.alarms.changes import Actor, Alert, Change, DueChange, EntryKind, TimelineEntry, alert_seat
from hub.alarms.drafts import Draft, words_of
from hub.alarms.escalation import phase
from hub.alarms.model import Incident, Reason
from hub.alarms.plans import PlanTier
from hub.alarms.plans_run import (
    TIER,
    VOICE,
    Asked,
    PlanRun,
    next_tiers,
    run_after,
    run_called,
    run_exhausted,
    run_skipped,
    run_spoken,
    unasked,
)
from hub.alarms.refusals import Conflict
from hub.errors import BadRequestError

__all__ = ["NOT_REACHED", "Find", "TierCall", "call_next", "due_of_run", "plan_action", "run_follows", "voice_extended"]

NOT_REACHED: Final = "the resident was not reached"
"""How a tier's reason begins that was called because step 0 failed."""

Find = Callable[[PlanTier], Sequence[Asked]]
"""Everybody a tier means, here and now, in the order of calling; those who were asked already may be among them."""


@dataclass(frozen=True, slots=True)
class TierCall:
    """What calling the next tier makes of the incident. `asked`: who is to be offered it, or told, now."""

    change: Change
    tier: PlanTier | None
    asked: tuple[Asked, ...]


def call_next(
    incident: Incident, find: Find, gone: frozenset[str], *, now: datetime, reason: str, by: Actor
) -> TierCall:
    """Calls the next tier that has anybody to call. `gone`: who must not be asked (again), by `ref`.

    `by` is who triggered it. Technical and test incidents call nobody: nobody is called out of bed for a battery.
    """
    if not incident.live or incident.alarm_class in ("technical", "test"):
        return TierCall(Change(incident), None, ())
    run, plan = incident.run, incident.plan
    who = None if by.kind == "system" else by.name
    beside = incident.under_way and run.state == "stopped"
    entries: list[TimelineEntry] = []
    for index in next_tiers(plan, run):
        tier = plan.tiers[index]
        asked = unasked(tier, find(tier), gone)
        if not asked and index == run.tier and run.marks:
            continue  # what was left of a tier called in turn is used up; it has its mark already
        run = run_called(run, plan, index, asked, now=now, reason=reason, by=who)
        if asked and beside:
            # More help beside somebody who is on the way: these are asked, and no clock calls any others.
            run = replace(run, state="stopped", due_at=None, reason=incident.run.reason)
        if asked:
            entries.append(_called(tier, asked, run, now, by, reason))
            return _tier_call(incident, run, entries, (alert_seat(incident, TIER),), tier, asked)
        body = {"tier": tier.code, "zh": tier.zh, "en": tier.en, "reason": "there is nobody to call"}
        entries.append(TimelineEntry("tier_skipped", now, body=body))
    again_s = incident.policy.clocks(incident.alarm_class, incident.priority).repeat_s
    text = "everybody whom the plan can call was called, and nobody has accepted"
    before = run.state
    if beside:
        run = replace(run, state="stopped", due_at=None, reason=incident.run.reason)
    else:
        run = run_exhausted(run, now=now, again_s=again_s, reason=text)
    told: dict[str, Any] = {"step": "plan", "to": ["operators", "supervisors"], "reason": text}
    if before == "exhausted":
        entries = []  # who is missing was said when it was found out
    entries.append(TimelineEntry("escalated", now, body=told))
    alerts = (alert_seat(incident, "plan_exhausted"), Alert("supervisors", "plan_exhausted"))
    return _tier_call(incident, run, entries, alerts, None, ())


def _tier_call(
    incident: Incident,
    run: PlanRun,
    entries: Sequence[TimelineEntry],
    alerts: tuple[Alert, ...],
    tier: PlanTier | None,
    asked: tuple[Asked, ...],
) -> TierCall:
    after = replace(incident, run=run, version=incident.version + 1)
    change = Change(after, entries=tuple(entries), due=due_of_run(incident.run, run), alerts=alerts)
    return TierCall(change, tier, asked)


def _called(
    tier: PlanTier, asked: Sequence[Asked], run: PlanRun, now: datetime, by: Actor, reason: str
) -> TimelineEntry:
    body: dict[str, Any] = {
        "tier": tier.code,
        "zh": tier.zh,
        "en": tier.en,
        "asked": [{"ref": one.ref, "name": one.name, "role": one.role, "part": one.part} for one in asked],
        "channels": list(tier.channels),
        "reason": reason,
        "until": run.due_at.isoformat() if run.due_at else None,
    }
    return TimelineEntry("tier_called", now, by, body)


def due_of_run(before: PlanRun, after: PlanRun) -> tuple[DueChange, ...]:
    """The rows of due steps that follow from a change of the run."""
    was, then = _row(before), _row(after)
    if was == then:
        return ()
    gone = () if was is None or (then is not None and then[0] == was[0]) else (DueChange(was[0], None),)
    return gone if then is None else (*gone, DueChange(*then))


def _row(run: PlanRun) -> tuple[str, datetime] | None:
    if run.due_at is None:
        return None
    return (VOICE if run.state == "voice" else TIER), run.due_at


def run_follows(before: Incident, after: Incident, *, now: datetime) -> PlanRun:
    """The run after a change of the incident: a claim begins step 0, its end ends it, a shelf stops the clock."""
    if not after.live or after.alarm_class in ("technical", "test"):
        return after.run
    held = phase(after) == "held"
    return run_after(
        after.run,
        now=now,
        shelved=after.shelved,
        held=held,
        newly_held=held and phase(before) != "held" and not after.under_way,
        voice_s=after.plan.voice.seconds_for(after.type),
    )


def plan_action(incident: Incident, action: VoiceContact | SkipTier, *, now: datetime, actor: Actor) -> Draft:
    """The end of step 0, or a tier left out.

    Raises Conflict where the tier was left behind already, BadRequestError where there is no such tier or no reason.
    """
    if isinstance(action, SkipTier):
        return _skip(incident, action, now, actor)
    run = incident.run
    if action.reached:
        body = {"result": "reached", **({"note": action.note} if action.note else {})}
        spoken = run if run.state == "stopped" else run_spoken(run, now=now)
        return Draft(replace(incident, run=spoken), (TimelineEntry("voice", now, actor, body),))
    seconds = incident.plan.voice.seconds_for(incident.type)
    text = f"{NOT_REACHED}: nobody spoke with them within {seconds} s" if action.by_clock else NOT_REACHED
    goes_on = run.state in ("ready", "voice") and not incident.under_way and not incident.shelved
    body = {"result": "failed", "reason": text, **({"note": action.note} if action.note else {})}
    if not goes_on:
        ended = replace(run, state="ready", due_at=None) if run.state == "voice" else run
        return Draft(replace(incident, run=ended), (TimelineEntry("voice", now, actor, body),))
    return Draft(
        replace(incident, run=replace(run, state="ready", since=now, due_at=None, reason=text)),
        (TimelineEntry("voice", now, actor, {**body, "plan": "next"}),),
        alerts=(alert_seat(incident, VOICE),),
        plan="next",
        reasons=(Reason("voice_failed", text, {"seconds": seconds}),),
    )


def _skip(incident: Incident, action: SkipTier, now: datetime, actor: Actor) -> Draft:
    words = words_of(action.reason, "reason")
    run = incident.run
    index = next((n for n, tier in enumerate(incident.plan.tiers) if tier.code == action.code), None)
    if index is None:
        codes = ", ".join(tier.code for tier in incident.plan.tiers)
        raise BadRequestError(f"the plan has no tier {action.code!r}; it has {codes}", field="tier")
    running = run.state == "calling" and index == run.tier
    if any(mark.tier == index and mark.state == "skipped" for mark in run.marks):
        raise Conflict("this tier is left out already", state=incident.state)
    if index <= run.tier and not running:
        raise Conflict("this tier was called already", state=incident.state)
    skipped = run_skipped(run, index, now=now, reason=words, by=actor.name)
    tier = incident.plan.tiers[index]
    body: Mapping[str, Any] = {"tier": tier.code, "zh": tier.zh, "en": tier.en, "reason": words}
    kind: EntryKind = "tier_skipped"
    return Draft(
        replace(incident, run=skipped),
        (TimelineEntry(kind, now, actor, body),),
        plan="next" if running else "none",
    )


def voice_extended(incident: Incident, *, now: datetime) -> Incident:
    """While a call goes on, step 0 does too."""
    run = incident.run
    if run.state != "voice":
        return incident
    seconds = incident.plan.voice.seconds_for(incident.type)
    return replace(incident, run=replace(run, due_at=now + timedelta(seconds=seconds)))
