"""Telling people what the plan and the clocks have decided: call-outs, alerts, and the word that nobody is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from hub.alarms import Alert, Asked, Channel, Incident, PlanTier
from hub.notices import Notice
from hub.ports import AssignmentRow, PlanPlace, Transaction
from hub.service.notifying import notify
from hub.service.planning_steps import supervisors_of

__all__ = ["DIRECT_CHANNELS", "call_out", "inform", "tell_alerts", "tell_stood_down"]

DIRECT_CHANNELS: Final[tuple[Channel, ...]] = ("push", "voice", "sms")
"""Of an offer that an operator makes by hand."""

_ALERTED: Final[tuple[Channel, ...]] = ("push", "voice", "sms")
_NOWHERE: Final = "地址见任务"

_SUPERVISED: Final[Mapping[str, str]] = {
    "plan_exhausted": "nobody_left",
    "on_scene_late": "late_on_scene",
    "welfare_alert": "no_word",
    "lease_expired": "left_alone",
    "claim_idle": "left_alone",
    "unfinished": "left_alone",
    "escalated": "escalated",
}
"""An alert's code and the template that says it to supervisors; the steps of an unclaimed incident have their own."""


def _place(tx: Transaction, incident: Incident) -> PlanPlace:
    return tx.plans.place(incident.id) or PlanPlace(0, None, None)


def call_out(
    tx: Transaction, incident: Incident, assignment_id: str, ref: str, channels: Sequence[Channel], now: datetime
) -> None:
    """Asks one person to go; worth nothing once somebody has accepted."""
    place = _place(tx, incident)
    # The address is read aloud and shown to whoever accepts; a lock screen says the area alone.
    where = {"place": place.area or _NOWHERE, "address": place.address}
    params = {"what": incident.type, "number": str(place.number), **where}
    notify(
        tx,
        Notice(
            incident.id,
            ref,
            channels[0],
            "call_out",
            params,
            assignment_id=assignment_id,
            until="accepted",
            then=tuple(channels[1:]),
        ),
        now=now,
    )


def inform(tx: Transaction, incident: Incident, tier: PlanTier, asked: Asked, now: datetime) -> None:
    """Tells somebody who is not asked to go. Numbers of the emergency services are the desk's to dial."""
    if asked.ref.startswith("number:"):
        return
    if asked.role == "supervisor":
        template, params = "escalated", _numbered(tx, incident)
    else:
        template, params = "family_alert", {"what": incident.type}
    _send(tx, incident, asked.ref, template, params, tier.channels, now)


def tell_alerts(tx: Transaction, incident: Incident, alerts: Collection[Alert], now: datetime) -> None:
    """Supervisors and responders hear what the clocks found, also where no page of theirs is open.

    Only of what is urgent: the others are on the page. Operators are signed in, or the supervisors hear it.
    """
    if not incident.live or incident.alarm_class in ("technical", "test") or incident.priority not in _URGENT:
        return
    for alert in alerts:
        if alert.audience == "responder" and alert.code == "welfare":
            row = tx.assignments.get(alert.about)
            if row is not None:
                params = _numbered(tx, incident, what=False)
                _send(tx, incident, f"responder:{row.responder_id}", "welfare", params, _ALERTED, now, until="closed")
        elif alert.audience == "supervisors":
            _tell_supervisors(tx, incident, alert.code, now)


_URGENT: Final = frozenset({"critical", "high"})


def _tell_supervisors(tx: Transaction, incident: Incident, code: str, now: datetime) -> None:
    if incident.state == "open" and code not in _SUPERVISED:
        waited = max(0, int((now - incident.opened_at).total_seconds()))
        template, params = "unclaimed", {**_numbered(tx, incident), "seconds": str(waited)}
    elif code in _SUPERVISED:
        template, params = _SUPERVISED[code], _numbered(tx, incident)
    else:
        return
    until = "claimed" if template in ("unclaimed", "left_alone") and incident.state == "open" else "closed"
    for one in supervisors_of(tx, incident, now):
        _send(tx, incident, one.ref, template, params, _ALERTED, now, until=until)


def tell_stood_down(
    tx: Transaction, incident_id: str, rows: Collection[AssignmentRow], said: str, now: datetime
) -> None:
    """Whoever was reached hears that nobody is needed; whoever was not reached yet never hears of it at all.

    `rows` as they were before.
    """
    reached = {one.assignment_id for one in tx.notices.of_incident(incident_id) if one.state == "sent" or one.attempts}
    place = tx.plans.place(incident_id)
    for row in rows:
        if row.state != "offered" or row.id in reached:
            params = {"number": str(place.number if place else ""), "reason": said}
            notify(
                tx,
                Notice(
                    incident_id,
                    f"responder:{row.responder_id}",
                    "push",
                    "stood_down",
                    params,
                    until="sent",
                    then=("sms",),
                ),
                now=now,
            )


def _numbered(tx: Transaction, incident: Incident, *, what: bool = True) -> dict[str, Any]:
    number = str(_place(tx, incident).number)
    return {"number": number, "what": incident.type} if what else {"number": number}


def _send(
    tx: Transaction,
    incident: Incident,
    to: str,
    template: str,
    params: Mapping[str, Any],
    channels: Sequence[Channel],
    now: datetime,
    *,
    until: Any = "accepted",
) -> None:
    notify(tx, Notice(incident.id, to, channels[0], template, params, until=until, then=tuple(channels[1:])), now=now)
