"""What requests carry: sessions, incidents, alarms, calls, services."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, StringConstraints, model_validator

from devices.geo import bd09_to_wgs84, gcj02_to_wgs84
from hub.accounts import Payer
from hub.alarms.model import Disposition
from hub.api.fields import (
    TEXT,
    Change,
    Count,
    Flag,
    Free,
    Lat,
    Line,
    Lon,
    Name,
    NewSecret,
    Phone,
    Request,
    SaidText,
    Secret,
    Text,
    Time,
    Uuid,
    Word,
)
from hub.ports import Role

__all__ = [
    "AlarmFromPerson",
    "AllWell",
    "Assign",
    "CallFields",
    "CallUpdate",
    "Close",
    "Fix",
    "HelpWanted",
    "IncomingCall",
    "Measured",
    "Note",
    "Nothing",
    "OptionalReason",
    "OrderNew",
    "Reason",
    "SessionChange",
    "SessionNew",
    "Shelve",
    "StaffSos",
    "StepAccept",
    "StepComplete",
    "StepDecline",
    "StepOnScene",
    "Supervise",
    "TaskDone",
    "TokenNew",
    "TransferTo",
    "UserChange",
    "UserNew",
]


class Nothing(Request):
    """No fields."""


# --- sessions and users


class SessionNew(Request):
    """Who signs in."""

    username: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), TEXT]
    password: Secret
    bound: Flag = Field(default=False, description="A phone that stays signed in for 30 days (staff, family, resident)")
    token: Flag = Field(default=False, description="Answer with a bearer token instead of a cookie (programs)")


class SessionChange(Change):
    """One's own settings."""

    language: Literal["zh", "en"] = "zh"
    theme: Literal["auto", "light", "dark"] = "auto"
    on_duty: Flag = False


class UserNew(Request):
    """A new account."""

    username: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\s]{1,64}$"), TEXT]
    name: Name
    role: Role
    person_id: Word | None = Field(default=None, description="The responder, contact or resident behind the account")
    password: NewSecret
    language: Literal["zh", "en"] = "zh"
    phone: Phone | None = Field(default=None, description="For whom has no person behind the account: called by plans")
    provider_id: Word | None = Field(default=None, description="Sees that provider's rows and nothing else")


class UserChange(Change):
    """Changes of an account. A new password, another role or `active: false` ends its sessions."""

    name: Name = ""
    role: Role = "staff"
    person_id: Word | None = None
    password: NewSecret = ""
    language: Literal["zh", "en"] = "zh"
    active: Flag = True
    phone: Phone | None = None
    provider_id: Word | None = None


class TokenNew(Request):
    """A bearer token for a program."""

    days: Count = Field(default=90, ge=1, le=366)
    label: Line = ""


# --- incidents and assignments

MeasuredNumber = Annotated[float, Strict(), Field(ge=0, le=1000, allow_inf_nan=False)]


class Fix(Request):
    """A position: WGS-84, or what `crs` says; it is kept as WGS-84."""

    lat: Lat
    lon: Lon
    accuracy_m: Annotated[float, Strict(), Field(ge=0, le=1_000_000, allow_inf_nan=False)] | None = None
    source: Literal["gnss", "wifi", "cell", "beacon", "manual", "last_known"] = "gnss"
    crs: Literal["wgs84", "gcj02", "bd09"] = Field(default="wgs84", exclude=True)
    observed_at: Time | None = None

    @model_validator(mode="after")
    def _to_wgs84(self) -> Self:
        if self.crs == "gcj02":
            self.lat, self.lon = gcj02_to_wgs84(self.lat, self.lon)
        elif self.crs == "bd09":
            self.lat, self.lon = bd09_to_wgs84(self.lat, self.lon)
        self.crs = "wgs84"
        return self


class OptionalReason(Request):
    """Why, where there is something to say."""

    reason: Text | None = None


class Reason(Request):
    """Why."""

    reason: SaidText


class Assign(Request):
    """Whom to send."""

    responder_id: Word
    note: Text | None = None


class TransferTo(Request):
    """Into whose hands, and why."""

    user_id: Uuid
    reason: Text | None = None


class Note(Request):
    """A line for the timeline."""

    text: SaidText


class Shelve(Request):
    """Until when, and why."""

    until: Time | None = None
    minutes: Count | None = Field(default=None, ge=1, le=10_080)
    reason: SaidText

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.minutes is None):
            raise ValueError("give either until or minutes")
        return self


class Close(Request):
    """How it ended."""

    disposition: Disposition
    summary: Text = ""


class Supervise(Request):
    """The verdict of whoever did not resolve it."""

    verdict: Literal["confirmed", "returned"]
    note: Text | None = None


class StepAccept(Request):
    """A step of an assignment. `at`: when it happened on the phone."""

    at: Time | None = None
    note: Text | None = None


class AllWell(Request):
    """`at`: when the button was pressed."""

    at: Time | None = None


class StepDecline(StepAccept):
    reason: SaidText


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class StepOnScene(StepAccept):
    """`photo_sha256`: of a photo that follows, in hex."""

    fix: Fix | None = None
    photo_sha256: Sha256 | None = None


class TaskDone(Request):
    """One line of a visit's list. `note`: why it was not done."""

    code: Word
    done: Flag
    note: Line | None = None


class Measured(Request):
    """What was measured; values that nobody can have are refused by name."""

    respiration_rpm: MeasuredNumber | None = None
    spo2_pct: MeasuredNumber | None = None
    oxygen: Flag | None = Field(default=None, description="true: on supplemental oxygen; false: on air")
    systolic_mmhg: MeasuredNumber | None = None
    diastolic_mmhg: MeasuredNumber | None = None
    heart_rate_bpm: MeasuredNumber | None = None
    consciousness: Literal["alert", "confusion", "voice", "pain", "unresponsive"] | None = None
    temperature_c: MeasuredNumber | None = None
    glucose_mmol_l: MeasuredNumber | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one measured value")
        return self


class StepComplete(StepAccept):
    """Of a visit also what was done and measured there, and where the carer was."""

    outcome: Word
    fix: Fix | None = None
    photo_sha256: Sha256 | None = None
    tasks: Annotated[list[TaskDone], Field(max_length=60)] | None = None
    vitals: Measured | None = None


# --- alarms and calls


class AlarmFromPerson(Request):
    """What a person says: by telephone, at the desk, from the app, from an area's page.

    `type`, or `matter`: a word of the grid's matters, whose type and level stand in `/alarms/kinds`. `priority`: only
    the desk chooses another level than the type's own, and says why.
    """

    type: Word | None = None
    matter: Word | None = None
    priority: Literal["critical", "high", "medium", "low"] | None = None
    priority_reason: Text | None = None
    resident_id: Word | None = None
    area_id: Word | None = None
    note: Text | None = None
    caller: Name | None = None
    phone: Phone | None = None
    fix: Fix | None = None
    test: Flag = False
    channel: Literal["phone", "walk_in", "app", "qr", "patrol", "staff", "home"] = "phone"


class HelpWanted(Request):
    """A call for help from the resident or the family."""

    note: Text | None = None


class OwnPosition(Request):
    """Where I am, while I am on my way."""

    fix: Fix


class StaffSos(Request):
    """A call for help from somebody who works here."""

    note: Text | None = None
    fix: Fix | None = None


_CallOutcome = Literal["answered", "busy", "no_answer", "failed"]


class CallFields(Request):
    """A call placed or taken."""

    direction: Literal["in", "out"]
    number: Annotated[Phone, Field(min_length=1)]
    incident_id: Uuid | None = None
    resident_id: Word | None = None
    party: Name | None = None
    started_at: Time | None = None
    answered_at: Time | None = None
    ended_at: Time | None = None
    outcome: _CallOutcome | None = None
    note: Text | None = None


class CallUpdate(Change):
    """How a call went."""

    incident_id: Uuid | None = None
    resident_id: Word | None = None
    party: Name | None = None
    answered_at: Time | None = None
    ended_at: Time | None = None
    outcome: _CallOutcome | None = None
    note: Text | None = None


class IncomingCall(Request):
    """A telephone system tells of a call that rings now."""

    number: Annotated[Phone, Field(min_length=1)]
    started_at: Time | None = None


# --- services


class OrderNew(Request):
    """One service wanted at one time."""

    kind: Word
    resident_id: Word
    wanted_from: Time
    wanted_to: Time | None = None
    duration_min: Count | None = Field(default=None, ge=5, le=1440)
    note: Text | None = None
    attributes: Free = Field(default_factory=dict)
    incident_id: Uuid | None = None
    open_to: Literal["claim"] | None = None
    preferred_responder_id: Word | None = None
    payer_hint: Payer | None = Field(default=None, description="Who is asked to pay first, where entitled to")
    at: Time | None = Field(default=None, description="When it was asked for, where it reaches the hub later")
