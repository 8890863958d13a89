"""What answers look like: accounts, people, places, things."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from hub.api.views import AreaShort, ListOf, Named, TimelineEntry, View
from hub.care import ResidentStatus
from hub.ports import CommandState, Role

__all__ = [
    "Area",
    "AreaAt",
    "AreaNode",
    "AuditRow",
    "Crew",
    "Device",
    "DeviceAdded",
    "DeviceCommand",
    "DeviceConflict",
    "DeviceHistory",
    "MealDish",
    "ObservationList",
    "Ready",
    "RecordChange",
    "Resident",
    "Responder",
    "ServiceKind",
    "ServiceKindList",
    "Session",
    "Shift",
    "Station",
    "StationContacts",
    "Token",
    "TokenAccount",
    "TokenGiven",
    "TokenScope",
    "User",
]


class User(View):
    id: str
    username: str
    name: str
    role: Role
    person_id: str | None
    language: Literal["zh", "en"]
    theme: Literal["auto", "light", "dark"]
    phone: str | None = None
    provider_id: str | None = Field(default=None, description="Sees that provider's rows and nothing else")


class Session(View):
    user: User
    on_duty: bool
    expires_at: datetime
    server_time: datetime
    time_zone: str = Field(description="Of every time a page shows")


class TokenAccount(View):
    id: str
    username: str
    name: str
    active: bool


class TokenScope(View):
    role: Role
    provider: Named | None = Field(description="Sees that provider's rows and nothing else")


class Token(View):
    id: str
    label: str = Field(description="What for; empty where nobody said")
    account: TokenAccount
    scope: TokenScope
    issued_at: datetime
    issued_by: str | None = Field(description="Null: the program signed in with its account's password")
    issued_from: str | None = Field(description="Address of whoever asked for it")
    last_used_at: datetime | None = Field(description="To half a minute; null: never yet")
    expires_at: datetime


class TokenGiven(View):
    id: str
    token: str = Field(description="Told once")
    expires_at: datetime


class Resident(View):
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
    status_until: date | None = Field(default=None, description="Expected back; changes nothing by itself")
    served: bool
    id_number: str | None = None
    ability_level: int | None
    conditions: list[str]
    medications: list[str]
    allergies: list[str]
    diets: list[str]
    languages: list[str]
    flags: list[str]
    access: dict[str, Any]
    notes: str | None
    version: int


class RecordChange(View):
    id: int
    at: datetime
    name: str | None = Field(description="Who; null: the hub itself")
    action: str
    detail: dict[str, Any] = Field(description="`changes`: field -> [before, after], masked where the record is")


class AreaPerson(View):
    id: str
    name: str
    phone: str | None


class AreaStation(View):
    id: str
    name: str
    kind: str


class AreaNode(View):
    id: str
    parent_id: str | None
    kind: str
    name: str
    households: int | None
    active: bool
    lat: float | None
    lon: float | None
    has_boundary: bool
    residents: int = Field(description="Living in it itself, not below; nobody who moved or died")
    officers: list[AreaPerson] = Field(description="Grid officers who serve it itself")
    stations: list[AreaStation]
    version: int


class AreaAt(View):
    area: AreaShort | None = Field(description="The lowest area with a boundary around the place; null: none has one")
    path: list[AreaShort]


class StationContacts(View):
    station: Named | None = Field(description="null: residents in no care station's area")
    residents: int
    without: int = Field(description="Residents with nobody to call")
    contacts: int
    unconfirmed: int = Field(description="Contacts not confirmed for so many days, or never")


class Area(View):
    id: str
    parent_id: str | None
    kind: str
    name: str
    households: int | None
    lat: float | None
    lon: float | None
    boundary: dict[str, Any] | None
    active: bool
    path: list[Any]


class Station(View):
    id: str
    kind: str
    name: str
    area_id: str | None
    address: str | None
    phone: str | None
    lat: float | None
    lon: float | None


class MealDish(View):
    id: str
    station_id: str | None
    name: str
    name_en: str | None
    allergens: list[str]
    diets: list[str]
    price_fen: int | None
    active: bool
    version: int


class LastFix(View):
    """The last position that a device told; one that it only remembers counts where the hub knows no other."""

    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    source: str | None = None
    observed_at: datetime | None = Field(default=None, description="null: remembered, nobody knows since when")


class ResidentPosition(LastFix):
    """The best of what a resident's devices told last. Where it is, is masked until it is opened."""

    device: dict[str, Any]
    apart_m: int | None = Field(default=None, description="How far from home")


class DeviceConflict(View):
    """Two use its id: at the same time from two addresses, or one on another device's connection."""

    kind: Literal["two_addresses", "second_id"]
    addresses: list[str]
    first_at: datetime
    last_at: datetime
    times: int


class Device(View):
    id: str
    family: str
    name: str | None
    model: str | None
    resident: Named | None
    area_id: str | None
    online: bool | None
    last_seen_at: datetime | None
    battery_pct: int | None
    charging: bool | None
    clock_skew_s: int | None = Field(description="By how much its clock lags behind ours; negative: it is ahead")
    interval_s: int
    upstream: str | None = Field(description="Bridge, carrier or fleet it hangs on")
    last_fix: LastFix | None = Field(description="Of a resident's device without `lat` and `lon`: `/residents/{id}`")
    profile_id: str
    profile: dict[str, Any]
    adopted: bool
    revoked_at: datetime | None
    silent_since: datetime | None
    silence: str | None = Field(description="Why it counts as silent, or why it may be")
    silence_incident_id: str | None
    conflict: DeviceConflict | None = Field(default=None, description="Seen within the last day")
    capabilities: list[str] | None = Field(default=None, description="Commands it can be given; of one device only")
    version: int


class DeviceAdded(View):
    device: Device
    secret: str | None = Field(description="The device's credential, told once; null where the family has none")


class DeviceHistory(ListOf[TimelineEntry]):
    names: dict[str, str] = Field(description="Of the residents it names, by id")


class DeviceCommand(View):
    id: str = Field(description="The device's answer carries it")
    device_id: str
    command: str
    fields: dict[str, Any]
    state: CommandState
    reason: str | None = Field(description="Why it failed or expired, or what the device said")
    incident_id: str | None
    created_at: datetime
    created_by: Named | None = Field(description="null: the hub itself")
    expires_at: datetime
    attempts: int
    sent_at: datetime | None
    delivered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    answer: dict[str, Any] | None = Field(description="The position or measurement that was asked for")


class Responder(View):
    id: str
    name: str
    kind: str
    phone: str | None
    sex: Literal["f", "m"] | None
    skills: list[dict[str, Any]]
    languages: list[str]
    areas: list[Any]
    station_id: str | None
    provider_id: str | None = None
    belongs_to: str | None = Field(default=None, description="The provider: the own one, else the station's")
    lat: float | None
    lon: float | None
    position_at: datetime | None
    position_accuracy_m: float | None = None
    on_duty: bool
    busy: bool
    live: int
    mode: str


class Crew(View):
    id: str
    name: str
    vehicle: str | None
    equipment: list[str]
    days: list[int] = Field(description="1 Monday to 7 Sunday; empty: every day")
    begins: str | None
    ends: str | None
    active: bool
    members: list[str]
    people: list[dict[str, Any]] = Field(description="The members: id, name, kind, skills, active")
    version: int


class Shift(View):
    id: str
    responder_id: str
    starts_at: datetime
    ends_at: datetime
    role: str | None
    area_id: str | None
    rotation_id: str | None
    changed: bool = Field(description="Somebody touched it: its rotation leaves it alone")
    note: str | None


class ServiceKind(View):
    id: str
    zh: str
    en: str
    skills: list[str]
    any_skills: list[str]
    duration_min: int
    carers: int
    priority: str
    personal: bool


class ServiceKindList(View):
    items: list[ServiceKind]
    next: None = None


class ObservationList(View):
    items: list[dict[str, Any]]
    next: str | None = None
    resolution: Literal["raw", "minute", "hour", "day"] = "raw"
    bin_s: int = Field(default=0, description="Width of a bin in seconds; 0: records")


class AuditRow(View):
    at: datetime
    name: str | None
    action: str
    subject: str | None


class Ready(View):
    ready: bool
