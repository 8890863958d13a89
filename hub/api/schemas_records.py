"""What requests carry: people, places, things."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from dispatch.meals import DIETS
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


# --- people, places, things. One model serves POST and PATCH: POST also asks for the fields named in `needed`.


class _Fields(Change):
    """The fields of a record."""


def _diets(codes: list[str]) -> list[str]:
    unknown = [one for one in codes if one not in DIETS]
    if unknown:
        raise ValueError(f"there is no diet {unknown[0]}; known: {', '.join(DIETS)}")
    return codes


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
    boundary: Annotated[dict[str, Any], AfterValidator(storable)] | None = None


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
    """People with a vehicle and equipment. POST needs `name`; `members` are responder ids."""

    id: NewId = ""
    name: Name = ""
    vehicle: Line | None = None
    equipment: Words = Field(default_factory=list)
    members: Words = Field(default_factory=list)


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
