"""What requests carry: people, places, things."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from dispatch.meals import DIETS
from hub.api.area_shapes import check_boundary
from hub.api.fields import (
    EARLIEST,
    Change,
    Day,
    Flag,
    Free,
    Lat,
    Line,
    Lon,
    Name,
    NewId,
    Phone,
    Request,
    Text,
    Time,
    Word,
    Words,
    storable,
)
from hub.care import ResidentStatus

__all__ = [
    "AreaFields",
    "Command",
    "ContactFields",
    "ContactOrder",
    "CrewFields",
    "DeviceFields",
    "DeviceNew",
    "ResidentFields",
    "ResponderFields",
    "ShiftFields",
    "Skill",
    "StationFields",
    "StatusChange",
]


Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

# --- people, places, things. One model serves POST and PATCH: POST also asks for the fields named in `needed`.


class _Fields(Change):
    """The fields of a record."""


def _diets(codes: list[str]) -> list[str]:
    unknown = [one for one in codes if one not in DIETS]
    if unknown:
        raise ValueError(f"there is no diet {unknown[0]}; known: {', '.join(DIETS)}")
    return codes


_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _id_number(text: str) -> str:
    """GB 11643-1999: 17 digits, a day of birth among them, and a check character by ISO 7064 MOD 11-2. Other papers
    (passports, permits of Hong Kong, Macao and Taiwan) are taken as they are.
    """
    text = text.upper()
    if re.fullmatch(r"\d{17}[\dX]", text) is None:
        if re.fullmatch(r"[A-Z0-9()\-]{5,32}", text) is None or re.fullmatch(r"\d{16,}X?", text):
            raise ValueError("18 characters of an ID card, or 5-32 letters and digits of another paper")
        return text
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise ValueError("its digits 7 to 14 are no day of birth") from None
    wanted = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False)) % 11]
    if text[17] != wanted:
        raise ValueError("its check character is wrong: a digit is mistyped")
    return text


class ResidentFields(_Fields):
    """A resident. POST needs `name`; `status` changes through its own endpoint."""

    id: NewId = ""
    name: Name = ""
    id_number: Annotated[Word, AfterValidator(_id_number)] | None = None
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
    conditions: Words = Field(default_factory=list)
    medications: Words = Field(default_factory=list)
    allergies: Words = Field(default_factory=list)
    diets: Annotated[Words, AfterValidator(_diets)] = Field(default_factory=list)
    languages: Words = Field(default_factory=list)
    hearing: Line | None = None
    flags: Words = Field(default_factory=list)
    access: Annotated[dict[str, Line | Flag | None], Field(max_length=20)] = Field(default_factory=dict)
    never_responders: Words = Field(default_factory=list)
    regular_responders: Words = Field(default_factory=list)
    notes: Text | None = None


class StatusChange(Request):
    """Where the resident is."""

    status: ResidentStatus
    reason: Text | None = None
    since: Time | None = Field(default=None, description="When it began, where that was earlier than now")
    until: Day | None = Field(default=None, description="Expected back on this day; changes nothing by itself")


class ContactFields(_Fields):
    """Family, neighbour, keyholder. POST needs `resident_id` and `name`."""

    id: NewId = ""
    resident_id: Word = ""
    name: Name = ""
    relation: Line | None = None
    phone: Phone | None = None
    other_phones: Annotated[list[Phone], Field(max_length=5)] = Field(default_factory=list)
    kind: Literal["family", "neighbour", "guard", "doctor", "other"] = "family"
    has_key: Flag = False
    position: Annotated[int, Strict(), Field(ge=1, le=1000)] = 1
    responder_id: Word | None = None
    hours: Line | None = Field(default=None, description="When the person can be reached, in their own words")
    languages: Words = Field(default_factory=list)
    consented_on: Day | None = Field(default=None, description="Agreed to be kept and called")
    confirmed_on: Day | None = None


class ContactOrder(Request):
    """Every contact of the resident, whoever is called first at the head."""

    ids: Annotated[list[Word], Field(min_length=1, max_length=100)]


class AreaFields(_Fields):
    """An area. POST needs `kind` and `name`. `boundary` is a GeoJSON Polygon or MultiPolygon, WGS-84, of sound rings.
    `active` false: retired; nothing may lie in it any more.
    """

    id: NewId = ""
    parent_id: Word | None = None
    kind: Literal["city", "district", "street", "community", "grid", "micro_grid"] = "grid"
    name: Name = ""
    households: Annotated[int, Strict(), Field(ge=0, le=100_000_000)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    boundary: Annotated[dict[str, Any], AfterValidator(storable), AfterValidator(check_boundary)] | None = None
    active: Flag = True


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
    provider_id: Word | None = Field(default=None, description="Whose it is: its orders are that provider's")


class Skill(Request):
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
    skills: Annotated[list[Skill], Field(max_length=100)] = Field(default_factory=list)
    languages: Words = Field(default_factory=list)
    area_ids: Words = Field(default_factory=list)
    station_id: Word | None = None
    provider_id: Word | None = None
    mode: Literal["foot", "bike", "car", "van"] = "bike"
    lat: Lat | None = None
    lon: Lon | None = None
    on_duty: Flag = False
    active: Flag = True


class CrewFields(_Fields):
    """People with a vehicle and equipment. POST needs `name`; `members` are responder ids. `days` (1 Monday to
    7 Sunday; none: every day) and `begins` to `ends` (both or none; site's wall clock) say when it is planned as one.
    """

    id: NewId = ""
    name: Name = ""
    vehicle: Line | None = None
    equipment: Words = Field(default_factory=list)
    members: Words = Field(default_factory=list)
    days: Annotated[list[Annotated[int, Strict(), Field(ge=1, le=7)]], Field(max_length=7)] = Field(
        default_factory=list
    )
    begins: Clock | None = None
    ends: Clock | None = None
    active: Flag = True

    @model_validator(mode="after")
    def _hours(self) -> Self:
        given = {"begins", "ends"} & self.model_fields_set
        if given and ((self.begins is None) != (self.ends is None) or len(given) == 1):
            raise ValueError("begins and ends: both or none")
        if self.begins and self.ends and self.ends <= self.begins:
            raise ValueError("ends must be later than begins")
        return self


class ShiftFields(_Fields):
    """When somebody works. POST needs `responder_id`, `starts_at` and `ends_at`."""

    responder_id: Word = ""
    starts_at: Time = EARLIEST
    ends_at: Time = EARLIEST
    role: Word | None = None
    area_id: Word | None = None
    note: Line | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if {"starts_at", "ends_at"} <= self.model_fields_set and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self


class DeviceNew(Request):
    """A new device."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    family: Word
    resident_id: Word | None = None
    area_id: Word | None = Field(default=None, description="Where it hangs; that of its resident if absent")
    name: Name | None = None
    profile_id: Word | None = None
    upstream: Word | None = None


class DeviceFields(Change):
    """Changes of a device."""

    name: Name | None = None
    model: Line | None = None
    resident_id: Word | None = None
    area_id: Word | None = None
    profile_id: Word | None = None
    profile: Free = Field(default_factory=dict)
    interval_s: Annotated[int, Strict(), Field(ge=1, le=604_800)] | None = None
    upstream: Word | None = None


class Command(BaseModel):
    """A command and its own fields, as the device's wire has them."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    command: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    incident_id: Word | None = Field(default=None, description="The matter it belongs to; told on its timeline")
    expires_in_s: Annotated[int, Strict(), Field(ge=10, le=2_592_000)] | None = Field(
        default=None, description="How long it is kept for the device; each command has its own default"
    )
