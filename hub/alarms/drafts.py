"""A change on its way, and what the actions share in making one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.alarms.actions import ActionName
from hub.alarms.changes import Actor, Alert, DueChange, EntryKind, PlanStep, TimelineEntry
from hub.alarms.lifecycle import IllegalTransition, Transition, transition
from hub.alarms.model import Incident, IncidentState, Reason, Told
from hub.errors import BadRequestError

__all__ = ["Draft", "entry_of", "legal", "off_shelf", "told_by", "unclaimed", "who_was_first", "words_of"]


@dataclass(frozen=True, slots=True)
class Draft:
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


def entry_of(kind: EntryKind, now: datetime, actor: Actor, body: Mapping[str, Any] | None = None) -> TimelineEntry:
    given = {name: value for name, value in (body or {}).items() if value is not None}
    return TimelineEntry(kind, now, actor, given)


def words_of(text: str, name: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise BadRequestError(f"{name} must not be empty", field=name)
    return stripped


def who_was_first(incident: Incident) -> dict[str, Any]:
    """Who was first and when, for a refusal."""
    if incident.live:
        by, at = incident.acknowledged_by, incident.acknowledged_at
    else:
        by, at = incident.resolved_by, incident.resolved_at
    return {"by": {"id": by}, "at": at.isoformat()} if by and at else {}


def legal(incident: Incident, action: ActionName, state: IncidentState | None = None) -> Transition:
    try:
        return transition(state or incident.state, action)
    except IllegalTransition as refusal:
        raise IllegalTransition(refusal.state, refusal.action, **who_was_first(incident)) from None


def told_by(step: Transition) -> tuple[Told, ...]:
    return (step.tell,) if step.tell else ()


def off_shelf(incident: Incident) -> Incident:
    return replace(incident, shelved_until=None, shelve_reason=None)


def unclaimed(incident: Incident, step: Transition) -> Incident:
    return replace(incident, state=step.next_state, acknowledged_by=None, acknowledged_at=None)
