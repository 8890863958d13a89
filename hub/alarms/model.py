"""Alarms and incidents as values. See docs/glossary.md for the words, docs/incident-states.md for the states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub.alarms.plans import DEFAULT_PLAN, ResponsePlan
from hub.alarms.plans_run import READY, PlanRun
from hub.alarms.policy import DEFAULT_POLICY, EscalationPolicy

__all__ = [
    "CLASSES",
    "DISPOSITIONS",
    "LIVE_STATES",
    "PRIORITIES",
    "STATES",
    "Alarm",
    "AlarmClass",
    "Disposition",
    "Incident",
    "IncidentState",
    "Priority",
    "Reason",
    "Supervision",
    "Told",
    "more_urgent",
    "priority_rank",
]

AlarmClass = Literal["emergency", "health", "whereabouts", "technical", "test"]
Priority = Literal["critical", "high", "medium", "low"]
IncidentState = Literal["open", "acknowledged", "in_progress", "resolved", "closed"]
Disposition = Literal["genuine", "false", "test", "device_fault", "duplicate", "no_contact"]
Told = Literal["received", "hold", "handled", "rejected"]
Supervision = Literal["none", "required", "done"]

CLASSES: tuple[AlarmClass, ...] = ("emergency", "health", "whereabouts", "technical", "test")
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "medium", "low")
STATES: tuple[IncidentState, ...] = ("open", "acknowledged", "in_progress", "resolved", "closed")
LIVE_STATES: frozenset[IncidentState] = frozenset({"open", "acknowledged", "in_progress"})
DISPOSITIONS: tuple[Disposition, ...] = ("genuine", "false", "test", "device_fault", "duplicate", "no_contact")


def priority_rank(priority: Priority) -> int:
    """0 for critical to 3 for low: smaller is more urgent."""
    return PRIORITIES.index(priority)


def more_urgent(one: Priority, other: Priority) -> Priority:
    """The more urgent of two priorities."""
    return one if priority_rank(one) <= priority_rank(other) else other


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision was taken: a stable code, an English sentence, and the values a page needs to word it itself."""

    code: str
    text: str
    values: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One device's or person's cry, after its resident is known.

    `fix` is the JSON object of the contract or None. `received_at` orders everything; `observed_at` is the device's
    clock. `source` is "device", "person", "system" for a silence, or "rule". `upstream`: what a shared silence is about
    instead of one device, such as `upstream:bridge-7`; `reasons`: why the hub raised it by itself.
    """

    id: str
    device_id: str | None
    resident_id: str | None
    type: str
    alarm_class: AlarmClass
    priority: Priority
    received_at: datetime
    observed_at: datetime | None = None
    ref: str | None = None
    fix: Mapping[str, Any] | None = None
    battery_pct: int | None = None
    test: bool = False
    buffered: bool = False
    note: str | None = None
    cancels: str | None = None
    source: Literal["device", "person", "system", "rule"] = "device"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    upstream: str | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def subject(self) -> str:
        """Whose matter it is: the resident, else the device, else the alarm itself (a walk-in, a page of an area)."""
        if self.upstream:
            return self.upstream
        if self.resident_id:
            return f"resident:{self.resident_id}"
        return f"device:{self.device_id}" if self.device_id else f"alarm:{self.id}"


@dataclass(frozen=True, slots=True)
class Incident:
    """What operators handle. `version` rises with every write (If-Match).

    `lease_until`: a claim on a critical incident that nobody touches returns to the queue then. `under_way` is True
    while a responder has accepted and not yet finished, `on_scene` while one is there. `plan_round` counts restarts
    of the response plan. `policy` is the copy of the escalation policy taken when the incident opened: editing a
    policy never changes a running incident; `plan` is the response plan copied in the same way, `run` how far it has
    been carried out. `reasons` holds, for each code, the latest reason of the decisions that
    made the incident what it is (`buffered`: it was opened by a record that its device had stored and sent late).
    `fix` is the position it holds as it was read, the JSON object of the contract with `age_s` (`positions.prefer`).
    """

    id: str
    subject: str
    alarm_class: AlarmClass
    state: IncidentState
    type: str
    types: tuple[str, ...]
    priority: Priority
    opened_at: datetime
    first_alarm_at: datetime
    last_alarm_at: datetime
    alarm_count: int = 1
    resident_id: str | None = None
    device_id: str | None = None
    area_id: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    lease_until: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    disposition: Disposition | None = None
    summary: str | None = None
    supervision: Supervision = "none"
    supervised_by: str | None = None
    supervised_at: datetime | None = None
    shelved_until: datetime | None = None
    shelve_reason: str | None = None
    under_way: bool = False
    on_scene: bool = False
    plan_round: int = 0
    reasons: tuple[Reason, ...] = ()
    policy: EscalationPolicy = DEFAULT_POLICY
    plan: ResponsePlan = DEFAULT_PLAN
    run: PlanRun = READY
    version: int = 1
    fix: Mapping[str, Any] | None = None

    @property
    def live(self) -> bool:
        """Open, acknowledged or in progress: it still waits for a person."""
        return self.state in LIVE_STATES

    @property
    def shelved(self) -> bool:
        return self.shelved_until is not None
