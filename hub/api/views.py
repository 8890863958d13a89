"""What answers look like, for the OpenAPI document and for the tests that hold the store's views against it.

Answers are not validated again on their way out: they come ready from the store. Unknown further fields may appear.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from dispatch.model import AssignmentState
from hub.alarms.model import AlarmClass, Disposition, IncidentState, Priority, Supervision
from hub.care import ResidentStatus
from hub.ports import ActorKind, OrderState, Role, VisitState

__all__ = [
    "Alarm",
    "AlarmRaised",
    "Area",
    "Assignment",
    "AuditRow",
    "Call",
    "CandidateList",
    "Changes",
    "CommandTaken",
    "Contact",
    "Crew",
    "Device",
    "DeviceAdded",
    "Help",
    "Incident",
    "IncidentDetail",
    "IncidentPage",
    "IncomingAnswer",
    "ListOf",
    "ObservationList",
    "Order",
    "Problem",
    "Ready",
    "Resident",
    "Responder",
    "ServiceKind",
    "ServiceKindList",
    "Session",
    "Shift",
    "Station",
    "Summary",
    "Tasks",
    "TimelineEntry",
    "TokenGiven",
    "User",
    "Visit",
]

T = TypeVar("T")


class _View(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(_View):
    """RFC 9457 problem document."""

    type: str = Field(description="`urn:care-hub:…`, stable")
    title: str
    status: int
    detail: str
    instance: str | None = None
    field: str | None = Field(default=None, description="What was wrong, by its place in the request")
    by: Any | None = Field(default=None, description="Who was first")
    at: datetime | None = Field(default=None, description="When")
    retry_after_s: float | None = None


class ListOf(_View, Generic[T]):
    """One page; `next` goes into `cursor` for the following one."""

    items: list[T]
    next: str | None


class Named(_View):
    id: str
    name: str | None


class Reason(_View):
    """Why: a stable code, an English sentence, the values a page needs to word it itself."""

    code: str
    text: str
    values: dict[str, Any] = {}


class AreaStep(_View):
    id: str
    name: str
    kind: str


class AreaShort(AreaStep):
    path: list[AreaStep]


class ResidentShort(_View):
    """The resident as an incident or an order carries it."""

    id: str
    name: str
    age: int | None
    sex: Literal["f", "m"] | None
    phone: str | None
    address: str | None
    lat: float | None
    lon: float | None
    lives_alone: bool
    status: ResidentStatus
    warnings: list[str]


class DeviceShort(_View):
    id: str
    name: str | None
    family: str
    online: bool | None
    battery_pct: int | None
    last_seen_at: datetime | None


class Position(_View):
    lat: float
    lon: float
    accuracy_m: float | None = None
    source: str | None = None
    observed_at: datetime | None = None


class AssignedResponder(_View):
    id: str
    name: str
    kind: str
    phone: str | None


class Assignment(_View):
    """A responder on an incident or a visit."""

    id: str
    version: int
    incident_id: str | None
    visit_id: str | None
    responder: AssignedResponder
    state: AssignmentState
    offered_at: datetime
    offered_by: Any | None
    accepted_at: datetime | None
    en_route_at: datetime | None
    on_scene_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    outcome: str | None
    reasons: list[Reason]
    eta_s: int | None


class Incident(_View):
    """What operators handle."""

    id: str
    number: int
    seq: int
    version: int
    state: IncidentState
    alarm_class: AlarmClass = Field(alias="class")
    type: str
    types: list[str]
    priority: Priority
    subject: str
    resident: ResidentShort | None
    device: DeviceShort | None
    area: AreaShort | None
    fix: Position | None
    alarms: int
    opened_at: datetime
    first_alarm_at: datetime
    last_alarm_at: datetime
    acknowledged_by: Named | None
    acknowledged_at: datetime | None
    lease_until: datetime | None
    assignments: list[Assignment]
    due_at: datetime | None
    due_step: str | None
    reasons: list[Reason]
    shelved_until: datetime | None
    shelve_reason: str | None
    disposition: Disposition | None
    summary: str | None
    resolved_by: Named | None
    resolved_at: datetime | None
    supervision: Supervision
    supervised_by: Named | None
    supervised_at: datetime | None
    on_scene: bool
    under_way: bool


class IncidentPage(ListOf[Incident]):
    cursor: str = Field(description="A stream opened with it misses nothing")


class Alarm(_View):
    """One press; repeats of a press are not rows of their own."""

    id: str
    ref: str | None
    device_id: str | None
    type: str
    alarm_class: AlarmClass = Field(alias="class")
    priority: Priority
    observed_at: datetime | None
    received_at: datetime
    fix: Position | None
    battery_pct: int | None
    test: bool
    resident_id: str | None
    incident_id: str | None
    attributes: dict[str, Any]
    note: str | None
    source: Literal["device", "person"]


class Contact(_View):
    id: str
    resident_id: str
    name: str
    relation: str | None
    phone: str | None
    kind: Literal["family", "neighbour", "guard", "doctor", "other"]
    has_key: bool
    position: int
    responder_id: str | None
    confirmed_on: date | None


class Call(_View):
    id: str
    direction: Literal["in", "out"]
    number: str
    incident_id: str | None
    resident_id: str | None
    party: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Literal["answered", "busy", "no_answer", "failed"] | None
    note: str | None


class IncidentDetail(Incident):
    """The incident with everything the desk needs to act."""

    alarm_rows: list[Alarm] = Field(description="Newest first, 50 at most")
    contacts: list[Contact]
    plan: dict[str, Any]
    resident_detail: dict[str, Any] | None
    calls: list[Call]


class WhoDid(_View):
    kind: ActorKind
    id: str | None
    name: str | None


class TimelineEntry(_View):
    seq: int
    at: datetime
    kind: str
    actor: WhoDid | None
    body: dict[str, Any]


class CandidateResponder(_View):
    id: str
    name: str
    kind: str


class Candidate(_View):
    responder: CandidateResponder
    eligible: bool
    distance_m: float | None
    eta_s: float | None
    score: float
    reasons: list[Reason]


class CandidateList(_View):
    items: list[Candidate] = Field(description="Best first, those who cannot go last")


class AlarmRaised(_View):
    alarm: Alarm
    incident: Incident | None


class IncomingAnswer(_View):
    """Whose number it is."""

    call: Call
    resident: dict[str, Any] | None
    contact: Contact | None
    incident: Incident | None


class User(_View):
    id: str
    username: str
    name: str
    role: Role
    person_id: str | None
    language: Literal["zh", "en"]
    theme: Literal["auto", "light", "dark"]


class Session(_View):
    user: User
    on_duty: bool
    expires_at: datetime
    server_time: datetime


class TokenGiven(_View):
    token: str = Field(description="Told once")
    expires_at: datetime


class Resident(_View):
    id: str
    name: str
    sex: Literal["f", "m"] | None
    born_on: date | None
    age: int | None
    phone: str | None
    address: str | None
    area: AreaShort | None
    lat: float | None
    lon: float | None
    lives_alone: bool
    status: ResidentStatus
    status_since: datetime | None
    served: bool
    ability_level: int | None
    conditions: list[str]
    medications: list[str]
    allergies: list[str]
    languages: list[str]
    flags: list[str]
    access: dict[str, Any]
    notes: str | None
    version: int


class Area(_View):
    id: str
    parent_id: str | None
    kind: str
    name: str
    households: int | None
    lat: float | None
    lon: float | None
    boundary: dict[str, Any] | None
    path: list[Any]


class Station(_View):
    id: str
    kind: str
    name: str
    area_id: str | None
    address: str | None
    phone: str | None
    lat: float | None
    lon: float | None


class Device(_View):
    id: str
    family: str
    name: str | None
    model: str | None
    resident: Named | None
    area_id: str | None
    online: bool | None
    last_seen_at: datetime | None
    battery_pct: int | None
    interval_s: int
    profile: dict[str, Any]
    version: int


class DeviceAdded(_View):
    device: Device
    secret: str | None = Field(description="The device's credential, told once; null where the family has none")


class CommandTaken(_View):
    id: str = Field(description="The device's answer carries it")
    device_id: str
    command: str


class Responder(_View):
    id: str
    name: str
    kind: str
    phone: str | None
    sex: Literal["f", "m"] | None
    skills: list[dict[str, Any]]
    languages: list[str]
    areas: list[Any]
    station_id: str | None
    lat: float | None
    lon: float | None
    position_at: datetime | None
    on_duty: bool
    busy: bool
    live: int
    mode: str


class Crew(_View):
    id: str
    name: str
    vehicle: str | None
    equipment: list[str]
    members: list[Any]


class Shift(_View):
    id: str
    responder_id: str
    starts_at: datetime
    ends_at: datetime
    role: str | None
    area_id: str | None


class ServiceKind(_View):
    id: str
    zh: str
    en: str
    skills: list[str]
    any_skills: list[str]
    duration_min: int
    carers: int
    priority: str
    personal: bool


class ServiceKindList(_View):
    items: list[ServiceKind]
    next: None = None


class Visit(_View):
    id: str
    order_id: str
    state: VisitState
    planned_start: datetime
    started_at: datetime | None
    ended_at: datetime | None
    assignments: list[Assignment]
    outcome: str | None


class Order(_View):
    id: str
    number: int
    version: int
    kind: str
    state: OrderState
    resident: ResidentShort
    wanted_from: datetime
    wanted_to: datetime
    duration_min: int
    carers: int
    note: str | None
    attributes: dict[str, Any]
    source: str
    created_at: datetime
    visit: Visit


class Task(_View):
    assignment: Assignment
    incident: Incident | None
    order: Order | None
    next: Literal["accept", "en-route", "on-scene", "complete"] | None


class Tasks(_View):
    items: list[Task]
    server_time: datetime


class Coming(_View):
    name: str
    kind: str
    state: AssignmentState
    eta_s: int | None


class Help(_View):
    resident: dict[str, Any]
    incident: Incident | None
    coming: list[Coming]
    today: list[Order]


class Unclaimed(_View):
    critical: int
    high: int
    medium: int
    low: int


class DeviceCount(_View):
    online: int
    total: int


class Summary(_View):
    """What an empty queue shows."""

    unclaimed: Unclaimed
    mine: int
    last_alarm_at: datetime | None
    devices: DeviceCount
    technical_open: int
    server_time: datetime
    cursor: str


class ChangeEvent(_View):
    event: str
    id: str | None
    data: dict[str, Any]


class Changes(_View):
    events: list[ChangeEvent] = []
    cursor: str | None
    reset: bool = Field(default=False, description="True: fetch the snapshot again")


class Observation(_View):
    at: datetime


class ObservationList(_View):
    items: list[dict[str, Any]]
    next: None = None


class AuditRow(_View):
    at: datetime
    name: str | None
    action: str
    subject: str | None


class Ready(_View):
    ready: bool
