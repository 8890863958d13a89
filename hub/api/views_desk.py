"""What answers look like: the desk, hand-overs, reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from hub.api.views import Contact, Named, View
from hub.api.views_live import DeviceCount
from hub.api.views_records import Resident

__all__ = [
    "BaselineHour",
    "Counts",
    "Handover",
    "PresenceRow",
    "ReportRow",
    "Revealed",
    "Site",
    "WallAreas",
    "WallPicture",
    "WallScreen",
    "WallScreenMade",
]


class Tiles(View):
    """A base map from elsewhere."""

    url: str
    subdomains: str
    crs: Literal["wgs84", "gcj02"]
    attribution: str
    max_zoom: int


class Site(View):
    name: str
    phone: str = Field(description="The desk's own number: who is called back")
    time_zone: str
    tiles: Tiles | None
    retention_days: dict[str, int]
    session_hours: float
    lease_seconds: int
    supervision_sample: float


class PresenceRow(View):
    user: Named
    incident_id: str
    since: datetime


class Handover(View):
    """`body` of a draft is the desk as it is now; of a signed one as it was at the signature."""

    id: str
    number: int
    state: Literal["draft", "signed", "done", "cancelled"]
    shift_from: datetime
    made_at: datetime
    outgoing: Named
    incoming: Named | None
    body: dict[str, Any]
    remarks: str | None
    signed_at: datetime | None
    ticked: list[str]
    accepted_at: datetime | None
    moved: list[str]
    version: int


class ReportRow(View):
    """A row of a report; its columns are the report's own."""


class Counts(View):
    """The numbers of the supervisor's page."""


class Revealed(View):
    """Everything about a resident, after saying why."""

    resident: Resident
    contacts: list[Contact]


class BaselineHour(View):
    """A resident's usual values at an hour of the day."""

    hour: int
    low: float
    mid: float
    high: float
    n: int


class WallPicture(View):
    """What a wall screen shows. Incidents carry no person, no device and no exact place."""

    name: str
    time_zone: str
    server_time: datetime
    incidents: list[dict[str, Any]]
    on_duty: int = Field(description="Responders on duty")
    devices: DeviceCount


class WallAreas(View):
    items: list[dict[str, Any]]


class WallScreen(View):
    id: str
    name: str
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    seen_from: str | None
    revoked_at: datetime | None
    revoked_by: str | None


class WallScreenMade(View):
    """`token` and `url` only in the answer that makes it."""

    id: str
    name: str
    token: str | None
    url: str | None = Field(description="The address the screen opens, as a path")
