"""What a decision changes, as values: the incident after it, its timeline entries, due steps, whom to alert, what to
tell the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub.alarms.model import Incident, Reason, Told

__all__ = [
    "ENTRY_KINDS",
    "SYSTEM",
    "Actor",
    "Alert",
    "Audience",
    "Change",
    "DueChange",
    "DueStep",
    "EntryKind",
    "PlanStep",
    "TimelineEntry",
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
]
ENTRY_KINDS: tuple[EntryKind, ...] = (
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
)

Audience = Literal["operators", "supervisors", "holder", "responder"]

PlanStep = Literal["none", "next", "restart", "stop"]
"""What becomes of the response plan: nothing; the next tier is called now; it begins again; nobody else is called."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `role` is the signed-in user's role (None for devices and the system)."""

    kind: Literal["operator", "responder", "device", "person", "system"]
    id: str | None = None
    name: str | None = None
    role: str | None = None

    @property
    def supervises(self) -> bool:
        """Whether this person may overrule a holder."""
        return self.role in ("supervisor", "admin")


SYSTEM = Actor(kind="system")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's timeline. `body` is JSON-ready: times in it are RFC 3339 text."""

    kind: EntryKind
    at: datetime
    actor: Actor | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody must notice, now. `about` is a user id for `holder`, an assignment id for `responder`, else "".

    `code` says what happened (`raised`, `pressed_again`, a due step's code, ...).
    """

    audience: Audience
    code: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class DueStep:
    """Something that must have happened by `due_at`. `about` is the assignment it concerns, or "".

    An incident has at most one step for each (code, about): the key of its row.
    """

    code: str
    due_at: datetime
    about: str = ""


@dataclass(frozen=True, slots=True)
class DueChange:
    """A write to the rows of due steps: `due_at` set: insert or move (code, about); None: delete it.

    A deletion with `about` None deletes every step of that code, whatever it is about.
    """

    code: str
    due_at: datetime | None
    about: str | None = ""


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
