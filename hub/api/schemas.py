"""What requests carry. Strict: a wrong type or an unknown field is answered with its name, never guessed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)

from hub.alarms.model import Disposition
from hub.care import ResidentStatus
from hub.ports import Role

__all__ = [
    "AlarmFromPerson",
    "AreaFields",
    "Assign",
    "CallFields",
    "CallUpdate",
    "Close",
    "Command",
    "ContactFields",
    "CrewFields",
    "DeviceFields",
    "DeviceNew",
    "Fix",
    "HelpWanted",
    "IncomingCall",
    "Note",
    "Nothing",
    "OptionalReason",
    "OrderNew",
    "Reason",
    "ResidentFields",
    "ResponderFields",
    "SessionChange",
    "SessionNew",
    "Shelve",
    "ShiftFields",
    "StationFields",
    "StatusChange",
    "StepAccept",
    "StepComplete",
    "StepDecline",
    "StepOnScene",
    "Supervise",
    "TokenNew",
    "UserChange",
    "UserNew",
    "no_controls",
]


_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_DEEPEST = 12
_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def no_controls(text: str) -> str:
    """Refuses control characters but line ends and tabs: PostgreSQL takes no NUL, and a name needs none of them."""
    if any(ord(char) < 32 and char not in "\n\t\r" for char in text):
        raise ValueError("must not contain control characters")
    return text


def _written(value: Any) -> Any:
    # Numbers would be taken as seconds since 1970: nobody means that.
    if not isinstance(value, str | date):
        raise ValueError("must be text like 2026-03-01T08:30:00+08:00, or 2026-03-01 for a day")
    return value


def _in_our_time(at: datetime) -> datetime:
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError("must lie between the years 1900 and 2200")
    return at


def _our_day(day: date) -> date:
    if not _EARLIEST.date() <= day <= _LATEST.date():
        raise ValueError("must lie between the years 1900 and 2200")
    return day


def _storable(value: Any, depth: int = 0) -> Any:
    """Free JSON that PostgreSQL takes: finite numbers, text without NUL and halves of characters, not too deep."""
    if depth > _DEEPEST:
        raise ValueError(f"is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        for key, one in value.items():
            _storable(key, depth)
            _storable(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            _storable(one, depth + 1)
    elif isinstance(value, str):
        if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("contains a character that cannot be stored")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("contains a number that is not finite")
    return value


_TEXT = AfterValidator(no_controls)
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), _TEXT]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), _TEXT]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), _TEXT]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), _TEXT]
SaidText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), _TEXT]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=32, pattern=r"^[0-9+*#() \-]*$")]
Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=256), Field(json_schema_extra={"writeOnly": True}), _TEXT
]
NewSecret = Annotated[
    str, StringConstraints(min_length=8, max_length=256), Field(json_schema_extra={"writeOnly": True}), _TEXT
]
Uuid = Annotated[str, StringConstraints(pattern=_UUID)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
Time = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_our_time)]
Day = Annotated[date, BeforeValidator(_written), AfterValidator(_our_day)]
Free = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(_storable)]
Lat = Annotated[float, Strict(), Field(ge=-90, le=90, allow_inf_nan=False)]
Lon = Annotated[float, Strict(), Field(ge=-180, le=180, allow_inf_nan=False)]
Words = Annotated[list[Word], Field(max_length=100)]
NewId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"),
    Field(description="The customer's own number for it; made here where not given"),
]


def _without_defaults(schema: dict[str, Any]) -> None:
    # A field that is not given stays as it is: the defaults below are never used and must not be advertised.
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Change(_Request):
    """A PATCH: only what is given changes, and something must be given."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        return self


class Nothing(_Request):
    """No fields."""


# --- sessions and users


class SessionNew(_Request):
    """Who signs in."""

    username: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), _TEXT]
    password: Secret
    bound: Flag = Field(default=False, description="A phone that stays signed in for 30 days (staff, family, resident)")
    token: Flag = Field(default=False, description="Answer with a bearer token instead of a cookie (programs)")


class SessionChange(_Change):
    """One's own settings."""

    language: Literal["zh", "en"] = "zh"
    theme: Literal["auto", "light", "dark"] = "auto"
    on_duty: Flag = False


class UserNew(_Request):
    """A new account."""

    username: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\s]{1,64}$"), _TEXT]
    name: Name
    role: Role
    person_id: Word | None = Field(default=None, description="The responder, contact or resident behind the account")
    password: NewSecret
    language: Literal["zh", "en"] = "zh"


class UserChange(_Change):
    """Changes of an account. A new password, another role or `active: false` ends its sessions."""

    name: Name = ""
    role: Role = "staff"
    person_id: Word | None = None
    password: NewSecret = ""
    language: Literal["zh", "en"] = "zh"
    active: Flag = True


class TokenNew(_Request):
    """A bearer token for a program."""

    days: Count = Field(default=90, ge=1, le=366)
    label: Line = ""


# --- incidents and assignments


class Fix(_Request):
    """A position, WGS-84."""

    lat: Lat
    lon: Lon
    accuracy_m: Annotated[float, Strict(), Field(ge=0, le=1_000_000, allow_inf_nan=False)] | None = None
    source: Literal["gnss", "wifi", "cell", "beacon", "manual", "last_known"] = "gnss"
    observed_at: Time | None = None


class OptionalReason(_Request):
    """Why, where there is something to say."""

    reason: Text | None = None


class Reason(_Request):
    """Why."""

    reason: SaidText


class Assign(_Request):
    """Whom to send."""

    responder_id: Word
    note: Text | None = None


class Note(_Request):
    """A line for the timeline."""

    text: SaidText


class Shelve(_Request):
    """Until when, and why."""

    until: Time | None = None
    minutes: Count | None = Field(default=None, ge=1, le=10_080)
    reason: SaidText

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.until is None) == (self.minutes is None):
            raise ValueError("give either until or minutes")
        return self


class Close(_Request):
    """How it ended."""

    disposition: Disposition
    summary: Text = ""


class Supervise(_Request):
    """The verdict of whoever did not resolve it."""

    verdict: Literal["confirmed", "returned"]
    note: Text | None = None


class StepAccept(_Request):
    """A step of an assignment. `at`: when it happened on the phone."""

    at: Time | None = None
    note: Text | None = None


class StepDecline(StepAccept):
    reason: SaidText


class StepOnScene(StepAccept):
    fix: Fix | None = None


class StepComplete(StepAccept):
    outcome: Word


# --- alarms and calls


class AlarmFromPerson(_Request):
    """What a person says: by telephone, at the desk, from the app, from an area's page."""

    type: Word
    resident_id: Word | None = None
    area_id: Word | None = None
    note: Text | None = None
    phone: Phone | None = None
    fix: Fix | None = None
    test: Flag = False
    channel: Literal["phone", "walk_in", "app", "qr"] = "phone"


class HelpWanted(_Request):
    """A call for help from the resident or the family."""

    note: Text | None = None


_CallOutcome = Literal["answered", "busy", "no_answer", "failed"]


class CallFields(_Request):
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


class CallUpdate(_Change):
    """How a call went."""

    incident_id: Uuid | None = None
    resident_id: Word | None = None
    party: Name | None = None
    answered_at: Time | None = None
    ended_at: Time | None = None
    outcome: _CallOutcome | None = None
    note: Text | None = None


class IncomingCall(_Request):
    """A telephone system tells of a call that rings now."""

    number: Annotated[Phone, Field(min_length=1)]
    started_at: Time | None = None


# --- services


class OrderNew(_Request):
    """One service wanted at one time."""

    kind: Word
    resident_id: Word
    wanted_from: Time
    wanted_to: Time | None = None
    duration_min: Count | None = Field(default=None, ge=5, le=1440)
    note: Text | None = None
    attributes: Free = {}
    incident_id: Uuid | None = None


# --- people, places, things. One model serves POST and PATCH: POST also asks for the fields named in `needed`.


class _Fields(_Change):
    """The fields of a record."""


class ResidentFields(_Fields):
    """A resident. POST needs `name`; `status` changes through its own endpoint."""

    id: NewId = ""
    name: Name = ""
    sex: Literal["f", "m"] | None = None
    born_on: Day | None = None
    phone: Phone | None = None
    address: Line | None = None
    area_id: Word | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    lives_alone: Flag = False
    served: Flag = True
    ability_level: Annotated[int, Strict(), Field(ge=0, le=4)] | None = None
    conditions: Words = []
    medications: Words = []
    allergies: Words = []
    languages: Words = []
    hearing: Line | None = None
    flags: Words = []
    access: Annotated[dict[str, Line | Flag | None], Field(max_length=20)] = {}
    never_responders: Words = []
    regular_responders: Words = []
    notes: Text | None = None


class StatusChange(_Request):
    """Where the resident is."""

    status: ResidentStatus
    reason: Text | None = None


class ContactFields(_Fields):
    """Family, neighbour, keyholder. POST needs `resident_id` and `name`."""

    id: NewId = ""
    resident_id: Word = ""
    name: Name = ""
    relation: Line | None = None
    phone: Phone | None = None
    kind: Literal["family", "neighbour", "guard", "doctor", "other"] = "family"
    has_key: Flag = False
    position: Annotated[int, Strict(), Field(ge=1, le=1000)] = 1
    responder_id: Word | None = None
    confirmed_on: Day | None = None


class AreaFields(_Fields):
    """An area. POST needs `kind` and `name`. `boundary` is a GeoJSON geometry, WGS-84."""

    id: NewId = ""
    parent_id: Word | None = None
    kind: Literal["city", "district", "street", "community", "grid", "micro_grid"] = "grid"
    name: Name = ""
    households: Annotated[int, Strict(), Field(ge=0, le=100_000_000)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    boundary: Annotated[dict[str, Any], AfterValidator(_storable)] | None = None


class StationFields(_Fields):
    """A station. POST needs `kind` and `name`."""

    id: NewId = ""
    kind: Literal["care_station", "meal_point", "clinic", "social_work"] = "care_station"
    name: Name = ""
    area_id: Word | None = None
    address: Line | None = None
    phone: Phone | None = None
    lat: Lat | None = None
    lon: Lon | None = None


class Skill(_Request):
    """What somebody may do, and until when."""

    skill: Word
    expires_on: Day | None = None


class ResponderFields(_Fields):
    """Whoever can go. POST needs `name` and `kind`."""

    id: NewId = ""
    name: Name = ""
    kind: Word = ""
    phone: Phone | None = None
    sex: Literal["f", "m"] | None = None
    skills: Annotated[list[Skill], Field(max_length=100)] = []
    languages: Words = []
    area_ids: Words = []
    station_id: Word | None = None
    mode: Literal["foot", "bike", "car", "van"] = "bike"
    lat: Lat | None = None
    lon: Lon | None = None
    on_duty: Flag = False
    active: Flag = True


class CrewFields(_Fields):
    """People with a vehicle and equipment. POST needs `name`; `members` are responder ids."""

    id: NewId = ""
    name: Name = ""
    vehicle: Line | None = None
    equipment: Words = []
    members: Words = []


class ShiftFields(_Fields):
    """When somebody works. POST needs `responder_id`, `starts_at` and `ends_at`."""

    responder_id: Word = ""
    starts_at: Time = _EARLIEST
    ends_at: Time = _EARLIEST
    role: Word | None = None
    area_id: Word | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if {"starts_at", "ends_at"} <= self.model_fields_set and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self


class DeviceNew(_Request):
    """A new device."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    family: Word
    resident_id: Word | None = None
    name: Name | None = None


class DeviceFields(_Change):
    """Changes of a device."""

    name: Name | None = None
    model: Line | None = None
    resident_id: Word | None = None
    area_id: Word | None = None
    profile: Free = {}
    interval_s: Annotated[int, Strict(), Field(ge=1, le=604_800)] = 300


class Command(BaseModel):
    """A command and its own fields, as the device's wire has them."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    command: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
