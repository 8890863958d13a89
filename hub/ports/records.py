"""Rows that cross the floors: what the store gives and takes beside the pure rooms' own values.

Those of telemetry are tuples or structs: made by the hundred thousand, and a frozen dataclass costs ten times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, Protocol
from uuid import uuid4

from msgspec import Struct

from devices.model import Reply, Uplink
from dispatch.model import AssignmentState
from hub.accounts import Payer
from hub.alarms.changes import SYSTEM, Actor, ActorKind, Role

__all__ = [
    "SYSTEM",
    "Actor",
    "ActorKind",
    "AssignmentRow",
    "CancelledBy",
    "DeviceRow",
    "DeviceSeen",
    "DueRow",
    "EncodedRows",
    "EndedToken",
    "EntryRow",
    "FixRow",
    "Incoming",
    "Json",
    "Lane",
    "Meanwhile",
    "MeasuredRow",
    "ObservationRow",
    "OrderRow",
    "OrderState",
    "OutboxRow",
    "Outcome",
    "Role",
    "SessionRow",
    "UplinkOutcome",
    "UplinkRow",
    "UserRow",
    "VisitRow",
    "VisitState",
]

Json = dict[str, Any]
Lane = Literal["alarm", "telemetry", "mixed", "tcp", "http"]
UplinkOutcome = Literal["accepted", "repeat", "rejected", "unsupported", "quarantined"]
OrderState = Literal["requested", "assigned", "in_service", "completed", "aborted", "missed", "cancelled"]
CancelledBy = Literal["person", "plan", "pause", "status"]
VisitState = Literal[
    "planned", "offered", "accepted", "en_route", "in_service", "completed", "aborted", "missed", "cancelled"
]


class Meanwhile(Protocol):
    """What a thread does while it waits for the database. Nothing of it raises."""

    def work(self) -> bool:
        """A small piece of other work. False: nothing to do now."""
        ...

    def rest(self) -> None:
        """Called before the thread waits: there is nothing to do now."""
        ...

    def resume(self) -> None:
        """Called after each `rest`; returns when the thread may go on."""
        ...


class Incoming(Struct, frozen=True):
    """One uplink on its way in.

    `dup`: MQTT's DUP flag, in the same session, with the message id and bytes of an uplink that was committed already.
    `marks`: what the way in noticed and an operator must see beside it: `conflict`, another connection speaks as this
    device too. `number` tells apart what one device sent at the same moment: the message id, where there is one.
    """

    uplink: Uplink
    device_id: str
    family: str
    lane: Lane
    dup: bool = False
    marks: tuple[str, ...] = ()
    number: int = 0


class Outcome(Struct, frozen=True):
    """What became of one `Incoming`, known after commit. `replies` may leave now."""

    outcome: UplinkOutcome
    reason: str | None = None
    replies: tuple[Reply, ...] = ()
    alarms: int = 0


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device as the ingest path needs it. `adopted` False: it reported without having been added."""

    id: str
    family: str
    resident_id: str | None
    area_id: str | None
    profile: Mapping[str, Any] = field(default_factory=dict)
    adopted: bool = True
    revoked: bool = False


class DeviceSeen(NamedTuple):
    """A device was heard at `at`. None leaves a column as it is.

    Only `online` True is a sign of life that moves last_seen_at: a goodbye (False) or a retained state (None) is not.
    `clock` is what the device's own said, of a message that was not stored on it.
    """

    device_id: str
    at: datetime
    online: bool | None = True
    battery_pct: int | None = None
    last_fix: Json | None = None
    charging: bool | None = None
    clock: datetime | None = None


class UplinkRow(NamedTuple):
    """One uplink's fate. `payload` only where kept (alarms, rejected, unsupported, quarantined)."""

    received_at: datetime
    lane: Lane
    device_id: str | None
    topic: str | None
    key: bytes | None
    outcome: UplinkOutcome
    reason: str | None = None
    events: int = 0
    payload: bytes | None = None


class ObservationRow(NamedTuple):
    """One value of one metric, or one word (`state`) of an activity."""

    received_at: datetime
    observed_at: datetime
    device_id: str
    resident_id: str | None
    metric: str
    value: float | None
    state: str | None = None
    buffered: bool = False


EncodedRows = tuple[bytes, bytes]
"""An uplink's row and those of its observations as the store wants them; made ahead, opaque to everybody else."""


class MeasuredRow(NamedTuple):
    """What one event measured, before it is taken apart into rows: all of them share everything but the value."""

    received_at: datetime
    observed_at: datetime
    device_id: str
    resident_id: str | None
    values: Mapping[str, float]
    state: str | None = None
    buffered: bool = False

    def rows(self) -> list[ObservationRow]:
        """One row a metric; the word of an activity is a row of the metric `activity`."""
        received_at, observed_at, device_id, resident_id, values, state, buffered = self
        shared = received_at, observed_at, device_id, resident_id
        rows = [ObservationRow(*shared, metric, float(value), None, buffered) for metric, value in values.items()]
        if state is not None:
            rows.append(ObservationRow(*shared, "activity", None, state, buffered))
        return rows


class FixRow(NamedTuple):
    """One position, WGS-84."""

    received_at: datetime
    observed_at: datetime
    device_id: str
    resident_id: str | None
    lat: float
    lon: float
    accuracy_m: float | None
    source: str
    buffered: bool = False


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A line for the timeline; `seq` is given by the store at the end of the transaction."""

    at: datetime
    subject_kind: Literal["incident", "order", "visit", "resident", "device", "call", "person"]
    subject_id: str
    kind: str
    actor: Actor = SYSTEM
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueRow:
    """A time-out. `step` is unique for its subject: setting it again moves it."""

    subject_kind: Literal["incident", "assignment", "order", "visit"]
    subject_id: str
    step: str
    due_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A responder on an incident or a visit. `offered_by` None: the response plan.

    `plan_round` is the incident's when the offer was made: a plan that begins again may ask the same people again.
    `eta_s` is reckoned from `eta_at`, where the responder's phone told where it was then; None: from the latest step.
    """

    id: str
    responder_id: str
    state: AssignmentState
    offered_at: datetime
    incident_id: str | None = None
    visit_id: str | None = None
    offered_by: str | None = None
    accepted_at: datetime | None = None
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    outcome: str | None = None
    note: str | None = None
    reasons: tuple[Mapping[str, Any], ...] = ()
    eta_s: int | None = None
    eta_at: datetime | None = None
    plan_round: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One service wanted at one time.

    `occurrence_on` is the day of its care plan's rule (a holiday may have moved the order itself) or of its programme.
    `resident_id` None: a repair in an area (`area_id`) where nobody lives.
    `open_to` claim: whoever is qualified may take it. `cancelled_by`: what a person cancelled stays cancelled, the rest
    is taken back when its cause is gone.
    """

    id: str
    kind: str
    resident_id: str | None
    state: OrderState
    wanted_from: datetime
    wanted_to: datetime
    duration_min: int
    carers: int
    source: str
    created_at: datetime
    created_by: str | None = None
    incident_id: str | None = None
    note: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    version: int = 1
    provider_id: str | None = None
    care_plan_id: str | None = None
    occurrence_on: date | None = None
    open_to: Literal["claim"] | None = None
    station_id: str | None = None
    programme_id: str | None = None
    preferred_responder_id: str | None = None
    payer_hint: Payer | None = None
    cancelled_by: CancelledBy | None = None
    area_id: str | None = None

    @property
    def person(self) -> str:
        """The resident whom it is for. ValueError: it is for nobody, as only repairs (`device_repair`) may be."""
        if self.resident_id is None:
            raise ValueError(f"order {self.id} is of a place, not of a resident")
        return self.resident_id


@dataclass(frozen=True, slots=True)
class VisitRow:
    """An order on somebody's route.

    `route_id` and `sequence`: of the published plan. `promised_*`: what resident and family were told. `pinned`: a
    person nailed it down, no plan moves it.
    """

    id: str
    order_id: str
    state: VisitState
    planned_start: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    note: str | None = None
    version: int = 1
    route_id: str | None = None
    planned_end: datetime | None = None
    promised_from: datetime | None = None
    promised_to: datetime | None = None
    sequence: int | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that must reach somebody. `id` is None before it is stored."""

    channel: str
    target: str
    body: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None = None
    incident_id: str | None = None
    attempts: int = 0
    id: int | None = None


@dataclass(frozen=True, slots=True)
class UserRow:
    """An account. `provider_id`: it sees that provider's rows and nothing else."""

    id: str
    username: str
    name: str
    role: Role
    person_id: str | None
    password_hash: str = field(repr=False)
    language: str = "zh"
    theme: str = "auto"
    active: bool = True
    version: int = 1
    phone: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in seat, phone or token. `token_hash` is the sha256 of what the browser holds, `id` may be shown."""

    token_hash: bytes = field(repr=False)
    user_id: str
    kind: Literal["console", "phone", "token"]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    on_duty: bool = False
    address: str | None = None
    agent: str | None = None
    issued_by: str | None = None
    id: str = field(default_factory=lambda: str(uuid4()))


class EndedToken(NamedTuple):
    """A bearer token that was good until now: the digest it was known by, whose it was, what it was for."""

    token_hash: bytes
    user_id: str
    label: str
