"""What answers look like: device profiles, the work list of devices, claims."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from hub.api.views import Named, View

__all__ = [
    "ClaimMade",
    "ClaimTaken",
    "DeviceProfile",
    "RepairOutcomes",
    "TechnicalItem",
    "TechnicalList",
    "TechnicalStation",
]


class DeviceProfile(View):
    id: str
    family: str
    zh: str
    en: str
    model: str | None
    interval_s: int | None = Field(description="How often it speaks; null: only when something happens")
    silence: dict[str, Any] = Field(description="supervised, after_s, charging_s, first_report_s, night")
    reading: dict[str, Any] = Field(description="What its codec takes: code tables, polarity, units, datum")
    setup: list[dict[str, Any]] = Field(description="What to set on the device: zh, en, value")
    note: str | None
    built_in: bool
    edited: bool
    devices: int
    version: int


class TechnicalStation(View):
    id: str | None = Field(description="null: no station serves the place")
    name: str | None
    open: int
    done: int
    bad_actors: int


class TechnicalItem(View):
    rank: int
    station: Named | None
    area: Named | None
    device: dict[str, Any] | None = Field(description="null for a shared cause")
    resident: dict[str, Any] | None
    cause: dict[str, Any] | None = Field(description="kind way, upstream or area, and its key")
    incident: dict[str, Any]
    open: bool
    silent: int = Field(description="Devices that are silent for this")
    alarms_30d: int
    incidents_30d: int
    bad_actor: bool
    order: dict[str, Any] | None = Field(description="The repair order, where there is one")


class TechnicalList(View):
    day: date
    items: list[TechnicalItem]
    stations: list[TechnicalStation]
    more: bool = Field(description="There are more than the list holds")
    next: str | None = None


class RepairMade(View):
    incident_id: str
    outcome: Literal["wanted", "made", "exists", "refused"] = Field(description="wanted: a preview would make it")
    order_id: str | None
    code: str | None
    detail: str | None


class RepairOutcomes(View):
    items: list[RepairMade]
    counts: dict[str, int]


class ClaimMade(View):
    device_id: str
    token: str = Field(description="Told once; printed as `url` in a QR code")
    url: str
    expires_at: datetime


class ClaimTaken(View):
    device: dict[str, Any]
    resident: Named | None
    setup: list[dict[str, Any]] = Field(description="What to set on the device")
    state: Literal["bound"] = "bound"
