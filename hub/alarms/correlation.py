"""Does an alarm open an incident, join the live one, or is it only recorded? Pure: an alarm and what is known, a
decision.

The rules, each with the harm it prevents:

- One live incident for each subject and class. Further presses fold into it and are counted and shown: no second
  press is hidden, no flood of incidents for one fall.
- A stronger alarm raises the priority, never lowers it. The leading type is the most urgent one, the latest among
  equals.
- A new critical press after acknowledgement (or on a shelved incident, which it takes off the shelf) alerts again,
  and begins the response plan again unless somebody is on scene: the first matter may be settled and this is the
  second.
- Two independent signals that agree (another device, another type, both emergencies) do not wait for anybody: the
  plan goes on now.
- A cancel joins the incident of the press it cancels and is shown; it never closes. Fingers slip on both buttons.
- Order is by receive time. A device's clock has been wrong by months, so its age is shown and decides nothing.
- A buffered record (stored on the device, sent later) never means "now". Yet a cry that nobody heard has not become
  less of one: with no live incident it opens one, marked `buffered`, so that a person asks. Into a live one it folds:
  counted, shown, able to raise the priority, but it alerts nobody a second time and restarts no plan. A buffered
  technical or test record describes a state that has passed (the device is back, or it could not have sent) and is
  only recorded.
- A resident in hospital, moved or deceased raises no alarm: recorded, with the reason, and the device is still told
  `received`. Two exceptions: a person who calls in knows better than a status, and smoke, gas and water in the flat
  are the cry of the place and not of the resident.
- A test is a class of its own and never meets an emergency.
- What a silence or a maintenance window covers (`hub.alarms.windows`) is recorded and counted, not raised.
- What chatters (`hub.alarms.chatter`) says so; where nobody is harmed by it, it goes on the shelf, with an end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from hub.alarms.chatter import shelf_until
from hub.alarms.model import Alarm, Incident, Priority, Reason, Told, more_urgent, priority_rank
from hub.alarms.table import PLACE_TYPES
from hub.care import Resident, raises_alarms

__all__ = ["Decision", "decide"]

CLOCK_TOLERANCE_S: Final = 300
"""A device's clock further off than this is worth a word."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an alarm does. `incident_id` is the incident joined (fold), else None.

    `priority` and `type` are the incident's after it. `counts`: it is a press (a cancel is not). `alert`: operators
    hear it now. `realert`: a critical press after somebody had claimed, or on a shelved incident. `restart_plan`,
    `advance_plan`: the response plan begins again; its next tier is called without waiting. `locate`: it carries no
    position, the device should be asked for one. `tell`: what its device is told, in order. `shelve_until`: it
    chatters, the incident goes on the shelf until then.
    """

    kind: Literal["open", "fold", "record_only"]
    type: str
    priority: Priority
    tell: tuple[Told, ...]
    reasons: tuple[Reason, ...]
    incident_id: str | None = None
    counts: bool = True
    raises_priority: bool = False
    alert: bool = False
    realert: bool = False
    restart_plan: bool = False
    advance_plan: bool = False
    locate: bool = False
    shelve_until: datetime | None = None


def decide(
    alarm: Alarm,
    live: Incident | None,
    resident: Resident | None,
    *,
    now: datetime,
    cancelled: Incident | None = None,
    hushed: Reason | None = None,
    chatter: Reason | None = None,
) -> Decision:
    """What becomes of `alarm`.

    `live` is the live incident of the alarm's subject and class, `resident` the person it is about, `cancelled` (only
    for type "cancel") the incident which the cancelled press joined. An incident that is not live counts as None.
    `hushed`: why a window silences it; `chatter`: that the same alarm has come too often lately.
    Raises ValueError where `live` is of another subject or class: the caller asked for the wrong one.
    """
    if alarm.type == "cancel":
        return _cancel(alarm, cancelled)
    if live is not None and (live.subject, live.alarm_class) != (alarm.subject, alarm.alarm_class):
        raise ValueError(
            f"alarm {alarm.id} is of {alarm.subject}/{alarm.alarm_class}, "
            f"incident {live.id} of {live.subject}/{live.alarm_class}"
        )
    facts = (*_facts(alarm, resident, now), *(() if chatter is None else (chatter,)))
    if resident is not None and not raises_alarms(resident.status) and not _overrules_absence(alarm):
        text = f"the resident is {'in hospital' if resident.status == 'hospital' else resident.status}: recorded only"
        return _record_only(alarm, Reason("resident_absent", text, {"status": resident.status}), *facts)
    if hushed is not None:
        return _record_only(alarm, hushed, *facts)
    if live is not None and live.live:
        folded = _fold(alarm, live, facts)
        return folded if chatter is None else replace(folded, shelve_until=shelf_until(alarm, live, now))
    if alarm.buffered and alarm.alarm_class in ("technical", "test"):
        return _record_only(alarm, Reason("past_state", "a stored record of a state that has passed"), *facts)
    return Decision(
        kind="open",
        type=alarm.type,
        priority=alarm.priority,
        tell=("received",),
        reasons=(Reason("new_incident", "nothing live for this subject and class", {"subject": alarm.subject}), *facts),
        alert=alarm.alarm_class not in ("technical", "test"),
        locate=_wants_fix(alarm),
    )


def _overrules_absence(alarm: Alarm) -> bool:
    return alarm.alarm_class != "test" and (alarm.source == "person" or alarm.type in PLACE_TYPES)


def _wants_fix(alarm: Alarm) -> bool:
    return alarm.fix is None and alarm.device_id is not None and alarm.alarm_class in ("emergency", "whereabouts")


def _facts(alarm: Alarm, resident: Resident | None, now: datetime) -> tuple[Reason, ...]:
    """What a reader should know, whatever is decided."""
    facts: list[Reason] = list(alarm.reasons)
    if alarm.test:
        facts.append(Reason("test", "the device is only tested"))
    if alarm.observed_at is not None:
        age_s = int((now - alarm.observed_at).total_seconds())
        if alarm.buffered:
            facts.append(Reason("buffered", f"stored on the device, {age_s} s old by its clock", {"age_s": age_s}))
        elif abs(age_s) > CLOCK_TOLERANCE_S:
            facts.append(Reason("device_clock", f"the device's clock is off by {age_s} s", {"age_s": age_s}))
    elif alarm.buffered:
        facts.append(Reason("buffered", "stored on the device, without a time", {"age_s": None}))
    if _wants_fix(alarm):
        facts.append(Reason("no_fix", "no position came with it"))
    if resident is not None and resident.status != "home":
        facts.append(
            Reason("resident_status", f"the resident's status is {resident.status}", {"status": resident.status})
        )
    return tuple(facts)


def _record_only(alarm: Alarm, *reasons: Reason) -> Decision:
    return Decision(
        kind="record_only", type=alarm.type, priority=alarm.priority, tell=("received",), reasons=reasons, counts=False
    )


def _cancel(alarm: Alarm, cancelled: Incident | None) -> Decision:
    if cancelled is None or not cancelled.live:
        text = "it cancels nothing that is live: recorded only"
        return _record_only(alarm, Reason("cancel_without_incident", text, {"cancels": alarm.cancels}))
    text = "the device cancelled: confirm with the person, the incident stays"
    return Decision(
        kind="fold",
        type=cancelled.type,
        priority=cancelled.priority,
        tell=("received",),
        reasons=(Reason("cancel_seen", text, {"cancels": alarm.cancels}),),
        incident_id=cancelled.id,
        counts=False,
    )


def _agrees(alarm: Alarm, live: Incident) -> bool:
    """Another device says so too, in another way."""
    urgent = priority_rank(alarm.priority) <= priority_rank("high") and priority_rank(live.priority) <= priority_rank(
        "high"
    )
    return (
        alarm.alarm_class == "emergency"
        and urgent
        and alarm.type not in live.types
        and alarm.device_id is not None
        and live.device_id is not None
        and alarm.device_id != live.device_id
    )


def _fold(alarm: Alarm, live: Incident, facts: tuple[Reason, ...]) -> Decision:
    claimed = live.state != "open"
    quiet = claimed or live.shelved  # nobody would hear it otherwise
    priority = more_urgent(alarm.priority, live.priority)
    raises_priority = priority != live.priority
    latest = alarm.received_at >= live.last_alarm_at and not alarm.buffered
    leads = raises_priority or (alarm.priority == live.priority and latest)
    counted = Reason("folded", "joins the live incident", {"press": live.alarm_count + 1})
    reasons = [counted, *facts]
    if raises_priority:
        reasons.append(Reason("stronger", f"raised from {live.priority} to {priority}", {"type": alarm.type}))
    realert = quiet and alarm.priority == "critical" and not alarm.buffered
    restart = realert and not live.on_scene
    if realert:
        text = f"pressed again after it was {'claimed' if claimed else 'shelved'}" + (
            "" if restart else "; somebody is on scene, the plan is left as it is"
        )
        reasons.append(Reason("pressed_again", text, {"on_scene": live.on_scene}))
    agrees = _agrees(alarm, live) and not alarm.buffered and not restart and not live.under_way and not live.on_scene
    if agrees:
        reasons.append(Reason("two_signals", "two independent signals agree", {"one": live.type, "other": alarm.type}))
    return Decision(
        kind="fold",
        type=alarm.type if leads else live.type,
        priority=priority,
        tell=("received", "hold") if claimed else ("received",),
        reasons=tuple(reasons),
        incident_id=live.id,
        raises_priority=raises_priority,
        alert=(raises_priority or agrees or realert) and not alarm.buffered,
        realert=realert,
        restart_plan=restart,
        advance_plan=agrees,
        locate=_wants_fix(alarm),
    )
