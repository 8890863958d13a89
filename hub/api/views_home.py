"""What answers look like: consents, the family's page, photos, codes of areas."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from hub.api.views import View

__all__ = [
    "AreaCode",
    "AreaCodeInForce",
    "ConsentOverview",
    "Consents",
    "MatterTaken",
    "Photos",
    "PublicArea",
]


class Consent(View):
    purpose: Literal["status", "health", "photos"]
    granted: bool
    since: datetime | None
    by: str | None
    note: str | None


class Consents(View):
    items: list[Consent]
    may_change: bool = Field(description="Whether this account may give and take them back")


class ConsentGiven(View):
    purpose: Literal["status", "health", "photos"]
    since: datetime
    by: str
    note: str | None


class ConsentRow(View):
    """A resident and what is in force."""

    resident: dict[str, Any]
    items: list[ConsentGiven]


class ConsentCounts(View):
    residents: int
    status: int
    health: int
    photos: int


class ConsentOverview(View):
    """`counts` of everybody, whatever the list is narrowed to."""

    items: list[ConsentRow]
    next: str | None
    counts: ConsentCounts


class Photo(View):
    id: str
    sha256: str
    size: int
    taken_at: datetime
    received_at: datetime
    taken_by: str


class Photos(View):
    items: list[Photo]


class AreaCode(View):
    """`code` and `url` only in the answer that makes it."""

    area_id: str
    since: datetime | None
    code: str | None = None
    url: str | None = Field(default=None, description="The path a printed QR code carries")


class AreaCodeInForce(View):
    area_id: str
    since: datetime
    by: str | None


class PublicMatter(View):
    kind: str
    zh: str
    en: str


class PublicArea(View):
    """What anybody who scanned a code may know."""

    area: str
    phone: str = Field(description="The desk's number; empty where the site set none")
    kinds: list[PublicMatter]


class MatterTaken(View):
    received_at: datetime
    number: int | None = Field(description="Of the matter at the desk, to ask about it")
