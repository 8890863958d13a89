"""What a decision changes, as values: the incident after it, its timeline entries, due steps, whom to alert, what to
tell the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from hub.alarms.model import Incident, Reason, Told

__all__ = [
    "ENTRY_KINDS",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "Alert",
    "Audience",
    "Change",
    "DueChange",
    "DueStep",
    "EntryKind",
    "PlanStep",
    "Role",
    "TimelineEntry",
    "alert_seat",
]

EntryKind = Literal[
    "raised",
    "pressed",
    "cancel_seen",
    "realerted",
    "acknowledged",
    "released",
    "lease_expired",
    "offered",
    "accepted",
    "declined",
    "en_route",
    "on_scene",
    "completed",
    "stood_down",
    "escalated",
    "noted",
    "shelved",
    "unshelved",
    "called",
    "resolved",
    "supervised",
    "closed",
    "reopened",
    "told",
    "priority_raised",
    "transferred",
    "voice",
    "tier_called",
    "tier_skipped",
]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)

ActorKind = Literal["operator", "responder", "device", "system", "resident", "family", "integrator"]
Role = Literal["operator", "staff", "coordinator", "supervisor", "admin", "integrator", "family", "resident"]
Audience = Literal["operators", "supervisors", "holder", "responder"]

PlanStep = Literal["none", "next", "restart", "stop"]
"""What becomes of the response plan: nothing; the next tier is called now; it begins again; nobody else is called."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `user_id` is the account; `person_id` the responder, contact or resident behind it."""

    kind: ActorKind
    name: str
    user_id: str | None = None
    role: Role | None = None
    person_id: str | None = None

    @property
    def ident(self) -> str | None:
        """The id written on the timeline."""
        return self.user_id or self.person_id

    @property
    def supervises(self) -> bool:
        """Whether this person may overrule a holder."""
        return self.role in ("supervisor", "admin")


SYSTEM = Actor(kind="system", name="hub")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's timeline. `body` is JSON-ready: times in it are RFC 3339 text."""

    kind: EntryKind
    at: datetime
    actor: Actor = SYSTEM
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody must notice, now. `about` is a user id for `holder`, an assignment id for `responder`, else "".

    `code` says what happened (`raised`, `pressed_again`, a due step's code, ...).
    """

    audience: Audience
    code: str
    about: str = ""


def alert_seat(incident: Incident, code: str) -> Alert:
    """An alert for whoever holds the incident, else for every operator."""
    return Alert("holder", code, incident.acknowledged_by) if incident.acknowledged_by else Alert("operators", code)


@dataclass(frozen=True, slots=True)
class DueStep:
    """Something that must have happened by `due_at`.

    `about` is "" for a step of the incident itself, else the id of the assignment it concerns: the step then belongs
    to the assignment, and lives as long as that. There is at most one step for each (code, incident or assignment).
    """

    code: str
    due_at: datetime
    about: str = ""


@dataclass(frozen=True, slots=True)
class DueChange:
    """A write to the rows of due steps: `due_at` set: insert or move the step (code, about); None: take it away."""

    code: str
    due_at: datetime | None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Everything one decision changes; written in one transaction, in this order of fields.

    `incident` is the new value (its version one higher), `tell` what the devices of its alarms are to be told, in
    order. `stand_down`: every assignment of the incident that has not reached the scene is to be stood down.
    """

    incident: Incident
    entries: tuple[TimelineEntry, ...] = ()
    tell: tuple[Told, ...] = ()
    due: tuple[DueChange, ...] = ()
    alerts: tuple[Alert, ...] = ()
    plan: PlanStep = "none"
    stand_down: bool = False
    reasons: tuple[Reason, ...] = ()
