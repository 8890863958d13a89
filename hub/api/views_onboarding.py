"""What answers about bringing devices in look like, and what such requests may say."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, Strict, StringConstraints

from hub.api.fields import Request
from hub.api.views import View
from hub.ports import Scheme

__all__ = [
    "ConformanceReport",
    "HeardList",
    "HeardMessage",
    "Integration",
    "IntegrationGiven",
    "IntegrationList",
    "IntegrationNew",
    "Newcomer",
    "NewcomerList",
    "OnboardedDevice",
    "RefusedUplink",
    "RetakenList",
    "WatchAsked",
    "WatchGiven",
]


class Newcomer(View):
    id: str
    family: str | None = Field(description="null: nothing was heard of it yet")
    name: str | None
    adopted: bool
    revoked: bool
    last_seen_at: datetime | None
    battery_pct: int | None
    watched_until: datetime | None
    kept_aside: int = Field(description="Messages of it that wait in quarantine; at most 1000 are counted")


class NewcomerList(View):
    items: list[Newcomer]
    server_time: datetime


class OnboardedDevice(View):
    device: dict[str, Any] | None = Field(description="null: nothing was heard of it yet")
    watched_until: datetime | None
    watched_by: str | None


class RefusedUplink(View):
    id: int = Field(description="Its number in quarantine")
    reason: str


class RetakenList(View):
    taken: int
    refused: list[RefusedUplink]
    more: bool = Field(description="More wait: ask again")


class HeardMessage(View):
    received_at: datetime
    lane: str
    topic: str | None
    outcome: str
    reason: str | None
    size: int
    hex: str = Field(description="The first 4096 bytes")
    text: str | None = Field(description="The same as text, where it is text")
    events: list[dict[str, Any]]
    replies: list[Any]
    error: str | None
    clock_skew_s: float | None = Field(description="Device's clock minus the hub's; null: it gave no time")


class HeardList(View):
    items: list[HeardMessage]
    server_time: datetime


class ConformanceReport(View):
    family: str
    messages: int
    understood: dict[str, dict[str, int]]
    findings: list[dict[str, Any]]
    conforms: bool


class WatchAsked(Request):
    """How long every message of the device is kept raw."""

    minutes: Annotated[int, Strict(), Field(ge=1, le=1440)] = 60


class WatchGiven(View):
    device_id: str
    until: datetime


class Integration(View):
    name: str
    family: str
    scheme: Scheme
    devices: str
    rate_per_s: int
    created_at: datetime
    created_by: str | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_refused_at: datetime | None
    last_refusal: str | None


class IntegrationList(View):
    items: list[Integration]


class IntegrationNew(Request):
    """A maker's cloud that may push. `secret`: what its console dictates; made by the hub otherwise.

    `cipher_key`: what OneNET encrypts its pushes with (its console shows it), where its encrypted mode is chosen.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    family: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
    scheme: Scheme
    secret: Annotated[str, StringConstraints(min_length=3, max_length=200)] | None = None
    cipher_key: Annotated[str, StringConstraints(min_length=16, max_length=64)] | None = None
    devices: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:*?-]{1,80}$")] = "*"
    rate_per_s: Annotated[int, Strict(), Field(ge=1, le=10_000)] = 50


class IntegrationGiven(View):
    name: str
    family: str
    scheme: Scheme
    secret: str | None = Field(description="Told once")
    address: str
