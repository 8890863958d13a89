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
from hub.ports import ActorKind

__all__ = [
    "Alarm",
    "AlarmRaised",
    "AreaShort",
    "Assignment",
    "Call",
    "CandidateList",
    "Contact",
    "Incident",
    "IncidentDetail",
    "IncidentPage",
    "ListOf",
    "Named",
    "Problem",
    "TimelineEntry",
    "View",
]

T = TypeVar("T")


class View(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(View):
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


class ListOf(View, Generic[T]):
    """One page; `next` goes into `cursor` for the following one."""

    items: list[T]
    next: str | None


class Named(View):
    id: str
    name: str | None


class Reason(View):
    """Why: a stable code, an English sentence, the values a page needs to word it itself."""

    code: str
    text: str
    values: dict[str, Any] = {}


class AreaStep(View):
    id: str
    name: str
    kind: str


class AreaShort(AreaStep):
    path: list[AreaStep]


class ResidentShort(View):
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


class DeviceShort(View):
    id: str
    name: str | None
    family: str
    online: bool | None
    battery_pct: int | None
    last_seen_at: datetime | None


class Position(View):
    lat: float
    lon: float
    accuracy_m: float | None = None
    source: str | None = None
    observed_at: datetime | None = None


class HeldPosition(Position):
    """The position an incident holds: the best of those that were told."""

    age_s: int | None = Field(default=None, description="How old it was when it came; null: nobody knows")
    buffered: bool = Field(default=False, description="Its device had stored it and sent it late")


class IncidentPlace(View):
    """Where people are sent, and why there. The pages, the ranking of responders and their arrival go by it."""

    lat: float
    lon: float
    kind: Literal["fix", "home", "area"]
    reason: Reason
    apart_m: int | None = Field(description="How far position and address lie apart; null: only one of them is known")


class AssignedResponder(View):
    id: str
    name: str
    kind: str
    phone: str | None


class Assignment(View):
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
    eta_s: int | None = Field(description="Seconds from `eta_at`; where that is null, from the latest step")
    eta_at: datetime | None = Field(description="When the phone last told where it was on the way")


class Incident(View):
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
    fix: HeldPosition | None
    place: IncidentPlace | None
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


class Alarm(View):
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
    source: Literal["device", "person", "system", "rule"]


class Contact(View):
    id: str
    resident_id: str
    name: str
    relation: str | None
    phone: str | None
    kind: Literal["family", "neighbour", "guard", "doctor", "other"]
    has_key: bool
    position: int
    responder_id: str | None
    other_phones: list[str] = Field(default_factory=list)
    hours: str | None = Field(default=None, description="When the person can be reached")
    languages: list[str] = Field(default_factory=list)
    consented_on: date | None = Field(default=None, description="Agreed to be kept and called")
    confirmed_on: date | None


class Call(View):
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
    answered_by: Named | None = Field(default=None, description="The seat that took a call which came in")


class IncidentDetail(Incident):
    """The incident with everything the desk needs to act."""

    alarm_rows: list[Alarm] = Field(description="Newest first, 50 at most")
    contacts: list[Contact]
    plan: dict[str, Any]
    resident_detail: dict[str, Any] | None
    calls: list[Call]


class WhoDid(View):
    kind: ActorKind
    id: str | None
    name: str | None


class TimelineEntry(View):
    seq: int
    at: datetime
    kind: str
    actor: WhoDid | None
    body: dict[str, Any]


class CandidateResponder(View):
    id: str
    name: str
    kind: str


class Candidate(View):
    responder: CandidateResponder
    eligible: bool
    distance_m: float | None
    eta_s: float | None
    score: float
    reasons: list[Reason]


class Spared(View):
    """Little later, and no place is left without anybody near."""

    responder_id: str
    instead_of: str
    later_s: float
    uncovered_s: float | None = Field(description="What the next would need to where `instead_of` is; null: nobody")
    covered_s: float


class CandidateList(View):
    items: list[Candidate] = Field(description="The 50 best first, then the 50 nearest who cannot go")
    eligible: int = Field(description="How many could go at all")
    why_not: dict[str, int] = Field(description="How many cannot, by the code of the first reason")
    spared: Spared | None


class AlarmRaised(View):
    alarm: Alarm
    incident: Incident | None
